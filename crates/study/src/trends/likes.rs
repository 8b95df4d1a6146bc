//! Likes by size class.

use super::{Trends, catalog};
use crate::finding::Finding;
use crate::section::{Axis, Cell, Drawing, Figure, Section, Table};
use crate::statistics::{mean, median_interval, quantile};

/// Lower and upper limit in billions of parameters, name in ids, label.
const CLASSES: [(f64, f64, &str, &str); 6] = [
    (0.0, 1.5, "under_1_5b", "< 1.5 B"),
    (1.5, 5.0, "1_5_5b", "1.5–5 B"),
    (5.0, 10.0, "5_10b", "5–10 B"),
    (10.0, 20.0, "10_20b", "10–20 B"),
    (20.0, 50.0, "20_50b", "20–50 B"),
    (50.0, f64::INFINITY, "from_50b", "≥ 50 B"),
];

pub(super) fn add(trends: &Trends<'_>, section: &mut Section) {
    let known: Vec<(f64, f64)> = trends
        .checkpoints
        .iter()
        .filter_map(|row| Some((row.size.filter(|&size| size > 0.0)?, row.likes?)))
        .collect();
    let mut table = Table {
        id: "trends-likes".into(),
        caption: format!(
            "Likes by size class; n = {} checkpoints of the catalog with a size and likes.",
            known.len()
        ),
        columns: [
            "size",
            "n",
            "median",
            "low",
            "high",
            "mean",
            "q90",
            "q99",
            "share without likes",
        ]
        .map(String::from)
        .to_vec(),
        shown: true,
        ..Table::default()
    };
    let mut boxes = Vec::new();
    for (from, to, name, words) in CLASSES {
        let likes: Vec<f64> = known
            .iter()
            .filter(|(size, _)| *size >= from && *size < to)
            .map(|(_, likes)| *likes)
            .collect();
        if likes.is_empty() {
            continue;
        }
        let none = likes.iter().filter(|likes| **likes == 0.0).count() as f64 / likes.len() as f64;
        let interval = median_interval(&likes, 0.95);
        let ends = interval.as_ref().map(|ends| (ends.low, ends.high));
        let finding = |statistic: &str, value: f64, unit: &str| {
            Finding::new(
                format!("trends.likes.{statistic}.{name}"),
                format!("What is the {statistic} of likes of checkpoints of {words}?"),
                &catalog(),
            )
            .with_value(value, unit, likes.len(), statistic)
            .with_note("likes were counted on different days by the catalog's sources")
            .with_figure("trends-likes")
        };
        let statistics = [
            ("mean", mean(&likes)),
            ("q90", quantile(&likes, 0.9)),
            ("q99", quantile(&likes, 0.99)),
        ];
        let mut cells: Vec<Cell> = vec![
            words.into(),
            likes.len().into(),
            quantile(&likes, 0.5).into(),
            ends.map(|ends| ends.0).into(),
            ends.map(|ends| ends.1).into(),
        ];
        section
            .findings
            .push(finding("median", quantile(&likes, 0.5), "likes").with_interval(interval));
        for (statistic, value) in statistics {
            cells.push(value.into());
            section.findings.push(finding(statistic, value, "likes"));
        }
        cells.push(none.into());
        section.findings.push(finding("none", none, "fraction"));
        table.rows.push(cells);
        boxes.push((
            format!("{words} (n = {})", likes.len()),
            likes.iter().map(|likes| (1.0 + likes).log10()).collect(),
        ));
    }
    section.tables.push(table);
    section.figures.push(Figure {
        id: "trends-likes".into(),
        title: "Likes by size class".into(),
        caption: format!(
            "Likes on a logarithmic scale (1 on the axis is 9 likes, 2 is 99); n = {} checkpoints with a size and likes. {:.0} % have \
             none.",
            known.len(),
            100.0 * known.iter().filter(|(_, likes)| *likes == 0.0).count() as f64 / known.len().max(1) as f64
        ),
        n: known.len(),
        x: Axis::linear("size class (billions of parameters)"),
        y: Axis::linear("log10(1 + likes)"),
        drawing: Drawing::Boxes(boxes),
    });
}
