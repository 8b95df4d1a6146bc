//! The factor model, fitted by expectation-maximisation.
//!
//! y = α + w'z + e for the log odds y of a cell, with e of variance ψ (by benchmark) plus the sampling variance of its
//! items; z = B x + m + r with x the known attributes of the checkpoint, m the effect of its unit ([`super::units`]), r
//! its own of variance one. α, w, ψ, B and the covariance of m are found by steps that each increase the likelihood
//! (Dempster, Laird and Rubin 1977; with the variance of r freed and rescaled each time, Liu, Rubin and Wu 1998).
//! Loadings of benchmarks with few checkpoints are shrunk to those of the same test elsewhere, and these to the mean of
//! all.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::columns::Columns;
use super::small::{self, SmallMatrix, Vector};
use super::units::{CHOICES, LatentEffects, LatentUnits, Said, Shares};
use super::{FACTORS, LatentTable};
use crate::random::{Random, gauss};
use crate::statistics::{mean, standard_deviation};

/// Number of EM steps; below, the number between two updates of the unit effects.
const STEPS: usize = 24;
const BETWEEN: usize = 6;
/// Number of alternating least-squares passes for the starting values.
const PASSES: usize = 80;
/// Weight, in checkpoints, of the prior mean of a loading (same test elsewhere, and mean of all tests).
const WORTH: f64 = 4.0;
/// Ridge penalty added to the diagonal of the columns' cross-products.
const RIDGE: f64 = 10.0;

/// A fitted model.
pub(super) struct LatentFit {
    pub(super) alpha: Vec<f64>,
    pub(super) loadings: Vec<Vector>,
    pub(super) psi: Vec<f64>,
    /// Coefficients of the standardised columns, one vector of factors per column.
    slopes: Vec<Vector>,
    spread: SmallMatrix,
    pub(super) shares: Shares,
    /// Posterior mean and, below, covariance of z, per row.
    pub(super) means: Vec<Vector>,
    pub(super) covariances: Vec<SmallMatrix>,
}

/// Whether a cell, given by row and index in the row, may be used by a fit.
pub(super) type Mask<'a> = &'a (dyn Fn(usize, usize) -> bool + Sync);

struct Seen<'a> {
    table: &'a LatentTable,
    cells: Vec<Vec<(usize, f64, f64)>>,
    columns: &'a Columns,
    units: &'a LatentUnits,
    /// Per benchmark: row and index of the cell within the row.
    of_benchmarks: Vec<Vec<(usize, usize)>>,
}

/// Fits the model to the cells that `sees` accepts; a row without any is predicted from its columns and unit.
pub(super) fn fit(
    table: &LatentTable,
    columns: &Columns,
    units: &LatentUnits,
    sees: Mask<'_>,
    shares: Option<Shares>,
) -> Option<LatentFit> {
    let cells: Vec<Vec<(usize, f64, f64)>> = table
        .rows
        .iter()
        .enumerate()
        .map(|(place, row)| {
            let kept = row.cells.iter().enumerate();
            kept.filter(|(cell, _)| sees(place, *cell))
                .map(|(_, cell)| (cell.benchmark, cell.log_odds, cell.variance))
                .collect()
        })
        .collect();
    let mut of_benchmarks = vec![Vec::new(); table.benchmarks.len()];
    for (row, cells) in cells.iter().enumerate() {
        for (place, (benchmark, ..)) in cells.iter().enumerate() {
            of_benchmarks[*benchmark].push((row, place));
        }
    }
    let columns = columns.with_boards(table, &cells);
    let seen = Seen {
        table,
        cells,
        columns: &columns,
        units,
        of_benchmarks,
    };
    let mut fit = seen.begin();
    let mut effects: Option<LatentEffects> = None;
    for step in 0..STEPS {
        if step % BETWEEN == 0 {
            let said = seen.said(&fit);
            if step == 0 {
                fit.shares = shares.unwrap_or(CHOICES[0]);
            } else if step == BETWEEN && shares.is_none() {
                let tried: Vec<(f64, Shares)> = CHOICES
                    .par_iter()
                    .filter_map(|shares| {
                        let found = units.effects(&said, &fit.spread, *shares)?;
                        Some((found.log_likelihood, *shares))
                    })
                    .collect();
                let best = tried.iter().max_by(|a, b| a.0.total_cmp(&b.0))?;
                fit.shares = best.1;
            }
            let found = units.effects(&said, &fit.spread, fit.shares)?;
            fit.spread = found.spread;
            effects = Some(found);
        }
        seen.expect(&mut fit, effects.as_ref()?);
        let scale = seen.maximise(&mut fit, effects.as_ref()?);
        if let Some(effects) = &mut effects {
            // Rescales the effects to a unit variance of r.
            for (mean, covariance) in effects.means.iter_mut().zip(&mut effects.covariances) {
                *mean = small::of(&scale, mean);
                *covariance = small::product(&small::product(&scale, covariance), &small::transposed(&scale));
            }
        }
    }
    let last = units.effects(&seen.said(&fit), &fit.spread, fit.shares)?;
    seen.expect(&mut fit, &last);
    Some(fit)
}

impl Seen<'_> {
    /// Starting values; loadings have a small random part, so that factors can differ.
    fn begin(&self) -> LatentFit {
        let n = self.table.benchmarks.len();
        let mut random = Random::new(20_261_129, 1);
        let of = |benchmark: usize| -> Vec<f64> {
            let own = self.of_benchmarks[benchmark].iter();
            own.map(|(row, place)| self.cells[*row][*place].1).collect()
        };
        let spread = |values: &[f64]| {
            if values.len() > 2 {
                standard_deviation(values)
            } else {
                1.0
            }
        };
        let values: Vec<Vec<f64>> = (0..n).map(of).collect();
        let rows = self.table.rows.len();
        let (alpha, first, places) = self.linked(&values);
        LatentFit {
            alpha,
            loadings: first
                .iter()
                .map(|own| {
                    std::array::from_fn(|factor| {
                        let along = if factor == 0 { 1.0 } else { 0.0 };
                        own * (along + 0.3 * gauss(&mut random))
                    })
                })
                .collect(),
            psi: values
                .iter()
                .map(|own| (0.3 * spread(own).powi(2)).max(0.02))
                .collect(),
            slopes: self
                .regressed(|row| std::array::from_fn(|factor| if factor == 0 { places[row] } else { 0.0 })),
            spread: small::identity(1.0),
            shares: CHOICES[0],
            means: vec![[0.0; FACTORS]; rows],
            covariances: vec![small::identity(1.0); rows],
        }
    }

    /// Means, slopes and abilities of a one-factor model by alternating least squares. EM is slow where few checkpoints
    /// link boards, so the relation of boards is found here first, without any shrinkage.
    fn linked(&self, values: &[Vec<f64>]) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
        let mut alpha: Vec<f64> = values
            .iter()
            .map(|own| if own.is_empty() { 0.0 } else { mean(own) })
            .collect();
        let of_spread = |own: &Vec<f64>| {
            if own.len() > 2 {
                standard_deviation(own)
            } else {
                1.0
            }
        };
        let mut slopes: Vec<f64> = values.iter().map(|own| of_spread(own).clamp(0.1, 2.0)).collect();
        let mut places = vec![0.0; self.table.rows.len()];
        for _ in 0..PASSES {
            for (place, cells) in places.iter_mut().zip(&self.cells) {
                let (mut along, mut squares) = (0.0, 0.05);
                for (benchmark, value, _) in cells {
                    along += slopes[*benchmark] * (value - alpha[*benchmark]);
                    squares += slopes[*benchmark] * slopes[*benchmark];
                }
                *place = along / squares;
            }
            let known: Vec<f64> = places
                .iter()
                .zip(&self.cells)
                .filter(|(_, cells)| !cells.is_empty())
                .map(|(place, _)| *place)
                .collect();
            let (centre, spread) = (mean(&known), standard_deviation(&known).max(1e-9));
            for place in &mut places {
                *place = (*place - centre) / spread;
            }
            let usual = mean(&slopes);
            for (benchmark, own) in self
                .of_benchmarks
                .iter()
                .enumerate()
                .filter(|(_, own)| own.len() > 1)
            {
                let at = |(row, place): &(usize, usize)| (places[*row], self.cells[*row][*place].1);
                let (mut x, mut y) = (0.0, 0.0);
                for (place, value) in own.iter().map(at) {
                    x += place / own.len() as f64;
                    y += value / own.len() as f64;
                }
                let (mut cross, mut squares) = (WORTH * usual, WORTH);
                for (place, value) in own.iter().map(at) {
                    cross += (place - x) * (value - y);
                    squares += (place - x) * (place - x);
                }
                slopes[benchmark] = cross / squares;
                alpha[benchmark] = y - slopes[benchmark] * x;
            }
        }
        (alpha, slopes, places)
    }

    /// Likelihood of z from a row's cells, as precision and information vector.
    fn heard(&self, fit: &LatentFit, row: usize) -> (SmallMatrix, Vector) {
        let (mut precision, mut information) = (small::ZERO, [0.0; FACTORS]);
        for (benchmark, value, variance) in &self.cells[row] {
            let w = &fit.loadings[*benchmark];
            let weight = 1.0 / (fit.psi[*benchmark] + variance);
            for p in 0..FACTORS {
                information[p] += weight * w[p] * (value - fit.alpha[*benchmark]);
                for q in 0..FACTORS {
                    precision[p][q] += weight * w[p] * w[q];
                }
            }
        }
        (precision, information)
    }

    fn by_columns(&self, fit: &LatentFit, row: usize) -> Vector {
        let mut sum = [0.0; FACTORS];
        for (x, slope) in self.columns.values[row].iter().zip(&fit.slopes) {
            for (sum, slope) in sum.iter_mut().zip(slope) {
                *sum += x * slope;
            }
        }
        sum
    }

    /// Precision and information vector of a row for its unit's effect.
    fn of_unit(&self, fit: &LatentFit, row: usize) -> (SmallMatrix, Vector) {
        let (precision, information) = self.heard(fit, row);
        let own = small::inverse(&small::plus(&precision, &small::identity(1.0)));
        let on_sum = small::minus(&small::identity(1.0), &own);
        let pulled = small::of(&on_sum, &self.by_columns(fit, row));
        (on_sum, small::less(&small::of(&own, &information), &pulled))
    }

    fn said(&self, fit: &LatentFit) -> Said {
        let each: Vec<(SmallMatrix, Vector)> = (0..self.table.rows.len())
            .into_par_iter()
            .map(|row| match self.table.rows[row].unit {
                Some(_) => self.of_unit(fit, row),
                None => (small::ZERO, [0.0; FACTORS]),
            })
            .collect();
        let n = self.units.len();
        let mut said = Said {
            precision: vec![small::ZERO; n],
            information: vec![[0.0; FACTORS]; n],
        };
        for (row, (precision, information)) in self.table.rows.iter().zip(&each) {
            if let Some(unit) = row.unit {
                said.precision[unit] = small::plus(&said.precision[unit], precision);
                said.information[unit] = small::added(&said.information[unit], information);
            }
        }
        said
    }

    /// Posterior mean and covariance of the effect of a row's unit; a row without a unit is a unit of its own.
    fn effect(&self, fit: &LatentFit, effects: &LatentEffects, row: usize) -> (Vector, SmallMatrix) {
        if let Some(unit) = self.table.rows[row].unit {
            return (effects.means[unit], effects.covariances[unit]);
        }
        let (precision, information) = self.of_unit(fit, row);
        let prior = small::inverse(&fit.spread);
        let covariance = small::inverse(&small::plus(&prior, &precision));
        (small::of(&covariance, &information), covariance)
    }

    fn expect(&self, fit: &mut LatentFit, effects: &LatentEffects) {
        let fitted: &LatentFit = fit;
        let found: Vec<(Vector, SmallMatrix)> = (0..self.table.rows.len())
            .into_par_iter()
            .map(|row| {
                let (precision, information) = self.heard(fitted, row);
                let own = small::inverse(&small::plus(&precision, &small::identity(1.0)));
                let (effect, covariance) = self.effect(fitted, effects, row);
                let pulled = small::added(
                    &information,
                    &small::added(&self.by_columns(fitted, row), &effect),
                );
                let through = small::product(&small::product(&own, &covariance), &own);
                (small::of(&own, &pulled), small::plus(&own, &through))
            })
            .collect();
        (fit.means, fit.covariances) = found.into_iter().unzip();
    }

    /// The M step; returns the matrix by which vectors were rescaled to a unit variance of r.
    fn maximise(&self, fit: &mut LatentFit, effects: &LatentEffects) -> SmallMatrix {
        self.benchmarks(fit);
        fit.slopes = self.regressed(|row| small::less(&fit.means[row], &self.effect(fit, effects, row).0));
        let fitted: &LatentFit = fit;
        let parts: Vec<SmallMatrix> = (0..self.table.rows.len())
            .into_par_iter()
            .map(|row| {
                let (effect, covariance) = self.effect(fitted, effects, row);
                let left = small::less(
                    &fitted.means[row],
                    &small::added(&self.by_columns(fitted, row), &effect),
                );
                let (precision, _) = self.heard(fitted, row);
                let own = small::inverse(&small::plus(&precision, &small::identity(1.0)));
                let apart = small::minus(&small::identity(1.0), &own);
                let through = small::product(&small::product(&apart, &covariance), &apart);
                small::plus(&small::plus(&own, &through), &small::outer(&left, &left))
            })
            .collect();
        let mut own = small::ZERO;
        for part in &parts {
            own = small::plus(&own, &small::scaled(part, 1.0 / parts.len() as f64));
        }
        let half = small::factor(&own);
        let scale = small::inverse_of_lower(&half);
        let turned = small::transposed(&half);
        for w in &mut fit.loadings {
            *w = small::of(&turned, w);
        }
        for slope in &mut fit.slopes {
            *slope = small::of(&scale, slope);
        }
        let both = |a: &SmallMatrix| small::product(&small::product(&scale, a), &small::transposed(&scale));
        fit.spread = both(&fit.spread);
        for (mean, covariance) in fit.means.iter_mut().zip(&mut fit.covariances) {
            *mean = small::of(&scale, mean);
            *covariance = both(covariance);
        }
        scale
    }

    fn benchmarks(&self, fit: &mut LatentFit) {
        // Sums for the prior means of loadings: over sources of the same test, and over all tests.
        let mut all = ([0.0; FACTORS], 0.0_f64);
        let mut tests: BTreeMap<&str, (Vector, f64)> = BTreeMap::new();
        for (known, w) in self.table.benchmarks.iter().zip(&fit.loadings) {
            let own = tests.entry(&known.test).or_insert(([0.0; FACTORS], 0.0));
            *own = (small::added(&own.0, w), own.1 + 1.0);
            all = (small::added(&all.0, w), all.1 + 1.0);
        }
        let all: Vector = all.0.map(|sum| sum / all.1.max(1.0));
        let fitted: &LatentFit = fit;
        let found: Vec<(f64, Vector, f64)> = (0..self.table.benchmarks.len())
            .into_par_iter()
            .map(|benchmark| {
                let (sum, n) = tests[self.table.benchmarks[benchmark].test.as_str()];
                let own = &fitted.loadings[benchmark];
                // With a single source there are no others, and the mean of all remains.
                let towards: Vector = std::array::from_fn(|p| (all[p] + sum[p] - own[p]) / n);
                self.benchmark(fitted, benchmark, &towards)
            })
            .collect();
        for (benchmark, (alpha, w, psi)) in found.into_iter().enumerate() {
            fit.alpha[benchmark] = alpha;
            fit.loadings[benchmark] = w;
            fit.psi[benchmark] = psi;
        }
    }

    /// Weighted least squares of a benchmark's cells on the expected z, then its residual variance ψ.
    fn benchmark(&self, fit: &LatentFit, benchmark: usize, towards: &Vector) -> (f64, Vector, f64) {
        let own = &self.of_benchmarks[benchmark];
        let old = fit.psi[benchmark];
        if own.len() < 2 {
            return (fit.alpha[benchmark], *towards, old);
        }
        let (mut weights, mut z, mut y) = (0.0, [0.0; FACTORS], 0.0);
        for (row, place) in own {
            let (_, value, variance) = self.cells[*row][*place];
            let weight = 1.0 / (old + variance);
            weights += weight;
            y += weight * value;
            z = std::array::from_fn(|p| z[p] + weight * fit.means[*row][p]);
        }
        let z: Vector = z.map(|sum| sum / weights);
        let y = y / weights;
        let prior = WORTH / old;
        let (mut second, mut cross) = (small::identity(prior), towards.map(|w| prior * w));
        for (row, place) in own {
            let (_, value, variance) = self.cells[*row][*place];
            let weight = 1.0 / (old + variance);
            let apart = small::less(&fit.means[*row], &z);
            let moment = small::plus(&small::outer(&apart, &apart), &fit.covariances[*row]);
            second = small::plus(&second, &small::scaled(&moment, weight));
            cross = std::array::from_fn(|p| cross[p] + weight * apart[p] * (value - y));
        }
        let w = small::of(&small::inverse(&second), &cross);
        let alpha = y - small::inner(&w, &z);
        let mut spread = 0.0;
        for (row, place) in own {
            let (_, value, variance) = self.cells[*row][*place];
            let left = value - alpha - small::inner(&w, &fit.means[*row]);
            let squared = left * left + small::form(&fit.covariances[*row], &w);
            let share = old / (old + variance);
            spread += share * share * squared + share * variance;
        }
        (alpha, w, ((spread + 0.1) / (own.len() as f64 + 2.0)).max(1e-3))
    }

    /// Ridge regression of a vector per row on the columns.
    fn regressed(&self, of: impl Fn(usize) -> Vector) -> Vec<Vector> {
        let k = self.columns.values.first().map_or(0, Vec::len);
        let mut second = vec![vec![0.0; k]; k];
        let mut cross = vec![[0.0; FACTORS]; k];
        for (row, x) in self.columns.values.iter().enumerate() {
            let left = of(row);
            for a in 0..k {
                for b in 0..k {
                    second[a][b] += x[a] * x[b];
                }
                cross[a] = std::array::from_fn(|p| cross[a][p] + x[a] * left[p]);
            }
        }
        let ridge = faer::Mat::from_fn(k, k, |a, b| second[a][b] + if a == b { RIDGE } else { 0.0 });
        let Ok((inverted, _)) = crate::algebra::inverse(ridge) else {
            return vec![[0.0; FACTORS]; k];
        };
        (0..k)
            .map(|a| std::array::from_fn(|p| (0..k).map(|b| inverted[(a, b)] * cross[b][p]).sum()))
            .collect()
    }
}

impl LatentFit {
    /// Predictive mean and variance of a cell's log odds, without the sampling variance of its items.
    pub(super) fn cell(&self, row: usize, benchmark: usize) -> (f64, f64) {
        let w = &self.loadings[benchmark];
        (
            self.alpha[benchmark] + small::inner(w, &self.means[row]),
            small::form(&self.covariances[row], w) + self.psi[benchmark],
        )
    }
}
