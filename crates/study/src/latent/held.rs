//! Accuracy of the model on held-out cells, and agreement with Epoch AI's index.

use super::columns::Columns;
use super::fit::{LatentFit, fit};
use super::units::{LatentUnits, Shares};
use super::{LatentTable, abilities};
use crate::random::Random;
use crate::statistics::{mean, normal_quantile, spearman};

/// One in this many cells is held out.
const PARTS: usize = 5;
/// Nominal coverage of the intervals of cells.
pub(super) const LEVEL: f64 = 0.8;

/// A held-out cell and its prediction errors.
pub(super) struct HeldOut {
    pub(super) benchmark: usize,
    /// Prediction minus score, in points.
    pub(super) miss: f64,
    /// The same for the benchmark's mean.
    pub(super) miss_of_mean: f64,
    /// The same for Epoch AI's index, difficulty and slope, which were estimated with the cell; `None` where they are
    /// missing.
    pub(super) miss_of_index: Option<f64>,
    pub(super) is_inside: bool,
}

/// Predictions of a random fifth of the cells by a fit without them; hyperparameters are those of the full fit.
pub(super) fn held(table: &LatentTable, shares: Shares, seed: u64) -> Option<Vec<HeldOut>> {
    let columns = Columns::of(&table.rows);
    let units = LatentUnits::new(&table.features, table.families.clone());
    let mut random = Random::new(seed, 7);
    let hidden: Vec<Vec<bool>> = table
        .rows
        .iter()
        .map(|row| row.cells.iter().map(|_| random.below(PARTS) == 0).collect())
        .collect();
    let fit = fit(
        table,
        &columns,
        &units,
        &|row, cell| !hidden[row][cell],
        Some(shares),
    )?;
    let mut sums = vec![(0.0, 0.0); table.benchmarks.len()];
    for (row, hidden) in table.rows.iter().zip(&hidden) {
        for (cell, _) in row.cells.iter().zip(hidden).filter(|(_, hidden)| !**hidden) {
            sums[cell.benchmark].0 += cell.score;
            sums[cell.benchmark].1 += 1.0;
        }
    }
    let quantile = normal_quantile(LEVEL);
    let mut found = Vec::new();
    for (place, (row, hidden)) in table.rows.iter().zip(&hidden).enumerate() {
        for (cell, _) in row.cells.iter().zip(hidden).filter(|(_, hidden)| **hidden) {
            let known = &table.benchmarks[cell.benchmark];
            let points =
                |log_odds: f64| known.chance + (known.ceiling - known.chance) / (1.0 + (-log_odds).exp());
            let (value, variance) = fit.cell(place, cell.benchmark);
            let half = quantile * (variance + cell.variance).sqrt();
            let (sum, n) = sums[cell.benchmark];
            // Compared as log odds; at the edge both score and prediction are clamped.
            let inside = (cell.log_odds - value).abs() <= half;
            let index = row
                .index
                .zip(known.epoch)
                .map(|(index, (difficulty, slope))| points(slope * (index - difficulty)) - cell.score);
            found.push(HeldOut {
                benchmark: cell.benchmark,
                miss: points(value) - cell.score,
                miss_of_mean: if n > 0.0 { sum / n } else { f64::NAN } - cell.score,
                miss_of_index: index,
                is_inside: inside,
            });
        }
    }
    Some(found)
}

/// Mean absolute error.
pub(super) fn error<'a>(held: impl Iterator<Item = &'a HeldOut>, miss: impl Fn(&HeldOut) -> f64) -> f64 {
    let all: Vec<f64> = held
        .map(|own| miss(own).abs())
        .filter(|miss| miss.is_finite())
        .collect();
    if all.is_empty() { f64::NAN } else { mean(&all) }
}

/// Abilities and Epoch AI's indices of the checkpoints that have an index and at least one score elsewhere, from a fit
/// without the benchmarks of the index.
pub(super) fn beside_index(table: &LatentTable, shares: Shares) -> Option<(Vec<f64>, Vec<f64>)> {
    let columns = Columns::of(&table.rows);
    let units = LatentUnits::new(&table.features, table.families.clone());
    let of_epoch = |benchmark: usize| table.benchmarks[benchmark].name.starts_with("epoch_");
    let sees = |row: usize, cell: usize| !of_epoch(table.rows[row].cells[cell].benchmark);
    let found = fit(table, &columns, &units, &sees, Some(shares))?;
    let elsewhere = |row: usize| (0..table.rows[row].cells.len()).any(|cell| sees(row, cell));
    Some(pairs(table, &found, elsewhere))
}

/// Abilities and indices of the rows that have an index and that `keeps` accepts.
pub(super) fn pairs(
    table: &LatentTable,
    fit: &LatentFit,
    keeps: impl Fn(usize) -> bool,
) -> (Vec<f64>, Vec<f64>) {
    let told = abilities(table, fit, None);
    let mut both: Vec<(f64, f64)> = Vec::new();
    for (place, row) in table.rows.iter().enumerate() {
        if let Some(index) = row.index.filter(|_| keeps(place))
            && let Some(own) = told.iter().find(|own| own.id == row.id)
        {
            both.push((own.ability, index));
        }
    }
    both.into_iter().unzip()
}

/// Spearman's rank correlation; `None` for fewer than five pairs.
pub(super) fn rank_correlation(pairs: &(Vec<f64>, Vec<f64>)) -> Option<crate::statistics::Correlation> {
    if pairs.0.len() < 5 {
        return None;
    }
    Some(spearman(&pairs.0, &pairs.1))
}
