//! Parameters of the language model, all and those used for one token, counted from a config.
//!
//! Exact for dense decoders with a [`recipe`]; for mixtures, hybrids and latent attention the large matrices are
//! counted as their modelling code has them, small ones (gates, decays) nearly. Vision and audio parts, and heads for
//! predicting further tokens, are not counted.

use crate::config::family::family;
use crate::config::fields::{self, Fields};
use crate::config::layers::{Feed, Mixer, kinds};
use crate::config::read::Config;
use crate::config::recipe::{self, Recipe, Sizes};

/// The two counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) total: i64,
    pub(crate) active: i64,
    /// To the parameter.
    pub(crate) exact: bool,
    /// Of `total`, outside of the layers: embeddings, positions, last norm, output head.
    pub(crate) outside: i64,
    /// Of `outside`, tables of which one token reads one row: no product is made with them.
    pub(crate) looked_up: i64,
}

/// Counts the parameters that `config` describes; `outer` and `inner` are its fields (the same where nothing is nested).
/// `None` where a dimension is missing.
pub(crate) fn count(config: &Config, outer: &Fields, inner: &Fields) -> Option<Counts> {
    let family = family(config.architecture.as_deref(), config.model_type.as_deref());
    // Blocks that several layers share, each with an adapter of its own: no formula here.
    if family
        .as_deref()
        .is_some_and(|family| family.starts_with("zamba"))
    {
        return None;
    }
    let known = family.as_deref().and_then(|family| recipe::recipe(stem(family)));
    let exact = known.is_some() && config.layer_kinds_are_plain(inner);
    let recipe = recipe_of(config, outer, inner)?;
    let sizes = sizes(config, recipe)?;
    let layers = kinds(inner, sizes.layers, config.is_moe);
    // A width that is not stated is not 0.
    let is_dense = |&(_, feed): &(Mixer, Feed)| feed == Feed::Dense;
    if sizes.d_ffn == 0 && layers.iter().any(is_dense) {
        return None;
    }
    let outside = embedding(recipe, sizes, inner)?;
    let (mut total, mut active) = (outside, outside);
    for (mixer, feed) in layers {
        let mixing = mixing(mixer, recipe, sizes, inner)?;
        // A layer of one part alone has that part's norms alone.
        let parts = if mixer == Mixer::Nothing || feed == Feed::Nothing {
            2
        } else {
            1
        };
        let norms = i128::from((recipe.norms + parts - 1) / parts) * recipe::norm(recipe, sizes.d_model);
        let (all, used) = match feed {
            Feed::Nothing => (0, 0),
            Feed::Dense => {
                let one = recipe::feed_forward(recipe, sizes.d_model, sizes.d_ffn)?;
                (one, one)
            }
            Feed::Experts => experts(config, recipe, sizes, inner)?,
        };
        total = total.checked_add(mixing)?.checked_add(norms)?.checked_add(all)?;
        active = active
            .checked_add(mixing)?
            .checked_add(norms)?
            .checked_add(used)?;
    }
    Some(Counts {
        total: i64::try_from(total).ok()?,
        active: i64::try_from(active).ok()?,
        exact,
        outside: i64::try_from(outside).ok()?,
        looked_up: looked_up(recipe, sizes)?,
    })
}

/// The dimensions that the count needs, what a config leaves out filled in; `None` where one is missing.
pub(crate) fn sizes(config: &Config, recipe: Recipe) -> Option<Sizes> {
    let heads = config.heads.or_else(|| {
        config
            .layers
            .filter(|_| config.attention_layers == Some(0))
            .map(|_| 1)
    })?;
    let d_model = config.d_model?;
    Some(Sizes {
        layers: config.layers?,
        d_model,
        d_ffn: config.dense_width.or(config.d_ffn).unwrap_or(0),
        heads,
        kv_heads: config
            .kv_heads
            .unwrap_or(if recipe.multi_query { 1 } else { heads }),
        head_dim: config.head_dim.unwrap_or(d_model / heads.max(1)),
        vocab: config.vocab_size?,
        pos: config.pos.unwrap_or(0),
    })
}

/// The recipe of a config, with what it says otherwise.
pub(crate) fn recipe_of(config: &Config, outer: &Fields, inner: &Fields) -> Option<Recipe> {
    let family = family(config.architecture.as_deref(), config.model_type.as_deref()).unwrap_or_default();
    let recipe = recipe::recipe(stem(&family)).or_else(|| recipe::recipe("llama"))?;
    Some(with_flags(recipe, &family, outer, inner))
}

/// Embedding and learned positions; an embedding that is the output head too is multiplied.
fn looked_up(recipe: Recipe, sizes: Sizes) -> Option<i64> {
    let table = if recipe.tied { 0 } else { sizes.vocab };
    let positions = recipe.positions.map_or(0, |more| sizes.pos + more);
    table.checked_add(positions)?.checked_mul(sizes.d_model)
}

/// A family without the words for its mixture, vision or text part: `qwen3vlmoe` counts as `qwen3`.
fn stem(family: &str) -> &str {
    let mut name = family;
    // A family of its own, not Phi with experts: gated, with biases.
    if name == "phimoe" {
        return name;
    }
    for end in ["text", "moe", "vl", "vlmoe"] {
        name = name.strip_suffix(end).unwrap_or(name);
    }
    match name {
        "mixtral" => "mistral",
        "qwen3next" => "qwen3",
        "qwen25" => "qwen2",
        other => other,
    }
}

/// A family's recipe with what the config says otherwise.
fn with_flags(recipe: Recipe, family: &str, outer: &Fields, inner: &Fields) -> Recipe {
    let flag = |names: &[&str]| fields::flag(inner, names);
    let mut recipe = recipe;
    if let Some(tied) =
        fields::flag(outer, &["tie_word_embeddings"]).or_else(|| flag(&["tie_word_embeddings"]))
    {
        recipe.tied = tied;
    }
    match stem(family) {
        "falcon" => {
            let new = flag(&["new_decoder_architecture"]) == Some(true);
            let parallel = flag(&["parallel_attn"]).unwrap_or(true);
            let bias = flag(&["bias"]) == Some(true);
            let norms = fields::int(inner, &["num_ln_in_parallel_attn"]).unwrap_or(if new { 2 } else { 1 });
            recipe.norms = if new {
                norms
            } else if parallel {
                1
            } else {
                2
            };
            recipe.multi_query = flag(&["multi_query"]).unwrap_or(true) || new;
            (recipe.qkv_bias, recipe.out_bias, recipe.mlp_bias) = (bias, bias, bias);
        }
        // Its projections have biases whatever `attention_bias` says: the class does not read it.
        "phi3small" => {}
        "opt" => recipe.final_norm = flag(&["do_layer_norm_before"]) != Some(false),
        "gptbigcode" => recipe.multi_query = flag(&["multi_query"]).unwrap_or(true),
        "qwen2" | "qwen" | "mimo" | "glm" | "glm4" => {
            recipe.qkv_bias = flag(&["attention_bias", "qkv_bias"]).unwrap_or(true);
        }
        "stablelm" => recipe.qkv_bias = flag(&["use_qkv_bias"]) == Some(true),
        "gptneox" => {
            let bias = flag(&["attention_bias"]).unwrap_or(true);
            (recipe.qkv_bias, recipe.out_bias) = (bias, bias);
        }
        "starcoder2" => {
            let bias = flag(&["use_bias"]).unwrap_or(true);
            (recipe.qkv_bias, recipe.out_bias, recipe.mlp_bias) = (bias, bias, bias);
        }
        _ => {
            if let Some(bias) = flag(&["attention_bias"]) {
                (recipe.qkv_bias, recipe.out_bias) = (bias, bias);
            }
            if let Some(bias) = flag(&["mlp_bias"]) {
                recipe.mlp_bias = bias;
            }
        }
    }
    recipe
}

fn embedding(recipe: Recipe, sizes: Sizes, inner: &Fields) -> Option<i128> {
    // OPT-350m embeds narrower than it computes, with a projection in and out.
    match fields::int(inner, &["word_embed_proj_dim"]).filter(|&width| width != sizes.d_model) {
        Some(narrow) => {
            let plain = recipe::outside(recipe, Sizes { vocab: 0, ..sizes })?;
            let (narrow, wide) = (i128::from(narrow), i128::from(sizes.d_model));
            let table = i128::from(sizes.vocab).checked_mul(narrow)?;
            plain.checked_add(table)?.checked_add(2 * narrow * wide)
        }
        None => recipe::outside(recipe, sizes),
    }
}

/// Parameters that mix positions in one layer.
fn mixing(mixer: Mixer, recipe: Recipe, sizes: Sizes, inner: &Fields) -> Option<i128> {
    let mixed = mixed(mixer, recipe, sizes, inner)?;
    let attends = matches!(mixer, Mixer::Attention | Mixer::Window);
    match fields::text(inner, &["model_type"]).filter(|_| attends) {
        // Attention and a state-space layer side by side.
        Some("falcon_h1") => mixed.checked_add(linear(sizes, inner)?),
        // A sink for each head.
        Some("gpt_oss") => mixed.checked_add(i128::from(sizes.heads)),
        // Norms over all heads of queries and keys together.
        Some("olmo2") => {
            let heads = i128::from(sizes.heads) + i128::from(sizes.kv_heads);
            mixed.checked_add(heads * i128::from(sizes.head_dim))
        }
        Some("cohere" | "minimax_m2") if fields::flag(inner, &["use_qk_norm"]) == Some(true) => {
            let heads = i128::from(sizes.heads) + i128::from(sizes.kv_heads);
            mixed.checked_add(heads * i128::from(sizes.head_dim))
        }
        _ => Some(mixed),
    }
}

fn mixed(mixer: Mixer, recipe: Recipe, sizes: Sizes, inner: &Fields) -> Option<i128> {
    let int = |names: &[&str]| fields::int(inner, names).map(i128::from);
    let width = i128::from(sizes.d_model);
    match mixer {
        Mixer::Nothing => Some(0),
        Mixer::Linear => linear(sizes, inner),
        Mixer::Attention | Mixer::Window => {
            if let Some(rank) = int(&["kv_lora_rank"]) {
                return latent(width, i128::from(sizes.heads), rank, inner);
            }
            if let (Some(rank), Some(groups)) = (int(&["o_lora_rank"]), int(&["o_groups"])) {
                // DeepSeek V4: one shared key-value head, queries and output through low ranks.
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
                // Gemma 4: layers that see everything have wider heads, fewer keys, and values equal to keys.
                sizes.head_dim = kinds;
                sizes.kv_heads =
                    fields::int(inner, &["num_global_key_value_heads"]).unwrap_or(sizes.kv_heads);
                let shared = i128::from(fields::flag(inner, &["attention_k_eq_v"]) == Some(true));
                let keys = i128::from(sizes.kv_heads) * i128::from(kinds) * width;
                return Some(recipe::attention(recipe, sizes)? - shared * keys);
            }
            let mut all = recipe::attention(recipe, sizes)?;
            if let Some(values) = fields::int(inner, &["v_head_dim"]) {
                let less =
                    i128::from(sizes.head_dim - values) * i128::from(sizes.heads + sizes.kv_heads) * width;
                all = all.checked_sub(less)?;
            }
            if fields::flag(inner, &["attn_output_gate"]) == Some(true)
                || fields::text(inner, &["model_type"]) == Some("qwen3_next")
            {
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
fn linear(sizes: Sizes, inner: &Fields) -> Option<i128> {
    let width = i128::from(sizes.d_model);
    let of = |fields: &Fields, names: &[&str]| fields::int(fields, names).map(i128::from);
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
    state_space(width, inner)
}

/// A state-space layer: of Mamba 2 (Dao and Gu, arXiv 2405.21060) where it has heads, of Mamba (Gu and Dao, arXiv
/// 2312.00752) where it has a rank of the time step; else its large matrices alone.
fn state_space(width: i128, inner: &Fields) -> Option<i128> {
    let int = |names: &[&str]| fields::int(inner, names).map(i128::from);
    let kind = fields::text(inner, &["model_type"]).unwrap_or_default();
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
        let small = channels.checked_mul(kernel + 1)?.checked_add(3 * heads + norm)?;
        return inward.checked_add(outward(inside)?)?.checked_add(small);
    }
    let ranked = ["mamba_dt_rank", "time_step_rank"]
        .iter()
        .any(|name| inner.contains_key(*name));
    if ranked {
        let inside = int(&["intermediate_size"])
            .filter(|_| matches!(kind, "mamba" | "falcon_mamba"))
            .unwrap_or(expanded);
        let rank = int(&["mamba_dt_rank", "time_step_rank"]).unwrap_or((width + 15) / 16);
        // Per inner channel: kernel and its bias, the step's rank twice, B, C and A, the step's bias, D.
        let each = kernel + 1 + 2 * rank + 3 * state + 2;
        let norms = if kind == "jamba" { rank + 2 * state } else { 0 };
        return outward(inside)?
            .checked_mul(3)?
            .checked_add(inside.checked_mul(each)?)?
            .checked_add(norms);
    }
    let large = width.checked_mul(2 * expanded + 2 * groups * state)?;
    large.checked_add(outward(expanded)?)
}

/// All parameters of one mixture, and those that one token uses.
fn experts(config: &Config, recipe: Recipe, sizes: Sizes, inner: &Fields) -> Option<(i128, i128)> {
    let width = sizes.d_model;
    let (count, used) = (
        i128::from(config.experts?),
        i128::from(config.experts_per_token.unwrap_or(1)),
    );
    // Nemotron 3 projects into a latent space before its routed experts and back after them.
    let latent = fields::int(inner, &["moe_latent_size"]);
    let projections = latent.map_or(0, |narrow| 2 * i128::from(width) * i128::from(narrow));
    let mut expert = recipe::feed_forward(recipe, latent.unwrap_or(width), config.d_ffn?)?;
    let mut router = i128::from(width) * count;
    if fields::text(inner, &["model_type"]) == Some("gpt_oss") {
        // Biases everywhere.
        expert = expert.checked_add(2 * i128::from(config.d_ffn?) + i128::from(width))?;
        router += count;
    }
    let shared = match config.shared_width {
        Some(wide) => {
            let gated = fields::int(inner, &["shared_expert_intermediate_size"]).is_some();
            recipe::feed_forward(recipe, width, wide)?.checked_add(i128::from(width) * i128::from(gated))?
        }
        None => 0,
    };
    // Gemma 4 has a dense layer beside its experts.
    let beside = if fields::flag(inner, &["enable_moe_block"]) == Some(true) {
        recipe::feed_forward(recipe, width, sizes.d_ffn)?
    } else {
        0
    };
    let always = router
        .checked_add(shared)?
        .checked_add(beside)?
        .checked_add(projections)?;
    Some((
        count.checked_mul(expert)?.checked_add(always)?,
        used.checked_mul(expert)?.checked_add(always)?,
    ))
}
