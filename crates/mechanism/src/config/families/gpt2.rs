//! GPT-2.

use super::super::fields::{Fields, activation};
use super::super::gguf::keys::Keys;
use super::super::{Activation, Arrangement, Biases, DecoderConfig, NormKind};
use super::{Facts, Family, Names, StoredLayer};
use crate::error::{Error, Result};
use crate::layout::{Kind, Part, Source, Take};

pub(super) const GPT2: Facts = Facts {
    model_types: &["gpt2"],
    class: None,
    architecture: Some("gpt2"),
    is_permuted: false,
    head_follows_width: true,
    read,
    read_gguf,
    names: Names {
        embedding: "wte",
        layers: "h",
        final_norm: "ln_f",
        head: "lm_head",
        part,
    },
};

fn read(family: Family, c: Fields<'_>) -> Result<DecoderConfig> {
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
        family,
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

#[expect(clippy::unnecessary_wraps, reason = "every family has one shape")]
fn read_gguf(c: &mut DecoderConfig, _: &Keys<'_>) -> Result<()> {
    c.windows.fill(None);
    c.norm = NormKind::Layer;
    c.gated = false;
    c.rotary = None;
    c.learned_positions = true;
    c.activation = Activation::GeluTanh;
    Ok(())
}

/// GPT-2's matrices (`Conv1D`) are stored transposed, as `(in, out)`, so a part is a range of columns.
fn part(place: &StoredLayer<'_>, c: &DecoderConfig, part: Part, kind: Kind) -> Source {
    let d = c.d_model;
    let (name, columns) = match part {
        Part::Q => ("attn.c_attn", 0..d),
        Part::K => ("attn.c_attn", d..2 * d),
        Part::V => ("attn.c_attn", 2 * d..3 * d),
        Part::O => ("attn.c_proj", 0..d),
        Part::Up => ("mlp.c_fc", 0..c.d_ffn),
        Part::AttentionNorm => return Source::all(place.named("ln_1", kind)),
        Part::FfnNorm => return Source::all(place.named("ln_2", kind)),
        _ => ("mlp.c_proj", 0..d),
    };
    Source {
        name: place.named(name, kind),
        take: Take::Columns(columns),
    }
}
