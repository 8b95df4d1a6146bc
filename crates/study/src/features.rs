//! The structure columns, and the named sets of them that regressions use.

/// Every structure column, the date last, in the order in which rows hold them; names and units of the published dataset.
pub const COLUMNS: [&str; 9] = [
    "size",
    "d_model",
    "d_ffn",
    "heads",
    "layers",
    "kv_heads",
    "vocab_size",
    "pos",
    "date",
];

/// Unit of each of [`COLUMNS`].
pub const UNITS: [&str; 9] = [
    "billions of parameters",
    "width",
    "width",
    "heads",
    "layers",
    "heads",
    "tokens",
    "tokens",
    "days since 1970-01-01",
];

/// Name of a feature set, and its columns. A new set is a line here.
pub const SETS: [(&str, &[&str]); 4] = [
    ("core", &["layers", "d_model", "d_ffn", "heads"]),
    ("structure", COLUMNS.split_at(8).0),
    ("structure_date", &COLUMNS),
    // What holds on shapes never seen, docs/structural.md: no vocabulary, no positions, but what was done after
    // pretraining.
    (
        "structural",
        &[
            "layers",
            "d_model",
            "d_ffn",
            "heads",
            "size",
            "kv_heads",
            "date",
            "pretrained",
            "merged",
        ],
    ),
];

/// The columns of a named set.
pub fn feature_set(name: &str) -> Option<&'static [&'static str]> {
    SETS.iter()
        .find(|(set, _)| *set == name)
        .map(|(_, columns)| *columns)
}

/// Place of a column in [`COLUMNS`].
pub fn position(column: &str) -> Option<usize> {
    COLUMNS.iter().position(|name| *name == column)
}
