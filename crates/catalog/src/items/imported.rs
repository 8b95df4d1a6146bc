//! The results of importing files of answers.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// The result for one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// Name in the table: the first 16 hexadecimal digits of a SHA-256 over the file's bytes, what its path states, and
    /// the settings.
    pub name: String,
    /// The file.
    pub file: String,
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
    /// Number of rows read; `rows_in = kept + repeats + left out`.
    pub rows_in: u64,
    /// Number of rows that this import added.
    pub kept: u64,
    /// Number of rows that the table already had, with the same answer.
    pub repeats: u64,
    /// Number of rows left out, by reason.
    pub left_out: BTreeMap<String, u64>,
    /// What was added, by benchmark.
    pub benchmarks: BTreeMap<String, ImportedBenchmark>,
    /// Whether it had been imported before, so that nothing was done.
    pub already: bool,
}

/// What a file added to a benchmark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedBenchmark {
    /// Number of rows.
    pub rows: u64,
    /// Number of checkpoints.
    pub checkpoints: usize,
    /// Their names; `None` where there are more than 4,096.
    pub ids: Option<BTreeSet<String>>,
}
