//! SQL functions on discordant pairs, b and c items that only one of two checkpoints solves: `mcnemar_p(b, c)`, the
//! exact two-sided p-value of the test of `McNemar` (1947), and `paired_interval(b, c, n)`, the interval of the
//! difference over all `n` items that contains 0 exactly where p is not significant.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, StructArray};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

use super::bootstrap::ends;
use common::proportions::{mcnemar, paired_difference};

const LEVEL: f64 = 0.95;

/// `mcnemar_p`, with two integer arguments.
pub(crate) fn p() -> ScalarUDF {
    create_udf(
        "mcnemar_p",
        vec![DataType::Int64; 2],
        DataType::Float64,
        Volatility::Immutable,
        Arc::new(|arguments: &[ColumnarValue]| {
            let rows = rows::<2>(arguments)?;
            let made: Float64Array = rows.map(|row| row.map(|[b, c]| mcnemar(b, c))).collect();
            Ok(ColumnarValue::Array(Arc::new(made) as ArrayRef))
        }),
    )
}

/// `paired_interval`, with three integer arguments; returns a struct of `low` and `high`, as `bootstrap` does.
pub(crate) fn interval() -> ScalarUDF {
    create_udf(
        "paired_interval",
        vec![DataType::Int64; 3],
        DataType::Struct(ends()),
        Volatility::Immutable,
        Arc::new(|arguments: &[ColumnarValue]| {
            let found: Vec<Option<(f64, f64)>> = rows::<3>(arguments)?
                .map(|row| row.and_then(|[b, c, n]| paired_difference(b, c, n, LEVEL)))
                .collect();
            let column = |end: fn((f64, f64)) -> f64| {
                let ends: Float64Array = found.iter().map(|ends| ends.map(end)).collect();
                Arc::new(ends) as ArrayRef
            };
            let made =
                StructArray::try_new(ends(), vec![column(|ends| ends.0), column(|ends| ends.1)], None)?;
            Ok(ColumnarValue::Array(Arc::new(made) as ArrayRef))
        }),
    )
}

/// The arguments of each row; `None` where one of them is null or negative.
fn rows<const N: usize>(
    arguments: &[ColumnarValue],
) -> datafusion::error::Result<impl Iterator<Item = Option<[usize; N]>>> {
    let arrays = ColumnarValue::values_to_arrays(arguments)?;
    let n_rows = arrays.first().map_or(0, arrow::array::Array::len);
    Ok((0..n_rows).map(move |row| {
        let mut all = [0; N];
        for (value, array) in all.iter_mut().zip(&arrays) {
            let array = array.as_primitive::<Int64Type>();
            *value = array
                .is_valid(row)
                .then(|| usize::try_from(array.value(row)).ok())??;
        }
        Some(all)
    }))
}
