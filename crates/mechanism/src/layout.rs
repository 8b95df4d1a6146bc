//! The parts of a decoder that have weights, and how each is taken from stored tensors, whatever family or file format.

use std::ops::Range;

use serde::Serialize;

/// A part of a decoder that has weights.
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
    /// The linear layer of the shared expert's sigmoid gate.
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

/// Which values of a stored tensor make up a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Take {
    /// The whole tensor.
    All,
    /// A range of rows of a fused matrix (or of entries of a fused bias).
    Rows(Range<usize>),
    /// A range of columns, transposed: GPT-2's `Conv1D` stores `(in, out)`.
    Columns(Range<usize>),
    /// The rows from `head·3·dim + index·dim` on, `dim` for each head, of GPT-NeoX's fused matrix.
    Interleaved {
        /// 0 query, 1 key, 2 value.
        index: usize,
        /// Width of a head.
        head_dim: usize,
    },
    /// Rows that llama.cpp permuted from `(head, 2, dim/2)` to `(head, dim/2, 2)`: Llama's queries and keys.
    Permuted {
        /// Width of a head.
        head_dim: usize,
    },
    /// A norm weight to which llama.cpp added 1 (Gemma); 1 is subtracted.
    LessOne,
    /// Several vectors, concatenated in this order.
    Joined(Vec<String>),
}

/// A stored tensor, by name, and the values to take from it.
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
