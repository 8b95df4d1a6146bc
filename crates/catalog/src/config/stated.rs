//! Types for what a config states of a checkpoint's structure, used throughout the crate and filled in by
//! [`crate::config::read`].

use crate::config::dimensions::DimensionValues;
use crate::config::fields::{self, Fields};

/// What a `config.json` states of a checkpoint's structure; absent values are `None`.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one fact that a config states"
)]
pub struct Config {
    /// Class name, for example `LlamaForCausalLM`.
    pub architecture: Option<String>,
    /// `model_type` of the whole checkpoint.
    pub model_type: Option<String>,
    /// Number of decoder layers.
    pub layers: Option<i64>,
    /// Number of those that use softmax attention (in a window or not); the others keep a state.
    pub attention_layers: Option<i64>,
    /// Width of the residual stream.
    pub d_model: Option<i64>,
    /// Width of the feed-forward layer, of one expert where there are several.
    pub d_ffn: Option<i64>,
    /// Width of the dense feed-forward layers in a mixture that has some.
    pub dense_width: Option<i64>,
    /// Number of attention heads.
    pub heads: Option<i64>,
    /// Number of key and value heads, where stated.
    pub kv_heads: Option<i64>,
    /// Where `kv_heads` comes from or, if it is not stated, the default that is counted.
    pub(crate) key_heads: KeyHeads,
    /// Width of one head, where it is stated.
    pub head_dim: Option<i64>,
    /// Number of vocabulary entries.
    pub vocab_size: Option<i64>,
    /// Number of rows of the embedding, where there are more than vocabulary entries.
    pub vocab_rows: Option<i64>,
    /// Maximum input positions, tokens.
    pub pos: Option<i64>,
    /// Number of positions that a sliding window spans.
    pub sliding_window: Option<i64>,
    /// Whether it is a mixture of experts.
    pub is_moe: bool,
    /// Number of experts per layer.
    pub experts: Option<i64>,
    /// Number of experts that one token uses, without shared ones.
    pub experts_per_token: Option<i64>,
    /// Width of all shared experts together.
    pub shared_width: Option<i64>,
    /// Whether layers differ in widths or numbers of heads; the fields above hold the most frequent value.
    pub layers_differ: bool,
    /// Whether it is an encoder with a decoder.
    pub is_encoder_decoder: bool,
    /// Keys that may affect the shape of weights and are not understood; the counts ignore them.
    pub not_understood: Vec<String>,
    /// Whether it takes more than text.
    pub is_multimodal: bool,
    /// How the weights are quantized: `fp8`, `gptq`, `awq`, `bitsandbytes` …
    pub quantization: Option<String>,
    /// All parameters of the language model, counted from the structure.
    pub parameters_total: Option<i64>,
    /// Parameters used for one token, counted from the structure.
    pub parameters_active: Option<i64>,
    /// Whether the counts are exact: so for dense decoders whose recipe is known and whose config is understood.
    pub counted_exactly: bool,
    /// What its layers consist of beside the dimensions.
    pub(crate) makeup: Makeup,
}

impl Config {
    pub(crate) fn dimensions(&self) -> DimensionValues {
        [
            self.layers,
            self.d_model,
            self.d_ffn,
            self.heads,
            self.kv_heads,
            self.vocab_size,
            self.pos,
        ]
    }

    /// The class name or model type of a network that is not a decoder-only model; `None` for one that is.
    pub(crate) fn not_a_decoder(&self) -> Option<String> {
        let (class, kind) = (self.architecture.as_deref(), self.model_type.as_deref());
        let own = || class.or(kind).unwrap_or("an encoder with a decoder");
        crate::config::decoders::not_a_decoder(class, kind)
            .or_else(|| self.is_encoder_decoder.then(own))
            .map(str::to_owned)
    }

    /// Key and value heads: as stated, or the default of the config's class where it is known.
    pub fn kv_heads_or_default(&self) -> Option<i64> {
        self.kv_heads.or(match self.key_heads {
            KeyHeads::Default(count) => Some(count),
            KeyHeads::Stated | KeyHeads::Unknown => None,
        })
    }

    /// Whether every layer is of a kind that is counted exactly: attention and one feed-forward layer, or their
    /// layer-wise replacements, or a state-space layer alone.
    pub(crate) fn layer_kinds_are_plain(&self, inner: &Fields, kind: &str) -> bool {
        let others = [
            "kv_lora_rank",
            "global_head_dim",
            "hidden_size_per_layer_input",
            "o_lora_rank",
        ];
        let is_plain = self.attention_layers == self.layers
            || inner.contains_key("block_configs")
            || matches!(kind, "mamba" | "mamba2" | "falconmamba" | "lfm2");
        !self.is_moe && is_plain && fields::int(inner, &others).is_none()
    }
}

/// Where the number of key and value heads comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum KeyHeads {
    /// The config states it, or no layer attends.
    #[default]
    Stated,
    /// The config omits it; this is the default of the class that the config names.
    Default(i64),
    /// The config omits it, and no default is known.
    Unknown,
}

/// Numbers of parameters, counted from a config.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) total: i64,
    pub(crate) active: i64,
    /// Whether the counts are exact.
    pub(crate) exact: bool,
    /// The part of `total` outside the layers: embedding, positions, last norm, output head.
    pub(crate) outside: i64,
    /// The part of `outside` in tables of which one token reads one row: they are not multiplied.
    pub(crate) looked_up: i64,
}

/// The columns of `structures` that only a config states; absent values are `None`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Makeup {
    /// Experts of one layer, shared ones not counted; `None` of a dense checkpoint.
    pub(crate) experts: Option<i64>,
    /// Number of those that a token uses.
    pub(crate) experts_per_token: Option<i64>,
    /// Number of shared experts, which every token uses.
    pub(crate) shared_experts: Option<i64>,
    /// Width of the dense feed-forward layers.
    pub(crate) d_ffn_dense: Option<i64>,
    /// Feed-forward width that one token passes through in one layer, summed over the experts it uses, if any.
    pub(crate) d_ffn_total_active: Option<i64>,
    /// Width of one head.
    pub(crate) head_dim: Option<i64>,
    /// Whether the output head shares the embedding's weights.
    pub(crate) tied: Option<bool>,
    /// One letter per layer; see [`crate::config::attention`].
    pub(crate) attention: Option<String>,
    /// Numbers of parameters by formula.
    pub(crate) counts: Option<Counts>,
}

impl Makeup {
    /// Nothing known.
    pub(crate) const NONE: Self = Self {
        experts: None,
        experts_per_token: None,
        shared_experts: None,
        d_ffn_dense: None,
        d_ffn_total_active: None,
        head_dim: None,
        tied: None,
        attention: None,
        counts: None,
    };
}

/// Names of the columns, in the order of the array of their positions in the sources.
pub(crate) const COLUMNS: [&str; 8] = [
    "experts",
    "experts_per_token",
    "shared_experts",
    "d_ffn_dense",
    "d_ffn_total_active",
    "head_dim",
    "tied_embeddings",
    "attention",
];
