//! Gradients of matrices, kept as low-rank factors as long as these are smaller.
//!
//! The gradient of `y = x·Wᵀ` is `dW = dYᵀ·X`, one row of each factor per token, so its rank is at most the number of
//! tokens. With fewer tokens than columns, the factors determine the gradient and the matrix need not be formed.

use super::matmul::{View, multiply_parallel};

/// Gradient of a matrix `(n_out, n_in)`.
#[derive(Debug, Clone)]
pub enum GradientMatrix {
    /// `dW = dyᵀ·x`.
    Factors {
        /// Gradient of the output, `(tokens, n_out)`; tokens whose row is zero are left out here and in `x`.
        dy: Vec<f32>,
        /// Input, `(tokens, n_in)`.
        x: Vec<f32>,
        /// Width of the output.
        n_out: usize,
        /// Width of the input.
        n_in: usize,
    },
    /// The matrix itself, row-major.
    Dense {
        /// `(n_out, n_in)`.
        values: Vec<f32>,
        /// Width of the output.
        n_out: usize,
        /// Width of the input.
        n_in: usize,
    },
}

impl GradientMatrix {
    /// A zero gradient.
    pub fn new(n_out: usize, n_in: usize) -> Self {
        Self::Factors {
            dy: Vec::new(),
            x: Vec::new(),
            n_out,
            n_in,
        }
    }

    /// `(n_out, n_in)`.
    pub fn shape(&self) -> (usize, usize) {
        match self {
            Self::Factors { n_out, n_in, .. } | Self::Dense { n_out, n_in, .. } => (*n_out, *n_in),
        }
    }

    /// Adds `dyᵀ·x`; `dy` is `(tokens, n_out)`, `x` `(tokens, n_in)`.
    pub fn add(&mut self, dy: &[f32], x: &[f32]) {
        let (n_out, n_in) = self.shape();
        if let Self::Factors {
            dy: rows, x: columns, ..
        } = self
        {
            for (dy, x) in dy.chunks_exact(n_out).zip(x.chunks_exact(n_in)) {
                if dy.iter().any(|v| *v != 0.0) {
                    rows.extend_from_slice(dy);
                    columns.extend_from_slice(x);
                }
            }
            // Above three quarters of the smaller dimension, the dense form is cheaper.
            if 4 * (rows.len() / n_out) > 3 * n_out.min(n_in) {
                *self = Self::Dense {
                    values: self.dense(),
                    n_out,
                    n_in,
                };
            }
        } else if let Self::Dense { values, .. } = self {
            accumulate(values, dy, x, n_out, n_in);
        }
    }

    /// Adds another gradient of the same matrix.
    pub fn absorb(&mut self, other: &Self) {
        match other {
            Self::Factors { dy, x, .. } => self.add(dy, x),
            Self::Dense {
                values: added,
                n_out,
                n_in,
            } => {
                let mut values = self.dense();
                super::elementwise::add(&mut values, added);
                *self = Self::Dense {
                    values,
                    n_out: *n_out,
                    n_in: *n_in,
                };
            }
        }
    }

    /// The matrix `(n_out, n_in)`, row-major.
    pub fn dense(&self) -> Vec<f32> {
        match self {
            Self::Dense { values, .. } => values.clone(),
            Self::Factors { dy, x, n_out, n_in } => {
                let mut values = vec![0.0; n_out * n_in];
                accumulate(&mut values, dy, x, *n_out, *n_in);
                values
            }
        }
    }
}

fn accumulate(values: &mut [f32], dy: &[f32], x: &[f32], n_out: usize, n_in: usize) {
    let tokens = x.len() / n_in;
    if tokens > 0 {
        multiply_parallel(
            values,
            View::new(dy, tokens, n_out, n_out).t(),
            View::new(x, tokens, n_in, n_in),
            1.0,
        );
    }
}
