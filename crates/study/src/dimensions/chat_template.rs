//! Chat template: scores of evaluations with and without a chat template, and the difference.

mod adjusted;

use super::{BENCHMARK_TITLES, BENCHMARKS, Dimensions, source, values, without};
use crate::finding::Finding;
use crate::section::{Axis, Bar, Cell, Drawing, Figure, Section, Table};
use crate::statistics::{mean, median, welch};

pub(super) fn section(dimensions: &Dimensions<'_>) -> Section {
    let mut section = Section {
        id: "chat_template".into(),
        title: "Chat template".into(),
        ..Section::default()
    };
    let known = dimensions
        .rows
        .iter()
        .filter(|row| row.chat_template.is_some())
        .count();
    let note = without("`Chat Template`", known, dimensions.rows.len());
    let mut table = Table {
        id: "chat-template".into(),
        caption: format!(
            "Scores (points) of evaluations with and without chat template, and the difference with its 95 % interval \
             over shapes; n = {known}. Different checkpoints on the two sides: unadjusted."
        ),
        columns: [
            "benchmark",
            "n with",
            "mean with",
            "median with",
            "n without",
            "mean without",
            "median without",
            "difference",
            "low",
            "high",
        ]
        .map(String::from)
        .to_vec(),
        shown: true,
        ..Table::default()
    };
    let mut bars = Vec::new();
    for (column, benchmark) in BENCHMARKS.iter().enumerate() {
        let title = BENCHMARK_TITLES[column];
        let side = |with: bool| {
            dimensions.sample(|row| row.scores[column].filter(|_| row.chat_template == Some(with)))
        };
        let (with, lacking) = (side(true), side(false));
        let mut cells: Vec<Cell> = vec![title.into()];
        for (label, sample) in [("with", &with), ("without", &lacking)] {
            cells.push(sample.len().into());
            for (statistic, compute) in [("mean", mean as fn(&[f64]) -> f64), ("median", median)] {
                let finding = dimensions
                    .finding(
                        format!("chat_template.{statistic}.{label}.{benchmark}"),
                        format!(
                            "What is the {statistic} {title} score of evaluations {label} chat template?"
                        ),
                        sample,
                        (statistic, compute),
                        "points",
                    )
                    .with_note(&note);
                cells.push(finding.value.into());
                section.findings.push(finding);
            }
        }
        let test = welch(&values(&with), &values(&lacking));
        let interval = dimensions.interval_of_two(&with, &lacking, |x, y| mean(x) - mean(y));
        cells.extend([
            test.difference.into(),
            interval.as_ref().map(|interval| interval.low).into(),
            interval.as_ref().map(|interval| interval.high).into(),
        ]);
        bars.push(Bar {
            group: title.into(),
            series: "with − without".into(),
            value: test.difference,
            interval: interval.as_ref().map(|interval| (interval.low, interval.high)),
        });
        section.findings.push(
            Finding::new(
                format!("chat_template.difference.{benchmark}"),
                format!(
                    "By how much does {title} differ between evaluations with and without chat template?"
                ),
                &source(),
            )
            .with_value(
                test.difference,
                "points",
                with.len() + lacking.len(),
                "difference of means",
            )
            .with_interval(interval)
            .with_seed(dimensions.seed)
            .with_note(&note)
            .with_note("unadjusted: the two sides are different checkpoints")
            .with_figure("chat-template"),
        );
        table.rows.push(cells);
    }
    section.text = vec![format!("{note}.")];
    section.figures = vec![Figure {
        id: "chat-template".into(),
        title: "With chat template minus without, by benchmark".into(),
        caption: format!(
            "Difference of means with 95 % intervals over shapes; n = {known} evaluations. The sides are different \
             checkpoints: instruction-tuned ones use a template."
        ),
        n: known,
        x: Axis::linear("benchmark"),
        y: Axis::linear("difference (points)"),
        drawing: Drawing::Bars(bars),
    }];
    section.tables = vec![table];
    adjusted::add(dimensions, &mut section);
    section
}
