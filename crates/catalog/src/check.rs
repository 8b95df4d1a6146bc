//! Checks that a catalog agrees with its sources: counts the violations of every rule, and hashes every source and
//! table again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::bindings;
use crate::build::{Progress, build_into};
use crate::catalog::{Catalog, provenance};
use crate::clean::RANGES;
use crate::discover::Root;
use crate::error::Error;
use crate::identity::Identities;
use crate::origins;
use crate::resolve::{LEFT_OUT, OUTSIDE};
pub use crate::rule::RuleCheck;
use crate::rule::ask;
use crate::tables::{Accuracy, Conflict, ResolvedBy, Source};

/// How a source or a table compares with what the catalog's manifest says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// The same bytes.
    Same,
    /// Other bytes.
    Changed,
    /// In the catalog's manifest, but not found now.
    Missing,
    /// Found now, but not in the catalog's manifest.
    New,
    /// Not compared: no sources were given.
    NotCompared,
}

/// One source as the catalog has it, and how it compares now.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceCheck {
    /// As in the catalog's manifest (or, where it is new, as it is now).
    pub source: Source,
    /// How it compares now.
    pub standing: Standing,
    /// Whether rows in = rows kept + rows rejected, and the counts by reason sum to the rejected.
    pub adds_up: bool,
}

/// One table's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableCheck {
    /// Name of the table.
    pub table: String,
    /// Rows in the catalog.
    pub rows: u64,
    /// SHA-256 in the catalog's manifest.
    pub sha256: String,
    /// SHA-256 of the table rebuilt from the sources.
    pub rebuilt: Option<String>,
    /// How the two compare.
    pub standing: Standing,
}

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CheckReport {
    /// Identity of the catalog.
    pub catalog_sha256: String,
    /// Sources in the order they were read.
    pub sources: Vec<SourceCheck>,
    /// The tables, sorted by name.
    pub tables: Vec<TableCheck>,
    /// The rules and how many rows break each.
    pub rules: Vec<RuleCheck>,
    /// Accuracy of each way of resolving structures.
    pub accuracy: Vec<Accuracy>,
    /// Counts that differ by more than two per cent from those of outside boards, and structures that the other ways of
    /// resolving would get wrong.
    pub off: Vec<Conflict>,
    /// How the names and ids that boards use were matched to checkpoints.
    pub joins: Joins,
}

/// How the names that boards give to checkpoints were matched.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
pub struct Joins {
    /// Number of names or ids matched to another spelling, by rule.
    pub by_rule: BTreeMap<String, usize>,
    /// Number of names for which no open checkpoint is known.
    pub unknown: usize,
    /// Names that fit several checkpoints, with those checkpoints; none of them is taken.
    pub several: Vec<String>,
    /// Groups of ids with scores that differ only in case or in the owner's account, and are kept as separate
    /// checkpoints.
    pub apart: Vec<Vec<String>>,
}

/// How the names that boards use were matched, reconstructed from the catalog's tables.
pub fn joins(catalog: &Catalog) -> Joins {
    let mut joins = Joins::default();
    let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
    for reject in &catalog.rejects {
        if !seen.insert((reject.raw.as_str(), reject.reason.as_str())) {
            continue;
        }
        match reject.reason.as_str() {
            "no_open_checkpoint_of_that_name" => joins.unknown += 1,
            "several_checkpoints_of_that_name" => joins.several.push(reject.raw.clone()),
            reason => {
                if let Some((rule, _)) = reason
                    .strip_prefix("joined_by_")
                    .and_then(|rest| rest.split_once(':'))
                {
                    *joins.by_rule.entry(rule.to_owned()).or_insert(0) += 1;
                }
            }
        }
    }
    let scored: BTreeSet<&str> = catalog.evaluations.iter().map(|row| row.id.as_str()).collect();
    joins.apart = Identities::of(scored.into_iter()).apart();
    joins
}

impl CheckReport {
    /// Whether nothing changed, all row counts add up and no rule is broken.
    pub fn holds(&self) -> bool {
        let still = |standing| matches!(standing, Standing::Same | Standing::NotCompared);
        self.sources
            .iter()
            .all(|check| still(check.standing) && check.adds_up)
            && self.tables.iter().all(|check| still(check.standing))
            && self.rules.iter().all(|check| check.broken == 0)
    }
}

/// Checks the rules of the catalog in folder `dir` (the compiled-in snapshot if `None`) and, where `sources` are given,
/// compares it with a fresh build of them in a temporary folder.
///
/// # Errors
/// [`Error`] as for [`Catalog::open`] and [`crate::build()`]. A change or a broken rule is not an error: see
/// [`CheckReport::holds`].
pub fn check(
    dir: Option<&Path>,
    sources: Option<&Path>,
    progress: &mut dyn FnMut(Progress),
) -> Result<CheckReport, Error> {
    let catalog = dir.map_or_else(Catalog::snapshot, Catalog::open)?;
    let rebuilt = match sources {
        None => None,
        Some(sources) => {
            let folder = tempfile::tempdir().map_err(Error::io(&std::env::temp_dir()))?;
            Some(build_into(
                &[Root {
                    path: sources,
                    name: "",
                }],
                false,
                folder.path(),
                progress,
            )?)
        }
    };
    let now: Option<BTreeMap<&str, &Source>> = rebuilt.as_ref().map(|manifest| {
        manifest
            .sources
            .iter()
            .map(|source| (source.path.as_str(), source))
            .collect()
    });
    let mut report = CheckReport {
        catalog_sha256: catalog.manifest.catalog_sha256.clone(),
        ..CheckReport::default()
    };
    for source in &catalog.manifest.sources {
        let standing = match now.as_ref().map(|now| now.get(source.path.as_str())) {
            None => Standing::NotCompared,
            Some(None) => Standing::Missing,
            Some(Some(found)) if found.sha256 == source.sha256 => Standing::Same,
            Some(Some(_)) => Standing::Changed,
        };
        report.sources.push(SourceCheck {
            adds_up: adds_up(source),
            source: source.clone(),
            standing,
        });
    }
    let before: BTreeSet<&str> = catalog
        .manifest
        .sources
        .iter()
        .map(|source| source.path.as_str())
        .collect();
    for source in rebuilt
        .iter()
        .flat_map(|manifest| &manifest.sources)
        .filter(|s| !before.contains(s.path.as_str()))
    {
        report.sources.push(SourceCheck {
            adds_up: adds_up(source),
            source: source.clone(),
            standing: Standing::New,
        });
    }
    for (table, file) in &catalog.manifest.tables {
        let again = rebuilt
            .as_ref()
            .map(|manifest| manifest.tables.get(table).map(|file| file.sha256.clone()));
        let standing = match &again {
            None => Standing::NotCompared,
            Some(None) => Standing::Missing,
            Some(Some(sha256)) if *sha256 == file.sha256 => Standing::Same,
            Some(Some(_)) => Standing::Changed,
        };
        let check = TableCheck {
            table: table.clone(),
            rows: file.rows,
            sha256: file.sha256.clone(),
            rebuilt: again.flatten(),
            standing,
        };
        report.tables.push(check);
    }
    report.rules = rules(&catalog);
    report.rules.extend(bindings::rules(&catalog));
    report
        .rules
        .extend(origins::rules(&catalog.structures, &provenance(dir)?));
    report.accuracy.clone_from(&catalog.resolution);
    report.off = catalog
        .conflicts
        .iter()
        .filter(|row| [OUTSIDE, LEFT_OUT].contains(&row.rule.as_str()))
        .cloned()
        .collect();
    report.joins = joins(&catalog);
    Ok(report)
}

fn adds_up(source: &Source) -> bool {
    source.rows_in == source.kept + source.rejected
        && source.rejected == source.rejected_by_reason.values().sum::<u64>()
}

/// Checks every rule that the tables must satisfy.
pub fn rules(catalog: &Catalog) -> Vec<RuleCheck> {
    let structures: BTreeMap<&str, usize> = count(catalog.structures.iter().map(|row| row.id.as_str()));
    let checkpoints: BTreeMap<&str, usize> = count(catalog.checkpoints.iter().map(|row| row.id.as_str()));
    let evaluations: BTreeMap<&str, bool> = catalog
        .evaluations
        .iter()
        .map(|row| (row.evaluation.as_str(), row.duplicate_of.is_none()))
        .collect();
    let once = |counts: &BTreeMap<&str, usize>, id: &str| (counts.get(id) != Some(&1)).then(|| id.to_owned());
    vec![
        ask(
            "one_row_per_checkpoint",
            "an id occurs once in checkpoints",
            &catalog.checkpoints,
            |row| once(&checkpoints, &row.id),
        ),
        ask(
            "one_structure_per_checkpoint",
            "an id occurs once in structures",
            &catalog.structures,
            |row| once(&structures, &row.id),
        ),
        ask(
            "evaluation_has_structure",
            "every evaluated checkpoint has a row in structures and in checkpoints",
            &catalog.evaluations,
            |row| once(&structures, &row.id).or_else(|| once(&checkpoints, &row.id)),
        ),
        ask(
            "score_has_evaluation",
            "every score belongs to an evaluation",
            &catalog.scores,
            |row| (!evaluations.contains_key(row.evaluation.as_str())).then(|| row.evaluation.clone()),
        ),
        ask(
            "points_in_range",
            "a score in points is from 0 to 100, a correlation from -100 to 100",
            &catalog.scores,
            |row| {
                let least = if row.metric.as_deref() == Some("mcc") {
                    -100.0
                } else {
                    0.0
                };
                (row.unit == "points" && !(least..=100.0).contains(&row.value))
                    .then(|| format!("{} {} {}", row.evaluation, row.benchmark, row.value))
            },
        ),
        ask(
            "repeat_of_a_kept_one",
            "what a repeat repeats is itself none",
            &catalog.duplicates,
            |row| (evaluations.get(row.kept.as_str()) != Some(&true)).then(|| row.evaluation.clone()),
        ),
        ask(
            "resolved_is_whole",
            "a resolved structure has layers, d_model, d_ffn and heads, and a source",
            &catalog.structures,
            |row| {
                let whole = row.layers.is_some()
                    && row.d_model.is_some()
                    && row.d_ffn.is_some()
                    && row.heads.is_some()
                    && row.source.is_some();
                (row.resolved_by != ResolvedBy::None && !whole).then(|| row.id.clone())
            },
        ),
        ask(
            "dimensions_in_range",
            "each dimension is one that a decoder can have (clean::RANGES)",
            &catalog.structures,
            |row| {
                let all = [
                    row.layers,
                    row.d_model,
                    row.d_ffn,
                    row.heads,
                    row.kv_heads,
                    row.vocab_size,
                    row.pos,
                ];
                let broken = all
                    .iter()
                    .zip(&RANGES)
                    .any(|(value, range)| value.is_some_and(|value| !range.contains(&value)));
                broken.then(|| row.id.clone())
            },
        ),
        ask(
            "kv_heads_divide_heads",
            "every query head belongs to one key head",
            &catalog.structures,
            |row| match (row.heads, row.kv_heads) {
                (Some(heads), Some(kv)) if kv > heads || heads % kv != 0 => {
                    Some(format!("{}: {heads} heads, {kv} kv_heads", row.id))
                }
                _ => None,
            },
        ),
        ask(
            "sources_add_up",
            "rows in = rows kept + rows rejected, by reason",
            &catalog.manifest.sources,
            |source| (!adds_up(source)).then(|| source.path.clone()),
        ),
    ]
}

fn count<'a>(ids: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    for id in ids {
        *counts.entry(id).or_insert(0) += 1;
    }
    counts
}
