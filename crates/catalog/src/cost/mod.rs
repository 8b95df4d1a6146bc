//! Computes what a structure costs, by arithmetic only: parameters, operations, cache, memory, and how fast a device
//! can decode.
//!
//! Nothing here is measured. Per token at position c of the context, with N the active parameters without the tables
//! that are only looked up:
//!
//! - operations: 2 N + Σ over attention layers of 2 · heads · (key width + value width) · min(c, window)
//!   (Kaplan et al. 2020, <https://arxiv.org/abs/2001.08361>, section 2.1; Pope et al. 2022,
//!   <https://arxiv.org/abs/2211.05102>, section 2.1);
//! - cache: Σ over attention layers of what is stored per position: keys and values of the key-value heads (Ainslie et
//!   al. 2023, <https://arxiv.org/abs/2305.13245>), with latent attention the latent and the rotary key (DeepSeek-AI
//!   2024, <https://arxiv.org/abs/2405.04434>, section 2.1); a layer with a window stores at most that many positions;
//! - memory: weights + cache + the engine's buffers;
//! - decoding one sequence: no faster than the weights and the cache can be read, nor than the products can be made
//!   (Williams, Waterman and Patterson 2009, <https://doi.org/10.1145/1498765.1498785>).

pub mod device;
mod dimensions;
mod engine;
mod known;
mod layer;
mod pack;
mod precision;
#[cfg(test)]
mod printed_tests;
mod quant;
mod rig;
mod speed;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::Config;
use crate::config::count::count;
use crate::config::defaults::knows_no_groups;
use crate::config::fields::Fields;
use crate::config::lacking;
use crate::config::layers::{Mixer, kinds};
use crate::config::layouts;
use crate::config::matrices::{Matrices, matrices};
use crate::config::plan::Plan;
use crate::config::read::{parts, read};
use crate::config::stated::{Counts, KeyHeads};
use crate::error::Error;

pub use device::Device;
pub use dimensions::Dimensions;
pub use engine::{CacheType, Footprint, InferenceEngine, MemoryItem};
pub use known::{Counter, Origin, of_checkpoint};
use layer::Layer;
pub use precision::Precision;
pub use quant::Quant;
pub use rig::{Host, Placement, Rig};
pub use speed::{Speed, SpeedOf};

/// Parameter counts and layers of one structure, from which every cost is computed.
#[derive(Debug, Clone, PartialEq)]
pub struct Arithmetic {
    /// All parameters of the language model.
    pub parameters_total: i64,
    /// Number of parameters that one token uses.
    pub parameters_active: i64,
    /// Whether the counts are exact.
    pub counted_exactly: bool,
    /// Remarks on how the counts were obtained and on their limits.
    pub notes: Vec<String>,
    outside: i64,
    looked_up: i64,
    vocab: i64,
    d_model: i64,
    d_ffn: i64,
    layers: Vec<Layer>,
    /// Number of pairs of positions in the causal masks that the files of all layers may store.
    masked: f64,
    /// The parameters, grouped by how quantization treats them.
    parts: Parts,
}

/// Parameters, grouped by how quantization treats them.
#[derive(Debug, Clone, PartialEq, Default)]
struct Parts {
    layers: Vec<Matrices>,
    /// The embedding, and the output head where it is a separate matrix.
    embedding: i64,
    head: i64,
    /// Number of query heads per key-value head.
    group: i64,
    /// Number of experts per layer; 1 where it is dense.
    experts: i64,
    /// Whether one matrix computes queries, keys and values.
    fused: bool,
}

/// What an engine has to hold while it runs a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workload {
    /// Number of positions held in the cache.
    pub context: i64,
    /// Number of prompt positions computed at once.
    pub chunk: i64,
    /// Number of positions whose logits are held at once, in the weights' precision and in 32 bits.
    pub logits: i64,
    /// Whether the engine keeps each layer's causal mask, one byte per pair of positions, for the families whose files
    /// store one: GPT-2, GPT-Neo, GPT-NeoX, GPT-J (transformers did until 2024).
    pub masks: bool,
}

impl Workload {
    /// The workload of current engines: the prompt in chunks of at most 512 positions, logits of the last position
    /// only.
    pub fn of(context: i64) -> Self {
        Self {
            context,
            chunk: context.clamp(1, 512),
            logits: 1,
            masks: false,
        }
    }
}

/// Memory that one sequence needs, in bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Number format of the weights.
    pub precision: Precision,
    /// Number of positions held in the cache.
    pub context: i64,
    /// Bytes of the weights.
    pub weights_bytes: f64,
    /// Bytes of keys and values, and of the states of layers that keep one.
    pub cache_bytes: f64,
    /// Bytes of the activations while a prompt is computed, including masks if kept.
    pub activation_bytes: f64,
    /// Sum of the above.
    pub total_bytes: f64,
}

/// An upper bound on the speed at which a device can decode one sequence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecodeBound {
    /// The device's name.
    pub device: String,
    /// Number format of the weights.
    pub precision: Precision,
    /// Number of positions held in the cache.
    pub context: i64,
    /// Bytes read for one token: active weights and the cache.
    pub bytes_per_token: f64,
    /// Floating-point operations for one token.
    pub flops_per_token: f64,
    /// Tokens per second that the memory bandwidth allows.
    pub by_bandwidth: f64,
    /// Tokens per second that the device's peak operations allow; `None` where these are not known.
    pub by_compute: Option<f64>,
    /// The lower of the two bounds, tokens per second.
    pub tokens_per_second: f64,
}

/// Applies `then` to the config of a decoder with these dimensions; its `None` means that the config cannot be counted.
fn of_decoder<T>(
    dimensions: &Dimensions,
    then: impl FnOnce(&Config, &Value) -> Option<T>,
) -> Result<T, Error> {
    let value = dimensions.config();
    let config = read(&value);
    if let Some(name) = config.not_a_decoder() {
        return Err(Error::NotADecoder { name });
    }
    then(&config, &value).ok_or_else(|| refused(&config))
}

/// Applies `then` to the plan of a config's layers; `None` where the config allows no plan.
fn planned<T>(
    config: &Config,
    value: &Value,
    then: impl FnOnce(&Plan<'_>, &Fields) -> Option<T>,
) -> Option<T> {
    let empty = Fields::new();
    let written = layouts::usual(value);
    let (outer, inner) = parts(&written, &empty);
    then(&Plan::new(config, outer, inner)?, inner)
}

impl Arithmetic {
    /// The costs of a model with this `config.json`.
    ///
    /// # Errors
    /// - [`Error::ConfigLacks`] where a dimension is not stated;
    /// - [`Error::NotADecoder`] for encoders and encoder-decoders;
    /// - [`Error::NoFormula`] for decoders whose layers no formula here describes;
    /// - [`Error::Uncountable`] where the count exceeds 2^63.
    pub fn of_config(value: &Value) -> Result<Self, Error> {
        let config = read(value);
        if let Some(name) = config.not_a_decoder() {
            return Err(Error::NotADecoder { name });
        }
        Self::of(&config, value).ok_or_else(|| lacking(value).unwrap_or_else(|| refused(&config)))
    }

    /// The costs of a structure whose dimensions a user or the catalog gives.
    ///
    /// # Errors
    /// [`Error::MissingDimensions`] where a dimension is not given, and those of [`Arithmetic::of_config`].
    pub fn of_dimensions(dimensions: &Dimensions) -> Result<Self, Error> {
        of_decoder(dimensions, Self::of)
    }

    /// `parameters_total` alone, for a fraction of the work.
    ///
    /// # Errors
    /// As of [`Arithmetic::of_dimensions`].
    pub(crate) fn total_of_dimensions(dimensions: &Dimensions) -> Result<i64, Error> {
        of_decoder(dimensions, |config, value| {
            planned(config, value, |plan, _| Some(count(plan)?.total))
        })
    }

    fn of(config: &Config, value: &Value) -> Option<Self> {
        planned(config, value, |plan, inner| Self::of_plan(config, plan, inner))
    }

    fn of_plan(config: &Config, plan: &Plan<'_>, inner: &Fields) -> Option<Self> {
        let Counts {
            total,
            active,
            outside,
            looked_up,
            ..
        } = count(plan)?;
        let recipe = plan.recipe;
        let sizes = plan.sizes()?;
        let pairs = (config.pos.unwrap_or(0) as f64).powi(2) * sizes.layers as f64;
        let layers = kinds(inner, sizes.layers, config.is_moe);
        let layers = layers
            .iter()
            .enumerate()
            .map(|(at, (mixer, _))| {
                let own = plan.sizes_at(sizes, at as i64);
                Layer::new(config, inner, own, *mixer, at as i64)
            })
            .collect();
        Some(Self {
            parameters_total: total,
            parameters_active: active,
            counted_exactly: config.counted_exactly,
            notes: notes(config, plan),
            outside,
            looked_up,
            vocab: sizes.vocab,
            d_model: sizes.d_model,
            d_ffn: config.d_ffn.unwrap_or(0).max(sizes.d_ffn),
            layers,
            masked: if recipe.masks { pairs } else { 0.0 },
            parts: Parts {
                layers: matrices(plan)?,
                embedding: sizes.vocab.checked_mul(sizes.d_model)?,
                head: if recipe.tied {
                    0
                } else {
                    sizes.vocab * sizes.d_model
                },
                group: sizes.heads / sizes.kv_heads.max(1),
                experts: config.experts.unwrap_or(1),
                fused: FUSED.contains(&plan.kind.as_str()),
            },
        })
    }

    /// Ratio of the parameters in the layers by the total to the sum over their matrices: 1 unless the total is a
    /// listed one.
    fn share_of_layers(&self) -> f64 {
        let of_layers: i64 = self.parts.layers.iter().map(Matrices::all).sum();
        if of_layers > 0 {
            (self.parameters_total - self.outside) as f64 / of_layers as f64
        } else {
            1.0
        }
    }

    /// Floating-point operations for the token that follows `context` positions.
    pub fn flops_per_token(&self, context: i64) -> f64 {
        let products = 2.0 * (self.parameters_active - self.looked_up) as f64;
        let attention: f64 = self.layers.iter().map(|layer| layer.operations(context)).sum();
        products + attention
    }

    /// Bytes by which the cache grows per position while every layer still sees all positions.
    pub fn cache_bytes_per_token(&self, precision: Precision) -> f64 {
        let values: i64 = self.layers.iter().map(|layer| layer.cached).sum();
        values as f64 * precision.cache_bytes()
    }

    /// Bytes by which the cache grows per position once every window is full.
    pub fn cache_bytes_per_token_beyond_windows(&self, precision: Precision) -> f64 {
        let unbounded = self.layers.iter().filter(|layer| layer.window.is_none());
        unbounded.map(|layer| layer.cached).sum::<i64>() as f64 * precision.cache_bytes()
    }

    /// Bytes of the cache at `context` positions, including the states of layers that keep one instead.
    pub fn cache_bytes(&self, precision: Precision, context: i64) -> f64 {
        let of = |layer: &Layer| {
            layer.cached as f64 * layer.seen(context) as f64 * precision.cache_bytes()
                + layer.state as f64 * STATE_BYTES
        };
        self.layers.iter().map(of).sum()
    }

    /// Bytes of the weights.
    pub fn weight_bytes(&self, precision: Precision) -> f64 {
        precision.bytes(self.parameters_total - self.outside, self.outside)
    }

    /// Memory of one sequence under a workload.
    pub fn memory(&self, precision: Precision, work: &Workload) -> Memory {
        let weights_bytes = self.weight_bytes(precision);
        let cache_bytes = self.cache_bytes(precision, work.context);
        let width = precision.cache_bytes();
        // The residual, its norm, attention's inputs and output, and both halves of the feed-forward layer.
        let activations = (work.chunk * (4 * self.d_model + 2 * self.d_ffn)) as f64 * width;
        let logits = (work.logits * self.vocab) as f64 * (width + 4.0);
        let masks = if work.masks { self.masked } else { 0.0 };
        let activation_bytes = activations + logits + masks;
        Memory {
            precision,
            context: work.context,
            weights_bytes,
            cache_bytes,
            activation_bytes,
            total_bytes: weights_bytes + cache_bytes + activation_bytes,
        }
    }

    /// Bytes read for the token that follows `context` positions: active weights once, and the cache.
    pub fn bytes_per_token(&self, precision: Precision, context: i64) -> f64 {
        let outside = self.outside - self.looked_up;
        let inside = self.parameters_active - self.outside;
        precision.bytes(inside, outside) + self.cache_bytes(precision, context)
    }

    /// Upper bound on the speed at which `device` can decode one sequence at `context` positions.
    pub fn decode_bound(&self, device: &Device, precision: Precision, context: i64) -> DecodeBound {
        let bytes_per_token = self.bytes_per_token(precision, context);
        let flops_per_token = self.flops_per_token(context);
        let by_bandwidth = device.bandwidth / bytes_per_token;
        let by_compute = device.flops(precision).map(|flops| flops / flops_per_token);
        DecodeBound {
            device: device.name.clone(),
            precision,
            context,
            bytes_per_token,
            flops_per_token,
            by_bandwidth,
            by_compute,
            tokens_per_second: by_compute.map_or(by_bandwidth, |compute| compute.min(by_bandwidth)),
        }
    }

    /// Size in positions of the smallest window; `None` where every layer sees all positions.
    pub fn smallest_window(&self) -> Option<i64> {
        self.layers.iter().filter_map(|layer| layer.window).min()
    }
}

/// Families whose files store queries, keys and values as one matrix, which llama.cpp quantizes by a type of its own.
const FUSED: [&str; 9] = [
    "phi3",
    "phi",
    "gptneox",
    "falcon",
    "mpt",
    "bloom",
    "qwen",
    "gptbigcode",
    "chatglm",
];

/// Bytes per number in the states of linear attention, which engines keep in 32 bits.
const STATE_BYTES: f64 = 4.0;

fn notes(config: &Config, plan: &Plan<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    if !config.not_understood.is_empty() {
        notes.push(format!(
            "an estimate: the config has keys that are not understood here and may add or take away weights: {}",
            config.not_understood.join(", ")
        ));
    }
    match config.key_heads {
        KeyHeads::Stated => {}
        KeyHeads::Default(_) if knows_no_groups(&plan.kind) => {}
        KeyHeads::Default(count) => notes.push(format!(
            "key-value heads are not stated: {count}, the default of `{}`",
            plan.kind
        )),
        KeyHeads::Unknown => notes.push(
            "key-value heads are not stated and no default of the class is known: counted as many as heads; with fewer, \
             parameters and cache are smaller"
                .to_owned(),
        ),
    }
    if config.layers_differ {
        notes.push("layers differ in width or heads: those shown are the most frequent, each layer is counted by its own".to_owned());
    }
    if !config.counted_exactly {
        let kinds = kinds(plan.inner, config.layers.unwrap_or(0), config.is_moe);
        let is_plain = config.layer_kinds_are_plain(plan.inner, &plan.kind);
        if config.is_multimodal {
            notes.push("the language model alone is counted, not what sees or hears".to_owned());
        } else if config.is_moe {
            notes.push("of a mixture every matrix is counted; small gates may be missing".to_owned());
        } else if kinds.iter().any(|(mixer, _)| *mixer == Mixer::Linear) && !is_plain {
            notes.push(
                "layers of several kinds: their matrices are counted, small parts (gates, decays) nearly"
                    .to_owned(),
            );
        } else if !is_plain || !plan.is_known {
            notes.push(
                "counted by Llama's layout: this family's own is not known, or its layers differ".to_owned(),
            );
        }
    }
    if let Some(packed) = &config.quantization {
        notes.push(format!(
            "the config says the weights are packed ({packed}); parameters are counted unpacked"
        ));
    }
    notes
}

fn refused(config: &Config) -> Error {
    let wanted = [
        ("layers", config.layers),
        ("d_model", config.d_model),
        ("d_ffn", config.d_ffn.or(config.dense_width)),
        ("heads", config.heads),
        ("vocab_size", config.vocab_size),
    ];
    let missing: Vec<&'static str> = wanted
        .iter()
        .filter(|(_, value)| value.is_none())
        .map(|(name, _)| *name)
        .collect();
    if missing.is_empty() {
        // As many as layers of squares of the width have: what can be counted, where a formula is known.
        let squares = |layers: i64, width: i64| i128::from(layers).saturating_mul(i128::from(width).pow(2));
        if let (Some(layers), Some(width)) = (config.layers, config.d_model)
            && squares(layers, width) < i128::from(i64::MAX) / 4_096
        {
            let family = config.architecture.clone().or_else(|| config.model_type.clone());
            return Error::NoFormula {
                family: family.unwrap_or_else(|| "this config".to_owned()),
            };
        }
        return Error::Uncountable {
            layers: config.layers.unwrap_or(0),
            d_model: config.d_model.unwrap_or(0),
        };
    }
    Error::MissingDimensions { missing }
}
