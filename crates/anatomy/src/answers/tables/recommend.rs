//! The answer of `recommend` as a table.

use study::section::{Cell, Table};

use crate::answers::recommend::{BoardRanking, Choice, RecommendAnswer};

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

/// What a board is, when it was last added to and how old that is, in one line.
pub(crate) fn heading(ranking: &BoardRanking) -> String {
    let when = ranking.newest.as_deref().unwrap_or("at a day not known");
    let age = match ranking.months_older {
        Some(months) if months > 0 => format!(", {months} months before the newest score here"),
        _ => String::new(),
    };
    format!(
        "By {} (newest {when}{age}), the mean of {}: {} of {} that fit",
        ranking.board,
        ranking.benchmarks.join(", "),
        ranking.choices.len(),
        ranking.n
    )
}

/// A board's ranking; each row says of which day the checkpoint is and how it was run.
pub(crate) fn board_table(ranking: &BoardRanking) -> Table {
    let columns = [
        "#",
        "group",
        "checkpoint",
        "score",
        "low",
        "high",
        "size (B)",
        "precision",
        "GB",
        "licence",
        "released",
        "run",
        "source",
    ];
    let rows = ranking.choices.iter().map(|choice| {
        let run = choice.scores.iter().find_map(|score| score.run.as_ref());
        let said = run.map(|run| {
            let split = run.split.as_ref().map(|split| format!("{split} split"));
            let said: Vec<String> = [run.mode.clone(), split].into_iter().flatten().collect();
            said.join(", ")
        });
        let ends = choice.interval.as_ref();
        vec![
            choice.rank.into(),
            choice.group.into(),
            choice.id.as_str().into(),
            choice.score.into(),
            ends.map(|ends| ends.low).into(),
            ends.map(|ends| ends.high).into(),
            choice.size.into(),
            choice.precision.as_str().into(),
            (choice.memory.total_bytes / 1e9).into(),
            choice.license.clone().map_or(Cell::Missing, Cell::from),
            choice.date.clone().map_or(Cell::Missing, Cell::from),
            said.filter(|text| !text.is_empty())
                .map_or(Cell::Missing, Cell::from),
            choice
                .scores
                .first()
                .map_or(Cell::Missing, |score| score.source.as_str().into()),
        ]
    });
    Table {
        id: format!("recommend_{}", ranking.board),
        columns: columns.map(String::from).to_vec(),
        rows: rows.collect(),
        ..Table::default()
    }
}
