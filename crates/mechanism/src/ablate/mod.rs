//! The value of each part of a checkpoint: the same share of its parameters is removed from layers, feed-forward width,
//! heads, key-value heads, model width or experts, and the loss is measured on the same items.
//!
//! Units are removed by importance on calibration texts (after Minitron, Muralidharan et al. 2024,
//! <https://arxiv.org/abs/2407.14679>; layers by Block Influence, Men et al. 2024, <https://arxiv.org/abs/2403.03853>),
//! at random, from the first or from the last. The network is not trained afterwards.

mod at_one_size;
mod contrasts;
pub mod effects;
mod estimate;
mod found;
pub mod importance;
pub mod plan;
mod score;
pub mod screen;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::checkpoint::Checkpoint;
use crate::error::Result;
use crate::evaluate::answer::Answer;
use crate::evaluate::tasks::Item;
use crate::run::{Network, Progress, RunSettings};

pub use effects::{Asked, AtOneSize, Effect, Effects};
pub use found::effects;
pub use importance::{Importance, importance};
pub use plan::{Dimension, How, LeftOut, PlanSettings, Planned, parameters, percent, plan};

use score::{Named, fingerprint, score};

/// Settings of an ablation.
#[derive(Debug, Clone)]
pub struct AblateSettings {
    /// How the network is run.
    pub run: RunSettings,
    /// Maximum number of generated tokens per item.
    pub max_new_tokens: usize,
    /// Target number of tokens in a chunk of items that pass through the layers together.
    pub chunk_tokens: usize,
    /// Folder with one table of item results for each network; existing tables are continued. `None` writes no tables.
    pub items: Option<PathBuf>,
    /// Identifier of the checkpoint in the tables.
    pub id: String,
}

impl AblateSettings {
    /// Defaults: runs in memory, writes no tables, and generates as many tokens as an evaluation.
    pub fn usual(id: &str) -> Self {
        Self {
            run: RunSettings::in_memory(),
            max_new_tokens: crate::evaluate::answer::MAX_NEW_TOKENS,
            chunk_tokens: crate::evaluate::answer::CHUNK_TOKENS,
            items: None,
            id: id.to_owned(),
        }
    }
}

/// A cut that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// Its identifier, for example `d_ffn-10-importance`.
    pub id: String,
    /// The part that was cut.
    pub part: Dimension,
    /// Requested share of the parameters outside of embeddings.
    pub share: f64,
    /// How the removed units were chosen.
    pub how: How,
    /// Index of the random draw; `None` where units are not chosen at random.
    pub draw: Option<usize>,
    /// Units removed: layers and channels in total, others per layer; query heads per key-value head.
    pub removed_units: usize,
    /// Parameters removed.
    pub removed_parameters: u64,
    /// Removed parameters as a share of all parameters outside of embeddings.
    pub removed_share: f64,
    /// The removed layers; empty where another part was cut.
    pub removed_layers: Vec<usize>,
}

/// Results of an ablation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ablation {
    /// Parameters outside of embeddings, output head and final norm.
    pub parameters: u64,
    /// Number of calibration texts.
    pub calibration_texts: usize,
    /// Tokens in those texts.
    pub calibration_tokens: usize,
    /// Confidence level of the intervals.
    pub level: f64,
    /// Description of the interval method.
    pub method: String,
    /// The cuts.
    pub cuts: Vec<Made>,
    /// Requested cuts that could not be made.
    pub left_out: Vec<LeftOut>,
    /// Effects, slopes, contrasts.
    #[serde(flatten)]
    pub found: Effects,
}

/// How the intervals of effects are made, in words.
pub const METHOD: &str = "items in pairs: of right and wrong Tango's score interval with the exact conditional one, else Student's t \
                          over items and draws; simultaneous (Bonferroni) over all effects, or all slopes, of a measure";

/// Layers that are not in `stay`.
fn removed(stay: &[usize], n_layers: usize) -> Vec<usize> {
    (0..n_layers).filter(|layer| !stay.contains(layer)).collect()
}

/// One cut checkpoint for each planned cut; `None` where whole layers are removed, which needs no new checkpoint.
///
/// # Errors
/// Those of [`Checkpoint::cut`].
pub fn cut_checkpoints(checkpoint: &Checkpoint, planned: &[Planned]) -> Result<Vec<Option<Checkpoint>>> {
    let of = |planned: &Planned| {
        planned
            .stays
            .clone()
            .map(|stays| checkpoint.cut(stays))
            .transpose()
    };
    planned.iter().map(of).collect()
}

/// Scores the whole checkpoint and every cut on `asked`, and computes effects, slopes and contrasts from the answers.
///
/// # Errors
/// Errors of cutting, running, and reading or writing tables.
pub fn ablate(
    checkpoint: &Checkpoint,
    planned: &[Planned],
    left_out: &[LeftOut],
    asked: &[Asked],
    found: &Importance,
    settings: &AblateSettings,
    progress: &mut dyn FnMut(Progress),
) -> Result<Ablation> {
    let all: Vec<usize> = (0..checkpoint.config.n_layers).collect();
    let items: Vec<Item> = asked.iter().flat_map(|of| of.items.iter().cloned()).collect();
    let cut = cut_checkpoints(checkpoint, planned)?;
    let mut networks = vec![Named {
        id: settings.id.clone(),
        file: "whole".to_owned(),
        network: Network::whole(checkpoint),
    }];
    for (planned, cut) in planned.iter().zip(&cut) {
        networks.push(Named {
            id: format!(
                "{} {} {}",
                settings.id,
                planned.id(),
                fingerprint(&(&planned.stays, &planned.layers))
            ),
            file: planned.id(),
            network: Network {
                checkpoint: cut.as_ref().unwrap_or(checkpoint),
                layers: planned.layers.clone(),
                silence: None,
            },
        });
    }
    let mut answers = score(&networks, &items, settings, progress)?.into_iter();
    let before = answers.next().unwrap_or_default();
    let after: Vec<(Planned, Vec<Answer>)> = planned.iter().cloned().zip(answers).collect();
    let made = |planned: &Planned| Made {
        id: planned.id(),
        part: planned.part,
        share: planned.share,
        how: planned.how,
        draw: planned.draw,
        removed_units: planned.count,
        removed_parameters: planned.removed_parameters,
        removed_share: planned.removed_share,
        removed_layers: removed(&planned.layers, all.len()),
    };
    Ok(Ablation {
        parameters: parameters(checkpoint, &checkpoint.config, &all),
        calibration_texts: found.texts,
        calibration_tokens: found.tokens,
        level: effects::LEVEL,
        method: METHOD.to_owned(),
        cuts: planned.iter().map(made).collect(),
        left_out: left_out.to_vec(),
        found: effects(asked, &before, &after),
    })
}
