//! Counts the parameters of the language model from a config, all and those active for one token.
//!
//! Exact for dense decoders that have a [`recipe`] and in whose config every key that may affect the shape of weights
//! is understood ([`crate::config::keys`]). For mixtures, hybrids and latent attention the large matrices are counted
//! as in their modelling code, small tensors (gates, decays) approximately. Not counted are vision and audio parts, and
//! heads that predict further tokens.

use crate::config::experts::experts;
use crate::config::fields::{self, Fields};
use crate::config::layers::{Feed, Mixer, kinds};
use crate::config::mixing::mixing;
use crate::config::plan::Plan;
use crate::config::recipe::{self, Recipe, Sizes};
use crate::config::stated::{Counts, KeyHeads};

/// Counts the parameters of a plan. `None` where a dimension is missing or there is no formula.
pub(crate) fn count(plan: &Plan<'_>) -> Option<Counts> {
    let (config, recipe) = (plan.config, plan.recipe);
    // Zamba: several layers share blocks, each layer with an adapter of its own; there is no formula here.
    if plan.kind.starts_with("zamba") {
        return None;
    }
    let exact = plan.is_known
        && config.layer_kinds_are_plain(plan.inner, &plan.kind)
        && config.not_understood.is_empty()
        && plan.key_heads != KeyHeads::Unknown;
    let sizes = plan.sizes()?;
    let layers = kinds(plan.inner, sizes.layers, config.is_moe);
    let outside = embedding(recipe, sizes, plan.inner)?;
    let (mut total, mut active) = (outside, outside);
    for (at, (mixer, feed)) in (0_i64..).zip(layers) {
        let own = plan.sizes_at(sizes, at);
        // A missing width must not be counted as 0.
        if own.d_ffn == 0 && feed == Feed::Dense {
            return None;
        }
        let mixing = mixing(mixer, plan, own)?;
        // A layer that lacks attention or the feed-forward layer has only the other part's norms.
        let norms = match (mixer == Mixer::Nothing, feed == Feed::Nothing) {
            (true, true) => 0,
            (false, false) => recipe.norms,
            _ => (recipe.norms + 1) / 2,
        };
        let norms = i128::from(norms) * recipe::norm(recipe, sizes.d_model);
        let (all, used) = match feed {
            Feed::Nothing => (0, 0),
            Feed::Dense => {
                let one = recipe::feed_forward(recipe, sizes.d_model, own.d_ffn)?;
                (one, one)
            }
            Feed::Matrix => {
                let one = i128::from(sizes.d_model).checked_mul(i128::from(sizes.d_model))?;
                (one, one)
            }
            Feed::Experts => experts(plan, own, at)?,
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

/// Parameters that are looked up rather than multiplied: learned positions, and the embedding unless it is also the
/// output head.
fn looked_up(recipe: Recipe, sizes: Sizes) -> Option<i64> {
    let table = if recipe.tied { 0 } else { sizes.vocab };
    let positions = recipe.positions.map_or(0, |more| sizes.pos + more);
    table.checked_add(positions)?.checked_mul(sizes.d_model)
}

fn embedding(recipe: Recipe, sizes: Sizes, inner: &Fields) -> Option<i128> {
    // OPT-350m has embeddings narrower than the residual stream, with a projection in and one out.
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
