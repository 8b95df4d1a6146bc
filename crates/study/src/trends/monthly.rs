//! Number of new checkpoints per month: all, mixtures of experts, multimodal.

use std::collections::BTreeMap;

use super::{CheckpointRow, Trends, catalog};
use crate::board::known_date;
use crate::calendar::{month, month_name};
use crate::finding::Finding;
use crate::section::{Axis, Cell, Drawing, Figure, Layer, Panel, Section, Table};

const CLASSES: [(&str, &str, Class); 3] = [
    ("all", "all", |_| true),
    ("moe", "mixtures of experts", |row| row.moe == Some(true)),
    ("multimodal", "multimodal", |row| row.multimodal == Some(true)),
];
type Class = fn(&CheckpointRow) -> bool;

pub(super) fn add(trends: &Trends<'_>, section: &mut Section) {
    let dated: Vec<(i64, &CheckpointRow)> = trends
        .checkpoints
        .iter()
        .filter_map(|row| known_date(row.date).map(|date| (month(date), row)))
        .collect();
    let (Some(first), Some(last)) = (
        dated.iter().map(|row| row.0).min(),
        dated.iter().map(|row| row.0).max(),
    ) else {
        return;
    };
    let mut counts: BTreeMap<i64, [usize; 3]> = (first..=last).map(|month| (month, [0; 3])).collect();
    for (month, row) in &dated {
        let of_month = counts.entry(*month).or_default();
        for (count, (_, _, class)) in of_month.iter_mut().zip(CLASSES) {
            *count += usize::from(class(row));
        }
    }
    let known = |pick: fn(&CheckpointRow) -> Option<bool>| {
        dated.iter().filter(|(_, row)| pick(row).is_some()).count()
    };
    let (n_moe, n_multimodal) = (known(|row| row.moe), known(|row| row.multimodal));
    let mut table = Table {
        id: "trends-monthly".into(),
        caption: format!(
            "Checkpoints of the catalog by month of publication; n = {} with a date. Whether they are mixtures of experts is known \
             of {n_moe}, whether multimodal of {n_multimodal}: those columns count what is known to be so.",
            dated.len()
        ),
        columns: ["month", "all", "mixtures of experts", "multimodal"]
            .map(String::from)
            .to_vec(),
        shown: true,
        ..Table::default()
    };
    for (&month, of_month) in &counts {
        let mut cells = vec![Cell::from(month_name(month))];
        cells.extend(of_month.map(Cell::from));
        table.rows.push(cells);
        for (count, (name, words, _)) in of_month.iter().zip(CLASSES) {
            section.findings.push(
                Finding::new(
                    format!("trends.new.{name}.{}", month_name(month)),
                    format!(
                        "How many checkpoints of the catalog ({words}) were published in {}?",
                        month_name(month)
                    ),
                    &catalog(),
                )
                .with_value(*count as f64, "checkpoints", dated.len(), "count")
                .with_note("the catalog is a sample of the Hub")
                .with_figure("trends-monthly"),
            );
        }
    }
    let total = |place: usize| counts.values().map(|of_month| of_month[place]).sum::<usize>();
    let busiest = counts.iter().max_by_key(|(_, of_month)| of_month[0]);
    section.text.push(format!(
        "{} of {} checkpoints have a date (the Hub's floor, 2 March 2022, means unknown and is left out): {} known mixtures of \
         experts, {} known to be multimodal. The busiest month is {} with {}. Peaks are those of the leaderboards: v1 took entries \
         from September 2023 to June 2024 (earlier ones carry its first day), v2 until February 2025.",
        dated.len(),
        trends.checkpoints.len(),
        total(1),
        total(2),
        busiest.map(|(month, _)| month_name(*month)).unwrap_or_default(),
        busiest.map_or(0, |(_, of_month)| of_month[0])
    ));
    let middle = |month: i64| 1970.0 + (month as f64 + 0.5) / 12.0;
    let panels = CLASSES
        .iter()
        .enumerate()
        .map(|(place, (_, words, _))| Panel {
            title: format!("{words} (n = {})", total(place)),
            layers: vec![Layer::Line {
                name: "checkpoints a month".into(),
                points: counts
                    .iter()
                    .map(|(&month, of_month)| (middle(month), of_month[place] as f64))
                    .collect(),
                step: false,
            }],
        })
        .collect();
    section.tables.push(table);
    section.figures.push(Figure {
        id: "trends-monthly".into(),
        title: "New checkpoints a month".into(),
        caption: format!(
            "The catalog's checkpoints by month of publication, n = {} with a date; each panel has its own scale. The busiest \
             month is {}. Peaks reflect leaderboard activity, not releases.",
            dated.len(),
            busiest.map(|(month, _)| month_name(*month)).unwrap_or_default()
        ),
        n: dated.len(),
        x: Axis::linear("date of publication (year)"),
        y: Axis::linear("checkpoints a month"),
        drawing: Drawing::Panels(panels),
    });
}
