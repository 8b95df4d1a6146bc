//! Rows with named columns, as the engine gives them and files hold them: read, written, and taken as plain columns.

mod output;
mod values;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::error::Error;
pub use output::Format;
pub use values::{Values, batch};

/// What a statement gave, or a file holds.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Columns.
    pub schema: SchemaRef,
    /// Rows, in batches.
    pub batches: Vec<RecordBatch>,
}

/// All rows of a Parquet file, in its order. `name` is what errors call it.
///
/// # Errors
/// [`Error::Parquet`] where it is none or is damaged.
pub fn read_parquet(name: &str, bytes: impl Into<Bytes>) -> Result<Answer, Error> {
    let broken = |error: &dyn std::fmt::Display| Error::Parquet {
        file: name.to_owned(),
        message: error.to_string(),
    };
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes.into()).map_err(|e| broken(&e))?;
    let schema = builder.schema().clone();
    let batches = builder
        .build()
        .map_err(|e| broken(&e))?
        .collect::<Result<_, _>>()
        .map_err(|e| broken(&e))?;
    Ok(Answer { schema, batches })
}
