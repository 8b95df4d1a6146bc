//! The columns of the explorer: name, unit, what they mean. Structure columns and benchmarks keep the names of the tables.

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    /// Days since 1970-01-01, written as a date.
    Day,
    Flag,
}

/// One column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) unit: &'static str,
    pub(crate) about: &'static str,
    /// Shown unless others are chosen.
    pub(crate) first: bool,
}

const fn column(name: &'static str, kind: Kind, unit: &'static str, about: &'static str) -> Column {
    Column {
        name,
        kind,
        unit,
        about,
        first: false,
    }
}

const fn first(name: &'static str, kind: Kind, unit: &'static str, about: &'static str) -> Column {
    Column {
        first: true,
        ..column(name, kind, unit, about)
    }
}

/// Benchmarks of leaderboard v1, then of v2, in the order of [`COLUMNS`].
pub(crate) const BENCHMARKS: [&str; 12] = [
    "arc",
    "hellaswag",
    "mmlu",
    "truthfulqa",
    "winogrande",
    "gsm8k",
    "ifeval",
    "bbh",
    "math",
    "gpqa",
    "musr",
    "mmlu_pro",
];

const V1: &str = "Open LLM Leaderboard v1; of several evaluations the first that repeats no other";
const V2: &str = "Open LLM Leaderboard v2; of several evaluations the first that repeats no other";

/// Every column, in order.
pub(crate) const COLUMNS: [Column; 33] = [
    first("id", Kind::Text, "", "organisation/name, as the Hub spells it"),
    column(
        "organisation",
        Kind::Text,
        "",
        "the part of the id before the slash",
    ),
    first("architecture", Kind::Text, "", "class name of the Hub's config"),
    first("size", Kind::Number, "billions", "parameters"),
    first("layers", Kind::Number, "layers", "decoder layers"),
    first("d_model", Kind::Number, "width", "width of the residual stream"),
    first("d_ffn", Kind::Number, "width", "width of the feed-forward layer"),
    first("heads", Kind::Number, "heads", "attention heads"),
    column("kv_heads", Kind::Number, "heads", "key and value heads"),
    column("vocab_size", Kind::Number, "tokens", "entries of the vocabulary"),
    column("pos", Kind::Number, "tokens", "maximum input positions"),
    first("date", Kind::Day, "day", "day of publication"),
    column(
        "resolved_by",
        Kind::Text,
        "",
        "how the structure came to be known: exact, lineage, name, size, none",
    ),
    first(
        "average_v1",
        Kind::Number,
        "points",
        "mean of the six benchmarks, Open LLM Leaderboard v1, as printed there",
    ),
    first(
        "average_v2",
        Kind::Number,
        "points",
        "mean of the six benchmarks, Open LLM Leaderboard v2, as printed there",
    ),
    column("arc", Kind::Number, "points", V1),
    column("hellaswag", Kind::Number, "points", V1),
    column("mmlu", Kind::Number, "points", V1),
    column("truthfulqa", Kind::Number, "points", V1),
    column("winogrande", Kind::Number, "points", V1),
    column("gsm8k", Kind::Number, "points", V1),
    column("ifeval", Kind::Number, "points", V2),
    column("bbh", Kind::Number, "points", V2),
    column("math", Kind::Number, "points", V2),
    column("gpqa", Kind::Number, "points", V2),
    column("musr", Kind::Number, "points", V2),
    column("mmlu_pro", Kind::Number, "points", V2),
    column("likes", Kind::Number, "likes", "likes on the Hub"),
    column("downloads", Kind::Number, "downloads", "downloads on the Hub"),
    column("license", Kind::Text, "", "licence as the Hub names it"),
    column("merged", Kind::Flag, "", "made by merging other checkpoints"),
    column("flagged", Kind::Flag, "", "flagged by a leaderboard"),
    column("base", Kind::Text, "", "the checkpoint this one was made from"),
];

/// Place of a column in [`COLUMNS`].
pub(crate) fn place(name: &str) -> Option<usize> {
    COLUMNS.iter().position(|column| column.name == name)
}

/// Names of the columns that hold numbers or days, for axes and sorting.
pub(crate) fn numeric() -> impl Iterator<Item = &'static Column> {
    COLUMNS
        .iter()
        .filter(|column| matches!(column.kind, Kind::Number | Kind::Day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_benchmark_is_a_column_and_no_name_stands_twice() {
        let mut names: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
        assert!(BENCHMARKS.iter().all(|name| names.contains(name)));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), COLUMNS.len());
    }
}
