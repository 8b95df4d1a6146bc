//! A catalog of only those evaluations for which a condition holds.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};
use catalog::Catalog;
use catalog::query::{Engine, Values};

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
pub(crate) fn narrowed(mut catalog: Catalog, dir: Option<&Path>, condition: &str) -> Result<Catalog> {
    let kept = evaluations(dir, condition)?;
    if kept.is_empty() {
        bail!("--where `{condition}` holds for no evaluation of the catalog");
    }
    catalog.evaluations.retain(|row| kept.contains(&row.evaluation));
    catalog.scores.retain(|score| kept.contains(&score.evaluation));
    let ids: BTreeSet<String> = catalog.evaluations.iter().map(|row| row.id.clone()).collect();
    catalog.structures.retain(|structure| ids.contains(&structure.id));
    catalog
        .checkpoints
        .retain(|checkpoint| ids.contains(&checkpoint.id));
    Ok(catalog)
}
