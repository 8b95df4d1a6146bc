//! Score distributions.

use super::{BENCHMARK_TITLES, BENCHMARKS, LeaderboardV1, source};
use crate::finding::Finding;
use crate::section::{Axis, Cell, Drawing, Figure, Section, Table};
use crate::statistics::{
    GroupBootstrap, Statistic, group_bootstrap, kurtosis, mean, quantile, skewness, standard_deviation,
};

const STATISTICS: [(&str, &str, Statistic); 9] = [
    ("mean", "points", mean),
    ("sd", "points", standard_deviation),
    ("min", "points", |values| quantile(values, 0.0)),
    ("q1", "points", |values| quantile(values, 0.25)),
    ("median", "points", |values| quantile(values, 0.5)),
    ("q3", "points", |values| quantile(values, 0.75)),
    ("max", "points", |values| quantile(values, 1.0)),
    ("skewness", "1", skewness),
    ("kurtosis", "1", kurtosis),
];

pub(super) fn section(study: &LeaderboardV1<'_>) -> Section {
    let mut section = Section {
        id: "distribution".into(),
        title: "Scores on leaderboard v1".into(),
        ..Section::default()
    };
    let mut table = Table {
        id: "distribution".into(),
        caption: "Scores (points) of leaderboard v1, one row a checkpoint.".into(),
        columns: ["benchmark", "n"]
            .into_iter()
            .chain(STATISTICS.map(|(name, ..)| name))
            .map(String::from)
            .collect(),
        shown: true,
        ..Table::default()
    };
    let mut panels = Vec::new();
    for (place, benchmark) in BENCHMARKS.iter().enumerate() {
        let title = BENCHMARK_TITLES[place];
        let scored = study.scored(place);
        let values: Vec<f64> = scored.iter().map(|&(_, score)| score).collect();
        let shapes: Vec<u32> = scored.iter().map(|&(row, _)| study.rows[row].shape).collect();
        let mut cells: Vec<Cell> = vec![title.into(), values.len().into()];
        for (name, unit, statistic) in STATISTICS {
            let settings = GroupBootstrap {
                resamples: study.resamples,
                seed: study.seed,
            };
            let resampled = !matches!(name, "min" | "max");
            let interval = resampled
                .then(|| {
                    group_bootstrap(&shapes, settings, 0.95, |rows| {
                        statistic(&rows.iter().map(|&row| values[row]).collect::<Vec<_>>())
                    })
                })
                .flatten();
            let finding = Finding::new(
                format!("distribution.{name}.{benchmark}"),
                format!("What is the {name} of {title} scores on leaderboard v1?"),
                &source(),
            )
            .with_value(statistic(&values), unit, values.len(), name)
            .with_interval(interval)
            .with_seed(study.seed)
            .with_figure("distribution");
            cells.push(finding.value.into());
            section.findings.push(finding);
        }
        table.rows.push(cells);
        panels.push((title.to_string(), values));
    }
    section.text = vec![format!(
        "{} checkpoints, one row each; {} further rows of the table repeat a checkpoint or a row of scores and are left \
         out.",
        study.rows.len(),
        study.n_repeats
    )];
    section.figures = vec![Figure {
        id: "distribution".into(),
        title: "Score distributions on leaderboard v1".into(),
        caption: format!(
            "Checkpoints by score on the six benchmarks; n = {} checkpoints.",
            study.rows.len()
        ),
        n: study.rows.len(),
        x: Axis::linear("score (points)"),
        y: Axis::linear("checkpoints"),
        drawing: Drawing::Histograms(panels),
    }];
    section.tables = vec![table];
    section
}
