//! The configuration that distinguishes one decoder from another, validated and common to all supported families.

mod families;
mod fields;
mod gguf;
mod hub;
pub(crate) mod json;
mod rotary;
mod write;

use serde::Serialize;

pub use families::Family;
pub(crate) use families::StoredLayer;
pub use rotary::{Rotary, Scaling};
pub use write::to_hub;

use crate::error::{Error, Result};

impl Family {
    /// Whether the inputs of attention and feed-forward are normalised; in `OLMo` 2 they are not.
    pub(crate) fn has_norm_before(self) -> bool {
        self != Self::Olmo2
    }

    /// Whether the outputs of attention and feed-forward are normalised.
    pub(crate) fn has_norm_after(self) -> bool {
        matches!(self, Self::Gemma2 | Self::Gemma3 | Self::Olmo2)
    }

    /// The norm of queries and keys; for `StableLM`, `stable_lm_has` says whether the file has one.
    pub(crate) fn qk_norm(self, stable_lm_has: bool) -> Option<QkNorm> {
        match self {
            Self::Olmo2 => Some(QkNorm::Whole),
            Self::Qwen3 | Self::Qwen3Moe | Self::Gemma3 => Some(QkNorm::PerHead),
            Self::StableLm if stable_lm_has => Some(QkNorm::PerHead),
            _ => None,
        }
    }
}

/// How a norm is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NormKind {
    /// `x / rms(x) · w` (Zhang and Sennrich 2019).
    Rms,
    /// `x / rms(x) · (1 + w)`, as Gemma stores its weights.
    RmsPlusOne,
    /// `(x − mean) / std · w + b` (Ba et al. 2016).
    Layer,
}

/// Norm of queries and keys before the rotary embedding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum QkNorm {
    /// Over each head's `head_dim` (Qwen3, Gemma 3, `StableLM` 2).
    PerHead,
    /// Over all heads together (`OLMo` 2).
    Whole,
}

/// Non-linearity of the feed-forward part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `x·σ(x)`.
    Silu,
    /// `x·Φ(x)`, exact, with the error function.
    Gelu,
    /// `x·Φ(x)`, approximated with the hyperbolic tangent.
    GeluTanh,
    /// `max(x, 0)`.
    Relu,
}

/// How attention and feed-forward are arranged in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Arrangement {
    /// `h = x + A(n₁(x)); y = h + F(n₂(h))`.
    Sequential,
    /// `y = x + A(n₁(x)) + F(n₂(x))` (GPT-NeoX).
    Parallel,
    /// `y = x + A(n₁(x)) + F(n₁(x))` (`StableLM` 2 12B).
    ParallelSharedNorm,
}

/// A mixture of experts, and the layers whose feed-forward part it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mixture {
    /// Experts per layer.
    pub n_experts: usize,
    /// Experts used per token.
    pub top_k: usize,
    /// Width of one expert.
    pub d_expert: usize,
    /// Whether the router weights of the chosen experts are scaled to sum to 1.
    pub normalize_top_k: bool,
    /// Width of the shared expert that every token uses; `None` without one.
    pub d_shared: Option<usize>,
    /// True for each layer that is a mixture.
    pub sparse: Vec<bool>,
}

/// Which projections have biases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Biases {
    /// Of queries, keys and values.
    pub qkv: bool,
    /// Of the attention's output.
    pub output: bool,
    /// Of the feed-forward matrices.
    pub feed_forward: bool,
}

/// A decoder's structure, with everything in which decoders differ.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a difference between families, named by its field"
)]
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DecoderConfig {
    /// Family, which determines the tensor names.
    pub family: Family,
    /// Number of blocks.
    pub n_layers: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Width of the dense feed-forward part.
    pub d_ffn: usize,
    /// Number of query heads.
    pub n_heads: usize,
    /// Number of key-value heads.
    pub n_kv_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Number of token embeddings.
    pub vocab_size: usize,
    /// Maximum text length the checkpoint was made for, tokens.
    pub max_positions: usize,
    /// Kind of norm.
    pub norm: NormKind,
    /// Added to the variance or mean square under the root.
    pub norm_epsilon: f32,
    /// Norms before attention and feed-forward.
    pub norm_before: bool,
    /// Norms on what attention and feed-forward add (Gemma 2 and 3, `OLMo` 2).
    pub norm_after: bool,
    /// Norm of queries and keys, if any.
    pub qk_norm: Option<QkNorm>,
    /// Rotary embedding of queries and keys; `None` where positions are learned or absent.
    pub rotary: Option<Rotary>,
    /// Rotary embedding of layers with a sliding window; `None` where it is the same (differs in Gemma 3).
    pub rotary_local: Option<Rotary>,
    /// Learned absolute positions (GPT-2).
    pub learned_positions: bool,
    /// Sliding window of each layer, tokens: a query sees itself and `window − 1` tokens before; `None`: all tokens.
    pub windows: Vec<Option<usize>>,
    /// Factor on the dot products of queries and keys.
    pub attention_scale: f32,
    /// Soft cap `c` of attention scores, `c·tanh(s/c)`.
    pub attention_cap: Option<f32>,
    /// Soft cap `c` of logits, `c·tanh(s/c)`.
    pub logit_cap: Option<f32>,
    /// Which projections have biases.
    pub biases: Biases,
    /// Activation function of the feed-forward part.
    pub activation: Activation,
    /// `down(act(gate(x)) ⊙ up(x))` where true, `down(act(up(x)))` where false.
    pub gated: bool,
    /// Arrangement of the block's two parts.
    pub arrangement: Arrangement,
    /// Factor on embeddings (Gemma: `√d_model`).
    pub embedding_scale: Option<f32>,
    /// Whether the output head is the embedding matrix.
    pub tied: bool,
    /// Mixture of experts, if any.
    pub mixture: Option<Mixture>,
}

impl DecoderConfig {
    /// Total width of all query heads.
    pub fn q_width(&self) -> usize {
        self.n_heads * self.head_dim
    }

    /// Total width of all key heads.
    pub fn kv_width(&self) -> usize {
        self.n_kv_heads * self.head_dim
    }

    /// The mixture of experts of layer `layer`; `None` if the layer is dense.
    pub fn mixture_at(&self, layer: usize) -> Option<&Mixture> {
        self.mixture
            .as_ref()
            .filter(|mixture| mixture.sparse.get(layer).copied().unwrap_or(false))
    }

    /// Whether the rotation of a token depends on the length of its text.
    pub fn rotates_by_length(&self) -> bool {
        let rotations = [&self.rotary, &self.rotary_local];
        rotations.into_iter().flatten().any(Rotary::depends_on_length)
    }

    /// Whether layer `layer` uses `rotary_local`.
    pub fn rotates_locally(&self, layer: usize) -> bool {
        self.rotary_local.is_some() && matches!(self.windows.get(layer), Some(Some(_)))
    }

    /// The rotary embedding of layer `layer`.
    pub fn rotary_at(&self, layer: usize) -> Option<&Rotary> {
        if self.rotates_locally(layer) {
            self.rotary_local.as_ref()
        } else {
            self.rotary.as_ref()
        }
    }

    /// Rejects structures that no decoder can have.
    pub(crate) fn checked(self) -> Result<Self> {
        let bad = |field: &str, what: String| {
            Err(Error::Config {
                field: field.to_owned(),
                what,
            })
        };
        for (field, value, most) in [
            ("num_hidden_layers", self.n_layers, 4096),
            ("hidden_size", self.d_model, 1 << 20),
            ("intermediate_size", self.d_ffn, 1 << 22),
            ("num_attention_heads", self.n_heads, 1 << 14),
            ("num_key_value_heads", self.n_kv_heads, 1 << 14),
            ("head_dim", self.head_dim, 1 << 14),
            ("vocab_size", self.vocab_size, 1 << 26),
            ("max_position_embeddings", self.max_positions, 1 << 40),
        ] {
            if value == 0 || value > most {
                return bad(field, format!("{value} is not between 1 and {most}"));
            }
        }
        if !self.n_heads.is_multiple_of(self.n_kv_heads) {
            let (q, kv) = (self.n_heads, self.n_kv_heads);
            return bad(
                "num_key_value_heads",
                format!("{q} query heads do not divide into {kv} groups"),
            );
        }
        for rotary in [&self.rotary, &self.rotary_local].into_iter().flatten() {
            if rotary.dim > self.head_dim || !rotary.dim.is_multiple_of(2) || rotary.dim == 0 {
                return bad(
                    "rotary_dim",
                    format!("{} of a head of {}", rotary.dim, self.head_dim),
                );
            }
            rotary.check()?;
        }
        if !(self.norm_epsilon.is_finite() && self.norm_epsilon >= 0.0) {
            return bad(
                "norm_eps",
                format!("{} is no small positive number", self.norm_epsilon),
            );
        }
        if !self.attention_scale.is_finite() {
            return bad("attention scale", format!("{}", self.attention_scale));
        }
        if self.windows.len() != self.n_layers {
            return bad(
                "layer_types",
                format!("{} entries for {} layers", self.windows.len(), self.n_layers),
            );
        }
        if let Some(mixture) = &self.mixture {
            if mixture.top_k == 0 || mixture.top_k > mixture.n_experts || mixture.n_experts > 4096 {
                return bad(
                    "num_experts_per_tok",
                    format!("{} of {} experts", mixture.top_k, mixture.n_experts),
                );
            }
            if mixture.sparse.len() != self.n_layers || mixture.d_expert == 0 {
                return bad("moe_intermediate_size", format!("{}", mixture.d_expert));
            }
        }
        Ok(self)
    }
}
