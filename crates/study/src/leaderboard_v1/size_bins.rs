//! Scores by size, in bins of about equally many checkpoints.

use super::{BENCHMARK_TITLES, BENCHMARKS, LeaderboardV1, source};
use crate::finding::Finding;
use crate::section::{Axis, Bin, Cell, Drawing, Figure, Section, Table};
use crate::statistics::{mean, mean_interval, quantile};

/// Number of bins requested; equal sizes stay in one bin, so there may be fewer.
const BINS: usize = 10;

pub(super) fn section(study: &LeaderboardV1<'_>) -> Section {
    let mut section = Section {
        id: "size_bins".into(),
        title: "Scores by size".into(),
        ..Section::default()
    };
    let mut table = Table {
        id: "size-bins".into(),
        caption: "Equal-frequency bins of size (billions of parameters): mean and quartiles of each benchmark (points). \
                  Checkpoints of one size stay in one bin."
            .into(),
        columns: ["benchmark", "bin", "from (B)", "to (B)", "n", "mean", "q1", "median", "q3"]
            .map(String::from)
            .to_vec(),
        shown: true,
        ..Table::default()
    };
    let mut panels = Vec::new();
    let mut n_drawn = 0;
    for (place, benchmark) in BENCHMARKS.iter().enumerate() {
        let title = BENCHMARK_TITLES[place];
        let mut points: Vec<(f64, f64)> = study
            .scored(place)
            .into_iter()
            .filter_map(|(row, score)| Some((study.rows[row].structure.size?, score)))
            .filter(|(size, _)| *size > 0.0)
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        n_drawn = n_drawn.max(points.len());
        let mut bins = Vec::new();
        for (number, bin) in equal_frequency(&points, |point| point.0).into_iter().enumerate() {
            let scores: Vec<f64> = bin.iter().map(|point| point.1).collect();
            let (from, to) = (bin[0].0, bin[bin.len() - 1].0);
            let [q1, median, q3] = [0.25, 0.5, 0.75].map(|fraction| quantile(&scores, fraction));
            let average = mean(&scores);
            let finding = |statistic: &str, value: f64| {
                Finding::new(
                    format!("size_bins.{statistic}.{benchmark}.{}", number + 1),
                    format!("What is the {statistic} of {title} among checkpoints of {from:.2} to {to:.2} billion?"),
                    &source(),
                )
                .with_value(value, "points", scores.len(), statistic)
                .with_figure("size-bins")
            };
            section.findings.extend([
                finding("mean", average)
                    .with_interval(mean_interval(&scores, 0.95))
                    .with_note("interval over rows: a bin holds few shapes"),
                finding("q1", q1),
                finding("q3", q3),
            ]);
            let cells: [Cell; 9] = [
                title.into(),
                (number + 1).into(),
                from.into(),
                to.into(),
                scores.len().into(),
                average.into(),
                q1.into(),
                median.into(),
                q3.into(),
            ];
            table.rows.push(cells.to_vec());
            let sizes: Vec<f64> = bin.iter().map(|point| point.0).collect();
            bins.push(Bin {
                x: quantile(&sizes, 0.5),
                mean: average,
                q1,
                q3,
                n: scores.len(),
            });
        }
        panels.push((title.to_string(), bins));
    }
    section.figures = vec![Figure {
        id: "size-bins".into(),
        title: "Scores by size".into(),
        caption: format!(
            "Mean (line) and interquartile range (band) in equal-frequency bins of size; n = {n_drawn} checkpoints of \
             leaderboard v1 with a known size."
        ),
        n: n_drawn,
        x: Axis::log("size (billions of parameters)"),
        y: Axis::linear("score (points)"),
        drawing: Drawing::Bins(panels),
    }];
    section.tables = vec![table];
    section
}

/// Divides points sorted by size into at most [`BINS`] bins of about equal count: all points of one size go into the
/// bin of their middle rank.
pub(crate) fn equal_frequency<T>(points: &[T], size: impl Fn(&T) -> f64) -> Vec<&[T]> {
    let mut bin_of = Vec::with_capacity(points.len());
    for equal in points.chunk_by(|a, b| size(a) == size(b)) {
        let middle = bin_of.len() as f64 + equal.len() as f64 / 2.0;
        let bin = (middle / points.len() as f64 * BINS as f64) as usize;
        bin_of.extend(std::iter::repeat_n(bin, equal.len()));
    }
    let mut rest = points;
    bin_of
        .chunk_by(|a, b| a == b)
        .map(|bin| {
            let (here, after) = rest.split_at(bin.len());
            rest = after;
            here
        })
        .collect()
}
