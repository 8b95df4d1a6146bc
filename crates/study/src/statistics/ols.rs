//! Ordinary least squares with cluster-robust standard errors.
//!
//! The covariance is the cluster sandwich with the small-sample factor G/(G−1) · (n−1)/(n−k) (Liang and Zeger 1986,
//! <https://doi.org/10.1093/biomet/73.1.13>; CR1 of Cameron and Miller 2015, <https://doi.org/10.3368/jhr.50.2.317>),
//! with tests and intervals by Student's t with G − 1 degrees of freedom, as in statsmodels with `cov_type="cluster",
//! use_t=True`.

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::error::Error;
use crate::finding::Interval;
use crate::statistics::scaled::Scaled;

/// Coefficients with their covariance.
#[derive(Debug, Clone, PartialEq)]
pub struct OlsFit {
    /// One per column.
    pub coefficients: Vec<f64>,
    /// `(n_columns, n_columns)`.
    pub covariance: Vec<Vec<f64>>,
    /// Number of rows.
    pub n: usize,
    /// Number of groups.
    pub n_groups: usize,
}

/// A linear combination of coefficients.
#[derive(Debug, Clone, PartialEq)]
pub struct Contrast {
    /// Value of the combination.
    pub value: f64,
    /// Standard error.
    pub error: f64,
    /// Two-sided p value of the hypothesis that it is zero.
    pub p: f64,
    /// 95 % interval.
    pub interval: Option<Interval>,
}

/// Name of the method in errors.
const METHOD: &str = "clustered least squares";

/// Fits `target` on `columns` (give a column of ones for an intercept).
///
/// # Shapes and units
/// - `columns`: `(n_columns, n_rows)`; `target`, `groups`: `(n_rows,)`.
///
/// # Errors
/// [`Error::CannotCompute`] for fewer rows than columns, fewer than two groups, or collinear columns.
pub fn clustered_ols(columns: &[Vec<f64>], target: &[f64], groups: &[u32]) -> Result<OlsFit, Error> {
    let (n, k) = (target.len(), columns.len());
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by_key(|&row| groups[row]);
    let members: Vec<&[usize]> = order.chunk_by(|&a, &b| groups[a] == groups[b]).collect();
    let n_groups = members.len();
    if n <= k || n_groups < 2 {
        return Err(Error::CannotCompute {
            method: METHOD,
            problem: format!("{n} rows in {n_groups} groups for {k} columns"),
        });
    }
    let Scaled {
        columns: scaled,
        lengths,
        svd,
    } = Scaled::of(columns, METHOD)?;
    // (X'X)⁻¹ = V S⁻² Vᵀ, and β = V S⁻¹ Uᵀ y.
    let mut bread = vec![vec![0.0; k]; k];
    let mut coefficients = vec![0.0; k];
    for (component, &singular) in svd.singular.iter().enumerate() {
        let right = &svd.right[component];
        let along: f64 = svd.left[component].iter().zip(target).map(|(u, y)| u * y).sum();
        for i in 0..k {
            coefficients[i] += right[i] * along / singular;
            for j in 0..k {
                bread[i][j] += right[i] * right[j] / (singular * singular);
            }
        }
    }
    let residual: Vec<f64> = (0..n)
        .map(|row| target[row] - (0..k).map(|j| scaled[j][row] * coefficients[j]).sum::<f64>())
        .collect();
    let mut meat = vec![vec![0.0; k]; k];
    for rows in &members {
        let score: Vec<f64> = scaled
            .iter()
            .map(|column| rows.iter().map(|&row| column[row] * residual[row]).sum())
            .collect();
        for i in 0..k {
            for j in 0..k {
                meat[i][j] += score[i] * score[j];
            }
        }
    }
    let (g, rows) = (n_groups as f64, n as f64);
    let factor = g / (g - 1.0) * (rows - 1.0) / (rows - k as f64);
    let half = product(&bread, &meat);
    let covariance = product(&half, &bread);
    Ok(OlsFit {
        coefficients: coefficients
            .iter()
            .zip(&lengths)
            .map(|(b, length)| b / length)
            .collect(),
        covariance: (0..k)
            .map(|i| {
                (0..k)
                    .map(|j| factor * covariance[i][j] / (lengths[i] * lengths[j]))
                    .collect()
            })
            .collect(),
        n,
        n_groups,
    })
}

fn product(a: &[Vec<f64>], b: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let cell = |row: &Vec<f64>, j: usize| row.iter().zip(b).map(|(x, b)| x * b[j]).sum();
    a.iter()
        .map(|row| (0..b.len()).map(|j| cell(row, j)).collect())
        .collect()
}

impl OlsFit {
    /// The combination Σ weights(j) · coefficient(j).
    pub fn contrast(&self, weights: &[f64]) -> Contrast {
        let value = weights.iter().zip(&self.coefficients).map(|(w, b)| w * b).sum();
        let variance: f64 = weights
            .iter()
            .zip(&self.covariance)
            .map(|(w, row)| w * row.iter().zip(weights).map(|(c, v)| c * v).sum::<f64>())
            .sum();
        let error = variance.max(0.0).sqrt();
        let level = 0.95;
        let law = StudentsT::new(0.0, 1.0, self.n_groups as f64 - 1.0).ok();
        let t: f64 = value / error;
        Contrast {
            value,
            error,
            p: law
                .as_ref()
                .filter(|_| t.is_finite())
                .map_or(f64::NAN, |law| 2.0 * law.sf(t.abs())),
            interval: law.filter(|_| error > 0.0 && error.is_finite()).map(|law| {
                let half = law.inverse_cdf(0.5 + level / 2.0) * error;
                Interval {
                    low: value - half,
                    high: value + half,
                    level,
                    method: format!("clustered over {} groups, t", self.n_groups),
                }
            }),
        }
    }

    /// The estimate of one coefficient.
    pub fn coefficient(&self, place: usize) -> Contrast {
        let weights: Vec<f64> = (0..self.coefficients.len())
            .map(|j| f64::from(u8::from(j == place)))
            .collect();
        self.contrast(&weights)
    }
}
