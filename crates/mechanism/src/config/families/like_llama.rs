//! Reads `config.json` of Llama and the many families built like it.

use serde_json::Value;

use super::super::fields::{Fields, activation};
use super::super::hub::rotary::rotary;
use super::super::rotary::Rotary;
use super::super::{Activation, Arrangement, Biases, DecoderConfig, Mixture, NormKind};
use super::Family;
use crate::error::Result;

fn windows(family: Family, c: Fields<'_>, n_layers: usize) -> Result<Vec<Option<usize>>> {
    let window = c.usize("sliding_window")?.filter(|w| *w > 0);
    if let Some(Value::Array(types)) = c.get("layer_types") {
        return Ok(types
            .iter()
            .map(|t| window.filter(|_| t.as_str() == Some("sliding_attention")))
            .collect());
    }
    let pattern = c.usize("sliding_window_pattern")?.filter(|p| *p > 0);
    Ok((0..n_layers)
        .map(|layer| match family {
            Family::Mistral | Family::Mixtral | Family::Phi3 => window,
            Family::Gemma2 => window.or(Some(4096)).filter(|_| layer % 2 == 0),
            Family::Gemma3 => window
                .or(Some(4096))
                .filter(|_| !(layer + 1).is_multiple_of(pattern.unwrap_or(6))),
            Family::Qwen2 | Family::Qwen3 | Family::Qwen2Moe | Family::Qwen3Moe => {
                let used = c.flag("use_sliding_window", false).unwrap_or(false);
                let first = c.usize("max_window_layers").ok().flatten().unwrap_or(28);
                window.filter(|_| used && layer >= first)
            }
            _ => None,
        })
        .collect())
}

fn mixture(family: Family, c: Fields<'_>, n_layers: usize, d_ffn: usize) -> Result<Option<Mixture>> {
    if !matches!(family, Family::Mixtral | Family::Qwen2Moe | Family::Qwen3Moe) {
        return Ok(None);
    }
    let n_experts = match c.usize("num_local_experts")? {
        Some(n) => n,
        None => c.needed("num_experts")?,
    };
    let dense = c.numbers("mlp_only_layers")?.unwrap_or_default();
    let step = c.usize("decoder_sparse_step")?.unwrap_or(1).max(1);
    Ok(Some(Mixture {
        n_experts,
        top_k: c.usize("num_experts_per_tok")?.unwrap_or(2),
        d_expert: if family == Family::Mixtral {
            d_ffn
        } else {
            c.needed("moe_intermediate_size")?
        },
        normalize_top_k: family == Family::Mixtral || c.flag("norm_topk_prob", false)?,
        d_shared: if family == Family::Qwen2Moe {
            Some(c.needed("shared_expert_intermediate_size")?)
        } else {
            None
        },
        sparse: (0..n_layers)
            .map(|l| !dense.contains(&(l as f64)) && (l + 1).is_multiple_of(step))
            .collect(),
    }))
}

/// Reads the fields by Llama's names, with the differences of the families that share this reader.
pub(super) fn llama_like(family: Family, c: Fields<'_>) -> Result<DecoderConfig> {
    let (n_layers, d_model) = (c.layers("num_hidden_layers")?, c.needed("hidden_size")?);
    let (d_ffn, n_heads) = (c.needed("intermediate_size")?, c.needed("num_attention_heads")?);
    let gemma = matches!(family, Family::Gemma | Family::Gemma2 | Family::Gemma3);
    let head_dim = match c.usize("head_dim")? {
        Some(dim) => dim,
        None if gemma || matches!(family, Family::Qwen3 | Family::Qwen3Moe) => {
            if matches!(family, Family::Qwen3 | Family::Qwen3Moe) {
                128
            } else {
                256
            }
        }
        None => d_model / n_heads.max(1),
    };
    let stable = family == Family::StableLm;
    let gemma3 = family == Family::Gemma3;
    // Gemma 3 has two sets of rotary parameters, one for each layer type.
    let ropes = c.object("rope_parameters")?;
    let full = match ropes {
        Some(r) => r.object("full_attention")?.or(Some(r)),
        None => None,
    };
    let main_theta = if gemma3 { 1e6 } else { 1e4 };
    let main = rotary(c, full, head_dim, main_theta)?;
    let local = if gemma3 {
        let theta = match ropes
            .map(|r| r.object("sliding_attention"))
            .transpose()?
            .flatten()
        {
            Some(r) => r.f64("rope_theta")?,
            None => c.f64("rope_local_base_freq")?,
        };
        Some(Rotary {
            theta: theta.unwrap_or(1e4),
            scaling: None,
            ..main.clone()
        })
    } else {
        None
    };
    let query_scalar = c
        .f64("query_pre_attn_scalar")?
        .filter(|_| matches!(family, Family::Gemma2 | Family::Gemma3));
    let attention_bias = c.flag("attention_bias", false)?;
    let qwen2 = matches!(family, Family::Qwen2 | Family::Qwen2Moe);
    let parallel = stable && c.flag("use_parallel_residual", false)?;
    let epsilon = if stable {
        c.f64("layer_norm_eps")?.unwrap_or(1e-5)
    } else {
        c.f64("rms_norm_eps")?.unwrap_or(1e-6)
    };
    let activation_name = c.text("hidden_activation")?.or(c.text("hidden_act")?);
    Ok(DecoderConfig {
        family,
        n_layers,
        d_model,
        d_ffn,
        n_heads,
        n_kv_heads: c.usize("num_key_value_heads")?.unwrap_or(n_heads),
        head_dim,
        vocab_size: c.needed("vocab_size")?,
        max_positions: c.usize("max_position_embeddings")?.unwrap_or(2048),
        norm: if gemma {
            NormKind::RmsPlusOne
        } else if stable {
            NormKind::Layer
        } else {
            NormKind::Rms
        },
        norm_epsilon: epsilon as f32,
        norm_before: family.has_norm_before(),
        norm_after: family.has_norm_after(),
        qk_norm: family.qk_norm(stable && c.flag("qk_layernorm", false)?),
        rotary: Some(main),
        rotary_local: local,
        learned_positions: false,
        windows: windows(family, c, n_layers)?,
        attention_scale: (1.0
            / query_scalar
                .unwrap_or(if matches!(family, Family::Gemma2 | Family::Gemma3) {
                    256.0
                } else {
                    head_dim as f64
                })
                .sqrt()) as f32,
        attention_cap: capped(family, c, "attn_logit_softcapping", 50.0)?,
        logit_cap: capped(family, c, "final_logit_softcapping", 30.0)?,
        biases: Biases {
            qkv: attention_bias
                || (qwen2 && c.flag("qkv_bias", true)?)
                || (stable && c.flag("use_qkv_bias", false)?),
            output: attention_bias,
            feed_forward: c.flag("mlp_bias", false)?,
        },
        // Gemma 1's file says `gelu` but means the tanh approximation, which transformers uses too.
        activation: if family == Family::Gemma {
            Activation::GeluTanh
        } else {
            activation(
                activation_name,
                if gemma {
                    Activation::GeluTanh
                } else {
                    Activation::Silu
                },
            )?
        },
        gated: true,
        arrangement: if parallel {
            Arrangement::ParallelSharedNorm
        } else {
            Arrangement::Sequential
        },
        embedding_scale: gemma.then(|| (d_model as f64).sqrt() as f32),
        tied: c.flag("tie_word_embeddings", gemma)?,
        mixture: mixture(family, c, n_layers, d_ffn)?,
    })
}

/// Gemma 2 caps by default (an explicit null disables it); Gemma 3 caps only if the file says so; other families never.
fn capped(family: Family, c: Fields<'_>, key: &str, default: f64) -> Result<Option<f32>> {
    if !matches!(family, Family::Gemma2 | Family::Gemma3) {
        return Ok(None);
    }
    let absent = if family == Family::Gemma2 && !c.0.contains_key(key) {
        Some(default)
    } else {
        None
    };
    Ok(c.f64(key)?.or(absent).map(|cap| cap as f32))
}
