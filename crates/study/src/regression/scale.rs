//! Standardised columns (mean 0, standard deviation 1), for methods whose reference implementation standardises.

use serde::{Deserialize, Serialize};

use super::distinct::Distinct;
use crate::design::Design;

/// Mean and population standard deviation of each column; a constant column has standard deviation 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Scaler {
    mean: Vec<f64>,
    deviation: Vec<f64>,
    /// Share of columns that vary, which is the variance of all standardised values together.
    pub(super) varying: f64,
}

impl Scaler {
    pub(super) fn new(distinct: &Distinct) -> Self {
        let weight = &distinct.total_weight;
        let total: f64 = weight.iter().sum();
        let (mut mean, mut deviation) = (Vec::new(), Vec::new());
        let mut varying = 0.0;
        for f in 0..distinct.n_features() {
            let first = distinct.value(f, 0);
            // Relative to the largest distance, so that nothing overflows at any scale.
            let off = |g: usize| distinct.value(f, g) - first;
            let far = (0..weight.len()).map(|g| off(g).abs()).fold(0.0, f64::max);
            if far == 0.0 {
                mean.push(first);
                deviation.push(1.0);
                continue;
            }
            let m = (0..weight.len()).map(|g| weight[g] * (off(g) / far)).sum::<f64>() / total;
            let square = |g: usize| weight[g] * (off(g) / far - m).powi(2);
            let spread = ((0..weight.len()).map(square).sum::<f64>() / total).sqrt();
            mean.push(first + m * far);
            deviation.push(spread * far);
            varying += 1.0;
        }
        varying /= distinct.n_features() as f64;
        Self {
            mean,
            deviation,
            varying,
        }
    }

    pub(super) fn is_sound(&self, width: usize) -> bool {
        [self.mean.len(), self.deviation.len()] == [width; 2]
    }

    pub(super) fn apply(&self, f: usize, value: f64) -> f64 {
        (value - self.mean[f]) / self.deviation[f]
    }

    /// Standardised distinct rows, `(n_distinct · n_features,)`, row-major.
    pub(super) fn rows_of(&self, distinct: &Distinct) -> Vec<f64> {
        let row = |g: usize| (0..distinct.n_features()).map(move |f| (f, g));
        let value = |(f, g)| self.apply(f, distinct.value(f, g));
        (0..distinct.len()).flat_map(row).map(value).collect()
    }

    /// Standardised rows of a design, row-major.
    pub(super) fn rows(&self, design: &Design) -> Vec<f64> {
        let row = |r: usize| (0..design.n_features()).map(move |f| (f, r));
        let value = |(f, r): (usize, usize)| self.apply(f, design.column(f)[r]);
        (0..design.n_rows()).flat_map(row).map(value).collect()
    }
}
