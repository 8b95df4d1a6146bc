//! Linear mixed models by restricted maximum likelihood.
//!
//! `y = Xβ + Σ Z_k u_k + e` with `u_k ~ N(0, θ_k)` and `e ~ N(0, θ + known)`, `known` being a given variance of each
//! row. Groupings may be nested or crossed. Variances are estimated by average-information steps (Gilmour, Thompson and
//! Cullis 1995, <https://doi.org/10.2307/2533274>), halved until the restricted likelihood increases; variances are
//! kept at or above zero. Fixed effects are the generalised least squares estimates at these variances.

use faer::Mat;

use super::robust::dot;
use crate::algebra::inverse;
use crate::error::Error;

/// Data of a mixed model.
#[derive(Debug, Clone, Copy)]
pub struct Mixed<'a> {
    /// Fixed-effect columns `(n_columns, n_rows)`, with a column of ones for the intercept.
    pub columns: &'a [Vec<f64>],
    /// Target values, `(n_rows,)`.
    pub target: &'a [f64],
    /// The group of each row, `(n_groupings, n_rows)`.
    pub groupings: &'a [Vec<u32>],
    /// Known part of each row's residual variance, `(n_rows,)`, added to the estimated one; empty where there is none.
    pub known: &'a [f64],
}

/// A fitted mixed model.
#[derive(Debug, Clone, PartialEq)]
pub struct MixedFit {
    /// Fixed effects, `(n_columns,)`.
    pub coefficients: Vec<f64>,
    /// Covariance of the fixed effects at the estimated variances, `(n_columns, n_columns)`.
    pub covariance: Vec<Vec<f64>>,
    /// Variance of each grouping, `(n_groupings,)`.
    pub variances: Vec<f64>,
    /// Residual variance.
    pub residual: f64,
    /// Restricted log-likelihood, without constant terms.
    pub log_likelihood: f64,
    /// Inverse of the covariance matrix of the rows, `(n_rows, n_rows)`.
    pub precision: Vec<Vec<f64>>,
}

const STEPS: usize = 200;
const HALVINGS: usize = 30;
const CLOSE: f64 = 1e-11;

/// The likelihood at given variances, and the quantities for the next step.
struct At {
    log_likelihood: f64,
    coefficients: Vec<f64>,
    covariance: Vec<Vec<f64>>,
    precision: Vec<Vec<f64>>,
    /// P = V⁻¹ − V⁻¹ X (X' V⁻¹ X)⁻¹ X' V⁻¹.
    projection: Vec<Vec<f64>>,
    /// P y.
    left: Vec<f64>,
}

impl Mixed<'_> {
    /// Fits the model.
    ///
    /// # Errors
    /// [`Error::CannotCompute`] if there are no more rows than columns, columns are collinear, lengths differ, or the
    /// columns explain the target exactly.
    pub fn fit(&self) -> Result<MixedFit, Error> {
        let (n, k) = (self.target.len(), self.columns.len());
        let cannot = |problem: String| Error::CannotCompute {
            method: "restricted maximum likelihood",
            problem,
        };
        let lengths_fit = self.columns.iter().all(|column| column.len() == n)
            && self.groupings.iter().all(|groups| groups.len() == n)
            && (self.known.is_empty() || self.known.len() == n);
        if n <= k || !lengths_fit {
            return Err(cannot(format!("{n} rows for {k} columns")));
        }
        // Starting values: the residual variance of ordinary least squares, divided evenly.
        let parts = self.groupings.len() + 1;
        let plain = super::LinearDesign::new(self.columns)?.fit(self.target);
        let spread = dot(&plain.residuals, &plain.residuals) / plain.df;
        if spread <= 0.0 {
            return Err(cannot("the columns explain the target without rest".into()));
        }
        let least = 1e-10 * spread;
        let mut theta = vec![spread / parts as f64; parts];
        let mut here = self
            .at(&theta)
            .ok_or_else(|| cannot(format!("the {k} columns are collinear")))?;
        for _ in 0..STEPS {
            let step = self.step(&theta, &here, least);
            let mut moved = None;
            let mut share = 1.0;
            for _ in 0..HALVINGS {
                let next: Vec<f64> = theta
                    .iter()
                    .zip(&step)
                    .map(|(t, s)| (t + share * s).max(0.0))
                    .collect();
                // With a residual variance of zero the covariance of the rows may be singular.
                let next_at = self.at(&next);
                if let Some(at) = next_at.filter(|at| at.log_likelihood > here.log_likelihood) {
                    moved = Some((next, at));
                    break;
                }
                share *= 0.5;
            }
            let Some((next, at)) = moved else { break };
            let gain = at.log_likelihood - here.log_likelihood;
            let change = theta
                .iter()
                .zip(&next)
                .map(|(a, b)| (a - b).abs() / (a.abs() + least))
                .fold(0.0, f64::max);
            (theta, here) = (next, at);
            if gain < CLOSE && change < 1e-7 {
                break;
            }
        }
        Ok(MixedFit {
            coefficients: here.coefficients,
            covariance: here.covariance,
            residual: theta[parts - 1],
            variances: theta[..parts - 1].to_vec(),
            log_likelihood: here.log_likelihood,
            precision: here.precision,
        })
    }

    /// The derivative of the rows' covariance matrix with respect to variance `part`, times a vector.
    fn spread(&self, part: usize, v: &[f64]) -> Vec<f64> {
        let Some(groups) = self.groupings.get(part) else {
            return v.to_vec();
        };
        let most = groups.iter().max().map_or(0, |most| *most as usize + 1);
        let mut sums = vec![0.0; most];
        for (group, x) in groups.iter().zip(v) {
            sums[*group as usize] += x;
        }
        groups.iter().map(|group| sums[*group as usize]).collect()
    }

    fn at(&self, theta: &[f64]) -> Option<At> {
        let (n, k) = (self.target.len(), self.columns.len());
        let residual = *theta.last()?;
        let covariance_of_rows = Mat::from_fn(n, n, |i, j| {
            let shared: f64 = self
                .groupings
                .iter()
                .zip(theta)
                .map(|(groups, t)| if groups[i] == groups[j] { *t } else { 0.0 })
                .sum();
            let own = residual + self.known.get(i).copied().unwrap_or_default();
            shared + if i == j { own } else { 0.0 }
        });
        let (precision, of_rows) = rows_of(inverse(covariance_of_rows).ok()?);
        // V⁻¹ X, `(n_columns, n_rows)`.
        let weighted: Vec<Vec<f64>> = self
            .columns
            .iter()
            .map(|column| times(&precision, column))
            .collect();
        let information = Mat::from_fn(k, k, |i, j| dot(&weighted[i], &self.columns[j]));
        let (covariance, of_columns) = rows_of(inverse(information).ok()?);
        let pulled: Vec<f64> = weighted.iter().map(|column| dot(column, self.target)).collect();
        let coefficients = times(&covariance, &pulled);
        let mut projection = precision.clone();
        for i in 0..n {
            for a in 0..k {
                let share: f64 = (0..k).map(|b| covariance[a][b] * weighted[b][i]).sum();
                for (cell, x) in projection[i].iter_mut().zip(&weighted[a]) {
                    *cell -= share * x;
                }
            }
        }
        let left = times(&projection, self.target);
        let log_likelihood = -0.5 * (of_rows + of_columns + dot(self.target, &left));
        log_likelihood.is_finite().then_some(At {
            log_likelihood,
            coefficients,
            covariance,
            precision,
            projection,
            left,
        })
    }

    /// The average-information step; variances at zero that the likelihood would reduce further are kept fixed.
    fn step(&self, theta: &[f64], at: &At, least: f64) -> Vec<f64> {
        let (n, parts) = (self.target.len(), theta.len());
        let spread: Vec<Vec<f64>> = (0..parts).map(|part| self.spread(part, &at.left)).collect();
        let projected: Vec<Vec<f64>> = spread.iter().map(|v| times(&at.projection, v)).collect();
        let trace = |part: usize| -> f64 {
            match self.groupings.get(part) {
                None => (0..n).map(|i| at.projection[i][i]).sum(),
                Some(groups) => (0..n)
                    .map(|i| {
                        (0..n)
                            .filter(|&j| groups[i] == groups[j])
                            .map(|j| at.projection[i][j])
                            .sum::<f64>()
                    })
                    .sum(),
            }
        };
        let slope: Vec<f64> = (0..parts)
            .map(|part| -0.5 * (trace(part) - dot(&at.left, &spread[part])))
            .collect();
        let free: Vec<usize> = (0..parts)
            .filter(|&part| theta[part] > least || slope[part] > 0.0)
            .collect();
        let mut step = vec![0.0; parts];
        let information = Mat::from_fn(free.len(), free.len(), |i, j| {
            0.5 * dot(&spread[free[i]], &projected[free[j]])
        });
        if let Ok((inverted, _)) = inverse(information) {
            for (place, &part) in free.iter().enumerate() {
                step[part] = (0..free.len())
                    .map(|j| inverted[(place, j)] * slope[free[j]])
                    .sum();
            }
        } else {
            for &part in &free {
                step[part] = slope[part].signum() * theta[part].max(least);
            }
        }
        step
    }
}

impl MixedFit {
    /// Standard error of a fixed effect.
    pub fn error(&self, place: usize) -> f64 {
        self.covariance[place][place].max(0.0).sqrt()
    }
}

/// Rows of a matrix; the number is passed through.
fn rows_of((matrix, along): (Mat<f64>, f64)) -> (Vec<Vec<f64>>, f64) {
    let row = |i: usize| (0..matrix.ncols()).map(|j| matrix[(i, j)]).collect();
    ((0..matrix.nrows()).map(row).collect(), along)
}

/// Product of a matrix, given by rows, and a vector.
pub(crate) fn times(matrix: &[Vec<f64>], v: &[f64]) -> Vec<f64> {
    matrix.iter().map(|row| dot(row, v)).collect()
}

#[cfg(test)]
#[path = "mixed_tests.rs"]
mod tests;
