//! Rows of the two Open LLM Leaderboards in units of equal structure, without duplicates, surgery and idle layers.

use std::collections::BTreeMap;

use catalog::Catalog;
use catalog::tables::{Checkpoint, ResolvedBy, Structure, Training};
use study::pooled::{PooledBoard, PooledRow, family_of_name};
use study::{dimensions, leaderboard_v1};

use super::controlled::has_idle_layers;
use super::{V1, V2, by_id, evaluations, mixed, root, scores_by_evaluation, size};

/// Structures with equal keys are one unit: shape and key-value heads, vocabulary in steps of 5 %, and experts.
type Key = ([i64; 5], i64, Option<(Option<i64>, Option<i64>)>);

fn key(structure: &Structure, is_mixture: bool) -> Option<Key> {
    let shape = [
        structure.layers?,
        structure.d_model?,
        structure.d_ffn?,
        structure.heads?,
        structure.kv_heads?,
    ];
    let vocabulary = structure.vocab_size.filter(|entries| *entries > 0)?;
    let rounded = (20.0 * (vocabulary as f64).ln()).round() as i64;
    let is_whole = shape.iter().all(|part| *part > 0);
    is_whole.then_some((shape, rounded, is_mixture.then(|| mixed(structure))))
}

/// Numbers units in the order of first occurrence.
#[derive(Default)]
pub(super) struct Units(BTreeMap<Key, u32>);

impl Units {
    /// The number of a checkpoint's unit; `None` where a part of its structure is unknown.
    pub(super) fn number(&mut self, structure: &Structure, checkpoint: Option<&Checkpoint>) -> Option<u32> {
        let is_mixture = checkpoint.and_then(|checkpoint| checkpoint.is_moe) == Some(true);
        let next = self.0.len() as u32;
        Some(*self.0.entry(key(structure, is_mixture)?).or_insert(next))
    }
}

/// Builds the rows of both boards.
pub(crate) fn pooled(catalog: &Catalog) -> Vec<PooledBoard> {
    let structures: BTreeMap<&str, &Structure> = catalog
        .structures
        .iter()
        .map(|structure| (structure.id.as_str(), structure))
        .collect();
    let known = by_id(catalog);
    let mut units = Units::default();
    [
        ("v1", V1, leaderboard_v1::BENCHMARKS),
        ("v2", V2, dimensions::BENCHMARKS),
    ]
    .into_iter()
    .map(|(name, work, benchmarks)| {
        let scores = scores_by_evaluation(catalog, work, benchmarks);
        let rows = evaluations(catalog, work)
            .filter(|row| row.duplicate_of.is_none() && !has_idle_layers(&row.id))
            .filter_map(|evaluation| {
                let structure = structures.get(evaluation.id.as_str())?;
                let checkpoint = known.get(evaluation.id.as_str()).copied();
                let mut row = row(structure, checkpoint, &known)?;
                row.unit = units.number(structure, checkpoint)?;
                row.scores = scores.get(evaluation.evaluation.as_str())?.to_vec();
                Some(row)
            })
            .collect();
        PooledBoard {
            name: name.to_owned(),
            work: work.to_owned(),
            benchmarks: benchmarks.map(str::to_owned).to_vec(),
            rows,
        }
    })
    .collect()
}

fn row(
    structure: &Structure,
    checkpoint: Option<&Checkpoint>,
    known: &BTreeMap<&str, &Checkpoint>,
) -> Option<PooledRow> {
    let training = checkpoint.and_then(|checkpoint| checkpoint.training);
    if training == Some(Training::Surgery) {
        return None;
    }
    let size = size(structure).filter(|size| *size > 0.0)?;
    let active = match checkpoint {
        Some(checkpoint) if checkpoint.is_moe == Some(true) => {
            checkpoint.parameters_active? as f64 / (size * 1e9)
        }
        _ => 1.0,
    };
    let count = |value: Option<i64>| value.map(|value| value as f64);
    let root = root(known, &structure.id);
    let base = checkpoint.and_then(|checkpoint| checkpoint.base.as_deref());
    let names = [root.as_str(), base.unwrap_or_default(), structure.id.as_str()];
    let tokens = names
        .iter()
        .find_map(|id| known.get(id).and_then(|checkpoint| checkpoint.training_tokens));
    Some(PooledRow {
        unit: 0,
        family: names.iter().find_map(|id| family_of_name(id)).map(str::to_owned),
        is_sure: matches!(structure.resolved_by, ResolvedBy::Exact | ResolvedBy::Lineage),
        size,
        active: active.min(1.0),
        parts: [
            count(structure.layers)?,
            count(structure.d_model)?,
            count(structure.d_ffn)?,
            count(structure.heads)?,
            count(structure.kv_heads)?,
            count(structure.vocab_size)?,
        ],
        date: structure.date.map(f64::from),
        tokens: count(tokens),
        is_tuned: training.is_none_or(|training| !training.is_pretrained()),
        is_merged: training == Some(Training::Merge)
            || checkpoint.and_then(|checkpoint| checkpoint.merged) == Some(true),
        scores: Vec::new(),
    })
}
