//! Structure and score on the Open LLM Leaderboard v1: distributions, size bins, and the first
//! regressions from structure to score.

mod distributions;
mod forests;
mod primary;
mod regressions;
mod rows;
mod size_bins;
mod step;
#[cfg(test)]
mod tests;
mod told;

use crate::error::Error;
use crate::features::StructureValues;
use crate::finding::{Finding, SourceOf};
use crate::section::Section;

pub(crate) use size_bins::equal_frequency;

/// The benchmarks of leaderboard v1, in the order of [`StructureRow::scores`].
pub const BENCHMARKS: [&str; 6] = crate::abilities::V1;
/// Titles of the benchmarks, as shown to readers.
pub const BENCHMARK_TITLES: [&str; 6] = ["ARC", "HellaSwag", "MMLU", "TruthfulQA", "WinoGrande", "GSM8K"];

/// One checkpoint with its scores and, where resolved, its structure; repeated runs are already left out.
#[derive(Debug, Clone, Default)]
pub struct StructureRow {
    /// `org/name`.
    pub id: String,
    /// Shape identifier; a checkpoint of unknown shape is a group of its own.
    pub shape: u32,
    /// Structure columns.
    pub structure: StructureValues,
    /// True if fine-tuned, chat-tuned or merged, false if trained from scratch, `None` for any other kind.
    pub post_trained: Option<bool>,
    /// Scores in points, in the order of [`BENCHMARKS`].
    pub scores: [Option<f64>; 6],
}

/// The rows, and the settings of the random parts.
#[derive(Debug, Clone, Copy)]
pub struct LeaderboardV1<'a> {
    /// One row per checkpoint.
    pub rows: &'a [StructureRow],
    /// Rows of the table that were left out as repeats.
    pub n_repeats: usize,
    /// Number of bootstrap resamples of the intervals.
    pub resamples: usize,
    /// Seed of folds, forests and intervals.
    pub seed: u64,
}

/// The sections on leaderboard v1. `progress` is called after each fit, with the number done and the total.
///
/// # Errors
/// Whatever the regressions return, for example too few shapes for the folds.
pub fn sections(
    study: &LeaderboardV1<'_>,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Vec<Section>, Error> {
    let mut size_bins = size_bins::section(study);
    size_bins.findings.extend(step::findings(study));
    Ok(vec![
        distributions::section(study),
        size_bins,
        regressions::section(study, progress)?,
    ])
}

impl LeaderboardV1<'_> {
    /// Rows with a score on the benchmark: `(row index, score)`.
    fn scored(&self, benchmark: usize) -> Vec<(usize, f64)> {
        let scored = |(row, of): (usize, &StructureRow)| of.scores[benchmark].map(|score| (row, score));
        self.rows.iter().enumerate().filter_map(scored).collect()
    }
}

fn source() -> SourceOf {
    SourceOf {
        work: "open-llm-leaderboard-v1".into(),
        place: "checkpoints, repeats left out".into(),
    }
}

/// A finding on these rows without a published value to compare with.
fn finding(id: &str, question: &str) -> Finding {
    Finding::new(id, question, &source()).with_published(None)
}
