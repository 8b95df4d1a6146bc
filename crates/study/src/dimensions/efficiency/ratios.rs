//! Points per unit of cost: per billion parameters in size bins, per active parameter, per kilogram of CO₂.

use super::super::{Bucket, Dimensions, LeaderboardRow};
use crate::section::{Cell, Section, Table};
use crate::statistics::{mean, median};

/// Size bins in billions of parameters: from, to, name in ids.
const BINS: [(f64, f64, &str); 6] = [
    (0.0, 1.0, "under_1b"),
    (1.0, 3.0, "1_3b"),
    (3.0, 7.0, "3_7b"),
    (7.0, 13.0, "7_13b"),
    (13.0, 35.0, "13_35b"),
    (35.0, f64::INFINITY, "from_35b"),
];

pub(super) fn add(dimensions: &Dimensions<'_>, section: &mut Section) {
    let mut table = Table {
        id: "efficiency-ratios".into(),
        caption: "Average for what a checkpoint costs: per billion parameters (cleaned size), per billion parameters used for \
                  one token (rows known to have no experts, or whose active parameters are known), per kilogram of CO₂ of the \
                  evaluation run. 95 % intervals over shapes."
            .into(),
        columns: ["per", "rows", "n", "mean", "low", "high", "median", "median low", "median high"]
            .map(String::from)
            .to_vec(),
        shown: true,
        ..Table::default()
    };
    let mut add =
        |name: String, words: (&str, &str), unit: &str, ratio: &dyn Fn(&LeaderboardRow) -> Option<f64>| {
            let sample = dimensions.sample(ratio);
            let mut cells: Vec<Cell> = vec![words.0.into(), words.1.into(), sample.len().into()];
            for (statistic, compute) in [("mean", mean as fn(&[f64]) -> f64), ("median", median)] {
                let (kind, rest) = name.split_once('.').expect("the names below have a dot");
                let finding = dimensions.finding(
                    format!("efficiency.{kind}.{statistic}.{rest}"),
                    format!(
                        "What is the {statistic} of Average per {} among checkpoints of {}?",
                        words.0, words.1
                    ),
                    &sample,
                    (statistic, compute),
                    unit,
                );
                let interval = finding.interval.as_ref();
                cells.extend([
                    finding.value.into(),
                    interval.map(|interval| interval.low).into(),
                    interval.map(|interval| interval.high).into(),
                ]);
                section.findings.push(finding);
            }
            table.rows.push(cells);
        };
    for (from, to, name) in BINS {
        let words = if to.is_finite() {
            format!("{from} to {to} B")
        } else {
            format!("{from} B and more")
        };
        add(
            format!("per_billion.{name}"),
            ("billion parameters", &words),
            "points per billion parameters",
            &|row| {
                let size = row.best_size().filter(|&size| size >= from && size < to)?;
                Some(row.average / size)
            },
        );
    }
    for bucket in Bucket::ALL {
        add(
            format!("active.{}", bucket.name()),
            ("billion active parameters", bucket.name()),
            "points per billion active parameters",
            &|row| {
                let active = row.best_active()?;
                (row.bucket() == bucket && row.size_known()).then(|| row.average / active)
            },
        );
    }
    for bucket in Bucket::ALL {
        add(
            format!("per_co2.{}", bucket.name()),
            ("kg of CO₂", bucket.name()),
            "points per kg of CO2",
            &|row| {
                let co2 = row.co2.filter(|&co2| co2 > 0.0)?;
                (row.bucket() == bucket && row.size_known()).then(|| row.average / co2)
            },
        );
    }
    section.tables.push(table);
}
