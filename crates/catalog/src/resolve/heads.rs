//! Whether the output head is the embedding, where no config says so: the one of the two of which the formula makes the number
//! of parameters that somebody counted, else what all checkpoints of the same blocks, shape and vocabulary have.

use std::collections::BTreeMap;

use super::formula;
use super::listed::{Listed, is_packed};
use super::template::{Shape, family_of};
use crate::gather::Gathered;
use crate::known::Known;

/// A counted number and a computed one are the same within this share: norms and biases that a formula leaves out, no more.
pub(super) const SAME: f64 = 5e-4;
/// Billions by which a listing in hundredths is rounded.
const ROUNDED: f64 = 0.0051;

/// Numbers of parameters that somebody counted of a checkpoint, billions, each with how far it may be off.
pub(super) fn counted(known: &Known, outside: Option<f64>) -> Vec<(f64, f64)> {
    if is_packed(known) {
        return Vec::new();
    }
    let own = known.details.parameters_total.map(|count| count as f64);
    let counts = own.into_iter().chain(outside).map(|count| count / 1e9);
    let listed = match Listed::of(known) {
        Listed::Counted(listed) => Some((listed, ROUNDED)),
        _ => None,
    };
    counts.map(|count| (count, SAME * count)).chain(listed).collect()
}

/// What is known of the heads of each kind of blocks, shape and vocabulary; `None` where checkpoints have both.
#[derive(Debug, Default)]
pub(super) struct Heads {
    tied: BTreeMap<(String, Shape, i64), Option<bool>>,
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
            let details = &known.details;
            let outside = || {
                let (outside, _) = gathered.outside.get(&*known.id)?;
                outside.parameters
            };
            let by_count = || {
                formula::head_of_count(
                    &family,
                    details.dimensions,
                    details.head_dim,
                    &counted(known, outside()),
                )
            };
            if let Some(tied) = details.makeup.tied.or_else(by_count) {
                heads
                    .tied
                    .entry((family, shape, vocab))
                    .and_modify(|known| *known = known.filter(|&known| known == tied))
                    .or_insert(Some(tied));
            }
        }
        heads
    }

    /// What all checkpoints of these blocks, shape and vocabulary have.
    pub(super) fn agreed(&self, family: &str, shape: Shape, vocab: i64) -> Option<bool> {
        *self.tied.get(&(family.to_owned(), shape, vocab))?
    }
}
