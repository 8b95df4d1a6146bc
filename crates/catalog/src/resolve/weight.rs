//! How many billions of parameters a checkpoint has: counted, else as listed, else computed from its structure, else as its
//! name states.
//!
//! Leaderboards list whole billions, zeros, halves of packed weights and adapters alone; a structure admits few sizes, so
//! the one nearest to what is listed is better than the listing.

use super::admit::Asked;
use super::listed::{Listed, is_packed};
use super::pool::{Pool, Shape, WIDE, family_of, mixture_size};
use super::stated::near;
use crate::config::count::Counts;
use crate::config::recipe::{Recipe, Sizes, dense, outside, recipe, usual_positions};
use crate::known::Known;
use crate::observed::Dimensions;
use crate::words::Stated;

/// A counted listing that is further than this from every size its structure admits is not believed.
const BELIEVED: f64 = 0.3;
/// A listing further than this factor from what the name states is not of this checkpoint's weights.
pub(crate) const APART: f64 = 1.6;

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

/// How far the size that a name or a listing states may be from the formula of the usual blocks, where nobody names the
/// blocks.
const UNNAMED: f64 = 0.08;

/// What a size is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// A count of the checkpoint's own weights.
    Counted,
    /// A count of its base's.
    Base,
    /// A leaderboard's listing.
    Listed,
    /// Its name.
    Name,
    /// The formula of its structure, or the sizes of known checkpoints of the shape.
    Shape,
}

/// Billions of parameters of a checkpoint with these dimensions, which it has from `from`, and what tells them.
pub(crate) fn billions(
    pool: &Pool,
    asked: &Asked<'_>,
    dimensions: Dimensions,
    from: Option<&Known>,
) -> Option<(f64, Told)> {
    let counted = |entry: &Known| {
        entry
            .details
            .parameters_total
            .filter(|_| !is_packed(entry))
            .map(|count| count as f64 / 1e9)
    };
    if let Some(own) = counted(asked.known) {
        return Some((own, Told::Counted));
    }
    let admitted = sizes(pool, asked, dimensions, from);
    let stated = asked.stated.iter().find_map(|stated| match *stated {
        Stated::Dense(size) => Some(size),
        Stated::Mixture(..) => None,
    });
    // The first is the usual one of the family.
    let first = |means: &dyn Fn(f64) -> bool| {
        let found = admitted.iter().copied().find(|&size| means(size));
        found.map(|size| (size, Told::Shape))
    };
    let nearest = |to: f64| {
        admitted
            .iter()
            .copied()
            .min_by(|a, b| (a - to).abs().total_cmp(&(b - to).abs()))
    };
    // The base's own count stands for this one's where the vocabulary is the same.
    let of_base = from
        .filter(|from| from.details.dimensions[5].is_none_or(|vocab| Some(vocab) == dimensions[5]))
        .and_then(counted)
        .filter(|_| !asked.mixture)
        .map(|size| (size, Told::Base));
    let of_name = stated.map(|stated| (stated, Told::Name));
    let fallback = || match stated {
        Some(stated) => first(&|size| near(stated, size)).or(of_name),
        None => of_base.or_else(|| first(&|_| true)),
    };
    match asked.listed {
        Listed::Counted(listed) => match nearest(listed) {
            Some(near) if (near - listed).abs() > BELIEVED * near => fallback(),
            None if stated.is_some_and(|stated| listed > APART * stated || stated > APART * listed) => {
                of_name
            }
            _ => Some((listed, Told::Listed)),
        },
        // Whole billions are cut (10.73 listed as 10) or nominal (6.74 as 7): the middle of what they can mean.
        Listed::Rough(listed) => {
            let means = |size: f64| size >= listed - 0.75 && size < listed + 1.0;
            of_base
                .filter(|&(size, _)| means(size))
                .or_else(|| first(&means))
                .or_else(|| fallback().filter(|_| !admitted.is_empty()))
                .or(Some((listed, Told::Listed)))
        }
        Listed::Unknown => of_base
            .filter(|&(size, _)| stated.is_none_or(|stated| near(stated, size)))
            .or_else(fallback),
    }
}

/// Sizes that the dimensions admit: by their formula, else those of known checkpoints of the shape.
fn sizes(pool: &Pool, asked: &Asked<'_>, dimensions: Dimensions, from: Option<&Known>) -> Vec<f64> {
    let family = asked.family.clone().or_else(|| family_of(from?));
    let experts = asked.stated.iter().find_map(|stated| match *stated {
        Stated::Mixture(experts, _) => Some(experts),
        Stated::Dense(_) => None,
    });
    if let Some(family) = family.filter(|_| !asked.mixture || experts.is_some()) {
        let head_dim = asked.known.details.head_dim.or_else(|| from?.details.head_dim);
        let own = by_shape(&family, dimensions, head_dim, experts.filter(|_| asked.mixture));
        if !own.is_empty() {
            return own;
        }
    }
    let [Some(layers), Some(d_model), Some(d_ffn), Some(heads), ..] = dimensions else {
        return Vec::new();
    };
    let shape: Shape = [layers, d_model, d_ffn, heads];
    let Some(family) = &asked.family else {
        // Of blocks nobody names, the usual ones: taken only where the listing or the name says about as much.
        let head_dim = asked.known.details.head_dim;
        let is_own = from.is_none() && !asked.mixture;
        let all = if is_own {
            by_shape("llama", dimensions, head_dim, None)
        } else {
            Vec::new()
        };
        let says = |size: f64| match asked.listed {
            Listed::Counted(listed) => (size - listed).abs() <= UNNAMED * size,
            _ => asked.stated.iter().any(|stated| match *stated {
                Stated::Dense(stated) => (size - stated).abs() <= UNNAMED * size,
                Stated::Mixture(..) => false,
            }),
        };
        return all.into_iter().filter(|&size| says(size)).collect();
    };
    if dimensions[5].is_none() && pool.vocabularies(family, shape).is_empty() {
        return Vec::new();
    }
    asked
        .akin(pool, shape)
        .into_iter()
        .flat_map(|template| &template.sizes)
        .filter(|admitted| admitted.usual && asked.experts().admits(admitted))
        .map(|admitted| admitted.size)
        .collect()
}
