//! Looks up checkpoints in the catalog: by id, by similar id, and by similar structure.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Result, bail};
use catalog::Catalog;
use catalog::cost::{Arithmetic, of_checkpoint};
use catalog::plausible::{Judgement, ListedSizes, apart};
use catalog::tables::{Checkpoint, Evaluation, ResolvedBy, Score, Structure};
use serde::Serialize;

use super::predictor::board_place;
use super::structure::{StructureOf, structure_of};

/// A checkpoint of the catalog with a similar structure.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Neighbour {
    pub(crate) id: String,
    /// Euclidean distance between the logarithms of layers, `d_model`, `d_ffn`, heads, `kv_heads` and size.
    pub(crate) distance: f64,
    pub(crate) structure: StructureOf,
    /// Score by benchmark, points.
    pub(crate) scores: BTreeMap<String, f64>,
    /// Number of scored checkpoints of the same shape in the catalog.
    pub(crate) n_of_shape: usize,
}

/// The catalog's tables, indexed by checkpoint.
pub(crate) struct Known<'a> {
    pub(crate) checkpoints: BTreeMap<&'a str, &'a Checkpoint>,
    pub(crate) structures: BTreeMap<&'a str, &'a Structure>,
    pub(crate) evaluations: HashMap<&'a str, &'a Evaluation>,
    /// Scores by checkpoint id.
    pub(crate) scores: BTreeMap<&'a str, Vec<&'a Score>>,
    /// Per-item scores (0 to 1) by checkpoint and benchmark; empty where the catalog has none.
    pub(crate) items: BTreeMap<(&'a str, &'a str), BTreeMap<&'a str, f64>>,
    sizes: ListedSizes<'a>,
}

/// Costs of a checkpoint, as far as its size is plausible.
pub(crate) struct Costed {
    /// `None` where the size is implausible or dimensions are missing.
    pub(crate) arithmetic: Option<Arithmetic>,
    /// Billions of parameters; `None` where not known or implausible.
    pub(crate) size: Option<f64>,
    /// Why there is no arithmetic, or which sizes disagree.
    pub(crate) note: Option<String>,
}

impl<'a> Known<'a> {
    pub(crate) fn of(catalog: &'a Catalog) -> Self {
        let mut scores: BTreeMap<&str, Vec<&Score>> = BTreeMap::new();
        // A board's rows for one checkpoint are consecutive.
        for run in catalog.scores.chunk_by(|a, b| a.id == b.id) {
            scores.entry(run[0].id.as_str()).or_default().extend(run);
        }
        let mut items: BTreeMap<(&str, &str), BTreeMap<&str, f64>> = BTreeMap::new();
        for item in &catalog.items {
            let score = item
                .score
                .or(item.correct.map(|correct| f64::from(u8::from(correct))));
            if let Some(score) = score {
                items
                    .entry((item.id.as_str(), item.benchmark.as_str()))
                    .or_default()
                    .insert(item.item.as_str(), score);
            }
        }
        Self {
            sizes: ListedSizes::of(catalog),
            items,
            checkpoints: catalog
                .checkpoints
                .iter()
                .map(|row| (row.id.as_str(), row))
                .collect(),
            structures: catalog
                .structures
                .iter()
                .map(|row| (row.id.as_str(), row))
                .collect(),
            evaluations: catalog
                .evaluations
                .iter()
                .map(|row| (row.evaluation.as_str(), row))
                .collect(),
            scores,
        }
    }

    /// Judges whether a checkpoint's size is plausible; `counted` replaces the catalog's size where given.
    pub(crate) fn judged(
        &self,
        structure: &Structure,
        checkpoint: Option<&Checkpoint>,
        counted: Option<i64>,
    ) -> Judgement {
        self.sizes.judge(structure, checkpoint, counted)
    }

    /// Costs of a checkpoint. Where its sizes disagree, they are counted from the shape in its own config, or left out.
    pub(crate) fn costed(&self, structure: &Structure, checkpoint: Option<&Checkpoint>) -> Costed {
        let (arithmetic, failed) = match of_checkpoint(structure, checkpoint) {
            Ok((arithmetic, _)) => (Some(arithmetic), None),
            Err(error) => (None, Some(format!("no costs: {error}"))),
        };
        let counted = arithmetic.as_ref().map(|cost| cost.parameters_total);
        let judged = self.judged(structure, checkpoint, counted);
        let billions = counted.map(|count| count as f64 / 1e9);
        let Some(disagreement) = judged.disagreement else {
            let agrees = |size: &f64| billions.is_none_or(|counted| !apart(*size, counted));
            return Costed {
                arithmetic,
                size: structure.size.filter(agrees).or(judged.size),
                note: failed,
            };
        };
        let by_shape =
            structure.resolved_by == ResolvedBy::Exact && checkpoint.and_then(|row| row.is_moe) != Some(true);
        if by_shape && arithmetic.is_some() {
            return Costed {
                arithmetic,
                size: billions,
                note: Some(format!("{disagreement}; counted by the shape of its config")),
            };
        }
        Costed {
            arithmetic: None,
            size: None,
            note: Some(format!("no size and no costs: {disagreement}")),
        }
    }

    /// Ancestors of a checkpoint, the nearest first, each with its relation.
    pub(crate) fn lineage(&self, id: &str) -> Vec<String> {
        let mut here = id;
        let mut way: Vec<String> = Vec::new();
        // Declared bases can form cycles.
        while way.len() < 32 {
            let Some(row) = self.checkpoints.get(here) else {
                break;
            };
            match row.base.as_deref() {
                Some(base) if base != here => {
                    let how = row.base_relation.as_deref().unwrap_or("declared");
                    way.push(format!("{base} ({how})"));
                    here = base;
                }
                _ => break,
            }
        }
        way
    }

    /// The evaluations (leaderboard rows) of a checkpoint, in the order of its scores.
    pub(crate) fn evaluations_of(&self, id: &str) -> impl Iterator<Item = &'a Evaluation> {
        let mut keys: Vec<&str> = self
            .scores
            .get(id)
            .into_iter()
            .flatten()
            .map(|score| score.evaluation.as_str())
            .collect();
        keys.dedup();
        keys.into_iter()
            .filter_map(|key| self.evaluations.get(key).copied())
    }

    /// Resolves an id to the catalog's spelling, ignoring case.
    ///
    /// # Errors
    /// [`UnknownId`] with similar ids, where there is no such checkpoint.
    pub(crate) fn id(&self, asked: &str) -> Result<&'a str> {
        if let Some((&id, _)) = self.checkpoints.get_key_value(asked) {
            return Ok(id);
        }
        let lower = asked.to_lowercase();
        let same = self.checkpoints.keys().find(|id| id.to_lowercase() == lower);
        if let Some(&id) = same {
            return Ok(id);
        }
        bail!(UnknownId {
            asked: asked.to_owned(),
            near: self.near(asked),
        })
    }

    /// At most five ids similar to `asked`, the most similar first.
    fn near(&self, asked: &str) -> Vec<String> {
        near(asked, self.checkpoints.keys().copied())
    }
}

pub(crate) use crate::near::near;

/// The catalog has no checkpoint of this id.
#[derive(Debug, thiserror::Error)]
#[error("no checkpoint `{asked}` in the catalog")]
pub(crate) struct UnknownId {
    pub(crate) asked: String,
    /// Similar ids.
    pub(crate) near: Vec<String>,
}

/// Shape, and for mixtures of experts also the size in whole billions.
type Kin = ([i64; 4], Option<i64>);

/// The known, scored checkpoints with the structures closest to `structure`, at most `limit`. Of each shape only the
/// closest counts; among equally close ones, the most liked.
pub(crate) fn neighbours(
    known: &Known<'_>,
    structure: &StructureOf,
    but: Option<&str>,
    limit: usize,
) -> Vec<Neighbour> {
    let Some(wanted) = logarithms(structure) else {
        return Vec::new();
    };
    // A mixture has a shape of its own, apart from dense checkpoints and from mixtures of another size.
    let mut by_shape: BTreeMap<Kin, Vec<(f64, &str)>> = BTreeMap::new();
    for (&id, &row) in known.structures.iter().filter(|(id, _)| Some(**id) != but) {
        let checkpoint = known.checkpoints.get(id).copied();
        if known.judged(row, checkpoint, None).disagreement.is_some() {
            continue;
        }
        let shown = structure_of(row, checkpoint);
        let (Some(own), Some(shape)) = (logarithms(&shown), shape(row)) else {
            continue;
        };
        if known.scores.contains_key(id) {
            let squared: f64 = own.iter().zip(&wanted).map(|(a, b)| (a - b).powi(2)).sum();
            let is_mixture = checkpoint.and_then(|row| row.is_moe) == Some(true);
            let billions = row.size.filter(|_| is_mixture).map(|size| size.round() as i64);
            let members = by_shape.entry((shape, billions)).or_default();
            members.push((squared.sqrt(), id));
        }
    }
    let likes = |id: &str| known.checkpoints.get(id).and_then(|row| row.likes).unwrap_or(0);
    let mut found: Vec<(f64, usize, &str)> = by_shape
        .into_values()
        .filter_map(|mut members| {
            members.sort_by(|a, b| {
                a.0.total_cmp(&b.0)
                    .then(likes(b.1).cmp(&likes(a.1)))
                    .then(a.1.cmp(b.1))
            });
            members
                .first()
                .map(|&(distance, id)| (distance, members.len(), id))
        })
        .collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.2.cmp(b.2)));
    found
        .into_iter()
        .take(limit)
        .map(|(distance, n_of_shape, id)| Neighbour {
            id: id.to_owned(),
            distance,
            structure: structure_of(known.structures[id], known.checkpoints.get(id).copied()),
            scores: scores_of(known, id),
            n_of_shape,
        })
        .collect()
}

/// Scores in points by benchmark, each from the first leaderboard in answer order that has it.
fn scores_of(known: &Known<'_>, id: &str) -> BTreeMap<String, f64> {
    let mut found: BTreeMap<&str, (usize, f64)> = BTreeMap::new();
    for score in known.scores[id].iter().filter(|score| score.unit == "points") {
        let place = board_place(&score.leaderboard);
        let kept = found.entry(&score.benchmark).or_insert((place, score.value));
        if place < kept.0 {
            *kept = (place, score.value);
        }
    }
    let values = found.into_iter();
    values
        .map(|(benchmark, (_, value))| (benchmark.to_owned(), value))
        .collect()
}

/// Layers, `d_model`, `d_ffn`, heads; `None` where one is not known.
pub(crate) fn shape(structure: &Structure) -> Option<[i64; 4]> {
    Some([
        structure.layers?,
        structure.d_model?,
        structure.d_ffn?,
        structure.heads?,
    ])
}

fn logarithms(structure: &StructureOf) -> Option<[f64; 6]> {
    let counts = [
        structure.layers?,
        structure.d_model?,
        structure.d_ffn?,
        structure.heads?,
        structure.kv_heads.or(structure.heads)?,
    ]
    .map(|count| (count as f64).ln());
    let [layers, d_model, d_ffn, heads, kv_heads] = counts;
    Some([layers, d_model, d_ffn, heads, kv_heads, structure.size?.ln()])
}
