//! The seven dimensions of a structure, as all that reads and resolves holds them.

/// The dimensions a structure has, in the order of [`DIMENSIONS`].
pub(crate) type DimensionValues = [Option<i64>; 7];

/// Names of the dimensions, in the order in which [`DimensionValues`] holds them.
pub(crate) const DIMENSIONS: [&str; 7] = [
    "layers",
    "d_model",
    "d_ffn",
    "heads",
    "kv_heads",
    "vocab_size",
    "pos",
];
