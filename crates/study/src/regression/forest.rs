//! Random forest: the mean of trees, each grown on a bootstrap sample of the rows (Breiman 2001,
//! <https://doi.org/10.1023/A:1010933404324>).
//!
//! Tested against scikit-learn's `RandomForestRegressor`. Differences: the random number generator, features as `f64`
//! (there `f32`), and `max_features`, which counts only features that vary in the node.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::distinct::Distinct;
use super::tree::{Ensemble, FixedPoint, Grower, Growth, Sums, Ties, Tree, presort};
use super::{Fit, Regression, Slot, check_columns, check_setting};
use crate::design::Design;
use crate::error::Error;
use crate::random::Random;

/// Settings of a random forest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RandomForest {
    /// Number of trees.
    pub trees: usize,
    /// Maximum depth; unlimited where `None`.
    pub max_depth: Option<usize>,
    /// Number of features tried per split; all where `None`.
    pub max_features: Option<usize>,
    /// Whether each tree is grown on a bootstrap sample of n rows, drawn with replacement.
    pub bootstrap: bool,
}

impl Default for RandomForest {
    /// 100 trees, unlimited depth, all features per split.
    fn default() -> Self {
        Self {
            trees: 100,
            max_depth: None,
            max_features: None,
            bootstrap: true,
        }
    }
}

/// A fitted forest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RandomForestFit {
    ensemble: Ensemble,
    /// Per tree and feature: share of the tree's impurity decrease.
    importance: Vec<Vec<f64>>,
}

impl RandomForest {
    /// As [`Regression::fit`], but returns the concrete type.
    ///
    /// # Errors
    /// As [`Regression::fit`].
    pub fn fit_forest(
        &self,
        design: &Design,
        target: &[f64],
        weights: Option<&[f64]>,
        seed: u64,
    ) -> Result<RandomForestFit, Error> {
        self.check()?;
        let distinct = Distinct::new(design, target, weights)?;
        let rows = ForestRows::new(&distinct);
        let presorted = presort(&distinct);
        let growth = Growth {
            max_features: self.max_features,
            ..Growth::cart(self.max_depth.unwrap_or(usize::MAX), Ties::Random)
        };
        let grown: Vec<(Tree, Vec<f64>)> = (0..self.trees)
            .into_par_iter()
            .map(|t| {
                let mut rng = Random::new(seed, t as u64);
                let sums = rows.sums(self.bootstrap, &mut rng);
                let grower = Grower::new(&distinct, &growth, rows.fixed, &presorted, &sums);
                let (tree, gains) = grower.grow(&mut rng);
                let total: f64 = gains.iter().sum();
                let share = |g: f64| if total > 0.0 { g / total } else { 0.0 };
                (tree, gains.into_iter().map(share).collect())
            })
            .collect();
        let (trees, importance) = grown.into_iter().unzip();
        Ok(RandomForestFit {
            ensemble: Ensemble {
                names: distinct.names,
                base: distinct.grand_mean,
                scale: 1.0 / self.trees as f64,
                trees,
            },
            importance,
        })
    }

    fn check(&self) -> Result<(), Error> {
        let least = |name, value: usize| check_setting(name, value as f64, value > 0, "at least 1");
        least("trees", self.trees)?;
        least("max_depth", self.max_depth.unwrap_or(1))?;
        least("max_features", self.max_features.unwrap_or(1))
    }
}

/// Weights and targets in fixed point, ready for bootstrap sampling.
pub(super) struct ForestRows<'a> {
    distinct: &'a Distinct,
    pub(super) fixed: FixedPoint,
    sums: Vec<Sums>,
}

impl<'a> ForestRows<'a> {
    /// A bootstrap may draw the heaviest row n times; `times` leaves more than enough room for that.
    pub(super) fn new(distinct: &'a Distinct) -> Self {
        let n = distinct.target.len() as f64;
        let (y, w) = (&distinct.target, &distinct.weight);
        let weighted = |i: usize| w[i] * (y[i] - distinct.grand_mean);
        let largest = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0_f64, f64::max);
        let (total_w, total_y) = (
            w.iter().sum::<f64>(),
            (0..y.len()).map(|i| weighted(i).abs()).sum::<f64>(),
        );
        let spread = f64::max(
            largest(&mut w.iter().copied()) * n / total_w,
            if total_y > 0.0 {
                largest(&mut (0..y.len()).map(|i| weighted(i).abs())) * n / total_y
            } else {
                1.0
            },
        );
        let fixed = FixedPoint::new(w.iter().copied(), (0..y.len()).map(weighted), spread);
        let sums = (0..y.len()).map(|i| Sums {
            weight: fixed.weight(w[i]),
            target: fixed.target(weighted(i)),
        });
        Self {
            distinct,
            fixed,
            sums: sums.collect(),
        }
    }

    /// Weight and target sums per distinct row, over all rows or over a bootstrap sample.
    pub(super) fn sums(&self, bootstrap: bool, rng: &mut Random) -> Vec<Sums> {
        let mut sums = vec![Sums::default(); self.distinct.len()];
        let n = self.sums.len();
        for i in 0..n {
            let drawn = if bootstrap { rng.below(n) } else { i };
            let sum = &mut sums[self.distinct.row_of[drawn] as usize];
            sum.weight += self.sums[drawn].weight;
            sum.target += self.sums[drawn].target;
        }
        sums
    }
}

impl Regression for RandomForest {
    fn name(&self) -> &'static str {
        "random_forest"
    }

    fn settings(&mut self) -> Vec<(&'static str, Slot<'_>)> {
        vec![
            ("trees", Slot::Whole(&mut self.trees)),
            ("max_depth", Slot::Limit(&mut self.max_depth)),
            ("max_features", Slot::Limit(&mut self.max_features)),
            ("bootstrap", Slot::Flag(&mut self.bootstrap)),
        ]
    }

    fn is_of_trees(&self) -> bool {
        true
    }

    fn fit(
        &self,
        design: &Design,
        target: &[f64],
        weights: Option<&[f64]>,
        seed: u64,
    ) -> Result<Box<dyn Fit>, Error> {
        Ok(Box::new(self.fit_forest(design, target, weights, seed)?))
    }
}

impl RandomForestFit {
    /// Impurity importance (mean decrease in impurity) per feature, summing to 1: the mean over trees of each tree's
    /// shares.
    ///
    /// Trees that never split are left out, as in scikit-learn; all zero where no tree splits.
    pub fn impurity_importance(&self) -> Vec<f64> {
        let n_features = self.ensemble.names.len();
        let mut mean = vec![0.0; n_features];
        for shares in &self.importance {
            mean.iter_mut().zip(shares).for_each(|(m, s)| *m += s);
        }
        let total: f64 = mean.iter().sum();
        let share = |m: f64| if total > 0.0 { m / total } else { 0.0 };
        mean.into_iter().map(share).collect()
    }

    /// Share of each feature in each tree's impurity decrease, `(trees, n_features)`.
    pub fn importance_by_tree(&self) -> &[Vec<f64>] {
        &self.importance
    }

    /// Standard deviation over trees of the impurity importance of each feature.
    pub fn impurity_importance_sd(&self) -> Vec<f64> {
        let n = self.importance.len() as f64;
        let spread = |f: usize| {
            let mean = self.importance.iter().map(|s| s[f]).sum::<f64>() / n;
            let squares = self.importance.iter().map(|s| (s[f] - mean).powi(2));
            (squares.sum::<f64>() / (n - 1.0).max(1.0)).sqrt()
        };
        (0..self.ensemble.names.len()).map(spread).collect()
    }
}

impl Fit for RandomForestFit {
    fn names(&self) -> &[String] {
        &self.ensemble.names
    }

    fn keep(&self) -> Option<super::AnyFit> {
        Some(super::AnyFit::Forest(self.clone()))
    }

    fn predict(&self, design: &Design) -> Result<Vec<f64>, Error> {
        check_columns(&self.ensemble.names, design)?;
        Ok(self.ensemble.predict(design))
    }

    fn impurity_shares(&self) -> Option<Vec<f64>> {
        Some(self.impurity_importance())
    }

    fn ensemble(&self) -> Option<&Ensemble> {
        Some(&self.ensemble)
    }
}
