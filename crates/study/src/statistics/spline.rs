//! Restricted cubic splines: cubic between the knots, linear beyond the outer ones, so that the tails of a curve are
//! stable (Harrell 2015, <https://doi.org/10.1007/978-3-319-19425-7>, section 2.4.5; knots at his quantiles).

use super::{quantile_of_sorted, sorted};

/// A restricted cubic spline basis, given by its knots.
#[derive(Debug, Clone, PartialEq)]
pub struct RestrictedSpline {
    /// Ascending and distinct.
    pub knots: Vec<f64>,
}

/// Harrell's quantiles for five knots.
const FIVE: [f64; 5] = [0.05, 0.275, 0.5, 0.725, 0.95];

impl RestrictedSpline {
    /// Five knots at quantiles of `values`; `None` where fewer than three of them differ.
    pub fn five_knots(values: &[f64]) -> Option<Self> {
        let ordered = sorted(values);
        let mut knots = FIVE
            .map(|fraction| quantile_of_sorted(&ordered, fraction))
            .to_vec();
        knots.dedup();
        (knots.len() >= 3 && knots.iter().all(|knot| knot.is_finite())).then_some(Self { knots })
    }

    /// Number of columns: x itself, and one for each knot but two.
    pub fn n_columns(&self) -> usize {
        self.knots.len() - 1
    }

    /// The basis functions at `x`, without an intercept.
    pub fn basis(&self, x: f64) -> Vec<f64> {
        self.with_power(x, x, |distance| distance.max(0.0).powi(3))
    }

    /// The derivatives of the basis functions at `x`.
    pub fn slope(&self, x: f64) -> Vec<f64> {
        self.with_power(x, 1.0, |distance| 3.0 * distance.max(0.0).powi(2))
    }

    fn with_power(&self, x: f64, first: f64, power: impl Fn(f64) -> f64) -> Vec<f64> {
        let k = self.knots.len();
        let (last, before, from) = (self.knots[k - 1], self.knots[k - 2], self.knots[0]);
        let scale = (last - from).powi(2);
        let column = |&knot: &f64| {
            let end = power(x - last) * (before - knot) / (last - before);
            let inner = power(x - before) * (last - knot) / (last - before);
            (power(x - knot) - inner + end) / scale
        };
        std::iter::once(first)
            .chain(self.knots[..k - 2].iter().map(column))
            .collect()
    }
}
