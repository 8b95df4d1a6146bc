//! Runs all texts through a checkpoint, one layer at a time.
//!
//! Each weight is read once and dropped after its layer; what stays is the residual stream of all texts, in memory or
//! on disk. Peak memory: one layer, one group of texts inside a block, and the streams unless spilled.

mod head;
mod residuals;

use std::path::PathBuf;

use crate::checkpoint::Checkpoint;
use crate::decoder::block::{Block, Trace};
use crate::decoder::elementwise::{add, copy, scale};
use crate::decoder::rope::GroupAngles;
use crate::decoder::{Layer, Segment};
use crate::error::{Error, Result};
use crate::site::{Observer, Place, Site, offer};
use crate::weights::{Kind, Part};

pub use head::Head;
pub use residuals::Residuals;

/// How a run is divided and where the residual streams live.
#[derive(Debug, Clone)]
pub struct RunSettings {
    /// Tokens that go through a block together; one longer text still goes whole.
    pub group_tokens: usize,
    /// Folder for the residual streams; in memory when absent.
    pub spill: Option<PathBuf>,
}

impl RunSettings {
    /// In memory, 2,048 tokens at a time.
    pub fn in_memory() -> Self {
        Self {
            group_tokens: 2048,
            spill: None,
        }
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: &'static str,
    /// Steps done.
    pub done: usize,
    /// Steps there are.
    pub total: usize,
    /// Tokens per step.
    pub tokens: usize,
}

/// Texts that go through a block together.
#[derive(Debug, Clone)]
pub struct Group {
    /// Number of the first text (or segment) in the run.
    pub first_text: usize,
    /// Token ids of all rows.
    pub ids: Vec<u32>,
    /// The texts' rows.
    pub segments: Vec<Segment>,
}

impl Group {
    /// Packs texts in their order into groups of about `group_tokens`.
    pub fn pack(texts: &[Vec<u32>], group_tokens: usize) -> Vec<Self> {
        let mut groups = Vec::new();
        let mut start = 0;
        while start < texts.len() {
            let mut end = start + 1;
            let mut tokens = texts[start].len();
            while end < texts.len() && tokens + texts[end].len() <= group_tokens {
                tokens += texts[end].len();
                end += 1;
            }
            let lengths: Vec<usize> = texts[start..end].iter().map(Vec::len).collect();
            groups.push(Self {
                first_text: start,
                ids: texts[start..end].concat(),
                segments: Segment::texts(&lengths),
            });
            start = end;
        }
        groups
    }
}

/// What a layer did to a group.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// Layer, from 0.
    pub layer: usize,
    /// Number of the group.
    pub group: usize,
    /// The texts' rows and the first text's number.
    pub texts: &'a Group,
    /// Residual stream before the layer, `(rows, d_model)`.
    pub before: &'a [f32],
    /// Residual stream after it, before any final norm.
    pub after: &'a [f32],
}

/// Runs groups through layers `layers` of a checkpoint; `each` sees every layer's work on every group.
///
/// Returns the residual streams after the last layer, before the final norm.
///
/// # Errors
/// What reading weights, the observer, the disk or `each` fails with; [`Error::TooLong`] for a text beyond learned positions.
pub fn run(
    checkpoint: &Checkpoint,
    groups: &[Group],
    layers: &[usize],
    settings: &RunSettings,
    observer: &mut dyn Observer,
    progress: &mut dyn FnMut(Progress),
    each: &mut dyn FnMut(Step<'_>) -> Result<()>,
) -> Result<Residuals> {
    let config = &checkpoint.config;
    let d = config.d_model;
    let mut residuals = Residuals::new(settings.spill.as_deref(), groups.iter().map(|g| g.ids.len() * d))?;
    for (i, group) in groups.iter().enumerate() {
        residuals.store(i, embed(checkpoint, group)?)?;
    }
    let tokens = groups.iter().map(|g| g.ids.len()).sum();
    let angles: Vec<GroupAngles> = groups
        .iter()
        .map(|g| GroupAngles::new(config, &g.segments))
        .collect();
    let mut trace = Trace::default();
    let mut before = Vec::new();
    for (done, &index) in layers.iter().enumerate() {
        progress(Progress {
            stage: "layers",
            done,
            total: layers.len(),
            tokens,
        });
        if index >= config.n_layers {
            return Err(Error::Layer {
                layer: index,
                n_layers: config.n_layers,
            });
        }
        let layer = Layer::load(&checkpoint.weights, config, index)?;
        for (i, group) in groups.iter().enumerate() {
            let mut x = residuals.take(i)?;
            offer(
                observer,
                Site {
                    place: Place::ResidualIn,
                    layer: index,
                },
                group.first_text,
                d,
                &group.segments,
                &mut x,
            )?;
            before.resize(x.len(), 0.0);
            copy(&x, &mut before);
            let block = Block {
                config,
                index,
                layer: &layer,
                angles: angles[i].at(config, index),
                segments: &group.segments,
                first_text: group.first_text,
            };
            block.forward(&mut x, &mut trace, observer)?;
            offer(
                observer,
                Site {
                    place: Place::ResidualOut,
                    layer: index,
                },
                group.first_text,
                d,
                &group.segments,
                &mut x,
            )?;
            each(Step {
                layer: index,
                group: i,
                texts: group,
                before: &before,
                after: &x,
            })?;
            residuals.store(i, x)?;
        }
    }
    progress(Progress {
        stage: "layers",
        done: layers.len(),
        total: layers.len(),
        tokens,
    });
    Ok(residuals)
}

/// The residual stream before layer 0, `(rows, d_model)`.
///
/// # Errors
/// [`Error::TokenId`], [`Error::TooLong`], and what reading fails with.
pub fn embed(checkpoint: &Checkpoint, group: &Group) -> Result<Vec<f32>> {
    let config = &checkpoint.config;
    checkpoint.check_ids(&group.ids)?;
    let mut x = checkpoint.weights.embedding_rows(config, &group.ids)?;
    if let Some(factor) = config.embedding_scale {
        scale(&mut x, factor);
    }
    if config.learned_positions {
        let d = config.d_model;
        let table = checkpoint
            .weights
            .load(config, None, Part::Positions, Kind::Weight)?;
        for (i, segment) in group.segments.iter().enumerate() {
            let end = segment.position + segment.rows.len();
            if end > config.max_positions {
                let text = group.first_text + i;
                return Err(Error::TooLong {
                    text,
                    tokens: end,
                    max_positions: config.max_positions,
                });
            }
            let here = &mut x[segment.rows.start * d..segment.rows.end * d];
            add(here, &table[segment.position * d..end * d]);
        }
    }
    Ok(x)
}
