//! Efficiency: Average per billion parameters, and CO₂ emissions of the evaluation, by size bucket.

mod front;
mod ratios;

use super::{Bucket, Dimensions, without};
use crate::section::{Section, Table};
use crate::statistics::{mean, median};

pub(super) fn section(dimensions: &Dimensions<'_>) -> Section {
    let mut section = Section {
        id: "efficiency".into(),
        title: "Efficiency".into(),
        ..Section::default()
    };
    let mut table = Table {
        id: "efficiency-buckets".into(),
        caption:
            "Average per billion listed parameters (rows with a listed size above 0) and emissions of the \
                  evaluation run, by bucket."
                .into(),
        columns: [
            "bucket",
            "n",
            "mean (points per billion)",
            "median (points per billion)",
            "n with CO₂",
            "mean CO₂ (kg)",
        ]
        .map(String::from)
        .to_vec(),
        shown: true,
        ..Table::default()
    };
    for bucket in Bucket::ALL {
        let name = bucket.name();
        let ratio = dimensions.sample(|row| {
            let size = row.listed_size.filter(|&size| size > 0.0)?;
            (row.bucket() == bucket).then(|| row.average / size)
        });
        let co2 = dimensions.sample(|row| row.co2.filter(|_| row.bucket() == bucket));
        let n_bucket = dimensions
            .rows
            .iter()
            .filter(|row| row.bucket() == bucket)
            .count();
        let unit = "points per billion parameters";
        let mean_ratio = dimensions
            .finding(
                format!("efficiency.mean.{name}"),
                format!("What is the mean of Average per billion parameters among {name} checkpoints?"),
                &ratio,
                ("mean", mean),
                unit,
            )
            .with_note(
                "a mean of ratios: the smallest checkpoints drive it; packed weights list half their size",
            );
        let median_ratio = dimensions.finding(
            format!("efficiency.median.{name}"),
            format!("What is the median of Average per billion parameters among {name} checkpoints?"),
            &ratio,
            ("median", median),
            unit,
        );
        let mean_co2 = dimensions
            .finding(
                format!("efficiency.co2.{name}"),
                format!("How much CO₂ does evaluating a {name} checkpoint emit, on the mean?"),
                &co2,
                ("mean", mean),
                "kg",
            )
            .with_note(without("CO₂", co2.len(), n_bucket));
        table.rows.push(vec![
            name.into(),
            ratio.len().into(),
            mean_ratio.value.into(),
            median_ratio.value.into(),
            co2.len().into(),
            mean_co2.value.into(),
        ]);
        section.findings.extend([mean_ratio, median_ratio, mean_co2]);
    }
    section.text = vec![
        "A ratio to size falls with size almost by construction: a checkpoint of a tenth the parameters needs a tenth \
         of the points to tie. Read it as cost, not as quality."
            .into(),
    ];
    section.tables = vec![table];
    ratios::add(dimensions, &mut section);
    front::add(dimensions, &mut section);
    section
}
