//! A structure's size by the formula of its family.

use crate::config::recipe::{
    Recipe, Sizes, attention, dense, feed_forward, layer, outside, recipe, usual_positions,
};
use crate::config::stated::Counts;
use crate::observed::Dimensions;

/// Width from which no checkpoint of a family with an output head of its own has it tied.
pub(crate) const WIDE: i64 = 4_096;

/// Billions of a structure by its own dimensions, the usual output head of the family first; none where no formula is known
/// or a dimension is missing.
pub(crate) fn by_shape(
    family: &str,
    dimensions: Dimensions,
    head_dim: Option<i64>,
    experts: Option<i64>,
) -> Vec<f64> {
    let Some((usual, sizes)) = formula(family, dimensions, head_dim) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    // Small checkpoints of a family with a head of its own may have it tied, wide ones have not; a tied head may be stored.
    for tied in [usual.tied, !usual.tied]
        .into_iter()
        .filter(|&tied| tied == usual.tied || usual.tied || sizes.d_model < WIDE)
    {
        let recipe = Recipe { tied, ..usual };
        match experts {
            Some(experts) => all.extend(mixture_size(recipe, sizes, experts)),
            None => all.extend(dense(recipe, sizes).map(|count| count as f64 / 1e9)),
        }
    }
    all
}

/// The counts of a dense decoder by the formula of its family; `tied`: whether the output head is the embedding, where that
/// is known.
pub(crate) fn counts(
    family: &str,
    dimensions: Dimensions,
    head_dim: Option<i64>,
    tied: Option<bool>,
) -> Option<Counts> {
    let (usual, sizes) = formula(family, dimensions, head_dim)?;
    let recipe = Recipe {
        tied: tied.unwrap_or(usual.tied),
        ..usual
    };
    let total = dense(recipe, sizes)?;
    Some(Counts {
        total,
        active: total,
        exact: false,
        outside: i64::try_from(outside(recipe, sizes)?).ok()?,
        looked_up: 0,
    })
}

/// The recipe of a family and the sizes it takes; none where no formula is known or a dimension is missing.
fn formula(family: &str, dimensions: Dimensions, head_dim: Option<i64>) -> Option<(Recipe, Sizes)> {
    let family = if family == "mixtral" { "llama" } else { family };
    let [
        Some(layers),
        Some(d_model),
        Some(d_ffn),
        Some(heads),
        kv_heads,
        Some(vocab),
        pos,
    ] = dimensions
    else {
        return None;
    };
    // Of the layers of Nemotron-H some attend and some feed forward: its recipe is of one that does both.
    let usual = recipe(family).filter(|_| family != "nemotronh")?;
    let sizes = Sizes {
        layers,
        d_model,
        d_ffn,
        heads,
        kv_heads: kv_heads.unwrap_or(if usual.multi_query { 1 } else { heads }),
        head_dim: head_dim.unwrap_or(d_model / heads.max(1)),
        vocab,
        pos: pos
            .filter(|_| usual.positions.is_some())
            .unwrap_or(usual_positions(family)),
    };
    Some((usual, sizes))
}

/// Billions of a mixture made of `experts` copies of one dense block's feed-forward layer, with a router.
pub(crate) fn mixture_size(recipe: Recipe, sizes: Sizes, experts: i64) -> Option<f64> {
    let shared = layer(recipe, sizes)? - feed_forward(recipe, sizes.d_model, sizes.d_ffn)?;
    debug_assert!(shared >= attention(recipe, sizes)?);
    let experts = i128::from(experts);
    let router = i128::from(sizes.d_model) * experts;
    let layer = shared + experts * feed_forward(recipe, sizes.d_model, sizes.d_ffn)? + router;
    Some((i128::from(sizes.layers) * layer + outside(recipe, sizes)?) as f64 / 1e9)
}
