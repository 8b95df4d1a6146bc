//! The evaluations as a table, so that anyone can recompute the numbers of the six dimensions.

use super::{BENCHMARKS, LeaderboardRow};
use crate::calendar::{day_name, month, month_name};
use crate::features::COLUMNS;
use crate::section::{Cell, Table};

/// All evaluations with the columns used by the six dimensions; `shape` is the group that intervals resample.
pub fn rows_table(rows: &[LeaderboardRow]) -> Table {
    let flag = |flag: Option<bool>| match flag {
        Some(true) => Cell::from("true"),
        Some(false) => Cell::from("false"),
        None => Cell::Missing,
    };
    let text = |text: &Option<String>| text.as_deref().map_or(Cell::Missing, Cell::from);
    let columns = ["id", "shape", "average"]
        .into_iter()
        .chain(BENCHMARKS)
        .chain([
            "listed_size",
            "size",
            "best_size",
            "moe",
            "active",
            "co2",
            "likes",
            "downloads",
            "merged",
            "kind",
            "post_trained",
            "chat_template",
            "architecture",
            "date",
            "month",
            "root",
            "repeat",
        ])
        .chain(COLUMNS.into_iter().skip(1).take(7));
    Table {
        id: "leaderboard-v2-rows".into(),
        caption: format!(
            "The {} evaluations of leaderboard v2 as the six dimensions read them; `shape` numbers the shapes that \
             intervals resample.",
            rows.len()
        ),
        columns: columns.map(String::from).collect(),
        rows: rows
            .iter()
            .map(|row| {
                let mut cells: Vec<Cell> = vec![
                    row.id.as_str().into(),
                    (row.shape as usize).into(),
                    row.average.into(),
                ];
                cells.extend(row.scores.map(Cell::from));
                cells.extend([
                    row.listed_size.into(),
                    row.structure.size.into(),
                    row.best_size().into(),
                    flag(row.moe),
                    row.best_active().into(),
                    row.co2.into(),
                    row.likes.into(),
                    row.downloads.into(),
                    flag(row.merged),
                    text(&row.kind),
                    flag(row.post_trained),
                    flag(row.chat_template),
                    text(&row.architecture),
                    row.date.map(day_name).map_or(Cell::Missing, Cell::from),
                    row.date
                        .map(|date| month_name(month(date)))
                        .map_or(Cell::Missing, Cell::from),
                    row.root.as_str().into(),
                    flag(Some(row.repeat)),
                ]);
                cells.extend(row.structure.dimensions().map(Cell::from));
                cells
            })
            .collect(),
        shown: false,
    }
}
