//! The same forest again and again: what one scores depends on its seed, on shapes never seen most of all, and with rows
//! at random on the split.

use rayon::prelude::*;

use crate::by_group::{ByGroup, by_group};
use crate::ceiling::lookup;
use crate::design::Design;
use crate::error::Error;
use crate::evaluate::{Evaluation, bootstrap_r2_over_groups, evaluate};
use crate::finding::Interval;
use crate::protocol::{Fold, Protocol, RowInformation, folds};
use crate::regression::RandomForest;
use crate::statistics::{mean, standard_deviation};

use super::rows::Rows;

/// Forests fitted on the same folds, from the study's seed on.
const SEEDS: u64 = 3;

/// Splits of rows at random, one forest each, from the study's seed on. One split of 80 to 20 differs from the next by
/// ten times what one forest on it does from another.
const SPLITS: u64 = 12;

/// Scores of forests on the same rows.
pub(super) struct Forests {
    /// The folds of each run: the same for every seed, or a split each.
    pub(super) folds: Vec<Vec<Fold>>,
    /// What the runs differ in: `splits`, `seeds`.
    pub(super) over: &'static str,
    /// The first run's, with its predictions.
    pub(super) first: Evaluation,
    /// Pooled R², mean over runs.
    pub(super) r2: f64,
    /// Its standard deviation over runs.
    pub(super) r2_sd: f64,
    /// Interval of R² over shapes; its ends are means over runs.
    pub(super) interval: Option<Interval>,
    /// The same predictions with each shape counted once, mean over runs.
    pub(super) by_shape: ByGroup,
    /// Mean of the folds' R², mean over runs.
    pub(super) r2_mean_of_folds: f64,
    /// Mean absolute error, mean over runs.
    pub(super) mae: f64,
    /// R² of the training mean of the row's own shape, mean over the same runs.
    pub(super) lookup: f64,
    /// The same with each shape counted once.
    pub(super) lookup_by_shape: ByGroup,
}

/// One fit of every fold.
struct Run {
    result: Evaluation,
    interval: Option<Interval>,
    by_shape: ByGroup,
    lookup: f64,
    lookup_by_shape: ByGroup,
}

/// Fits and scores them: on [`SPLITS`] splits where a protocol is one split of rows at random, else [`SEEDS`] times on the
/// same folds.
pub(super) fn forests(
    rows: &Rows,
    protocol: Protocol,
    resamples: usize,
    first_seed: u64,
) -> Result<Forests, Error> {
    let information = RowInformation {
        n_rows: rows.target.len(),
        shape: Some(&rows.shape),
        ..RowInformation::default()
    };
    let is_split = protocol == Protocol::RandomSplit;
    let (runs, over) = if is_split {
        (SPLITS, "splits")
    } else {
        (SEEDS, "seeds")
    };
    let seeds: Vec<u64> = (first_seed..first_seed + runs).collect();
    let folds: Vec<Vec<Fold>> = seeds
        .iter()
        .map(|&seed| folds(protocol, &information, if is_split { seed } else { first_seed }))
        .collect::<Result<_, _>>()?;
    let (target, shape) = (&rows.target, &rows.shape);
    let run = |(folds, &seed): (&Vec<Fold>, &u64)| {
        let result = evaluate(&RandomForest::default(), &rows.design, target, None, folds, seed)?;
        let own_shape = lookup(target, shape, folds)?;
        let once = |of: &Evaluation| by_group(target, &of.predictions, shape, resamples, 0.95, seed);
        Ok(Run {
            interval: bootstrap_r2_over_groups(target, &result.predictions, shape, resamples, 0.95, seed)?,
            by_shape: once(&result)?,
            lookup: own_shape.r2_pooled.unwrap_or(f64::NAN),
            lookup_by_shape: once(&own_shape)?,
            result,
        })
    };
    let mut all: Vec<Run> = folds
        .par_iter()
        .zip(&seeds)
        .map(run)
        .collect::<Result<_, Error>>()?;
    let mean_of = |pick: &dyn Fn(&Run) -> f64| mean(&all.iter().map(pick).collect::<Vec<f64>>());
    let r2: Vec<f64> = all
        .iter()
        .map(|run| run.result.r2_pooled.unwrap_or(f64::NAN))
        .collect();
    let once = |pick: &dyn Fn(&Run) -> ByGroup| {
        ByGroup::mean_of(&all.iter().map(pick).collect::<Vec<_>>()).ok_or(Error::NoRows)
    };
    let ends: Option<Vec<&Interval>> = all.iter().map(|run| run.interval.as_ref()).collect();
    let interval = ends.and_then(|ends| {
        let first = ends.first()?;
        Some(Interval {
            low: mean(&ends.iter().map(|end| end.low).collect::<Vec<_>>()),
            high: mean(&ends.iter().map(|end| end.high).collect::<Vec<_>>()),
            level: first.level,
            method: format!("{}, mean over {runs} {over}", first.method),
        })
    });
    Ok(Forests {
        over,
        r2: mean(&r2),
        r2_sd: standard_deviation(&r2),
        interval,
        by_shape: once(&|run| run.by_shape.clone())?,
        r2_mean_of_folds: mean_of(&|run| run.result.r2_mean_of_folds().unwrap_or(f64::NAN)),
        mae: mean_of(&|run| run.result.mae),
        lookup: mean_of(&|run| run.lookup),
        lookup_by_shape: once(&|run| run.lookup_by_shape.clone())?,
        first: all.swap_remove(0).result,
        folds,
    })
}

impl Forests {
    /// How many runs, and of what: `12 splits`.
    pub(super) fn runs(&self) -> String {
        format!("{} {}", self.folds.len(), self.over)
    }

    /// What the mean and its spread are over.
    pub(super) fn spread_in_words(&self) -> String {
        let what = if self.over == "splits" {
            "splits of the rows at random, a forest each"
        } else {
            "seeds of the forest on the same folds"
        };
        format!(
            "mean over {} {what}; sd over {} {:.3}",
            self.folds.len(),
            self.over,
            self.r2_sd
        )
    }
}

/// Impurity importances of forests on all rows: per feature one share a tree, trees of all seeds together.
pub(super) fn importance_by_tree(design: &Design, target: &[f64], seed: u64) -> Result<Vec<Vec<f64>>, Error> {
    let mut by_feature = vec![Vec::new(); design.n_features()];
    for seed in seed..seed + SEEDS {
        let fit = RandomForest::default().fit_forest(design, target, None, seed)?;
        for tree in fit.importance_by_tree() {
            for (feature, share) in by_feature.iter_mut().zip(tree) {
                feature.push(*share);
            }
        }
    }
    Ok(by_feature)
}
