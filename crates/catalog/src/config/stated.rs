//! What a config says of a checkpoint's structure, as the rest of the crate reads it: types alone, filled in by
//! [`crate::config::read`].

use crate::config::dimensions::DimensionValues;
use crate::config::fields::{self, Fields};

/// What a `config.json` says of a checkpoint's structure. Absent is `None`.
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
    /// Decoder layers.
    pub layers: Option<i64>,
    /// Of those, layers that attend over positions with softmax (in a window or not); the others keep a state.
    pub attention_layers: Option<i64>,
    /// Width of the residual stream.
    pub d_model: Option<i64>,
    /// Width of the feed-forward layer, of one expert where there are several.
    pub d_ffn: Option<i64>,
    /// Width of the dense feed-forward layers of a mixture that has some.
    pub dense_width: Option<i64>,
    /// Attention heads.
    pub heads: Option<i64>,
    /// Key and value heads, where they are stated.
    pub kv_heads: Option<i64>,
    /// Where they are not: what they are counted as.
    pub(crate) key_heads: KeyHeads,
    /// Width of one head, where it is stated.
    pub head_dim: Option<i64>,
    /// Entries of the vocabulary.
    pub vocab_size: Option<i64>,
    /// Rows of the embedding, where they are more.
    pub vocab_rows: Option<i64>,
    /// Maximum input positions, tokens.
    pub pos: Option<i64>,
    /// Positions that a window spans, tokens.
    pub sliding_window: Option<i64>,
    /// A mixture of experts.
    pub is_moe: bool,
    /// Experts of one layer.
    pub experts: Option<i64>,
    /// Experts that one token uses, beside shared ones.
    pub experts_per_token: Option<i64>,
    /// Width of the shared experts together.
    pub shared_width: Option<i64>,
    /// Layers have widths or heads of their own; those above are the most frequent.
    pub layers_differ: bool,
    /// An encoder with a decoder.
    pub is_encoder_decoder: bool,
    /// Keys that may shape weights and are not understood: the counts leave them out.
    pub not_understood: Vec<String>,
    /// Takes more than text.
    pub is_multimodal: bool,
    /// How the weights are packed: `fp8`, `gptq`, `awq`, `bitsandbytes` …
    pub quantization: Option<String>,
    /// All parameters of the language model, counted from the structure.
    pub parameters_total: Option<i64>,
    /// Parameters used for one token, counted from the structure.
    pub parameters_active: Option<i64>,
    /// The counts are exact to the parameter: dense decoders whose recipe is known and whose config is understood.
    pub counted_exactly: bool,
    /// What its layers hold beside the dimensions.
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

    /// Its class or type, where that is no decoder.
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

    /// Whether every layer's kind is counted to the parameter: attention and one feed-forward layer, or what was put in
    /// their place layer by layer, or a state-space layer alone.
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
    /// The config states it, or nothing in the structure attends.
    #[default]
    Stated,
    /// It is left out, and this is the default of the class that the config names.
    Default(i64),
    /// It is left out, and no default is known.
    Unknown,
}

/// The two counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) total: i64,
    pub(crate) active: i64,
    /// To the parameter.
    pub(crate) exact: bool,
    /// Of `total`, outside of the layers: embeddings, positions, last norm, output head.
    pub(crate) outside: i64,
    /// Of `outside`, tables of which one token reads one row: no product is made with them.
    pub(crate) looked_up: i64,
}

/// The columns of `structures` that only a config tells. Absent is `None`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Makeup {
    /// Experts of one layer, shared ones not counted; `None` of a dense checkpoint.
    pub(crate) experts: Option<i64>,
    /// Of those, the ones that a token uses.
    pub(crate) experts_per_token: Option<i64>,
    /// Experts that every token uses.
    pub(crate) shared_experts: Option<i64>,
    /// Width of the dense feed-forward layers.
    pub(crate) d_ffn_dense: Option<i64>,
    /// Feed-forward width that one token passes through in one layer, of experts where there are some.
    pub(crate) d_ffn_total_active: Option<i64>,
    /// Width of one head.
    pub(crate) head_dim: Option<i64>,
    /// The output head is the embedding.
    pub(crate) tied: Option<bool>,
    /// One letter a layer: [`crate::config::attention`].
    pub(crate) attention: Option<String>,
    /// Parameters by formula.
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

/// Names of the columns, in the order in which a checkpoint's places are held.
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
