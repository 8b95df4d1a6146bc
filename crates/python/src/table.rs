//! Tables that leave and come by Arrow's C stream interface: no copy on either way.
//!
//! # Source
//! The Arrow C stream interface and its capsules: <https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html>.

use std::ffi::CStr;
use std::path::PathBuf;

use ::anatomy::Watcher;
use arrow::array::{RecordBatch, RecordBatchIterator, RecordBatchReader};
use arrow::datatypes::SchemaRef;
use arrow::ffi::FFI_ArrowSchema;
use arrow::ffi_stream::{ArrowArrayStreamReader, FFI_ArrowArrayStream};
use catalog::answer::{Answer, Format};
use catalog::query::Engine;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyString};

use crate::asking::{failure, waited};

const STREAM: &CStr = c"arrow_array_stream";
const SCHEMA: &CStr = c"arrow_schema";

/// A table: columns of one length. pandas, polars, pyarrow and duckdb take it as it is (`__arrow_c_stream__`), without a copy.
#[pyclass(module = "anatomy", frozen)]
pub(crate) struct Table {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

#[pymethods]
impl Table {
    /// The rows as a stream of Arrow, `arrow_array_stream`.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // A consumer may ask for other types; the interface lets a producer give its own.
        drop(requested_schema);
        let batches: Vec<_> = self.batches.iter().cloned().map(Ok).collect();
        let reader: Box<dyn RecordBatchReader + Send> =
            Box::new(RecordBatchIterator::new(batches, self.schema.clone()));
        PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(reader), STREAM)
    }

    /// The columns' types as Arrow says them, `arrow_schema`.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = FFI_ArrowSchema::try_from(self.schema.as_ref())
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        PyCapsule::new_with_value(py, schema, SCHEMA)
    }

    /// Names of the columns.
    #[getter]
    fn column_names(&self) -> Vec<String> {
        self.schema
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect()
    }

    /// Rows.
    #[getter]
    fn num_rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    fn __len__(&self) -> usize {
        self.num_rows()
    }

    /// The table as the command line shows it.
    fn __str__(&self) -> PyResult<String> {
        let mut text = Vec::new();
        let answer = Answer {
            schema: self.schema.clone(),
            batches: self.batches.clone(),
        };
        let done = answer.write(Format::Table, &mut text);
        done.map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    fn __repr__(&self) -> String {
        format!(
            "anatomy.Table({} rows: {})",
            self.num_rows(),
            self.column_names().join(", ")
        )
    }
}

/// The rows of anything that gives a stream of Arrow.
fn taken(object: &Bound<'_, PyAny>) -> PyResult<Answer> {
    if !object.hasattr("__arrow_c_stream__")? {
        let class = object.get_type();
        return Err(PyTypeError::new_err(format!(
            "a {class} is not a table: give one that has __arrow_c_stream__ (pandas from 2.2, polars, pyarrow, duckdb), or the path of \
             a CSV or Parquet file"
        )));
    }
    let capsule = object.call_method0("__arrow_c_stream__")?;
    let capsule = capsule.cast::<PyCapsule>()?;
    let pointer = capsule.pointer_checked(Some(STREAM))?;
    let broken = |error: arrow::error::ArrowError| PyValueError::new_err(error.to_string());
    // SAFETY: a capsule of this name holds an `ArrowArrayStream` that is ours to move out of; the reader leaves a released one
    // behind, as the interface asks, so that the capsule's own end does nothing.
    let reader = unsafe { ArrowArrayStreamReader::from_raw(pointer.as_ptr().cast()) }.map_err(broken)?;
    let schema = reader.schema();
    let batches = reader.collect::<Result<Vec<_>, _>>().map_err(broken)?;
    Ok(Answer { schema, batches })
}

/// Runs one SQL statement over the catalog's tables, over files by path, and over `tables`, which are read where they stand.
#[pyfunction]
#[pyo3(signature = (sql, tables=None, catalog=None, items=None))]
pub(crate) fn query(
    py: Python<'_>,
    sql: &Bound<'_, PyString>,
    tables: Option<&Bound<'_, PyDict>>,
    catalog: Option<PathBuf>,
    items: Option<PathBuf>,
) -> PyResult<Table> {
    let mut given = Vec::new();
    for (name, object) in tables.into_iter().flatten() {
        given.push((name.extract::<String>()?, taken(&object)?));
    }
    let sql: String = sql.extract()?;
    let answer = waited(py, &Watcher::default(), None, move || {
        let engine = match &items {
            Some(items) => Engine::with_items(catalog.as_deref(), items, 2 << 30, 0, 42)?,
            None => Engine::open(catalog.as_deref())?,
        };
        let batches = given.iter().flat_map(|(_, table)| &table.batches);
        engine.keep_whole(batches.map(RecordBatch::num_rows).max().unwrap_or(0));
        for (name, Answer { schema, batches }) in given {
            engine.register_batches(&name, schema, batches)?;
        }
        engine.query(&sql)
    })?;
    match answer {
        Ok(Answer { schema, batches }) => Ok(Table { schema, batches }),
        Err(error) => {
            let hint = match &error {
                catalog::Error::Query { suggestions, .. } if !suggestions.is_empty() => {
                    Some(format!("did you mean {}?", suggestions.join(", ")))
                }
                _ => None,
            };
            Err(failure(py, error.to_string(), hint))
        }
    }
}

/// Writes a table to a Parquet file.
#[pyfunction]
pub(crate) fn write_parquet(py: Python<'_>, table: &Bound<'_, PyAny>, path: PathBuf) -> PyResult<()> {
    let answer = taken(table)?;
    let done = waited(py, &Watcher::default(), None, move || {
        let mut bytes = Vec::new();
        answer
            .write(Format::Parquet, &mut bytes)
            .map_err(|error| error.to_string())?;
        std::fs::write(&path, bytes).map_err(|error| format!("cannot write {}: {error}", path.display()))
    })?;
    done.map_err(|message| failure(py, message, None))
}
