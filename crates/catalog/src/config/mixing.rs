//! Counts the parameters that mix positions in one layer: attention of all kinds, linear attention, state-space layers.

use crate::config::fields::{self, Fields};
use crate::config::layers::Mixer;
use crate::config::names::QK_NORM;
use crate::config::plan::Plan;
use crate::config::recipe::{self, Sizes};

/// Parameters that mix positions in a layer with these sizes.
pub(super) fn mixing(mixer: Mixer, plan: &Plan<'_>, sizes: Sizes) -> Option<i128> {
    let inner = plan.inner;
    let mixed = mixed(mixer, plan, sizes)?;
    if !matches!(mixer, Mixer::Attention | Mixer::Window) {
        return Some(mixed);
    }
    let beside = match plan.kind.as_str() {
        // Attention and a state-space layer in parallel.
        "falconh1" => linear(sizes, plan)?,
        // An attention sink for each head.
        "gptoss" => i128::from(sizes.heads),
        _ => 0,
    };
    mixed
        .checked_add(beside)?
        .checked_add(query_norms(&plan.kind, sizes, inner)?)
}

/// Parameters of norms of queries and keys that a recipe does not cover: over all heads together, or with a bias.
fn query_norms(kind: &str, sizes: Sizes, inner: &Fields) -> Option<i128> {
    let asked = fields::flag(inner, QK_NORM) == Some(true);
    let heads = i128::from(sizes.heads).checked_add(i128::from(sizes.kv_heads))?;
    let all = heads.checked_mul(i128::from(sizes.head_dim))?;
    Some(match kind {
        "olmo2" | "olmo3" | "olmoe" | "flexolmo" => all,
        "cohere" | "minimaxm2" | "stablelm" if asked => all,
        "olmo" if fields::flag(inner, &["attention_layer_norm"]) == Some(true) => {
            let affine = fields::flag(inner, &["attention_layer_norm_with_affine"]) != Some(false);
            let bias = fields::flag(inner, &["bias_for_layer_norm"]) == Some(true);
            all * i128::from(affine) * (1 + i128::from(bias))
        }
        // Layer norms as wide as one head, with biases.
        "phi" if asked => 4 * i128::from(sizes.head_dim),
        _ => 0,
    })
}

fn mixed(mixer: Mixer, plan: &Plan<'_>, sizes: Sizes) -> Option<i128> {
    let (recipe, inner) = (plan.recipe, plan.inner);
    let int = |names: &[&str]| fields::int(inner, names).map(i128::from);
    let width = i128::from(sizes.d_model);
    match mixer {
        Mixer::Nothing => Some(0),
        Mixer::Matrix => width.checked_mul(width),
        Mixer::Linear => linear(sizes, plan),
        Mixer::Attention | Mixer::Window => {
            if let Some(rank) = int(&["kv_lora_rank"]) {
                return latent(width, i128::from(sizes.heads), rank, inner);
            }
            if let (Some(rank), Some(groups)) = (int(&["o_lora_rank"]), int(&["o_groups"])) {
                // DeepSeek V4: one shared key-value head; queries and output pass through low ranks.
                let inside = i128::from(sizes.heads) * i128::from(sizes.head_dim);
                let queries = int(&["q_lora_rank"])?.checked_mul(width.checked_add(inside)?)?;
                return queries
                    .checked_add(width * i128::from(sizes.head_dim))?
                    .checked_add(rank * (inside + groups * width));
            }
            let mut sizes = sizes;
            if mixer == Mixer::Window {
                sizes.heads = fields::int(inner, &["swa_num_attention_heads"]).unwrap_or(sizes.heads);
                sizes.kv_heads = fields::int(inner, &["swa_num_key_value_heads"]).unwrap_or(sizes.kv_heads);
                sizes.head_dim = fields::int(inner, &["swa_head_dim"]).unwrap_or(sizes.head_dim);
            } else if let Some(kinds) = fields::int(inner, &["global_head_dim"]) {
                // Gemma 4: layers with full attention have wider heads, fewer key-value heads, and values equal to
                // keys.
                sizes.head_dim = kinds;
                sizes.kv_heads =
                    fields::int(inner, &["num_global_key_value_heads"]).unwrap_or(sizes.kv_heads);
                let shared = i128::from(fields::flag(inner, &["attention_k_eq_v"]) == Some(true));
                let keys = i128::from(sizes.kv_heads) * i128::from(kinds) * width;
                return Some(recipe::attention(recipe, sizes)? - shared * keys);
            }
            let mut all = recipe::attention(recipe, sizes)?;
            let own = if mixer == Mixer::Window {
                "swa_v_head_dim"
            } else {
                "v_head_dim"
            };
            if let Some(values) = fields::int(inner, &[own, "v_head_dim"]) {
                let less =
                    i128::from(sizes.head_dim - values) * i128::from(sizes.heads + sizes.kv_heads) * width;
                all = all.checked_sub(less)?;
            }
            if fields::flag(inner, &["attn_output_gate"]) == Some(true) || plan.kind == "qwen3next" {
                all = all.checked_add(width * i128::from(sizes.heads) * i128::from(sizes.head_dim))?;
            }
            Some(all)
        }
    }
}

/// Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434, section 2.1), with the indexer of V3.2 where there is one.
fn latent(width: i128, heads: i128, rank: i128, inner: &Fields) -> Option<i128> {
    let int = |name: &str| fields::int(inner, &[name]).map(i128::from);
    let (nope, rope) = (int("qk_nope_head_dim")?, int("qk_rope_head_dim").unwrap_or(0));
    let values = int("v_head_dim").unwrap_or(nope);
    let inside = heads.checked_mul(nope.checked_add(rope)?)?;
    let queries = match int("q_lora_rank") {
        Some(low) => width * low + low + low.checked_mul(inside)?,
        None => width.checked_mul(inside)?,
    };
    let keys = width * (rank + rope) + rank + rank.checked_mul(heads.checked_mul(nope + values)?)?;
    let out = heads.checked_mul(values)?.checked_mul(width)?;
    let index = match (int("index_n_heads"), int("index_head_dim"), int("q_lora_rank")) {
        (Some(count), Some(dim), Some(low)) => low * count * dim + width * dim + 2 * dim + width * count,
        _ => 0,
    };
    queries.checked_add(keys)?.checked_add(out)?.checked_add(index)
}

/// Linear attention with a delta rule (Qwen3-Next, Kimi), or a state-space layer (Mamba 2).
fn linear(sizes: Sizes, plan: &Plan<'_>) -> Option<i128> {
    let inner = plan.inner;
    let width = i128::from(sizes.d_model);
    let of = |fields: &Fields, names: &[&str]| fields::int(fields, names).map(i128::from);
    if plan.kind == "lfm2" {
        // A gated short convolution: three projections of the layer's width in, one out, and a kernel for each channel.
        let bias = i128::from(fields::flag(inner, &["conv_bias"]) == Some(true));
        let kernel = of(inner, &["conv_L_cache"]).unwrap_or(3);
        return Some(4 * width * width + width * kernel + bias * 5 * width);
    }
    if let (Some(kh), Some(kd), Some(vh), Some(vd)) = (
        of(inner, &["linear_num_key_heads"]),
        of(inner, &["linear_key_head_dim"]),
        of(inner, &["linear_num_value_heads"]),
        of(inner, &["linear_value_head_dim"]),
    ) {
        let (keys, values) = (kh * kd, vh * vd);
        let kernel = of(inner, &["linear_conv_kernel_dim"]).unwrap_or(4);
        return Some(width * (2 * keys + 3 * values + 2 * vh) + (2 * keys + values) * kernel + 2 * vh + vd);
    }
    if let Some(kimi) = fields::object(inner, &["linear_attn_config"]) {
        let inside = of(kimi, &["num_heads"])? * of(kimi, &["head_dim"])?;
        let gate = if fields::flag(kimi, &["use_full_rank_gate"]) == Some(true) {
            width * inside
        } else {
            0
        };
        return Some(width * inside * 4 + gate + (width + inside) * of(kimi, &["head_dim"])? * 2);
    }
    state_space(width, plan)
}

/// Parameters of a state-space layer: Mamba 2 (Dao and Gu, arXiv 2405.21060) where the config states heads, Mamba (Gu
/// and Dao, arXiv 2312.00752) where it states a rank of the time step; otherwise only the large matrices.
fn state_space(width: i128, plan: &Plan<'_>) -> Option<i128> {
    let inner = plan.inner;
    let int = |names: &[&str]| fields::int(inner, names).map(i128::from);
    let kind = plan.kind.as_str();
    let is_own = matches!(kind, "mamba" | "mamba2" | "falconmamba");
    // Biases of the input and output projections, and of the convolution.
    let has_bias = is_own && fields::flag(inner, &["use_bias"]) == Some(true);
    let conv_bias = i128::from(!is_own || fields::flag(inner, &["use_conv_bias"]) != Some(false));
    let expanded = width.checked_mul(int(&["mamba_expand", "expand"]).unwrap_or(2))?;
    let state = int(&["mamba_d_state", "ssm_state_size", "state_size"]).unwrap_or(16);
    let groups = int(&["mamba_n_groups", "n_groups"]).unwrap_or(1);
    let kernel = int(&["mamba_d_conv", "conv_kernel"]).unwrap_or(4);
    let outward = |inside: i128| inside.checked_mul(width);
    if let Some(heads) = int(&["mamba_n_heads", "mamba_num_heads", "num_heads"]) {
        let by_heads = int(&["mamba_d_head", "mamba_head_dim", "head_dim"]).map(|dim| heads * dim);
        let inside = int(&["mamba_d_ssm"]).or(by_heads).unwrap_or(expanded);
        let channels = inside.checked_add(groups.checked_mul(state)?.checked_mul(2)?)?;
        let inward = width.checked_mul(channels.checked_add(inside)?.checked_add(heads)?)?;
        let norm = if fields::flag(inner, &["mamba_rms_norm"]) == Some(false) {
            0
        } else {
            inside
        };
        let small = channels
            .checked_mul(kernel + conv_bias)?
            .checked_add(3 * heads + norm)?;
        let biases = if has_bias {
            channels + inside + heads + width
        } else {
            0
        };
        return inward
            .checked_add(outward(inside)?)?
            .checked_add(small)?
            .checked_add(biases);
    }
    let ranked = ["mamba_dt_rank", "time_step_rank"]
        .iter()
        .any(|name| inner.contains_key(*name));
    if ranked {
        let inside = int(&["intermediate_size"])
            .filter(|_| matches!(kind, "mamba" | "falconmamba"))
            .unwrap_or(expanded);
        let rank = int(&["mamba_dt_rank", "time_step_rank"]).unwrap_or((width + 15) / 16);
        // Per inner channel: convolution kernel and its bias, twice the rank of the time step, B, C and A, the time
        // step's bias, and D.
        let each = kernel + conv_bias + 2 * rank + 3 * state + 2;
        let norms = if kind == "jamba" { rank + 2 * state } else { 0 };
        return outward(inside)?
            .checked_mul(3)?
            .checked_add(inside.checked_mul(each)?)?
            .checked_add(norms)?
            .checked_add(if has_bias { 2 * inside + width } else { 0 });
    }
    let large = width.checked_mul(2 * expanded + 2 * groups * state)?;
    large.checked_add(outward(expanded)?)
}
