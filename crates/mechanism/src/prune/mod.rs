//! Removing whole layers: which ones, what it costs, and the checkpoint without them.
//!
//! Men et al. 2024, <https://arxiv.org/abs/2403.03853>; baselines after <https://arxiv.org/abs/2411.15558>, where dropping
//! the last layers is strong.

mod beside;
mod taken;
mod whole;
pub(crate) mod write;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::checkpoint::Checkpoint;
use crate::error::{Error, Result};
use crate::evaluate::answer::{Answer, AnswerSettings, answer};
use crate::evaluate::paired::{Paired, paired};
use crate::evaluate::tasks::Item;
use crate::evaluate::{LogLikelihood, Request, log_likelihoods};
use crate::run::{Progress, RunSettings};

pub use write::write_pruned;

/// Which layers go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The first `count` of an order, least important first (`Influence::order_least_important_first`).
    LeastInfluential {
        /// The order.
        order: Vec<usize>,
        /// How many.
        count: usize,
    },
    /// These.
    List(Vec<usize>),
    /// `count` layers from `first` on.
    Block {
        /// First layer of the block.
        first: usize,
        /// How many.
        count: usize,
    },
    /// Any `count`.
    Random {
        /// How many.
        count: usize,
        /// Seed.
        seed: u64,
    },
    /// The first `count`.
    First(usize),
    /// The last `count`.
    Last(usize),
}

/// Layers removed and kept, ascending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pruning {
    /// Gone.
    pub removed_layers: Vec<usize>,
    /// Left, by their old numbers.
    pub kept_layers: Vec<usize>,
}

/// Resolves a choice for a checkpoint of `n_layers`.
///
/// # Errors
/// [`Error::Layer`] for a layer there is not, [`Error::TooManyLayers`] if none would be left.
pub fn choose(choice: &Choice, n_layers: usize) -> Result<Pruning> {
    let most = |asked: usize| {
        if asked < n_layers {
            Ok(asked)
        } else {
            Err(Error::TooManyLayers { asked, n_layers })
        }
    };
    let mut removed_layers: Vec<usize> = match choice {
        Choice::LeastInfluential { order, count } => order.iter().take(most(*count)?).copied().collect(),
        Choice::List(layers) => layers.clone(),
        Choice::Block { first, count } => (*first..first.saturating_add(most(*count)?)).collect(),
        Choice::Random { count, seed } => {
            let mut layers: Vec<usize> = (0..n_layers).collect();
            let mut random = ChaCha8Rng::seed_from_u64(*seed);
            // The first steps of Fisher and Yates' shuffle.
            for i in 0..most(*count)? {
                let j = random.random_range(i..n_layers);
                layers.swap(i, j);
            }
            layers.truncate(*count);
            layers
        }
        Choice::First(count) => (0..most(*count)?).collect(),
        Choice::Last(count) => (n_layers - most(*count)?..n_layers).collect(),
    };
    removed_layers.sort_unstable();
    removed_layers.dedup();
    if let Some(&layer) = removed_layers.iter().find(|layer| **layer >= n_layers) {
        return Err(Error::Layer { layer, n_layers });
    }
    most(removed_layers.len())?;
    let kept_layers = (0..n_layers)
        .filter(|layer| !removed_layers.contains(layer))
        .collect();
    Ok(Pruning {
        removed_layers,
        kept_layers,
    })
}

/// Scores of the same requests with all layers and without some.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PruningEffect {
    /// What was removed.
    #[serde(flatten)]
    pub pruning: Pruning,
    /// With all layers, by request.
    #[serde(default)]
    pub before: Vec<LogLikelihood>,
    /// Without them, by request.
    #[serde(default)]
    pub after: Vec<LogLikelihood>,
    /// By benchmark and metric.
    #[serde(default)]
    pub benchmarks: Vec<Paired>,
}

/// Log-likelihoods of `requests` and scores on `items` before and after removing layers; either may be empty. The layers that
/// stay keep their own attention windows and rotations. `seed` is that of the intervals.
///
/// # Errors
/// [`Error::Empty`] with neither; as [`log_likelihoods`] and [`answer`].
pub fn prune(
    checkpoint: &Checkpoint,
    pruning: &Pruning,
    requests: &[Request],
    items: &[Item],
    settings: &RunSettings,
    seed: u64,
    progress: &mut dyn FnMut(Progress),
) -> Result<PruningEffect> {
    if requests.is_empty() && items.is_empty() {
        return Err(Error::Empty {
            what: "request",
            reason: "neither requests nor items of benchmarks".to_owned(),
        });
    }
    let all: Vec<usize> = (0..checkpoint.config.n_layers).collect();
    let mut scores = |layers: &[usize]| -> Result<Vec<LogLikelihood>> {
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        log_likelihoods(checkpoint, requests, layers, true, settings, progress)
    };
    let (before, after) = (scores(&all)?, scores(&pruning.kept_layers)?);
    let mut answers = |layers: &[usize]| -> Result<Vec<Answer>> {
        let settings = AnswerSettings {
            run: settings.clone(),
            layers: layers.to_vec(),
            ..AnswerSettings::usual(checkpoint)
        };
        let mut rows = Vec::with_capacity(items.len());
        answer(checkpoint, items, 0, &settings, progress, &mut |row| {
            rows.push(row);
            Ok(())
        })?;
        Ok(rows)
    };
    Ok(PruningEffect {
        pruning: pruning.clone(),
        before,
        after,
        benchmarks: paired(&answers(&all)?, &answers(&pruning.kept_layers)?, seed),
    })
}
