//! Linear layers (matrix and bias), several of which can be computed together, and feed-forward networks of them.

use super::machine::{Cpu, Machine, Product};
use super::matrix::Use;
use crate::config::DecoderConfig;
use crate::error::Result;
use crate::weights::{Kind, Part, Weights};

/// How weights are represented in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Decoded to `f32`, for products of many rows.
    Wide,
    /// In their stored format, for products of few rows.
    Stored,
}

/// `y = x·Wᵀ + b`.
#[derive(Debug, Clone)]
pub struct Linear<M: Machine = Cpu> {
    /// Width of `y`.
    pub n_out: usize,
    /// Width of `x`.
    pub n_in: usize,
    /// `W`, `(n_out, n_in)`.
    pub matrix: M::Matrix,
    /// `b`, `(n_out,)`, if there is one.
    pub bias: Option<M::Vector>,
}

impl<M: Machine> Linear<M> {
    /// Reads the weight and, if there is one, the bias of `part`.
    pub(super) fn load(
        machine: &M,
        weights: &Weights,
        config: &DecoderConfig,
        layer: Option<usize>,
        part: Part,
        biased: bool,
        form: Form,
    ) -> Result<Self> {
        let shape = part.shape(config, Kind::Weight);
        // A bias that the configuration does not mention is used all the same.
        let bias = if biased || weights.has(config, layer, part, Kind::Bias) {
            Some(machine.vector(weights.load(config, layer, part, Kind::Bias)?)?)
        } else {
            None
        };
        let what = if part.of_expert() { Use::Expert } else { Use::Layer };
        let matrix = match form {
            Form::Wide => {
                let values = weights.load(config, layer, part, Kind::Weight)?;
                machine.matrix(values, shape[0], shape[1], what)?
            }
            Form::Stored => machine.stored(weights.raw(config, layer, part)?, what)?,
        };
        Ok(Self {
            n_out: shape[0],
            n_in: shape[1],
            matrix,
            bias,
        })
    }

    /// The product `x·Wᵀ + b` with result `out`, to be passed to [`Machine::product`].
    pub(super) fn to<'a, 'b>(&'a self, out: &'b mut M::Rows) -> Product<'a, 'b, M> {
        Product {
            matrix: &self.matrix,
            bias: self.bias.as_ref(),
            base: None,
            out,
        }
    }

    /// `out = x·Wᵀ + b`; `x` is `(rows, n_in)`, `out` `(rows, n_out)`.
    pub fn forward(&self, machine: &M, x: &M::Rows, out: &mut M::Rows) {
        machine.product(x, [self.to(out)]);
    }

    /// `out = base + x·Wᵀ + b`, for additions to the residual stream.
    pub fn forward_onto(&self, machine: &M, x: &M::Rows, base: &M::Rows, out: &mut M::Rows) {
        let product = Product {
            base: Some(base),
            ..self.to(out)
        };
        machine.product(x, [product]);
    }
}

impl Linear {
    /// `Wᵀ`, `(n_in, n_out)`, row-major, for modification.
    pub fn weight_mut(&mut self) -> &mut [f32] {
        self.matrix.values_mut()
    }

    /// The linear layer in the representation of `machine`.
    pub(super) fn brought<M: Machine>(&self, machine: &M) -> Result<Linear<M>> {
        let matrix = machine.matrix(self.matrix.rows(), self.n_out, self.n_in, Use::Layer)?;
        let bias = self.bias.clone().map(|bias| machine.vector(bias));
        Ok(Linear {
            n_out: self.n_out,
            n_in: self.n_in,
            matrix,
            bias: bias.transpose()?,
        })
    }
}

/// A feed-forward network.
#[derive(Debug, Clone)]
pub struct Mlp<M: Machine = Cpu> {
    /// Gate projection; `None` in networks without a gate.
    pub gate: Option<Linear<M>>,
    /// Up projection.
    pub up: Linear<M>,
    /// Down projection.
    pub down: Linear<M>,
}
