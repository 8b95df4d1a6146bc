//! GGUF metadata to a [`DecoderConfig`]. Keys: ggml's `docs/gguf.md`; which rotation and norm an architecture means is
//! llama.cpp's knowledge, repeated here.

mod parts;

use parts::{mixture, rotary};

use super::rotary::Rotary;
use super::{Activation, Arrangement, Biases, DecoderConfig, Family, NormKind};
use crate::error::{Error, Result};
use crate::gguf::{Gguf, Value};

fn family(file: &Gguf, architecture: &str) -> Result<Family> {
    let experts = file.number(&format!("{architecture}.expert_count")).unwrap_or(0) > 0;
    Ok(match architecture {
        // llama.cpp has no architecture of its own for Mixtral.
        "llama" if experts => Family::Mixtral,
        "llama" => Family::Llama,
        "qwen2" => Family::Qwen2,
        "qwen2moe" => Family::Qwen2Moe,
        "qwen3" => Family::Qwen3,
        "qwen3moe" => Family::Qwen3Moe,
        "gemma" => Family::Gemma,
        "gemma2" => Family::Gemma2,
        "gemma3" => Family::Gemma3,
        "phi3" => Family::Phi3,
        "olmo2" => Family::Olmo2,
        "stablelm" => Family::StableLm,
        "gptneox" => Family::GptNeoX,
        "gpt2" => Family::Gpt2,
        other => {
            return Err(Error::Architecture {
                architecture: other.to_owned(),
                missing: "no decoder for this general.architecture; there is one for llama, qwen2, qwen2moe, qwen3, \
                          qwen3moe, gemma, gemma2, gemma3, phi3, olmo2, stablelm, gptneox and gpt2"
                    .to_owned(),
            });
        }
    })
}

/// Typed access to `{architecture}.{key}`.
struct Keys<'a> {
    file: &'a Gguf,
    architecture: &'a str,
}

impl Keys<'_> {
    fn value(&self, key: &str) -> Option<&Value> {
        self.file.metadata.get(&format!("{}.{key}", self.architecture))
    }

    fn f64(&self, key: &str) -> Option<f64> {
        self.value(key).and_then(Value::as_f64)
    }

    /// A count; of a per-layer list, the one value it repeats.
    fn usize(&self, key: &str) -> Result<Option<usize>> {
        let bad = |what: &str| Error::Config {
            field: format!("{}.{key}", self.architecture),
            what: what.to_owned(),
        };
        match self.value(key) {
            None => Ok(None),
            Some(Value::Numbers(list)) => match list.first() {
                Some(first) if list.iter().all(|v| v == first) => Ok(Some(*first as usize)),
                _ => Err(bad("differs between layers, which the decoder does not cover")),
            },
            Some(value) => value
                .as_u64()
                .map(|v| Some(v as usize))
                .ok_or_else(|| bad("is no count")),
        }
    }

    fn needed(&self, key: &str) -> Result<usize> {
        let missing = || Error::Config {
            field: format!("{}.{key}", self.architecture),
            what: "is missing".to_owned(),
        };
        self.usize(key)?.ok_or_else(missing)
    }
}

impl DecoderConfig {
    /// Reads the metadata (and which optional tensors there are) of an open GGUF file.
    ///
    /// # Errors
    /// [`Error::Architecture`] for an architecture that is not covered, [`Error::Config`] for a key that is absent or
    /// senseless.
    pub fn from_gguf(file: &Gguf) -> Result<Self> {
        let architecture = file.text("general.architecture").unwrap_or("(none)");
        let family = family(file, architecture)?;
        let k = Keys { file, architecture };
        let (n_layers, d_model) = (k.needed("block_count")?, k.needed("embedding_length")?);
        if n_layers > 4096 {
            return Err(Error::Config {
                field: "block_count".to_owned(),
                what: format!("{n_layers} layers"),
            });
        }
        let n_heads = k.needed("attention.head_count")?;
        let head_dim = k
            .usize("attention.key_length")?
            .unwrap_or(d_model / n_heads.max(1));
        let d_ffn = match k.usize("feed_forward_length")? {
            Some(width) if width > 0 => width,
            _ => k.needed("expert_feed_forward_length")?,
        };
        let vocab_size = match file.tensors.get("token_embd.weight") {
            Some(entry) => entry.shape.first().copied().unwrap_or(0),
            None => {
                return Err(Error::MissingTensor {
                    name: "token_embd.weight".to_owned(),
                    n_tensors: file.tensors.len(),
                });
            }
        };
        let gemma = matches!(family, Family::Gemma | Family::Gemma2 | Family::Gemma3);
        let layer_norm = matches!(family, Family::StableLm | Family::GptNeoX | Family::Gpt2);
        let epsilon = k
            .f64("attention.layer_norm_rms_epsilon")
            .or(k.f64("attention.layer_norm_epsilon"))
            .unwrap_or(1e-5);
        let max_positions = k.usize("context_length")?.unwrap_or(2048);
        let has = |name: &str| file.tensors.contains_key(name);
        let gated = !matches!(family, Family::GptNeoX | Family::Gpt2);
        let main = rotary(file, &k, family, head_dim, max_positions)?;
        let local = Rotary {
            theta: 1e4,
            scaling: None,
            ..main.clone()
        };
        // llama.cpp scales the 27B checkpoints of Gemma 2 and 3 by d_model / heads, the others by the head's width.
        let wide_gemma =
            (family == Family::Gemma2 && n_layers == 46) || (family == Family::Gemma3 && n_layers == 62);
        let scale_width = if wide_gemma {
            d_model / n_heads.max(1)
        } else {
            head_dim
        };
        let parallel = match k.value("use_parallel_residual") {
            Some(Value::Bool(parallel)) => *parallel,
            _ => family == Family::GptNeoX,
        };
        let window = k.usize("attention.sliding_window")?.filter(|w| *w > 0);
        Self {
            family,
            n_layers,
            d_model,
            d_ffn,
            n_heads,
            n_kv_heads: k.usize("attention.head_count_kv")?.unwrap_or(n_heads),
            head_dim,
            vocab_size,
            max_positions,
            norm: if gemma {
                NormKind::RmsPlusOne
            } else if layer_norm {
                NormKind::Layer
            } else {
                NormKind::Rms
            },
            norm_epsilon: epsilon as f32,
            norm_before: family.has_norm_before(),
            norm_after: family.has_norm_after(),
            qk_norm: family.qk_norm(has("blk.0.attn_q_norm.weight")),
            rotary: (family != Family::Gpt2).then_some(main),
            rotary_local: (family == Family::Gemma3).then_some(local),
            learned_positions: family == Family::Gpt2,
            windows: (0..n_layers)
                .map(|layer| match family {
                    Family::Gemma2 => window.filter(|_| layer % 2 == 0),
                    Family::Gemma3 => window.filter(|_| !(layer + 1).is_multiple_of(6)),
                    Family::Phi3 | Family::Llama | Family::Mixtral => window,
                    _ => None,
                })
                .collect(),
            attention_scale: 1.0 / (scale_width as f32).sqrt(),
            attention_cap: k
                .f64("attn_logit_softcapping")
                .filter(|_| family == Family::Gemma2)
                .map(|c| c as f32),
            logit_cap: k
                .f64("final_logit_softcapping")
                .filter(|_| gemma)
                .map(|c| c as f32),
            biases: Biases {
                qkv: has("blk.0.attn_q.bias") || has("blk.0.attn_qkv.bias"),
                output: has("blk.0.attn_output.bias"),
                feed_forward: has("blk.0.ffn_down.bias"),
            },
            activation: match family {
                Family::Gemma | Family::Gemma2 | Family::Gemma3 | Family::Gpt2 => Activation::GeluTanh,
                Family::GptNeoX => Activation::Gelu,
                _ => Activation::Silu,
            },
            gated,
            arrangement: match family {
                Family::GptNeoX if parallel => Arrangement::Parallel,
                Family::StableLm if !has("blk.0.ffn_norm.weight") => Arrangement::ParallelSharedNorm,
                _ => Arrangement::Sequential,
            },
            embedding_scale: gemma.then(|| (d_model as f64).sqrt() as f32),
            tied: !has("output.weight"),
            mixture: mixture(file, &k, family, n_layers, d_ffn)?,
        }
        .checked()
    }
}
