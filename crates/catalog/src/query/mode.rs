//! SQL aggregate for the most frequent value of any type; if several are equally frequent the smallest, which is the
//! first that pandas lists.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};
use datafusion::scalar::ScalarValue;

/// `mode(column)`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Mode {
    signature: Signature,
}

impl Mode {
    pub(crate) fn new() -> Self {
        Self {
            signature: Signature::any(1, Volatility::Immutable),
        }
    }
}

impl AggregateUDFImpl for Mode {
    fn name(&self) -> &'static str {
        "mode"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        Ok(arguments.first().cloned().unwrap_or(DataType::Null))
    }

    fn accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(ModeAccumulator {
            kind: arguments.return_field.data_type().clone(),
            counts: HashMap::new(),
        }))
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let list = |name: &str, kind: DataType| {
            let item = Arc::new(Field::new("item", kind, true));
            Arc::new(Field::new(
                format!("{}_{name}", arguments.name),
                DataType::List(item),
                true,
            ))
        };
        Ok(vec![
            list("values", arguments.return_field.data_type().clone()),
            list("counts", DataType::Int64),
        ])
    }
}

#[derive(Debug)]
struct ModeAccumulator {
    kind: DataType,
    counts: HashMap<ScalarValue, i64>,
}

impl Accumulator for ModeAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for row in (0..values[0].len()).filter(|&row| values[0].is_valid(row)) {
            *self
                .counts
                .entry(ScalarValue::try_from_array(&values[0], row)?)
                .or_insert(0) += 1;
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut best: Option<(&ScalarValue, i64)> = None;
        for (value, &count) in &self.counts {
            let better = best.is_none_or(|(kept, most)| {
                count > most
                    || (count == most && value.partial_cmp(kept).is_some_and(std::cmp::Ordering::is_lt))
            });
            if better {
                best = Some((value, count));
            }
        }
        best.map_or_else(
            || ScalarValue::try_from(&self.kind),
            |(value, _)| Ok(value.clone()),
        )
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.counts.capacity() * (size_of::<ScalarValue>() + size_of::<i64>())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let (values, counts): (Vec<_>, Vec<_>) = self
            .counts
            .iter()
            .map(|(value, &count)| (value.clone(), ScalarValue::Int64(Some(count))))
            .unzip();
        Ok(vec![
            ScalarValue::List(ScalarValue::new_list(&values, &self.kind, true)),
            ScalarValue::List(ScalarValue::new_list(&counts, &DataType::Int64, true)),
        ])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (values, counts) = (states[0].as_list::<i32>(), states[1].as_list::<i32>());
        for (values, counts) in values.iter().zip(counts.iter()) {
            let (Some(values), Some(counts)) = (values, counts) else {
                continue;
            };
            for row in 0..values.len() {
                let count = counts.as_primitive::<Int64Type>().value(row);
                *self
                    .counts
                    .entry(ScalarValue::try_from_array(&values, row)?)
                    .or_insert(0) += count;
            }
        }
        Ok(())
    }
}
