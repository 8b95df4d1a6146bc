//! Merging: Average of merged and of other checkpoints, by size bucket.

mod adjusted;

use super::{Bucket, Dimensions, Sample, source, without};
use crate::finding::Finding;
use crate::section::{Axis, Bar, Drawing, Figure, Section, Table};
use crate::statistics::{mean, welch};

pub(super) fn section(dimensions: &Dimensions<'_>) -> Section {
    let mut section = Section {
        id: "merging".into(),
        title: "Merging".into(),
        ..Section::default()
    };
    let mut table = Table {
        id: "merging-buckets".into(),
        caption:
            "Mean of Average (points), merged and not, by bucket; rows whose `Merged` is unknown left out."
                .into(),
        columns: [
            "bucket",
            "n merged",
            "mean merged",
            "n not merged",
            "mean not merged",
            "difference",
        ]
        .map(String::from)
        .to_vec(),
        shown: true,
        ..Table::default()
    };
    let known = dimensions.rows.iter().filter(|row| row.merged.is_some()).count();
    let note = without("`Merged`", known, dimensions.rows.len());
    let mut bars = Vec::new();
    for bucket in Bucket::ALL {
        let name = bucket.name();
        let side = |merged: bool| -> Sample<'_> {
            dimensions
                .sample(|row| (row.bucket() == bucket && row.merged == Some(merged)).then_some(row.average))
        };
        let sides = [("merged", side(true)), ("not_merged", side(false))];
        for (label, sample) in &sides {
            let words = label.replace('_', " ");
            let finding = dimensions
                .finding(
                    format!("merging.mean.{label}.{name}"),
                    format!("What is the mean Average of {name} checkpoints that are {words}?"),
                    sample,
                    ("mean", mean),
                    "points",
                )
                .with_note(&note)
                .with_figure("merging");
            bars.push(Bar {
                group: name.into(),
                series: words.clone(),
                value: finding.value.unwrap_or(f64::NAN),
                interval: finding
                    .interval
                    .as_ref()
                    .map(|interval| (interval.low, interval.high)),
            });
            section.findings.push(
                Dimensions::count(
                    format!("merging.count.{label}.{name}"),
                    format!("How many {name} evaluations are of checkpoints that are {words}?"),
                    sample.len(),
                )
                .with_note(&note),
            );
            section.findings.push(finding);
        }
        let [(_, merged), (_, other)] = &sides;
        let test = welch(&super::values(merged), &super::values(other));
        section.findings.push(
            Finding::new(
                format!("merging.difference.{name}"),
                format!("By how much do merged {name} checkpoints score higher?"),
                &source(),
            )
            .with_value(
                test.difference,
                "points",
                merged.len() + other.len(),
                "difference of means",
            )
            .with_interval(dimensions.interval_of_two(merged, other, |x, y| mean(x) - mean(y)))
            .with_seed(dimensions.seed)
            .with_note("unadjusted: merged checkpoints are younger and of better bases"),
        );
        table.rows.push(vec![
            name.into(),
            merged.len().into(),
            mean(&super::values(merged)).into(),
            other.len().into(),
            mean(&super::values(other)).into(),
            test.difference.into(),
        ]);
    }
    section.text = vec![format!(
        "{note}. The published means count those rows as not merged."
    )];
    section.figures = vec![Figure {
        id: "merging".into(),
        title: "Merged checkpoints score higher, before any adjustment".into(),
        caption: format!(
            "Mean of Average with 95 % intervals over shapes; n = {known} evaluations with a known `Merged`. Unadjusted."
        ),
        n: known,
        x: Axis::linear("size bucket"),
        y: Axis::linear("mean Average (points)"),
        drawing: Drawing::Bars(bars),
    }];
    section.tables = vec![table];
    adjusted::add(dimensions, &mut section);
    section
}
