//! A listed board as rows for trends and correlations, one per checkpoint.

use std::collections::{BTreeMap, BTreeSet};

use catalog::Catalog;
use study::abilities::Listed;
use study::board::{Board, ScoredCheckpoint};

use super::{Shapes, by_id, post_trained};

/// Builds the board. For each checkpoint and benchmark the first run without a mode counts, else the first run.
pub(crate) fn board(catalog: &Catalog, shapes: &Shapes<'_>, listed: &'static Listed) -> Board {
    let mut repeats = BTreeSet::new();
    for row in &catalog.evaluations {
        if row.duplicate_of.is_some() && listed.has(&row.leaderboard) {
            repeats.insert(row.evaluation.as_str());
        }
    }
    // Whether the score is of a run with a mode, and the score.
    let mut found: BTreeMap<&str, Vec<Option<(bool, f64)>>> = BTreeMap::new();
    for score in &catalog.scores {
        let Some(place) = listed.benchmarks.iter().position(|name| *name == score.benchmark) else {
            continue;
        };
        if !listed.has(&score.leaderboard) || repeats.contains(score.evaluation.as_str()) {
            continue;
        }
        let cells = found
            .entry(score.id.as_str())
            .or_insert_with(|| vec![None; listed.benchmarks.len()]);
        let in_mode = score.mode.is_some();
        if cells[place].is_none_or(|(known_in_mode, _)| known_in_mode && !in_mode) {
            cells[place] = Some((in_mode, score.value));
        }
    }
    let checkpoints = by_id(catalog);
    let rows = found.into_iter().map(|(id, cells)| {
        let structure = shapes.columns(id);
        ScoredCheckpoint {
            id: id.to_owned(),
            shape: shapes.number(id),
            pretrained: post_trained(checkpoints.get(id).copied()).map(|is| !is),
            date: structure.date,
            size: structure.size,
            structure,
            scores: cells
                .into_iter()
                .map(|cell| cell.map(|(_, value)| value))
                .collect(),
        }
    });
    Board::listed(listed, rows.collect(), repeats.len())
}
