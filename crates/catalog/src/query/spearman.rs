//! SQL aggregate for Spearman's rank correlation: Pearson's correlation of the ranks, ties at their mean rank (Spearman
//! 1904).

use arrow::array::{ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::error::Result;
use datafusion::logical_expr::Accumulator;
use datafusion::scalar::ScalarValue;

use crate::query::numbers;

/// All pairs of one group; ranks can only be computed from all of them.
#[derive(Debug, Default)]
pub(crate) struct SpearmanAccumulator {
    x: Vec<f64>,
    y: Vec<f64>,
}

impl Accumulator for SpearmanAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (x, y): (&Float64Array, &Float64Array) = (numbers(values, 0)?, numbers(values, 1)?);
        for (x, y) in x.iter().zip(y.iter()) {
            if let (Some(x), Some(y)) = (x.filter(|v| !v.is_nan()), y.filter(|v| !v.is_nan())) {
                self.x.push(x);
                self.y.push(y);
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(pearson(&ranks(&self.x), &ranks(&self.y))))
    }

    fn size(&self) -> usize {
        size_of_val(self) + (self.x.capacity() + self.y.capacity()) * size_of::<f64>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let list = |values: &[f64]| {
            let values: Vec<_> = values
                .iter()
                .map(|&value| ScalarValue::Float64(Some(value)))
                .collect();
            ScalarValue::List(ScalarValue::new_list(&values, &DataType::Float64, true))
        };
        Ok(vec![list(&self.x), list(&self.y)])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for (index, all) in [&mut self.x, &mut self.y].into_iter().enumerate() {
            for part in states[index].as_list::<i32>().iter().flatten() {
                all.extend(part.as_primitive::<Float64Type>().iter().flatten());
            }
        }
        Ok(())
    }
}

/// Ranks from 1; ties get their mean rank.
pub(crate) fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let mut end = start + 1;
        while end < order.len() && values[order[end]] == values[order[start]] {
            end += 1;
        }
        let mean = (start + end + 1) as f64 / 2.0;
        for &at in &order[start..end] {
            ranks[at] = mean;
        }
        start = end;
    }
    ranks
}

/// Pearson's correlation, `None` below two pairs or where one side is constant.
fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    let n = x.len() as f64;
    let (mean_x, mean_y) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        xx += (x - mean_x) * (x - mean_x);
        yy += (y - mean_y) * (y - mean_y);
        xy += (x - mean_x) * (y - mean_y);
    }
    (xx > 0.0 && yy > 0.0).then(|| xy / (xx * yy).sqrt())
}
