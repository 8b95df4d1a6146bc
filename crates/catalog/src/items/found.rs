//! Rows of files of answers, as passed on by their readers.

use super::ItemRow;
use crate::error::Error;

/// What the path of a file states about its rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PathFields {
    pub(super) id: Option<String>,
    pub(super) benchmark: Option<String>,
}

/// One row of a file.
#[derive(Debug)]
pub(super) enum FileRow {
    /// An answer to an item, with its benchmark.
    Answer(String, ItemRow),
    /// A row left out, and why.
    LeftOut(&'static str),
}

/// Receives each row with its index from 0.
pub(super) type Sink<'a> = &'a mut dyn FnMut(u64, FileRow) -> Result<(), Error>;

/// A benchmark's name as a folder name: other characters become underscores, and long names are cut.
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
