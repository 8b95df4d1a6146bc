//! SQL aggregates for skewness and kurtosis.

use arrow::array::{ArrayRef, Float64Array};
use datafusion::error::Result;
use datafusion::logical_expr::Accumulator;
use datafusion::scalar::ScalarValue;

use crate::moments::{Moments, gather};
use crate::query::numbers;

/// Which of the two is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// G1, the adjusted Fisher-Pearson coefficient; null below three values.
    Skewness,
    /// G2, excess kurtosis, unbiased; null below four values.
    Kurtosis,
}

/// The moments of one group.
#[derive(Debug)]
pub(crate) struct MomentsAccumulator {
    order: Order,
    moments: Moments,
}

impl MomentsAccumulator {
    pub(crate) fn new(order: Order) -> Self {
        Self {
            order,
            moments: Moments::default(),
        }
    }
}

impl Accumulator for MomentsAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values: &Float64Array = numbers(values, 0)?;
        self.moments = self.moments.merge(gather(values.iter().flatten()));
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(match self.order {
            Order::Skewness => self.moments.skewness(),
            Order::Kurtosis => self.moments.kurtosis(),
        }))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let Moments { n, mean, m2, m3, m4 } = self.moments;
        Ok([n, mean, m2, m3, m4]
            .map(|value| ScalarValue::Float64(Some(value)))
            .to_vec())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let mut parts = Vec::with_capacity(5);
        for index in 0..5 {
            parts.push(numbers(states, index)?);
        }
        for row in 0..parts[0].len() {
            let [n, mean, m2, m3, m4] = [0, 1, 2, 3, 4].map(|part: usize| parts[part].value(row));
            self.moments = self.moments.merge(Moments { n, mean, m2, m3, m4 });
        }
        Ok(())
    }
}
