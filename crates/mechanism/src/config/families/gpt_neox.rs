//! GPT-NeoX (Pythia).

use super::super::fields::{Fields, activation};
use super::super::gguf::keys::Keys;
use super::super::hub::rotary::rotary;
use super::super::{Activation, Arrangement, Biases, DecoderConfig, NormKind};
use super::{Facts, Family, Names, StoredLayer};
use crate::error::Result;
use crate::layout::{Kind, Part, Source, Take};

pub(super) const GPT_NEOX: Facts = Facts {
    model_types: &["gpt_neox"],
    class: None,
    architecture: Some("gptneox"),
    is_permuted: false,
    head_follows_width: true,
    read,
    read_gguf,
    names: Names {
        embedding: "embed_in",
        layers: "layers",
        final_norm: "final_layer_norm",
        head: "embed_out",
        part,
    },
};

fn read(family: Family, c: Fields<'_>) -> Result<DecoderConfig> {
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
        family,
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

#[expect(clippy::unnecessary_wraps, reason = "every family has one shape")]
fn read_gguf(c: &mut DecoderConfig, k: &Keys<'_>) -> Result<()> {
    c.windows.fill(None);
    c.norm = NormKind::Layer;
    c.gated = false;
    c.activation = Activation::Gelu;
    if k.flag("use_parallel_residual").unwrap_or(true) {
        c.arrangement = Arrangement::Parallel;
    }
    Ok(())
}

fn part(place: &StoredLayer<'_>, c: &DecoderConfig, part: Part, kind: Kind) -> Source {
    let fused = |index| Source {
        name: place.named("attention.query_key_value", kind),
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
    Source::all(place.named(name, kind))
}
