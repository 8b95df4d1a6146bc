//! The columns of the explorer with names, units and meanings. Structure columns and benchmarks are named as in the
//! tables.

use study::abilities::LISTED;

/// Type of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    /// Days since 1970-01-01, displayed as a date.
    Day,
    Flag,
}

/// A column of the explorer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) unit: &'static str,
    pub(crate) about: &'static str,
    /// Whether it is shown by default.
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

/// Number of benchmarks of all listed boards.
const N_BENCHMARKS: usize = {
    let (mut n, mut board) = (0, 0);
    while board < LISTED.len() {
        n += LISTED[board].benchmarks.len();
        board += 1;
    }
    n
};

/// A column for each benchmark.
const OF_BENCHMARKS: [Column; N_BENCHMARKS] = {
    let mut all = [column("", Kind::Number, "points", ""); N_BENCHMARKS];
    let (mut n, mut board) = (0, 0);
    while board < LISTED.len() {
        let mut place = 0;
        while place < LISTED[board].benchmarks.len() {
            all[n].name = LISTED[board].benchmarks[place];
            all[n].about = match board {
                0 => V1,
                1 => V2,
                _ => LISTED[board].title,
            };
            n += 1;
            place += 1;
        }
        board += 1;
    }
    all
};

/// Benchmarks of all listed boards in the order of [`COLUMNS`]: those of leaderboard v1 and v2 first.
pub(crate) const BENCHMARKS: [&str; N_BENCHMARKS] = {
    let mut names = [""; N_BENCHMARKS];
    let mut place = 0;
    while place < N_BENCHMARKS {
        names[place] = OF_BENCHMARKS[place].name;
        place += 1;
    }
    names
};

/// Number of benchmarks that belong to the two Open LLM Leaderboards.
pub(crate) const N_OPEN_LLM: usize = LISTED[0].benchmarks.len() + LISTED[1].benchmarks.len();

const V1: &str = "Open LLM Leaderboard v1; of several evaluations the first that repeats no other";
const V2: &str = "Open LLM Leaderboard v2; of several evaluations the first that repeats no other";

/// Columns before the benchmarks.
const BEFORE: [Column; 15] = [
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
];

/// Columns after the benchmarks.
const AFTER: [Column; 6] = [
    column("likes", Kind::Number, "likes", "likes on the Hub"),
    column("downloads", Kind::Number, "downloads", "downloads on the Hub"),
    column("license", Kind::Text, "", "licence as the Hub names it"),
    column("merged", Kind::Flag, "", "made by merging other checkpoints"),
    column("flagged", Kind::Flag, "", "flagged by a leaderboard"),
    column("base", Kind::Text, "", "the checkpoint this one was made from"),
];

/// All columns, in order.
pub(crate) const COLUMNS: [Column; BEFORE.len() + N_BENCHMARKS + AFTER.len()] = {
    let mut all = [BEFORE[0]; BEFORE.len() + N_BENCHMARKS + AFTER.len()];
    let mut place = 0;
    while place < all.len() {
        all[place] = if place < BEFORE.len() {
            BEFORE[place]
        } else if place < BEFORE.len() + N_BENCHMARKS {
            OF_BENCHMARKS[place - BEFORE.len()]
        } else {
            AFTER[place - BEFORE.len() - N_BENCHMARKS]
        };
        place += 1;
    }
    all
};

/// Index of a column in [`COLUMNS`].
pub(crate) fn place(name: &str) -> Option<usize> {
    COLUMNS.iter().position(|column| column.name == name)
}

/// The columns of numbers or dates, which axes can show.
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
