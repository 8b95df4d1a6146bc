//! Tests whether scores dip between 10 and 20 billion parameters, compared with the sizes just below.

use std::collections::BTreeMap;

use super::{BENCHMARK_TITLES, BENCHMARKS, LeaderboardV1, source};
use crate::finding::{Finding, Interval};
use crate::statistics::{GroupBootstrap, bootstrap_interval, group_bootstrap, mean, resample_counts};

/// Size range below, in billions of parameters; next, the range claimed to dip.
const BELOW: (f64, f64) = (5.0, 10.0);
const DIP: (f64, f64) = (10.0, 20.0);

/// For each benchmark the mean score at 10 to 20 minus that at 5 to 10 billion parameters, by checkpoint and by shape.
pub(super) fn findings(study: &LeaderboardV1<'_>) -> Vec<Finding> {
    let mut all = Vec::new();
    for (place, benchmark) in BENCHMARKS.iter().enumerate() {
        let mut rows: Vec<(u32, bool, f64)> = Vec::new();
        for (row, score) in study.scored(place) {
            let of = &study.rows[row];
            let Some(billions) = of.structure.size else {
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
        let of_checkpoints = group_bootstrap(&shapes, settings, 0.95, |drawn| {
            let drawn: Vec<(u32, bool, f64)> = drawn.iter().map(|&row| rows[row]).collect();
            by_checkpoint(&drawn)
        });
        for (id, words, step, interval) in [
            ("step_10b", "checkpoints", by_checkpoint(&rows), of_checkpoints),
            (
                "step_10b_per_shape",
                "shapes",
                by_shape(&rows),
                by_shape_interval(&rows, settings),
            ),
        ] {
            all.push(
                Finding::new(
                    format!("size_bins.{id}.{benchmark}"),
                    format!("How much higher is the mean {title} of {words} of 10 to 20 billion parameters than of 5 to 10?"),
                    &source(),
                )
                .with_value(step, "points", rows.len(), "difference of means")
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

/// Mean score of each shape's rows in the dip range, or below it if `dip` is false.
fn shape_means(rows: &[(u32, bool, f64)], dip: bool) -> BTreeMap<u32, f64> {
    let mut scores: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.1 == dip) {
        scores.entry(row.0).or_default().push(row.2);
    }
    scores
        .iter()
        .map(|(shape, scores)| (*shape, mean(scores)))
        .collect()
}

/// Difference of means in which each shape counts once, by its mean.
fn by_shape(rows: &[(u32, bool, f64)]) -> f64 {
    let of = |dip: bool| mean(&shape_means(rows, dip).into_values().collect::<Vec<_>>());
    of(true) - of(false)
}

/// Interval of [`by_shape`] from resampling shapes. A shape drawn twice must count twice: counting it once would amount
/// to drawing without replacement, and make the interval too narrow.
fn by_shape_interval(rows: &[(u32, bool, f64)], settings: GroupBootstrap) -> Option<Interval> {
    let mut shapes: Vec<u32> = rows.iter().map(|row| row.0).collect();
    shapes.sort_unstable();
    shapes.dedup();
    let sides = [true, false].map(|dip| shape_means(rows, dip));
    let values = resample_counts(shapes.len(), settings, |counts| {
        let [dip, below] = sides.each_ref().map(|means| {
            let (mut sum, mut n) = (0.0, 0.0);
            for (shape, &count) in shapes.iter().zip(counts) {
                if let Some(value) = means.get(shape) {
                    sum += f64::from(count) * value;
                    n += f64::from(count);
                }
            }
            sum / n
        });
        dip - below
    });
    bootstrap_interval(&values, shapes.len(), 0.95)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_drawn_twice_counts_twice() {
        let rows: Vec<(u32, bool, f64)> = (0..80_u32)
            .map(|shape| {
                (
                    shape,
                    shape < 40,
                    f64::from(u8::from(shape < 40) * (shape * 37 % 40) as u8),
                )
            })
            .collect();
        let settings = GroupBootstrap {
            resamples: 2000,
            seed: 1,
        };
        let interval = by_shape_interval(&rows, settings).expect("enough shapes");
        // Values 0 to 39 once each have variance (40² − 1) / 12; standard error of the mean over 40 shapes.
        let error = ((1600.0_f64 - 1.0) / 12.0 / 40.0).sqrt();
        let ratio = (interval.high - interval.low) / (2.0 * 1.96 * error);
        assert!((0.92..1.1).contains(&ratio), "{ratio}");
    }
}
