//! What a structure would score, how sure that is, what drives it, what it resembles, and what it costs.

use anyhow::{Result, bail};
use catalog::cost::{Device, Dimensions, Precision, Rig};
use catalog::tables::Days;
use serde::Serialize;
use study::finding::Interval;
use study::regression::SavedFit;

use super::Predictor;
use super::cost::{Costs, Setup};
use super::gguf_file::GgufFile;
use super::known::{self, Known, Neighbour, StructureOf};
use super::measured::{self, Measured};
use super::saved::{self, SavedAnswer};
use super::score;
use super::subject::{self, Asked};
use super::sweep::{self, Sweep, SweepAnswer};

/// What is asked about.
#[derive(Debug, Clone)]
pub(crate) enum Subject {
    /// A checkpoint of the catalog.
    Id(String),
    /// A `config.json`, and what it is called.
    Config { name: String, config: serde_json::Value },
    /// Dimensions.
    Dimensions(Dimensions),
}

/// The question of `predict`.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) subject: Subject,
    /// Day of publication; of a checkpoint its own, else the last day that a leaderboard's rows know.
    pub(crate) date: Option<Days>,
    /// Pretrained only, no chat or instruction tuning; of a checkpoint as it is, else false.
    pub(crate) pretrained: Option<bool>,
    /// Made by merging; of a checkpoint as it is, else false.
    pub(crate) merged: Option<bool>,
    /// Benchmarks; all where empty.
    pub(crate) benchmarks: Vec<String>,
    /// Devices whose decoding is bounded.
    pub(crate) devices: Vec<Device>,
    /// Positions for which memory and decoding are computed, tokens.
    pub(crate) contexts: Vec<i64>,
    /// Engine and types of numbers for which memory and speed are told in full.
    pub(crate) setup: Setup,
    /// What it runs on, for its speed and where it lies; the first device alone where `None`.
    pub(crate) rig: Option<Rig>,
    /// A file whose weights it has.
    pub(crate) file: Option<GgufFile>,
    /// A what-if besides.
    pub(crate) sweep: Option<Sweep>,
    /// A kept fit that predicts besides.
    pub(crate) fit: Option<SavedFit>,
}

impl Question {
    /// Everything about a subject, at the usual contexts.
    pub(crate) fn about(subject: Subject) -> Self {
        Self {
            subject,
            date: None,
            pretrained: None,
            merged: None,
            benchmarks: Vec::new(),
            devices: Vec::new(),
            contexts: vec![2_048, 8_192, 32_768],
            setup: Setup::default(),
            rig: None,
            file: None,
            sweep: None,
            fit: None,
        }
    }
}

/// The answer of `predict`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PredictAnswer {
    /// The checkpoint, where one was named; a config's name.
    pub(crate) id: Option<String>,
    pub(crate) structure: StructureOf,
    /// Parameters, operations, cache, memory, decoding; its fields stand beside the others.
    #[serde(flatten)]
    pub(crate) costs: Costs,
    /// One a benchmark, in the order of the leaderboards.
    pub(crate) scores: Vec<ScoreAnswer>,
    /// Any of the predictions lies outside what was trained on.
    pub(crate) extrapolating: bool,
    /// Known checkpoints of the most similar structures, the nearest first.
    pub(crate) nearest: Vec<Neighbour>,
    pub(crate) sweep: Option<SweepAnswer>,
    /// What a kept fit says.
    pub(crate) saved: Option<SavedAnswer>,
    pub(crate) notes: Vec<String>,
    /// Seed of the folds that coverage was measured on.
    pub(crate) seed: u64,
    pub(crate) catalog_sha256: String,
}

/// One benchmark's prediction.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ScoreAnswer {
    pub(crate) benchmark: String,
    pub(crate) leaderboard: String,
    /// `None` where too few structures were measured to say anything.
    pub(crate) value: Option<f64>,
    pub(crate) unit: String,
    /// For one checkpoint of this structure, conformal over shapes.
    pub(crate) interval: Option<Interval>,
    /// Rows trained on.
    pub(crate) n: usize,
    /// Shapes among them.
    pub(crate) n_shapes: usize,
    /// Rows among them of this very shape.
    pub(crate) n_of_this_shape: usize,
    pub(crate) method: &'static str,
    pub(crate) protocol: &'static str,
    pub(crate) features: Vec<String>,
    /// How often such intervals held on shapes never seen.
    pub(crate) coverage: Option<CoverageAnswer>,
    /// Share of variance predicted out of shape, pooled; a fraction.
    pub(crate) r2_out_of_shape: Option<f64>,
    /// The mean over known shapes, from which the drivers lead to the value.
    pub(crate) base: Option<f64>,
    /// What each feature adds to `base`, the strongest first.
    pub(crate) drivers: Vec<Driver>,
    pub(crate) extrapolating: bool,
    /// Why it is called extrapolating, in words.
    pub(crate) outside: Vec<String>,
    /// Distance to the nearest structure trained on, in length scales of the regression.
    pub(crate) distance: Option<f64>,
    /// What 95 % of known shapes keep to their nearest other: beyond it is called extrapolating.
    pub(crate) distance_usual: Option<f64>,
    /// What leaderboards measured of this very checkpoint.
    pub(crate) measured: Vec<Measured>,
    pub(crate) notes: Vec<String>,
}

/// One feature's Shapley value.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Driver {
    pub(crate) feature: String,
    /// Its value in the structure asked about, in words.
    pub(crate) given: String,
    /// What it adds to the prediction, in the score's unit.
    pub(crate) adds: f64,
}

/// Coverage measured by the nested protocol: calibrated inside, tested on shapes never seen.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct CoverageAnswer {
    /// What the intervals promise, a fraction.
    pub(crate) level: f64,
    /// Share of held-out structures covered, each shape counting the same.
    pub(crate) by_shape: f64,
    /// Share of held-out rows covered.
    pub(crate) by_row: f64,
    pub(crate) n_shapes: usize,
    pub(crate) n_rows: usize,
    /// Of `by_shape`, over shapes.
    pub(crate) interval: Option<Interval>,
    /// Mean width of the intervals, each shape counting the same, in the score's unit.
    pub(crate) mean_width: f64,
    pub(crate) protocol: &'static str,
    pub(crate) seed: u64,
}

/// Answers the question.
///
/// # Errors
/// An id, benchmark or dimension that is not known; a structure outside of what can be computed with.
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
    let Asked {
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

/// The benchmarks asked for; those of the usual boards where none is.
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
