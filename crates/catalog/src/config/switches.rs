//! Modifies a family's recipe by a config's switches: biases, norms, tied output head.

use crate::config::fields::{self, Fields};
use crate::config::names::{QK_NORM, TIED};
use crate::config::recipe::Recipe;

/// `recipe` of `family`, modified by the switches of a config.
///
/// `kind` is the family including the words for its mixture, `family` the one without.
pub(super) fn with_flags(recipe: Recipe, kind: &str, family: &str, outer: &Fields, inner: &Fields) -> Recipe {
    let flag = |names: &[&str]| fields::flag(inner, names);
    let mut recipe = recipe;
    if let Some(tied) = fields::flag(outer, TIED).or_else(|| flag(TIED)) {
        recipe.tied = tied;
    }
    match family {
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
        // The projections have biases whatever `attention_bias` says: the class does not read that field.
        "phi3small" => {}
        "opt" => recipe.final_norm = flag(&["do_layer_norm_before"]) != Some(false),
        "gptbigcode" => recipe.multi_query = flag(&["multi_query"]).unwrap_or(true),
        "qwen" => {
            recipe.qkv_bias = flag(&["attention_bias", "qkv_bias"]).unwrap_or(true);
            let bias = flag(&["no_bias"]) == Some(false);
            (recipe.out_bias, recipe.mlp_bias) = (bias, bias);
        }
        "qwen2" | "mimo" | "glm" | "glm4" => {
            recipe.qkv_bias = flag(&["attention_bias", "qkv_bias"]).unwrap_or(true);
        }
        "chatglm" => {
            let bias = flag(&["add_bias_linear"]).unwrap_or(true);
            recipe.qkv_bias = bias || flag(&["add_qkv_bias"]) == Some(true);
            (recipe.out_bias, recipe.mlp_bias) = (bias, bias);
        }
        "seedoss" => {
            recipe.qkv_bias = flag(&["attention_bias"]).unwrap_or(true);
            recipe.out_bias = flag(&["attention_out_bias"]) == Some(true);
            recipe.mlp_bias = flag(&["mlp_bias"]) == Some(true);
        }
        "stablelm" => {
            recipe.qkv_bias = flag(&["use_qkv_bias"]) == Some(true);
            if flag(&["use_parallel_residual"]) == Some(true) {
                recipe.norms = 1;
            }
        }
        "gptneox" => {
            let bias = flag(&["attention_bias"]).unwrap_or(true);
            (recipe.qkv_bias, recipe.out_bias) = (bias, bias);
        }
        "starcoder2" | "ernie45" => {
            let bias = flag(&["use_bias"]).unwrap_or(family == "starcoder2");
            (recipe.qkv_bias, recipe.out_bias, recipe.mlp_bias) = (bias, bias, bias);
        }
        "internlm2" => {
            let bias = flag(&["bias"]).unwrap_or(true);
            (recipe.qkv_bias, recipe.out_bias) = (bias, bias);
        }
        "mpt" => {
            let bias = flag(&["no_bias"]) == Some(false);
            (
                recipe.qkv_bias,
                recipe.out_bias,
                recipe.mlp_bias,
                recipe.norm_bias,
            ) = (bias, bias, bias, bias);
        }
        _ => biases(&mut recipe, inner),
    }
    layouts(&mut recipe, kind, inner);
    recipe
}

/// Applies `attention_bias` and `mlp_bias`, as most families read them.
fn biases(recipe: &mut Recipe, inner: &Fields) {
    if let Some(bias) = fields::flag(inner, &["attention_bias"]) {
        (recipe.qkv_bias, recipe.out_bias) = (bias, bias);
    }
    if let Some(bias) = fields::flag(inner, &["mlp_bias"]) {
        recipe.mlp_bias = bias;
    }
}

/// Applies the switches of individual families other than biases.
fn layouts(recipe: &mut Recipe, kind: &str, inner: &Fields) {
    let flag = |name: &str| fields::flag(inner, &[name]);
    let normed = fields::flag(inner, QK_NORM);
    match kind {
        // OLMo's own layout: norms may have weights, positions may be learned, the feed-forward layer need not be
        // gated.
        "olmo" => {
            if flag("layer_norm_with_affine") == Some(true) {
                recipe.norms = 2;
                recipe.norm_weight = true;
                recipe.norm_bias = flag("bias_for_layer_norm") == Some(true);
                recipe.final_norm = true;
            }
            recipe.gated = flag("ffn_with_glu") != Some(false);
            if flag("learned_positions") == Some(true) {
                recipe.positions = Some(0);
            }
        }
        "openelm" => {
            recipe.gated = flag("ffn_with_glu") != Some(false);
            recipe.head_norms = normed.unwrap_or(true);
        }
        "hunyuan" => recipe.head_norms = normed != Some(false),
        "glm4moe" => {
            recipe.norms = 2;
            recipe.head_norms = normed == Some(true);
        }
        "phimoe" => recipe.head_bias = flag("lm_head_bias").unwrap_or(recipe.head_bias),
        _ => {}
    }
}
