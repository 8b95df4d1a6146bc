//! The parts that a layer can consist of.

/// How a layer mixes positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mixer {
    /// Softmax attention over all positions, a window or a chunk.
    Attention,
    /// Attention over a window, possibly with other heads than in full attention (`swa_…` fields).
    Window,
    /// Linear attention or a state-space layer: a state of fixed size instead of a cache.
    Linear,
    /// A square matrix in place of attention.
    Matrix,
    /// Nothing: the layer consists of a feed-forward layer only.
    Nothing,
}

/// The part of a layer that follows mixing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feed {
    /// One feed-forward layer.
    Dense,
    /// A square matrix in place of the feed-forward layer.
    Matrix,
    /// A mixture of experts.
    Experts,
    /// Nothing: the layer only mixes positions.
    Nothing,
}
