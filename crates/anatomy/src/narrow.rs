//! Restricts a catalog to the evaluations that satisfy a condition.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};
use catalog::Catalog;
use catalog::answer::Values;
use catalog::query::Engine;
use catalog::tables::ResolvedBy;
use study::claims::is_claim;
use study::section::Section;

/// Rows of organisations that a leaderboard lists as official providers.
pub(crate) const OFFICIAL: &str =
    "organisation in (select distinct organisation from observations where official_provider)";
/// Unquantised runs on a single device, in which the arithmetic of a structure is visible.
pub(crate) const UNQUANTIZED: &str = "leaderboard = 'llm-perf-1xA10' and setting like '%Unquantized%'";

/// Structures known from a checkpoint's own config or its declared base.
pub(crate) const CERTAIN: &str = "resolved_by in ('exact', 'lineage')";

/// Computes keys of evaluations from a catalog.
type Keys = fn(&Catalog) -> BTreeSet<String>;

/// Conditions used by the report itself: as SQL for readers to repeat, and as a function that needs no SQL engine.
const OWN: [(&str, Keys); 3] = [
    (OFFICIAL, official),
    (UNQUANTIZED, unquantized),
    (CERTAIN, certain),
];

/// Organisations that a leaderboard lists as official providers.
pub(crate) fn official_organisations(catalog: &Catalog) -> BTreeSet<&str> {
    let rows = catalog.evaluations.iter();
    rows.filter(|row| row.official_provider == Some(true))
        .filter_map(|row| Some(row.id.split_once('/')?.0))
        .collect()
}

fn official(catalog: &Catalog) -> BTreeSet<String> {
    let organisation = |id: &str| {
        id.split_once('/')
            .map(|(organisation, _)| organisation.to_owned())
    };
    let scored: BTreeSet<&str> = catalog
        .scores
        .iter()
        .map(|score| score.evaluation.as_str())
        .collect();
    let rows = || {
        catalog
            .evaluations
            .iter()
            .filter(|row| scored.contains(row.evaluation.as_str()))
    };
    let official: BTreeSet<String> = rows()
        .filter(|row| row.official_provider == Some(true))
        .filter_map(|row| organisation(&row.id))
        .collect();
    rows()
        .filter(|row| organisation(&row.id).is_some_and(|name| official.contains(&name)))
        .map(|row| row.evaluation.clone())
        .collect()
}

fn certain(catalog: &Catalog) -> BTreeSet<String> {
    let known: BTreeSet<&str> = catalog
        .structures
        .iter()
        .filter(|row| matches!(row.resolved_by, ResolvedBy::Exact | ResolvedBy::Lineage))
        .map(|row| row.id.as_str())
        .collect();
    let scored = catalog
        .scores
        .iter()
        .filter(|score| known.contains(score.id.as_str()));
    scored.map(|score| score.evaluation.clone()).collect()
}

fn unquantized(catalog: &Catalog) -> BTreeSet<String> {
    let is_so = |setting: &String| setting.contains("Unquantized");
    catalog
        .scores
        .iter()
        .filter(|score| score.leaderboard == "llm-perf-1xA10" && score.setting.as_ref().is_some_and(is_so))
        .map(|score| score.evaluation.clone())
        .collect()
}

/// Keys of the evaluations with an observation that satisfies `condition`, SQL over `observations`.
pub(crate) fn evaluations(
    catalog: &Catalog,
    dir: Option<&Path>,
    condition: &str,
) -> Result<BTreeSet<String>> {
    if let Some((_, keys)) = OWN.iter().find(|(own, _)| *own == condition) {
        return Ok(keys(catalog));
    }
    by_engine(dir, condition)
}

fn by_engine(dir: Option<&Path>, condition: &str) -> Result<BTreeSet<String>> {
    let sql = format!("select distinct evaluation from observations where (\n{condition}\n)");
    let answer = Engine::open(dir)?
        .query(&sql)
        .map_err(|error| error.in_condition(condition))
        .with_context(|| format!("--where `{condition}`"))?;
    Ok(match answer.columns()?.into_iter().next() {
        Some((_, Values::Text(keys))) => keys.into_iter().flatten().collect(),
        _ => BTreeSet::new(),
    })
}

/// The catalog with only these evaluations, their scores, and their checkpoints and structures.
pub(crate) fn narrowed(catalog: &Catalog, dir: Option<&Path>, condition: &str) -> Result<Catalog> {
    let kept = evaluations(catalog, dir, condition)?;
    if kept.is_empty() {
        bail!("--where `{condition}` matches no evaluation of the catalog");
    }
    let evaluations = only(&catalog.evaluations, |row| kept.contains(&row.evaluation));
    let ids: BTreeSet<&str> = evaluations.iter().map(|row| row.id.as_str()).collect();
    Ok(Catalog {
        manifest: catalog.manifest.clone(),
        checkpoints: only(&catalog.checkpoints, |row| ids.contains(row.id.as_str())),
        structures: only(&catalog.structures, |row| ids.contains(row.id.as_str())),
        scores: only(&catalog.scores, |row| kept.contains(&row.evaluation)),
        items: catalog.items.clone(),
        interventions: catalog.interventions.clone(),
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

/// States the condition in findings, figures and tables, and removes published numbers, which refer to all rows.
pub(crate) fn say(sections: &mut [Section], condition: &str) {
    for finding in sections.iter_mut().flat_map(|section| &mut section.findings) {
        if !is_claim(&finding.id) {
            finding.published = None;
            finding.verdict = None;
        }
        finding.source.place = format!("{}, where {condition}", finding.source.place);
    }
    say_captions(sections, condition);
}

/// States the condition in captions only, for sections whose findings state it already.
pub(crate) fn say_captions(sections: &mut [Section], condition: &str) {
    for section in sections {
        let of_figures = section.figures.iter_mut().map(|figure| &mut figure.caption);
        let of_tables = section.tables.iter_mut().map(|table| &mut table.caption);
        for caption in of_figures.chain(of_tables) {
            let end = if caption.is_empty() || caption.ends_with(['.', '?', '!']) {
                ""
            } else {
                "."
            };
            *caption = format!("{caption}{end} Only rows where {condition}.");
        }
    }
}

#[cfg(all(test, feature = "sql"))]
mod tests {
    use super::*;

    #[test]
    fn the_reports_own_conditions_are_what_their_sql_says() -> Result<()> {
        let catalog = Catalog::snapshot()?;
        for (condition, keys) in OWN {
            let by_hand = keys(&catalog);
            assert!(by_hand.len() > 100, "{condition}: {}", by_hand.len());
            assert_eq!(by_hand, by_engine(None, condition)?, "{condition}");
        }
        Ok(())
    }
}
