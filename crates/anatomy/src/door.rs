//! Interface for other programs that run a command in this process: its results and its errors.

use crate::progress::Watcher;

/// The output of a command that was run for another program.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// What the command would have printed to standard output.
    pub results: Vec<u8>,
    /// What it would have printed to standard error.
    pub said: Vec<String>,
    /// False where the command ran and the answer is negative (exit status 1).
    pub found: bool,
}

/// A command that could not run (exit status 2).
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What is wrong, the offending value, and what was expected.
    pub message: String,
    /// Advice on what to do.
    pub hint: Option<String>,
}

/// A function that runs a command, given the words after `anatomy`.
pub(crate) type Ask = fn(&[String], &Watcher) -> Result<Answer, Failure>;
