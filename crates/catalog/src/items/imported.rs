//! What became of files of answers.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// First 16 digits of a SHA-256 over the file's bytes, what its place says, and the settings: its name in the table.
    pub name: String,
    /// The file.
    pub file: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Rows read; `rows_in = kept + repeats + left out`.
    pub rows_in: u64,
    /// Rows that this import added.
    pub kept: u64,
    /// Rows that the table had, answer and all.
    pub repeats: u64,
    /// Rows left out, by reason.
    pub left_out: BTreeMap<String, u64>,
    /// What was added, by benchmark.
    pub benchmarks: BTreeMap<String, ImportedBenchmark>,
    /// It had been imported before, and nothing was done.
    pub already: bool,
}

/// What a file added to a benchmark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedBenchmark {
    /// Rows.
    pub rows: u64,
    /// Number of checkpoints.
    pub checkpoints: usize,
    /// Their names; none where there are more than 4,096.
    pub ids: Option<BTreeSet<String>>,
}
