//! Skewness and kurtosis as aggregates, pandas' definitions: unbiased, from central moments summed in one pass
//! (Pébay 2008, SAND2008-6212, eqs. 1.1 to 1.6 for adding one value and for merging).

use arrow::array::{ArrayRef, Float64Array};
use datafusion::error::Result;
use datafusion::logical_expr::Accumulator;
use datafusion::scalar::ScalarValue;

use crate::query::numbers;

/// Which of the two is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// G1, the adjusted Fisher-Pearson coefficient; null below three values.
    Skewness,
    /// G2, excess, unbiased; null below four values.
    Kurtosis,
}

/// Count, mean, and sums of powers of the distances to it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Moments {
    n: f64,
    mean: f64,
    m2: f64,
    m3: f64,
    m4: f64,
}

impl Moments {
    /// Two samples together.
    fn merge(self, other: Self) -> Self {
        if self.n == 0.0 {
            return other;
        }
        if other.n == 0.0 {
            return self;
        }
        let (a, b) = (self.n, other.n);
        let n = a + b;
        let delta = other.mean - self.mean;
        let step = delta / n;
        let m2 = self.m2 + other.m2 + delta * step * a * b;
        let m3 = self.m3
            + other.m3
            + delta * step * step * a * b * (a - b)
            + 3.0 * step * (a * other.m2 - b * self.m2);
        let m4 = self.m4
            + other.m4
            + delta * step * step * step * a * b * (a * a - a * b + b * b)
            + 6.0 * step * step * (a * a * other.m2 + b * b * self.m2)
            + 4.0 * step * (a * other.m3 - b * self.m3);
        Self {
            n,
            mean: self.mean + step * b,
            m2,
            m3,
            m4,
        }
    }

    fn skewness(self) -> Option<f64> {
        let n = self.n;
        if n < 3.0 {
            return None;
        }
        if self.m2 == 0.0 {
            return Some(0.0);
        }
        Some(n * (n - 1.0).sqrt() / (n - 2.0) * self.m3 / self.m2.powf(1.5))
    }

    fn kurtosis(self) -> Option<f64> {
        let n = self.n;
        if n < 4.0 {
            return None;
        }
        if self.m2 == 0.0 {
            return Some(0.0);
        }
        let raw = n * (n + 1.0) * (n - 1.0) * self.m4 / ((n - 2.0) * (n - 3.0) * self.m2 * self.m2);
        Some(raw - 3.0 * (n - 1.0) * (n - 1.0) / ((n - 2.0) * (n - 3.0)))
    }
}

/// The moments of `values`, for [`crate::describe`] too.
pub(crate) fn skewness_and_kurtosis(values: &[f64]) -> (Option<f64>, Option<f64>) {
    let moments = gather(values.iter().copied());
    (moments.skewness(), moments.kurtosis())
}

fn gather(values: impl Iterator<Item = f64>) -> Moments {
    values.fold(Moments::default(), |all, value| {
        all.merge(Moments {
            n: 1.0,
            mean: value,
            ..Moments::default()
        })
    })
}

/// One group's moments.
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
