//! Predicts benchmark scores for a structure, with intervals, feature contributions, similar checkpoints and costs.

use anyhow::{Result, bail};
use catalog::cost::Precision;
use serde::Serialize;

use super::Predictor;
use super::cost::Costs;
use super::known::{self, Known, Neighbour};
use super::measured;
use super::question::Question;
use super::saved::{self, SavedAnswer};
use super::score::{self, ScoreAnswer};
use super::structure::StructureOf;
use super::subject::{self, AskedStructure};
use super::sweep::{self, SweepAnswer};

/// The answer of `predict`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PredictAnswer {
    /// Id of the checkpoint, or the name of the config; `None` for bare dimensions.
    pub(crate) id: Option<String>,
    pub(crate) structure: StructureOf,
    /// Parameters, operations, cache, memory and decoding speed; serialised beside the other fields.
    #[serde(flatten)]
    pub(crate) costs: Costs,
    /// One per benchmark, in the order of the leaderboards.
    pub(crate) scores: Vec<ScoreAnswer>,
    /// Whether any of the predictions lies outside the range of the training data.
    pub(crate) extrapolating: bool,
    /// Known checkpoints with the most similar structures, the closest first.
    pub(crate) nearest: Vec<Neighbour>,
    pub(crate) sweep: Option<SweepAnswer>,
    /// Prediction of a saved fit, where the question names one.
    pub(crate) saved: Option<SavedAnswer>,
    pub(crate) notes: Vec<String>,
    /// Seed of the folds on which coverage was measured.
    pub(crate) seed: u64,
    pub(crate) catalog_sha256: String,
}

/// Answers the question.
///
/// # Errors
/// An unknown id or benchmark; an impossible or missing dimension; a sweep or saved fit that does not apply.
pub(crate) fn predict(predictor: &Predictor, question: &Question) -> Result<PredictAnswer> {
    let known = Known::of(&predictor.catalog);
    let asked = subject::resolve(&known, question)?;
    let names = chosen(predictor, &question.benchmarks)?;
    predictor.warm(&names, true);
    let mut scores = Vec::new();
    for name in &names {
        if let Some(benchmark) = predictor.benchmark(name) {
            let mut score = score::score(benchmark, &asked, predictor.seed)?;
            if let Some(id) = &asked.id {
                score.measured = measured::of(&known, id, name);
            }
            scores.push(score);
        }
    }
    let sweep = match &question.sweep {
        Some(sweep) => Some(sweep::sweep(predictor, &asked, sweep, &names)?),
        None => None,
    };
    let saved = match &question.fit {
        Some(fit) => Some(saved::saved(predictor, &asked, fit)?),
        None => None,
    };
    let costs = asked
        .arithmetic
        .as_ref()
        .map_or_else(Costs::default, |arithmetic| {
            Costs::of(
                arithmetic,
                &Precision::ALL,
                &question.contexts,
                &question.devices,
                question.setup,
            )
            .on(arithmetic, question.rig.as_ref(), question.file.clone())
        });
    let AskedStructure {
        id, structure, notes, ..
    } = asked;
    Ok(PredictAnswer {
        extrapolating: scores.iter().any(|score| score.extrapolating),
        nearest: known::neighbours(&known, &structure, id.as_deref(), 5),
        id,
        structure,
        costs,
        scores,
        sweep,
        saved,
        notes,
        seed: predictor.seed,
        catalog_sha256: predictor.catalog.manifest.catalog_sha256.clone(),
    })
}

/// The requested benchmarks; all of the usual boards where none is requested. Fails on an unknown name.
fn chosen<'a>(predictor: &'a Predictor, asked: &'a [String]) -> Result<Vec<&'a str>> {
    let all: Vec<&str> = predictor
        .benchmarks
        .iter()
        .map(|benchmark| benchmark.name.as_str())
        .collect();
    if asked.is_empty() {
        return Ok(predictor.names().collect());
    }
    for name in asked {
        if !all.contains(&name.as_str()) {
            let usual: Vec<&str> = predictor.names().collect();
            let others = all.len() - usual.len();
            let more = if others > 0 {
                format!(
                    ", and {others} of other boards (`anatomy query \"select distinct benchmark from scores\"` lists all)"
                )
            } else {
                String::new()
            };
            bail!(
                "no benchmark named `{name}`; there are {}{more}",
                usual.join(", ")
            );
        }
    }
    Ok(asked.iter().map(String::as_str).collect())
}
