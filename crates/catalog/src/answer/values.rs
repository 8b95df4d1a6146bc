//! Converts answers to plain columns and plain columns to batches, for code that computes with `f64`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, RecordBatch, StringArray};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, Date32Type, Field, Float64Type, Schema};

use crate::answer::Answer;
use crate::error::Error;

/// One column; `None` where a cell is null.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Numbers; true is 1, false is 0, and a date is its days since 1970-01-01.
    Numbers(Vec<Option<f64>>),
    /// Everything else, as text.
    Text(Vec<Option<String>>),
}

impl Answer {
    /// The answer's columns with their names, in order.
    ///
    /// # Errors
    /// [`Error::Query`] for a type that cannot be shown as text.
    pub fn columns(&self) -> Result<Vec<(String, Values)>, Error> {
        let refused = |error: &dyn std::fmt::Display| Error::Query {
            message: error.to_string(),
            suggestions: Vec::new(),
        };
        let fields = self.schema.fields().iter().enumerate();
        fields
            .map(|(place, field)| {
                let parts: Vec<&dyn Array> = self
                    .batches
                    .iter()
                    .map(|batch| batch.column(place).as_ref())
                    .collect();
                let array: ArrayRef = if parts.is_empty() {
                    arrow::array::new_empty_array(field.data_type())
                } else {
                    concat(&parts).map_err(|e| refused(&e))?
                };
                Ok((field.name().clone(), values(&array).map_err(|e| refused(&e))?))
            })
            .collect()
    }
}

fn values(array: &ArrayRef) -> Result<Values, arrow::error::ArrowError> {
    let kind = array.data_type();
    if let Some(dates) = array.as_primitive_opt::<Date32Type>() {
        return Ok(Values::Numbers(
            dates.iter().map(|day| day.map(f64::from)).collect(),
        ));
    }
    if kind.is_numeric() || *kind == DataType::Boolean {
        let numbers = cast(array, &DataType::Float64)?;
        return Ok(Values::Numbers(
            numbers.as_primitive::<Float64Type>().iter().collect(),
        ));
    }
    // Lists, maps and structs are neither numbers nor names: they become the text that a reader would see.
    if kind.is_nested() {
        let shown = arrow::util::display::ArrayFormatter::try_new(
            array,
            &arrow::util::display::FormatOptions::default(),
        )?;
        let cell = |row: usize| array.is_valid(row).then(|| shown.value(row).to_string());
        return Ok(Values::Text((0..array.len()).map(cell).collect()));
    }
    let text = cast(array, &DataType::Utf8)?;
    let text = text.as_string::<i32>();
    Ok(Values::Text(
        text.iter().map(|cell| cell.map(ToOwned::to_owned)).collect(),
    ))
}

/// One batch of the given columns, which must have the same length.
///
/// # Errors
/// [`Error::Query`] where lengths differ or two columns have the same name.
pub fn batch(columns: &[(String, Values)]) -> Result<RecordBatch, Error> {
    let mut fields = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for (name, values) in columns {
        let array: ArrayRef = match values {
            Values::Numbers(cells) => Arc::new(cells.iter().copied().collect::<Float64Array>()),
            Values::Text(cells) => Arc::new(cells.iter().map(Option::as_deref).collect::<StringArray>()),
        };
        fields.push(Field::new(name, array.data_type().clone(), true));
        arrays.push(array);
    }
    let schema = Arc::new(Schema::new(fields));
    RecordBatch::try_new(schema, arrays).map_err(|error| Error::Query {
        message: error.to_string(),
        suggestions: Vec::new(),
    })
}
