//! Runs texts through a checkpoint, one layer at a time.
//!
//! Each weight is read once and dropped after its layer; only the residual streams of all texts are kept, in memory or
//! on disk. Peak memory: one layer, for each thread a group of texts inside a block, and the streams unless on disk.

mod around;
mod first_layer;
mod group;
mod head;
mod many;
mod residuals;
mod tree;

use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rayon::prelude::*;

use crate::checkpoint::Checkpoint;
use crate::decoder::block::{Block, Trace};
use crate::decoder::device::on;
use crate::decoder::elementwise::{add, scale};
use crate::decoder::{Device, Laid, Layer, Machine};
use crate::error::{Error, Result};
use crate::site::{Nobody, Observer, Place, Site};
use crate::weights::{Kind, Part};

pub use around::{Around, Step};
use around::{OfPass, Pass};
pub use first_layer::check_first_layer;
pub use group::Group;
use group::batches;
pub use head::Head;
pub(crate) use many::run_many;
pub use many::{Network, Silence};
pub use residuals::Residuals;
pub use tree::{Path, Tree, trees};

/// How a run is divided into groups, and where residual streams are stored.
#[derive(Debug, Clone)]
pub struct RunSettings {
    /// Maximum number of tokens in a group; a longer text forms its own group. `None` chooses what suits the device.
    pub group_tokens: Option<usize>,
    /// Folder for the residual streams; `None` keeps them in memory.
    pub spill: Option<PathBuf>,
}

impl RunSettings {
    /// Default group size, streams in memory.
    pub fn in_memory() -> Self {
        Self {
            group_tokens: None,
            spill: None,
        }
    }

    /// Tokens per group: 512 if a layer's matrices stay packed, so that groups can be run in parallel and their
    /// activations stay in the cache; otherwise as many as for a large group.
    pub fn tokens_a_group(&self, checkpoint: &Checkpoint) -> usize {
        let packed = checkpoint.device.is_processor() && Layer::stays_packed(&checkpoint.config);
        let usual = if packed { 512 } else { many(&checkpoint.device) };
        self.group_tokens.unwrap_or(usual)
    }

    /// Tokens per large group, used where prefixes are shared within a group, or for backward passes.
    pub fn tokens_a_large_group(&self, checkpoint: &Checkpoint) -> usize {
        self.group_tokens.unwrap_or(many(&checkpoint.device))
    }
}

/// Tokens per large group: enough for efficient products on a CPU, or to keep a GPU's many units busy.
fn many(device: &Device) -> usize {
    if device.is_processor() { 2048 } else { 8192 }
}

/// Progress of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Name of the current stage.
    pub stage: &'static str,
    /// Number of steps completed.
    pub done: usize,
    /// Total number of steps.
    pub total: usize,
    /// Number of tokens per step; 0 if not reported.
    pub tokens: usize,
}

/// Runs groups through layers `layers` of a checkpoint; `each` receives each layer's effect on each group, in order.
///
/// In layers whose matrices stay packed, groups are run in parallel, one thread each, unless the observer wants a site
/// of that layer; otherwise one after the other, with all threads in each product. On a GPU, as many groups as fit pass
/// through all layers before the next groups do.
///
/// Returns the residual streams after the last layer, before the final norm.
///
/// # Errors
/// Errors of reading weights, of the observer, of disk access and of `each`; [`Error::TooLong`] for a text beyond the
/// learned positions; [`Error::Layer`] for a layer that does not exist.
pub fn run(
    checkpoint: &Checkpoint,
    groups: &[Group],
    layers: &[usize],
    settings: &RunSettings,
    observer: &mut dyn Observer,
    progress: &mut dyn FnMut(Progress),
    each: &mut dyn FnMut(&[Step<'_>]) -> Result<()>,
) -> Result<Residuals> {
    on!(&checkpoint.device, machine => {
        run_on(machine, checkpoint, groups, layers, settings, observer, progress, each)
    })
}

#[expect(clippy::too_many_arguments, reason = "those of `run`, and the machine")]
fn run_on<M: Machine>(
    machine: &M,
    checkpoint: &Checkpoint,
    groups: &[Group],
    layers: &[usize],
    settings: &RunSettings,
    observer: &mut dyn Observer,
    progress: &mut dyn FnMut(Progress),
    each: &mut dyn FnMut(&[Step<'_>]) -> Result<()>,
) -> Result<Residuals> {
    let waves = waves(machine, checkpoint, groups)?;
    let total = layers.len() * waves.len();
    let (d, spill) = (checkpoint.config.d_model, settings.spill.as_deref());
    let tokens = groups.iter().map(|g| g.ids.len()).sum();
    let mut all = if waves.len() == 1 {
        None
    } else {
        Some(Residuals::new(spill, groups.iter().map(|g| g.ids.len() * d))?)
    };
    for (number, wave) in waves.iter().enumerate() {
        let mut through = Through::new(machine, checkpoint, &groups[wave.clone()], wave.start)?;
        let mut residuals = through.embedded(spill)?;
        for (done, &index) in layers.iter().enumerate() {
            progress(layers_done(number * layers.len() + done, total, tokens));
            let next = layers.get(done + 1).copied();
            through.layer(index, next, &mut residuals, observer, each)?;
        }
        let mut here = residuals.here(machine)?;
        let Some(all) = &mut all else {
            progress(layers_done(total, total, tokens));
            return Ok(here);
        };
        for (i, group) in wave.clone().enumerate() {
            all.store(group, here.take(i)?)?;
        }
    }
    progress(layers_done(total, total, tokens));
    all.map_or_else(|| Residuals::new(spill, std::iter::empty()), Ok)
}

fn layers_done(done: usize, total: usize, tokens: usize) -> Progress {
    Progress {
        stage: "layers",
        done,
        total,
        tokens,
    }
}

/// Divides groups into waves, each of which passes through all layers before the next.
///
/// # Errors
/// Those of [`Machine::rows_a_wave`].
pub(crate) fn waves<M: Machine>(
    machine: &M,
    checkpoint: &Checkpoint,
    groups: &[Group],
) -> Result<Vec<Range<usize>>> {
    let most = machine.rows_a_wave(&checkpoint.config)?;
    let mut waves: Vec<Range<usize>> = Vec::new();
    let mut rows = 0_usize;
    for (i, group) in groups.iter().enumerate() {
        let more = group.ids.len();
        match waves.last_mut() {
            Some(wave) if rows.saturating_add(more) <= most => wave.end = i + 1,
            _ => {
                waves.push(i..i + 1);
                rows = 0;
            }
        }
        rows += more;
    }
    if waves.is_empty() {
        waves.push(0..0);
    }
    Ok(waves)
}

/// Groups that pass through the layers of one checkpoint, with the data that all layers share.
pub(crate) struct Through<'a, M: Machine> {
    machine: &'a M,
    checkpoint: &'a Checkpoint,
    groups: &'a [Group],
    /// Index of the first group in the whole run.
    first_group: usize,
    laid: Vec<Laid<M>>,
    batches: Vec<Range<usize>>,
    traces: Mutex<Vec<Trace<M>>>,
    passes: Vec<Pass<M>>,
    /// The next layer with its index, read while the previous one was computed.
    ahead: Option<(usize, Arc<Layer<M>>)>,
}

impl<'a, M: Machine> Through<'a, M> {
    pub(crate) fn new(
        machine: &'a M,
        checkpoint: &'a Checkpoint,
        groups: &'a [Group],
        first_group: usize,
    ) -> Result<Self> {
        let config = &checkpoint.config;
        Ok(Self {
            machine,
            checkpoint,
            groups,
            first_group,
            laid: groups
                .par_iter()
                .map(|g| Laid::new(machine, config, &g.segments))
                .collect::<Result<_>>()?,
            batches: batches(groups, M::IS_PROCESSOR && Layer::stays_packed(config)),
            traces: Mutex::new(Vec::new()),
            passes: Vec::new(),
            ahead: None,
        })
    }

    /// The residual streams before layer 0: embeddings, with learned positions if there are any.
    pub(crate) fn embedded(&self, spill: Option<&std::path::Path>) -> Result<Residuals<M>> {
        let d = self.checkpoint.config.d_model;
        let mut residuals = Residuals::new(spill, self.groups.iter().map(|g| g.ids.len() * d))?;
        for (i, group) in self.groups.iter().enumerate() {
            residuals.put(
                self.machine,
                i,
                self.machine.rows(embed(self.checkpoint, group)?)?,
            )?;
        }
        Ok(residuals)
    }

    /// Passes all groups through layer `index`; the layer `next`, if known, may be read meanwhile.
    pub(crate) fn layer(
        &mut self,
        index: usize,
        next: Option<usize>,
        residuals: &mut Residuals<M>,
        observer: &mut dyn Observer,
        each: &mut dyn FnMut(&[Step<'_>]) -> Result<()>,
    ) -> Result<()> {
        let (checkpoint, machine) = (self.checkpoint, self.machine);
        let n_layers = checkpoint.config.n_layers;
        if index >= n_layers {
            return Err(Error::Layer {
                layer: index,
                n_layers,
            });
        }
        let read = move |index| {
            checkpoint
                .shelf
                .layer(machine, &checkpoint.weights, &checkpoint.config, index)
        };
        let layer = match self.ahead.take() {
            Some((number, layer)) if number == index => layer,
            _ => read(index)?,
        };
        let next = next.filter(|next| machine.reads_ahead() && *next < n_layers);
        std::thread::scope(|scope| {
            let ahead = next.map(|next| scope.spawn(move || read(next).map(|layer| (next, layer))));
            let result = self.pass(index, &layer, residuals, observer, each);
            // A panic in the thread has already been reported; its layer is read again when it is needed.
            if let Some(Ok(ahead)) = ahead.map(std::thread::ScopedJoinHandle::join) {
                self.ahead = Some(ahead?);
            }
            result
        })
    }

    fn pass(
        &mut self,
        index: usize,
        layer: &Layer<M>,
        residuals: &mut Residuals<M>,
        observer: &mut dyn Observer,
        each: &mut dyn FnMut(&[Step<'_>]) -> Result<()>,
    ) -> Result<()> {
        let (config, groups, laid, machine) =
            (&self.checkpoint.config, self.groups, &self.laid, self.machine);
        let watched = Place::ALL
            .into_iter()
            .any(|place| observer.wants(Site { place, layer: index }));
        let block = |i: usize| Block {
            machine,
            config,
            index,
            layer,
            laid: &laid[i],
            segments: &groups[i].segments,
            first_text: groups[i].first_text,
        };
        let (traces, passes) = (&self.traces, &mut self.passes);
        for batch in &self.batches {
            let of_batch = &groups[batch.clone()];
            passes.resize_with(of_batch.len(), Pass::default);
            for (i, pass) in batch.clone().zip(&mut *passes) {
                pass.before = residuals.get(machine, i)?;
                block(i).offer(observer, Place::ResidualIn, &mut pass.before)?;
            }
            let through = |i: usize, pass: &mut Pass<M>, observer: &mut dyn Observer| {
                let mut trace = traces.lock().ok().and_then(|mut t| t.pop()).unwrap_or_default();
                let result = block(i).forward(&pass.before, &mut pass.after, &mut trace, observer);
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
            for (i, pass) in batch.clone().zip(&mut *passes) {
                block(i).offer(observer, Place::ResidualOut, &mut pass.after)?;
            }
            let seen: Vec<OfPass<'_, M>> = passes
                .iter()
                .map(|pass| OfPass {
                    machine,
                    d: config.d_model,
                    pass,
                })
                .collect();
            let steps: Vec<Step<'_>> = batch
                .clone()
                .zip(of_batch.iter().zip(&seen))
                .map(|(i, (texts, stream))| Step {
                    layer: index,
                    group: self.first_group + i,
                    texts,
                    stream,
                })
                .collect();
            each(&steps)?;
            for (i, pass) in batch.clone().zip(&mut *passes) {
                let spent = std::mem::take(&mut pass.before);
                residuals.put(machine, i, std::mem::replace(&mut pass.after, spent))?;
            }
        }
        Ok(())
    }
}

/// The residual stream of a group before layer 0, `(rows, d_model)`.
///
/// # Errors
/// [`Error::TokenId`], [`Error::TooLong`], and errors of reading.
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
