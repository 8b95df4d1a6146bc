//! The same forest again and again: what one scores depends on its seed, on shapes never seen most of all, and with rows
//! at random on the split.

use rayon::prelude::*;

use crate::ceiling::lookup;
use crate::design::Design;
use crate::error::Error;
use crate::evaluate::evaluate;
use crate::protocol::{Fold, Protocol, RowInformation, folds};
use crate::regression::RandomForest;
use crate::runs::{Over, Runs, SPLITS};
use crate::section::Table;

use super::rows::BoardRows;

/// Forests fitted on the same folds, from the study's seed on.
const SEEDS: u64 = 3;

/// Scores of forests on the same rows.
pub(super) struct Forests {
    /// The folds of each run: the same for every seed, or a split each.
    pub(super) folds: Vec<Vec<Fold>>,
    /// What they score.
    pub(super) runs: Runs,
    /// R² of the training mean of the row's own shape, over the same runs.
    pub(super) lookup: Runs,
}

/// Fits and scores them: on [`SPLITS`] splits where a protocol is one split of rows at random, else [`SEEDS`] times on the
/// same folds.
pub(super) fn forests(
    rows: &BoardRows,
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
        (SPLITS, Over::Splits)
    } else {
        (SEEDS, Over::Seeds)
    };
    let seeds: Vec<u64> = (first_seed..first_seed + runs).collect();
    let folds: Vec<Vec<Fold>> = seeds
        .iter()
        .map(|&seed| folds(protocol, &information, if is_split { seed } else { first_seed }))
        .collect::<Result<_, _>>()?;
    let (target, shape) = (&rows.target, &rows.shape);
    let run = |(folds, &seed): (&Vec<Fold>, &u64)| {
        let result = evaluate(&RandomForest::default(), &rows.design, target, None, folds, seed)?;
        Ok(((result, seed), (lookup(target, shape, folds)?, seed)))
    };
    let all: Vec<_> = folds
        .par_iter()
        .zip(&seeds)
        .map(run)
        .collect::<Result<_, Error>>()?;
    let (forests, own_shape) = all.into_iter().unzip();
    Ok(Forests {
        runs: Runs::of(forests, over, target, shape, resamples)?,
        lookup: Runs::of(own_shape, over, target, shape, resamples)?,
        folds,
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

/// Adds the fold numbers and out-of-fold predictions of a protocol's first run, and the fold numbers of further splits
/// (`fold_random_split_2` …).
pub(super) fn add_runs(table: &mut Table, protocol: Protocol, forests: &Forests) {
    let name = protocol.name();
    add_folds(table, format!("fold_{name}"), &forests.folds[0]);
    table.columns.push(format!("prediction_{name}"));
    for (row, prediction) in table.rows.iter_mut().zip(&forests.runs.first.predictions) {
        row.push((*prediction).into());
    }
    for (place, folds) in forests.folds.iter().enumerate().skip(1) {
        if *folds != forests.folds[0] {
            add_folds(table, format!("fold_{name}_{}", place + 1), folds);
        }
    }
}

fn add_folds(table: &mut Table, column: String, folds: &[Fold]) {
    let mut numbers = vec![-1.0; table.rows.len()];
    for (number, fold) in folds.iter().enumerate() {
        for &row in &fold.test {
            numbers[row] = number as f64;
        }
    }
    table.columns.push(column);
    for (row, number) in table.rows.iter_mut().zip(numbers) {
        row.push(number.into());
    }
}
