//! Writes an answer as a table for reading, CSV, JSON or Parquet.

use std::io::Write;

use arrow::json::StructMode;
use arrow::util::pretty::pretty_format_batches_with_schema;
use parquet::arrow::ArrowWriter;

use crate::answer::Answer;
use crate::error::Error;

/// The format in which an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns for reading.
    Table,
    /// Comma-separated, with a header.
    Csv,
    /// One array of objects; absent values are null.
    Json,
    /// One array of arrays, each in the order of the columns; absent values are null.
    JsonRows,
    /// One file.
    Parquet,
}

impl Answer {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.batches.iter().map(arrow::array::RecordBatch::num_rows).sum()
    }

    /// The first `most` rows.
    #[must_use]
    pub fn first(&self, most: usize) -> Self {
        let mut left = most;
        let batches = self.batches.iter().map_while(|batch| {
            let taken = batch.num_rows().min(left);
            left -= taken;
            (taken > 0).then(|| batch.slice(0, taken))
        });
        Self {
            batches: batches.collect(),
            schema: self.schema.clone(),
        }
    }

    /// Writes the answer to `sink`.
    ///
    /// # Errors
    /// [`Error::Query`] where a value cannot be written or `sink` fails.
    pub fn write(&self, format: Format, mut sink: impl Write + Send) -> Result<(), Error> {
        let failed = |error: &dyn std::fmt::Display| Error::Query {
            message: error.to_string(),
            suggestions: Vec::new(),
        };
        match format {
            Format::Table => {
                let text = pretty_format_batches_with_schema(self.schema.clone(), &self.batches)
                    .map_err(|e| failed(&e))?;
                writeln!(sink, "{text}").map_err(|e| failed(&e))
            }
            Format::Csv => {
                let mut writer = arrow::csv::Writer::new(sink);
                if self.batches.is_empty() {
                    let empty = arrow::array::RecordBatch::new_empty(self.schema.clone());
                    return writer.write(&empty).map_err(|e| failed(&e));
                }
                self.batches
                    .iter()
                    .try_for_each(|batch| writer.write(batch))
                    .map_err(|e| failed(&e))
            }
            Format::Json | Format::JsonRows => {
                let mode = if format == Format::Json {
                    StructMode::ObjectOnly
                } else {
                    StructMode::ListOnly
                };
                let builder = arrow::json::WriterBuilder::new()
                    .with_explicit_nulls(true)
                    .with_struct_mode(mode);
                let mut writer = builder.build::<_, arrow::json::writer::JsonArray>(&mut sink);
                self.batches
                    .iter()
                    .try_for_each(|batch| writer.write(batch))
                    .map_err(|e| failed(&e))?;
                writer.finish().map_err(|e| failed(&e))?;
                drop(writer);
                writeln!(sink).map_err(|e| failed(&e))
            }
            Format::Parquet => {
                let mut writer =
                    ArrowWriter::try_new(sink, self.schema.clone(), None).map_err(|e| failed(&e))?;
                self.batches
                    .iter()
                    .try_for_each(|batch| writer.write(batch))
                    .map_err(|e| failed(&e))?;
                writer.close().map(|_| ()).map_err(|e| failed(&e))
            }
        }
    }
}
