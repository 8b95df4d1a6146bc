//! Text and table of judged claims.

use super::judged::{Answered, Judged, Judgement, Reading};
use crate::section::{Cell, Table};

/// Number of claims by verdict. A claim counts by its strictest reading: controlled before robust before literal.
pub fn counted(all: &[Judged]) -> String {
    let strictness = |reading: &&Answered| {
        let order = [Reading::Literal, Reading::Robust, Reading::Controlled];
        order.iter().position(|known| known.name() == reading.reading)
    };
    let count = |wanted: Judgement| {
        all.iter()
            .filter_map(|claim| claim.readings.iter().max_by_key(strictness))
            .filter(|reading| reading.verdict == wanted)
            .count()
    };
    let said: Vec<String> = Judgement::ALL
        .iter()
        .map(|verdict| verdict.counted(count(*verdict)))
        .collect();
    format!(
        "Of {} statements of later works, by the strictest reading each has: {}.",
        all.len(),
        said.join(", ")
    )
}

/// One row per reading.
pub fn table(all: &[Judged]) -> Table {
    let line = |claim: &Judged, reading: &Answered| -> Vec<Cell> {
        let ours: Cell = match (reading.value, &reading.interval) {
            (Some(value), Some(ends)) => format!("{value:.2} [{:.2}, {:.2}]", ends.low, ends.high).into(),
            (value, _) => value.into(),
        };
        vec![
            claim.statement.as_str().into(),
            format!("{}, {}", claim.work, claim.place).into(),
            reading.reading.into(),
            ours,
            reading.verdict.words().into(),
            reading.why.as_str().into(),
        ]
    };
    Table {
        id: "claims-later".into(),
        caption: "Statements of later works, each in the readings that it has: as the work did it (literal), units counted once \
                  (robust), runs that differ in nothing else (controlled). A verdict needs an interval."
            .into(),
        columns: ["statement", "where", "reading", "ours", "verdict", "why"].map(String::from).to_vec(),
        rows: all
            .iter()
            .flat_map(|claim| claim.readings.iter().map(|reading| line(claim, reading)))
            .collect(),
        shown: true,
    }
}
