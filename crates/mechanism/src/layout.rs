//! The parts of a decoder, and how each is cut out of what a file stores: what families and files both name.

use std::ops::Range;

use serde::Serialize;

/// A part with weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it; shapes are in `Part::shape`")]
pub enum Part {
    Embedding,
    Positions,
    FinalNorm,
    Head,
    AttentionNorm,
    AttentionPostNorm,
    FfnNorm,
    FfnPostNorm,
    Q,
    K,
    V,
    O,
    QNorm,
    KNorm,
    Gate,
    Up,
    Down,
    Router,
    ExpertGate(usize),
    ExpertUp(usize),
    ExpertDown(usize),
    SharedGate,
    SharedUp,
    SharedDown,
    /// The sigmoid gate of the shared expert.
    SharedRouter,
}

/// Weight or bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Kind {
    Weight,
    Bias,
}

impl Kind {
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::Weight => ".weight",
            Self::Bias => ".bias",
        }
    }
}

/// Which values of a stored tensor make a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Take {
    /// All of it.
    All,
    /// Some rows of a fused matrix (or entries of a fused bias).
    Rows(Range<usize>),
    /// Some columns, transposed: GPT-2's `Conv1D` stores `(in, out)`.
    Columns(Range<usize>),
    /// Rows `head·3·dim + index·dim ..` of GPT-NeoX's fused matrix.
    Interleaved {
        /// 0 query, 1 key, 2 value.
        index: usize,
        /// Width of a head.
        head_dim: usize,
    },
    /// llama.cpp turns rows `(head, 2, dim/2)` of Llama's queries and keys into `(head, dim/2, 2)`.
    Permuted {
        /// Width of a head.
        head_dim: usize,
    },
    /// llama.cpp stores Gemma's norm weights plus one.
    LessOne,
    /// Several vectors, one after the other.
    Joined(Vec<String>),
}

/// A stored tensor and the values to take from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) take: Take,
}

impl Source {
    pub(crate) fn all(name: String) -> Self {
        Self {
            name,
            take: Take::All,
        }
    }
}
