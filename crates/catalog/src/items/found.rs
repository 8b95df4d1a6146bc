//! Rows of files of answers, as their readers hand them on.

use super::ItemRow;
use crate::error::Error;

/// What the path of a file says of its rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PathFields {
    pub(super) id: Option<String>,
    pub(super) benchmark: Option<String>,
}

/// One row of a file.
#[derive(Debug)]
pub(super) enum FileRow {
    /// An answer to an item of a benchmark.
    Answer(String, ItemRow),
    /// A row left out, and why.
    LeftOut(&'static str),
}

/// Whoever takes the rows, with their numbers from 0.
pub(super) type Sink<'a> = &'a mut dyn FnMut(u64, FileRow) -> Result<(), Error>;

/// A benchmark's name as a folder can have it: other letters are underscores, what is too long is cut.
pub(super) fn folder_name(benchmark: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.') {
            c
        } else {
            '_'
        }
    };
    let name: String = benchmark.trim().chars().map(plain).take(100).collect();
    name.trim_start_matches('.').to_owned()
}
