//! Determines the vocabulary of a checkpoint with a known shape: its base's, unless its size or its date contradicts
//! that.
//!
//! A counted size selects among the vocabularies that known checkpoints with these blocks and this shape have. It never
//! creates one: where no known vocabulary gives the size, the vocabulary stays unknown.

use std::collections::BTreeMap;

use crate::known::Known;
use crate::resolve::admit::Asked;
use crate::resolve::formula::by_shape;
use crate::resolve::listed::Listed;
use crate::resolve::pool::Pool;
use crate::resolve::template::{Shape, family_of};

/// Difference in billions up to which a listed size and a computed one are the same: half of the last digit, and
/// buffers.
const SAME: f64 = 0.0011;
/// The same as a share of the size, to allow for some added tokens.
const SHARE: f64 = 0.0015;
/// Percentage of the checkpoints of a shape, or of those with the nearest names, that must agree where there is no
/// other evidence.
pub(crate) const AGREED: usize = 95;
/// Number of days within which checkpoints count as contemporary.
const YEAR: i32 = 365;

/// Whether two vocabularies, or numbers of positions, are equal up to a few added tokens (1 %).
pub(crate) fn is_near(a: i64, b: i64) -> bool {
    (a - b).abs() * 100 <= b
}

/// Number of days that a checkpoint may predate the first with its vocabulary.
const BEFORE: i32 = 30;

/// Whether a checkpoint with these blocks and dimensions can have a vocabulary of `vocab` entries.
pub(crate) fn can_have(
    pool: &Pool,
    asked: &Asked<'_>,
    family: &str,
    shape: Shape,
    (kv_heads, head_dim): (Option<i64>, Option<i64>),
    vocab: i64,
) -> bool {
    if let Some(day) = asked.known.published()
        && pool.first.is_newer(family, shape, Some(vocab), day + BEFORE)
    {
        return false;
    }
    let (Listed::Counted(listed) | Listed::Rough(listed)) = asked.listed else {
        return true;
    };
    if asked.mixture {
        return true;
    }
    let [layers, d_model, d_ffn, heads] = shape.map(Some);
    let dimensions = [layers, d_model, d_ffn, heads, kv_heads, Some(vocab), None];
    let sizes = by_shape(family, dimensions, head_dim, None, None);
    let off = |size: &f64| (size - listed).abs();
    // A size of packed weights says nothing about the vocabulary.
    if sizes.is_empty() || sizes.iter().all(|size| off(size) > 0.25 * size) {
        return true;
    }
    match asked.listed {
        Listed::Counted(_) => sizes.iter().any(|size| off(size) <= SAME.max(SHARE * size)),
        _ => sizes.iter().any(|size| (-0.75..1.0).contains(&(size - listed))),
    }
}

/// The vocabulary of a checkpoint whose shape was taken from `of`.
pub(crate) fn of_base(pool: &Pool, asked: &Asked<'_>, shape: Shape, of: &Known) -> Option<i64> {
    let beside = (
        of.details.dimensions[4],
        asked.known.details.head_dim.or(of.details.head_dim),
    );
    let family = asked.family.clone().or_else(|| family_of(of))?;
    let can = |vocab: &i64| can_have(pool, asked, &family, shape, beside, *vocab);
    if let Some(own) = of.details.dimensions[5].filter(can) {
        return Some(own);
    }
    // Another known vocabulary is taken only if a counted size requires it, and only if exactly one fits.
    let Listed::Counted(_) = asked.listed else {
        return None;
    };
    of.details.dimensions[5]?;
    let mut others = pool.first.vocabularies(&family, shape).into_iter().filter(can);
    let only = others.next()?;
    others.next().is_none().then_some(only)
}

/// Whether a shape suggested by a name or a size also determines the vocabulary: nearly all checkpoints with these
/// blocks and this shape that were published within a year of this one, and whose vocabulary this one can have, have
/// `vocab`. For a checkpoint without a date all of them must agree, since what was usual at one time says nothing about
/// it.
pub(crate) fn is_agreed(pool: &Pool, asked: &Asked<'_>, all: &[Known], shape: Shape, vocab: i64) -> bool {
    let counts = by_vocabulary(pool, asked, all, shape, None);
    let day = asked.known.published();
    let near_in_time = |member: &&u32| match (day, all[**member as usize].published()) {
        (Some(ours), Some(theirs)) => (ours - theirs).abs() <= YEAR,
        _ => false,
    };
    let of = |wanted: &dyn Fn(i64) -> bool, counted: &dyn Fn(&&u32) -> bool| -> usize {
        let those = counts.iter().filter(|(vocab, _)| vocab.is_some_and(wanted));
        those
            .map(|(_, members)| members.iter().filter(counted).count())
            .sum()
    };
    let same = |other: i64| is_near(other, vocab);
    let (dated, any) = (of(&|_| true, &near_in_time), |_: &&u32| true);
    match day {
        Some(_) if dated > 0 => of(&same, &near_in_time) * 100 >= dated * AGREED,
        Some(_) => of(&same, &any) * 100 >= of(&|_| true, &any) * AGREED,
        None => of(&|other| !same(other), &any) == 0,
    }
}

/// The checkpoint that represents a shape suggested by words or a size: the first published among those with the most
/// common vocabulary that this checkpoint can have.
pub(crate) fn representative(
    pool: &Pool,
    asked: &Asked<'_>,
    all: &[Known],
    shape: Shape,
    left_out: Option<u32>,
) -> Option<u32> {
    let (_, members) = by_vocabulary(pool, asked, all, shape, left_out)
        .into_iter()
        .max_by_key(|(vocab, members)| (vocab.is_some(), members.len()))?;
    members
        .into_iter()
        .min_by_key(|&at| (all[at as usize].published().unwrap_or(i32::MAX), at))
}

/// The checkpoints with this shape, grouped by vocabularies that this checkpoint can have; only those of its own family
/// if there are any.
fn by_vocabulary(
    pool: &Pool,
    asked: &Asked<'_>,
    all: &[Known],
    shape: Shape,
    left_out: Option<u32>,
) -> BTreeMap<Option<i64>, Vec<u32>> {
    let mut found: BTreeMap<Option<i64>, Vec<u32>> = BTreeMap::new();
    let own = asked.family.as_deref();
    let templates = asked.akin(pool, shape);
    let is_own = |family: &str| Some(family) == own;
    let any_own = templates.iter().any(|template| is_own(&template.family));
    for template in templates
        .iter()
        .filter(|template| !any_own || is_own(&template.family))
    {
        for &at in template.members.iter().filter(|&&at| Some(at) != left_out) {
            let details = &all[at as usize].details;
            let beside = (details.dimensions[4], details.head_dim);
            let can = |vocab| can_have(pool, asked, &template.family, shape, beside, vocab);
            let vocab = details.dimensions[5].filter(|&vocab| can(vocab));
            found.entry(vocab).or_default().push(at);
        }
    }
    found
}
