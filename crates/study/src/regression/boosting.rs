//! Boosting: a sequence of trees, each fitted to the residuals of those before it.
//!
//! [`GradientBoosting`] is Friedman's (2001, <https://doi.org/10.1214/aos/1013203451>) with squared error, as
//! scikit-learn's `GradientBoostingRegressor`; [`XgBoost`] is the second-order form with histograms (Chen and Guestrin
//! 2016, <https://doi.org/10.1145/2939672.2939785>), as `xgboost` with `tree_method="hist"`. With squared error the
//! second derivative is the row's weight, so both grow the same kind of tree; the second shrinks leaf values by λ,
//! splits at the next value above the left side instead of halfway, and bins columns with many values.

use serde::{Deserialize, Serialize};

use super::distinct::Distinct;
use super::tree::{Ensemble, FixedPoint, Grower, Growth, Sums, Ties, presort};
use super::{Fit, Regression, Slot, check_columns, check_setting};
use crate::design::Design;
use crate::error::Error;
use crate::random::Random;

/// Settings of gradient boosting.
#[derive(Debug, Clone, PartialEq)]
pub struct GradientBoosting {
    /// Number of trees.
    pub trees: usize,
    /// Learning rate: the factor by which each tree is multiplied.
    pub rate: f64,
    /// Maximum depth of each tree.
    pub max_depth: usize,
}

impl Default for GradientBoosting {
    /// 100 trees of depth 3, rate 0.1.
    fn default() -> Self {
        Self {
            trees: 100,
            rate: 0.1,
            max_depth: 3,
        }
    }
}

/// Settings of second-order gradient boosting, as in `xgboost`.
#[derive(Debug, Clone, PartialEq)]
pub struct XgBoost {
    /// Number of trees.
    pub trees: usize,
    /// Learning rate η.
    pub rate: f64,
    /// Maximum depth of each tree.
    pub max_depth: usize,
    /// λ: a leaf's value is Σ w·residual / (Σ w + λ).
    pub penalty: f64,
    /// Minimum total weight of a leaf.
    pub min_leaf_weight: f64,
    /// Number of bins; columns with more distinct values than this are binned.
    pub max_bins: usize,
    /// Monotone constraint per column: −1 non-increasing, 0 none, 1 non-decreasing. Empty: all 0.
    pub monotone: Vec<i8>,
}

impl Default for XgBoost {
    /// 100 trees of depth 6, rate 0.1, λ 1, leaves of weight 1, 256 bins.
    fn default() -> Self {
        Self {
            trees: 100,
            rate: 0.1,
            max_depth: 6,
            penalty: 1.0,
            min_leaf_weight: 1.0,
            max_bins: 256,
            monotone: Vec::new(),
        }
    }
}

/// A fitted sum of boosted trees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BoostingFit {
    ensemble: Ensemble,
    /// Per feature: share of the total decrease of the loss over all trees.
    importance: Vec<f64>,
}

impl BoostingFit {
    /// Share of each feature in the decrease of the loss over all trees, summing to 1; all zero where no tree splits.
    pub fn impurity_importance(&self) -> &[f64] {
        &self.importance
    }
}

/// Settings of the boosting rounds.
struct Rounds {
    trees: usize,
    rate: f64,
    growth: Growth,
}

impl Rounds {
    fn run(&self, distinct: &Distinct, seed: u64) -> BoostingFit {
        let weight = &distinct.total_weight;
        let base = distinct.grand_mean;
        let mut left_over: Vec<f64> = distinct.mean.iter().map(|m| m - base).collect();
        let presorted = presort(distinct);
        let mut rng = Random::new(seed, 0);
        let mut trees = Vec::with_capacity(self.trees);
        let mut importance = vec![0.0; distinct.n_features()];
        for _ in 0..self.trees {
            let weighted = |g: usize| weight[g] * left_over[g];
            let targets = (0..weight.len()).map(weighted);
            let fixed = FixedPoint::new(weight.iter().copied(), targets, 1.0);
            let sum = |g: usize| Sums {
                weight: fixed.weight(weight[g]),
                target: fixed.target(weighted(g)),
            };
            let sums: Vec<Sums> = (0..weight.len()).map(sum).collect();
            let grower = Grower::new(distinct, &self.growth, fixed, &presorted, &sums);
            let (tree, gains) = grower.grow(&mut rng);
            let unit = fixed.mean(1, fixed.unit() as i64, 0.0);
            for (i, g) in importance.iter_mut().zip(gains) {
                *i += g * unit * unit * fixed.unit();
            }
            for (g, l) in left_over.iter_mut().enumerate() {
                *l -= self.rate * tree.leaf(|f| distinct.value(f, g)).value;
            }
            trees.push(tree);
        }
        let total: f64 = importance.iter().sum();
        let share = |g: f64| if total > 0.0 { g / total } else { 0.0 };
        BoostingFit {
            ensemble: Ensemble {
                names: distinct.names.clone(),
                base,
                scale: self.rate,
                trees,
            },
            importance: importance.into_iter().map(share).collect(),
        }
    }
}

fn check_rounds(trees: usize, rate: f64, max_depth: usize) -> Result<(), Error> {
    check_setting("trees", trees as f64, trees > 0, "at least 1")?;
    check_setting("max_depth", max_depth as f64, max_depth > 0, "at least 1")?;
    check_setting("rate", rate, rate > 0.0 && rate.is_finite(), "above 0 and finite")
}

impl GradientBoosting {
    /// As [`Regression::fit`], but returns the concrete type.
    ///
    /// # Errors
    /// As [`Regression::fit`].
    pub fn fit_boosting(
        &self,
        design: &Design,
        target: &[f64],
        weights: Option<&[f64]>,
        seed: u64,
    ) -> Result<BoostingFit, Error> {
        check_rounds(self.trees, self.rate, self.max_depth)?;
        let distinct = Distinct::new(design, target, weights)?;
        let rounds = Rounds {
            trees: self.trees,
            rate: self.rate,
            growth: Growth::cart(self.max_depth, Ties::Random),
        };
        Ok(rounds.run(&distinct, seed))
    }
}

impl XgBoost {
    /// As [`Regression::fit`], but returns the concrete type; the fit is deterministic.
    ///
    /// # Errors
    /// As [`Regression::fit`].
    pub fn fit_boosting(
        &self,
        design: &Design,
        target: &[f64],
        weights: Option<&[f64]>,
    ) -> Result<BoostingFit, Error> {
        check_rounds(self.trees, self.rate, self.max_depth)?;
        let not_negative = |x: f64| x >= 0.0 && x.is_finite();
        let valid = not_negative(self.penalty);
        check_setting("penalty", self.penalty, valid, "at least 0 and finite")?;
        let valid = not_negative(self.min_leaf_weight);
        check_setting(
            "min_leaf_weight",
            self.min_leaf_weight,
            valid,
            "at least 0 and finite",
        )?;
        let bins = self.max_bins as f64;
        check_setting("max_bins", bins, self.max_bins >= 2, "at least 2")?;
        let known = [0, design.n_features()].contains(&self.monotone.len());
        let n = self.monotone.len() as f64;
        check_setting("monotone", n, known, "empty or one per column")?;
        let mut distinct = Distinct::new(design, target, weights)?;
        distinct.bin(self.max_bins);
        let rounds = Rounds {
            trees: self.trees,
            rate: self.rate,
            growth: Growth {
                max_depth: self.max_depth,
                max_features: None,
                min_leaf_weight: self.min_leaf_weight,
                penalty: self.penalty,
                ties: Ties::First,
                min_gain: 1e-6,
                cut_at_next: true,
                monotone: self.monotone.clone(),
            },
        };
        Ok(rounds.run(&distinct, 0))
    }
}

impl Regression for GradientBoosting {
    fn name(&self) -> &'static str {
        "gradient_boosting"
    }

    fn settings(&mut self) -> Vec<(&'static str, Slot<'_>)> {
        vec![
            ("trees", Slot::Whole(&mut self.trees)),
            ("rate", Slot::Number(&mut self.rate)),
            ("max_depth", Slot::Whole(&mut self.max_depth)),
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
        Ok(Box::new(self.fit_boosting(design, target, weights, seed)?))
    }
}

impl Regression for XgBoost {
    fn name(&self) -> &'static str {
        "xgboost"
    }

    fn settings(&mut self) -> Vec<(&'static str, Slot<'_>)> {
        vec![
            ("trees", Slot::Whole(&mut self.trees)),
            ("rate", Slot::Number(&mut self.rate)),
            ("max_depth", Slot::Whole(&mut self.max_depth)),
            ("penalty", Slot::Number(&mut self.penalty)),
            ("min_leaf_weight", Slot::Number(&mut self.min_leaf_weight)),
            ("max_bins", Slot::Whole(&mut self.max_bins)),
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
        _seed: u64,
    ) -> Result<Box<dyn Fit>, Error> {
        Ok(Box::new(self.fit_boosting(design, target, weights)?))
    }
}

impl Fit for BoostingFit {
    fn names(&self) -> &[String] {
        &self.ensemble.names
    }

    fn keep(&self) -> Option<super::AnyFit> {
        Some(super::AnyFit::Boosting(self.clone()))
    }

    fn predict(&self, design: &Design) -> Result<Vec<f64>, Error> {
        check_columns(&self.ensemble.names, design)?;
        Ok(self.ensemble.predict(design))
    }

    fn impurity_shares(&self) -> Option<Vec<f64>> {
        Some(self.importance.clone())
    }

    fn ensemble(&self) -> Option<&Ensemble> {
        Some(&self.ensemble)
    }
}
