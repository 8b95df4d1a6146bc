//! Adds the rows of one catalog to another, with the ids of the added rows matched to the ids of the existing ones.

use std::collections::BTreeSet;
use std::path::Path;

use super::{ImportReport, joined, manifest_of};
use crate::build::write;
use crate::catalog::{self, Catalog};
use crate::error::Error;
use crate::identity::Identities;
use crate::tables::ResolvedBy;

/// Writes `base` (from folder `dir`, or the compiled-in catalog if `None`) with the rows of the catalog in folder `own`
/// added to folder `out`.
pub(super) fn merge(
    mut base: Catalog,
    dir: Option<&Path>,
    own: &Path,
    identities: &Identities,
    out: &Path,
    report: &mut ImportReport,
) -> Result<(), Error> {
    let mut cells = catalog::provenance(dir)?;
    let mut own_cells = catalog::provenance(Some(own))?;
    let mut added = Catalog::open(own)?;
    let mut names = BTreeSet::new();
    for row in &added.evaluations {
        if !names.insert(row.id.clone()) {
            continue;
        }
        match joined(identities, &row.id) {
            Some((known, rule)) => report.joined.push((row.id.clone(), known, rule.to_owned())),
            None => report.new.push(row.id.clone()),
        }
    }
    let known = |id: &mut String| {
        if let Some((joined, _)) = joined(identities, id) {
            *id = joined;
        }
    };
    for row in &mut added.evaluations {
        known(&mut row.id);
    }
    for row in &mut added.scores {
        known(&mut row.id);
    }
    for row in &mut added.items {
        known(&mut row.id);
    }
    for row in &mut added.checkpoints {
        known(&mut row.id);
    }
    for row in &mut added.structures {
        known(&mut row.id);
    }
    for row in &mut own_cells {
        known(&mut row.id);
    }
    // Runs that were imported before have the same key: the same record in another file is not a second run.
    let keys: BTreeSet<&str> = base
        .evaluations
        .iter()
        .map(|row| row.evaluation.as_str())
        .collect();
    let again: BTreeSet<String> = added
        .evaluations
        .iter()
        .filter(|row| keys.contains(row.evaluation.as_str()))
        .map(|row| row.evaluation.clone())
        .collect();
    added.evaluations.retain(|row| !again.contains(&row.evaluation));
    added.scores.retain(|row| !again.contains(&row.evaluation));
    report.evaluations = added.evaluations.len();
    report.scores = added.scores.len();
    let there: BTreeSet<String> = base.checkpoints.iter().map(|row| row.id.clone()).collect();
    base.checkpoints.extend(
        added
            .checkpoints
            .into_iter()
            .filter(|row| !there.contains(&row.id)),
    );
    base.checkpoints.sort_by(|a, b| a.id.cmp(&b.id));
    base.checkpoints.dedup_by(|a, b| a.id == b.id);
    // The catalog's structure is kept; where it had none, an imported one (from a `config.json`) is taken.
    let resolved: BTreeSet<String> = base
        .structures
        .iter()
        .filter(|row| row.resolved_by != ResolvedBy::None)
        .map(|row| row.id.clone())
        .collect();
    added.structures.retain(|row| !resolved.contains(&row.id));
    let replaced: BTreeSet<String> = added.structures.iter().map(|row| row.id.clone()).collect();
    base.structures.retain(|row| !replaced.contains(&row.id));
    cells.retain(|row| !replaced.contains(&row.id));
    cells.extend(own_cells.into_iter().filter(|row| replaced.contains(&row.id)));
    cells.sort_by(|a, b| a.id.cmp(&b.id));
    base.structures.append(&mut added.structures);
    base.structures.sort_by(|a, b| a.id.cmp(&b.id));
    base.structures.dedup_by(|a, b| a.id == b.id);
    base.evaluations.append(&mut added.evaluations);
    base.scores.append(&mut added.scores);
    base.items.append(&mut added.items);
    base.interventions.append(&mut added.interventions);
    base.rejects.append(&mut added.rejects);
    base.conflicts.append(&mut added.conflicts);
    base.duplicates.append(&mut added.duplicates);
    base.manifest = manifest_of(base.manifest, &added.manifest);
    report.catalog_sha256 = write(out, base, cells)?.catalog_sha256;
    Ok(())
}

/// Writes `base` unchanged.
pub(super) fn copy(
    base: Catalog,
    dir: Option<&Path>,
    out: &Path,
    report: &mut ImportReport,
) -> Result<(), Error> {
    let cells = catalog::provenance(dir)?;
    report.catalog_sha256 = write(out, base, cells)?.catalog_sha256;
    Ok(())
}
