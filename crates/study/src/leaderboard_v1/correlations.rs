//! Spearman correlations between the benchmarks.

use super::{BENCHMARK_TITLES, BENCHMARKS, LeaderboardV1, source};
use crate::finding::Finding;
use crate::section::{Axis, Drawing, Figure, Section, Table};
use crate::statistics::{GroupBootstrap, group_bootstrap, spearman};

pub(super) fn section(study: &LeaderboardV1<'_>) -> Section {
    let n = BENCHMARKS.len();
    let mut section = Section {
        id: "correlation".into(),
        title: "How the benchmarks go together".into(),
        ..Section::default()
    };
    let mut values = vec![vec![1.0; n]; n];
    let mut smallest_n = usize::MAX;
    for first in 0..n {
        for second in first + 1..n {
            let pairs: Vec<(u32, f64, f64)> = study
                .rows
                .iter()
                .filter_map(|row| Some((row.shape, row.scores[first]?, row.scores[second]?)))
                .collect();
            let columns = |rows: &[usize]| -> (Vec<f64>, Vec<f64>) {
                rows.iter().map(|&row| (pairs[row].1, pairs[row].2)).unzip()
            };
            let (x, y) = columns(&(0..pairs.len()).collect::<Vec<_>>());
            let correlation = spearman(&x, &y);
            let shapes: Vec<u32> = pairs.iter().map(|pair| pair.0).collect();
            // Ranks of 7,000 rows anew in each resample: a fifth of the usual resamples is enough for two digits.
            let settings = GroupBootstrap {
                resamples: (study.resamples / 5).max(100),
                seed: study.seed,
            };
            let interval = group_bootstrap(&shapes, settings, 0.95, |rows| {
                let (x, y) = columns(rows);
                spearman(&x, &y).value
            });
            smallest_n = smallest_n.min(pairs.len());
            values[first][second] = correlation.value;
            values[second][first] = correlation.value;
            section.findings.push(
                Finding::new(
                    format!(
                        "correlation.spearman.{}.{}",
                        BENCHMARKS[first], BENCHMARKS[second]
                    ),
                    format!(
                        "Do checkpoints that rank high on {} rank high on {}?",
                        BENCHMARK_TITLES[first], BENCHMARK_TITLES[second]
                    ),
                    &source(),
                )
                .with_value(correlation.value, "1", pairs.len(), "spearman")
                .with_interval(interval)
                .with_seed(study.seed)
                .with_figure("correlation"),
            );
        }
    }
    let labels: Vec<String> = BENCHMARK_TITLES.map(String::from).to_vec();
    section.tables = vec![Table {
        id: "correlation-spearman".into(),
        caption: format!("Spearman's rank correlation between benchmarks; n ≥ {smallest_n} checkpoints."),
        columns: std::iter::once("benchmark".to_string())
            .chain(labels.clone())
            .collect(),
        rows: labels
            .iter()
            .zip(&values)
            .map(|(label, row)| {
                std::iter::once(label.as_str().into())
                    .chain(row.iter().map(|&value| value.into()))
                    .collect()
            })
            .collect(),
        shown: true,
    }];
    section.figures = vec![Figure {
        id: "correlation".into(),
        title: "Spearman correlation of the benchmarks".into(),
        caption: format!(
            "Rank correlation between the benchmarks of leaderboard v1; n ≥ {smallest_n} checkpoints."
        ),
        n: smallest_n,
        x: Axis::linear("benchmark"),
        y: Axis::linear("benchmark"),
        drawing: Drawing::Heatmap {
            rows: labels.clone(),
            columns: labels,
            values,
        },
    }];
    section
}
