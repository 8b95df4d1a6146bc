//! Architectures: their frequency, and the four large families by size bucket and benchmark.

mod families;

use std::collections::BTreeMap;

use super::{BENCHMARK_TITLES, BENCHMARKS, Bucket, Dimensions, without};
use crate::section::{Axis, Bar, Cell, Drawing, Figure, Section, Table};
use crate::statistics::{mean, median, quantile};

/// Name in ids, label, class name.
const FAMILIES: [(&str, &str, &str); 4] = [
    ("llama", "Llama", "LlamaForCausalLM"),
    ("qwen2", "Qwen2", "Qwen2ForCausalLM"),
    ("mistral", "Mistral", "MistralForCausalLM"),
    ("gemma2", "Gemma2", "Gemma2ForCausalLM"),
];

pub(super) fn section(dimensions: &Dimensions<'_>) -> Section {
    let mut section = Section {
        id: "architecture".into(),
        title: "Architecture".into(),
        ..Section::default()
    };
    let known = dimensions
        .rows
        .iter()
        .filter(|row| row.architecture.is_some())
        .count();
    let note = without("architecture", known, dimensions.rows.len());
    let mut by_bucket = Table {
        id: "architecture-buckets".into(),
        caption: "Average (points) of the four largest families by size bucket.".into(),
        columns: ["family", "bucket", "n", "mean", "median"]
            .map(String::from)
            .to_vec(),
        shown: true,
        ..Table::default()
    };
    let mut best = Table {
        id: "architecture-best".into(),
        caption: "Best score (points) of each family on each benchmark. A maximum grows with n.".into(),
        columns: ["family", "n"]
            .into_iter()
            .chain(BENCHMARK_TITLES)
            .map(String::from)
            .collect(),
        shown: true,
        ..Table::default()
    };
    let mut bars = Vec::new();
    for (family, title, class) in FAMILIES {
        let of_family = |row: &super::LeaderboardRow| row.architecture.as_deref() == Some(class);
        let n = dimensions.rows.iter().filter(|row| of_family(row)).count();
        section.findings.push(
            Dimensions::count(
                format!("architecture.count.{family}"),
                format!("How many evaluations are of {title} checkpoints?"),
                n,
            )
            .with_note(&note),
        );
        for bucket in Bucket::ALL {
            let sample =
                dimensions.sample(|row| (of_family(row) && row.bucket() == bucket).then_some(row.average));
            if sample.is_empty() {
                continue;
            }
            let name = bucket.name();
            let mut cells: Vec<Cell> = vec![title.into(), name.into(), sample.len().into()];
            for (statistic, compute) in [("mean", mean as fn(&[f64]) -> f64), ("median", median)] {
                let finding = dimensions
                    .finding(
                        format!("architecture.{statistic}.{family}.{name}"),
                        format!("What is the {statistic} Average of {name} {title} checkpoints?"),
                        &sample,
                        (statistic, compute),
                        "points",
                    )
                    .with_note(&note)
                    .with_figure("architecture");
                cells.push(finding.value.into());
                if statistic == "mean" {
                    bars.push(Bar {
                        group: name.into(),
                        series: title.into(),
                        value: finding.value.unwrap_or(f64::NAN),
                        interval: finding
                            .interval
                            .as_ref()
                            .map(|interval| (interval.low, interval.high)),
                    });
                }
                section.findings.push(finding);
            }
            section.findings.push(Dimensions::count(
                format!("architecture.count.{family}.{name}"),
                format!("How many evaluations are of {name} {title} checkpoints?"),
                sample.len(),
            ));
            by_bucket.rows.push(cells);
        }
        let mut cells: Vec<Cell> = vec![title.into(), n.into()];
        for (column, benchmark) in BENCHMARKS.iter().enumerate() {
            let sample = dimensions.sample(|row| row.scores[column].filter(|_| of_family(row)));
            let mut finding = dimensions
                .finding(
                    format!("architecture.best.{family}.{benchmark}"),
                    format!(
                        "What is the best {} score of a {title} checkpoint?",
                        BENCHMARK_TITLES[column]
                    ),
                    &sample,
                    ("maximum", |values| quantile(values, 1.0)),
                    "points",
                )
                .with_note(&note);
            // A bootstrap of a maximum never exceeds it, so its interval would be wrong and none is given.
            finding.interval = None;
            cells.push(finding.value.into());
            section.findings.push(finding);
        }
        best.rows.push(cells);
    }
    section.text = vec![format!("{note}.")];
    section.tables = vec![counts(dimensions, known), by_bucket, best];
    section.figures = vec![Figure {
        id: "architecture".into(),
        title: "Families by size bucket".into(),
        caption: format!(
            "Mean of Average with 95 % intervals over shapes (none where fewer than five shapes); n = {known} evaluations \
             with a known architecture. Not adjusted for date or post-training."
        ),
        n: known,
        x: Axis::linear("size bucket"),
        y: Axis::linear("mean Average (points)"),
        drawing: Drawing::Bars(bars),
    }];
    families::add(dimensions, &mut section);
    section
}

/// The twenty most frequent architectures.
fn counts(dimensions: &Dimensions<'_>, known: usize) -> Table {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for architecture in dimensions
        .rows
        .iter()
        .filter_map(|row| row.architecture.as_deref())
    {
        *counts.entry(architecture).or_default() += 1;
    }
    let mut ordered: Vec<(&str, usize)> = counts.into_iter().collect();
    ordered.sort_by_key(|&(name, count)| (std::cmp::Reverse(count), name));
    Table {
        id: "architecture-counts".into(),
        caption: format!("The twenty most frequent architectures; n = {known} evaluations with a known one."),
        columns: ["architecture", "evaluations"].map(String::from).to_vec(),
        rows: ordered
            .into_iter()
            .take(20)
            .map(|(name, count)| vec![name.into(), count.into()])
            .collect(),
        shown: true,
    }
}
