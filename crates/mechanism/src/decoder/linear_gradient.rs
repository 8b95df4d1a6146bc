//! Matrices and feed-forward networks backwards.

use super::elementwise::{activate, activate_derivative, add, multiply_by};
use super::feed_forward::Inner;
use super::gradient::GradientMatrix;
use super::linear::{Linear, Mlp};
use super::matmul::{View, multiply_parallel};
use crate::config::Activation;

/// Gradient of a [`Linear`].
#[derive(Debug, Clone)]
pub struct LinearGradient {
    /// Of the matrix.
    pub weight: GradientMatrix,
    /// Of the bias.
    pub bias: Option<Vec<f32>>,
}

impl LinearGradient {
    pub(super) fn new(linear: &Linear) -> Self {
        Self {
            weight: GradientMatrix::new(linear.n_out, linear.n_in),
            bias: linear.bias.as_ref().map(|bias| vec![0.0; bias.len()]),
        }
    }

    pub(super) fn absorb(&mut self, other: &Self) {
        self.weight.absorb(&other.weight);
        if let (Some(bias), Some(added)) = (&mut self.bias, &other.bias) {
            add(bias, added);
        }
    }
}

/// Gradients of an [`Mlp`].
#[derive(Debug, Clone)]
#[expect(
    missing_docs,
    reason = "each field is the gradient of the field of that name in `Mlp`"
)]
pub struct MlpGradient {
    pub gate: Option<LinearGradient>,
    pub up: LinearGradient,
    pub down: LinearGradient,
}

impl MlpGradient {
    pub(super) fn new(mlp: &Mlp) -> Self {
        Self {
            gate: mlp.gate.as_ref().map(LinearGradient::new),
            up: LinearGradient::new(&mlp.up),
            down: LinearGradient::new(&mlp.down),
        }
    }

    pub(super) fn linears(&self) -> impl Iterator<Item = &LinearGradient> {
        self.gate.iter().chain([&self.up, &self.down])
    }

    pub(super) fn linears_mut(&mut self) -> impl Iterator<Item = &mut LinearGradient> {
        self.gate.iter_mut().chain([&mut self.up, &mut self.down])
    }
}

/// `dx += dy·W`, and the gradients of `W` and its bias.
pub(super) fn linear_backward(
    linear: &Linear,
    x: &[f32],
    dy: &[f32],
    gradient: &mut LinearGradient,
    dx: &mut [f32],
) {
    let rows = dy.len() / linear.n_out;
    multiply_parallel(
        dx,
        View::new(dy, rows, linear.n_out, linear.n_out),
        linear.view(),
        1.0,
    );
    gradient.weight.add(dy, x);
    if let Some(bias) = &mut gradient.bias {
        for row in dy.chunks_exact(linear.n_out) {
            add(bias, row);
        }
    }
}

/// From the gradient of a feed-forward network's output to that of its input `x`; `inner` is what stood inside.
pub(super) fn mlp_backward(
    kind: Activation,
    mlp: &Mlp,
    x: &[f32],
    inner: &Inner,
    d_out: &[f32],
    gradient: &mut MlpGradient,
) -> Vec<f32> {
    let mut d_hidden = vec![0.0; inner.hidden.len()];
    linear_backward(&mlp.down, &inner.hidden, d_out, &mut gradient.down, &mut d_hidden);
    let mut d_input = vec![0.0; x.len()];
    let mut scratch = vec![0.0; d_hidden.len()];
    if let (Some(gate), Some(gate_gradient)) = (&mlp.gate, &mut gradient.gate) {
        activate_derivative(kind, &inner.gate, &mut scratch);
        multiply_by(&mut scratch, &inner.up);
        multiply_by(&mut scratch, &d_hidden);
        linear_backward(gate, x, &scratch, gate_gradient, &mut d_input);
        activate(kind, &inner.gate, &mut scratch);
    } else {
        activate_derivative(kind, &inner.up, &mut scratch);
    }
    multiply_by(&mut d_hidden, &scratch);
    linear_backward(&mlp.up, x, &d_hidden, &mut gradient.up, &mut d_input);
    d_input
}
