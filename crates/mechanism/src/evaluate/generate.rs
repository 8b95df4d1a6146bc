//! Greedy generation with a key-value cache, so that each token is computed once.
//!
//! All layers are kept in memory in their stored format, so the file must fit, because reading weights dominates the
//! cost of a new token. Up to sixteen texts pass through the layers together; finished texts are replaced by others.

use std::sync::Arc;

use crate::checkpoint::Checkpoint;
use crate::decoder::block::{Block, Trace};
use crate::decoder::device::on;
use crate::decoder::{Form, Laid, Layer, Machine, Segment};
use crate::error::{Error, Result};
use crate::run::{Group, Head, embed};
use crate::site::Nobody;

/// Settings of text generation.
#[derive(Debug, Clone)]
pub struct GenerateSettings {
    /// Indices of the layers to run, ascending.
    pub layers: Vec<usize>,
    /// Maximum number of tokens to generate.
    pub max_new_tokens: usize,
    /// Stop strings: a text ends before the first occurrence of any of them.
    pub until: Vec<String>,
}

/// Limit for the key-value caches of all texts that are continued together, bytes.
const KEPT_BYTES: usize = 2 << 30;
/// Maximum number of texts that are continued together.
const TOGETHER: usize = 16;
/// Number of context tokens that pass through the layers together.
const CONTEXT_TOKENS: usize = 2048;

/// A text that is being continued. `context` is the number of context tokens in `ids`.
struct Text<M: Machine> {
    ids: Vec<u32>,
    context: usize,
    /// One key-value cache for each layer that is run.
    kept: Vec<M::Kept>,
}

/// Greedy continuations of `contexts`, without the stop string and what follows it. A context too long for the
/// checkpoint's positions loses its first tokens, as in the harness.
///
/// # Errors
/// [`Error::NoRoom`] if `max_new_tokens` is not below the checkpoint's positions; [`Error::Layer`] for a layer that
/// does not exist; [`Error::Empty`] for a context without tokens; errors of encoding and reading.
pub fn generate(
    checkpoint: &Checkpoint,
    contexts: &[&str],
    settings: &GenerateSettings,
) -> Result<Vec<String>> {
    let mut texts = Vec::with_capacity(contexts.len());
    generate_each(checkpoint, contexts, settings, &mut |text| {
        texts.push(text);
        Ok(())
    })?;
    Ok(texts)
}

/// As [`generate`], but passes each text to `each` as soon as it and all texts before it are finished.
///
/// # Errors
/// Those of [`generate`] and of `each`.
pub(super) fn generate_each(
    checkpoint: &Checkpoint,
    contexts: &[&str],
    settings: &GenerateSettings,
    each: &mut dyn FnMut(String) -> Result<()>,
) -> Result<()> {
    let config = &checkpoint.config;
    if let Some(&layer) = settings.layers.iter().find(|layer| **layer >= config.n_layers) {
        return Err(Error::Layer {
            layer,
            n_layers: config.n_layers,
        });
    }
    on!(&checkpoint.device, machine => {
        let layers = read(machine, checkpoint, &settings.layers)?;
        generate_on(machine, checkpoint, layers, contexts, settings, each)
    })
}

/// As [`generate`], with layers in memory, for example modified by an adapter, each with its index.
///
/// # Errors
/// Those of [`generate`].
pub fn generate_with(
    checkpoint: &Checkpoint,
    layers: Vec<(usize, Layer)>,
    contexts: &[&str],
    settings: &GenerateSettings,
) -> Result<Vec<String>> {
    let mut texts = Vec::with_capacity(contexts.len());
    on!(&checkpoint.device, machine => {
        let brought = |(index, layer): (usize, Layer)| Ok((index, Arc::new(layer.brought(machine)?)));
        let layers = layers.into_iter().map(brought).collect::<Result<_>>()?;
        generate_on(machine, checkpoint, layers, contexts, settings, &mut |text| {
            texts.push(text);
            Ok(())
        })
    })?;
    Ok(texts)
}

fn generate_on<M: Machine>(
    machine: &M,
    checkpoint: &Checkpoint,
    layers: Vec<(usize, Arc<Layer<M>>)>,
    contexts: &[&str],
    settings: &GenerateSettings,
    each: &mut dyn FnMut(String) -> Result<()>,
) -> Result<()> {
    let config = &checkpoint.config;
    if settings.max_new_tokens >= config.max_positions {
        return Err(Error::NoRoom {
            tokens: settings.max_new_tokens,
            max_positions: config.max_positions,
        });
    }
    if settings.max_new_tokens == 0 {
        return contexts.iter().try_for_each(|_| each(String::new()));
    }
    let mut encoded = Vec::with_capacity(contexts.len());
    for context in contexts {
        let mut ids = checkpoint.encode(context)?;
        let over = ids
            .len()
            .saturating_sub(config.max_positions - settings.max_new_tokens);
        ids.drain(..over);
        if ids.is_empty() {
            return Err(Error::Empty {
                what: "context",
                reason: "it has no token".to_owned(),
            });
        }
        encoded.push(ids);
    }
    let decoder = Decoder {
        checkpoint,
        machine,
        head: Head::load_on(machine, checkpoint, Form::Stored)?,
        layers,
    };
    let longest = encoded.iter().map(Vec::len).max().unwrap_or(0) + settings.max_new_tokens;
    let per_text = 8 * longest * config.kv_width() * decoder.layers.len();
    let together = (KEPT_BYTES / per_text.max(1)).clamp(1, TOGETHER);
    decoder.continued(&encoded, together, settings, each)
}

/// On the CPU, runs `work` on a thread of the pool: otherwise each of the hundreds of small products for a token would
/// have to wake one.
fn among_threads<M: Machine, R: Send>(_: &M, work: impl FnOnce() -> R + Send) -> R {
    if M::IS_PROCESSOR {
        rayon::scope(|_| work())
    } else {
        work()
    }
}

/// Greedy continuations of tokenised contexts by exactly `tokens` tokens each, whether or not a text ends before.
///
/// # Errors
/// Those of [`generate`].
pub fn continue_ids(
    checkpoint: &Checkpoint,
    contexts: &[Vec<u32>],
    layers: &[usize],
    tokens: usize,
) -> Result<Vec<Vec<u32>>> {
    on!(&checkpoint.device, machine => {
        let decoder = Decoder {
            machine,
            checkpoint,
            head: Head::load_on(machine, checkpoint, Form::Stored)?,
            layers: read(machine, checkpoint, layers)?,
        };
        among_threads(machine, || {
            let mut texts: Vec<_> = decoder.begun(contexts)?.into_iter().enumerate().collect();
            for _ in 1..tokens {
                decoder.step(&mut texts)?;
            }
            Ok(texts
                .into_iter()
                .map(|(_, text)| text.ids[text.context..].to_vec())
                .collect())
        })
    })
}

/// Layers with their indices: for the CPU in their stored format, because it reads every layer for each token.
fn read<M: Machine>(
    machine: &M,
    checkpoint: &Checkpoint,
    layers: &[usize],
) -> Result<Vec<(usize, Arc<Layer<M>>)>> {
    let one = |index: &usize| {
        let (weights, config) = (&checkpoint.weights, &checkpoint.config);
        let layer = if M::IS_PROCESSOR {
            Arc::new(Layer::load_on(machine, weights, config, *index, Form::Stored)?)
        } else {
            checkpoint.shelf.layer(machine, weights, config, *index)?
        };
        Ok((*index, layer))
    };
    layers.iter().map(one).collect()
}

struct Decoder<'a, M: Machine> {
    machine: &'a M,
    checkpoint: &'a Checkpoint,
    head: Head<'a, M>,
    layers: Vec<(usize, Arc<Layer<M>>)>,
}

impl<M: Machine> Decoder<'_, M> {
    /// Continues all contexts, at most `together` at a time.
    fn continued(
        &self,
        contexts: &[Vec<u32>],
        together: usize,
        settings: &GenerateSettings,
        each: &mut dyn FnMut(String) -> Result<()>,
    ) -> Result<()> {
        let mut running: Vec<(usize, Text<M>)> = Vec::with_capacity(together);
        let mut finished: Vec<Option<String>> = vec![None; contexts.len()];
        let (mut begun, mut told) = (0, 0);
        while told < contexts.len() {
            // Several contexts are started at a time, so that the layers are decoded once for all of them.
            let room = together - running.len();
            let left = contexts.len() - begun;
            if left > 0 && (room >= left || 4 * room >= together) {
                let next = begun..begun + room.min(left);
                let texts = among_threads(self.machine, || self.begun(&contexts[next.clone()]))?;
                running.extend(next.clone().zip(texts));
                begun = next.end;
            } else {
                among_threads(self.machine, || self.step(&mut running))?;
            }
            let mut going = Vec::with_capacity(together);
            for (i, text) in running {
                match self.ended(&text, settings)? {
                    Some(done) => finished[i] = Some(done),
                    None => going.push((i, text)),
                }
            }
            running = going;
            while let Some(text) = finished.get_mut(told).and_then(Option::take) {
                each(text)?;
                told += 1;
            }
        }
        Ok(())
    }

    /// Runs contexts through the layers and adds the first token to each.
    fn begun(&self, contexts: &[Vec<u32>]) -> Result<Vec<Text<M>>> {
        let (config, machine) = (&self.checkpoint.config, self.machine);
        let mut texts = Vec::with_capacity(contexts.len());
        for group in Group::pack(contexts, CONTEXT_TOKENS) {
            let mut x = machine.rows(embed(self.checkpoint, &group)?)?;
            let laid = Laid::new(machine, config, &group.segments)?;
            let mut kept: Vec<Vec<M::Kept>> = Vec::new();
            kept.resize_with(group.segments.len(), Vec::new);
            let (mut trace, mut next) = (Trace::default(), M::Rows::default());
            let (mut k, mut v) = (M::Rows::default(), M::Rows::default());
            for (index, layer) in &self.layers {
                let block = Block {
                    machine,
                    config,
                    index: *index,
                    layer,
                    laid: &laid,
                    segments: &group.segments,
                    first_text: group.first_text,
                };
                block.forward(&x, &mut next, &mut trace, &mut Nobody)?;
                std::mem::swap(&mut x, &mut next);
                for (segment, kept) in group.segments.iter().zip(&mut kept) {
                    machine.take(&trace.k, config.kv_width(), &mut segment.rows.clone(), &mut k);
                    machine.take(&trace.v, config.kv_width(), &mut segment.rows.clone(), &mut v);
                    kept.push(machine.keep(&k, &v));
                }
            }
            let mut last = M::Rows::default();
            let mut rows = group.segments.iter().map(|segment| segment.rows.end - 1);
            machine.take(&x, config.d_model, &mut rows, &mut last);
            let first = self.likeliest(&last)?;
            let own = &contexts[group.first_text..group.first_text + group.segments.len()];
            for ((context, kept), token) in own.iter().zip(kept).zip(first) {
                let mut ids = context.clone();
                ids.push(token);
                texts.push(Text {
                    ids,
                    context: context.len(),
                    kept,
                });
            }
        }
        Ok(texts)
    }

    /// Adds one token to each text.
    fn step(&self, texts: &mut [(usize, Text<M>)]) -> Result<()> {
        let config = &self.checkpoint.config;
        let segments: Vec<Segment> = texts
            .iter()
            .enumerate()
            .map(|(row, (_, text))| Segment {
                rows: row..row + 1,
                before: Vec::new(),
                position: text.ids.len() - 1,
                length: text.ids.len(),
            })
            .collect();
        let group = Group {
            first_text: 0,
            ids: texts
                .iter()
                .map(|(_, text)| text.ids[text.ids.len() - 1])
                .collect(),
            segments,
        };
        let mut x = self.machine.rows(embed(self.checkpoint, &group)?)?;
        let laid = Laid::new(self.machine, config, &group.segments)?;
        let (mut trace, mut next) = (Trace::default(), M::Rows::default());
        for (at, (index, layer)) in self.layers.iter().enumerate() {
            let block = Block {
                machine: self.machine,
                config,
                index: *index,
                layer,
                laid: &laid,
                segments: &group.segments,
                first_text: 0,
            };
            let mut kept: Vec<M::Kept> = texts
                .iter_mut()
                .map(|(_, text)| std::mem::take(&mut text.kept[at]))
                .collect();
            block.forward_kept(&x, &mut next, &mut trace, &mut kept)?;
            std::mem::swap(&mut x, &mut next);
            for ((_, text), kept) in texts.iter_mut().zip(kept) {
                text.kept[at] = kept;
            }
        }
        for ((_, text), token) in texts.iter_mut().zip(self.likeliest(&x)?) {
            text.ids.push(token);
        }
        Ok(())
    }

    /// The most likely next token of each row, the first on ties.
    fn likeliest(&self, x: &M::Rows) -> Result<Vec<u32>> {
        let (mut normed, mut logits) = (M::Rows::default(), M::Rows::default());
        self.head.logits_of(x, &mut normed, &mut logits);
        let best = self
            .machine
            .log_sum_exp(&logits, self.checkpoint.config.vocab_size)?;
        Ok(best.into_iter().map(|(token, _)| token as u32).collect())
    }

    /// The generated text, if it has ended; else `None`.
    fn ended(&self, text: &Text<M>, settings: &GenerateSettings) -> Result<Option<String>> {
        let added = &text.ids[text.context..];
        let at_end = added
            .last()
            .is_some_and(|id| self.checkpoint.end_tokens.contains(id));
        let tokenizer = self.checkpoint.tokenizer()?;
        let whole = tokenizer.decode(added)?;
        let marked = settings.until.iter().any(|mark| whole.contains(mark.as_str()));
        if !(at_end || marked || added.len() >= settings.max_new_tokens) {
            return Ok(None);
        }
        let plain = tokenizer.decode_plain(added)?;
        let end = settings
            .until
            .iter()
            .filter_map(|mark| plain.find(mark.as_str()))
            .min();
        Ok(Some(plain[..end.unwrap_or(plain.len())].to_owned()))
    }
}
