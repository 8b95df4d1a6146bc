//! What each part of a checkpoint is worth: the same share of its parameters removed from layers, feed-forward width, heads,
//! key-value heads, model width or experts, and what that costs on the same items.
//!
//! Units go by importance on calibration texts (after Minitron, Muralidharan et al. 2024, <https://arxiv.org/abs/2407.14679>;
//! layers by Block Influence, Men et al. 2024, <https://arxiv.org/abs/2403.03853>), at random, first or last. Nothing is trained
//! afterwards.

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

/// How a checkpoint is ablated.
#[derive(Debug, Clone)]
pub struct AblateSettings {
    /// The runs.
    pub run: RunSettings,
    /// Longest generated text, tokens.
    pub max_new_tokens: usize,
    /// Tokens of items whose layers are read together.
    pub chunk_tokens: usize,
    /// Folder with an item table for each network; taken up again where they end.
    pub items: Option<PathBuf>,
    /// What the checkpoint is called in the tables.
    pub id: String,
}

impl AblateSettings {
    /// In memory, no tables; as many generated tokens as in an evaluation.
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
    /// Its name: `d_ffn-10-importance`.
    pub id: String,
    /// From which part.
    pub part: Dimension,
    /// Share of the parameters outside of embeddings that was asked for.
    pub share: f64,
    /// Chosen how.
    pub how: How,
    /// Number of the draw, where chosen at random.
    pub draw: Option<usize>,
    /// Units removed; of widths in each layer.
    pub removed_units: usize,
    /// Parameters removed.
    pub removed_parameters: u64,
    /// Their share.
    pub removed_share: f64,
    /// The layers removed, where layers were.
    pub removed_layers: Vec<usize>,
}

/// What removing parts costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ablation {
    /// Parameters outside of embeddings, head and last norm.
    pub parameters: u64,
    /// Calibration texts.
    pub calibration_texts: usize,
    /// Their tokens.
    pub calibration_tokens: usize,
    /// Level of the intervals.
    pub level: f64,
    /// How they are made.
    pub method: String,
    /// The cuts.
    pub cuts: Vec<Made>,
    /// What could not be cut as asked.
    pub left_out: Vec<LeftOut>,
    /// Effects, slopes, contrasts.
    #[serde(flatten)]
    pub found: Effects,
}

/// How the intervals of effects are made, in words.
pub const METHOD: &str = "items in pairs: of right and wrong Tango's score interval with the exact conditional one, else Student's t \
                          over items and draws; simultaneous (Bonferroni) over all effects, or all slopes, of a measure";

/// Which layers are not among `stay`.
fn removed(stay: &[usize], n_layers: usize) -> Vec<usize> {
    (0..n_layers).filter(|layer| !stay.contains(layer)).collect()
}

/// The checkpoints that cuts of widths leave; where layers go there is none.
///
/// # Errors
/// As [`Checkpoint::cut`].
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

/// Scores of the whole checkpoint and of every cut on `asked`, and what follows from them.
///
/// # Errors
/// What cutting, running and tables fail with.
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
