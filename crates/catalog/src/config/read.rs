//! The names that architectures use for the same thing.

use serde_json::Value;

use crate::config::fields::{self, Fields};
use crate::sources::Dimensions;

/// What a `config.json` says of a checkpoint's structure. Absent is `None`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    /// Class name, for example `LlamaForCausalLM`.
    pub architecture: Option<String>,
    /// `model_type` of the whole checkpoint.
    pub model_type: Option<String>,
    /// Decoder layers.
    pub layers: Option<i64>,
    /// Width of the residual stream.
    pub d_model: Option<i64>,
    /// Width of the feed-forward layer, of one expert where there are several.
    pub d_ffn: Option<i64>,
    /// Attention heads.
    pub heads: Option<i64>,
    /// Key and value heads.
    pub kv_heads: Option<i64>,
    /// Width of one head, where it is stated.
    pub head_dim: Option<i64>,
    /// Entries of the vocabulary.
    pub vocab_size: Option<i64>,
    /// Maximum input positions, tokens.
    pub pos: Option<i64>,
    /// A mixture of experts.
    pub is_moe: bool,
    /// Takes more than text.
    pub is_multimodal: bool,
    /// How the weights are packed: `fp8`, `gptq`, `awq`, `bitsandbytes` …
    pub quantization: Option<String>,
    /// All parameters of the language model, counted from the structure.
    pub parameters_total: Option<i64>,
    /// Parameters used for one token, counted from the structure.
    pub parameters_active: Option<i64>,
}

impl Config {
    pub(crate) fn dimensions(&self) -> Dimensions {
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
}

/// Names of each dimension, in the order in which they are looked for.
const LAYERS: &[&str] = &[
    "num_hidden_layers",
    "n_layer",
    "n_layers",
    "num_layers",
    "decoder_layers",
    "num_decoder_layers",
];
const D_MODEL: &[&str] = &["hidden_size", "n_embd", "d_model", "dim", "n_embed", "model_dim"];
const D_FFN: &[&str] = &[
    "intermediate_size",
    "ffn_hidden_size",
    "n_inner",
    "ffn_dim",
    "d_ff",
    "inner_hidden_size",
    "decoder_ffn_dim",
];
const HEADS: &[&str] = &[
    "num_attention_heads",
    "n_head",
    "n_heads",
    "num_heads",
    "decoder_attention_heads",
];
const KV_HEADS: &[&str] = &[
    "num_key_value_heads",
    "num_kv_heads",
    "n_head_kv",
    "n_kv_heads",
    "multi_query_group_num",
    "num_query_groups",
];
const VOCAB: &[&str] = &["vocab_size", "n_vocab", "padded_vocab_size"];
const POS: &[&str] = &[
    "max_position_embeddings",
    "n_positions",
    "max_seq_len",
    "seq_length",
    "max_sequence_length",
    "model_max_length",
    "n_ctx",
];

const EXPERTS: &[&str] = &[
    "num_experts",
    "num_local_experts",
    "n_routed_experts",
    "moe_num_experts",
    "num_moe_experts",
];

/// Reads one config. Where the language model is nested (`text_config` and the like), that is what is read.
pub fn read(value: &Value) -> Config {
    let empty = Fields::new();
    let outer = value.as_object().unwrap_or(&empty);
    let nested = fields::object(
        outer,
        &["text_config", "llm_config", "language_config", "thinker_config"],
    );
    let inner = nested.unwrap_or(outer);
    let architecture = fields::list(outer, &["architectures"])
        .and_then(|list| list.first()?.as_str())
        .map(str::to_owned);
    let model_type = fields::text(outer, &["model_type"]).map(str::to_owned);
    let d_model = fields::int(inner, D_MODEL);
    let heads = fields::int(inner, HEADS);
    let mut config = Config {
        layers: fields::int(inner, LAYERS),
        d_model,
        d_ffn: fields::int(inner, &["moe_intermediate_size", "expert_ffn_hidden_size"])
            .or_else(|| fields::int(inner, D_FFN)),
        heads,
        kv_heads: fields::int(inner, KV_HEADS),
        head_dim: fields::int(inner, &["head_dim", "attention_head_dim", "kv_channels"]),
        vocab_size: fields::int(inner, VOCAB).or_else(|| fields::int(outer, VOCAB)),
        pos: fields::int(inner, POS),
        is_moe: fields::int(inner, EXPERTS).is_some_and(|experts| experts > 1),
        quantization: fields::object(outer, &["quantization_config"])
            .or_else(|| fields::object(inner, &["quantization_config"]))
            .map(|how| {
                fields::text(how, &["quant_method"])
                    .unwrap_or("unknown")
                    .to_owned()
            }),
        parameters_total: None,
        parameters_active: None,
        is_multimodal: nested.is_some(),
        architecture,
        model_type,
    };
    if config.kv_heads.is_none() && fields::flag(inner, &["multi_query"]) == Some(true) {
        config.kv_heads = Some(1);
    }
    if config.d_ffn.is_none() && widens_by_four(&config) {
        config.d_ffn = config.d_model.map(|width| width.saturating_mul(4));
    }
    config
}

/// Architectures whose feed-forward layer is four times as wide as the residual stream where the config is silent.
fn widens_by_four(config: &Config) -> bool {
    let of_type = config.model_type.as_deref().unwrap_or_default();
    let class = config.architecture.as_deref().unwrap_or_default();
    matches!(
        of_type,
        "gpt2"
            | "gptj"
            | "gpt_bigcode"
            | "gpt_neo"
            | "bloom"
            | "falcon"
            | "RefinedWeb"
            | "RefinedWebModel"
            | "codegen"
            | "mpt"
            | "opt"
    ) || [
        "GPT2",
        "GPTJ",
        "GPTBigCode",
        "GPTNeoFor",
        "Bloom",
        "Falcon",
        "RWFor",
        "CodeGen",
        "MPT",
        "Mpt",
        "OPT",
    ]
    .iter()
    .any(|start| class.starts_with(start))
}
