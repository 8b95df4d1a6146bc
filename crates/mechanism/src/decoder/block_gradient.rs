//! Gradients of all weights of a block.

use super::elementwise::add;
use super::gradient::GradientMatrix;
use super::layer::{FeedForward, Layer, Linear, Mlp};
use super::norm::{Norm, NormGradient};
use crate::error::{Error, Result};

/// Gradient of a [`Linear`].
#[derive(Debug, Clone)]
pub struct LinearGradient {
    /// Of the matrix.
    pub weight: GradientMatrix,
    /// Of the bias.
    pub bias: Option<Vec<f32>>,
}

impl LinearGradient {
    fn new(linear: &Linear) -> Self {
        Self {
            weight: GradientMatrix::new(linear.n_out, linear.n_in),
            bias: linear.bias.as_ref().map(|bias| vec![0.0; bias.len()]),
        }
    }

    fn absorb(&mut self, other: &Self) {
        self.weight.absorb(&other.weight);
        if let (Some(bias), Some(added)) = (&mut self.bias, &other.bias) {
            add(bias, added);
        }
    }
}

/// Gradients of a block's weights, named as in [`Layer`].
#[derive(Debug, Clone)]
#[expect(
    missing_docs,
    reason = "each field is the gradient of the field of that name in `Layer` or `Mlp`"
)]
pub struct BlockGradient {
    pub q: LinearGradient,
    pub k: LinearGradient,
    pub v: LinearGradient,
    pub o: LinearGradient,
    pub gate: Option<LinearGradient>,
    pub up: LinearGradient,
    pub down: LinearGradient,
    pub attention_norm: Option<NormGradient>,
    pub attention_post_norm: Option<NormGradient>,
    pub ffn_norm: Option<NormGradient>,
    pub ffn_post_norm: Option<NormGradient>,
    pub q_norm: Option<NormGradient>,
    pub k_norm: Option<NormGradient>,
}

pub(crate) fn dense(layer: &Layer) -> Result<&Mlp> {
    match &layer.feed_forward {
        FeedForward::Dense(mlp) => Ok(mlp),
        FeedForward::Mixture { .. } => Err(Error::Unavailable {
            method: "the gradient",
            what: "a layer with a mixture of experts",
        }),
    }
}

impl BlockGradient {
    /// Zero gradients for a layer.
    ///
    /// # Errors
    /// [`Error::Unavailable`] for a mixture of experts.
    pub fn new(layer: &Layer) -> Result<Self> {
        let mlp = dense(layer)?;
        let norm = |norm: &Option<Norm>| norm.as_ref().map(Norm::zero_gradient);
        Ok(Self {
            q: LinearGradient::new(&layer.q),
            k: LinearGradient::new(&layer.k),
            v: LinearGradient::new(&layer.v),
            o: LinearGradient::new(&layer.o),
            gate: mlp.gate.as_ref().map(LinearGradient::new),
            up: LinearGradient::new(&mlp.up),
            down: LinearGradient::new(&mlp.down),
            attention_norm: norm(&layer.attention_norm),
            attention_post_norm: norm(&layer.attention_post_norm),
            ffn_norm: norm(&layer.ffn_norm),
            ffn_post_norm: norm(&layer.ffn_post_norm),
            q_norm: norm(&layer.q_norm),
            k_norm: norm(&layer.k_norm),
        })
    }

    /// Adds the matrices' gradients of another group of texts.
    pub fn absorb(&mut self, other: &Self) {
        let matrices = [
            &mut self.q,
            &mut self.k,
            &mut self.v,
            &mut self.o,
            &mut self.up,
            &mut self.down,
        ];
        let others = [&other.q, &other.k, &other.v, &other.o, &other.up, &other.down];
        for (mine, theirs) in matrices.into_iter().zip(others) {
            mine.absorb(theirs);
        }
        if let (Some(mine), Some(theirs)) = (&mut self.gate, &other.gate) {
            mine.absorb(theirs);
        }
        for (mine, theirs) in [
            (&mut self.attention_norm, &other.attention_norm),
            (&mut self.attention_post_norm, &other.attention_post_norm),
            (&mut self.ffn_norm, &other.ffn_norm),
            (&mut self.ffn_post_norm, &other.ffn_post_norm),
            (&mut self.q_norm, &other.q_norm),
            (&mut self.k_norm, &other.k_norm),
        ] {
            if let (Some(mine), Some(theirs)) = (mine, theirs) {
                add(&mut mine.weight, &theirs.weight);
                if let (Some(bias), Some(added)) = (&mut mine.bias, &theirs.bias) {
                    add(bias, added);
                }
            }
        }
    }
}
