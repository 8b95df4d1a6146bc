//! The seven dimensions of a structure, in the form used by all readers and by resolution.

/// Values of the dimensions, in the order of [`DIMENSIONS`].
pub(crate) type DimensionValues = [Option<i64>; 7];

/// Names of the dimensions, in the order of [`DimensionValues`].
pub(crate) const DIMENSIONS: [&str; 7] = [
    "layers",
    "d_model",
    "d_ffn",
    "heads",
    "kv_heads",
    "vocab_size",
    "pos",
];
