//! Repeated fits of a forest: its score varies with the seed, most of all on held-out shapes, and on random splits also
//! with the split.

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

/// Number of forests fitted on the same folds, with consecutive seeds from the study's seed on.
const SEEDS: u64 = 3;

/// Scores of forests on the same rows.
pub(super) struct Forests {
    /// The folds of each run: the same for every seed, or one split per run.
    pub(super) folds: Vec<Vec<Fold>>,
    /// Mean scores of the forests.
    pub(super) runs: Runs,
    /// Mean scores of predicting each row by the training mean of its shape, on the same folds.
    pub(super) lookup: Runs,
}

/// Fits and scores forests: on [`SPLITS`] random splits where a protocol is a single random split, else with [`SEEDS`]
/// seeds on the same folds.
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

/// Impurity importances in forests on all rows: per feature the shares in each tree, for the trees of all seeds.
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

/// Adds columns to the table: fold numbers and out-of-fold predictions of a protocol's first run, and fold numbers of
/// further splits (`fold_random_split_2` …).
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
