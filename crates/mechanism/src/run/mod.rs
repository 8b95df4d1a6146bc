//! Runs all texts through a checkpoint, one layer at a time.
//!
//! Each weight is read once and dropped after its layer; what stays is the residual stream of all texts, in memory or
//! on disk. Peak memory: one layer, a group of texts inside a block for each thread, and the streams unless spilled.

mod group;
mod head;
mod many;
mod residuals;
mod tree;

use std::path::PathBuf;
use std::sync::Mutex;

use rayon::prelude::*;

use crate::checkpoint::Checkpoint;
use crate::config::DecoderConfig;
use crate::decoder::Layer;
use crate::decoder::block::{Block, Trace};
use crate::decoder::elementwise::{add, scale};
use crate::decoder::rope::GroupAngles;
use crate::error::{Error, Result};
use crate::site::{Nobody, Observer, Place, Site, offer};
use crate::weights::{Kind, Part};

pub use group::Group;
use group::batches;
pub use head::Head;
pub use many::{Network, Silence, run_many};
pub use residuals::Residuals;
pub use tree::{Path, Tree, trees};

/// How a run is divided and where the residual streams live.
#[derive(Debug, Clone)]
pub struct RunSettings {
    /// Tokens that go through a block together; one longer text still goes whole. What suits the machine when absent.
    pub group_tokens: Option<usize>,
    /// Folder for the residual streams; in memory when absent.
    pub spill: Option<PathBuf>,
}

impl RunSettings {
    /// In memory.
    pub fn in_memory() -> Self {
        Self {
            group_tokens: None,
            spill: None,
        }
    }

    /// Tokens of a group: 512 where a layer's matrices stay packed, so that groups go side by side and what they hold stays in
    /// the cache; 2,048 where each group packs them anew.
    pub fn tokens_a_group(&self, config: &DecoderConfig) -> usize {
        let usual = if Layer::stays_packed(config) { 512 } else { MANY };
        self.group_tokens.unwrap_or(usual)
    }

    /// Tokens of a large group: of texts whose shared beginnings are worked out once a group, or that are gone through backwards.
    pub fn tokens_a_large_group(&self) -> usize {
        self.group_tokens.unwrap_or(MANY)
    }
}

/// Tokens of a large group.
const MANY: usize = 2048;

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

/// A group on its way through a layer.
#[derive(Default)]
struct Pass {
    before: Vec<f32>,
    after: Vec<f32>,
}

/// Runs groups through layers `layers` of a checkpoint; `each` sees every layer's work on every group, groups in their order.
///
/// Groups go side by side, one to a thread, through layers whose matrices stay packed, unless the observer wants to see
/// something there; else one after the other, all threads in each product.
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
    each: &mut dyn FnMut(&[Step<'_>]) -> Result<()>,
) -> Result<Residuals> {
    let mut through = Through::new(checkpoint, groups);
    let mut residuals = through.embedded(settings.spill.as_deref())?;
    for (done, &index) in layers.iter().enumerate() {
        progress(through.progress(done, layers.len()));
        through.layer(index, &mut residuals, observer, each)?;
    }
    progress(through.progress(layers.len(), layers.len()));
    Ok(residuals)
}

/// Groups on their way through the layers of one checkpoint, with what stays the same from layer to layer.
pub(crate) struct Through<'a> {
    checkpoint: &'a Checkpoint,
    groups: &'a [Group],
    angles: Vec<GroupAngles>,
    batches: Vec<std::ops::Range<usize>>,
    traces: Mutex<Vec<Trace>>,
    passes: Vec<Pass>,
}

impl<'a> Through<'a> {
    pub(crate) fn new(checkpoint: &'a Checkpoint, groups: &'a [Group]) -> Self {
        let config = &checkpoint.config;
        Self {
            checkpoint,
            groups,
            angles: groups
                .par_iter()
                .map(|g| GroupAngles::new(config, &g.segments))
                .collect(),
            batches: batches(groups, Layer::stays_packed(config)),
            traces: Mutex::new(Vec::new()),
            passes: Vec::new(),
        }
    }

    /// The residual streams before layer 0.
    pub(crate) fn embedded(&self, spill: Option<&std::path::Path>) -> Result<Residuals> {
        let d = self.checkpoint.config.d_model;
        let mut residuals = Residuals::new(spill, self.groups.iter().map(|g| g.ids.len() * d))?;
        for (i, group) in self.groups.iter().enumerate() {
            residuals.store(i, embed(self.checkpoint, group)?)?;
        }
        Ok(residuals)
    }

    fn progress(&self, done: usize, total: usize) -> Progress {
        Progress {
            stage: "layers",
            done,
            total,
            tokens: self.groups.iter().map(|g| g.ids.len()).sum(),
        }
    }

    /// Pushes all groups through layer `index`.
    pub(crate) fn layer(
        &mut self,
        index: usize,
        residuals: &mut Residuals,
        observer: &mut dyn Observer,
        each: &mut dyn FnMut(&[Step<'_>]) -> Result<()>,
    ) -> Result<()> {
        let (config, groups, angles) = (&self.checkpoint.config, self.groups, &self.angles);
        let d = config.d_model;
        if index >= config.n_layers {
            return Err(Error::Layer {
                layer: index,
                n_layers: config.n_layers,
            });
        }
        let layer = Layer::load(&self.checkpoint.weights, config, index)?;
        let at = |place| Site { place, layer: index };
        let watched = Place::ALL.into_iter().any(|place| observer.wants(at(place)));
        let (traces, passes) = (&self.traces, &mut self.passes);
        for batch in &self.batches {
            let of_batch = &groups[batch.clone()];
            passes.resize_with(of_batch.len(), Pass::default);
            for (i, (group, pass)) in batch.clone().zip(of_batch.iter().zip(&mut *passes)) {
                pass.before = residuals.take(i)?;
                let site = at(Place::ResidualIn);
                offer(
                    observer,
                    site,
                    group.first_text,
                    d,
                    &group.segments,
                    &mut pass.before,
                )?;
            }
            let through = |i: usize, pass: &mut Pass, observer: &mut dyn Observer| {
                let mut trace = traces.lock().ok().and_then(|mut t| t.pop()).unwrap_or_default();
                let block = Block {
                    config,
                    index,
                    layer: &layer,
                    angles: angles[i].at(config, index),
                    segments: &groups[i].segments,
                    first_text: groups[i].first_text,
                };
                pass.after.resize(pass.before.len(), 0.0);
                let result = block.forward(&pass.before, &mut pass.after, &mut trace, observer);
                if let Ok(mut traces) = traces.lock() {
                    traces.push(trace);
                }
                result
            };
            if watched {
                for (i, pass) in batch.clone().zip(&mut *passes) {
                    through(i, pass, observer)?;
                }
            } else {
                let side_by_side = batch.clone().into_par_iter().zip(&mut *passes);
                side_by_side.try_for_each(|(i, pass)| through(i, pass, &mut Nobody))?;
            }
            for (group, pass) in of_batch.iter().zip(&mut *passes) {
                let site = at(Place::ResidualOut);
                offer(
                    observer,
                    site,
                    group.first_text,
                    d,
                    &group.segments,
                    &mut pass.after,
                )?;
            }
            let steps: Vec<Step<'_>> = batch
                .clone()
                .zip(of_batch.iter().zip(&*passes))
                .map(|(i, (texts, pass))| Step {
                    layer: index,
                    group: i,
                    texts,
                    before: &pass.before,
                    after: &pass.after,
                })
                .collect();
            each(&steps)?;
            for (i, pass) in batch.clone().zip(&mut *passes) {
                let spent = std::mem::take(&mut pass.before);
                residuals.store(i, std::mem::replace(&mut pass.after, spent))?;
            }
        }
        Ok(())
    }
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
