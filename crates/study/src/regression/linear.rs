//! Linear regression by weighted least squares.
//!
//! Minimises Σ w (y − b − xᵀβ)². Columns are centred and scaled to unit length, and singular values below
//! `RANK_TOLERANCE` of the largest are dropped, so with constant or repeated columns and with n < p the result is the
//! minimum-norm solution (in those units; scikit-learn takes the minimum norm in raw units, which differs only for
//! collinear columns).

use serde::{Deserialize, Serialize};

use super::distinct::{Distinct, predict_distinct};
use super::{Fit, Regression, check_columns};
use crate::design::Design;
use crate::error::Error;
use crate::svd::Svd;

/// Ordinary least squares with an intercept; there are no settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Linear;

/// A fitted linear function, also the result of ridge and lasso.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinearFit {
    /// Column names.
    pub names: Vec<String>,
    /// Predicted value at the means of the columns, in the target's unit.
    pub center: f64,
    /// Weighted means of the columns.
    pub means: Vec<f64>,
    /// Slope per column, in the target's unit per unit of the column.
    pub slopes: Vec<f64>,
}

/// Singular values below this share of the largest count as zero.
const RANK_TOLERANCE: f64 = 1e-12;

impl Linear {
    /// As [`Regression::fit`], but returns the concrete type.
    ///
    /// # Errors
    /// As [`Regression::fit`].
    pub fn fit_linear(
        self,
        design: &Design,
        target: &[f64],
        weights: Option<&[f64]>,
    ) -> Result<LinearFit, Error> {
        let distinct = Distinct::new(design, target, weights)?;
        Ok(fit_damped(&distinct, 0.0))
    }
}

/// Least squares with penalty `penalty` · Σβ² (in the columns' own units).
pub(super) fn fit_damped(distinct: &Distinct, penalty: f64) -> LinearFit {
    let centered = Centered::new(distinct);
    let scale: Vec<f64> = if penalty > 0.0 {
        vec![1.0; distinct.n_features()]
    } else {
        centered.lengths.clone()
    };
    let divided = |(column, &length): (&Vec<f64>, &f64)| {
        let length = if length > 0.0 { length } else { 1.0 };
        column.iter().map(|x| x / length).collect::<Vec<f64>>()
    };
    let columns: Vec<Vec<f64>> = centered.columns.iter().zip(&scale).map(divided).collect();
    let svd = Svd::new(&columns);
    let least = svd.singular.iter().copied().fold(0.0, f64::max) * RANK_TOLERANCE;
    let mut slopes = vec![0.0; columns.len()];
    for (k, &s) in svd.singular.iter().enumerate() {
        if s > least {
            let along: f64 = svd.left[k].iter().zip(&centered.target).map(|(u, y)| u * y).sum();
            let step = along * s / (s * s + penalty);
            slopes
                .iter_mut()
                .zip(&svd.right[k])
                .for_each(|(b, v)| *b += step * v);
        }
    }
    for (slope, &length) in slopes.iter_mut().zip(&scale) {
        *slope /= if length > 0.0 { length } else { 1.0 };
    }
    LinearFit {
        names: distinct.names.clone(),
        center: distinct.grand_mean,
        means: centered.means,
        slopes,
    }
}

/// Distinct rows minus their weighted means, each multiplied by the square root of its weight.
pub(super) struct Centered {
    pub(super) means: Vec<f64>,
    /// `(n_features, n_distinct)`.
    pub(super) columns: Vec<Vec<f64>>,
    /// Euclidean length of each column.
    pub(super) lengths: Vec<f64>,
    pub(super) target: Vec<f64>,
}

impl Centered {
    pub(super) fn new(distinct: &Distinct) -> Self {
        let weight = &distinct.total_weight;
        let total: f64 = weight.iter().sum();
        let mean = |f: usize| {
            // Subtracting a first value makes the mean of a constant column exactly that constant.
            let first = distinct.value(f, 0);
            let off = (0..weight.len()).map(|g| weight[g] * (distinct.value(f, g) - first));
            first + off.sum::<f64>() / total
        };
        let means: Vec<f64> = (0..distinct.n_features()).map(mean).collect();
        let root: Vec<f64> = weight.iter().map(|w| w.sqrt()).collect();
        let column = |f: usize| -> Vec<f64> {
            let value = |g: usize| root[g] * (distinct.value(f, g) - means[f]);
            (0..weight.len()).map(value).collect()
        };
        let columns: Vec<Vec<f64>> = (0..distinct.n_features()).map(column).collect();
        let target = (0..weight.len())
            .map(|g| root[g] * (distinct.mean[g] - distinct.grand_mean))
            .collect();
        Self {
            lengths: columns.iter().map(|c| crate::svd::length(c)).collect(),
            means,
            columns,
            target,
        }
    }
}

impl LinearFit {
    /// Predicted value where all columns are 0, in the target's unit.
    pub fn intercept(&self) -> f64 {
        let at_means = self.slopes.iter().zip(&self.means).map(|(b, m)| b * m);
        self.center - at_means.sum::<f64>()
    }
}

impl Regression for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn fit(
        &self,
        design: &Design,
        target: &[f64],
        weights: Option<&[f64]>,
        _seed: u64,
    ) -> Result<Box<dyn Fit>, Error> {
        Ok(Box::new(self.fit_linear(design, target, weights)?))
    }
}

impl Fit for LinearFit {
    fn is_sound(&self) -> bool {
        [self.means.len(), self.slopes.len()] == [self.names.len(); 2]
    }

    fn names(&self) -> &[String] {
        &self.names
    }

    fn keep(&self) -> Option<super::AnyFit> {
        Some(super::AnyFit::Linear(self.clone()))
    }

    fn predict(&self, design: &Design) -> Result<Vec<f64>, Error> {
        check_columns(&self.names, design)?;
        Ok(predict_distinct(design, |rows| {
            let mut values = vec![self.center; rows.n_rows()];
            for (f, (slope, mean)) in self.slopes.iter().zip(&self.means).enumerate() {
                let column = rows.column(f);
                values
                    .iter_mut()
                    .zip(column)
                    .for_each(|(v, x)| *v += slope * (x - mean));
            }
            values
        }))
    }
}
