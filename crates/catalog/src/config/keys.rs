//! Which keys of a config are understood: those that are read, and those that do not affect the number of parameters.
//! If another key looks as if it affects the shape of weights, the count may be wrong and is no longer called exact.

use serde_json::Value;

use crate::config::blocks;
use crate::config::fields::{self, Fields};
use crate::config::known_keys::{HARMLESS, HARMLESS_PARTS, READ, SHAPING};
use crate::config::names;

/// Tables of names that are read.
const TABLES: [&[&str]; 15] = [
    names::LAYERS,
    names::D_MODEL,
    names::D_FFN,
    names::EXPERT_WIDTH,
    names::DENSE_WIDTH,
    names::HEADS,
    names::KV_HEADS,
    names::HEAD_DIM,
    names::VOCAB,
    names::POS,
    names::EXPERTS,
    names::USED,
    names::SHARED,
    names::SHARED_WIDTH,
    names::TIED,
];

/// Switches that the counts of some families take into account, with those families; in other families such a key is
/// understood only where it is off.
const BY_FAMILY: &[(&str, &[&str])] = &[
    ("add_bias_linear", &["chatglm"]),
    ("add_qkv_bias", &["chatglm"]),
    ("attention_layer_norm", &["olmo"]),
    ("attention_layer_norm_with_affine", &["olmo"]),
    ("attention_out_bias", &["seedoss"]),
    ("bias", &["falcon", "internlm2"]),
    ("bias_for_layer_norm", &["olmo"]),
    ("do_layer_norm_before", &["opt"]),
    ("expansion_ratio", &["mpt"]),
    ("ffn_with_glu", &["olmo", "openelm"]),
    ("hidden_size_per_layer_input", &[]),
    ("include_bias", &["olmo"]),
    ("layer_norm_with_affine", &["olmo"]),
    ("learned_positions", &["olmo"]),
    ("block_auto_adjust_ff_dim", &["lfm2"]),
    ("block_dim", &["lfm2"]),
    ("conv_dim", &["lfm2"]),
    ("mamba_inner_layernorms", &["jamba"]),
    ("norm_type", &["mpt"]),
    ("block_ff_dim", &["lfm2"]),
    ("block_ffn_dim_multiplier", &["lfm2"]),
    ("block_multiple_of", &["lfm2"]),
    ("conv_L_cache", &["lfm2"]),
    ("conv_bias", &["lfm2"]),
    ("lm_head_bias", &["phimoe"]),
    ("mlp_ratio", &["mpt"]),
    ("new_decoder_architecture", &["falcon"]),
    ("no_bias", &["mpt", "qwen"]),
    ("num_ln_in_parallel_attn", &["falcon"]),
    ("parallel_attn", &["falcon"]),
    ("parallel_attn_mlp_res", &["arctic"]),
    ("qkv_bias", &["qwen2", "qwen", "mimo", "glm", "glm4"]),
    (
        "use_bias",
        &["starcoder2", "ernie45", "mamba", "mamba2", "falconmamba"],
    ),
    ("use_conv_bias", &["mamba", "mamba2", "falconmamba", "nemotronh"]),
    ("use_mixed_mlp_moe", &["hunyuan"]),
    ("use_parallel_residual", &["gptneox", "stablelm"]),
    ("use_qkv_bias", &["stablelm"]),
    ("use_residual", &["arctic"]),
    ("word_embed_proj_dim", &["opt"]),
];
/// Families whose count takes a switch for norms of queries and keys into account.
const QK_NORM_FAMILIES: [&str; 15] = [
    "cohere",
    "exaone4",
    "gemma3",
    "glm4moe",
    "hunyuan",
    "lfm2",
    "llama4",
    "minimaxm2",
    "minimaxm3",
    "olmo2",
    "olmo3",
    "openelm",
    "phi",
    "qwen3",
    "stablelm",
];

/// Switches that are understood only with this value, which is the one that the families with such a switch are counted
/// with.
const USUAL: &[(&str, bool)] = &[
    ("_remove_final_layer_norm", false),
    ("add_cross_attention", false),
    ("add_full_attention_sink_bias", false),
    ("apply_residual_connection_post_layernorm", false),
    ("enable_bias", true),
    ("layer_norm_elementwise_affine", true),
    ("mamba_conv_bias", true),
    ("mamba_proj_bias", false),
    ("mlp_bias", false),
    ("post_layer_norm", true),
    ("rms_norm", true),
    ("rmsnorm", true),
    ("use_cla", false),
    ("use_double_wide_mlp", false),
];
/// Families that do not read `mlp_bias`; all others do.
const WITHOUT_MLP_BIAS: [&str; 12] = [
    "falcon",
    "gptbigcode",
    "gptneox",
    "glm",
    "glm4",
    "mimo",
    "opt",
    "phi3small",
    "qwen",
    "qwen2",
    "stablelm",
    "starcoder2",
];

/// A family, with and without the words for its mixture: `qwen3moe`, `qwen3`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Family<'a> {
    pub(crate) kind: &'a str,
    pub(crate) stem: &'a str,
}

impl Family<'_> {
    fn is_among(self, families: &[&str]) -> bool {
        families.contains(&self.kind) || families.contains(&self.stem)
    }
}

/// Tables whose values may be given as a list with one value per layer.
const BY_LAYER: [&[&str]; 7] = [
    names::D_FFN,
    names::EXPERT_WIDTH,
    names::HEADS,
    names::KV_HEADS,
    names::HEAD_DIM,
    names::USED,
    names::SHARED,
];

/// The keys of a config (of its language model, where that is nested) whose effect on the count is not known. A list
/// under a known name whose length is not `layers` is one of them, since it does not give one value per layer.
pub(crate) fn not_understood(
    family: Family<'_>,
    layers: Option<i64>,
    outer: &Fields,
    inner: &Fields,
) -> Vec<String> {
    let mut unknown = Vec::new();
    // Of the config that wraps a language model, only the output head concerns the language model.
    for (name, value) in inner {
        one(family, name, value, "", &mut unknown);
    }
    if !std::ptr::eq(outer, inner) {
        for (name, value) in outer.iter().filter(|(name, _)| !inner.contains_key(*name)) {
            if !names::NESTED.contains(&name.as_str()) {
                one(family, name, value, "", &mut unknown);
            }
        }
    }
    let lists = inner
        .iter()
        .filter_map(|(name, value)| Some((name, value.as_array()?)));
    for (name, list) in lists.filter(|(_, list)| !list.is_empty()) {
        let plain = name.strip_suffix("_per_layer").unwrap_or(name);
        let is_by_layer = i64::try_from(list.len()).ok() == layers;
        if !is_by_layer
            && BY_LAYER
                .iter()
                .chain(&[names::EXPERTS])
                .any(|table| table.contains(&plain))
        {
            unknown.push(name.clone());
        }
    }
    unknown.extend(blocks::not_understood(inner));
    unknown
}

fn one(family: Family<'_>, name: &str, value: &Value, inside: &str, unknown: &mut Vec<String>) {
    const NESTED: [&str; 3] = ["attn_config", "ffn_config", "linear_attn_config"];
    if is_unset(value) || is_understood(family, name, value) {
        return;
    }
    match value.as_object() {
        Some(part) if NESTED.contains(&name) => {
            for (key, value) in part {
                one(family, key, value, &format!("{name}."), unknown);
            }
        }
        _ if shapes(name, value) => unknown.push(format!("{inside}{name}")),
        _ => {}
    }
}

/// Whether nothing is stated, so that the class's default applies.
fn is_unset(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(part) => part.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether a switch is off.
fn is_off(value: &Value) -> bool {
    match value {
        Value::Bool(value) => !value,
        Value::String(text) => text.trim().eq_ignore_ascii_case("false"),
        other => fields::number(other) == Some(0),
    }
}

fn is_understood(family: Family<'_>, name: &str, value: &Value) -> bool {
    let plain = name
        .strip_suffix("_per_layer")
        .filter(|_| value.is_array())
        .unwrap_or(name);
    if is_listed(READ, plain) || TABLES.iter().any(|table| table.contains(&plain)) {
        return true;
    }
    if name == "mlp_bias" {
        return !family.is_among(&WITHOUT_MLP_BIAS) || is_off(value);
    }
    if names::QK_NORM.contains(&name) || name == "qk_norm_type" {
        return family.is_among(&QK_NORM_FAMILIES) || is_off(value);
    }
    if let Some((_, families)) = BY_FAMILY.iter().find(|(key, _)| *key == name) {
        return family.is_among(families) || is_off(value);
    }
    if let Some((_, usual)) = USUAL.iter().find(|(key, _)| *key == name) {
        return is_off(value) != *usual;
    }
    name.starts_with('_')
        || is_listed(HARMLESS, name)
        || HARMLESS_PARTS
            .split(' ')
            .any(|part| !part.is_empty() && name.contains(part))
}

fn is_listed(list: &str, name: &str) -> bool {
    list.split(' ').any(|listed| listed == name)
}

/// Whether the key may affect the shape of weights: by the words of its name, or because it holds numbers per layer.
fn shapes(name: &str, value: &Value) -> bool {
    let lower = name.to_ascii_lowercase();
    let by_word = lower.split('_').any(|word| {
        // Short words must match a whole word; longer ones also count within compounds and plurals.
        SHAPING.split_ascii_whitespace().any(|part| {
            if part.len() < 4 {
                word.trim_end_matches('s') == part
            } else {
                word.contains(part)
            }
        })
    });
    by_word || holds_numbers(value)
}

fn holds_numbers(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.iter().any(|value| value.is_number() || holds_numbers(value)),
        Value::Object(part) => part
            .values()
            .any(|value| value.is_number() || holds_numbers(value)),
        _ => false,
    }
}
