//! A Gaussian process over units, and the selection of its hyperparameters.
//!
//! The covariance has a smooth and a linear part over size, share of active parameters, heads per key-value head, date
//! of the base and tokens, effects of family and shape, and noise that decreases with the rows of a unit. The
//! leave-one-shape-out error needs no refit: with P the inverse covariance and I the rows of a shape, the residuals of
//! the prediction from all others are `P_II⁻¹ (P y)_I` (Rasmussen and Williams 2006, section 5.4.2, by blocks).

use std::collections::BTreeMap;

use faer::Mat;

use super::units::Unit;
use crate::algebra::inverse;
use crate::statistics::{mean, standard_deviation};

/// One setting of the hyperparameters that are selected from a grid.
#[derive(Debug, Clone, Copy)]
struct Settings {
    /// Factor on all length scales.
    length: f64,
    /// Variance of families relative to that of the function.
    family: f64,
    /// Variance of a row relative to that of the function.
    row: f64,
}

/// Variance of shapes relative to that of the function.
const SHAPE: f64 = 0.1;
/// Length scales of the features, in their standard deviations.
const LENGTHS: [f64; N_FEATURES] = [2.0, 1.0, 1.0, 2.0, 2.0, 2.0];
pub(super) const N_FEATURES: usize = 6;

fn settings() -> Vec<Settings> {
    let mut all = Vec::new();
    for length in [0.7, 1.0, 2.0] {
        for family in [0.0, 0.1, 0.4] {
            for row in [0.2, 0.8] {
                all.push(Settings { length, family, row });
            }
        }
    }
    all
}

/// Features, families, shapes and scores of units, as input of the process.
pub(super) struct UnitCells {
    features: Vec<[f64; N_FEATURES]>,
    pub(super) families: Vec<String>,
    pub(super) shapes: Vec<u64>,
    rows: Vec<f64>,
    scores: Vec<f64>,
}

impl UnitCells {
    pub(super) fn of(units: &[Unit]) -> Self {
        // Unknown tokens are imputed from the date.
        let known: Vec<(f64, f64)> = units
            .iter()
            .filter_map(|unit| Some((unit.date?, unit.tokens?.ln())))
            .collect();
        let (dates, tokens): (Vec<f64>, Vec<f64>) = known.iter().copied().unzip();
        let line = crate::statistics::least_squares_line(&dates, &tokens);
        let all_dates: Vec<f64> = units.iter().filter_map(|unit| unit.date).collect();
        let middle = if all_dates.is_empty() {
            0.0
        } else {
            mean(&all_dates)
        };
        let features = units.iter().map(|unit| {
            let date = unit.date.unwrap_or(middle);
            let guessed = line.intercept + line.slope * date;
            let guessed = if guessed.is_finite() { guessed } else { 0.0 };
            [
                unit.size.ln(),
                -unit.active.ln(),
                (unit.parts[3] / unit.parts[4]).ln(),
                date,
                unit.tokens.map_or(guessed, f64::ln),
                f64::from(u8::from(unit.tokens.is_none())),
            ]
        });
        Self {
            features: features.collect(),
            families: units.iter().map(|unit| unit.family.clone()).collect(),
            shapes: units.iter().map(Unit::shape).collect(),
            rows: units.iter().map(|unit| unit.n).collect(),
            scores: units.iter().map(|unit| unit.score).collect(),
        }
    }

    fn only(&self, keep: &[usize]) -> Self {
        Self {
            features: keep.iter().map(|&unit| self.features[unit]).collect(),
            families: keep.iter().map(|&unit| self.families[unit].clone()).collect(),
            shapes: keep.iter().map(|&unit| self.shapes[unit]).collect(),
            rows: keep.iter().map(|&unit| self.rows[unit]).collect(),
            scores: keep.iter().map(|&unit| self.scores[unit]).collect(),
        }
    }
}

/// A process on training units.
pub(super) struct UnitProcess {
    settings: Settings,
    middle: [f64; N_FEATURES],
    spread: [f64; N_FEATURES],
    pub(super) mean: f64,
    pub(super) scale: f64,
}

impl UnitProcess {
    fn new(cells: &UnitCells, settings: Settings) -> Self {
        let column = |k: usize| cells.features.iter().map(|row| row[k]).collect::<Vec<f64>>();
        let spread = std::array::from_fn(|k| {
            let own = standard_deviation(&column(k));
            if own > 1e-9 { own } else { 1.0 }
        });
        let scale = standard_deviation(&cells.scores);
        Self {
            settings,
            middle: std::array::from_fn(|k| mean(&column(k))),
            spread,
            mean: mean(&cells.scores),
            scale: if scale > 1e-9 { scale } else { 1.0 },
        }
    }

    pub(super) fn scaled(&self, features: &[f64; N_FEATURES]) -> [f64; N_FEATURES] {
        std::array::from_fn(|k| {
            (features[k] - self.middle[k]) / (self.spread[k] * LENGTHS[k] * self.settings.length)
        })
    }

    pub(super) fn kernel(
        &self,
        a: (&[f64; N_FEATURES], &str, u64),
        b: (&[f64; N_FEATURES], &str, u64),
    ) -> f64 {
        let apart: f64 = a.0.iter().zip(b.0).map(|(x, y)| (x - y) * (x - y)).sum();
        let along: f64 = a.0.iter().zip(b.0).map(|(x, y)| x * y).sum();
        let family = if a.1 == b.1 { self.settings.family } else { 0.0 };
        let shape = if a.2 == b.2 { SHAPE } else { 0.0 };
        (-0.5 * apart).exp() + 0.25 * along + 10.0 + family + shape
    }

    /// The inverse covariance P and P y of the training units.
    fn solved(&self, cells: &UnitCells) -> Option<SolvedUnits> {
        let places: Vec<[f64; N_FEATURES]> = cells.features.iter().map(|row| self.scaled(row)).collect();
        let n = places.len();
        let at = |i: usize| (&places[i], cells.families[i].as_str(), cells.shapes[i]);
        let covariance = Mat::from_fn(n, n, |i, j| {
            let noise = if i == j {
                self.settings.row / cells.rows[i] + 1e-6
            } else {
                0.0
            };
            self.kernel(at(i), at(j)) + noise
        });
        let (precision, _) = inverse(covariance).ok()?;
        let target: Vec<f64> = cells
            .scores
            .iter()
            .map(|score| (score - self.mean) / self.scale)
            .collect();
        let weights = (0..n)
            .map(|i| (0..n).map(|j| precision[(i, j)] * target[j]).sum())
            .collect();
        Some(SolvedUnits {
            places,
            precision,
            weights,
        })
    }
}

pub(super) struct SolvedUnits {
    pub(super) places: Vec<[f64; N_FEATURES]>,
    precision: Mat<f64>,
    pub(super) weights: Vec<f64>,
}

impl SolvedUnits {
    /// Leave-one-shape-out residuals of each unit in closed form, `(n_units,)`.
    fn misses(&self, shapes: &[u64]) -> Option<Vec<f64>> {
        let mut members: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for (unit, shape) in shapes.iter().enumerate() {
            members.entry(*shape).or_default().push(unit);
        }
        let mut misses = vec![0.0; shapes.len()];
        for own in members.values() {
            let block = Mat::from_fn(own.len(), own.len(), |i, j| self.precision[(own[i], own[j])]);
            let (inverted, _) = inverse(block).ok()?;
            for (i, &unit) in own.iter().enumerate() {
                misses[unit] = (0..own.len())
                    .map(|j| inverted[(i, j)] * self.weights[own[j]])
                    .sum();
            }
        }
        Some(misses)
    }
}

/// Number of settings whose predictions are averaged: with few shapes, which of the best has the least error is chance.
const AVERAGED: usize = 6;

/// The settings with the smallest mean squared leave-one-shape-out error, each shape counted once, the best first.
pub(super) fn chosen(cells: &UnitCells) -> Vec<(UnitProcess, SolvedUnits)> {
    let mut all: Vec<(f64, UnitProcess, SolvedUnits)> = Vec::new();
    for settings in settings() {
        let process = UnitProcess::new(cells, settings);
        let Some(solved) = process.solved(cells) else {
            continue;
        };
        let Some(misses) = solved.misses(&cells.shapes) else {
            continue;
        };
        let mut of_shapes: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
        for (miss, shape) in misses.iter().zip(&cells.shapes) {
            let entry = of_shapes.entry(*shape).or_default();
            *entry = (entry.0 + miss * miss, entry.1 + 1.0);
        }
        let error = mean(&of_shapes.values().map(|(sum, n)| sum / n).collect::<Vec<f64>>());
        all.push((error, process, solved));
    }
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let best = all.into_iter().take(AVERAGED);
    best.map(|(_, process, solved)| (process, solved)).collect()
}

impl UnitCells {
    /// Features of new units, made as by [`UnitCells::of`], with unknown tokens imputed from the known units by date.
    pub(super) fn of_new(new: &[Unit], known: &[Unit]) -> Vec<[f64; N_FEATURES]> {
        let both: Vec<Unit> = known.iter().chain(new).cloned().collect();
        let cells = Self::of(&both);
        let places: Vec<usize> = (known.len()..both.len()).collect();
        cells.only(&places).features
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// The closed-form residuals equal those of refitting without the shape.
    #[test]
    fn misses_are_those_of_refits() {
        let mut random = Random::new(9, 0);
        let n = 24;
        let cells = UnitCells {
            features: (0..n)
                .map(|_| std::array::from_fn(|_| random.uniform()))
                .collect(),
            families: (0..n).map(|k| format!("{}", k % 5)).collect(),
            shapes: (0..n).map(|k| (k / 2) as u64).collect(),
            rows: (0..n).map(|k| 1.0 + (k % 4) as f64).collect(),
            scores: (0..n).map(|_| 40.0 + 9.0 * random.uniform()).collect(),
        };
        for settings in settings() {
            let process = UnitProcess::new(&cells, settings);
            let solved = process.solved(&cells).expect("solved");
            let misses = solved.misses(&cells.shapes).expect("misses");
            for held in [0_u64, 7] {
                let keep: Vec<usize> = (0..n).filter(|&unit| cells.shapes[unit] != held).collect();
                let rest = cells.only(&keep);
                // With the same standardisation, as the identity holds for a fixed covariance.
                let refit = process.solved(&rest).expect("solved");
                for unit in (0..n).filter(|&unit| cells.shapes[unit] == held) {
                    let at = process.scaled(&cells.features[unit]);
                    let value: f64 = (0..rest.scores.len())
                        .map(|other| {
                            let train = (
                                &refit.places[other],
                                rest.families[other].as_str(),
                                rest.shapes[other],
                            );
                            process.kernel((&at, cells.families[unit].as_str(), held), train)
                                * refit.weights[other]
                        })
                        .sum();
                    let miss = (cells.scores[unit] - process.mean) / process.scale - value;
                    assert!(
                        (miss - misses[unit]).abs() < 1e-9,
                        "{miss} is not {}",
                        misses[unit]
                    );
                }
            }
        }
    }
}
