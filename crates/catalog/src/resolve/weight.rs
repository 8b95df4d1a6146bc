//! Determines the number of parameters of a checkpoint: counted, else as listed, else computed from its structure, else
//! as stated in its name.
//!
//! Leaderboards list whole billions, zeros, half the size for packed weights, and adapters alone. A structure admits
//! few sizes, so the one nearest to the listing is more accurate than the listing itself.

use super::admit::Asked;
use super::formula::by_shape;
use super::listed::{Listed, is_packed};
use super::pool::Pool;
use super::stated::near;
use super::template::{Shape, family_of};
use crate::known::{Known, is_rough};
use crate::observed::DimensionValues;
use crate::words::Stated;

/// Relative difference from every size that the structure admits above which a counted listing is rejected.
const BELIEVED: f64 = 0.3;
/// Factor between a listing and the size stated in the name above which the listing is not of this checkpoint's
/// weights.
pub(crate) const APART: f64 = 1.6;

/// Difference in billions up to which a (rounded) listing is the size with the tied head stored separately.
const STORED: f64 = 0.006;

/// Relative difference allowed between a size from a name or listing and the formula for the usual blocks, where the
/// blocks are not known.
const UNNAMED: f64 = 0.08;

/// Relative difference up to which a count and the formula of the structure agree.
const AGREES: f64 = 0.002;
/// Relative difference above which two counts are of different things.
const OFF: f64 = 0.02;

/// The evidence for a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SizeOrigin {
    /// A count of the checkpoint's own weights.
    Counted,
    /// A count of the weights of its base.
    Base,
    /// A leaderboard's listing.
    Listed,
    /// Its name.
    Name,
    /// The formula of its structure, or the sizes of known checkpoints with the shape.
    Shape,
    /// An outside board's count, where there is no other.
    Outside,
}

/// `size`, or the count of an outside board where that is better: where only a name or whole billions give the size and
/// the count is near, or where the formula of the structure (`made`) confirms the count but not `size`.
pub(crate) fn or_counted(
    size: Option<(f64, SizeOrigin)>,
    counted: Option<f64>,
    made: Option<i64>,
) -> Option<(f64, SizeOrigin)> {
    let counted = counted.map(|count| count / 1e9).filter(|&count| count > 0.0);
    let is_made = |count: f64| made.is_some_and(|made| (made as f64 / 1e9 - count).abs() <= AGREES * count);
    match (size, counted) {
        (Some((size, _)), Some(counted))
            if is_made(counted) && !is_made(size) && (size - counted).abs() > OFF * counted =>
        {
            Some((counted, SizeOrigin::Outside))
        }
        (None, Some(counted)) => Some((counted, SizeOrigin::Outside)),
        (Some((size, told)), Some(counted))
            if (told == SizeOrigin::Name || told == SizeOrigin::Listed && is_rough(size))
                && counted <= APART * size
                && size <= APART * counted =>
        {
            Some((counted, SizeOrigin::Outside))
        }
        _ => size,
    }
}

/// Billions of parameters of a checkpoint with these dimensions, which were taken from `from`, and the evidence for
/// them; `tied`: whether its output head is tied, where that is known.
pub(crate) fn billions(
    pool: &Pool,
    asked: &Asked<'_>,
    dimensions: DimensionValues,
    from: Option<&Known>,
    tied: Option<bool>,
) -> Option<(f64, SizeOrigin)> {
    let counted = |entry: &Known| {
        entry
            .details
            .parameters_total
            .filter(|_| !is_packed(entry))
            .map(|count| count as f64 / 1e9)
    };
    if let Some(own) = counted(asked.known) {
        return Some((own, SizeOrigin::Counted));
    }
    let admitted = sizes(pool, asked, dimensions, from, tied);
    let stated = asked.stated.iter().find_map(|stated| match *stated {
        Stated::Dense(size) => Some(size),
        Stated::Mixture(..) => None,
    });
    // The first size is the family's usual one.
    let first = |means: &dyn Fn(f64) -> bool| {
        let found = admitted.iter().copied().find(|&size| means(size));
        found.map(|size| (size, SizeOrigin::Shape))
    };
    let nearest = |to: f64| {
        admitted
            .iter()
            .copied()
            .min_by(|a, b| (a - to).abs().total_cmp(&(b - to).abs()))
    };
    // The base's own count applies if the vocabulary is the same.
    let of_base = from
        .filter(|from| from.details.dimensions[5].is_none_or(|vocab| Some(vocab) == dimensions[5]))
        .and_then(counted)
        .filter(|_| !asked.mixture)
        .map(|size| (size, SizeOrigin::Base));
    let of_name = stated.map(|stated| (stated, SizeOrigin::Name));
    let fallback = || match stated {
        // With an unknown vocabulary no size is the usual one: take the one nearest to the size in the name.
        Some(stated) if dimensions[5].is_none() => nearest(stated)
            .filter(|&size| near(stated, size))
            .map(|size| (size, SizeOrigin::Shape))
            .or(of_name),
        Some(stated) => first(&|size| near(stated, size)).or(of_name),
        None => of_base.or_else(|| first(&|_| true)),
    };
    match asked.listed {
        // A fine-tune that stored its tied head separately does not have more parameters because of that.
        Listed::Counted(listed)
            if tied == Some(true) && admitted.len() == 2 && (admitted[1] - listed).abs() <= STORED =>
        {
            Some((admitted[0], SizeOrigin::Shape))
        }
        Listed::Counted(listed) => match nearest(listed) {
            Some(near) if (near - listed).abs() > BELIEVED * near => fallback(),
            None if stated.is_some_and(|stated| listed > APART * stated || stated > APART * listed) => {
                of_name
            }
            _ => Some((listed, SizeOrigin::Listed)),
        },
        // Whole billions are truncated (10.73 listed as 10) or nominal (6.74 as 7): accept sizes in the range of both.
        Listed::Rough(listed) => {
            let means = |size: f64| size >= listed - 0.75 && size < listed + 1.0;
            // A decimal was rounded, not truncated: the nearest size is meant.
            let rounded = nearest(listed)
                .filter(|size| listed.fract() != 0.0 && (size - listed).abs() <= 0.05 * listed)
                .map(|size| (size, SizeOrigin::Shape));
            rounded
                .or(of_base)
                .filter(|&(size, _)| means(size))
                .or_else(|| first(&means))
                .or_else(|| fallback().filter(|_| !admitted.is_empty()))
                .or(Some((listed, SizeOrigin::Listed)))
        }
        Listed::Unknown => of_base
            .filter(|&(size, _)| stated.is_none_or(|stated| near(stated, size)))
            .or_else(fallback),
    }
}

/// Sizes that the dimensions admit: by formula, else those of known checkpoints with the shape.
fn sizes(
    pool: &Pool,
    asked: &Asked<'_>,
    dimensions: DimensionValues,
    from: Option<&Known>,
    tied: Option<bool>,
) -> Vec<f64> {
    let family = asked.family.clone().or_else(|| family_of(from?));
    let experts = asked.named_experts();
    if let Some(family) = family.filter(|_| !asked.mixture || experts.is_some()) {
        let head_dim = asked.head_dim(from);
        let own = by_shape(
            &family,
            dimensions,
            head_dim,
            experts.filter(|_| asked.mixture),
            tied,
        );
        if !own.is_empty() {
            return own;
        }
    }
    let [Some(layers), Some(d_model), Some(d_ffn), Some(heads), ..] = dimensions else {
        return Vec::new();
    };
    let shape: Shape = [layers, d_model, d_ffn, heads];
    let Some(family) = &asked.family else {
        // Where the blocks are not known, assume the usual ones, but only if the listing or the name states a similar
        // size.
        let head_dim = asked.known.details.head_dim;
        let is_own = from.is_none() && !asked.mixture;
        let all = if is_own {
            by_shape("llama", dimensions, head_dim, None, tied)
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
    if dimensions[5].is_none() && pool.first.vocabularies(family, shape).is_empty() {
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
