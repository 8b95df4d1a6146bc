//! GPT-NeoX (Pythia) and GPT-2.

use super::super::fields::Fields;
use super::super::{Activation, Arrangement, Biases, DecoderConfig, Family, NormKind};
use super::activation;
use super::rotary::rotary;
use crate::error::{Error, Result};

pub(super) fn neox(c: Fields<'_>) -> Result<DecoderConfig> {
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

pub(super) fn gpt2(c: Fields<'_>) -> Result<DecoderConfig> {
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
