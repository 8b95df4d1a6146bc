//! Backward passes of linear layers and feed-forward networks.

use super::elementwise::add;
use super::feed_forward::Inner;
use super::gradient::GradientMatrix;
use super::linear::{Linear, Mlp};
use super::machine::Machine;
use crate::config::Activation;
use crate::error::Result;

/// Gradient of a [`Linear`].
#[derive(Debug, Clone)]
pub struct LinearGradient {
    /// Gradient of the matrix.
    pub weight: GradientMatrix,
    /// Gradient of the bias, if there is one.
    pub bias: Option<Vec<f32>>,
}

impl LinearGradient {
    pub(super) fn new<M: Machine>(linear: &Linear<M>) -> Self {
        Self {
            weight: GradientMatrix::new(linear.n_out, linear.n_in),
            bias: linear.bias.as_ref().map(|_| vec![0.0; linear.n_out]),
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
    pub(super) fn new<M: Machine>(mlp: &Mlp<M>) -> Self {
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

/// Computes `dx += dy·W`, and adds to the gradients of `W` and its bias.
pub(super) fn linear_backward<M: Machine>(
    machine: &M,
    linear: &Linear<M>,
    x: &M::Rows,
    dy: &M::Rows,
    gradient: &mut LinearGradient,
    dx: &mut M::Rows,
) -> Result<()> {
    machine.product_back(dy, &linear.matrix, dx);
    machine.gradient(dy, x, &mut gradient.weight, gradient.bias.as_mut())
}

/// Gradient of a feed-forward network's input `x`, from that of its output; `inner` holds the forward pass's
/// intermediate results.
pub(super) fn mlp_backward<M: Machine>(
    machine: &M,
    kind: Activation,
    mlp: &Mlp<M>,
    x: &M::Rows,
    inner: &Inner<M>,
    d_out: &M::Rows,
    gradient: &mut MlpGradient,
) -> Result<M::Rows> {
    let (mut d, mut d_gate, mut d_input) = (M::Rows::default(), M::Rows::default(), M::Rows::default());
    machine.zeros(machine.len(&inner.hidden), &mut d);
    linear_backward(
        machine,
        &mlp.down,
        &inner.hidden,
        d_out,
        &mut gradient.down,
        &mut d,
    )?;
    machine.zeros(machine.len(x), &mut d_input);
    let gate = mlp.gate.as_ref().map(|_| &inner.gate);
    machine.gate_back(kind, gate, &inner.up, &mut d, &mut d_gate);
    if let (Some(gate), Some(of_gate)) = (&mlp.gate, &mut gradient.gate) {
        linear_backward(machine, gate, x, &d_gate, of_gate, &mut d_input)?;
    }
    linear_backward(machine, &mlp.up, x, &d, &mut gradient.up, &mut d_input)?;
    Ok(d_input)
}
