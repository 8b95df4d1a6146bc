//! What is forecast by: the structural regression, and rules that fit nothing.

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

/// The rules on the rows that are known.
pub(super) struct Rules {
    shapes: Vec<Known>,
    /// Logarithms of sizes, ascending, and the sums of the scores up to each.
    sizes: Vec<f64>,
    sums: Vec<f64>,
}

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
        let mut sizes: Vec<(f64, f64)> = rows.iter().map(|row| (row.size.ln(), row.score)).collect();
        sizes.sort_by(|a, b| a.0.total_cmp(&b.0));
        let sums = sizes.iter().scan(0.0, |sum, (_, score)| {
            *sum += score;
            Some(*sum)
        });
        Self {
            shapes: known.collect(),
            sums: sums.collect(),
            sizes: sizes.iter().map(|(size, _)| *size).collect(),
        }
    }

    /// The mean of the checkpoints of about that size, each counting the same: what many build on counts as often. Else that
    /// of the shapes nearest in size.
    pub(super) fn by_checkpoints(&self, row: &Row) -> f64 {
        let size = row.size.ln();
        let first = self.sizes.partition_point(|known| *known < size - NEAR);
        let last = self.sizes.partition_point(|known| *known <= size + NEAR);
        if first == last {
            return self.by_size(row);
        }
        let before = if first == 0 { 0.0 } else { self.sums[first - 1] };
        (self.sums[last - 1] - before) / (last - first) as f64
    }

    pub(super) fn n_shapes(&self) -> usize {
        self.shapes.len()
    }

    /// The mean of the shapes of about that size, else of the nearest in size.
    pub(super) fn by_size(&self, row: &Row) -> f64 {
        let size = row.size.ln();
        let near: Vec<f64> = self
            .shapes
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
        if let Some(own) = self.shapes.iter().find(|known| known.shape == row.shape) {
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
            .shapes
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

#[cfg(test)]
mod tests {
    use super::{Row, Rules};

    #[test]
    fn shapes_count_once_or_as_often_as_they_are_built_on() {
        let row = |shape: u32, size: f64, score: f64| Row {
            id: "a/b".into(),
            shape,
            family: "a".into(),
            columns: Vec::new(),
            dimensions: [f64::from(shape), 1.0, 1.0, 1.0],
            size,
            day: 0.0,
            score,
        };
        let rows = [
            row(1, 7.0, 10.0),
            row(1, 7.0, 20.0),
            row(2, 7.5, 60.0),
            row(3, 70.0, 90.0),
        ];
        let rules = Rules::of(&rows.iter().collect::<Vec<_>>());
        let asked = row(9, 7.2, 0.0);
        assert!((rules.by_size(&asked) - 37.5).abs() < 1e-9);
        assert!((rules.by_checkpoints(&asked) - 30.0).abs() < 1e-9);
        // Nothing of that size: the nearest.
        assert!((rules.by_checkpoints(&row(9, 30.0, 0.0)) - 90.0).abs() < 1e-9);
    }
}
