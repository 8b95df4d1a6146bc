//! What one layer stores per position, how many positions it sees, and the operations of its attention.

use crate::config::attention::window;
use crate::config::fields::{self, Fields};
use crate::config::layers::Mixer;
use crate::config::recipe::Sizes;
use crate::config::stated::Config;

/// The contribution of one layer to cache and attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layer {
    /// Number of values stored per position.
    pub(super) cached: i64,
    /// Number of positions seen; `None` where all are.
    pub(super) window: Option<i64>,
    /// Number of values in a state of fixed size.
    pub(super) state: i64,
    /// Heads times (key width + value width): multiply-adds per position seen.
    reach: i64,
}

impl Layer {
    pub(super) fn new(config: &Config, inner: &Fields, sizes: Sizes, mixer: Mixer, at: i64) -> Self {
        let int = |names: &[&str]| fields::int(inner, names);
        let empty = Self {
            cached: 0,
            window: None,
            state: 0,
            reach: 0,
        };
        match mixer {
            Mixer::Nothing | Mixer::Matrix => empty,
            Mixer::Linear => Self {
                state: state(sizes, inner).unwrap_or(0),
                ..empty
            },
            Mixer::Attention | Mixer::Window => {
                let (cached, reach) = attention(sizes, inner, mixer);
                // Gemma 3n and its successors: the last layers reuse an earlier layer's cache.
                let own = int(&["num_kv_shared_layers"]).is_none_or(|shared| at < sizes.layers - shared);
                Self {
                    cached: if own { cached } else { 0 },
                    window: window(config, inner, at, mixer),
                    state: 0,
                    reach,
                }
            }
        }
    }

    /// Number of positions seen out of `context`.
    pub(super) fn seen(&self, context: i64) -> i64 {
        self.window.map_or(context, |window| window.min(context))
    }

    /// Floating-point operations of attention, or of updating and reading a state.
    pub(super) fn operations(&self, context: i64) -> f64 {
        2.0 * self.reach as f64 * self.seen(context) as f64 + 4.0 * self.state as f64
    }
}

/// Number of values stored per position, and heads times the sum of key and value widths.
fn attention(sizes: Sizes, inner: &Fields, mixer: Mixer) -> (i64, i64) {
    let int = |names: &[&str]| fields::int(inner, names);
    if let Some(rank) = int(&["kv_lora_rank"]) {
        // Latent attention attends within the latent: keys consist of the latent and the rotary part, values of the
        // latent.
        let rope = int(&["qk_rope_head_dim"]).unwrap_or(0);
        return (
            rank.saturating_add(rope),
            sizes.heads.saturating_mul(2 * rank + rope),
        );
    }
    if int(&["o_lora_rank"]).is_some() && int(&["o_groups"]).is_some() {
        // One key head, whose keys are also the values.
        return (
            sizes.head_dim,
            sizes.heads.saturating_mul(2).saturating_mul(sizes.head_dim),
        );
    }
    let (mut heads, mut kv_heads, mut keys) = (sizes.heads, sizes.kv_heads, sizes.head_dim);
    if mixer == Mixer::Window {
        heads = int(&["swa_num_attention_heads"]).unwrap_or(heads);
        kv_heads = int(&["swa_num_key_value_heads"]).unwrap_or(kv_heads);
        keys = int(&["swa_head_dim"]).unwrap_or(keys);
    } else if let Some(wide) = int(&["global_head_dim"]) {
        keys = wide;
        kv_heads = int(&["num_global_key_value_heads"]).unwrap_or(kv_heads);
    }
    let own = if mixer == Mixer::Window {
        "swa_v_head_dim"
    } else {
        "v_head_dim"
    };
    let values = int(&[own, "v_head_dim"]).unwrap_or(keys);
    let both = keys.saturating_add(values);
    (kv_heads.saturating_mul(both), heads.saturating_mul(both))
}

/// Number of values in the state of linear attention or a state-space layer, including the last inputs of its
/// convolution.
fn state(sizes: Sizes, inner: &Fields) -> Option<i64> {
    let of = |fields: &Fields, names: &[&str]| fields::int(fields, names);
    // A convolution of width k keeps the k − 1 inputs before the latest.
    let kept = |width: Option<i64>, channels: i64| {
        width.map_or(Some(0), |width| (width - 1).max(0).checked_mul(channels))
    };
    if let (Some(heads), Some(keys), Some(values)) = (
        of(inner, &["linear_num_value_heads"]),
        of(inner, &["linear_key_head_dim"]),
        of(inner, &["linear_value_head_dim"]),
    ) {
        let key_heads = of(inner, &["linear_num_key_heads"]).unwrap_or(heads);
        let channels = key_heads
            .checked_mul(2 * keys)?
            .checked_add(heads.checked_mul(values)?)?;
        let last = kept(of(inner, &["linear_conv_kernel_dim"]), channels)?;
        return heads.checked_mul(keys)?.checked_mul(values)?.checked_add(last);
    }
    if let Some(kimi) = fields::object(inner, &["linear_attn_config"]) {
        let dim = of(kimi, &["head_dim"])?;
        let width = of(kimi, &["num_heads"])?.checked_mul(dim)?;
        let last = kept(of(kimi, &["short_conv_kernel_size"]), width.checked_mul(3)?)?;
        return width.checked_mul(dim)?.checked_add(last);
    }
    let heads = of(inner, &["mamba_n_heads", "mamba_num_heads", "num_heads"]);
    let inside = match (heads, of(inner, &["mamba_d_head", "mamba_head_dim", "head_dim"])) {
        (Some(heads), Some(dim)) => heads.checked_mul(dim)?,
        _ => sizes
            .d_model
            .checked_mul(of(inner, &["mamba_expand", "expand"]).unwrap_or(2))?,
    };
    let states = of(inner, &["mamba_d_state", "ssm_state_size", "state_size"]).unwrap_or(16);
    // Mamba 2 passes the inputs of its groups through the convolution too.
    let groups = of(inner, &["mamba_n_groups", "n_groups"])
        .filter(|_| heads.is_some())
        .unwrap_or(0);
    let channels = inside.checked_add(groups.checked_mul(2 * states)?)?;
    let last = kept(of(inner, &["mamba_d_conv", "conv_kernel"]), channels)?;
    inside.checked_mul(states)?.checked_add(last)
}
