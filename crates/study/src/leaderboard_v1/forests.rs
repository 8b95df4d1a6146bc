//! The same forest from several seeds: what one of them scores depends on its seed, on shapes never seen most of all.

use crate::design::Design;
use crate::error::Error;
use crate::evaluate::{Evaluation, bootstrap_r2_over_groups, evaluate};
use crate::finding::Interval;
use crate::groups::Groups;
use crate::protocol::Fold;
use crate::regression::RandomForest;
use crate::statistics::{mean, standard_deviation};

/// Forests fitted, from the study's seed on.
pub(super) const SEEDS: u64 = 3;

/// Scores of forests from [`SEEDS`] seeds on the same folds.
pub(super) struct Forests {
    /// The first seed's, with its predictions.
    pub(super) first: Evaluation,
    /// Pooled R², mean over seeds.
    pub(super) r2: f64,
    /// Its standard deviation over seeds.
    pub(super) r2_sd: f64,
    /// Mean of the folds' R², mean over seeds.
    pub(super) r2_mean_of_folds: f64,
    /// Mean absolute error, mean over seeds.
    pub(super) mae: f64,
    /// Interval of R² over shapes; its ends are means over seeds.
    pub(super) interval: Option<Interval>,
}

/// Fits and scores them.
pub(super) fn forests(
    design: &Design,
    target: &[f64],
    shape: &Groups,
    folds: &[Fold],
    resamples: usize,
    seed: u64,
) -> Result<Forests, Error> {
    let mut all = Vec::new();
    let mut intervals = Vec::new();
    for seed in seed..seed + SEEDS {
        let result = evaluate(&RandomForest::default(), design, target, None, folds, seed)?;
        intervals.push(bootstrap_r2_over_groups(
            target,
            &result.predictions,
            shape,
            resamples,
            0.95,
            seed,
        )?);
        all.push(result);
    }
    let over = |pick: &dyn Fn(&Evaluation) -> f64| all.iter().map(pick).collect::<Vec<f64>>();
    let r2 = over(&|result| result.r2_pooled.unwrap_or(f64::NAN));
    let ends: Option<Vec<Interval>> = intervals.into_iter().collect();
    let interval = ends.and_then(|ends| {
        let first = ends.first()?;
        Some(Interval {
            low: mean(&ends.iter().map(|end| end.low).collect::<Vec<_>>()),
            high: mean(&ends.iter().map(|end| end.high).collect::<Vec<_>>()),
            level: first.level,
            method: format!("{}, mean over {SEEDS} seeds", first.method),
        })
    });
    Ok(Forests {
        r2: mean(&r2),
        r2_sd: standard_deviation(&r2),
        r2_mean_of_folds: mean(&over(&|result| result.r2_mean_of_folds().unwrap_or(f64::NAN))),
        mae: mean(&over(&|result| result.mae)),
        interval,
        first: all.swap_remove(0),
    })
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
