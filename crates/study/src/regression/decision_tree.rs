//! A single regression tree without pruning: CART with squared error (Breiman, Friedman, Olshen and Stone 1984).

use serde::{Deserialize, Serialize};

use super::distinct::Distinct;
use super::forest::ForestRows;
use super::tree::{Ensemble, Grower, Growth, Ties, presort};
use super::{Fit, Regression, Slot, check_columns, check_setting};
use crate::design::Design;
use crate::error::Error;
use crate::random::Random;

/// Settings of a tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DecisionTree {
    /// Maximum depth; unlimited where `None`.
    pub max_depth: Option<usize>,
}

/// A fitted tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecisionTreeFit {
    ensemble: Ensemble,
    importance: Vec<f64>,
}

impl DecisionTree {
    /// As [`Regression::fit`], but returns the concrete type.
    ///
    /// # Errors
    /// As [`Regression::fit`].
    pub fn fit_tree(
        &self,
        design: &Design,
        target: &[f64],
        weights: Option<&[f64]>,
        seed: u64,
    ) -> Result<DecisionTreeFit, Error> {
        let depth = self.max_depth.unwrap_or(usize::MAX);
        check_setting("max_depth", depth as f64, depth > 0, "at least 1")?;
        let distinct = Distinct::new(design, target, weights)?;
        let rows = ForestRows::new(&distinct);
        let growth = Growth::cart(depth, Ties::Widest);
        let mut rng = Random::new(seed, 0);
        let sums = rows.sums(false, &mut rng);
        let grower = Grower::new(&distinct, &growth, rows.fixed, &presort(&distinct), &sums);
        let (tree, gains) = grower.grow(&mut rng);
        let total: f64 = gains.iter().sum();
        let share = |g: f64| if total > 0.0 { g / total } else { 0.0 };
        Ok(DecisionTreeFit {
            ensemble: Ensemble {
                base: distinct.grand_mean,
                names: distinct.names,
                scale: 1.0,
                trees: vec![tree],
            },
            importance: gains.into_iter().map(share).collect(),
        })
    }
}

impl DecisionTreeFit {
    /// Impurity importance per feature, summing to 1; all zero where the tree never splits.
    pub fn impurity_importance(&self) -> &[f64] {
        &self.importance
    }
}

impl Regression for DecisionTree {
    fn name(&self) -> &'static str {
        "decision_tree"
    }

    fn settings(&mut self) -> Vec<(&'static str, Slot<'_>)> {
        vec![("max_depth", Slot::Limit(&mut self.max_depth))]
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
        Ok(Box::new(self.fit_tree(design, target, weights, seed)?))
    }
}

impl Fit for DecisionTreeFit {
    fn names(&self) -> &[String] {
        &self.ensemble.names
    }

    fn keep(&self) -> Option<super::AnyFit> {
        Some(super::AnyFit::Tree(self.clone()))
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
