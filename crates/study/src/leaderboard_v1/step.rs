//! Whether scores dip between 10 and 20 billion parameters: the step from the sizes just below.

use std::collections::BTreeMap;

use super::{BENCHMARK_TITLES, BENCHMARKS, LeaderboardV1, column, source};
use crate::finding::Finding;
use crate::statistics::{GroupBootstrap, group_bootstrap, mean};

/// Billions of parameters: below, and the range said to dip.
const BELOW: (f64, f64) = (5.0, 10.0);
const DIP: (f64, f64) = (10.0, 20.0);

/// For each benchmark the mean of 10 to 20 less the mean of 5 to 10 billion parameters, by checkpoint and by shape.
pub(super) fn findings(study: &LeaderboardV1<'_>) -> Vec<Finding> {
    let size = column("size");
    let mut all = Vec::new();
    for (place, benchmark) in BENCHMARKS.iter().enumerate() {
        let mut rows: Vec<(u32, bool, f64)> = Vec::new();
        for (row, score) in study.scored(place) {
            let of = &study.rows[row];
            let Some(billions) = of.structure[size] else {
                continue;
            };
            let is_in = |(from, to): (f64, f64)| billions >= from && billions < to;
            if is_in(BELOW) || is_in(DIP) {
                rows.push((of.shape, is_in(DIP), score));
            }
        }
        let shapes: Vec<u32> = rows.iter().map(|row| row.0).collect();
        let settings = GroupBootstrap {
            resamples: study.resamples,
            seed: study.seed,
        };
        let title = BENCHMARK_TITLES[place];
        for (id, words, step) in [
            (
                "step_10b",
                "checkpoints",
                by_checkpoint as fn(&[(u32, bool, f64)]) -> f64,
            ),
            ("step_10b_per_shape", "shapes", by_shape),
        ] {
            let interval = group_bootstrap(&shapes, settings, 0.95, |drawn| {
                let drawn: Vec<(u32, bool, f64)> = drawn.iter().map(|&row| rows[row]).collect();
                step(&drawn)
            });
            all.push(
                Finding::new(
                    format!("size_bins.{id}.{benchmark}"),
                    format!("How much higher is the mean {title} of {words} of 10 to 20 billion parameters than of 5 to 10?"),
                    &source(),
                )
                .with_value(step(&rows), "points", rows.len(), "difference of means")
                .with_interval(interval)
                .with_seed(study.seed),
            );
        }
    }
    all
}

fn by_checkpoint(rows: &[(u32, bool, f64)]) -> f64 {
    let scores =
        |dip: bool| -> Vec<f64> { rows.iter().filter(|row| row.1 == dip).map(|row| row.2).collect() };
    mean(&scores(true)) - mean(&scores(false))
}

/// Each shape counts once, by its mean; one drawn twice counts once too, which only widens the interval.
fn by_shape(rows: &[(u32, bool, f64)]) -> f64 {
    let mut shapes: BTreeMap<(bool, u32), Vec<f64>> = BTreeMap::new();
    for &(shape, dip, score) in rows {
        shapes.entry((dip, shape)).or_default().push(score);
    }
    let means = |dip: bool| -> Vec<f64> {
        shapes
            .iter()
            .filter(|((of, _), _)| *of == dip)
            .map(|(_, scores)| mean(scores))
            .collect()
    };
    mean(&means(true)) - mean(&means(false))
}
