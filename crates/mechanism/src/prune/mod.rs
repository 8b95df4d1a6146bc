//! Removing whole layers: which layers, what it costs, and the checkpoint without them.
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

/// How the layers to remove are chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The first `count` of an order, least important first (see `Influence::order_least_important_first`).
    LeastInfluential {
        /// Layer indices, least important first.
        order: Vec<usize>,
        /// Number of layers to remove.
        count: usize,
    },
    /// The layers with these indices.
    List(Vec<usize>),
    /// `count` layers from `first` on.
    Block {
        /// First layer of the block.
        first: usize,
        /// Number of layers to remove.
        count: usize,
    },
    /// `count` random layers.
    Random {
        /// Number of layers to remove.
        count: usize,
        /// Seed of the random choice.
        seed: u64,
    },
    /// The first layers, as many as given.
    First(usize),
    /// The last layers, as many as given.
    Last(usize),
}

/// Indices of the layers removed and kept, ascending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pruning {
    /// Removed layers.
    pub removed_layers: Vec<usize>,
    /// Kept layers, by their original indices.
    pub kept_layers: Vec<usize>,
}

/// Determines the removed and kept layers of a checkpoint with `n_layers` layers.
///
/// # Errors
/// [`Error::Layer`] for a layer that does not exist, [`Error::TooManyLayers`] if none would be left.
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
            // The first steps of a Fisher–Yates shuffle.
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

/// Scores of the same requests and items with all layers and with some removed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PruningEffect {
    /// The removed and kept layers.
    #[serde(flatten)]
    pub pruning: Pruning,
    /// Scores with all layers, by request.
    #[serde(default)]
    pub before: Vec<LogLikelihood>,
    /// Scores without the removed layers, by request.
    #[serde(default)]
    pub after: Vec<LogLikelihood>,
    /// Comparison by benchmark and metric.
    #[serde(default)]
    pub benchmarks: Vec<Paired>,
}

/// Log-likelihoods of `requests` and scores on `items` before and after removing layers; one of the two may be empty.
/// The remaining layers keep their attention windows and rotary embeddings. `seed` is for the bootstrap intervals.
///
/// # Errors
/// [`Error::Empty`] if both are empty; those of [`log_likelihoods`] and [`answer`].
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
