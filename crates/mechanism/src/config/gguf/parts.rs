//! Rotary embedding and mixture of experts in GGUF metadata.

use super::super::hub::rotary::yarn_attention;
use super::super::rotary::{Rotary, Scaling};
use super::super::{Family, Mixture};
use super::keys::Keys;
use crate::error::Result;
use crate::gguf::{Gguf, Value};

pub(super) fn rotary(
    file: &Gguf,
    k: &Keys<'_>,
    family: Family,
    head_dim: usize,
    max_positions: usize,
) -> Result<Rotary> {
    let dim = k.usize("rope.dimension_count")?.unwrap_or(head_dim);
    let default = if family == Family::Gemma3 { 1e6 } else { 1e4 };
    let theta = k.f64("rope.freq_base").unwrap_or(default);
    let original = k
        .f64("rope.scaling.original_context_length")
        .unwrap_or(max_positions as f64);
    let factors = |name: &str| -> Result<Option<Vec<f32>>> {
        if !file.tensors.contains_key(name) {
            return Ok(None);
        }
        crate::gguf::read_whole(file, name).map(Some)
    };
    let kind = match k.value("rope.scaling.type") {
        Some(Value::Text(kind)) => kind.as_str(),
        _ => "none",
    };
    // Older files have `rope.scale_linear` instead of `rope.scaling.type`.
    let factor = k
        .f64("rope.scaling.factor")
        .or(k.f64("rope.scale_linear"))
        .unwrap_or(1.0);
    let scaling = if let Some(shared) = factors("rope_freqs.weight")? {
        Some(Scaling::Factors {
            long: shared.clone(),
            short: shared,
            original: original as usize,
            attention_factor: 1.0,
        })
    } else if let (Some(short), Some(long)) = (
        factors("rope_factors_short.weight")?,
        factors("rope_factors_long.weight")?,
    ) {
        let stretch = max_positions as f64 / original;
        let by_length = if stretch <= 1.0 {
            1.0
        } else {
            (1.0 + stretch.ln() / original.ln()).sqrt()
        };
        let attention_factor = k.f64("rope.scaling.attn_factor").unwrap_or(by_length);
        Some(Scaling::Factors {
            short,
            long,
            original: original as usize,
            attention_factor,
        })
    } else {
        match kind {
            "yarn" => Some(Scaling::Yarn {
                factor,
                original,
                beta_fast: k.f64("rope.scaling.yarn_beta_fast").unwrap_or(32.0),
                beta_slow: k.f64("rope.scaling.yarn_beta_slow").unwrap_or(1.0),
                attention_factor: yarn_attention(factor, k.f64("rope.scaling.attn_factor"), None, None),
                truncate: true,
            }),
            _ if factor != 1.0 && factor > 0.0 => Some(Scaling::Linear { factor }),
            _ => None,
        }
    };
    Ok(Rotary {
        theta,
        dim,
        scaling,
        max_positions,
    })
}

pub(super) fn mixture(
    file: &Gguf,
    k: &Keys<'_>,
    family: Family,
    n_layers: usize,
    d_ffn: usize,
) -> Result<Option<Mixture>> {
    if !matches!(family, Family::Mixtral | Family::Qwen2Moe | Family::Qwen3Moe) {
        return Ok(None);
    }
    // The first layers may lack experts, so the widths are taken from any layer that has them.
    let of_any_layer = |name: &str, axis: usize| {
        (0..n_layers)
            .filter_map(|layer| file.tensors.get(&format!("blk.{layer}.{name}.weight")))
            .find_map(|entry| entry.shape.get(axis).copied())
    };
    let shared = of_any_layer("ffn_gate_shexp", 0);
    let merged = of_any_layer("ffn_gate_exps", 1);
    let normalize = match k.value("expert_weights_norm") {
        Some(Value::Bool(normalize)) => *normalize,
        _ => family != Family::Qwen2Moe,
    };
    Ok(Some(Mixture {
        n_experts: k.needed("expert_count")?,
        top_k: k.needed("expert_used_count")?,
        d_expert: match k.usize("expert_feed_forward_length")? {
            Some(width) => width,
            None => merged.unwrap_or(d_ffn),
        },
        normalize_top_k: normalize,
        d_shared: shared.filter(|_| family == Family::Qwen2Moe),
        sparse: (0..n_layers)
            .map(|l| file.tensors.contains_key(&format!("blk.{l}.ffn_gate_inp.weight")))
            .collect(),
    }))
}
