//! Llama and the families built like it: tensor names, and how their GGUF metadata differ.

use super::super::gguf::keys::Keys;
use super::super::rotary::Rotary;
use super::super::{Activation, Arrangement, DecoderConfig, NormKind};
use super::like_llama::llama_like;
use super::{Facts, Family, Names, StoredLayer};
use crate::error::Result;
use crate::layout::{Kind, Part, Source, Take};

pub(super) const LLAMA: Facts = Facts {
    model_types: &["llama"],
    class: Some("LlamaForCausalLM"),
    architecture: Some("llama"),
    is_permuted: true,
    head_follows_width: false,
    read: llama_like,
    read_gguf: unchanged,
    names: Names {
        embedding: "embed_tokens",
        layers: "layers",
        final_norm: "norm",
        head: "lm_head",
        part,
    },
};

/// Built like Llama, but GGUF neither permutes the rows of queries and keys nor determines sliding windows.
const UNPERMUTED: Facts = Facts {
    is_permuted: false,
    read_gguf: unwindowed,
    ..LLAMA
};

pub(super) const MISTRAL: Facts = Facts {
    model_types: &["mistral"],
    class: Some("MistralForCausalLM"),
    architecture: Some("llama"),
    ..LLAMA
};

pub(super) const MIXTRAL: Facts = Facts {
    model_types: &["mixtral"],
    class: None,
    architecture: Some("llama"),
    ..LLAMA
};

pub(super) const QWEN2: Facts = Facts {
    model_types: &["qwen2"],
    class: Some("Qwen2ForCausalLM"),
    architecture: Some("qwen2"),
    ..UNPERMUTED
};

pub(super) const QWEN2_MOE: Facts = Facts {
    model_types: &["qwen2_moe"],
    class: None,
    architecture: Some("qwen2moe"),
    ..UNPERMUTED
};

pub(super) const QWEN3: Facts = Facts {
    model_types: &["qwen3"],
    class: Some("Qwen3ForCausalLM"),
    architecture: Some("qwen3"),
    ..UNPERMUTED
};

pub(super) const QWEN3_MOE: Facts = Facts {
    model_types: &["qwen3_moe"],
    class: None,
    architecture: Some("qwen3moe"),
    ..UNPERMUTED
};

pub(super) const GEMMA: Facts = Facts {
    model_types: &["gemma"],
    class: Some("GemmaForCausalLM"),
    architecture: Some("gemma"),
    read_gguf: gemma,
    ..UNPERMUTED
};

pub(super) const GEMMA2: Facts = Facts {
    model_types: &["gemma2"],
    class: Some("Gemma2ForCausalLM"),
    architecture: Some("gemma2"),
    read_gguf: gemma,
    ..UNPERMUTED
};

pub(super) const GEMMA3: Facts = Facts {
    model_types: &["gemma3_text", "gemma3"],
    class: Some("Gemma3ForCausalLM"),
    architecture: Some("gemma3"),
    read_gguf: gemma,
    ..UNPERMUTED
};

pub(super) const PHI3: Facts = Facts {
    model_types: &["phi3"],
    class: None,
    architecture: Some("phi3"),
    read_gguf: unchanged,
    ..UNPERMUTED
};

pub(super) const OLMO2: Facts = Facts {
    model_types: &["olmo2"],
    class: Some("Olmo2ForCausalLM"),
    architecture: Some("olmo2"),
    ..UNPERMUTED
};

pub(super) const STABLE_LM: Facts = Facts {
    model_types: &["stablelm"],
    class: None,
    architecture: Some("stablelm"),
    head_follows_width: true,
    read_gguf: stable_lm,
    ..UNPERMUTED
};

#[expect(clippy::unnecessary_wraps, reason = "every family has one shape")]
fn unchanged(_: &mut DecoderConfig, _: &Keys<'_>) -> Result<()> {
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "every family has one shape")]
fn unwindowed(c: &mut DecoderConfig, _: &Keys<'_>) -> Result<()> {
    c.windows.fill(None);
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "every family has one shape")]
fn gemma(c: &mut DecoderConfig, k: &Keys<'_>) -> Result<()> {
    c.norm = NormKind::RmsPlusOne;
    c.activation = Activation::GeluTanh;
    c.embedding_scale = Some((c.d_model as f64).sqrt() as f32);
    c.logit_cap = k.f64("final_logit_softcapping").map(|cap| cap as f32);
    // llama.cpp scales scores in Gemma 2 and 3 27B by 1/√(d_model / heads), elsewhere by 1/√head_dim.
    let is_wide = matches!(
        (c.family, c.n_layers),
        (Family::Gemma2, 46) | (Family::Gemma3, 62)
    );
    if is_wide {
        c.attention_scale = 1.0 / ((c.d_model / c.n_heads.max(1)) as f32).sqrt();
    }
    if c.family == Family::Gemma2 {
        c.attention_cap = k.f64("attn_logit_softcapping").map(|cap| cap as f32);
    }
    if c.family == Family::Gemma3 {
        c.rotary_local = c.rotary.clone().map(|main| Rotary {
            theta: 1e4,
            scaling: None,
            ..main
        });
    }
    for (layer, window) in c.windows.iter_mut().enumerate() {
        *window = window.filter(|_| match c.family {
            Family::Gemma2 => layer % 2 == 0,
            Family::Gemma3 => !(layer + 1).is_multiple_of(6),
            _ => false,
        });
    }
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "every family has one shape")]
fn stable_lm(c: &mut DecoderConfig, k: &Keys<'_>) -> Result<()> {
    c.windows.fill(None);
    c.norm = NormKind::Layer;
    if !k.has("blk.0.ffn_norm.weight") {
        c.arrangement = Arrangement::ParallelSharedNorm;
    }
    Ok(())
}

/// Also covers parts that Llama lacks, under the names of the families that have them.
fn part(place: &StoredLayer<'_>, c: &DecoderConfig, part: Part, kind: Kind) -> Source {
    let (q, kv, f) = (c.q_width(), c.kv_width(), c.d_ffn);
    let phi = c.family == Family::Phi3;
    let rows = |name: &str, rows| Source {
        name: place.named(name, kind),
        take: Take::Rows(rows),
    };
    let mixtral = (place.has)(&place.named("block_sparse_moe.gate", Kind::Weight));
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
                .map(|h| place.named(&format!("self_attn.{name}_layernorm.norms.{h}"), kind))
                .collect();
            return Source {
                name: format!("{}self_attn.{name}_layernorm.norms", place.at),
                take: Take::Joined(names),
            };
        }
        Part::AttentionNorm => "input_layernorm".to_owned(),
        // Gemma 2 uses the name of Llama's feed-forward norm for its norm after attention.
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
        // Parts that do not belong to a layer are named elsewhere.
        Part::Down | Part::Embedding | Part::Positions | Part::FinalNorm | Part::Head => {
            "mlp.down_proj".to_owned()
        }
    };
    Source::all(place.named(&name, kind))
}
