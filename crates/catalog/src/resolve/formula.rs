//! Computes a structure's size by the formula of its family.

use crate::config::recipe::{
    Recipe, Sizes, attention, dense, feed_forward, layer, outside, recipe, usual_positions,
};
use crate::config::stated::Counts;
use crate::observed::DimensionValues;

/// Width from which checkpoints never have a tied output head, in families that usually have a separate one.
pub(crate) const WIDE: i64 = 4_096;

/// The sizes, in billions, that a structure can have by its dimensions, the one with the known or usual output head
/// first; empty where there is no formula or a dimension is missing. `tied`: whether the output head is tied, where
/// that is known.
pub(crate) fn by_shape(
    family: &str,
    dimensions: DimensionValues,
    head_dim: Option<i64>,
    experts: Option<i64>,
    tied: Option<bool>,
) -> Vec<f64> {
    let Some((usual, sizes)) = formula(family, dimensions, head_dim) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    // A tied output head may be stored separately.
    let first = tied.unwrap_or(usual.tied);
    for tied in heads(usual, sizes, first) {
        let recipe = Recipe { tied, ..usual };
        match experts {
            Some(experts) => all.extend(mixture_size(recipe, sizes, experts)),
            None => all.extend(dense(recipe, sizes).map(|count| count as f64 / 1e9)),
        }
    }
    all
}

/// Whether the output head of a recipe's checkpoints can be tied or not, `first` before the other: in a family with
/// separate heads small checkpoints may have a tied one, wide ones do not.
fn heads(usual: Recipe, sizes: Sizes, first: bool) -> impl Iterator<Item = bool> {
    [first, !first]
        .into_iter()
        .filter(move |&tied| tied == first || tied == usual.tied || usual.tied || sizes.d_model < WIDE)
}

/// Whether the formula, with one of the possible output heads, gives `count` billions within `off`.
pub(crate) fn makes(
    family: &str,
    dimensions: DimensionValues,
    head_dim: Option<i64>,
    (count, off): (f64, f64),
) -> bool {
    by_shape(family, dimensions, head_dim, None, None)
        .iter()
        .any(|made| (made - count).abs() <= off)
}

/// Families whose checkpoints always have a separate output head, whatever a count omits.
const NEVER_TIED: [&str; 3] = ["gptneox", "gptj", "codegen"];

/// Whether the output head is tied, inferred from counts of parameters (`counted`: billions, each with its tolerance);
/// `None` unless exactly one of the two kinds of head fits a count.
pub(crate) fn head_of_count(
    family: &str,
    dimensions: DimensionValues,
    head_dim: Option<i64>,
    counted: &[(f64, f64)],
) -> Option<bool> {
    let (usual, sizes) = formula(family, dimensions, head_dim)?;
    // A family with tied heads sometimes stores them separately, so a count that includes one says nothing about the
    // network. The other families here never tie.
    if usual.tied || NEVER_TIED.contains(&family) {
        return None;
    }
    let made: Vec<(bool, f64)> = [false, true]
        .into_iter()
        .filter_map(|tied| {
            let count = dense(Recipe { tied, ..usual }, sizes)?;
            Some((tied, count as f64 / 1e9))
        })
        .collect();
    counted.iter().find_map(|&(count, off)| {
        let mut same = made.iter().filter(|(_, made)| (made - count).abs() <= off);
        let &(tied, _) = same.next()?;
        same.next().is_none().then_some(tied)
    })
}

/// The parameter counts of a dense decoder by the formula of its family; `tied`: whether the output head is tied, where
/// that is known.
pub(crate) fn counts(
    family: &str,
    dimensions: DimensionValues,
    head_dim: Option<i64>,
    tied: Option<bool>,
) -> Option<Counts> {
    let (usual, sizes) = formula(family, dimensions, head_dim)?;
    // Falcon has either one key-value head or as many as query heads.
    if family == "falcon" && dimensions[4].is_none() {
        return None;
    }
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

/// Families whose layers differ, so that seven dimensions do not determine each layer.
const UNLIKE: [&str; 8] = [
    "nemotronh",
    "nemotronnas",
    "lfm2",
    "openelm",
    "decilm",
    "mamba",
    "mamba2",
    "falconmamba",
];

/// The recipe of a family and the sizes it is applied to; `None` where there is no formula or a dimension is missing.
fn formula(family: &str, dimensions: DimensionValues, head_dim: Option<i64>) -> Option<(Recipe, Sizes)> {
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
    let usual = recipe(family).filter(|_| !UNLIKE.contains(&family))?;
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

/// Billions of parameters of a mixture with `experts` copies of a dense block's feed-forward layer and a router.
pub(crate) fn mixture_size(recipe: Recipe, sizes: Sizes, experts: i64) -> Option<f64> {
    mixture(recipe, sizes, (experts, experts)).map(|(all, _)| all as f64 / 1e9)
}

/// Parameters of such a mixture: all, and those active when a token uses `used` of the experts.
fn mixture(recipe: Recipe, sizes: Sizes, (experts, used): (i64, i64)) -> Option<(i128, i128)> {
    let one = feed_forward(recipe, sizes.d_model, sizes.d_ffn)?;
    let shared = layer(recipe, sizes)? - one;
    debug_assert!(shared >= attention(recipe, sizes)?);
    let router = i128::from(sizes.d_model) * i128::from(experts);
    let outside = outside(recipe, sizes)?;
    let count = |experts: i64| {
        let layer = one
            .checked_mul(i128::from(experts))?
            .checked_add(shared + router)?;
        i128::from(sizes.layers).checked_mul(layer)?.checked_add(outside)
    };
    Some((count(experts)?, count(used.min(experts))?))
}

/// The parameter counts of a mixture with `experts` copies of a dense block's feed-forward layer, of which a token uses
/// `used`.
pub(crate) fn mixture_counts(
    family: &str,
    dimensions: DimensionValues,
    head_dim: Option<i64>,
    (experts, used): (i64, i64),
    tied: Option<bool>,
) -> Option<Counts> {
    let (usual, sizes) = formula(family, dimensions, head_dim)?;
    let recipe = Recipe {
        tied: tied.unwrap_or(usual.tied),
        ..usual
    };
    let (total, active) = mixture(recipe, sizes, (experts, used))?;
    Some(Counts {
        total: i64::try_from(total).ok()?,
        active: i64::try_from(active).ok()?,
        exact: false,
        outside: i64::try_from(outside(recipe, sizes)?).ok()?,
        looked_up: 0,
    })
}
