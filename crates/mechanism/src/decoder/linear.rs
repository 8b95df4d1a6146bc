//! Matrices with biases, several at a time, and the feed-forward network made of them.

use super::machine::{Cpu, Machine, Product};
use super::matrix::Use;
use crate::config::DecoderConfig;
use crate::error::Result;
use crate::weights::{Kind, Part, Weights};

/// How weights are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As `f32`, for products of many rows.
    Wide,
    /// As they are stored, for products of few.
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
    /// `(n_out,)`.
    pub bias: Option<M::Vector>,
}

impl<M: Machine> Linear<M> {
    /// Reads the weight and, where there is one, the bias of `part`.
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
        // A bias the configuration does not announce is still part of the network.
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

    /// `x·Wᵀ + b`, to `out`.
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

    /// `out = base + x·Wᵀ + b`, for what is added to the residual stream.
    pub fn forward_onto(&self, machine: &M, x: &M::Rows, base: &M::Rows, out: &mut M::Rows) {
        let product = Product {
            base: Some(base),
            ..self.to(out)
        };
        machine.product(x, [product]);
    }
}

impl Linear {
    /// `Wᵀ`, `(n_in, n_out)`, row-major, to be changed.
    pub fn weight_mut(&mut self) -> &mut [f32] {
        self.matrix.values_mut()
    }

    /// The same for a machine.
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
    /// Absent where there is no gate.
    pub gate: Option<Linear<M>>,
    /// Up.
    pub up: Linear<M>,
    /// Down.
    pub down: Linear<M>,
}
