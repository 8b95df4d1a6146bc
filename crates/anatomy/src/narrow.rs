//! A catalog of only those evaluations for which a condition holds.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};
use catalog::Catalog;
use catalog::query::{Engine, Values};

use crate::report::Study;

/// Keys of the evaluations with an observation for which `condition`, SQL over `observations`, holds.
pub(crate) fn evaluations(dir: Option<&Path>, condition: &str) -> Result<BTreeSet<String>> {
    let sql = format!("select distinct evaluation from observations where ({condition})");
    let answer = Engine::open(dir)?
        .query(&sql)
        .with_context(|| format!("--where `{condition}`"))?;
    Ok(match answer.columns()?.into_iter().next() {
        Some((_, Values::Text(keys))) => keys.into_iter().flatten().collect(),
        _ => BTreeSet::new(),
    })
}

/// The catalog with only those evaluations, their scores, and the checkpoints and structures they are of.
pub(crate) fn narrowed(catalog: &Catalog, dir: Option<&Path>, condition: &str) -> Result<Catalog> {
    let kept = evaluations(dir, condition)?;
    if kept.is_empty() {
        bail!("--where `{condition}` holds for no evaluation of the catalog");
    }
    let evaluations = only(&catalog.evaluations, |row| kept.contains(&row.evaluation));
    let ids: BTreeSet<&str> = evaluations.iter().map(|row| row.id.as_str()).collect();
    Ok(Catalog {
        manifest: catalog.manifest.clone(),
        checkpoints: only(&catalog.checkpoints, |row| ids.contains(row.id.as_str())),
        structures: only(&catalog.structures, |row| ids.contains(row.id.as_str())),
        scores: only(&catalog.scores, |row| kept.contains(&row.evaluation)),
        items: catalog.items.clone(),
        rejects: catalog.rejects.clone(),
        conflicts: catalog.conflicts.clone(),
        duplicates: catalog.duplicates.clone(),
        resolution: catalog.resolution.clone(),
        evaluations,
    })
}

fn only<T: Clone>(rows: &[T], keeps: impl Fn(&T) -> bool) -> Vec<T> {
    rows.iter().filter(|row| keeps(row)).cloned().collect()
}

/// Findings on chosen rows say which; numbers published of all rows do not stand beside them.
pub(crate) fn say(study: &mut Study, condition: &str) {
    for section in &mut study.sections {
        for finding in &mut section.findings {
            if !finding.id.starts_with("claims.") {
                finding.published = None;
                finding.verdict = None;
            }
            finding.source.place = format!("{}, where {condition}", finding.source.place);
        }
    }
}
