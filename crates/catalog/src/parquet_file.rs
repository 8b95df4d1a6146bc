//! Writes tables to Parquet and reads them back: zstd compression, dictionaries, schema version and units in the file's
//! metadata.
//!
//! The bytes depend on the rows alone, not on time, host or hash order.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMillisecondArray,
};
use arrow::datatypes::{
    DataType, Date32Type, Field, Float64Type, Int64Type, Schema, TimeUnit, TimestampMillisecondType,
};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::ChunkReader;
use parquet::schema::types::ColumnPath;
use rayon::prelude::*;

use crate::error::Error;
use crate::schema::{Column, Kind, Row, SCHEMA_VERSION, Value};

/// Number of rows converted to columns, or back, at a time.
const BATCH: usize = 8_192;
/// Batches that are converted to rows side by side: what more than the rows is in memory.
const BATCHES_AT_ONCE: usize = 16;

/// The Arrow type of a kind of column.
pub fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::Text => DataType::Utf8,
        Kind::Int => DataType::Int64,
        Kind::Float => DataType::Float64,
        Kind::Bool => DataType::Boolean,
        Kind::Day => DataType::Date32,
        Kind::Millis => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
    }
}

/// The Arrow schema of table `R`.
pub fn arrow_schema<R: Row>() -> Arc<Schema> {
    let fields: Vec<Field> = R::columns()
        .iter()
        .map(|column| Field::new(column.name, data_type(column.kind), column.nullable))
        .collect();
    Arc::new(Schema::new(fields))
}

/// `rows` as one batch with [`arrow_schema`]'s columns.
///
/// # Errors
/// [`Error::Parquet`] where Arrow refuses the columns.
pub fn to_batch<R: Row>(rows: &[R]) -> Result<RecordBatch, Error> {
    let arrays = R::columns().iter().map(|column| to_array(column, rows)).collect();
    RecordBatch::try_new(arrow_schema::<R>(), arrays).map_err(|error| broken(R::TABLE, &error))
}

fn to_array<R: Row>(column: &Column<R>, rows: &[R]) -> ArrayRef {
    let int = |row| match (column.get)(row) {
        Value::Int(value) => Some(value),
        _ => None,
    };
    match column.kind {
        Kind::Text => Arc::new(
            rows.iter()
                .map(|row| match (column.get)(row) {
                    Value::Text(text) => Some(text),
                    _ => None,
                })
                .collect::<StringArray>(),
        ),
        Kind::Int => Arc::new(rows.iter().map(int).collect::<Int64Array>()),
        Kind::Float => Arc::new(
            rows.iter()
                .map(|row| match (column.get)(row) {
                    Value::Float(value) => Some(value),
                    _ => None,
                })
                .collect::<Float64Array>(),
        ),
        Kind::Bool => Arc::new(
            rows.iter()
                .map(|row| match (column.get)(row) {
                    Value::Bool(value) => Some(value),
                    _ => None,
                })
                .collect::<BooleanArray>(),
        ),
        Kind::Day => Arc::new(
            rows.iter()
                .map(|row| int(row).and_then(|day| i32::try_from(day).ok()))
                .collect::<Date32Array>(),
        ),
        Kind::Millis => Arc::new(
            rows.iter()
                .map(int)
                .collect::<TimestampMillisecondArray>()
                .with_timezone("UTC"),
        ),
    }
}

/// Rows per row group: enough for compression to find repetition, few enough to hold in memory.
const ROWS_OF_A_GROUP: usize = 131_072;

/// The encoding of columns that a dictionary would only make larger because nearly all values differ; `None` for all
/// other columns.
fn encoding(table: &str, column: &str) -> Option<Encoding> {
    match (table, column) {
        // Increasing numbers and sorted names: delta encodings store what changes from one value to the next.
        ("rejects", "row") => Some(Encoding::DELTA_BINARY_PACKED),
        ("evaluations" | "scores", "evaluation")
        | ("checkpoints" | "structures" | "conflicts" | "duplicates", "id") => {
            Some(Encoding::DELTA_BYTE_ARRAY)
        }
        ("provenance", "row" | "of" | "value")
        | ("rejects", "raw")
        | ("evaluations", "id" | "base" | "average" | "co2")
        | (_, "revision" | "organisation" | "last_modified" | "date") => Some(Encoding::PLAIN),
        _ => None,
    }
}

/// Writes the rows of one table to a Parquet file as they arrive, with never more than one row group in memory.
pub struct TableWriter<R: Row, W: Write + Send> {
    writer: ArrowWriter<W>,
    pending: Vec<R>,
    rows: u64,
}

impl<R: Row, W: Write + Send> TableWriter<R, W> {
    /// Starts a file in `sink`; `level` is that of zstd (1 to 22), high for what is written once and read often.
    ///
    /// # Errors
    /// [`Error::Parquet`] where the writer refuses the schema.
    pub fn new(sink: W, level: i32) -> Result<Self, Error> {
        let units: BTreeMap<&str, &str> = R::columns()
            .iter()
            .filter(|c| !c.unit.is_empty())
            .map(|c| (c.name, c.unit))
            .collect();
        let metadata = vec![
            KeyValue::new("anatomy.schema_version".to_owned(), SCHEMA_VERSION.to_string()),
            KeyValue::new("anatomy.table".to_owned(), R::TABLE.to_owned()),
            KeyValue::new(
                "anatomy.units".to_owned(),
                serde_json::to_string(&units).unwrap_or_default(),
            ),
        ];
        let level = ZstdLevel::try_new(level).map_err(|error| broken(R::TABLE, &error))?;
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_dictionary_enabled(true)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_max_row_group_row_count(Some(ROWS_OF_A_GROUP))
            .set_data_page_row_count_limit(ROWS_OF_A_GROUP)
            .set_key_value_metadata(Some(metadata));
        for column in R::columns() {
            if let Some(encoding) = encoding(R::TABLE, column.name) {
                let path = ColumnPath::from(column.name);
                properties = properties
                    .set_column_dictionary_enabled(path.clone(), false)
                    .set_column_encoding(path, encoding);
            }
        }
        let properties = properties.build();
        let options = ArrowWriterOptions::new()
            .with_properties(properties)
            .with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(sink, arrow_schema::<R>(), options)
            .map_err(|error| broken(R::TABLE, &error))?;
        Ok(Self {
            writer,
            pending: Vec::new(),
            rows: 0,
        })
    }

    /// Adds one row.
    ///
    /// # Errors
    /// [`Error::Parquet`] where writing fails.
    pub fn push(&mut self, row: R) -> Result<(), Error> {
        self.pending.push(row);
        self.rows += 1;
        if self.pending.len() >= BATCH {
            self.flush()
        } else {
            Ok(())
        }
    }

    fn flush(&mut self) -> Result<(), Error> {
        if !self.pending.is_empty() {
            self.writer
                .write(&to_batch(&self.pending)?)
                .map_err(|error| broken(R::TABLE, &error))?;
            self.pending.clear();
        }
        Ok(())
    }

    /// Ends the file; returns the number of rows written and the sink.
    ///
    /// # Errors
    /// [`Error::Parquet`] where writing fails.
    pub fn finish(mut self) -> Result<(u64, W), Error> {
        self.flush()?;
        let sink = self
            .writer
            .into_inner()
            .map_err(|error| broken(R::TABLE, &error))?;
        Ok((self.rows, sink))
    }
}

/// Reads all rows of a table's file; `file` is the name used in errors.
///
/// # Errors
/// [`Error::Parquet`] for bytes that are not Parquet, [`Error::WrongColumn`] and [`Error::UnexpectedNull`] where they
/// do not have the schema of this table.
pub fn read_rows<R: Row, T: ChunkReader + 'static>(bytes: T, file: &str) -> Result<Vec<R>, Error> {
    let mut reader = open::<R, T>(bytes, file)?;
    let mut rows: Vec<R> = Vec::new();
    loop {
        let batches: Vec<RecordBatch> = reader
            .by_ref()
            .take(BATCHES_AT_ONCE)
            .collect::<Result<_, _>>()
            .map_err(|error| broken(file, &error))?;
        if batches.is_empty() {
            return Ok(rows);
        }
        let mut end = rows.len();
        let starts: Vec<usize> = batches
            .iter()
            .map(|batch| {
                end += batch.num_rows();
                end - batch.num_rows()
            })
            .collect();
        let parts: Vec<Vec<R>> = batches
            .par_iter()
            .zip(starts)
            .map(|(batch, start)| from_batch(batch, file, start))
            .collect::<Result<_, _>>()?;
        rows.reserve(parts.iter().map(Vec::len).sum());
        rows.extend(parts.into_iter().flatten());
    }
}

/// Calls `each` with every row of a table's file, with one batch in memory at a time.
///
/// # Errors
/// As [`read_rows`], and the errors of `each`.
pub(crate) fn each_row<R: Row, T: ChunkReader + 'static>(
    bytes: T,
    file: &str,
    each: &mut dyn FnMut(R) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut from = 0;
    for batch in open::<R, T>(bytes, file)? {
        let rows = from_batch(&batch.map_err(|error| broken(file, &error))?, file, from)?;
        from += rows.len();
        rows.into_iter().try_for_each(&mut *each)?;
    }
    Ok(())
}

fn open<R: Row, T: ChunkReader + 'static>(bytes: T, file: &str) -> Result<ParquetRecordBatchReader, Error> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(|error| broken(file, &error))?;
    let schema = builder.schema().clone();
    for column in R::columns() {
        let found = schema.field_with_name(column.name).ok().map(Field::data_type);
        if found != Some(&data_type(column.kind)) {
            return Err(Error::WrongColumn {
                file: file.to_owned(),
                table: R::TABLE.to_owned(),
                column: column.name.to_owned(),
                wanted: data_type(column.kind).to_string(),
                found: found.map_or_else(|| "none".to_owned(), ToString::to_string),
            });
        }
    }
    builder
        .with_batch_size(BATCH)
        .build()
        .map_err(|error| broken(file, &error))
}

/// The rows of a batch, the first of which is row `from` of its file.
fn from_batch<R: Row>(batch: &RecordBatch, file: &str, from: usize) -> Result<Vec<R>, Error> {
    let mut rows: Vec<R> = std::iter::repeat_with(R::default)
        .take(batch.num_rows())
        .collect();
    for column in R::columns() {
        let Some(array) = batch.column_by_name(column.name) else {
            continue;
        };
        if let Some(row) = set_all(&mut rows, column, array) {
            return Err(Error::UnexpectedNull {
                file: file.to_owned(),
                table: R::TABLE.to_owned(),
                row: from + row,
                column: column.name.to_owned(),
            });
        }
    }
    Ok(rows)
}

/// Writes one column into the rows; the first row that does not take its value, if there is one.
fn set_all<R: Row>(rows: &mut [R], column: &Column<R>, array: &ArrayRef) -> Option<usize> {
    fn each<'a, R>(
        rows: &mut [R],
        column: &Column<R>,
        array: &ArrayRef,
        value: impl Fn(usize) -> Value<'a>,
    ) -> Option<usize> {
        let nulls = array.nulls();
        rows.iter_mut().enumerate().position(|(at, row)| {
            let is_null = nulls.is_some_and(|nulls| nulls.is_null(at));
            !(column.set)(row, if is_null { Value::Null } else { value(at) })
        })
    }
    match column.kind {
        Kind::Text => {
            let values = array.as_string::<i32>();
            each(rows, column, array, |at| Value::Text(values.value(at)))
        }
        Kind::Int => {
            let values = array.as_primitive::<Int64Type>();
            each(rows, column, array, |at| Value::Int(values.value(at)))
        }
        Kind::Float => {
            let values = array.as_primitive::<Float64Type>();
            each(rows, column, array, |at| Value::Float(values.value(at)))
        }
        Kind::Bool => {
            let values = array.as_boolean();
            each(rows, column, array, |at| Value::Bool(values.value(at)))
        }
        Kind::Day => {
            let values = array.as_primitive::<Date32Type>();
            each(rows, column, array, |at| Value::Int(i64::from(values.value(at))))
        }
        Kind::Millis => {
            let values = array.as_primitive::<TimestampMillisecondType>();
            each(rows, column, array, |at| Value::Int(values.value(at)))
        }
    }
}

fn broken(file: &str, error: &dyn std::fmt::Display) -> Error {
    Error::Parquet {
        file: file.to_owned(),
        message: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{BATCH, BATCHES_AT_ONCE, ROWS_OF_A_GROUP, TableWriter, read_rows};
    use crate::tables::Duplicate;

    #[test]
    fn rows_of_many_batches_come_back_in_their_order() {
        let n = BATCH * BATCHES_AT_ONCE + ROWS_OF_A_GROUP / 2 + 7;
        let row = |at: usize| Duplicate {
            id: format!("a/{at}"),
            ..Duplicate::default()
        };
        let mut writer = TableWriter::new(Vec::new(), 1).expect("a writer");
        for at in 0..n {
            writer.push(row(at)).expect("a row");
        }
        let (written, bytes) = writer.finish().expect("a file");
        assert_eq!(written, n as u64);
        let read: Vec<Duplicate> = read_rows(Bytes::from(bytes), "x").expect("a table");
        assert_eq!(read.len(), n);
        assert!(read.iter().enumerate().all(|(at, found)| *found == row(at)));
    }
}
