//! Singular values of gradients, and norms and ranks derived from them.
//!
//! A gradient in factors `dW = dYᵀ·X`: with `dYᵀ = Q₁R₁` and `Xᵀ = Q₂R₂` (Householder QR), the singular values of `dW`
//! are those of the small matrix `R₁·R₂ᵀ`. A dense gradient: square roots of the eigenvalues of the smaller Gram
//! matrix. All in `f64`. The Gram matrix loses singular values below about `1e-8·σ_max`, which is below the precision
//! of `f32` gradients.

use faer::{Mat, Side};
use serde::{Deserialize, Serialize};

use crate::decoder::gradient::GradientMatrix;
use crate::error::{Error, Result};

/// Summary of a gradient's singular values `σᵢ`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spectrum {
    /// `Σ σᵢ`.
    pub nuclear_norm: f64,
    /// `max σᵢ`.
    pub sigma_max: f64,
    /// `√Σ σᵢ²`.
    pub frobenius: f64,
    /// `exp(−Σ pᵢ ln pᵢ)`, `pᵢ = σᵢ / Σ σ` (Roy and Vetterli 2007); 0 for a zero matrix.
    pub effective_rank: f64,
}

impl Spectrum {
    /// Computes the summary from singular values in any order.
    pub fn of(values: &[f64]) -> Self {
        let nuclear_norm: f64 = values.iter().sum();
        let entropy: f64 = values
            .iter()
            .map(|v| v / nuclear_norm)
            .filter(|p| *p > 0.0)
            .map(|p| -p * p.ln())
            .sum();
        Self {
            nuclear_norm,
            sigma_max: values.iter().copied().fold(0.0, f64::max),
            frobenius: values.iter().map(|v| v * v).sum::<f64>().sqrt(),
            effective_rank: if nuclear_norm > 0.0 { entropy.exp() } else { 0.0 },
        }
    }
}

/// Singular values of a gradient, greatest first; values that must be zero because of its rank are left out.
///
/// # Errors
/// [`Error::NoConvergence`] if the decomposition does not converge.
pub fn singular_values(gradient: &GradientMatrix) -> Result<Vec<f64>> {
    let mut values = match gradient {
        GradientMatrix::Factors { dy, x, n_out, n_in } => of_factors(dy, x, *n_out, *n_in)?,
        GradientMatrix::Dense { values, n_out, n_in } => of_dense(values, *n_out, *n_in)?,
    };
    values.sort_by(|a, b| b.total_cmp(a));
    Ok(values)
}

fn of_factors(dy: &[f32], x: &[f32], n_out: usize, n_in: usize) -> Result<Vec<f64>> {
    let tokens = x.len() / n_in;
    if tokens == 0 {
        return Ok(Vec::new());
    }
    let triangle = |rows: &[f32], width: usize| {
        let matrix = Mat::from_fn(width, tokens, |i, j| f64::from(rows[j * width + i]));
        matrix.qr().thin_R().to_owned()
    };
    let core = triangle(dy, n_out) * triangle(x, n_in).transpose();
    let (rows, columns) = (core.nrows(), core.ncols());
    core.singular_values().map_err(|_| Error::NoConvergence {
        routine: "singular value decomposition",
        rows,
        columns,
    })
}

fn of_dense(values: &[f32], n_out: usize, n_in: usize) -> Result<Vec<f64>> {
    let matrix = Mat::from_fn(n_out, n_in, |i, j| f64::from(values[i * n_in + j]));
    let gram = if n_out < n_in {
        &matrix * matrix.transpose()
    } else {
        matrix.transpose() * &matrix
    };
    let n = gram.nrows();
    let eigenvalues = gram
        .self_adjoint_eigenvalues(Side::Lower)
        .map_err(|_| Error::NoConvergence {
            routine: "eigenvalue decomposition",
            rows: n,
            columns: n,
        })?;
    Ok(eigenvalues
        .into_iter()
        .map(|value| value.max(0.0).sqrt())
        .collect())
}
