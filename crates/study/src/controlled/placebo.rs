//! Placebo: copies of a checkpoint with layers that do nothing. Depth changes without effect, so score changes are
//! noise.

use crate::finding::{Finding, Interval, SourceOf};
use crate::statistics::mean;

/// Scores of a copy and its original on one benchmark.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Placebo {
    /// Id of the copy.
    pub id: String,
    /// Id of the original.
    pub original: String,
    /// Leaderboard of both scores.
    pub leaderboard: String,
    /// Benchmark.
    pub benchmark: String,
    /// Score of the copy minus that of the original, in points.
    pub difference: f64,
}

/// Findings on the mean change of each benchmark, with the smallest and largest change as limits.
pub(super) fn findings(to: &mut Vec<Finding>, rows: &[Placebo]) {
    let mut names: Vec<&str> = rows.iter().map(|row| row.benchmark.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for benchmark in names {
        let own: Vec<&Placebo> = rows.iter().filter(|row| row.benchmark == benchmark).collect();
        let differences: Vec<f64> = own.iter().map(|row| row.difference).collect();
        let end = |pick: fn(f64, f64) -> f64| differences.iter().copied().reduce(pick).unwrap_or(f64::NAN);
        let mut originals: Vec<&str> = own.iter().map(|row| row.original.as_str()).collect();
        originals.sort_unstable();
        originals.dedup();
        let source = SourceOf {
            work: own[0].leaderboard.clone(),
            place: format!("copies with layers that do nothing, of {}", originals.join(", ")),
        };
        to.push(
            Finding::new(
                format!("controlled.placebo.{benchmark}"),
                format!("By how much do layers that do nothing change {benchmark}?"),
                &source,
            )
            .with_value(
                mean(&differences),
                "points",
                differences.len(),
                "mean of copies less original",
            )
            .with_interval(Some(Interval {
                low: end(f64::min),
                high: end(f64::max),
                level: 1.0,
                method: "least and largest".into(),
            })),
        );
    }
}
