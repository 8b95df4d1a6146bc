//! Matrices with biases, several at a time, and the feed-forward network made of them.

use rayon::prelude::*;

use super::matmul::{Base, Kept, Product, View, multiply_each, transposed};
use crate::config::DecoderConfig;
use crate::error::Result;
use crate::weights::{Kind, Part, Weights};

/// Numbers of the largest matrix of a layer that is kept packed (32 MB, or 50 on tiles).
pub(super) const LARGEST_KEPT: usize = 1 << 23;

/// `y = x·Wᵀ + b`.
#[derive(Debug, Clone)]
pub struct Linear {
    /// Width of `y`.
    pub n_out: usize,
    /// Width of `x`.
    pub n_in: usize,
    /// `Wᵀ`, `(n_in, n_out)`, row-major: the order in which products read it.
    weight: Vec<f32>,
    /// `(n_out,)`.
    pub bias: Option<Vec<f32>>,
    /// What products keep of the weight; nothing of experts, of which there are many.
    kept: Option<Kept>,
}

impl Linear {
    /// Reads the weight and, where there is one, the bias of `part`.
    pub(super) fn load(
        weights: &Weights,
        config: &DecoderConfig,
        layer: Option<usize>,
        part: Part,
        biased: bool,
    ) -> Result<Self> {
        let shape = part.shape(config, Kind::Weight);
        // A bias the configuration does not announce is still part of the network.
        let bias = if biased || weights.has(config, layer, part, Kind::Bias) {
            Some(weights.load(config, layer, part, Kind::Bias)?)
        } else {
            None
        };
        Ok(Self {
            n_out: shape[0],
            n_in: shape[1],
            weight: transposed(
                &weights.load(config, layer, part, Kind::Weight)?,
                shape[0],
                shape[1],
            ),
            bias,
            kept: (!part.of_expert()).then(|| Kept::up_to(LARGEST_KEPT)),
        })
    }

    /// `Wᵀ`, `(n_in, n_out)`, row-major, to be changed.
    pub fn weight_mut(&mut self) -> &mut [f32] {
        self.kept = self.kept.clone();
        &mut self.weight
    }

    /// The weight as a matrix `(n_out, n_in)`.
    pub fn view(&self) -> View<'_> {
        View::new(&self.weight, self.n_in, self.n_out, self.n_out).t()
    }

    /// `out = x·Wᵀ + b`; `x` is `(rows, n_in)`, `out` `(rows, n_out)`.
    pub fn forward(&self, x: &[f32], out: &mut [f32]) {
        onto(x, [(self, Base::Zero, out)]);
    }

    /// `out = base + x·Wᵀ + b`, for what is added to the residual stream.
    pub fn forward_onto(&self, x: &[f32], base: &[f32], out: &mut [f32]) {
        onto(x, [(self, Base::Matrix(base), out)]);
    }

    fn add_bias(&self, out: &mut [f32]) {
        if let Some(bias) = &self.bias {
            out.par_chunks_mut(64 * self.n_out).for_each(|rows| {
                for row in rows.chunks_exact_mut(self.n_out) {
                    super::elementwise::add(row, bias);
                }
            });
        }
    }
}

/// [`Linear::forward`] of several matrices with the same input, each with its output.
pub fn forward_each<const N: usize>(x: &[f32], each: [(&Linear, &mut [f32]); N]) {
    onto(x, each.map(|(linear, out)| (linear, Base::Zero, out)));
}

fn onto<const N: usize>(x: &[f32], mut each: [(&Linear, Base<'_>, &mut [f32]); N]) {
    let Some(n_in) = each.first().map(|(linear, ..)| linear.n_in) else {
        return;
    };
    let products = each.iter_mut().map(|(linear, base, out)| Product {
        dst: out,
        base: *base,
        right: linear.view().t(),
        kept: linear.kept.as_ref(),
    });
    multiply_each(View::new(x, x.len() / n_in, n_in, n_in), products.collect());
    for (linear, _, out) in each {
        linear.add_bias(out);
    }
}

/// A feed-forward network.
#[derive(Debug, Clone)]
pub struct Mlp {
    /// Absent where there is no gate.
    pub gate: Option<Linear>,
    /// Up.
    pub up: Linear,
    /// Down.
    pub down: Linear,
}
