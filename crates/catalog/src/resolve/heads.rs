//! Whether the output head is the embedding, where no config says so: the one of the two of which the formula makes the number
//! of parameters that somebody counted, else what nearly all checkpoints of the same blocks, shape and vocabulary have.
//!
//! A count that holds a head of its own proves less than one that does not: fine-tunes store the embedding a second time.

use std::collections::BTreeMap;

use super::formula;
use super::listed::{Listed, is_packed};
use super::template::{Shape, family_of};
use crate::gather::Gathered;
use crate::known::Known;
use crate::observed::DimensionValues;

/// A counted number and a computed one are the same within this share: norms and biases that a formula leaves out, no more.
pub(super) const SAME: f64 = 5e-4;
/// From this share of checkpoints that tie their heads on, others stored theirs; up to the other, those few are mistaken.
const TIED: f64 = 0.5;
const OWN: f64 = 0.1;
/// Billions by which a listing in hundredths is rounded.
const ROUNDED: f64 = 0.0051;

/// Numbers of parameters that somebody counted of a checkpoint, billions, each with how far it may be off.
pub(super) fn counted(known: &Known, outside: Option<f64>) -> Vec<(f64, f64)> {
    if is_packed(known) {
        return Vec::new();
    }
    let own = known.details.parameters_total.map(|count| count as f64);
    let counts = own.into_iter().chain(outside).map(|count| count / 1e9);
    counts.map(|count| (count, SAME * count)).collect()
}

/// How many checkpoints of each kind of blocks, shape and vocabulary tie their heads, and how many do not.
#[derive(Debug, Default)]
pub(super) struct Heads {
    tied: BTreeMap<(String, Shape, i64), [u32; 2]>,
}

impl Heads {
    /// From the checkpoints that say it, or whose count does.
    pub(super) fn of(gathered: &Gathered) -> Self {
        let mut heads = Self::default();
        for known in &gathered.known {
            let (Some(shape), Some(vocab), Some(family)) =
                (known.shape(), known.details.dimensions[5], family_of(known))
            else {
                continue;
            };
            if let Some(tied) = told(gathered, known, &family) {
                heads.tied.entry((family, shape, vocab)).or_default()[usize::from(tied)] += 1;
            }
        }
        heads
    }

    /// What nearly all checkpoints of these blocks, shape and vocabulary have.
    pub(super) fn agreed(&self, family: &str, shape: Shape, vocab: i64) -> Option<bool> {
        let [own, tied] = *self.tied.get(&(family.to_owned(), shape, vocab))?;
        let share = f64::from(tied) / f64::from(own + tied);
        (share >= TIED || share <= OWN).then_some(share >= TIED)
    }
}

/// What a checkpoint of that family says of its head, or its count does.
pub(super) fn told(gathered: &Gathered, known: &Known, family: &str) -> Option<bool> {
    let details = &known.details;
    let by_count = || {
        let outside = gathered.outside.get(&*known.id);
        let outside = outside.and_then(|(outside, _)| outside.parameters);
        formula::head_of_count(
            family,
            details.dimensions,
            details.head_dim,
            &counted(known, outside),
        )
    };
    details
        .makeup
        .tied
        .or_else(by_count)
        .or_else(|| listed_tied(known, details.dimensions, details.head_dim, family))
}

/// `true` where a board lists the size of the network whose head is the embedding; the other size proves nothing.
pub(super) fn listed_tied(
    known: &Known,
    dimensions: DimensionValues,
    head_dim: Option<i64>,
    family: &str,
) -> Option<bool> {
    let Listed::Counted(listed) = Listed::of(known) else {
        return None;
    };
    formula::head_of_count(family, dimensions, head_dim, &[(listed, ROUNDED)]).filter(|&tied| tied)
}
