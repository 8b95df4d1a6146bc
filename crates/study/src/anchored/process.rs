//! Several benchmarks as independent Gaussian processes, one for each of their principal components.
//!
//! Scores become log odds of the range above chance, are standardised on the training rows, and are rotated to their
//! principal components, which are uncorrelated there. Each component is a process with a smooth part, a linear part,
//! an effect of the family, and a slope along size by family. Length scales, variances and noise are maximum a
//! posteriori estimates given the training rows and a prior that does not depend on data (normal on logarithms;
//! [`MIDDLES`], [`SPREADS`]).

use faer::Mat;
use rayon::prelude::*;

use super::{AnchoredBenchmark, AnchoredRow};
use crate::algebra::inverse;
use crate::descent::descend;
use crate::statistics::{mean, standard_deviation};
use crate::svd::Svd;

/// Number of features: ln size, ln tokens, whether tuned.
const FEATURES: usize = 3;
/// Number of hyperparameters: logarithms of three length scales, three variances of linear parts, and those of the
/// smooth part, families, family slopes and noise.
const PARAMETERS: usize = 2 * FEATURES + 4;
const SMOOTH: usize = 2 * FEATURES;
const FAMILY: usize = SMOOTH + 1;
const SLOPE: usize = SMOOTH + 2;
const NOISE: usize = SMOOTH + 3;
/// Means and standard deviations of the prior.
const MIDDLES: [f64; PARAMETERS] = [0.405, 0.405, 0.405, -1.0, -1.5, -1.5, -1.0, -1.0, -3.0, -2.5];
const SPREADS: [f64; PARAMETERS] = [0.5, 0.5, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
/// Prior variance of the constant.
const CONSTANT: f64 = 1.0;
const JITTER: f64 = 1e-6;
const STEPS: usize = 60;
/// Shares above chance are clamped this far from 0 and 1, as in [`crate::latent`].
const EDGE: f64 = crate::latent::EDGE;

/// Log odds of a score given in points.
pub(super) fn log_odds(known: &AnchoredBenchmark, score: f64) -> f64 {
    let share = ((score - known.chance) / (100.0 - known.chance)).clamp(0.0, 1.0);
    let share = (share + EDGE) / (1.0 + 2.0 * EDGE);
    (share / (1.0 - share)).ln()
}

/// Score in points from log odds.
pub(super) fn score(known: &AnchoredBenchmark, log_odds: f64) -> f64 {
    let share = 1.0 / (1.0 + (-log_odds).exp());
    let share = (share * (1.0 + 2.0 * EDGE) - EDGE).clamp(0.0, 1.0);
    known.chance + (100.0 - known.chance) * share
}

/// Standardised features and families of rows.
struct Places<'a> {
    at: Vec<[f64; FEATURES]>,
    families: Vec<&'a str>,
}

impl<'a> Places<'a> {
    fn raw(row: &AnchoredRow) -> [f64; FEATURES] {
        [row.size.ln(), row.tokens.ln(), f64::from(u8::from(row.is_tuned))]
    }

    /// Features of some rows, standardised by the training rows.
    fn of(rows: &[&'a AnchoredRow], train: &[&AnchoredRow]) -> Self {
        let by: [(f64, f64); FEATURES] = std::array::from_fn(|k| {
            let own: Vec<f64> = train.iter().map(|row| Self::raw(row)[k]).collect();
            let spread = standard_deviation(&own);
            (mean(&own), if spread > 1e-9 { spread } else { 1.0 })
        });
        Self {
            at: rows
                .iter()
                .map(|row| std::array::from_fn(|k| (Self::raw(row)[k] - by[k].0) / by[k].1))
                .collect(),
            families: rows.iter().map(|row| row.family.as_str()).collect(),
        }
    }
}

/// Summands of a covariance without noise (smooth, linear, family, family slope), and the squared distances.
fn parts(
    variances: &[f64; PARAMETERS],
    (a, b): (&[f64; FEATURES], &[f64; FEATURES]),
    same_family: bool,
) -> ([f64; FEATURES], [f64; FEATURES + 3]) {
    let apart: [f64; FEATURES] = std::array::from_fn(|k| ((a[k] - b[k]) / variances[k]).powi(2));
    let mut own = [0.0; FEATURES + 3];
    own[0] = variances[SMOOTH] * (-0.5 * apart.iter().sum::<f64>()).exp();
    for k in 0..FEATURES {
        own[1 + k] = variances[FEATURES + k] * a[k] * b[k];
    }
    if same_family {
        own[FEATURES + 1] = variances[FAMILY];
        own[FEATURES + 2] = variances[SLOPE] * a[0] * b[0];
    }
    (apart, own)
}

fn covariance(
    variances: &[f64; PARAMETERS],
    at: (&[f64; FEATURES], &[f64; FEATURES]),
    same_family: bool,
) -> f64 {
    CONSTANT + parts(variances, at, same_family).1.iter().sum::<f64>()
}

fn exponentials(logarithms: &[f64]) -> [f64; PARAMETERS] {
    std::array::from_fn(|k| logarithms[k].exp())
}

/// The matrices needed for prediction.
struct Fitted {
    variances: [f64; PARAMETERS],
    precision: Mat<f64>,
    weights: Vec<f64>,
    scale: f64,
}

fn solved(
    places: &Places<'_>,
    variances: &[f64; PARAMETERS],
    y: &[f64],
) -> Option<(Mat<f64>, f64, Vec<f64>)> {
    let n = y.len();
    // Only the lower triangle is read.
    let whole = Mat::from_fn(n, n, |i, j| {
        if i < j {
            return 0.0;
        }
        let same = places.families[i] == places.families[j];
        let own = if i == j { variances[NOISE] + JITTER } else { 0.0 };
        covariance(variances, (&places.at[i], &places.at[j]), same) + own
    });
    let (precision, log_determinant) = inverse(whole).ok()?;
    let weights = (0..n)
        .map(|i| (0..n).map(|j| precision[(j, i)] * y[j]).sum())
        .collect();
    Some((precision, log_determinant, weights))
}

/// Negative log posterior up to a constant, and its gradient.
pub(super) fn misfit(
    at: &[[f64; FEATURES]],
    families: &[&str],
    y: &[f64],
    logarithms: &[f64],
) -> Option<(f64, Vec<f64>)> {
    let places = Places {
        at: at.to_vec(),
        families: families.to_vec(),
    };
    let variances = exponentials(logarithms);
    let (precision, log_determinant, weights) = solved(&places, &variances, y)?;
    let n = y.len();
    let quadratic: f64 = weights.iter().zip(y).map(|(w, y)| w * y).sum();
    let mut value = 0.5 * (quadratic + log_determinant);
    let mut slopes = vec![0.0; PARAMETERS];
    for i in 0..n {
        for j in 0..=i {
            let twice = if i == j { 1.0 } else { 2.0 };
            let pull = -0.5 * twice * (weights[i] * weights[j] - precision[(i, j)]);
            let (apart, own) = parts(&variances, (&at[i], &at[j]), families[i] == families[j]);
            for k in 0..FEATURES {
                slopes[k] += pull * own[0] * apart[k];
                slopes[FEATURES + k] += pull * own[1 + k];
            }
            slopes[SMOOTH] += pull * own[0];
            slopes[FAMILY] += pull * own[FEATURES + 1];
            slopes[SLOPE] += pull * own[FEATURES + 2];
            if i == j {
                slopes[NOISE] += pull * variances[NOISE];
            }
        }
    }
    for k in 0..PARAMETERS {
        let off = (logarithms[k] - MIDDLES[k]) / SPREADS[k];
        value += 0.5 * off * off;
        slopes[k] += off / SPREADS[k];
    }
    value.is_finite().then_some((value, slopes))
}

/// Predictive mean in log odds and variance of a row on a benchmark, including the row's noise.
pub(super) type Expected = (f64, f64);

/// Predictions for the tested rows from the training rows, `(n_tested, n_benchmarks)`; `None` for fewer than ten rows.
pub(super) fn expected(
    benchmarks: &[AnchoredBenchmark],
    train: &[&AnchoredRow],
    tested: &[&AnchoredRow],
) -> Option<Vec<Vec<Expected>>> {
    if train.len() < 10 {
        return None;
    }
    let (known, new) = (Places::of(train, train), Places::of(tested, train));
    let mut columns = Vec::with_capacity(benchmarks.len());
    let mut scales = Vec::with_capacity(benchmarks.len());
    for (place, benchmark) in benchmarks.iter().enumerate() {
        let own: Vec<f64> = train
            .iter()
            .map(|row| log_odds(benchmark, row.scores[place]))
            .collect();
        let (centre, spread) = (mean(&own), standard_deviation(&own));
        let spread = if spread > 1e-9 { spread } else { 1.0 };
        columns.push(own.iter().map(|x| (x - centre) / spread).collect::<Vec<f64>>());
        scales.push((centre, spread));
    }
    let directions = Svd::new(&columns).right;
    let fitted: Vec<Fitted> = directions
        .par_iter()
        .map(|direction| {
            let y: Vec<f64> = (0..train.len())
                .map(|row| {
                    direction
                        .iter()
                        .zip(&columns)
                        .map(|(w, column)| w * column[row])
                        .sum()
                })
                .collect();
            let scale = standard_deviation(&y).max(1e-9);
            let y: Vec<f64> = y.iter().map(|y| y / scale).collect();
            let told = |logarithms: &[f64]| misfit(&known.at, &known.families, &y, logarithms);
            let (best, _) = descend(&MIDDLES, STEPS, told)?;
            let variances = exponentials(&best);
            let (precision, _, weights) = solved(&known, &variances, &y)?;
            Some(Fitted {
                variances,
                precision,
                weights,
                scale,
            })
        })
        .collect::<Option<Vec<Fitted>>>()?;
    let rows = (0..tested.len()).map(|row| {
        let along: Vec<(f64, f64)> = fitted.iter().map(|fit| fit.at(&known, &new, row)).collect();
        let one = |(place, (centre, spread)): (usize, &(f64, f64))| {
            let (mut value, mut variance) = (0.0, 0.0);
            for (direction, (mean, own)) in directions.iter().zip(&along) {
                value += direction[place] * mean;
                variance += direction[place].powi(2) * own;
            }
            (centre + spread * value, spread * spread * variance)
        };
        scales.iter().enumerate().map(one).collect()
    });
    Some(rows.collect())
}

impl Fitted {
    fn at(&self, known: &Places<'_>, new: &Places<'_>, row: usize) -> (f64, f64) {
        let place = &new.at[row];
        let to: Vec<f64> = known
            .at
            .iter()
            .zip(&known.families)
            .map(|(other, family)| covariance(&self.variances, (other, place), *family == new.families[row]))
            .collect();
        let value: f64 = to.iter().zip(&self.weights).map(|(k, w)| k * w).sum();
        let n = to.len();
        let told: f64 = (0..n)
            .map(|i| to[i] * (0..n).map(|j| self.precision[(j, i)] * to[j]).sum::<f64>())
            .sum();
        let own = covariance(&self.variances, (place, place), true) + self.variances[NOISE];
        (
            self.scale * value,
            self.scale * self.scale * (own - told).max(JITTER),
        )
    }
}
