//! Predictive uncertainty of the structural regression, and its leave-one-shape-out predictions.
//!
//! With P the inverse of the cells' covariance and g the cells of one shape, the prediction of g from all other shapes
//! differs from the cells' means by `inv(P_gg) (P y)_g`, with covariance `inv(P_gg)`, so every shape is left out
//! without refitting (Rasmussen and Williams 2006, section 5.4.2, by blocks). Centre, level and scales remain those of
//! all rows.

use faer::Mat;
use rayon::prelude::*;

use super::features::SHAPE;
use super::process::{Cells, Solved, invert, kernel, solve};
use super::{Features, Structural, StructuralFit};
use crate::design::Design;
use crate::error::Error;
use crate::regression::{check_columns, distinct_rows};

/// A prediction for one row with its uncertainty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// Predicted value, in the target's unit.
    pub value: f64,
    /// Standard deviation of a new row around the prediction according to the process. It is a relative measure of
    /// difficulty and must be calibrated before it is used for intervals.
    pub deviation: f64,
}

/// Distance of a point from the training data.
#[derive(Debug, Clone, PartialEq)]
pub struct Novelty {
    /// Distance to the nearest cell, in length scales of the features.
    pub distance: f64,
    /// 95 % quantile over known shapes of the distance to the nearest cell of another shape.
    pub usual: f64,
    /// Features outside their training range: name, value, lowest and highest value, as transformed for the regression.
    pub outside: Vec<(String, f64, f64, f64)>,
    /// Number of training rows of the same shape.
    pub n_of_shape: usize,
}

/// A fit with its predictive uncertainty.
#[derive(Debug, Clone)]
pub struct Posterior {
    pub(super) fit: StructuralFit,
    solved: Solved,
    /// Cell index of each training row.
    cell_of: Vec<u32>,
    /// Mean target of each cell.
    mean: Vec<f64>,
}

impl Structural {
    /// As [`Structural::fit_structural`] on rows of equal weight, keeping the matrices for the uncertainty.
    ///
    /// # Errors
    /// As [`Structural::fit_structural`].
    pub fn posterior(&self, design: &Design, target: &[f64]) -> Result<Posterior, Error> {
        crate::design::check_input(design, target, None)?;
        let features = Features::new(design)?;
        let derived = features.derive(design)?;
        let cells = Cells::new(&derived, target, None)?;
        let mean = cells.means().to_vec();
        let solved = solve(&cells, &features, self)?;
        let (_, cell_of) = distinct_rows(&derived);
        Ok(Posterior {
            fit: StructuralFit {
                names: design.names().to_vec(),
                features,
                process: solved.process.clone(),
            },
            solved,
            cell_of,
            mean,
        })
    }
}

impl Posterior {
    /// The fit without its uncertainty.
    pub fn fit(&self) -> &StructuralFit {
        &self.fit
    }

    /// Predictions for new rows, `(n_rows,)`. A row of a known shape includes that shape's random effect.
    ///
    /// # Errors
    /// As [`crate::Fit::predict`].
    pub fn predict(&self, design: &Design) -> Result<Vec<Prediction>, Error> {
        let derived = self.derive(design)?;
        let (first, row_of) = distinct_rows(&derived);
        let one = |&r: &usize| {
            let (shape, z) = place(&derived, r);
            Prediction {
                value: self.solved.process.predict(&z, &shape),
                deviation: self.deviation(&z, &shape),
            }
        };
        let found: Vec<Prediction> = first.par_iter().map(one).collect();
        Ok(row_of.iter().map(|&g| found[g as usize]).collect())
    }

    /// Prediction of each training row from all shapes but its own, `(n_rows,)`.
    ///
    /// # Errors
    /// [`Error::CannotCompute`] where a block cannot be inverted.
    pub fn out_of_shape(&self) -> Result<Vec<Prediction>, Error> {
        let Solved {
            process,
            inverse,
            shape,
            weight,
            target,
        } = &self.solved;
        let n = target.len();
        let mut cells = Vec::with_capacity(n);
        let mut start = 0;
        while start < n {
            let size = shape[start..].iter().take_while(|&&s| s == shape[start]).count();
            let block = Mat::from_fn(size, size, |i, j| inverse[(start + i, start + j)]);
            let covariance = invert(block)?;
            let pulled: Vec<f64> = (start..start + size)
                .map(|i| (0..n).map(|j| inverse[(j, i)] * target[j]).sum())
                .collect();
            for i in 0..size {
                let miss: f64 = (0..size).map(|j| covariance[(i, j)] * pulled[j]).sum();
                // Replaces the sampling variance of the cell's mean by the variance of a single row.
                let own = process.scales.row;
                let variance = covariance[(i, i)] - own / weight[start + i] + own;
                cells.push(Prediction {
                    value: self.mean[start + i] - miss * process.variance.sqrt(),
                    deviation: (process.variance * variance.max(own)).sqrt(),
                });
            }
            start += size;
        }
        Ok(self.cell_of.iter().map(|&cell| cells[cell as usize]).collect())
    }

    /// Distance of each row from the training data, `(n_rows,)`.
    ///
    /// # Errors
    /// As [`crate::Fit::predict`].
    pub fn novelty(&self, design: &Design) -> Result<Vec<Novelty>, Error> {
        let derived = self.derive(design)?;
        let usual = self.usual_distance();
        Ok((0..derived.n_rows())
            .map(|r| {
                let (shape, z) = place(&derived, r);
                let of_shape = |cell: &usize| self.solved.process.shape[*cell] == shape;
                Novelty {
                    distance: self.nearest(&self.centred(&z), |_| true),
                    usual,
                    outside: self.outside(&z),
                    n_of_shape: (0..self.mean.len())
                        .filter(of_shape)
                        .map(|cell| self.solved.weight[cell] as usize)
                        .sum(),
                }
            })
            .collect())
    }

    pub(super) fn derive(&self, design: &Design) -> Result<Design, Error> {
        check_columns(&self.fit.names, design)?;
        self.fit.features.derive(design)
    }

    pub(super) fn centred(&self, z: &[f64]) -> Vec<f64> {
        z.iter()
            .zip(&self.solved.process.center)
            .map(|(z, center)| z - center)
            .collect()
    }

    /// Centred features of each cell.
    pub(super) fn cells(&self) -> &[Vec<f64>] {
        &self.solved.process.z
    }

    /// One cell per shape: the one with most rows.
    pub(super) fn cell_of_each_shape(&self) -> Vec<usize> {
        let mut chosen: Vec<usize> = Vec::new();
        for (cell, &shape) in self.solved.shape.iter().enumerate() {
            match chosen.get_mut(shape) {
                Some(best) if self.solved.weight[cell] > self.solved.weight[*best] => *best = cell,
                Some(_) => {}
                None => chosen.push(cell),
            }
        }
        chosen
    }

    fn deviation(&self, z: &[f64], shape: &[f64; 4]) -> f64 {
        let process = &self.solved.process;
        let scales = &process.scales;
        let z = self.centred(z);
        let n = self.mean.len();
        let near: Vec<f64> = (0..n)
            .map(|cell| {
                let same = if process.shape[cell] == *shape {
                    scales.shape
                } else {
                    0.0
                };
                kernel(&z, &process.z[cell], &process.straight, scales) + same
            })
            .collect();
        let explained: f64 = (0..n)
            .map(|i| {
                // The matrix is symmetric, so a column, which is contiguous in memory, serves as a row.
                let row: f64 = (0..n).map(|j| self.solved.inverse[(j, i)] * near[j]).sum();
                near[i] * row
            })
            .sum();
        let prior = kernel(&z, &z, &process.straight, scales) + scales.shape;
        // Rounding may explain more than the prior variance; the variance of a row always remains.
        (process.variance * ((prior - explained).max(0.0) + scales.row)).sqrt()
    }

    fn nearest(&self, z: &[f64], is_meant: impl Fn(usize) -> bool) -> f64 {
        let process = &self.solved.process;
        let cells = (0..self.mean.len()).filter(|&cell| is_meant(cell));
        let squared = cells.map(|cell| -> f64 {
            let parts = z.iter().zip(&process.z[cell]).zip(&process.scales.lengths);
            parts.map(|((a, b), length)| ((a - b) / length).powi(2)).sum()
        });
        squared.fold(f64::INFINITY, f64::min).sqrt()
    }

    /// The 95 % quantile over shapes of the distance from a shape's largest cell to the nearest cell of another shape.
    fn usual_distance(&self) -> f64 {
        let distances: Vec<f64> = self
            .cell_of_each_shape()
            .into_iter()
            .map(|cell| {
                let own = self.solved.shape[cell];
                self.nearest(&self.solved.process.z[cell], |other| {
                    self.solved.shape[other] != own
                })
            })
            .filter(|distance| distance.is_finite())
            .collect();
        crate::statistics::quantile(&distances, 0.95)
    }

    fn outside(&self, z: &[f64]) -> Vec<(String, f64, f64, f64)> {
        let process = &self.solved.process;
        let centred = self.centred(z);
        let mut found = Vec::new();
        for (f, name) in self.fit.features.names.iter().enumerate() {
            let column = process.z.iter().map(|cell| cell[f]);
            let (low, high) = column.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| {
                (low.min(x), high.max(x))
            });
            // Features are rounded, so half a step beyond a limit still counts as inside.
            if centred[f] < low - 0.05 || centred[f] > high + 0.05 {
                let center = process.center[f];
                found.push((name.clone(), z[f], low + center, high + center));
            }
        }
        found
    }
}

/// Shape and features of one derived row.
pub(super) fn place(derived: &Design, row: usize) -> ([f64; 4], Vec<f64>) {
    let values = derived.row(row);
    let shape = [values[0], values[1], values[2], values[3]];
    (shape, values[SHAPE.len()..].to_vec())
}
