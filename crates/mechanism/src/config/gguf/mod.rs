//! Turns GGUF metadata into a [`DecoderConfig`]. Keys: ggml's `docs/gguf.md`; which rotation and norm an architecture
//! implies is defined only in llama.cpp's code, and repeated here.

pub(super) mod keys;
mod parts;

use keys::Keys;
use parts::{mixture, rotary};

use super::families::{Family, listed};
use super::{Activation, Arrangement, Biases, DecoderConfig, NormKind};
use crate::error::{Error, Result};
use crate::gguf::Gguf;

fn family(file: &Gguf, architecture: &str) -> Result<Family> {
    let experts = file.number(&format!("{architecture}.expert_count")).unwrap_or(0) > 0;
    match Family::of_architecture(architecture) {
        // llama.cpp has no separate architecture for Mixtral.
        Some(Family::Llama) if experts => Ok(Family::Mixtral),
        Some(family) => Ok(family),
        None => {
            let all = listed(|facts| facts.architecture);
            Err(Error::Architecture {
                architecture: architecture.to_owned(),
                missing: format!("no decoder for this general.architecture; there is one for {all}"),
            })
        }
    }
}

impl DecoderConfig {
    /// Reads the metadata of an open GGUF file, and which optional tensors it has.
    ///
    /// # Errors
    /// [`Error::Architecture`] for an unsupported architecture, [`Error::Config`] for a key that is absent or invalid,
    /// [`Error::MissingTensor`] without an embedding.
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
        let epsilon = k
            .f64("attention.layer_norm_rms_epsilon")
            .or(k.f64("attention.layer_norm_epsilon"))
            .unwrap_or(1e-5);
        let max_positions = k.usize("context_length")?.unwrap_or(2048);
        let has = |name: &str| file.tensors.contains_key(name);
        let main = rotary(file, &k, family, head_dim, max_positions)?;
        let window = k.usize("attention.sliding_window")?.filter(|w| *w > 0);
        let mut config = Self {
            family,
            n_layers,
            d_model,
            d_ffn,
            n_heads,
            n_kv_heads: k.usize("attention.head_count_kv")?.unwrap_or(n_heads),
            head_dim,
            vocab_size,
            max_positions,
            norm: NormKind::Rms,
            norm_epsilon: epsilon as f32,
            norm_before: family.has_norm_before(),
            norm_after: family.has_norm_after(),
            qk_norm: family.qk_norm(has("blk.0.attn_q_norm.weight")),
            rotary: Some(main),
            rotary_local: None,
            learned_positions: false,
            windows: vec![window; n_layers],
            attention_scale: 1.0 / (head_dim as f32).sqrt(),
            attention_cap: None,
            logit_cap: None,
            biases: Biases {
                qkv: has("blk.0.attn_q.bias") || has("blk.0.attn_qkv.bias"),
                output: has("blk.0.attn_output.bias"),
                feed_forward: has("blk.0.ffn_down.bias"),
            },
            activation: Activation::Silu,
            gated: true,
            arrangement: Arrangement::Sequential,
            embedding_scale: None,
            tied: !has("output.weight"),
            mixture: mixture(file, &k, family, n_layers, d_ffn)?,
        };
        (family.facts().read_gguf)(&mut config, &k)?;
        config.checked()
    }
}
