//! Position of a checkpoint's scores among checkpoints of similar size.
//!
//! Peers are checkpoints with 0.8 to 1.25 times its parameters and a score on the benchmark; [`sql`] gives the
//! statement by which readers can compute their quartiles.

use serde::Serialize;
use study::statistics::{quantile_of_sorted, sorted};

use super::checkpoints::Checkpoints;
use super::columns::{BENCHMARKS, N_OPEN_LLM, place};

/// Comparison with the peers on one benchmark.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Peers {
    pub(crate) benchmark: &'static str,
    /// The checkpoint's own score, points.
    pub(crate) score: f64,
    /// Number of peers with a score, without the checkpoint itself.
    pub(crate) n: usize,
    pub(crate) least: f64,
    pub(crate) lower_quartile: f64,
    pub(crate) median: f64,
    pub(crate) upper_quartile: f64,
    pub(crate) most: f64,
    /// Fraction of the peers with a lower score.
    pub(crate) above: f64,
}

/// Limits of the size class, billions of parameters.
pub(crate) fn bounds(size: f64) -> (f64, f64) {
    (size * 0.8, size * 1.25)
}

/// One entry per benchmark of the Open LLM Leaderboards with a score; empty without a known size or peers.
pub(crate) fn of(checkpoints: &Checkpoints, id: &str) -> Vec<Peers> {
    let (Some(row), Some(size_at)) = (checkpoints.row_of(id), place("size")) else {
        return Vec::new();
    };
    let Some(size) = row.number(size_at) else {
        return Vec::new();
    };
    let (least, most) = bounds(size);
    let near: Vec<_> = checkpoints
        .rows
        .iter()
        .filter(|other| {
            other.id() != id
                && other
                    .number(size_at)
                    .is_some_and(|size| (least..=most).contains(&size))
        })
        .collect();
    let one = |benchmark: &'static str| {
        let at = place(benchmark)?;
        let score = row.number(at)?;
        let values: Vec<f64> = near.iter().filter_map(|other| other.number(at)).collect();
        if values.is_empty() {
            return None;
        }
        let ordered = sorted(&values);
        let quantile = |share: f64| quantile_of_sorted(&ordered, share);
        let below = ordered.iter().filter(|value| **value < score).count();
        Some(Peers {
            benchmark,
            score,
            n: ordered.len(),
            least: quantile(0.0),
            lower_quartile: quantile(0.25),
            median: quantile(0.5),
            upper_quartile: quantile(0.75),
            most: quantile(1.0),
            above: below as f64 / ordered.len() as f64,
        })
    };
    // Other boards may run a checkpoint in several modes, so that their distribution is not one row per checkpoint.
    BENCHMARKS[..N_OPEN_LLM]
        .iter()
        .filter_map(|name| one(name))
        .collect()
}

/// SQL for the peers' quartiles.
pub(crate) fn sql(size: f64, benchmarks: &[Peers]) -> String {
    let (least, most) = bounds(size);
    let names: Vec<String> = benchmarks
        .iter()
        .map(|peers| format!("'{}'", peers.benchmark))
        .collect();
    format!(
        "select benchmark, count(*) as n, min(value) as least, approx_percentile_cont(value, 0.25) as lower_quartile, \
         median(value) as median, approx_percentile_cont(value, 0.75) as upper_quartile, max(value) as most \
         from observations where size between {least} and {most} and duplicate_of is null \
         and benchmark in ({}) group by benchmark order by benchmark",
        names.join(", ")
    )
}
