//! SQL aggregate `bootstrap(x)`: the 95 % percentile bootstrap interval of a mean (Efron 1979).
//!
//! For zeros and ones, and for differences of these, the exact interval in the limit of infinitely many resamples
//! ([`super::ternary`]); for other values 1,000 resamples drawn with the engine's seed. The result does not depend on
//! the order of the rows.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Float64Type, Int64Type};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};
use datafusion::scalar::ScalarValue;

use crate::query::{numbers, ternary};

const ENDS: [(f64, f64); 2] = [(0.025, -1.959_963_984_540_054), (0.975, 1.959_963_984_540_054)];
const RESAMPLES: usize = 1_000;
/// Number of distinct values that are stored with counts; further values are stored individually.
const COUNTED: usize = 8;

/// `bootstrap(x)`, which returns a struct of `low` and `high`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Bootstrap {
    signature: Signature,
    seed: u64,
}

impl Bootstrap {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            signature: Signature::exact(vec![DataType::Float64], Volatility::Immutable),
            seed,
        }
    }
}

/// The fields of an interval's struct.
pub(super) fn ends() -> Fields {
    Fields::from(vec![
        Field::new("low", DataType::Float64, true),
        Field::new("high", DataType::Float64, true),
    ])
}

impl AggregateUDFImpl for Bootstrap {
    fn name(&self) -> &'static str {
        "bootstrap"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(ends()))
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Values {
            seed: self.seed,
            counted: Vec::new(),
            single: Vec::new(),
        }))
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let list = |name: &str, kind: DataType| {
            let item = Arc::new(Field::new("item", kind, true));
            let name = format!("{}_{name}", arguments.name);
            Arc::new(Field::new(name, DataType::List(item), true))
        };
        Ok(vec![
            list("values", DataType::Float64),
            list("counts", DataType::Int64),
        ])
    }
}

/// The values of one group: a few distinct values with their counts, the rest in order of arrival.
#[derive(Debug)]
struct Values {
    seed: u64,
    counted: Vec<(f64, i64)>,
    single: Vec<f64>,
}

impl Values {
    fn add(&mut self, value: f64, count: i64) {
        if let Some((_, counted)) = self.counted.iter_mut().find(|(known, _)| *known == value) {
            *counted += count;
        } else if self.counted.len() < COUNTED {
            self.counted.push((value, count));
        } else {
            self.single.extend((0..count).map(|_| value));
        }
    }

    fn interval(&self) -> Option<(f64, f64)> {
        let n: i64 = self.counted.iter().map(|(_, count)| count).sum::<i64>() + self.single.len() as i64;
        let n = u64::try_from(n).ok().filter(|&n| n > 1)?;
        let steps = self.single.is_empty()
            && self
                .counted
                .iter()
                .all(|(value, _)| matches!(*value, -1.0 | 0.0 | 1.0));
        if steps {
            let of = |step: f64| {
                let counts = self.counted.iter().filter(|(value, _)| *value == step);
                counts.map(|(_, count)| *count as u64).sum()
            };
            let (low, high) = ternary::quantiles(n, of(-1.0), of(1.0), ENDS);
            return Some((low / n as f64, high / n as f64));
        }
        let mut values = self.single.clone();
        for &(value, count) in &self.counted {
            values.extend((0..count).map(|_| value));
        }
        Some(resampled(values, self.seed))
    }
}

/// The interval of `values` by resampling.
fn resampled(mut values: Vec<f64>, seed: u64) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let n = values.len() as u64;
    let mut state = seed;
    let mut draw = || {
        // SplitMix64 (Steele, Lea and Flood 2014), and Lemire's product without the rejection: off by less than n / 2^64.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((u128::from(mixed ^ (mixed >> 31)) * u128::from(n)) >> 64) as usize
    };
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| (0..n).map(|_| values[draw()]).sum::<f64>() / n as f64)
        .collect();
    means.sort_by(f64::total_cmp);
    let at = |q: f64| {
        let place = q * (RESAMPLES - 1) as f64;
        let (below, part) = (place.floor() as usize, place.fract());
        means[below] + part * (means[(below + 1).min(RESAMPLES - 1)] - means[below])
    };
    (at(ENDS[0].0), at(ENDS[1].0))
}

impl Accumulator for Values {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in numbers(values, 0)?
            .iter()
            .flatten()
            .filter(|value| !value.is_nan())
        {
            // Avoid negative zero, which differs from zero by its bits and would be counted as a value of its own.
            self.add(value + 0.0, 1);
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let (low, high) = self.interval().unzip();
        let columns: Vec<ArrayRef> = [low, high]
            .into_iter()
            .map(|end| Arc::new(Float64Array::from(vec![end])) as ArrayRef)
            .collect();
        let made = StructArray::try_new(ends(), columns, None)?;
        Ok(ScalarValue::Struct(Arc::new(made)))
    }

    fn size(&self) -> usize {
        size_of_val(self)
            + self.counted.capacity() * size_of::<(f64, i64)>()
            + self.single.capacity() * size_of::<f64>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let counted = self.counted.iter().copied();
        let single = self.single.iter().map(|&value| (value, 1));
        let (values, counts): (Vec<f64>, Vec<i64>) = counted.chain(single).unzip();
        let list = |array: ArrayRef| {
            let made = datafusion::common::utils::SingleRowListArrayBuilder::new(array);
            ScalarValue::List(Arc::new(made.build_list_array()))
        };
        Ok(vec![
            list(Arc::new(Float64Array::from(values))),
            list(Arc::new(Int64Array::from(counts))),
        ])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (values, counts) = (states[0].as_list::<i32>(), states[1].as_list::<i32>());
        for (values, counts) in values.iter().zip(counts.iter()) {
            let (Some(values), Some(counts)) = (values, counts) else {
                continue;
            };
            let values = values.as_primitive::<Float64Type>();
            let counts = counts.as_primitive::<Int64Type>();
            for row in 0..values.len() {
                self.add(values.value(row), counts.value(row));
            }
        }
        Ok(())
    }
}
