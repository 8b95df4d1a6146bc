//! The answer of `recommend` as a table.

use study::section::{Cell, Table};

use crate::answers::recommend::{Choice, RecommendAnswer};

pub(crate) fn table(answer: &RecommendAnswer, choices: &[&Choice]) -> Table {
    let mut columns: Vec<String> = ["#", "group", "checkpoint", "score", "low", "high"]
        .map(String::from)
        .to_vec();
    if answer.benchmarks.len() > 1 {
        columns.extend(answer.benchmarks.iter().cloned());
    }
    columns.extend(
        [
            "size (B)",
            "precision",
            "GB",
            "tokens/s ≤",
            "licence",
            "source",
            "why",
        ]
        .map(String::from),
    );
    let rows = choices
        .iter()
        .map(|choice| {
            let mark = if choice.is_predicted { "~" } else { "" };
            let ends = choice.interval.as_ref();
            let mut cells: Vec<Cell> = vec![
                format!("{mark}{}", choice.rank).into(),
                choice.group.into(),
                choice.id.as_str().into(),
                choice.score.into(),
                ends.map(|ends| ends.low).into(),
                ends.map(|ends| ends.high).into(),
            ];
            if answer.benchmarks.len() > 1 {
                cells.extend(choice.scores.iter().map(|score| {
                    let mark = if score.is_predicted { "~" } else { "" };
                    Cell::from(format!("{mark}{:.1}", score.value))
                }));
            }
            let mut sources: Vec<&str> = choice.scores.iter().map(|score| score.source.as_str()).collect();
            sources.dedup();
            cells.extend([
                Cell::from(choice.size),
                choice.precision.as_str().into(),
                Cell::from(choice.memory.total_bytes / 1e9),
                Cell::from(choice.tokens_per_second),
                choice.license.clone().map_or(Cell::Missing, Cell::from),
                sources.join(" + ").into(),
                choice.why.as_str().into(),
            ]);
            cells
        })
        .collect();
    Table {
        id: "recommend".into(),
        columns,
        rows,
        ..Table::default()
    }
}
