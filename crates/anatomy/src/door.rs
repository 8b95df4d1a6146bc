//! How another program asks: what it gets, and how it is told what is wrong.

use crate::progress::Watcher;

/// What a command answered to another program.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// What it would have printed to standard output.
    pub results: Vec<u8>,
    /// What it would have said on standard error.
    pub said: Vec<String>,
    /// False where it ran and the answer is no: exit status 1.
    pub found: bool,
}

/// Why a command could not run: exit status 2.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What is wrong, the value, and what was expected.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// What answers a command, given as the words after `anatomy`.
pub(crate) type Ask = fn(&[String], &Watcher) -> Result<Answer, Failure>;
