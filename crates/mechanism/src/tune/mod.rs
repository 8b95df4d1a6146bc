//! Fine-tuning with low-rank adapters: next-token loss over response tokens, `AdamW`, all other weights frozen.
//!
//! The loss is that of `gradients`: the mean cross-entropy over a sample's response tokens, averaged over the samples
//! of a step. All layers stay in memory; each is merged with its adapter in the forward pass and, unless kept, again in
//! the backward pass, so that the decoder's own gradients can be used: `dA` and `dB` follow from `dW`.

pub mod adamw;
pub mod adapter;
pub mod peft;
pub mod text;

use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::checkpoint::Checkpoint;
use crate::decoder::block::{Block, Trace};
use crate::decoder::block_gradient::BlockGradient;
use crate::decoder::elementwise::scale;
use crate::decoder::{Cpu, Form, Laid, Layer, Machine};
use crate::error::{Error, Result};
use crate::gradients::loss::loss_backward;
use crate::gradients::report::report;
use crate::gradients::{Gradients, Sample, encode};
use crate::run::{Group, Head, embed};
use crate::site::Nobody;

pub use adamw::{AdamW, Moments};
pub use adapter::{Adapter, Factors, TARGETS};

/// Token ids of prompt and response together, and the number of prompt tokens.
pub type EncodedSample = (Vec<u32>, usize);

/// Number of samples whose losses are computed together; a layer is merged once for all of them.
const TOGETHER: usize = 16;

/// Maximum memory for merged layers that are kept for the backward pass, bytes.
const MERGED_BYTES: usize = 6 << 30;
/// Bytes per element of a merged layer: the element itself, and its share of the packed form that products keep.
const MERGED_BYTES_A_NUMBER: usize = 10;

/// Results of the forward pass that the backward pass needs.
struct Forward<M: Machine> {
    /// Input of each layer.
    inputs: Vec<M::Rows>,
    /// The layers merged with the adapter; empty if they would take too much memory.
    merged: Vec<Layer<M>>,
    /// The residual stream after the last layer.
    last: M::Rows,
}

/// An adapter in training. It is merged with the layers in CPU memory; the machine receives one layer at a time.
#[derive(Debug)]
pub struct Tuner<'a, M: Machine = Cpu> {
    machine: &'a M,
    checkpoint: &'a Checkpoint,
    layers: Vec<Layer>,
    head: Head<'a, M>,
    /// The adapter in its current state.
    pub adapter: Adapter,
    optimizer: AdamW,
    state: peft::State,
    /// Number of optimiser steps taken.
    pub steps: u64,
}

impl<'a> Tuner<'a> {
    /// Loads all layers for training on the CPU, with an adapter that changes nothing yet.
    ///
    /// # Errors
    /// [`Error::Unavailable`] for mixtures of experts; [`Error::Config`] for a rank of zero; errors of reading.
    pub fn new(
        checkpoint: &'a Checkpoint,
        rank: usize,
        alpha: f32,
        optimizer: AdamW,
        seed: u64,
    ) -> Result<Self> {
        Self::new_on(&Cpu, checkpoint, rank, alpha, optimizer, seed)
    }
}

impl<'a, M: Machine> Tuner<'a, M> {
    /// As [`Tuner::new`], for training on `machine`.
    ///
    /// # Errors
    /// Those of [`Tuner::new`] and of the machine.
    pub fn new_on(
        machine: &'a M,
        checkpoint: &'a Checkpoint,
        rank: usize,
        alpha: f32,
        optimizer: AdamW,
        seed: u64,
    ) -> Result<Self> {
        if rank == 0 {
            return Err(Error::Config {
                field: "rank".to_owned(),
                what: "0 adapts nothing".to_owned(),
            });
        }
        let config = &checkpoint.config;
        let layers: Vec<Layer> = (0..config.n_layers)
            .map(|index| Layer::load(&checkpoint.weights, config, index))
            .collect::<Result<_>>()?;
        let adapter = Adapter::new(config, &layers, rank, alpha, seed)?;
        let state = adapter
            .layers
            .iter()
            .map(|own| {
                own.iter()
                    .map(|factors| [Moments::zero(factors.a.len()), Moments::zero(factors.b.len())])
                    .collect()
            })
            .collect();
        Ok(Self {
            machine,
            checkpoint,
            layers,
            head: Head::load_on(machine, checkpoint, Form::Wide)?,
            adapter,
            optimizer,
            state,
            steps: 0,
        })
    }

    /// Encodes samples for [`Tuner::step`].
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::EmptySample`], [`Error::Tokenizer`].
    pub fn encode(&self, samples: &[Sample]) -> Result<Vec<EncodedSample>> {
        encode(self.checkpoint, samples)
    }

    /// As [`Tuner::encode`], with the end-of-text token after each response if the checkpoint has one, so that the
    /// tuned checkpoint also learns to stop.
    ///
    /// # Errors
    /// Those of [`Tuner::encode`].
    pub fn encode_ended(&self, samples: &[Sample]) -> Result<Vec<EncodedSample>> {
        let mut encoded = self.encode(samples)?;
        for (ids, _) in &mut encoded {
            ids.extend(self.checkpoint.end_tokens.first());
        }
        Ok(encoded)
    }

    /// The layers merged with the adapter, each with its index.
    pub fn merged(&self) -> Vec<(usize, Layer)> {
        let merged = |(index, layer)| (index, self.adapter.merged(layer, index));
        self.layers.iter().enumerate().map(merged).collect()
    }

    /// Layer `index` merged with the adapter.
    fn merged_layer(&self, index: usize) -> Result<Layer<M>> {
        self.adapter
            .merged(&self.layers[index], index)
            .brought(self.machine)
    }

    /// Whether merged layers are kept in memory for the backward pass: they need as much memory as the layers
    /// themselves, plus that of the packed forms that products keep.
    fn keeps_merged(&self) -> bool {
        let config = &self.checkpoint.config;
        let attention = 2 * config.d_model * (config.q_width() + config.kv_width());
        let of_layer = attention + 3 * config.d_model * config.d_ffn;
        MERGED_BYTES_A_NUMBER * of_layer * self.layers.len() <= MERGED_BYTES
    }

    /// Forward pass of a group of samples; the result includes the merged layers if `kept`.
    fn forward(&self, group: &Group, laid: &Laid<M>, kept: bool) -> Result<Forward<M>> {
        let mut x = self.machine.rows(embed(self.checkpoint, group)?)?;
        let mut inputs = Vec::with_capacity(self.layers.len());
        let mut merged = Vec::new();
        let mut trace = Trace::default();
        for index in 0..self.layers.len() {
            let layer = self.merged_layer(index)?;
            let mut out = M::Rows::default();
            self.block(index, &layer, group, laid)
                .forward(&x, &mut out, &mut trace, &mut Nobody)?;
            inputs.push(std::mem::replace(&mut x, out));
            if kept {
                merged.push(layer);
            }
        }
        Ok(Forward {
            inputs,
            merged,
            last: x,
        })
    }

    fn block<'b>(
        &'b self,
        index: usize,
        layer: &'b Layer<M>,
        group: &'b Group,
        laid: &'b Laid<M>,
    ) -> Block<'b, M> {
        Block {
            machine: self.machine,
            config: &self.checkpoint.config,
            index,
            layer,
            laid,
            segments: &group.segments,
            first_text: 0,
        }
    }

    /// Losses of `samples` with the current adapter, nats per token.
    ///
    /// # Errors
    /// Errors of running.
    pub fn losses(&self, samples: &[EncodedSample]) -> Result<Vec<f64>> {
        let mut losses = Vec::with_capacity(samples.len());
        for together in samples.chunks(TOGETHER) {
            let (group, laid) = self.group(together)?;
            let last = self.forward(&group, &laid, false)?.last;
            let config = &self.checkpoint.config;
            loss_backward(&self.head, config, &group, together, &last, &mut losses)?;
        }
        Ok(losses)
    }

    fn group(&self, samples: &[EncodedSample]) -> Result<(Group, Laid<M>)> {
        let texts: Vec<Vec<u32>> = samples.iter().map(|(ids, _)| ids.clone()).collect();
        let group = Group::pack(&texts, usize::MAX).remove(0);
        let laid = Laid::new(self.machine, &self.checkpoint.config, &group.segments)?;
        Ok((group, laid))
    }

    /// Performs one optimiser step on `samples`; returns their losses before the step.
    ///
    /// # Errors
    /// [`Error::Empty`] without samples; errors of running.
    pub fn step(&mut self, samples: &[EncodedSample]) -> Result<Vec<f64>> {
        self.step_seen(samples, &mut |_| Ok(()))
    }

    /// As [`Tuner::step`], but returns the gradient of the mean loss on `samples` before the step, with respect to the
    /// merged matrices, not to the adapter's factors.
    ///
    /// # Errors
    /// Those of [`Tuner::step`].
    pub fn step_with_gradients(&mut self, samples: &[EncodedSample]) -> Result<Gradients> {
        let mut layers = Vec::with_capacity(self.layers.len());
        let losses = self.step_seen(samples, &mut |gradient| {
            layers.push(report(gradient, &[])?);
            Ok(())
        })?;
        layers.reverse();
        let prompt_tokens = samples.iter().map(|(_, prompt)| prompt).sum();
        Ok(Gradients {
            mean_loss: losses.iter().sum::<f64>() / losses.len() as f64,
            losses,
            layers,
            samples: samples.len(),
            prompt_tokens,
            response_tokens: samples.iter().map(|(ids, _)| ids.len()).sum::<usize>() - prompt_tokens,
        })
    }

    /// Performs a step; `seen` receives each layer's gradient, the last layer's first.
    fn step_seen(
        &mut self,
        samples: &[EncodedSample],
        seen: &mut dyn FnMut(&BlockGradient) -> Result<()>,
    ) -> Result<Vec<f64>> {
        if samples.is_empty() {
            return Err(Error::Empty {
                what: "sample",
                reason: "a step has none".to_owned(),
            });
        }
        let (group, laid) = self.group(samples)?;
        let Forward {
            mut inputs,
            merged: mut kept,
            last,
        } = self.forward(&group, &laid, self.keeps_merged())?;
        let mut losses = Vec::new();
        let mut stream = loss_backward(
            &self.head,
            &self.checkpoint.config,
            &group,
            samples,
            &last,
            &mut losses,
        )?;
        self.machine.edit(&mut stream, &mut |stream| {
            scale(stream, 1.0 / samples.len() as f32);
            Ok(())
        })?;
        self.steps += 1;
        let mut trace = Trace::default();
        for index in (0..self.layers.len()).rev() {
            let merged = match kept.pop() {
                Some(layer) => layer,
                None => self.merged_layer(index)?,
            };
            let mut gradient = BlockGradient::new(&merged);
            let x = std::mem::take(&mut inputs[index]);
            let block = self.block(index, &merged, &group, &laid);
            block.forward(&x, &mut M::Rows::default(), &mut trace, &mut Nobody)?;
            stream = block.backward(&x, &trace, &stream, &mut gradient)?;
            seen(&gradient)?;
            let gradients = self.adapter.gradients(index, &gradient);
            let own = self.adapter.layers[index].iter_mut().zip(&mut self.state[index]);
            for ((factors, [of_a, of_b]), (d_a, d_b)) in own.zip(gradients) {
                self.optimizer.update(self.steps, &mut factors.a, &d_a, of_a);
                self.optimizer.update(self.steps, &mut factors.b, &d_b, of_b);
            }
        }
        Ok(losses)
    }

    /// Writes adapter and optimiser state into `folder`, so that training can be resumed.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn save(&self, folder: &Path) -> Result<()> {
        peft::save(&self.adapter, &self.checkpoint.path.display().to_string(), folder)?;
        peft::save_state(&self.adapter, &self.state, self.steps, folder)
    }

    /// Resumes from the files that [`Tuner::save`] wrote.
    ///
    /// # Errors
    /// [`Error::Adapter`] if they are for another checkpoint, rank or alpha; [`Error::Read`].
    pub fn resume(&mut self, folder: &Path) -> Result<()> {
        let adapter = peft::load(folder, &self.adapter)?;
        let (state, steps) = peft::load_state(&adapter, folder)?;
        (self.adapter, self.state, self.steps) = (adapter, state, steps);
        Ok(())
    }
}

/// Indices of the samples of step `step` (from 0): consecutive batches of a random order, another one in every epoch.
/// It depends only on the arguments, so that a resumed training sees the same batches.
pub fn batch(samples: usize, size: usize, step: u64, seed: u64) -> Vec<usize> {
    let size = size.clamp(1, samples.max(1));
    let per_epoch = samples.div_ceil(size).max(1) as u64;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(step / per_epoch);
    let mut order: Vec<usize> = (0..samples).collect();
    for i in 1..samples {
        order.swap(i, random.random_range(0..=i));
    }
    let start = (step % per_epoch) as usize * size;
    order[start.min(samples)..(start + size).min(samples)].to_vec()
}
