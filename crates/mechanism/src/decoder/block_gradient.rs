//! Gradients of all weights of a block.

use super::elementwise::add;
use super::layer::{FeedForward, Layer};
use super::linear_gradient::{LinearGradient, MlpGradient};
use super::machine::Machine;
use super::mixture::MixtureGradient;
use super::norm::{Norm, NormGradient};

/// A zero gradient with the shape of a norm.
fn zero<M: Machine>(norm: &Norm<M::Vector>) -> NormGradient {
    NormGradient {
        weight: vec![0.0; M::vector_len(&norm.weight)],
        bias: norm.bias.as_ref().map(|bias| vec![0.0; M::vector_len(bias)]),
    }
}

/// Gradients of a [`FeedForward`].
#[derive(Debug, Clone)]
pub enum FeedForwardGradient {
    /// Of a dense feed-forward network.
    Dense(MlpGradient),
    /// Of a mixture of experts.
    Mixture(MixtureGradient),
}

/// Gradients of a block's weights, named as in [`Layer`].
#[derive(Debug, Clone)]
#[expect(
    missing_docs,
    reason = "each field is the gradient of the field of that name in `Layer`"
)]
pub struct BlockGradient {
    pub q: LinearGradient,
    pub k: LinearGradient,
    pub v: LinearGradient,
    pub o: LinearGradient,
    pub feed_forward: FeedForwardGradient,
    pub attention_norm: Option<NormGradient>,
    pub attention_post_norm: Option<NormGradient>,
    pub ffn_norm: Option<NormGradient>,
    pub ffn_post_norm: Option<NormGradient>,
    pub q_norm: Option<NormGradient>,
    pub k_norm: Option<NormGradient>,
}

impl BlockGradient {
    /// Zero gradients for a layer.
    pub fn new<M: Machine>(layer: &Layer<M>) -> Self {
        let norm = |norm: &Option<Norm<M::Vector>>| norm.as_ref().map(zero::<M>);
        Self {
            q: LinearGradient::new(&layer.q),
            k: LinearGradient::new(&layer.k),
            v: LinearGradient::new(&layer.v),
            o: LinearGradient::new(&layer.o),
            feed_forward: match &layer.feed_forward {
                FeedForward::Dense(mlp) => FeedForwardGradient::Dense(MlpGradient::new(mlp)),
                FeedForward::Mixture(mixture) => FeedForwardGradient::Mixture(MixtureGradient::new(mixture)),
            },
            attention_norm: norm(&layer.attention_norm),
            attention_post_norm: norm(&layer.attention_post_norm),
            ffn_norm: norm(&layer.ffn_norm),
            ffn_post_norm: norm(&layer.ffn_post_norm),
            q_norm: norm(&layer.q_norm),
            k_norm: norm(&layer.k_norm),
        }
    }

    /// Gradients of the matrices: q, k, v, o, then of the feed-forward part: gate (if there is one), up, down; of a
    /// mixture: router, the matrices of each expert, then those of the shared expert and its gate.
    pub fn linears(&self) -> Vec<&LinearGradient> {
        let mut all = vec![&self.q, &self.k, &self.v, &self.o];
        match &self.feed_forward {
            FeedForwardGradient::Dense(mlp) => all.extend(mlp.linears()),
            FeedForwardGradient::Mixture(mixture) => {
                all.push(&mixture.router);
                all.extend(mixture.experts.iter().flat_map(MlpGradient::linears));
                if let Some((mlp, gate)) = &mixture.shared {
                    all.extend(mlp.linears().chain([gate]));
                }
            }
        }
        all
    }

    /// As [`Self::linears`].
    fn linears_mut(&mut self) -> Vec<&mut LinearGradient> {
        let mut all = vec![&mut self.q, &mut self.k, &mut self.v, &mut self.o];
        match &mut self.feed_forward {
            FeedForwardGradient::Dense(mlp) => all.extend(mlp.linears_mut()),
            FeedForwardGradient::Mixture(mixture) => {
                all.push(&mut mixture.router);
                all.extend(mixture.experts.iter_mut().flat_map(MlpGradient::linears_mut));
                if let Some((mlp, gate)) = &mut mixture.shared {
                    all.extend(mlp.linears_mut().chain([gate]));
                }
            }
        }
        all
    }

    /// Adds the gradients that another group of texts gave.
    pub fn absorb(&mut self, other: &Self) {
        for (mine, theirs) in self.linears_mut().into_iter().zip(other.linears()) {
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
