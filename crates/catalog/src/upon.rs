//! Updates a catalog: adds new sources to the tables of an existing one, so that a refresh does not lose boards whose
//! sources are not given again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::build::{Progress, build_into, folder_beside, put_in_place, write};
use crate::catalog::{Catalog, provenance};
use crate::discover::Root;
use crate::error::Error;
use crate::tables::{Checkpoint, Manifest, Provenance, ResolvedBy, Structure};

/// Builds the sources under `roots` and merges them into the catalog in folder `base` (the compiled-in one if `None`).
/// Boards in the new sources replace the old ones, all others stay. A checkpoint's new cells replace the old ones
/// unless they are empty. A structure is replaced where the new one is from its own config, or where none was known.
///
/// # Errors
/// As for [`crate::build_from`] and [`Catalog::open`].
pub fn build_upon(
    base: Option<&Path>,
    roots: &[Root<'_>],
    licensed_only: bool,
    out: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Manifest, Error> {
    let folder = folder_beside(out)?;
    let fresh = folder.path().join("fresh");
    std::fs::create_dir(&fresh).map_err(Error::io(&fresh))?;
    build_into(roots, licensed_only, &fresh, progress)?;
    let new = (Catalog::open(&fresh)?, provenance(Some(&fresh))?);
    std::fs::remove_dir_all(&fresh).map_err(Error::io(&fresh))?;
    let old = match base {
        Some(dir) => Catalog::open(dir)?,
        None => Catalog::snapshot()?,
    };
    let (all, cells) = together((old, provenance(base)?), new);
    let manifest = write(folder.path(), all, cells)?;
    put_in_place(folder, out)?;
    Ok(manifest)
}

/// Merges two catalogs; see [`build_upon`].
fn together(
    (old, old_cells): (Catalog, Vec<Provenance>),
    (new, new_cells): (Catalog, Vec<Provenance>),
) -> (Catalog, Vec<Provenance>) {
    let boards: BTreeSet<&str> = new
        .evaluations
        .iter()
        .map(|row| row.leaderboard.as_str())
        .collect();
    let is_kept = |board: &str| !boards.contains(board);
    let files: BTreeSet<&str> = new
        .manifest
        .sources
        .iter()
        .map(|source| source.path.as_str())
        .collect();
    let mut all = Catalog {
        // The accuracy of each way was measured on all checkpoints of the base catalog.
        resolution: old.resolution,
        ..Catalog::default()
    };
    let kept: BTreeSet<String> = old
        .evaluations
        .iter()
        .filter(|row| is_kept(&row.leaderboard))
        .map(|row| row.evaluation.clone())
        .collect();
    all.evaluations = old
        .evaluations
        .into_iter()
        .filter(|row| is_kept(&row.leaderboard))
        .collect();
    all.scores = old
        .scores
        .into_iter()
        .filter(|row| is_kept(&row.leaderboard))
        .collect();
    all.duplicates = old
        .duplicates
        .into_iter()
        .filter(|row| kept.contains(&row.evaluation))
        .collect();
    all.rejects = old
        .rejects
        .into_iter()
        .filter(|row| !files.contains(row.source.as_str()))
        .collect();
    all.manifest.sources = old
        .manifest
        .sources
        .into_iter()
        .filter(|source| !files.contains(source.path.as_str()))
        .collect();
    all.items = old.items;
    all.interventions = old.interventions;
    let fresh: BTreeSet<&str> = new.checkpoints.iter().map(|row| row.id.as_str()).collect();
    all.conflicts = old
        .conflicts
        .into_iter()
        .filter(|row| !fresh.contains(row.id.as_str()))
        .collect();

    let (checkpoints, (structures, replaced)) = (
        checkpoints(old.checkpoints, new.checkpoints.clone()),
        structures(old.structures, new.structures.clone()),
    );
    all.checkpoints = checkpoints;
    all.structures = structures;
    let mut cells: Vec<Provenance> = old_cells
        .into_iter()
        .filter(|cell| !replaced.contains(&cell.id))
        .collect();
    cells.extend(new_cells.into_iter().filter(|cell| replaced.contains(&cell.id)));
    cells.sort_by(|a, b| a.id.cmp(&b.id));

    all.evaluations.extend(new.evaluations);
    all.scores.extend(new.scores);
    all.duplicates.extend(new.duplicates);
    all.rejects.extend(new.rejects);
    all.manifest.sources.extend(new.manifest.sources);
    all.items.extend(new.items);
    for row in new.interventions {
        if !all.interventions.contains(&row) {
            all.interventions.push(row);
        }
    }
    all.conflicts.extend(new.conflicts);
    (all, cells)
}

fn checkpoints(old: Vec<Checkpoint>, new: Vec<Checkpoint>) -> Vec<Checkpoint> {
    let mut all: BTreeMap<String, Checkpoint> = old.into_iter().map(|row| (row.id.clone(), row)).collect();
    for row in new {
        let row = match all.remove(&row.id) {
            Some(before) => completed(&row, &before).unwrap_or(row),
            None => row,
        };
        all.insert(row.id.clone(), row);
    }
    all.into_values().collect()
}

/// `row` with its empty cells filled in from `other`.
fn completed<R: Serialize + DeserializeOwned>(row: &R, other: &R) -> Option<R> {
    let (mut cells, before) = (serde_json::to_value(row).ok()?, serde_json::to_value(other).ok()?);
    let (own, before) = (cells.as_object_mut()?, before.as_object()?);
    for (name, cell) in own.iter_mut().filter(|(_, cell)| cell.is_null()) {
        cell.clone_from(before.get(name)?);
    }
    serde_json::from_value(cells).ok()
}

/// The merged structures, and the ids of those that are new.
fn structures(old: Vec<Structure>, new: Vec<Structure>) -> (Vec<Structure>, BTreeSet<String>) {
    let mut all: BTreeMap<String, Structure> = old.into_iter().map(|row| (row.id.clone(), row)).collect();
    let mut replaced = BTreeSet::new();
    for row in new {
        let before = all.get(&row.id);
        let is_better = before.is_none_or(|before| {
            before.layers.is_none() || row.layers.is_some() && row.resolved_by == ResolvedBy::Exact
        });
        if is_better {
            replaced.insert(row.id.clone());
            all.insert(row.id.clone(), row);
        }
    }
    (all.into_values().collect(), replaced)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::{Evaluation, Score};

    fn evaluated(board: &str, id: &str) -> (Evaluation, Score) {
        let evaluation = Evaluation {
            evaluation: format!("{board}/0"),
            leaderboard: board.into(),
            id: id.into(),
            ..Evaluation::default()
        };
        let score = Score {
            evaluation: evaluation.evaluation.clone(),
            id: id.into(),
            leaderboard: board.into(),
            benchmark: "arc".into(),
            value: 40.0,
            ..Score::default()
        };
        (evaluation, score)
    }

    fn catalog(rows: Vec<(Evaluation, Score)>, checkpoints: Vec<Checkpoint>) -> Catalog {
        let (evaluations, scores) = rows.into_iter().unzip();
        Catalog {
            checkpoints,
            evaluations,
            scores,
            ..Catalog::default()
        }
    }

    #[test]
    fn a_refresh_replaces_its_boards_and_keeps_all_others() {
        let checkpoint = |id: &str, likes, license: Option<&str>| Checkpoint {
            id: id.into(),
            likes,
            license: license.map(str::to_owned),
            ..Checkpoint::default()
        };
        let old = catalog(
            vec![evaluated("a", "o/x"), evaluated("b", "o/x")],
            vec![
                checkpoint("o/x", Some(1), Some("mit")),
                checkpoint("o/y", None, None),
            ],
        );
        let new = catalog(
            vec![evaluated("b", "o/z")],
            vec![checkpoint("o/x", Some(9), None)],
        );
        let (all, _) = together((old, Vec::new()), (new, Vec::new()));
        let boards: Vec<(&str, &str)> = all
            .scores
            .iter()
            .map(|score| (score.leaderboard.as_str(), score.id.as_str()))
            .collect();
        assert_eq!(boards, [("a", "o/x"), ("b", "o/z")]);
        assert_eq!(all.checkpoints.len(), 2);
        assert_eq!(all.checkpoints[0].likes, Some(9), "the new cell");
        assert_eq!(
            all.checkpoints[0].license.as_deref(),
            Some("mit"),
            "the old one where the new is empty"
        );
    }

    #[test]
    fn a_structure_is_the_new_one_where_its_config_says_it() {
        let structure = |layers: Option<i64>, resolved_by| Structure {
            id: "o/x".into(),
            layers,
            resolved_by,
            ..Structure::default()
        };
        let layers = |old, new| structures(vec![old], vec![new]).0[0].layers;
        let known = structure(Some(32), ResolvedBy::Name);
        assert_eq!(
            layers(known.clone(), structure(Some(30), ResolvedBy::Exact)),
            Some(30)
        );
        assert_eq!(
            layers(known.clone(), structure(Some(30), ResolvedBy::Size)),
            Some(32)
        );
        assert_eq!(layers(known, structure(None, ResolvedBy::None)), Some(32));
    }
}
