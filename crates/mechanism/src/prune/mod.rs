//! Removing whole layers: which ones, what it costs, and the checkpoint without them.
//!
//! Men et al. 2024, <https://arxiv.org/abs/2403.03853>; baselines after <https://arxiv.org/abs/2411.15558>, where dropping
//! the last layers is strong.

pub(crate) mod write;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::checkpoint::Checkpoint;
use crate::error::{Error, Result};
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
    pub before: Vec<LogLikelihood>,
    /// Without them, by request.
    pub after: Vec<LogLikelihood>,
}

/// Log-likelihoods of `requests` before and after removing layers. The layers that stay keep their own attention windows
/// and rotations.
///
/// # Errors
/// As [`choose`] and [`log_likelihoods`].
pub fn prune(
    checkpoint: &Checkpoint,
    choice: &Choice,
    requests: &[Request],
    settings: &RunSettings,
    progress: &mut dyn FnMut(Progress),
) -> Result<PruningEffect> {
    let n_layers = checkpoint.config.n_layers;
    let pruning = choose(choice, n_layers)?;
    let all: Vec<usize> = (0..n_layers).collect();
    let before = log_likelihoods(checkpoint, requests, &all, true, settings, progress)?;
    let after = log_likelihoods(
        checkpoint,
        requests,
        &pruning.kept_layers,
        true,
        settings,
        progress,
    )?;
    Ok(PruningEffect {
        pruning,
        before,
        after,
    })
}
