//! Which attention and feed-forward parts are needed, without removing any: the output of one part is replaced by zero
//! or by its mean over the calibration texts, and the same items are answered.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::effects::{Asked, Changed, changes};
use super::importance::Importance;
use super::score::{Named, fingerprint, score};
use super::{AblateSettings, effects};
use crate::checkpoint::Checkpoint;
use crate::error::Result;
use crate::evaluate::tasks::Item;
use crate::run::{Network, Progress, Silence};
use crate::site::{Place, Site};

/// What replaces the output of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Its mean over the calibration tokens.
    Mean,
    /// Zero.
    Zero,
}

/// What silencing one part of one layer does to a benchmark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Silenced {
    /// `attention_out` or `feed_forward_out`.
    pub place: String,
    /// Layer, from 0.
    pub layer: usize,
    /// What replaces the output.
    pub by: By,
    /// The change in the answers.
    #[serde(flatten)]
    pub changed: Changed,
}

/// Silences every attention and feed-forward part of every layer, one at a time.
///
/// # Errors
/// Errors of running, and of reading or writing tables.
pub fn screen(
    checkpoint: &Checkpoint,
    asked: &[Asked],
    found: &Importance,
    by: &[By],
    settings: &AblateSettings,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Silenced>> {
    let items: Vec<Item> = asked.iter().flat_map(|of| of.items.iter().cloned()).collect();
    let mut networks = vec![Named {
        id: settings.id.clone(),
        file: "whole".to_owned(),
        network: Network::whole(checkpoint),
    }];
    let mut sites = Vec::new();
    for layer in 0..checkpoint.config.n_layers {
        for (place, name, means) in [
            (Place::AttentionOut, "attention_out", &found.attention_mean),
            (
                Place::FeedForwardOut,
                "feed_forward_out",
                &found.feed_forward_mean,
            ),
        ] {
            for &by in by {
                let row = match by {
                    By::Mean => means[layer].clone(),
                    By::Zero => vec![0.0; checkpoint.config.d_model],
                };
                let file = format!("{name}-{layer}-{}", if by == By::Mean { "mean" } else { "zero" });
                networks.push(Named {
                    id: format!("{} {file} {}", settings.id, fingerprint(&row)),
                    file,
                    network: Network {
                        silence: Some(Silence {
                            site: Site { place, layer },
                            row: Arc::new(row),
                        }),
                        ..Network::whole(checkpoint)
                    },
                });
                sites.push((name, layer, by));
            }
        }
    }
    let answers = score(&networks, &items, settings, progress)?;
    let changed = changes(asked, &answers[0], &answers[1..], effects::LEVEL);
    let told = changed.into_iter().map(|(number, changed)| {
        let (place, layer, by) = sites[number];
        Silenced {
            place: place.to_owned(),
            layer,
            by,
            changed,
        }
    });
    Ok(told.collect())
}
