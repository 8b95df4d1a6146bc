//! Whether the output head is tied to the embedding, where no config states it: whichever of the two gives a counted
//! number of parameters by the formula, else the kind that dominates among checkpoints with the same blocks, shape and
//! vocabulary.
//!
//! A count that includes a separate head is weaker evidence than one that does not: fine-tunes may store a tied head a
//! second time.

use std::collections::BTreeMap;

use super::formula;
use super::listed::{Listed, is_packed};
use super::template::{Shape, family_of};
use crate::gather::Gathered;
use crate::known::Known;
use crate::observed::DimensionValues;

/// Relative difference up to which a counted and a computed number are the same; it covers norms and biases that a
/// formula omits.
pub(super) const SAME: f64 = 5e-4;
/// From this share of tied heads on, the others are taken to have stored theirs separately; up to `OWN`, the few tied
/// ones are taken to be mistaken.
const TIED: f64 = 0.5;
const OWN: f64 = 0.1;
/// Rounding error, in billions, of a listing with two decimals.
const ROUNDED: f64 = 0.0051;

/// Counted numbers of parameters of a checkpoint in billions, each with its tolerance.
pub(super) fn counted(known: &Known, outside: Option<f64>) -> Vec<(f64, f64)> {
    if is_packed(known) {
        return Vec::new();
    }
    let own = known.details.parameters_total.map(|count| count as f64);
    let counts = own.into_iter().chain(outside).map(|count| count / 1e9);
    counts.map(|count| (count, SAME * count)).collect()
}

/// For each kind of blocks, shape and vocabulary, how many checkpoints have separate heads and how many tied ones.
#[derive(Debug, Default)]
pub(super) struct Heads {
    tied: BTreeMap<(String, Shape, i64), [u32; 2]>,
}

impl Heads {
    /// Counts the checkpoints that state it, or for which a count of parameters shows it.
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

    /// Whether checkpoints with these blocks, shape and vocabulary have tied heads; `None` where neither kind
    /// dominates.
    pub(super) fn agreed(&self, family: &str, shape: Shape, vocab: i64) -> Option<bool> {
        let [own, tied] = *self.tied.get(&(family.to_owned(), shape, vocab))?;
        let share = f64::from(tied) / f64::from(own + tied);
        (share >= TIED || share <= OWN).then_some(share >= TIED)
    }
}

/// Whether the head is tied according to the checkpoint's own statement or its count of parameters.
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

/// `Some(true)` where a board lists the size of the network with a tied head; `None` otherwise, since the other size
/// proves nothing.
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
