//! Architectures by number of checkpoints, of derivatives, and of likes.

use std::collections::BTreeMap;

use super::{Trends, catalog};
use crate::finding::Finding;
use crate::section::{Axis, Bar, Cell, Drawing, Figure, Section, Table};

/// Number of architectures listed.
const MOST: usize = 20;

/// Counts for one architecture.
#[derive(Default, Clone, Copy)]
struct Counted {
    checkpoints: usize,
    derivatives: usize,
    likes: f64,
}

type Measure = fn(&Counted) -> f64;

pub(super) fn add(trends: &Trends<'_>, section: &mut Section) {
    let mut counted: BTreeMap<&str, Counted> = BTreeMap::new();
    for row in trends.checkpoints {
        if let Some(architecture) = row.architecture.as_deref() {
            let of = counted.entry(architecture).or_default();
            of.checkpoints += 1;
            of.derivatives += usize::from(row.derivative);
            of.likes += row.likes.unwrap_or(0.0);
        }
    }
    let n: usize = counted.values().map(|of| of.checkpoints).sum();
    let measures: [(&str, &str, Measure); 2] = [
        ("derivatives", "checkpoints made from another", |of| {
            of.derivatives as f64
        }),
        ("likes", "likes of all its checkpoints", |of| of.likes),
    ];
    let mut bars = Vec::new();
    let mut first: Vec<String> = Vec::new();
    for (name, words, measure) in measures {
        let mut ordered: Vec<(&str, Counted)> = counted.iter().map(|(name, of)| (*name, *of)).collect();
        ordered.sort_by(|a, b| measure(&b.1).total_cmp(&measure(&a.1)).then(a.0.cmp(b.0)));
        ordered.truncate(MOST);
        let total: f64 = counted.values().map(measure).sum();
        let mut table = Table {
            id: format!("trends-architectures-{name}"),
            caption: format!(
                "The {MOST} architectures with the most {words}, of {} architectures; n = {n} checkpoints whose architecture, or \
                 whose base's, is known.",
                counted.len()
            ),
            columns: ["architecture", "checkpoints", "derivatives", "likes", "share"]
                .map(String::from)
                .to_vec(),
            shown: true,
            ..Table::default()
        };
        for (architecture, of) in &ordered {
            let cells: [Cell; 5] = [
                (*architecture).into(),
                of.checkpoints.into(),
                of.derivatives.into(),
                of.likes.into(),
                (measure(of) / total).into(),
            ];
            table.rows.push(cells.to_vec());
            section.findings.push(
                Finding::new(
                    format!("trends.architecture.{name}.{}", architecture.to_lowercase()),
                    format!("How many {words} are of {architecture}?"),
                    &catalog(),
                )
                .with_value(measure(of), name, of.checkpoints, "count")
                .with_note("the catalog is a sample of the Hub")
                .with_figure("trends-architectures"),
            );
            bars.push(Bar {
                group: words.into(),
                series: (*architecture).into(),
                value: measure(of),
                interval: None,
            });
        }
        if let Some((architecture, of)) = ordered.first() {
            first.push((*architecture).to_string());
            section.text.push(format!(
                "Most {words}: {architecture}, {:.0} % of {total:.0}.",
                100.0 * measure(of) / total
            ));
        }
        section.tables.push(table);
    }
    section.figures.push(Figure {
        id: "trends-architectures".into(),
        title: "Architectures built upon, and liked".into(),
        caption: format!(
            "The {MOST} architectures with the most derivatives and with the most likes; n = {n} checkpoints of the catalog with a \
             known architecture. First by derivatives: {}; by likes: {}.",
            first.first().map_or("none", String::as_str),
            first.last().map_or("none", String::as_str)
        ),
        n,
        x: Axis::linear("count"),
        y: Axis::linear(""),
        drawing: Drawing::Intervals { rows: bars, reference: 0.0 },
    });
}
