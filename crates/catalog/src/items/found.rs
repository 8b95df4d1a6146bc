//! Rows of files of answers, as their readers hand them on.

use super::ItemRow;
use crate::error::Error;

/// What the path of a file says of its rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) id: Option<String>,
    pub(super) benchmark: Option<String>,
}

/// One row of a file.
#[derive(Debug)]
pub(super) enum Found {
    /// An answer to an item of a benchmark.
    Answer(String, ItemRow),
    /// A row left out, and why.
    LeftOut(&'static str),
}

/// Whoever takes the rows, with their numbers from 0.
pub(super) type Sink<'a> = &'a mut dyn FnMut(u64, Found) -> Result<(), Error>;
