//! Interprets the size that a leaderboard lists: exact to a thousandth, truncated to whole billions, or copied from the
//! name.

use crate::known::{Known, is_rough};
use crate::resolve::template::{Admitted, Template};
use crate::words::holds;

/// Words in names of checkpoints whose weights are quantized, so that a listed size is too small.
const PACKED: [&str; 13] = [
    "gptq", "awq", "gguf", "4bit", "8bit", "4-bit", "8-bit", "int4", "int8", "nvfp4", "mxfp4", "w4a16",
    "exl2",
];

/// Whether the name says that the weights are quantized.
pub(crate) fn is_packed(known: &Known) -> bool {
    holds(&known.id.to_ascii_lowercase(), &PACKED)
}

/// A size as a leaderboard lists it, in billions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Listed {
    /// Not known, or of packed weights.
    Unknown,
    /// Truncated to whole billions, or as the name states it.
    Rough(f64),
    /// Counted, rounded to millions.
    Counted(f64),
}

impl Listed {
    /// The size listed for a checkpoint; `Unknown` where its weights are packed.
    pub(crate) fn of(known: &Known) -> Self {
        // For adapters a whole number is the base's size; any other number is the adapter's own.
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

    /// A key that is equal for equal listings.
    pub(crate) fn key(self) -> (u8, u64) {
        match self {
            Self::Unknown => (0, 0),
            Self::Rough(size) => (1, size.to_bits()),
            Self::Counted(size) => (2, size.to_bits()),
        }
    }

    /// Whether a checkpoint with this listing can have the given size.
    pub(crate) fn admits(self, admitted: &Admitted) -> bool {
        let size = admitted.size;
        match self {
            Self::Unknown => true,
            // Truncated (10.73 listed as 10) or nominal (6.74 as 7, 0.494 as 0.5).
            Self::Rough(_) if !admitted.usual => false,
            Self::Rough(listed) if listed.fract() == 0.0 => size >= listed - 0.75 && size < listed + 1.0,
            Self::Rough(listed) => (size - listed).abs() <= 0.12 * listed,
            Self::Counted(listed) => {
                let slack = if self.is_nominal() { 0.005 * listed } else { 0.0 };
                listed >= size - admitted.below - slack && listed <= size + admitted.above + slack
            }
        }
    }

    /// Whether the size may be nominal after all: two decimals occur in names too (0.36, 1.71).
    pub(crate) fn is_nominal(self) -> bool {
        matches!(self, Self::Counted(listed) if listed < 2.0 && ((listed * 100.0).round() - listed * 100.0).abs() < 1e-9)
    }

    /// Difference between a counted size and the given one, in billions; 0 for other listings.
    pub(crate) fn distance(self, admitted: &Admitted) -> f64 {
        match self {
            Self::Counted(listed) => (listed - admitted.size).abs(),
            _ => 0.0,
        }
    }
}

/// Whether mixtures, dense checkpoints or both are considered; chosen by family.
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

/// Distance of the listing to the nearest size of `template` that it admits, in billions; `None` if it admits none.
/// `usual`: only usual sizes are considered.
pub(crate) fn closest(template: &Template, listed: Listed, experts: Experts, usual: bool) -> Option<f64> {
    template
        .sizes
        .iter()
        .filter(|admitted| !usual || admitted.usual)
        .filter(|admitted| experts.admits(admitted) && listed.admits(admitted))
        .map(|admitted| listed.distance(admitted))
        .min_by(f64::total_cmp)
}
