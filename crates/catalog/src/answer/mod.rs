//! Rows with named columns, as the SQL engine returns them and files hold them: reading, writing, and conversion to
//! plain columns.

mod output;
mod values;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::error::Error;
pub use output::Format;
pub use values::{Values, batch};

/// The result of a statement, or the contents of a file.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Columns.
    pub schema: SchemaRef,
    /// Rows, in batches.
    pub batches: Vec<RecordBatch>,
}

/// All rows of a Parquet file, in the order of the file. `name` is the file's name in errors.
///
/// # Errors
/// [`Error::Parquet`] where the bytes are not Parquet or are damaged.
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
