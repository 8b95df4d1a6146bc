//! The catalog indexed for the dashboard: one row per checkpoint, and its evaluations, scores and relatives by id.

use std::collections::BTreeMap;
use std::sync::Arc;

use catalog::Catalog;
use catalog::tables::{Checkpoint, Evaluation, Score, Structure};
use serde_json::{Value, json};
use study::abilities::LISTED;

use super::columns::{BENCHMARKS, COLUMNS, Kind, N_OPEN_LLM};
use crate::rows;

/// A cell of the explorer's table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CheckpointCell {
    Missing,
    Text(String),
    Number(f64),
    Flag(bool),
}

impl CheckpointCell {
    fn text(value: Option<&String>) -> Self {
        value.map_or(Self::Missing, |text| Self::Text(text.clone()))
    }

    fn number(value: Option<f64>) -> Self {
        value
            .filter(|value| value.is_finite())
            .map_or(Self::Missing, Self::Number)
    }

    fn count(value: Option<i64>) -> Self {
        Self::number(value.map(|value| value as f64))
    }

    fn flag(value: Option<bool>) -> Self {
        value.map_or(Self::Missing, Self::Flag)
    }

    /// The cell as JSON; a date as `2024-05-01`.
    pub(crate) fn json(&self, kind: Kind) -> Value {
        match (self, kind) {
            (Self::Missing, _) => Value::Null,
            (Self::Number(days), Kind::Day) => json!(day(*days as i64)),
            (Self::Number(value), _) if value.fract() == 0.0 && value.abs() < 9e15 => json!(*value as i64),
            (Self::Number(value), _) => json!(value),
            (Self::Text(text), _) => json!(text),
            (Self::Flag(flag), _) => json!(flag),
        }
    }

    /// The cell formatted for display.
    pub(crate) fn words(&self, kind: Kind) -> String {
        match (self, kind) {
            (Self::Missing, _) => "–".into(),
            (Self::Number(days), Kind::Day) => day(*days as i64),
            (Self::Number(value), _) => crate::output::number(*value),
            (Self::Text(text), _) => text.clone(),
            (Self::Flag(flag), _) => if *flag { "yes" } else { "no" }.into(),
        }
    }
}

/// Formats a number of days since 1970-01-01 as `2024-05-31`.
pub(crate) use common::calendar::text as day;

/// One checkpoint, with cells in the order of [`COLUMNS`].
#[derive(Debug, Clone)]
pub(crate) struct ListedCheckpoint {
    pub(crate) cells: Vec<CheckpointCell>,
    /// The id in lower case, for searching.
    pub(crate) folded: String,
}

impl ListedCheckpoint {
    pub(crate) fn id(&self) -> &str {
        match &self.cells[0] {
            CheckpointCell::Text(id) => id,
            _ => "",
        }
    }

    pub(crate) fn number(&self, place: usize) -> Option<f64> {
        match self.cells[place] {
            CheckpointCell::Number(value) => Some(value),
            _ => None,
        }
    }
}

/// The catalog with the explorer's rows and indices by id.
pub(crate) struct Checkpoints {
    pub(crate) catalog: Arc<Catalog>,
    /// Rows sorted by id.
    pub(crate) rows: Vec<ListedCheckpoint>,
    checkpoint: BTreeMap<String, usize>,
    structure: BTreeMap<String, usize>,
    evaluations: BTreeMap<String, Vec<usize>>,
    scores: BTreeMap<String, Vec<usize>>,
    children: BTreeMap<String, Vec<usize>>,
}

impl Checkpoints {
    pub(crate) fn of(catalog: Arc<Catalog>) -> Self {
        let mut evaluations: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (place, row) in catalog.evaluations.iter().enumerate() {
            evaluations.entry(row.id.clone()).or_default().push(place);
        }
        let mut scores: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (place, row) in catalog.scores.iter().enumerate() {
            scores.entry(row.evaluation.clone()).or_default().push(place);
        }
        let mut children: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let by_id = |ids: &mut dyn Iterator<Item = &String>| -> BTreeMap<String, usize> {
            ids.enumerate().map(|(place, id)| (id.clone(), place)).collect()
        };
        let checkpoint = by_id(&mut catalog.checkpoints.iter().map(|row| &row.id));
        let structure = by_id(&mut catalog.structures.iter().map(|row| &row.id));
        for (place, row) in catalog.checkpoints.iter().enumerate() {
            if let Some(base) = row.base.as_ref().filter(|base| **base != row.id) {
                children.entry(base.clone()).or_default().push(place);
            }
        }
        let mut all = Self {
            rows: Vec::new(),
            checkpoint,
            structure,
            evaluations,
            scores,
            children,
            catalog,
        };
        let mut rows: Vec<ListedCheckpoint> = all
            .catalog
            .checkpoints
            .iter()
            .map(|checkpoint| all.row(checkpoint))
            .collect();
        rows.sort_by(|a, b| a.id().cmp(b.id()));
        all.rows = rows;
        all
    }

    /// The checkpoint with this id, spelt exactly as on the Hub.
    pub(crate) fn get(&self, id: &str) -> Option<&Checkpoint> {
        self.checkpoint
            .get(id)
            .map(|&place| &self.catalog.checkpoints[place])
    }

    /// The structure of a checkpoint; `None` where no source has it.
    pub(crate) fn structure(&self, id: &str) -> Option<&Structure> {
        self.structure
            .get(id)
            .map(|&place| &self.catalog.structures[place])
    }

    /// The explorer's row of a checkpoint.
    pub(crate) fn row_of(&self, id: &str) -> Option<&ListedCheckpoint> {
        let place = self.rows.binary_search_by(|row| row.id().cmp(id)).ok()?;
        self.rows.get(place)
    }

    /// The evaluations of a checkpoint, each with its scores.
    pub(crate) fn evaluations(&self, id: &str) -> Vec<(&Evaluation, Vec<&Score>)> {
        self.evaluations
            .get(id)
            .into_iter()
            .flatten()
            .map(|&place| {
                let row = &self.catalog.evaluations[place];
                (row, self.scores(&row.evaluation))
            })
            .collect()
    }

    fn scores(&self, evaluation: &str) -> Vec<&Score> {
        self.scores
            .get(evaluation)
            .into_iter()
            .flatten()
            .map(|&place| &self.catalog.scores[place])
            .collect()
    }

    /// The ancestors of a checkpoint, the nearest first; cycles are cut.
    pub(crate) fn ancestors(&self, id: &str) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let mut here = id.to_owned();
        while let Some(base) = self.get(&here).and_then(|row| row.base.clone()) {
            if base == here || base == id || found.contains(&base) {
                break;
            }
            found.push(base.clone());
            here = base;
        }
        found
    }

    /// The checkpoints made directly from this one.
    pub(crate) fn children(&self, id: &str) -> Vec<&Checkpoint> {
        self.children
            .get(id)
            .into_iter()
            .flatten()
            .map(|&place| &self.catalog.checkpoints[place])
            .collect()
    }

    /// At most five ids similar to an unknown one: equal except for case first, then those that contain the name.
    pub(crate) fn like(&self, id: &str) -> Vec<&str> {
        let folded = id.to_lowercase();
        let same = self.rows.iter().filter(|row| row.folded == folded);
        let name = folded.rsplit('/').next().unwrap_or(&folded);
        let near = self
            .rows
            .iter()
            .filter(|row| name.len() >= 4 && row.folded != folded && row.folded.contains(name));
        same.chain(near).map(ListedCheckpoint::id).take(5).collect()
    }

    fn row(&self, checkpoint: &Checkpoint) -> ListedCheckpoint {
        let id = checkpoint.id.as_str();
        let structure = self.structure(id);
        let evaluations = self.evaluations(id);
        let first_of = |leaderboard: &str| {
            evaluations
                .iter()
                .filter(|(row, _)| row.leaderboard == leaderboard)
                .min_by_key(|(row, _)| row.duplicate_of.is_some())
        };
        let (v1, v2) = (first_of(rows::V1), first_of(rows::V2));
        let count = |pick: fn(&Structure) -> Option<i64>| CheckpointCell::count(structure.and_then(pick));
        let cells = COLUMNS
            .iter()
            .map(|column| match column.name {
                "id" => CheckpointCell::Text(id.to_owned()),
                "organisation" => CheckpointCell::text(checkpoint.organisation.as_ref()),
                "architecture" => CheckpointCell::text(checkpoint.architecture.as_ref()),
                "size" => CheckpointCell::number(structure.and_then(|row| row.size)),
                "layers" => count(|row| row.layers),
                "d_model" => count(|row| row.d_model),
                "d_ffn" => count(|row| row.d_ffn),
                "heads" => count(|row| row.heads),
                "kv_heads" => count(|row| row.kv_heads),
                "vocab_size" => count(|row| row.vocab_size),
                "pos" => count(|row| row.pos),
                "date" => CheckpointCell::number(structure.and_then(|row| row.date).map(f64::from)),
                "resolved_by" => structure.map_or(CheckpointCell::Missing, |row| {
                    CheckpointCell::Text(row.resolved_by.as_str().into())
                }),
                "average_v1" => CheckpointCell::number(v1.and_then(|(row, _)| row.average)),
                "average_v2" => CheckpointCell::number(v2.and_then(|(row, _)| row.average)),
                "likes" => CheckpointCell::count(checkpoint.likes),
                "downloads" => CheckpointCell::count(checkpoint.downloads),
                "license" => CheckpointCell::text(checkpoint.license.as_ref()),
                "merged" => CheckpointCell::flag(checkpoint.merged),
                "flagged" => CheckpointCell::flag(checkpoint.flagged),
                "base" => CheckpointCell::text(checkpoint.base.as_ref()),
                benchmark => {
                    let place = BENCHMARKS.iter().position(|name| *name == benchmark);
                    match place {
                        Some(place) if place < LISTED[0].benchmarks.len() => of(v1, benchmark),
                        Some(place) if place < N_OPEN_LLM => of(v2, benchmark),
                        _ => later(&evaluations, benchmark),
                    }
                }
            })
            .collect();
        ListedCheckpoint {
            cells,
            folded: id.to_lowercase(),
        }
    }
}

/// The score on a benchmark in one evaluation.
fn of(evaluation: Option<&(&Evaluation, Vec<&Score>)>, benchmark: &str) -> CheckpointCell {
    CheckpointCell::number(evaluation.and_then(|(_, scores)| {
        scores
            .iter()
            .find(|score| score.benchmark == benchmark)
            .map(|score| score.value)
    }))
}

/// The score on a benchmark of another board, which may have several runs: the first without a mode, else the first.
fn later(evaluations: &[(&Evaluation, Vec<&Score>)], benchmark: &str) -> CheckpointCell {
    let all = || {
        let first = evaluations.iter().filter(|(row, _)| row.duplicate_of.is_none());
        let scores = first.flat_map(|(_, scores)| scores);
        scores.filter(|score| score.benchmark == benchmark)
    };
    let plain = all().find(|score| score.mode.is_none());
    CheckpointCell::number(plain.or_else(|| all().next()).map(|score| score.value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        assert_eq!(
            [0, 59, 19_782, -1, 11_016].map(day),
            [
                "1970-01-01",
                "1970-03-01",
                "2024-02-29",
                "1969-12-31",
                "2000-02-29"
            ]
        );
    }
}
