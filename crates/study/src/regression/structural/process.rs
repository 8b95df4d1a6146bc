//! The Gaussian process behind the structural regression: fitting, selection of scales, prediction.

use faer::Mat;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Structural;
use super::features::{Features, SHAPE};
use crate::algebra::inverse;
use crate::design::Design;
use crate::error::Error;
use crate::regression::distinct::Distinct;

/// Hyperparameters of the process: length scales, and variances as shares of the target's variance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scales {
    /// Length scale per feature; in the settings: of size, widening, grouping, date, and any other feature.
    pub lengths: Vec<f64>,
    /// Variance of the function of the features.
    pub function: f64,
    /// Variance of the random effect of a shape, which no feature explains.
    pub shape: f64,
    /// Variance of a single row around the mean of its cell.
    pub row: f64,
}

impl Default for Scales {
    fn default() -> Self {
        Self {
            lengths: vec![2.0, 1.0, 1.0, 2.0, 2.0],
            function: 1.0,
            shape: 0.1,
            row: 0.5,
        }
    }
}

/// Variance of the linear part for a step of one length scale, as a share of the function's variance.
const STRAIGHT: f64 = 0.25;
/// Prior variance of the overall level, as a share of the function's variance; large, so that any level is possible.
const LEVEL: f64 = 10.0;

/// Cells: groups of rows with one shape and equal features, each treated as one observation.
#[derive(Debug)]
pub(crate) struct Cells {
    /// `(n_cells, n_features)`.
    z: Vec<Vec<f64>>,
    shape: Vec<[f64; 4]>,
    /// Number of rows, by weight.
    weight: Vec<f64>,
    mean: Vec<f64>,
}

impl Cells {
    /// Groups the rows of a derived design: the shape's columns, then the features.
    pub(super) fn new(derived: &Design, target: &[f64], weights: Option<&[f64]>) -> Result<Self, Error> {
        let distinct = Distinct::new(derived, target, weights)?;
        let row = |g: usize| -> Vec<f64> {
            let features = SHAPE.len()..distinct.n_features();
            features.map(|f| distinct.value(f, g)).collect()
        };
        Ok(Self {
            z: (0..distinct.len()).map(row).collect(),
            shape: (0..distinct.len())
                .map(|g| [0, 1, 2, 3].map(|f| distinct.value(f, g)))
                .collect(),
            weight: distinct.total_weight,
            mean: distinct.mean,
        })
    }

    /// Mean target of each cell.
    pub(super) fn means(&self) -> &[f64] {
        &self.mean
    }
}

/// A fitted process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Process {
    pub(super) scales: Scales,
    /// Whether each feature has a linear part.
    pub(super) straight: Vec<bool>,
    pub(super) center: Vec<f64>,
    /// Mean of the cells and, below, their variance.
    pub(super) mean: f64,
    pub(super) variance: f64,
    pub(super) z: Vec<Vec<f64>>,
    pub(super) shape: Vec<[f64; 4]>,
    /// Weight of each cell in a prediction.
    pub(super) pull: Vec<f64>,
}

impl Process {
    /// Prediction at features `z` for a shape.
    pub(super) fn predict(&self, z: &[f64], shape: &[f64]) -> f64 {
        let z: Vec<f64> = z.iter().zip(&self.center).map(|(z, c)| z - c).collect();
        let cells = self.z.iter().zip(&self.shape).zip(&self.pull);
        let pulled = cells.map(|((other, of), pull)| {
            let same = if of == shape { self.scales.shape } else { 0.0 };
            pull * (kernel(&z, other, &self.straight, &self.scales) + same)
        });
        self.mean + self.variance * pulled.sum::<f64>()
    }

    /// Contribution of feature `f` to the covariance of a point and a cell: a factor of the radial part and a summand
    /// of the linear part. [`Process::of_parts`] combines them to the value of [`kernel`].
    pub(super) fn factor(&self, f: usize, place: f64, cell: f64) -> (f64, f64) {
        let length = self.scales.lengths[f];
        let near = (-0.5 * ((place - cell) / length).powi(2)).exp();
        let straight = if self.straight[f] {
            (place / length) * (cell / length)
        } else {
            0.0
        };
        (near, straight)
    }

    /// Covariance from the product of the radial factors and the sum of the linear ones.
    pub(super) fn of_parts(&self, near: f64, straight: f64) -> f64 {
        together(near, straight, &self.scales)
    }

    pub(super) fn is_sound(&self, n_features: usize) -> bool {
        let n = self.pull.len();
        [self.z.len(), self.shape.len()] == [n; 2]
            && [self.center.len(), self.scales.lengths.len(), self.straight.len()] == [n_features; 3]
            && self.z.iter().all(|z| z.len() == n_features)
    }
}

/// Covariance of the function at two points, as a share of the target's variance.
pub(super) fn kernel(a: &[f64], b: &[f64], straight: &[bool], scales: &Scales) -> f64 {
    let (mut squared, mut product) = (0.0, 0.0);
    for (((a, b), length), straight) in a.iter().zip(b).zip(&scales.lengths).zip(straight) {
        squared += ((a - b) / length).powi(2);
        if *straight {
            product += (a / length) * (b / length);
        }
    }
    together((-0.5 * squared).exp(), product, scales)
}

fn together(near: f64, straight: f64, scales: &Scales) -> f64 {
    scales.function * (near + STRAIGHT * straight + LEVEL)
}

/// A fitted process with the matrices needed for its uncertainty.
#[derive(Debug, Clone)]
pub(super) struct Solved {
    pub(super) process: Process,
    /// Inverse of the cells' covariance, in shares of the target's variance, `(n_cells, n_cells)`.
    pub(super) inverse: Mat<f64>,
    /// Shape id of each cell; ids ascend with the cells.
    pub(super) shape: Vec<usize>,
    /// Number of rows of each cell, by weight.
    pub(super) weight: Vec<f64>,
    /// Standardised cell means (mean 0, variance 1).
    pub(super) target: Vec<f64>,
}

pub(super) fn fit(cells: &Cells, features: &Features, settings: &Structural) -> Result<Process, Error> {
    Ok(solve(cells, features, settings)?.process)
}

pub(super) fn solve(cells: &Cells, features: &Features, settings: &Structural) -> Result<Solved, Error> {
    let n = cells.mean.len();
    let d = features.names.len();
    // Cells have root-n weights in the level and the variance, as many rows of one cell say little more than a few.
    let root: Vec<f64> = cells.weight.iter().map(|w| w.sqrt()).collect();
    let total: f64 = root.iter().sum();
    let average = |value: &dyn Fn(usize) -> f64| (0..n).map(|i| root[i] * value(i)).sum::<f64>() / total;
    let mean = average(&|i| cells.mean[i]);
    let variance = average(&|i| (cells.mean[i] - mean).powi(2));
    let variance = if variance > 0.0 { variance } else { 1.0 };
    let center: Vec<f64> = (0..d)
        .map(|f| cells.z.iter().map(|z| z[f]).sum::<f64>() / n as f64)
        .collect();
    let centered = |z: &Vec<f64>| z.iter().zip(&center).map(|(z, c)| z - c).collect();
    let mut shapes: Vec<[f64; 4]> = cells.shape.clone();
    shapes.dedup();
    let problem = Problem {
        z: cells.z.iter().map(centered).collect(),
        shape: cells
            .shape
            .iter()
            .map(|s| shapes.partition_point(|t| t.partial_cmp(s).is_some_and(std::cmp::Ordering::is_lt)))
            .collect(),
        weight: &cells.weight,
        straight: features.straight(),
        target: cells.mean.iter().map(|m| (m - mean) / variance.sqrt()).collect(),
    };
    let start = Scales {
        lengths: features
            .scale_of()
            .into_iter()
            .map(|k| settings.start.lengths.get(k).copied().unwrap_or(1.0))
            .collect(),
        ..settings.start.clone()
    };
    let scales = problem.search(start, settings)?;
    let inverse = problem.inverse(&scales)?;
    let pull = (0..n).map(|i| {
        let row = (0..n).map(|j| inverse[(j, i)] * problem.target[j]);
        row.sum::<f64>() / variance.sqrt()
    });
    let pull = pull.collect();
    Ok(Solved {
        inverse,
        shape: problem.shape,
        weight: cells.weight.clone(),
        target: problem.target,
        process: Process {
            pull,
            straight: problem.straight,
            z: problem.z,
            shape: cells.shape.clone(),
            scales,
            center,
            mean,
            variance,
        },
    })
}

struct Problem<'a> {
    z: Vec<Vec<f64>>,
    /// Shape ids, which ascend with the cells.
    shape: Vec<usize>,
    weight: &'a [f64],
    straight: Vec<bool>,
    /// Standardised cell means (mean 0, variance 1).
    target: Vec<f64>,
}

impl Problem<'_> {
    /// Coordinate search over the scales, in factors of two, that minimises the leave-one-shape-out error.
    fn search(&self, start: Scales, settings: &Structural) -> Result<Scales, Error> {
        let n_scales = start.lengths.len() + 3;
        let cost = |moves: &[i32]| -> Result<f64, Error> {
            let far: f64 = moves.iter().map(|&m| (f64::from(m) * 2_f64.ln()).powi(2)).sum();
            Ok(self.error_out_of_shape(&moved(&start, moves))? + settings.inertia * far)
        };
        let mut moves = vec![0_i32; n_scales];
        if settings.rounds == 0 || self.shape.last() == Some(&0) {
            return Ok(start);
        }
        let mut best = cost(&moves)?;
        for _ in 0..settings.rounds {
            let before = moves.clone();
            for k in 0..n_scales {
                // Both neighbours are tried; the better is taken, the larger on a tie.
                let tried = [1, -1].map(|step| {
                    let mut other = moves.clone();
                    other[k] += step;
                    other
                });
                let costs: Vec<Result<f64, Error>> = tried.par_iter().map(|m| cost(m)).collect();
                for (other, found) in tried.into_iter().zip(costs) {
                    let found = found?;
                    if other[k].abs() <= 2 && found < best - 1e-9 {
                        best = found;
                        moves = other;
                    }
                }
            }
            if moves == before {
                break;
            }
        }
        Ok(moved(&start, &moves))
    }

    /// Mean squared error of leave-one-shape-out predictions in closed form: with the inverse covariance P and the
    /// cells g of a shape, the residuals are `inv(P_gg) (P y)_g`. Each shape is weighted by its number of rows.
    fn error_out_of_shape(&self, scales: &Scales) -> Result<f64, Error> {
        let inverse = self.inverse(scales)?;
        let n = self.target.len();
        let mut error = 0.0;
        let mut start = 0;
        while start < n {
            let size = self.shape[start..]
                .iter()
                .take_while(|&&s| s == self.shape[start])
                .count();
            let cells = start..start + size;
            let pulled: Vec<f64> = cells
                .clone()
                .map(|i| (0..n).map(|j| inverse[(i, j)] * self.target[j]).sum())
                .collect();
            let block = Mat::from_fn(size, size, |i, j| inverse[(start + i, start + j)]);
            let solved = invert(block)?;
            for i in 0..size {
                let residual: f64 = (0..size).map(|j| solved[(i, j)] * pulled[j]).sum();
                error += self.weight[start + i] * residual * residual;
            }
            start += size;
        }
        Ok(error / self.weight.iter().sum::<f64>())
    }

    /// Inverse of the cells' covariance.
    fn inverse(&self, scales: &Scales) -> Result<Mat<f64>, Error> {
        let covariance = |i: usize, j: usize| {
            if j > i {
                return 0.0;
            }
            let same = if self.shape[i] == self.shape[j] {
                scales.shape
            } else {
                0.0
            };
            let own = if i == j { scales.row / self.weight[i] } else { 0.0 };
            kernel(&self.z[i], &self.z[j], &self.straight, scales) + same + own
        };
        invert(Mat::from_fn(self.z.len(), self.z.len(), covariance))
    }
}

fn moved(start: &Scales, moves: &[i32]) -> Scales {
    let by = |k: usize| 2_f64.powi(moves[k]);
    let d = start.lengths.len();
    Scales {
        lengths: start.lengths.iter().enumerate().map(|(k, l)| l * by(k)).collect(),
        function: start.function * by(d),
        shape: start.shape * by(d + 1),
        row: start.row * by(d + 2),
    }
}

/// Inverse of a symmetric positive definite matrix given by its lower triangle.
pub(super) fn invert(lower: Mat<f64>) -> Result<Mat<f64>, Error> {
    let n = lower.nrows();
    let found = inverse(lower).map_err(|e| Error::CannotCompute {
        method: "structural",
        problem: format!("covariance of {n} cells cannot be factored: {e}"),
    })?;
    Ok(found.0)
}
