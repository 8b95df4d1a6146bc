//! What a listed size says: exact to a thousandth, or cut to whole billions, or copied from the name.

use crate::known::{Known, is_rough};
use crate::resolve::template::{Admitted, Template};
use crate::words::holds;

/// Words of names whose weights are stored with fewer bits, so that a listed size is too small.
const PACKED: [&str; 13] = [
    "gptq", "awq", "gguf", "4bit", "8bit", "4-bit", "8-bit", "int4", "int8", "nvfp4", "mxfp4", "w4a16",
    "exl2",
];

/// Whether the name says that the weights are packed.
pub(crate) fn is_packed(known: &Known) -> bool {
    holds(&known.id.to_ascii_lowercase(), &PACKED)
}

/// A size as a leaderboard lists it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Listed {
    /// Not known, or of packed weights.
    Unknown,
    /// Cut to whole billions, or as the name says it.
    Rough(f64),
    /// Counted, rounded to millions.
    Counted(f64),
}

impl Listed {
    /// What is listed for a checkpoint: nothing where its name says that its weights are packed.
    pub(crate) fn of(known: &Known) -> Self {
        // Of adapters, whole billions are the base's; other numbers are the adapter's own.
        let own = known.packed
            && !(known.adapter
                && known
                    .listed_size
                    .is_some_and(|size| size >= 1.0 && size.fract() == 0.0));
        let packed = own || known.quantized || is_packed(known);
        Self::from_size(known.listed_size.filter(|_| !packed))
    }

    fn from_size(size: Option<f64>) -> Self {
        match size {
            None => Self::Unknown,
            Some(size) if size <= 0.0 => Self::Unknown,
            Some(size) if is_rough(size) => Self::Rough(size),
            Some(size) => Self::Counted(size),
        }
    }

    /// Equal where two listings are.
    pub(crate) fn key(self) -> (u8, u64) {
        match self {
            Self::Unknown => (0, 0),
            Self::Rough(size) => (1, size.to_bits()),
            Self::Counted(size) => (2, size.to_bits()),
        }
    }

    /// Whether a checkpoint of this listing can have that size.
    pub(crate) fn admits(self, admitted: &Admitted) -> bool {
        let size = admitted.size;
        match self {
            Self::Unknown => true,
            // Cut (10.73 listed as 10) or nominal (6.74 as 7, 0.494 as 0.5).
            Self::Rough(_) if !admitted.usual => false,
            Self::Rough(listed) if listed.fract() == 0.0 => size >= listed - 0.75 && size < listed + 1.0,
            Self::Rough(listed) => (size - listed).abs() <= 0.12 * listed,
            Self::Counted(listed) => {
                let slack = if self.is_nominal() { 0.005 * listed } else { 0.0 };
                listed >= size - admitted.below - slack && listed <= size + admitted.above + slack
            }
        }
    }

    /// Two decimals may be a name's size after all (0.36, 1.71).
    pub(crate) fn is_nominal(self) -> bool {
        matches!(self, Self::Counted(listed) if listed < 2.0 && ((listed * 100.0).round() - listed * 100.0).abs() < 1e-9)
    }

    /// How far a counted size is from that one, in billions.
    pub(crate) fn distance(self, admitted: &Admitted) -> f64 {
        match self {
            Self::Counted(listed) => (listed - admitted.size).abs(),
            _ => 0.0,
        }
    }
}

/// Whether a mixture, a dense checkpoint or both are looked for, by family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Experts {
    One,
    Several,
    Either,
}

impl Experts {
    pub(crate) fn of(family: Option<&str>) -> Self {
        match family {
            Some("mixtral") => Self::Several,
            Some(_) => Self::One,
            None => Self::Either,
        }
    }

    pub(crate) fn admits(self, admitted: &Admitted) -> bool {
        match self {
            Self::One => admitted.experts == 1,
            Self::Several => admitted.experts > 1,
            Self::Either => true,
        }
    }
}

/// How far the nearest size of `template` is that the listing admits; `usual`: of the usual ones alone.
pub(crate) fn closest(template: &Template, listed: Listed, experts: Experts, usual: bool) -> Option<f64> {
    template
        .sizes
        .iter()
        .filter(|admitted| !usual || admitted.usual)
        .filter(|admitted| experts.admits(admitted) && listed.admits(admitted))
        .map(|admitted| listed.distance(admitted))
        .min_by(f64::total_cmp)
}
