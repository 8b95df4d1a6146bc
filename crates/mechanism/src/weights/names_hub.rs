//! Names and layouts of safetensors checkpoints, as transformers writes them.

use super::part::{Kind, Part, Source, Take};
use super::safetensors::SafetensorsFiles;
use crate::config::{DecoderConfig, Family};
use crate::error::{Error, Result};

/// Name of the embedding after the prefix.
fn embedding(family: Family) -> &'static str {
    match family {
        Family::Gpt2 => "wte.weight",
        Family::GptNeoX => "embed_in.weight",
        _ => "embed_tokens.weight",
    }
}

/// What stands before the embedding's name: `model.`, `transformer.`, nothing, or a multimodal prefix.
pub(super) fn base(files: &SafetensorsFiles, config: &DecoderConfig) -> Result<String> {
    let name = embedding(config.family);
    let found = files.tensors.keys().filter_map(|key| key.strip_suffix(name));
    let shortest = found
        .filter(|base| base.is_empty() || base.ends_with('.'))
        .min_by_key(|base| base.len());
    match shortest {
        Some(base) => Ok(base.to_owned()),
        None => Err(Error::MissingTensor {
            name: name.to_owned(),
            n_tensors: files.tensors.len(),
        }),
    }
}

pub(super) fn source(
    files: &SafetensorsFiles,
    base: &str,
    c: &DecoderConfig,
    layer: Option<usize>,
    part: Part,
    kind: Kind,
) -> Source {
    let suffix = kind.suffix();
    let Some(layer) = layer else {
        let name = match (part, c.family) {
            (Part::Embedding, family) => format!("{base}{}", embedding(family).replace(".weight", suffix)),
            (Part::Positions, _) => format!("{base}wpe{suffix}"),
            (Part::FinalNorm, Family::Gpt2) => format!("{base}ln_f{suffix}"),
            (Part::FinalNorm, Family::GptNeoX) => format!("{base}final_layer_norm{suffix}"),
            (Part::FinalNorm, _) => format!("{base}norm{suffix}"),
            (_, Family::GptNeoX) => format!("embed_out{suffix}"),
            _ => head(files, suffix),
        };
        return Source::all(name);
    };
    match c.family {
        Family::Gpt2 => gpt2(&format!("{base}h.{layer}."), c, part, kind),
        Family::GptNeoX => neox(&format!("{base}layers.{layer}."), c, part, kind),
        _ => llama_like(files, &format!("{base}layers.{layer}."), c, part, kind),
    }
}

/// The head stands outside the prefix, except in multimodal files.
fn head(files: &SafetensorsFiles, suffix: &str) -> String {
    let name = format!("lm_head{suffix}");
    if files.tensors.contains_key(&name) {
        return name;
    }
    files
        .tensors
        .keys()
        .find(|key| key.ends_with(&format!(".{name}")))
        .cloned()
        .unwrap_or(name)
}

fn llama_like(files: &SafetensorsFiles, at: &str, c: &DecoderConfig, part: Part, kind: Kind) -> Source {
    let suffix = kind.suffix();
    let (q, kv, f) = (c.q_width(), c.kv_width(), c.d_ffn);
    let phi = c.family == Family::Phi3;
    let rows = |name: &str, rows| Source {
        name: format!("{at}{name}{suffix}"),
        take: Take::Rows(rows),
    };
    let mixtral = files
        .tensors
        .contains_key(&format!("{at}block_sparse_moe.gate.weight"));
    let name = match part {
        Part::Q if phi => return rows("self_attn.qkv_proj", 0..q),
        Part::K if phi => return rows("self_attn.qkv_proj", q..q + kv),
        Part::V if phi => return rows("self_attn.qkv_proj", q + kv..q + 2 * kv),
        Part::Gate if phi => return rows("mlp.gate_up_proj", 0..f),
        Part::Up if phi => return rows("mlp.gate_up_proj", f..2 * f),
        Part::QNorm | Part::KNorm if c.family == Family::StableLm => {
            let (name, heads) = if part == Part::QNorm {
                ("q", c.n_heads)
            } else {
                ("k", c.n_kv_heads)
            };
            let names = (0..heads)
                .map(|h| format!("{at}self_attn.{name}_layernorm.norms.{h}{suffix}"))
                .collect();
            return Source {
                name: format!("{at}self_attn.{name}_layernorm.norms"),
                take: Take::Joined(names),
            };
        }
        Part::AttentionNorm => "input_layernorm".to_owned(),
        // What stands after attention in Gemma 2 stands before the feed-forward part elsewhere.
        Part::FfnNorm if c.norm_after => "pre_feedforward_layernorm".to_owned(),
        Part::AttentionPostNorm | Part::FfnNorm => "post_attention_layernorm".to_owned(),
        Part::FfnPostNorm => "post_feedforward_layernorm".to_owned(),
        Part::Q => "self_attn.q_proj".to_owned(),
        Part::K => "self_attn.k_proj".to_owned(),
        Part::V => "self_attn.v_proj".to_owned(),
        Part::O => "self_attn.o_proj".to_owned(),
        Part::QNorm => "self_attn.q_norm".to_owned(),
        Part::KNorm => "self_attn.k_norm".to_owned(),
        Part::Gate => "mlp.gate_proj".to_owned(),
        Part::Up => "mlp.up_proj".to_owned(),
        Part::Router if mixtral => "block_sparse_moe.gate".to_owned(),
        Part::Router => "mlp.gate".to_owned(),
        Part::ExpertGate(e) if mixtral => format!("block_sparse_moe.experts.{e}.w1"),
        Part::ExpertUp(e) if mixtral => format!("block_sparse_moe.experts.{e}.w3"),
        Part::ExpertDown(e) if mixtral => format!("block_sparse_moe.experts.{e}.w2"),
        Part::ExpertGate(e) => format!("mlp.experts.{e}.gate_proj"),
        Part::ExpertUp(e) => format!("mlp.experts.{e}.up_proj"),
        Part::ExpertDown(e) => format!("mlp.experts.{e}.down_proj"),
        Part::SharedGate => "mlp.shared_expert.gate_proj".to_owned(),
        Part::SharedUp => "mlp.shared_expert.up_proj".to_owned(),
        Part::SharedDown => "mlp.shared_expert.down_proj".to_owned(),
        Part::SharedRouter => "mlp.shared_expert_gate".to_owned(),
        // What is no part of a layer has been named before.
        Part::Down | Part::Embedding | Part::Positions | Part::FinalNorm | Part::Head => {
            "mlp.down_proj".to_owned()
        }
    };
    Source::all(format!("{at}{name}{suffix}"))
}

fn neox(at: &str, c: &DecoderConfig, part: Part, kind: Kind) -> Source {
    let fused = |index| Source {
        name: format!("{at}attention.query_key_value{}", kind.suffix()),
        take: Take::Interleaved {
            index,
            head_dim: c.head_dim,
        },
    };
    let name = match part {
        Part::Q => return fused(0),
        Part::K => return fused(1),
        Part::V => return fused(2),
        Part::O => "attention.dense",
        Part::AttentionNorm => "input_layernorm",
        Part::FfnNorm => "post_attention_layernorm",
        Part::Up => "mlp.dense_h_to_4h",
        _ => "mlp.dense_4h_to_h",
    };
    Source::all(format!("{at}{name}{}", kind.suffix()))
}

fn gpt2(at: &str, c: &DecoderConfig, part: Part, kind: Kind) -> Source {
    let d = c.d_model;
    let (name, columns) = match part {
        Part::Q => ("attn.c_attn", 0..d),
        Part::K => ("attn.c_attn", d..2 * d),
        Part::V => ("attn.c_attn", 2 * d..3 * d),
        Part::O => ("attn.c_proj", 0..d),
        Part::Up => ("mlp.c_fc", 0..c.d_ffn),
        Part::AttentionNorm => return Source::all(format!("{at}ln_1{}", kind.suffix())),
        Part::FfnNorm => return Source::all(format!("{at}ln_2{}", kind.suffix())),
        _ => ("mlp.c_proj", 0..d),
    };
    Source {
        name: format!("{at}{name}{}", kind.suffix()),
        take: Take::Columns(columns),
    }
}
