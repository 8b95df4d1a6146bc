//! The rows of a regression, and a table of them for fitting with other programs.

use super::LeaderboardV1;
use crate::design::Design;
use crate::error::Error;
use crate::features::feature_set;
use crate::groups::Groups;
use crate::protocol::Protocol;
use crate::section::{Cell, Table};

pub(super) const PROTOCOLS: [Protocol; 2] = [Protocol::RandomSplit, Protocol::StructureOut];

/// The feature set of these regressions.
pub(super) const SET: &str = "structure_date";

/// The rows used by a regression, with all features and the score known.
pub(super) struct BoardRows {
    /// Indices of the rows in the study.
    pub(super) numbers: Vec<usize>,
    pub(super) design: Design,
    pub(super) target: Vec<f64>,
    pub(super) shape: Groups,
    /// Groups of rows with all structure columns but the date equal.
    pub(super) structure: Groups,
}

/// Rows with all features of the set and the score; the number of others is stated in the table's caption.
pub(super) fn rows_of(study: &LeaderboardV1<'_>, benchmark: usize) -> Result<BoardRows, Error> {
    let names = feature_set(SET).expect("a set of the table");
    let mut rows = Vec::new();
    let mut target = Vec::new();
    let mut columns = vec![Vec::new(); names.len()];
    for (row, score) in study.scored(benchmark) {
        let own = &study.rows[row].structure;
        let values: Option<Vec<f64>> = names.iter().map(|name| own.named(name)).collect();
        let Some(values) = values else { continue };
        rows.push(row);
        target.push(score);
        for (column, value) in columns.iter_mut().zip(values) {
            column.push(value);
        }
    }
    let design = Design::new(names.iter().map(ToString::to_string).collect(), columns)?;
    let shape = Groups::from_columns(&design, &["layers", "d_model", "d_ffn", "heads"])?;
    let structure = Groups::from_columns(&design, feature_set("structure").expect("a set of the table"))?;
    Ok(BoardRows {
        numbers: rows,
        design,
        target,
        shape,
        structure,
    })
}

/// The rows of one regression as a table, so that they can be fitted with another program.
pub(super) fn rows_table(study: &LeaderboardV1<'_>, benchmark: &str, rows: &BoardRows) -> Table {
    let names = rows.design.names();
    Table {
        id: format!("regression-rows-{benchmark}"),
        caption: format!(
            "The {} rows of the regression on {benchmark} ({} of {} checkpoints lack a feature or the score), their test \
             fold under each protocol (-1: always training) and out-of-fold predictions.",
            rows.target.len(),
            study.rows.len() - rows.target.len(),
            study.rows.len()
        ),
        columns: ["id", "score"]
            .into_iter()
            .map(String::from)
            .chain(names.iter().cloned())
            .collect(),
        rows: rows
            .numbers
            .iter()
            .enumerate()
            .map(|(row, &of_study)| {
                let features = rows.design.columns().iter().map(|column| Cell::from(column[row]));
                [
                    Cell::from(study.rows[of_study].id.as_str()),
                    rows.target[row].into(),
                ]
                .into_iter()
                .chain(features)
                .collect()
            })
            .collect(),
        shown: false,
    }
}
