//! Feature importance, in four ways that check each other.
//!
//! - [`impurity`]: share of the impurity decrease (MDI) on all rows, as in the literature, with its variability over
//!   resampled shapes; biased towards columns with many values.
//! - [`permutation`]: drop in R² on held-out rows when a column, or a group of correlated columns ([`clusters`]), is
//!   permuted.
//! - [`shap`]: mean |Shapley value| of trees on held-out rows.
//! - [`dependence`]: partial dependence and accumulated local effects, with the rows behind each point.
//!
//! Where they disagree on the most important column, [`disagreement`] lists what each ranks first. They answer
//! different questions; [`reading`] defines which of them is reported as the importance of a column.

pub(crate) mod blocks;
pub mod clusters;
pub mod dependence;
pub mod impurity;
pub mod permutation;
pub mod reading;
pub mod section;
pub mod shap;

use rayon::prelude::*;

use crate::design::{Design, check_input, pick};
use crate::error::Error;
use crate::evaluate::check_folds;
use crate::finding::Interval;
use crate::protocol::Fold;
use crate::regression::{Fit, Regression};
use crate::statistics::percentile_interval;

/// Importance of a column or of a group of columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Importance {
    /// Names of the columns.
    pub features: Vec<String>,
    /// Mean over folds and seeds, or over fits on all rows; NaN where the columns do not vary.
    pub value: f64,
    /// Central 95 % of the values over folds and seeds, or over draws of shapes.
    pub interval: Option<Interval>,
    /// One value per fold and seed, with folds varying fastest; or one per draw of shapes.
    pub draws: Vec<f64>,
}

impl Importance {
    fn new(features: Vec<String>, draws: Vec<f64>) -> Self {
        let value = draws.iter().sum::<f64>() / draws.len() as f64;
        let method = format!("2.5 to 97.5 % of {} folds × seeds", draws.len());
        let interval = percentile_interval(&draws, 0.95, method).filter(|_| value.is_finite());
        Self {
            features,
            value,
            interval,
            draws,
        }
    }
}

/// Input of the importances: a method, its rows, and the folds.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    /// The method.
    pub regression: &'a dyn Regression,
    /// The features.
    pub design: &'a Design,
    /// Target values, `(n_rows,)`.
    pub target: &'a [f64],
    /// Row weights, `(n_rows,)`, used in fitting only.
    pub weights: Option<&'a [f64]>,
    /// Folds; a row must not be in both training and test of a fold.
    pub folds: &'a [Fold],
    /// Number of fits per fold, with consecutive seeds.
    pub seeds: u64,
    /// The first seed.
    pub seed: u64,
}

impl Setting<'_> {
    /// Applies `measure` to the fit of each fold and seed, with folds varying fastest.
    fn each_fit<T: Send>(
        &self,
        measure: impl Fn(&dyn Fit, &Fold, u64) -> Result<T, Error> + Sync,
    ) -> Result<Vec<T>, Error> {
        check_input(self.design, self.target, self.weights)?;
        check_folds(self.folds, self.design.n_rows())?;
        let pairs: Vec<(u64, &Fold)> = (0..self.seeds.max(1))
            .flat_map(|s| self.folds.iter().map(move |f| (self.seed.wrapping_add(s), f)))
            .collect();
        let one = |&(seed, fold): &(u64, &Fold)| {
            let train = self.design.select(&fold.train);
            let target = pick(self.target, &fold.train);
            let weights = self.weights.map(|w| pick(w, &fold.train));
            let fit = self.regression.fit(&train, &target, weights.as_deref(), seed)?;
            measure(fit.as_ref(), fold, seed)
        };
        pairs.par_iter().map(one).collect()
    }

    /// One importance per column, from one vector of importances per fit.
    fn by_column(&self, draws: &[Vec<f64>]) -> Vec<Importance> {
        let of = |(f, name): (usize, &String)| {
            let draws = draws.iter().map(|d| d[f]).collect();
            Importance::new(vec![name.clone()], draws)
        };
        self.design.names().iter().enumerate().map(of).collect()
    }
}

/// The most important columns by each kind, as `(kind, features)`, where kinds disagree; empty where they agree.
pub fn disagreement<'a>(kinds: &[(&'a str, &[Importance])]) -> Vec<(&'a str, Vec<String>)> {
    let first = |importances: &[Importance]| {
        let known = importances.iter().filter(|i| i.value.is_finite());
        let best = known.max_by(|a, b| a.value.total_cmp(&b.value));
        best.map(|i| i.features.clone()).unwrap_or_default()
    };
    let firsts: Vec<(&str, Vec<String>)> = kinds.iter().map(|(k, i)| (*k, first(i))).collect();
    // A group agrees with any of its columns.
    let agree = |a: &[String], b: &[String]| a.iter().any(|f| b.contains(f));
    let all_agree = firsts
        .iter()
        .all(|(_, a)| firsts.iter().all(|(_, b)| agree(a, b)));
    if all_agree { Vec::new() } else { firsts }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
