//! The known attributes of each row as a design matrix.

use std::collections::{BTreeMap, BTreeSet};

use super::{LatentRow, LatentTable};
use crate::statistics::{mean, standard_deviation};

/// Fewest checkpoints with the same set of boards for a mean of their own.
const ENTRANTS: usize = 20;

/// Standardised columns of the rows; constant ones are left out.
pub(super) struct Columns {
    pub(super) values: Vec<Vec<f64>>,
}

impl Columns {
    pub(super) fn of(rows: &[LatentRow]) -> Self {
        let n = rows.first().map_or(0, |row| row.columns.len());
        let mut values = vec![Vec::with_capacity(n); rows.len()];
        for k in 0..n {
            let known: Vec<f64> = rows.iter().filter_map(|row| row.columns[k]).collect();
            if known.len() < 2 {
                continue;
            }
            let (centre, spread) = (mean(&known), standard_deviation(&known));
            if spread > 1e-9 {
                for (own, row) in values.iter_mut().zip(rows) {
                    own.push(row.columns[k].map_or(0.0, |value| (value - centre) / spread));
                }
            }
            if known.len() < rows.len() {
                for (own, row) in values.iter_mut().zip(rows) {
                    own.push(f64::from(u8::from(row.columns[k].is_none())));
                }
            }
        }
        Self { values }
    }

    /// Adds an indicator for each set of boards that at least [`ENTRANTS`] rows took, except the most frequent set.
    /// Checkpoints are not entered at random: with a common mean, boards that share few checkpoints would be pulled
    /// together.
    pub(super) fn with_boards(&self, table: &LatentTable, cells: &[Vec<(usize, f64, f64)>]) -> Self {
        let taken: Vec<BTreeSet<&str>> = cells
            .iter()
            .map(|own| {
                let boards = own
                    .iter()
                    .map(|(benchmark, ..)| table.benchmarks[*benchmark].board.as_str());
                boards.collect()
            })
            .collect();
        let mut counts: BTreeMap<&BTreeSet<&str>, usize> = BTreeMap::new();
        for own in taken.iter().filter(|own| !own.is_empty()) {
            *counts.entry(own).or_default() += 1;
        }
        let usual = counts.iter().max_by_key(|(_, n)| **n).map(|(own, _)| *own);
        let sets: Vec<&BTreeSet<&str>> = counts
            .iter()
            .filter(|(own, n)| **n >= ENTRANTS && Some(**own) != usual)
            .map(|(own, _)| *own)
            .collect();
        let values = self.values.iter().zip(&taken).map(|(known, own)| {
            let flags = sets.iter().map(|set| f64::from(u8::from(*set == own)));
            known.iter().copied().chain(flags).collect()
        });
        Self {
            values: values.collect(),
        }
    }
}
