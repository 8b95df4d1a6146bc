//! Counts the parameters of a mixture of experts.

use crate::config::fields;
use crate::config::names::{EXPERT_WIDTH, EXPERTS, SHARED, USED};
use crate::config::plan::Plan;
use crate::config::recipe::{self, Sizes};

/// Parameters of the mixture in layer `at`: all, and those that one token uses.
pub(super) fn experts(plan: &Plan<'_>, sizes: Sizes, at: i64) -> Option<(i128, i128)> {
    let (config, recipe, inner) = (plan.config, plan.recipe, plan.inner);
    let width = sizes.d_model;
    let own = |names: &[&str]| fields::at(inner, names, at, sizes.layers);
    let count = i128::from(own(EXPERTS).or(config.experts)?);
    let used = i128::from(own(USED).or(config.experts_per_token).unwrap_or(1));
    let expert_width = own(EXPERT_WIDTH).or(config.d_ffn)?;
    // Nemotron 3 (and Kimi K3) project into a latent space before the routed experts and back after them.
    let latent = fields::int(inner, &["moe_latent_size", "routed_expert_hidden_size"]);
    let projections = latent.map_or(0, |narrow| 2 * i128::from(width) * i128::from(narrow));
    let mut expert = recipe::feed_forward(recipe, latent.unwrap_or(width), expert_width)?;
    let mut router = i128::from(width) * count;
    if plan.kind == "gptoss" {
        // Biases in every projection and in the router.
        expert = expert.checked_add(2 * i128::from(expert_width) + i128::from(width))?;
        router += count;
    }
    let shared_width = match own(SHARED) {
        Some(shared) => Some(expert_width.checked_mul(shared)?),
        None => config.shared_width,
    };
    let is_shared = fields::flag(inner, &["use_mixed_mlp_moe"]) != Some(false);
    let shared = match shared_width.filter(|&wide| wide > 0 && is_shared) {
        Some(wide) => {
            let gated = fields::int(inner, &["shared_expert_intermediate_size"]).is_some();
            recipe::feed_forward(recipe, width, wide)?.checked_add(i128::from(width) * i128::from(gated))?
        }
        None => 0,
    };
    // Gemma 4 has a dense layer in parallel with its experts.
    let beside = if fields::flag(inner, &["enable_moe_block"]) == Some(true) {
        recipe::feed_forward(recipe, width, sizes.d_ffn)?
    } else if plan.kind == "arctic" && fields::flag(inner, &["parallel_attn_mlp_res"]) == Some(true) {
        // Arctic's dense residual path: a feed-forward layer as wide as the residual stream, with a norm before it.
        recipe::feed_forward(recipe, width, width)?.checked_add(recipe::norm(recipe, width))?
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
