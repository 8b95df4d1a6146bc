//! Which columns a fit leans on, in four ways that check each other.
//!
//! - [`impurity`]: share of the impurity decrease (MDI), on all rows, as the literature has it, with what other shapes would
//!   say; favours columns of many values.
//! - [`permutation`]: drop in R² on held-out rows when a column, or a group of columns that move together
//!   ([`clusters`]), is shuffled.
//! - [`shap`]: mean |Shapley value| of trees on held-out rows.
//! - [`dependence`]: partial dependence and accumulated local effects, with the rows behind each point.
//!
//! Where they disagree on what comes first, [`disagreement`] says so. They answer different questions; [`reading`] says which of
//! them is stated as the importance of a column.

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

/// Importance of a column or a group of columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Importance {
    /// The columns, by name.
    pub features: Vec<String>,
    /// Mean over folds and seeds, or over fits on all rows; NaN where the columns are not identified.
    pub value: f64,
    /// Central 95 % over folds and seeds, or over draws of shapes.
    pub interval: Option<Interval>,
    /// One value per fold and seed, folds within seeds; or one per draw of shapes.
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

/// What importances are computed on: a regression, its rows and how they are divided.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    /// The method.
    pub regression: &'a dyn Regression,
    /// The features.
    pub design: &'a Design,
    /// `(n_rows,)`.
    pub target: &'a [f64],
    /// `(n_rows,)`, used in fitting only.
    pub weights: Option<&'a [f64]>,
    /// How rows are divided; one fold that trains and tests is not allowed.
    pub folds: &'a [Fold],
    /// Fits per fold, each with a seed of its own.
    pub seeds: u64,
    /// The first seed.
    pub seed: u64,
}

impl Setting<'_> {
    /// `measure` of each fit and its fold, folds within seeds.
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

    /// One importance per column from one vector of them per fit.
    fn by_column(&self, draws: &[Vec<f64>]) -> Vec<Importance> {
        let of = |(f, name): (usize, &String)| {
            let draws = draws.iter().map(|d| d[f]).collect();
            Importance::new(vec![name.clone()], draws)
        };
        self.design.names().iter().enumerate().map(of).collect()
    }
}

/// What each kind puts first, where they do not agree: `(kind, features)` of every kind; nothing where they agree.
pub fn disagreement<'a>(kinds: &[(&'a str, &[Importance])]) -> Vec<(&'a str, Vec<String>)> {
    let first = |importances: &[Importance]| {
        let known = importances.iter().filter(|i| i.value.is_finite());
        let best = known.max_by(|a, b| a.value.total_cmp(&b.value));
        best.map(|i| i.features.clone()).unwrap_or_default()
    };
    let firsts: Vec<(&str, Vec<String>)> = kinds.iter().map(|(k, i)| (*k, first(i))).collect();
    // A group agrees with a column that is in it.
    let agree = |a: &[String], b: &[String]| a.iter().any(|f| b.contains(f));
    let all_agree = firsts
        .iter()
        .all(|(_, a)| firsts.iter().all(|(_, b)| agree(a, b)));
    if all_agree { Vec::new() } else { firsts }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
