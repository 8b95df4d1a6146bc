//! Reads a Parquet source as rows of text cells, one batch at a time.

use std::fs::File;

use arrow::array::{Array, RecordBatch};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use csv::ByteRecord;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use crate::error::Error;

/// Rows of a Parquet file.
pub(crate) struct ParquetRows {
    reader: ParquetRecordBatchReader,
    names: Vec<String>,
    batch: Option<RecordBatch>,
    at: usize,
}

impl ParquetRows {
    /// Opens `source` and reads its metadata; `file` is its name in errors.
    pub(crate) fn open(source: File, file: &str) -> Result<Self, Error> {
        let builder =
            ParquetRecordBatchReaderBuilder::try_new(source).map_err(|error| broken(file, &error))?;
        let names = builder
            .schema()
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect();
        let reader = builder
            .with_batch_size(4_096)
            .build()
            .map_err(|error| broken(file, &error))?;
        Ok(Self {
            reader,
            names,
            batch: None,
            at: 0,
        })
    }

    /// Column names.
    pub(crate) fn headers(&self) -> Vec<String> {
        self.names.clone()
    }

    /// Reads the next row into `record`; returns false at the end.
    pub(crate) fn next_into(&mut self, record: &mut ByteRecord, file: &str) -> Result<bool, Error> {
        while self
            .batch
            .as_ref()
            .is_none_or(|batch| self.at >= batch.num_rows())
        {
            let Some(batch) = self.reader.next() else {
                return Ok(false);
            };
            self.batch = Some(batch.map_err(|error| broken(file, &error))?);
            self.at = 0;
        }
        record.clear();
        if let Some(batch) = &self.batch {
            let options = FormatOptions::new().with_null("");
            for column in batch.columns() {
                let cell = cell(column.as_ref(), self.at, &options).map_err(|error| broken(file, &error))?;
                record.push_field(cell.as_bytes());
            }
        }
        self.at += 1;
        Ok(true)
    }
}

fn cell(
    column: &dyn Array,
    row: usize,
    options: &FormatOptions<'_>,
) -> Result<String, arrow::error::ArrowError> {
    if column.is_null(row) {
        return Ok(String::new());
    }
    ArrayFormatter::try_new(column, options)?
        .value(row)
        .try_to_string()
}

fn broken(file: &str, error: &dyn std::fmt::Display) -> Error {
    Error::Parquet {
        file: file.to_owned(),
        message: error.to_string(),
    }
}
