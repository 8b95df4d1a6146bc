//! Reads a `config.json` into a [`Config`].

use serde_json::Value;

use crate::config::blocks::{self, Block};
use crate::config::defaults;
use crate::config::fields::{self, Fields};
use crate::config::layers::{Feed, Mixer, kinds};
use crate::config::layouts;
use crate::config::makeup::makeup;
use crate::config::names::{
    D_FFN, D_MODEL, DENSE_WIDTH, EXPERT_WIDTH, EXPERTS, HEAD_DIM, HEADS, KV_HEADS, LAYERS, NESTED, POS,
    SHARED, SHARED_WIDTH, USED, VOCAB,
};
use crate::config::plan::Plan;
use crate::config::stated::Config;

/// The fields of a whole config and those of its language model (`text_config` and the like); both are the same where
/// nothing is nested.
pub(crate) fn parts<'a>(value: &'a Value, empty: &'a Fields) -> (&'a Fields, &'a Fields) {
    let outer = value.as_object().unwrap_or(empty);
    let nested = fields::object(outer, NESTED)
        .or_else(|| fields::object(fields::object(outer, &["thinker_config"])?, NESTED))
        .filter(|inner| fields::int(inner, D_MODEL).is_some() || fields::int(inner, LAYERS).is_some());
    (outer, nested.unwrap_or(outer))
}

/// Reads one config. Where a language model is nested in it (`text_config` and the like), the nested config is read.
pub fn read(value: &Value) -> Config {
    let empty = Fields::new();
    let value = layouts::usual(value);
    let (outer, inner) = parts(&value, &empty);
    let mut config = dimensions(outer, inner);
    if let Some(kind) = fields::text(inner, &["model_type"]).filter(|_| !std::ptr::eq(outer, inner)) {
        defaults::nested(&mut config, kind);
    }
    config.is_multimodal = [
        "vision_config",
        "audio_config",
        "vision_tower",
        "mm_vision_tower",
        "visual",
        "vit_config",
        "image_token_id",
        "speech_config",
    ]
    .iter()
    .any(|name| outer.get(*name).is_some_and(|value| !value.is_null()));
    mixture(&mut config, inner);
    if config.layers.is_some() {
        let layers = kinds(inner, config.layers.unwrap_or(0), config.is_moe);
        config.attention_layers = Some(
            layers
                .iter()
                .filter(|(mixer, _)| matches!(mixer, Mixer::Attention | Mixer::Window))
                .count() as i64,
        );
        config.is_moe &= layers.iter().any(|(_, feed)| *feed == Feed::Experts);
    }
    let Some(plan) = Plan::new(&config, outer, inner) else {
        config.makeup = makeup(&config, outer, inner);
        return config;
    };
    let (key_heads, not_understood) = (plan.key_heads, plan.not_understood(outer));
    let layers_differ = plan.sizes().is_some_and(|sizes| plan.layers_differ(sizes));
    config.key_heads = key_heads;
    config.not_understood = not_understood;
    config.layers_differ = layers_differ;
    config.makeup = makeup(&config, outer, inner);
    if let Some(counts) = config.makeup.counts {
        config.parameters_total = Some(counts.total);
        config.parameters_active = Some(counts.active);
        // Of a multimodal model only the text part is counted.
        config.counted_exactly = counts.exact && !config.is_multimodal;
    }
    config
}

fn dimensions(outer: &Fields, inner: &Fields) -> Config {
    let both = |names: &[&str]| fields::int(inner, names).or_else(|| fields::int(outer, names));
    let mut config = Config {
        architecture: fields::list(outer, &["architectures"])
            .or_else(|| fields::list(inner, &["architectures"]))
            .and_then(|list| list.first()?.as_str())
            .map(str::to_owned),
        model_type: fields::text(outer, &["model_type"])
            .or_else(|| fields::text(inner, &["model_type"]))
            .map(str::to_owned),
        layers: fields::int(inner, LAYERS).or_else(|| listed_layers(inner)),
        d_model: fields::int(inner, D_MODEL),
        d_ffn: usual(inner, D_FFN).or_else(|| blocks::usual(inner, Block::width)),
        heads: usual(inner, HEADS),
        kv_heads: usual(inner, KV_HEADS),
        head_dim: usual(inner, HEAD_DIM),
        vocab_size: both(VOCAB),
        vocab_rows: both(&["padded_vocab_size"])
            .filter(|&rows| both(VOCAB).is_some_and(|vocab| vocab < rows)),
        is_encoder_decoder: fields::flag(outer, &["is_encoder_decoder"]) == Some(true),
        pos: fields::int(inner, POS),
        sliding_window: fields::int(
            inner,
            &[
                "sliding_window",
                "sliding_window_size",
                "attention_chunk_size",
                "attention_window_size",
            ],
        ),
        quantization: fields::object(outer, &["quantization_config"])
            .or_else(|| fields::object(inner, &["quantization_config"]))
            .map(|how| {
                fields::text(how, &["quant_method", "quant_algo"])
                    .unwrap_or("unknown")
                    .to_owned()
            }),
        ..Config::default()
    };
    if config.kv_heads.is_none()
        && let Some(heads) = config.heads
    {
        config.kv_heads = blocks::usual(inner, |block| block.kv_heads(heads));
    }
    attention_of_nested(&mut config, inner);
    let kind = config.model_type.clone().unwrap_or_default();
    let class = config.architecture.clone().unwrap_or_default();
    if config.kv_heads.is_none() {
        let stated = fields::flag(inner, &["multi_query"]);
        let falcon = kind == "falcon" || kind.starts_with("RefinedWeb") || class.starts_with("RWFor");
        let grouped = fields::flag(inner, &["new_decoder_architecture"]) == Some(true);
        if stated == Some(true) && !(falcon && grouped) {
            config.kv_heads = Some(1);
        }
    } else if fields::flag(inner, &["multi_query_attention"]) == Some(false) && kind == "chatglm" {
        config.kv_heads = config.heads;
    }
    if kind == "falcon"
        && fields::flag(inner, &["multi_query"]) == Some(true)
        && fields::flag(inner, &["new_decoder_architecture"]) != Some(true)
    {
        config.kv_heads = Some(1);
    }
    if config.d_ffn.is_none() && widens_by_four(&kind, &class) {
        let ratio = fields::float(inner, &["expansion_ratio", "mlp_ratio"]).unwrap_or(4.0);
        config.d_ffn = config.d_model.map(|width| (width as f64 * ratio) as i64);
    }
    if fields::text(inner, &["model_type"]) == Some("lfm2") {
        let stated = fields::int(inner, &["block_ff_dim"]).or(config.d_ffn);
        config.d_ffn = stated.map(|stated| adjusted(stated, inner));
    }
    if class.starts_with("QWen") && (kind == "qwen" || kind.is_empty()) {
        // The first Qwen states the sum of both halves of its gated layer.
        config.d_ffn = config.d_ffn.map(|width| width / 2);
    }
    config
}

/// The feed-forward width of LFM2 for the width stated in its config, with the defaults of its class.
pub(crate) fn lfm2_usual_width(stated: i64) -> i64 {
    adjusted(stated, &Fields::new())
}

/// The feed-forward width of LFM2 for the width stated in its config (`Lfm2MLP` in transformers): two thirds of it,
/// rounded up to a multiple.
fn adjusted(stated: i64, inner: &Fields) -> i64 {
    if fields::flag(inner, &["block_auto_adjust_ff_dim"]) == Some(false) {
        return stated;
    }
    let share = fields::float(inner, &["block_ffn_dim_multiplier"]).unwrap_or(1.0);
    let width = (share * (stated.saturating_mul(2) / 3) as f64) as i64;
    layouts::multiple_of(width, fields::int(inner, &["block_multiple_of"]).unwrap_or(256))
}

/// The integer under one of `names`, or the most frequent of those listed per layer under `…_per_layer`.
fn usual(inner: &Fields, names: &[&str]) -> Option<i64> {
    fields::int(inner, names).or_else(|| {
        names
            .iter()
            .find_map(|name| fields::int(inner, &[&format!("{name}_per_layer")]))
    })
}

/// MPT and DBRX keep the fields of attention and of the feed-forward layer in nested objects.
fn attention_of_nested(config: &mut Config, inner: &Fields) {
    if let Some(attention) = fields::object(inner, &["attn_config", "ssm_cfg"]) {
        config.kv_heads = config.kv_heads.or_else(|| fields::int(attention, KV_HEADS));
    }
    if let Some(feed) = fields::object(inner, &["ffn_config"]) {
        config.d_ffn = config.d_ffn.or_else(|| fields::int(feed, D_FFN));
    }
}

fn mixture(config: &mut Config, inner: &Fields) {
    let feed = fields::object(inner, &["ffn_config"]);
    let int = |names: &[&str]| fields::int(inner, names).or_else(|| fields::int(feed?, names));
    config.experts = int(EXPERTS).filter(|&experts| experts > 1);
    config.is_moe = config.experts.is_some();
    if !config.is_moe {
        return;
    }
    config.experts_per_token = int(USED);
    let stated = fields::int(inner, EXPERT_WIDTH).filter(|_| {
        fields::int(
            inner,
            &[
                "moe_intermediate_size",
                "expert_ffn_hidden_size",
                "moe_ffn_hidden_size",
            ],
        )
        .is_some()
    });
    config.dense_width = fields::int(inner, DENSE_WIDTH);
    config.d_ffn = stated.or(config.d_ffn);
    let width = config.d_ffn;
    config.shared_width = fields::int(inner, SHARED_WIDTH).or_else(|| {
        let count = fields::int(inner, SHARED)?;
        width?.checked_mul(count)
    });
    if fields::text(inner, &["model_type"]) == Some("llama4_text") {
        // One shared expert, as wide as each of the routed ones.
        config.shared_width = width;
    }
}

/// Architectures whose feed-forward layer is four times as wide as the residual stream unless the config says
/// otherwise.
fn widens_by_four(kind: &str, class: &str) -> bool {
    let types = [
        "gpt2",
        "gptj",
        "gpt_bigcode",
        "gpt_neo",
        "bloom",
        "falcon",
        "RefinedWeb",
        "RefinedWebModel",
        "codegen",
        "mpt",
        "opt",
        "phi-msft",
        "mixformer-sequential",
    ];
    let classes = [
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
        "MixFormer",
    ];
    types.contains(&kind) || classes.iter().any(|start| class.starts_with(start))
}

/// The number of layers of a config that lists the kind of each layer and states no number.
fn listed_layers(inner: &Fields) -> Option<i64> {
    let listed = fields::list(inner, &["layers_block_type", "layer_types"])?;
    i64::try_from(listed.len()).ok().filter(|&n| n > 0)
}
