//! Copies of a checkpoint with layers that do nothing: depth without effect, so any change of score is noise.

use crate::finding::{Finding, Interval, SourceOf};
use crate::statistics::mean;

/// A copy's score beside its original's.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Placebo {
    /// The copy.
    pub id: String,
    /// The original.
    pub original: String,
    /// Leaderboard of both scores.
    pub leaderboard: String,
    /// Benchmark.
    pub benchmark: String,
    /// Score of the copy less that of the original, points.
    pub difference: f64,
}

/// The mean change on each benchmark, with the largest.
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
