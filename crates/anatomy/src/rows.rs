//! Joins the catalog's tables to the rows that the study takes.

mod anchored;
mod boards;
mod checkpoints;
mod controlled;
mod forecast;
mod latent;
mod listed;
mod pooled;

use std::collections::{BTreeMap, BTreeSet};

use catalog::Catalog;
use catalog::tables::{Checkpoint, Evaluation, ResolvedBy, Structure};
use study::dataset::{DescribedColumn, EXAMPLES, Example, ResolutionCount, SourceRows, section};
use study::dimensions::{self, LeaderboardRow};
use study::features::{StructureColumn, StructureValues};
use study::leaderboard_v1::{self, StructureRow};
use study::section::Section;

pub(crate) use anchored::anchored;
pub(crate) use boards::board_counts;
pub(crate) use checkpoints::checkpoints;
pub(crate) use controlled::{placebo, runs};
pub(crate) use forecast::questions as forecast_questions;
pub(crate) use latent::latent;
pub(crate) use listed::board as listed_board;
pub(crate) use pooled::pooled;

/// Names of the two Open LLM Leaderboards (v1 here, v2 below), whose columns the study knows.
pub(crate) const V1: &str = study::abilities::LISTED[0].leaderboard;
/// See [`V1`].
pub(crate) const V2: &str = study::abilities::LISTED[1].leaderboard;

/// Assigns each checkpoint an integer identifying its shape. Checkpoints of unknown shape are singleton groups, and
/// mixtures never share a group with dense checkpoints.
pub(crate) struct Shapes<'a> {
    structures: BTreeMap<&'a str, &'a Structure>,
    numbers: BTreeMap<&'a str, u32>,
}

impl<'a> Shapes<'a> {
    /// Assigns the shape numbers for a catalog.
    pub(crate) fn of(catalog: &'a Catalog) -> Self {
        let structures: BTreeMap<&str, &Structure> = catalog
            .structures
            .iter()
            .map(|structure| (structure.id.as_str(), structure))
            .collect();
        let mixtures: BTreeSet<&str> = catalog
            .checkpoints
            .iter()
            .filter(|checkpoint| checkpoint.is_moe == Some(true))
            .map(|checkpoint| checkpoint.id.as_str())
            .collect();
        let mut known = BTreeMap::new();
        let mut numbers = BTreeMap::new();
        let mut next = 0;
        let mut new_number = || {
            next += 1;
            next
        };
        let ids = structures
            .keys()
            .copied()
            .chain(catalog.evaluations.iter().map(|row| row.id.as_str()));
        for id in ids {
            let shape = structures.get(id).and_then(|structure| {
                let dense = shape(structure)?;
                Some((dense, mixtures.contains(id).then(|| mixed(structure))))
            });
            let number = match shape {
                Some(shape) => *known.entry(shape).or_insert_with(&mut new_number),
                None => new_number(),
            };
            numbers.entry(id).or_insert(number);
        }
        Self { structures, numbers }
    }

    fn number(&self, id: &str) -> u32 {
        self.numbers.get(id).copied().unwrap_or_default()
    }

    /// The structure row of a checkpoint.
    pub(crate) fn structure(&self, id: &str) -> Option<&'a Structure> {
        self.structures.get(id).copied()
    }

    /// The structure columns of a checkpoint; all `None` where it has no structure.
    pub(crate) fn columns(&self, id: &str) -> StructureValues {
        self.structures
            .get(id)
            .map(|structure| columns(structure))
            .unwrap_or_default()
    }
}

/// Distinguishes mixtures of equal shape: by their number of experts where known, else by the size in whole billions.
/// Two mixtures made from one dense checkpoint, with two and with eight experts, share its shape.
fn mixed(structure: &Structure) -> (Option<i64>, Option<i64>) {
    let billions = || structure.size.map(|size| size.round() as i64);
    (
        structure.experts,
        structure.experts.map_or_else(billions, |_| None),
    )
}

fn shape(structure: &Structure) -> Option<(i64, i64, i64, i64)> {
    Some((
        structure.layers?,
        structure.d_model?,
        structure.d_ffn?,
        structure.heads?,
    ))
}

/// Billions of parameters computed from the shape where possible: the sizes stated by leaderboards and names are
/// rounded or leave out embeddings.
fn size(structure: &Structure) -> Option<f64> {
    let by_shape = structure.parameters_by_shape.map(|count| count as f64 / 1e9);
    by_shape.or(structure.size)
}

/// The study's structure columns.
fn columns(structure: &Structure) -> StructureValues {
    let count = |value: Option<i64>| value.map(|value| value as f64);
    StructureValues {
        size: size(structure),
        d_model: count(structure.d_model),
        d_ffn: count(structure.d_ffn),
        heads: count(structure.heads),
        layers: count(structure.layers),
        kv_heads: count(structure.kv_heads),
        vocab_size: count(structure.vocab_size),
        pos: count(structure.pos),
        date: structure.date.map(f64::from),
    }
}

/// Scores of one leaderboard by evaluation, in the order of `benchmarks`.
fn scores_by_evaluation<'a>(
    catalog: &'a Catalog,
    leaderboard: &str,
    benchmarks: [&str; 6],
) -> BTreeMap<&'a str, [Option<f64>; 6]> {
    let mut scores: BTreeMap<&str, [Option<f64>; 6]> = BTreeMap::new();
    for score in catalog
        .scores
        .iter()
        .filter(|score| score.leaderboard == leaderboard)
    {
        if let Some(place) = benchmarks
            .iter()
            .position(|benchmark| *benchmark == score.benchmark)
        {
            scores.entry(score.evaluation.as_str()).or_default()[place] = Some(score.value);
        }
    }
    scores
}

fn evaluations<'a>(catalog: &'a Catalog, leaderboard: &str) -> impl Iterator<Item = &'a Evaluation> {
    catalog
        .evaluations
        .iter()
        .filter(move |row| row.leaderboard == leaderboard)
}

/// Every evaluation of leaderboard v2 with an average, including duplicates, as in the published analysis.
pub(crate) fn leaderboard_v2(catalog: &Catalog, shapes: &Shapes<'_>) -> Vec<LeaderboardRow> {
    let scores = scores_by_evaluation(catalog, V2, dimensions::BENCHMARKS);
    let known: BTreeMap<&str, &Checkpoint> = by_id(catalog);
    let row = |row: &Evaluation| {
        let checkpoint = known.get(row.id.as_str());
        let structure = shapes.columns(&row.id);
        let experts = row.moe.or(checkpoint.and_then(|checkpoint| checkpoint.is_moe));
        let active = checkpoint
            .and_then(|checkpoint| checkpoint.parameters_active)
            .map(|count| count as f64 / 1e9);
        Some(LeaderboardRow {
            id: row.id.clone(),
            shape: shapes.number(&row.id),
            average: row.average?,
            listed_size: row.listed_size,
            co2: row.co2,
            likes: row.likes.map(|likes| likes as f64),
            merged: row.merged,
            chat_template: row.chat_template,
            architecture: row.architecture.clone(),
            structure,
            repeat: row.duplicate_of.is_some(),
            // Without experts, every parameter is active.
            active: active.or(structure.size.filter(|_| experts == Some(false))),
            moe: experts,
            downloads: checkpoint
                .and_then(|checkpoint| checkpoint.downloads)
                .map(|downloads| downloads as f64),
            kind: row.kind.clone(),
            post_trained: post_trained(checkpoint.copied()),
            date: structure.date,
            root: root(&known, &row.id),
            scores: scores.get(row.evaluation.as_str()).copied().unwrap_or_default(),
        })
    };
    evaluations(catalog, V2).filter_map(row).collect()
}

/// The evaluations of leaderboard v1 that are not duplicates, and the number of duplicates.
pub(crate) fn leaderboard_v1(catalog: &Catalog, shapes: &Shapes<'_>) -> (Vec<StructureRow>, usize) {
    let scores = scores_by_evaluation(catalog, V1, leaderboard_v1::BENCHMARKS);
    let (repeats, first): (Vec<&Evaluation>, Vec<&Evaluation>) =
        evaluations(catalog, V1).partition(|row| row.duplicate_of.is_some());
    let known = by_id(catalog);
    let rows = first
        .into_iter()
        .map(|row| StructureRow {
            id: row.id.clone(),
            shape: shapes.number(&row.id),
            structure: shapes.columns(&row.id),
            post_trained: post_trained(known.get(row.id.as_str()).copied()),
            scores: scores.get(row.evaluation.as_str()).copied().unwrap_or_default(),
        })
        .collect();
    (rows, repeats.len())
}

/// Builds the section on the dataset itself.
pub(crate) fn dataset_section(catalog: &Catalog) -> Section {
    let sources: Vec<SourceRows> = catalog
        .manifest
        .sources
        .iter()
        .map(|source| SourceRows {
            name: source.path.clone(),
            rows: source.rows_in,
            kept: source.kept,
            rejected: source.rejected,
            duplicates: source.duplicates,
        })
        .collect();
    // The size as stored in the table, which includes listed sizes.
    let as_listed = |structure: &Structure| StructureValues {
        size: structure.size,
        ..columns(structure)
    };
    let all: Vec<StructureValues> = catalog.structures.iter().map(as_listed).collect();
    // The published table gives skewness for likes and downloads, but not for dates.
    let mut described: Vec<DescribedColumn> = StructureColumn::all()
        .filter(|&column| column != StructureColumn::Date)
        .map(|column| DescribedColumn {
            name: column.name().into(),
            unit: column.unit().into(),
            values: all.iter().map(|row| row.get(column)).collect(),
        })
        .collect();
    let counted = |name: &str, pick: fn(&Checkpoint) -> Option<i64>| DescribedColumn {
        name: name.into(),
        unit: name.into(),
        values: catalog
            .checkpoints
            .iter()
            .map(|checkpoint| pick(checkpoint).map(|value| value as f64))
            .collect(),
    };
    described.push(counted("downloads", |checkpoint| checkpoint.downloads));
    described.push(counted("likes", |checkpoint| checkpoint.likes));
    section(
        &sources,
        &described,
        &[resolution(catalog, V1), resolution(catalog, V2)],
        &examples(catalog),
    )
}

/// The checkpoints that the paper shows as examples, as far as the catalog has them.
fn examples(catalog: &Catalog) -> Vec<Example> {
    let scores = scores_by_evaluation(catalog, V1, leaderboard_v1::BENCHMARKS);
    let of = |(which, (_, id)): (usize, &(&str, &str))| {
        let structure = catalog.structures.iter().find(|row| row.id == *id)?;
        let checkpoint = catalog.checkpoints.iter().find(|row| row.id == *id);
        let count = |value: Option<i64>| value.map(|value| value as f64);
        let runs: Vec<&Evaluation> = evaluations(catalog, V1)
            .filter(|row| row.id == *id && row.duplicate_of.is_none())
            .collect();
        let first = runs.first().and_then(|row| scores.get(row.evaluation.as_str()));
        let mut cells = [None; 16];
        for (cell, value) in cells.iter_mut().zip(columns(structure).values().take(8)) {
            *cell = value;
        }
        // The paper's table shows the size stated by the leaderboard.
        cells[0] = structure.size;
        cells[8] = count(checkpoint.and_then(|row| row.likes));
        cells[9] = count(checkpoint.and_then(|row| row.downloads));
        cells[10..].copy_from_slice(first.unwrap_or(&[None; 6]));
        Some(Example {
            which,
            cells,
            runs: runs.len(),
        })
    };
    EXAMPLES.iter().enumerate().filter_map(of).collect()
}

/// Whether a checkpoint was post-trained according to its label; `None` where unknown.
fn post_trained(checkpoint: Option<&Checkpoint>) -> Option<bool> {
    checkpoint?.training?.is_post_trained()
}

/// Checkpoints by id.
fn by_id(catalog: &Catalog) -> BTreeMap<&str, &Checkpoint> {
    catalog
        .checkpoints
        .iter()
        .map(|checkpoint| (checkpoint.id.as_str(), checkpoint))
        .collect()
}

/// The root ancestor of a checkpoint: the last one reached by following its bases; itself where it has none.
pub(crate) fn root(checkpoints: &BTreeMap<&str, &Checkpoint>, id: &str) -> String {
    let mut here = id;
    // Bases can form cycles; no real chain is this long.
    for _ in 0..32 {
        match checkpoints
            .get(here)
            .and_then(|checkpoint| checkpoint.base.as_deref())
        {
            Some(base) if base != here => here = base,
            _ => break,
        }
    }
    here.to_string()
}

/// Number of a leaderboard's evaluations by the way their structure was resolved.
fn resolution(catalog: &Catalog, leaderboard: &str) -> (String, Vec<ResolutionCount>) {
    let by_id: BTreeMap<&str, ResolvedBy> = catalog
        .structures
        .iter()
        .map(|structure| (structure.id.as_str(), structure.resolved_by))
        .collect();
    let counts = ResolvedBy::ALL
        .iter()
        .map(|way| {
            let count = evaluations(catalog, leaderboard)
                .filter(|row| by_id.get(row.id.as_str()).copied().unwrap_or(ResolvedBy::None) == *way)
                .count();
            (way.as_str().to_string(), count)
        })
        .collect();
    (leaderboard.to_string(), counts)
}
