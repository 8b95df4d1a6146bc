//! What is forecast by: the structural regression, and two rules that fit nothing.

use std::collections::BTreeMap;

use super::Row;
use crate::design::Design;
use crate::error::Error;
use crate::regression::{Fit, Structural};
use crate::statistics::mean;

/// Logarithms of sizes this near are about the same: 28 % more or less.
const NEAR: f64 = 0.25;
/// Days of a quarter, to which dates are rounded: checkpoints of one base and quarter are one cell.
const QUARTER: f64 = 91.3125;

/// One shape of the rows that are known: its dimensions, the logarithm of its size, and the mean of its scores.
struct Known {
    shape: u32,
    dimensions: [f64; 4],
    size: f64,
    score: f64,
}

/// The two rules on the rows that are known.
pub(super) struct Rules(Vec<Known>);

impl Rules {
    pub(super) fn of(rows: &[&Row]) -> Self {
        let mut by_shape: BTreeMap<u32, Vec<&Row>> = BTreeMap::new();
        for row in rows {
            by_shape.entry(row.shape).or_default().push(row);
        }
        let known = by_shape.into_iter().map(|(shape, rows)| {
            let all = |pick: fn(&Row) -> f64| mean(&rows.iter().map(|row| pick(row)).collect::<Vec<_>>());
            Known {
                shape,
                dimensions: rows[0].dimensions.map(f64::ln),
                size: all(|row| row.size.ln()),
                score: all(|row| row.score),
            }
        });
        Self(known.collect())
    }

    pub(super) fn n_shapes(&self) -> usize {
        self.0.len()
    }

    /// The mean of the shapes of about that size, else of the nearest in size.
    pub(super) fn by_size(&self, row: &Row) -> f64 {
        let size = row.size.ln();
        let near: Vec<f64> = self
            .0
            .iter()
            .filter(|known| (known.size - size).abs() <= NEAR)
            .map(|known| known.score)
            .collect();
        if near.is_empty() {
            self.nearest(|known| (known.size - size).abs())
        } else {
            mean(&near)
        }
    }

    /// The mean of the row's own shape, else of the nearest one.
    pub(super) fn by_shape(&self, row: &Row) -> f64 {
        if let Some(own) = self.0.iter().find(|known| known.shape == row.shape) {
            return own.score;
        }
        let at = row.dimensions.map(f64::ln);
        self.nearest(|known| {
            let apart = known.dimensions.iter().zip(at);
            apart.map(|(one, other)| (one - other).powi(2)).sum::<f64>()
        })
    }

    fn nearest(&self, distance: impl Fn(&Known) -> f64) -> f64 {
        let nearest = self
            .0
            .iter()
            .min_by(|a, b| distance(a).total_cmp(&distance(b)).then(a.shape.cmp(&b.shape)));
        nearest.map_or(f64::NAN, |known| known.score)
    }
}

/// The structural regression on the rows known, asked of others.
pub(super) fn structural(names: &[String], known: &[&Row], asked: &[&Row]) -> Result<Vec<f64>, Error> {
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let design = |rows: &[&Row]| {
        let column = |place: usize| {
            let is_date = names[place] == "date";
            let rounded = |value: f64| (value / QUARTER).round() * QUARTER;
            rows.iter()
                .map(|row| row.columns[place])
                .map(|value| if is_date { rounded(value) } else { value })
                .collect()
        };
        Design::new(names.to_vec(), (0..names.len()).map(column).collect())
    };
    let target: Vec<f64> = known.iter().map(|row| row.score).collect();
    let fit = Structural::default().fit_structural(&design(known)?, &target, None)?;
    fit.predict(&design(asked)?)
}
