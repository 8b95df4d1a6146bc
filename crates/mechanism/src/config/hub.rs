//! `config.json` as the Hub has it, to a [`DecoderConfig`]. Defaults are those of transformers 5's configuration classes.

use serde_json::{Map, Value};

use super::fields::Fields;
use super::rotary::{Rotary, Scaling};
use super::{Activation, Arrangement, Biases, DecoderConfig, Family, Mixture, NormKind, QkNorm};
use crate::error::{Error, Result};

/// Families by `model_type`.
fn family(model_type: &str) -> Result<Family> {
    Ok(match model_type {
        "llama" => Family::Llama,
        "mistral" => Family::Mistral,
        "mixtral" => Family::Mixtral,
        "qwen2" => Family::Qwen2,
        "qwen2_moe" => Family::Qwen2Moe,
        "qwen3" => Family::Qwen3,
        "qwen3_moe" => Family::Qwen3Moe,
        "gemma" => Family::Gemma,
        "gemma2" => Family::Gemma2,
        "gemma3_text" | "gemma3" => Family::Gemma3,
        "phi3" => Family::Phi3,
        "olmo2" => Family::Olmo2,
        "stablelm" => Family::StableLm,
        "gpt_neox" => Family::GptNeoX,
        "gpt2" => Family::Gpt2,
        other => {
            return Err(Error::Architecture {
                architecture: other.to_owned(),
                missing: "no decoder for this model_type; there is one for llama, mistral, mixtral, qwen2, qwen2_moe, \
                          qwen3, qwen3_moe, gemma, gemma2, gemma3_text, phi3, olmo2, stablelm, gpt_neox and gpt2"
                    .to_owned(),
            });
        }
    })
}

impl DecoderConfig {
    /// Reads the object of a `config.json`; the text part of a multimodal one.
    ///
    /// # Errors
    /// [`Error::Architecture`] for a family that is not covered, [`Error::Config`] for a field that is absent or senseless.
    pub fn from_hub(config: &Map<String, Value>) -> Result<Self> {
        let outer = Fields(config);
        if outer.get("quantization_config").is_some() {
            return Err(Error::Architecture {
                architecture: outer.text("model_type")?.unwrap_or("?").to_owned(),
                missing: "weights packed by a quantization_config are not read; use GGUF".to_owned(),
            });
        }
        let c = outer.object("text_config")?.unwrap_or(outer);
        let model_type = match c.text("model_type")? {
            Some(model_type) => model_type,
            None => outer.text("model_type")?.unwrap_or("(none)"),
        };
        let family = family(model_type)?;
        match family {
            Family::Gpt2 => gpt2(c),
            Family::GptNeoX => neox(c),
            _ => llama_like(family, c),
        }?
        .checked()
    }
}

fn activation(name: Option<&str>, default: Activation) -> Result<Activation> {
    Ok(match name {
        None => default,
        Some("silu" | "swish") => Activation::Silu,
        Some("gelu") => Activation::Gelu,
        Some("gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" | "gelu_tanh") => Activation::GeluTanh,
        Some("relu") => Activation::Relu,
        Some(other) => {
            return Err(Error::Config {
                field: "hidden_act".to_owned(),
                what: format!("`{other}` is not known"),
            });
        }
    })
}

/// Reads `rope_parameters` (transformers 5) or `rope_theta` with `rope_scaling` (before).
fn rotary(c: Fields<'_>, parameters: Option<Fields<'_>>, head_dim: usize, theta: f64) -> Result<Rotary> {
    let scaling = parameters.or(c.object("rope_scaling")?);
    let value = |key: &str| -> Result<Option<f64>> {
        match scaling {
            Some(s) => Ok(s.f64(key)?.or(c.f64(key)?)),
            None => c.f64(key),
        }
    };
    let theta = value("rope_theta")?.unwrap_or(theta);
    let partial = match value("partial_rotary_factor")? {
        Some(factor) => factor,
        None => c.f64("rotary_pct")?.unwrap_or(1.0),
    };
    let dim = (head_dim as f64 * partial) as usize;
    let max_positions = c.usize("max_position_embeddings")?.unwrap_or(2048);
    let kind = match scaling {
        Some(s) => s.text("rope_type")?.or(s.text("type")?).unwrap_or("default"),
        None => "default",
    };
    let factor = || -> Result<f64> {
        value("factor")?.ok_or_else(|| Error::Config {
            field: "rope_scaling.factor".to_owned(),
            what: "is missing".to_owned(),
        })
    };
    let original = value("original_max_position_embeddings")?.unwrap_or(max_positions as f64);
    let scaling = match (kind, scaling) {
        ("default", _) | (_, None) => None,
        ("linear", _) => Some(Scaling::Linear { factor: factor()? }),
        ("dynamic", _) => Some(Scaling::Dynamic { factor: factor()? }),
        ("llama3", _) => Some(Scaling::Llama3 {
            factor: factor()?,
            low: value("low_freq_factor")?.unwrap_or(1.0),
            high: value("high_freq_factor")?.unwrap_or(4.0),
            original,
        }),
        ("yarn", Some(s)) => {
            let factor = if value("original_max_position_embeddings")?.is_some() && value("factor")?.is_none()
            {
                max_positions as f64 / original
            } else {
                factor()?
            };
            Some(Scaling::Yarn {
                factor,
                original,
                beta_fast: value("beta_fast")?.unwrap_or(32.0),
                beta_slow: value("beta_slow")?.unwrap_or(1.0),
                attention_factor: yarn_attention(
                    factor,
                    value("attention_factor")?,
                    value("mscale")?,
                    value("mscale_all_dim")?,
                ),
                truncate: s.flag("truncate", true)?,
            })
        }
        ("longrope" | "su", Some(s)) => {
            let list = |key: &str| -> Result<Vec<f32>> {
                let numbers = s.numbers(key)?.ok_or_else(|| Error::Config {
                    field: key.to_owned(),
                    what: "is missing".to_owned(),
                })?;
                Ok(numbers.into_iter().map(|v| v as f32).collect())
            };
            let stretch = match value("factor")? {
                Some(factor) if c.get("original_max_position_embeddings").is_none() => factor,
                _ => max_positions as f64 / original,
            };
            let given = value("attention_factor")?;
            let attention_factor = given.unwrap_or(if stretch <= 1.0 {
                1.0
            } else {
                (1.0 + stretch.ln() / original.ln()).sqrt()
            });
            Some(Scaling::Factors {
                short: list("short_factor")?,
                long: list("long_factor")?,
                original: original as usize,
                attention_factor,
            })
        }
        (other, _) => {
            return Err(Error::Config {
                field: "rope_type".to_owned(),
                what: format!("`{other}` is not known"),
            });
        }
    };
    Ok(Rotary {
        theta,
        dim,
        scaling,
        max_positions,
    })
}

/// `YaRN`'s factor on cosines and sines: `0.1·ln s + 1` unless the file says otherwise.
pub(super) fn yarn_attention(
    factor: f64,
    given: Option<f64>,
    scale: Option<f64>,
    scale_all: Option<f64>,
) -> f64 {
    let by = |m: f64| {
        if factor <= 1.0 {
            1.0
        } else {
            0.1 * m * factor.ln() + 1.0
        }
    };
    match (given, scale, scale_all) {
        (Some(given), _, _) => given,
        (None, Some(m), Some(all)) if m != 0.0 && all != 0.0 => by(m) / by(all),
        _ => by(1.0),
    }
}

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

fn llama_like(family: Family, c: Fields<'_>) -> Result<DecoderConfig> {
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
    // Gemma 3 keeps two sets of rope parameters, one by layer type.
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
        norm_before: family != Family::Olmo2,
        norm_after: matches!(family, Family::Gemma2 | Family::Gemma3 | Family::Olmo2),
        qk_norm: match family {
            Family::Qwen3 | Family::Qwen3Moe | Family::Gemma3 => Some(QkNorm::PerHead),
            Family::Olmo2 => Some(QkNorm::Whole),
            Family::StableLm if c.flag("qk_layernorm", false)? => Some(QkNorm::PerHead),
            _ => None,
        },
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
        // Gemma 1's file says `gelu` and means the hyperbolic tangent; transformers reads it so.
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

/// Gemma 2 caps by default (an explicit null switches it off); Gemma 3 only where stated; others never.
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

fn neox(c: Fields<'_>) -> Result<DecoderConfig> {
    let (n_layers, d_model, n_heads) = (
        c.layers("num_hidden_layers")?,
        c.needed("hidden_size")?,
        c.needed("num_attention_heads")?,
    );
    let head_dim = d_model / n_heads.max(1);
    let base = c.f64("rotary_emb_base")?.unwrap_or(1e4);
    let mut rotary = rotary(c, c.object("rope_parameters")?, head_dim, base)?;
    if c.get("rotary_pct").is_none() && rotary.dim == head_dim && c.get("rope_parameters").is_none() {
        rotary.dim = head_dim / 4;
    }
    let bias = c.flag("attention_bias", true)?;
    Ok(DecoderConfig {
        family: Family::GptNeoX,
        n_layers,
        d_model,
        d_ffn: c.needed("intermediate_size")?,
        n_heads,
        n_kv_heads: n_heads,
        head_dim,
        vocab_size: c.needed("vocab_size")?,
        max_positions: c.usize("max_position_embeddings")?.unwrap_or(2048),
        norm: NormKind::Layer,
        norm_epsilon: c.f64("layer_norm_eps")?.unwrap_or(1e-5) as f32,
        norm_before: true,
        norm_after: false,
        qk_norm: None,
        rotary: Some(rotary),
        rotary_local: None,
        learned_positions: false,
        windows: vec![None; n_layers],
        attention_scale: 1.0 / (head_dim as f32).sqrt(),
        attention_cap: None,
        logit_cap: None,
        biases: Biases {
            qkv: bias,
            output: bias,
            feed_forward: true,
        },
        activation: activation(c.text("hidden_act")?, Activation::Gelu)?,
        gated: false,
        arrangement: if c.flag("use_parallel_residual", true)? {
            Arrangement::Parallel
        } else {
            Arrangement::Sequential
        },
        embedding_scale: None,
        tied: c.flag("tie_word_embeddings", false)?,
        mixture: None,
    })
}

fn gpt2(c: Fields<'_>) -> Result<DecoderConfig> {
    let (n_layers, d_model, n_heads) = (c.layers("n_layer")?, c.needed("n_embd")?, c.needed("n_head")?);
    let head_dim = d_model / n_heads.max(1);
    if c.flag("scale_attn_by_inverse_layer_idx", false)? {
        return Err(Error::Architecture {
            architecture: "gpt2".to_owned(),
            missing: "scale_attn_by_inverse_layer_idx".to_owned(),
        });
    }
    let scaled = c.flag("scale_attn_weights", true)?;
    Ok(DecoderConfig {
        family: Family::Gpt2,
        n_layers,
        d_model,
        d_ffn: c.usize("n_inner")?.unwrap_or(4 * d_model),
        n_heads,
        n_kv_heads: n_heads,
        head_dim,
        vocab_size: c.needed("vocab_size")?,
        max_positions: c.usize("n_positions")?.unwrap_or(1024),
        norm: NormKind::Layer,
        norm_epsilon: c.f64("layer_norm_epsilon")?.unwrap_or(1e-5) as f32,
        norm_before: true,
        norm_after: false,
        qk_norm: None,
        rotary: None,
        rotary_local: None,
        learned_positions: true,
        windows: vec![None; n_layers],
        attention_scale: if scaled {
            1.0 / (head_dim as f32).sqrt()
        } else {
            1.0
        },
        attention_cap: None,
        logit_cap: None,
        biases: Biases {
            qkv: true,
            output: true,
            feed_forward: true,
        },
        activation: activation(c.text("activation_function")?, Activation::GeluTanh)?,
        gated: false,
        arrangement: Arrangement::Sequential,
        embedding_scale: None,
        tied: c.flag("tie_word_embeddings", true)?,
        mixture: None,
    })
}
