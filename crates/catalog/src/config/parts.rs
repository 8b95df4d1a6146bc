//! What a layer can be made of.

/// How a layer mixes positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mixer {
    /// Softmax attention over all positions, a window or a chunk.
    Attention,
    /// Attention over a window whose heads may be others (`swa_…` fields).
    Window,
    /// Linear attention or a state-space layer: a state instead of a cache.
    Linear,
    /// One square matrix in attention's place.
    Matrix,
    /// None: the layer is a feed-forward layer alone.
    Nothing,
}

/// What a layer does after mixing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feed {
    /// One feed-forward layer.
    Dense,
    /// One square matrix in its place.
    Matrix,
    /// A mixture of experts.
    Experts,
    /// None: the layer mixes positions alone.
    Nothing,
}
