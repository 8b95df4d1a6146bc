//! Greedy continuation of contexts, keys and values kept: each token is computed once.
//!
//! All layers stay in memory, so a checkpoint must fit; contexts go through them one by one, new tokens of up to sixteen
//! texts together.

use std::sync::Arc;

use crate::checkpoint::Checkpoint;
use crate::decoder::block::{Block, Trace};
use crate::decoder::device::on;
use crate::decoder::{Laid, Layer, Machine, Segment};
use crate::error::{Error, Result};
use crate::run::{Group, Head, embed};
use crate::site::Nobody;

/// How texts are continued.
#[derive(Debug, Clone)]
pub struct GenerateSettings {
    /// Layers to run, ascending.
    pub layers: Vec<usize>,
    /// Most tokens to add.
    pub max_new_tokens: usize,
    /// A text ends before the first of these.
    pub until: Vec<String>,
}

/// Keys and values kept of all texts that are continued together, bytes.
const KEPT_BYTES: usize = 2 << 30;

/// A text that is being continued.
struct Text<M: Machine> {
    ids: Vec<u32>,
    context: usize,
    /// By layer that is run.
    kept: Vec<M::Kept>,
}

/// Greedy continuations of `contexts`, without the end mark or what follows it. A context that leaves no room loses its
/// beginning, as the harness has it.
///
/// # Errors
/// [`Error::NoRoom`] when the checkpoint has no more positions than tokens to generate; what encoding and reading fail with.
pub fn generate(
    checkpoint: &Checkpoint,
    contexts: &[&str],
    settings: &GenerateSettings,
) -> Result<Vec<String>> {
    let config = &checkpoint.config;
    if let Some(&layer) = settings.layers.iter().find(|layer| **layer >= config.n_layers) {
        return Err(Error::Layer {
            layer,
            n_layers: config.n_layers,
        });
    }
    on!(&checkpoint.device, machine => {
        let layers = read(machine, checkpoint, &settings.layers)?;
        generate_on(machine, checkpoint, layers, contexts, settings)
    })
}

/// The same with layers in memory, such as those an adapter has changed, each with its number.
///
/// # Errors
/// As [`generate`].
pub fn generate_with(
    checkpoint: &Checkpoint,
    layers: Vec<(usize, Layer)>,
    contexts: &[&str],
    settings: &GenerateSettings,
) -> Result<Vec<String>> {
    on!(&checkpoint.device, machine => {
        let brought = |(index, layer): (usize, Layer)| Ok((index, Arc::new(layer.brought(machine)?)));
        let layers = layers.into_iter().map(brought).collect::<Result<_>>()?;
        generate_on(machine, checkpoint, layers, contexts, settings)
    })
}

fn generate_on<M: Machine>(
    machine: &M,
    checkpoint: &Checkpoint,
    layers: Vec<(usize, Arc<Layer<M>>)>,
    contexts: &[&str],
    settings: &GenerateSettings,
) -> Result<Vec<String>> {
    let config = &checkpoint.config;
    if settings.max_new_tokens >= config.max_positions {
        return Err(Error::NoRoom {
            tokens: settings.max_new_tokens,
            max_positions: config.max_positions,
        });
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
        head: Head::load_on(machine, checkpoint)?,
        layers,
    };
    let longest = encoded.iter().map(Vec::len).max().unwrap_or(0) + settings.max_new_tokens;
    let per_text = 8 * longest * config.kv_width() * decoder.layers.len();
    let together = (KEPT_BYTES / per_text.max(1)).clamp(1, 16);
    let mut texts = Vec::with_capacity(contexts.len());
    for batch in encoded.chunks(together) {
        texts.extend(decoder.continued(batch, settings)?);
    }
    Ok(texts)
}

/// Greedy continuations of contexts in token ids by `tokens` tokens each, whatever they are.
///
/// # Errors
/// As [`generate`].
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
            head: Head::load_on(machine, checkpoint)?,
            layers: read(machine, checkpoint, layers)?,
        };
        let mut texts = Vec::with_capacity(contexts.len());
        for (i, context) in contexts.iter().enumerate() {
            texts.push((i, decoder.begun(context)?));
        }
        for _ in 1..tokens {
            decoder.step(&mut texts)?;
        }
        Ok(texts
            .into_iter()
            .map(|(_, text)| text.ids[text.context..].to_vec())
            .collect())
    })
}

/// Layers with their numbers.
fn read<M: Machine>(
    machine: &M,
    checkpoint: &Checkpoint,
    layers: &[usize],
) -> Result<Vec<(usize, Arc<Layer<M>>)>> {
    let one = |index: &usize| {
        let weights = &checkpoint.weights;
        let layer = checkpoint
            .shelf
            .layer(machine, weights, &checkpoint.config, *index)?;
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
    fn continued(&self, contexts: &[Vec<u32>], settings: &GenerateSettings) -> Result<Vec<String>> {
        let mut running: Vec<(usize, Text<M>)> = Vec::with_capacity(contexts.len());
        let mut finished = vec![String::new(); contexts.len()];
        for (i, context) in contexts.iter().enumerate() {
            running.push((i, self.begun(context)?));
        }
        for made in 1..=settings.max_new_tokens {
            let mut going = Vec::with_capacity(running.len());
            for (i, text) in running {
                match self.ended(&text, settings, made)? {
                    Some(done) => finished[i] = done,
                    None => going.push((i, text)),
                }
            }
            if going.is_empty() {
                return Ok(finished);
            }
            running = going;
            self.step(&mut running)?;
        }
        Ok(finished)
    }

    /// Runs a context and adds the first token.
    fn begun(&self, context: &[u32]) -> Result<Text<M>> {
        let config = &self.checkpoint.config;
        let group = Group::pack(&[context.to_vec()], context.len()).remove(0);
        let mut x = self.machine.rows(embed(self.checkpoint, &group)?)?;
        let laid = Laid::new(self.machine, config, &group.segments)?;
        let mut kept = Vec::with_capacity(self.layers.len());
        let (mut trace, mut next) = (Trace::default(), M::Rows::default());
        for (index, layer) in &self.layers {
            let block = Block {
                machine: self.machine,
                config,
                index: *index,
                layer,
                laid: &laid,
                segments: &group.segments,
                first_text: 0,
            };
            block.forward(&x, &mut next, &mut trace, &mut Nobody)?;
            std::mem::swap(&mut x, &mut next);
            kept.push(self.machine.keep(&trace.k, &trace.v));
        }
        let mut last = M::Rows::default();
        let mut rows = [context.len() - 1].into_iter();
        self.machine.take(&x, config.d_model, &mut rows, &mut last);
        let mut ids = context.to_vec();
        ids.extend(self.likeliest(&last)?);
        Ok(Text {
            ids,
            context: context.len(),
            kept,
        })
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

    /// The likeliest next token of each row, the first on ties.
    fn likeliest(&self, x: &M::Rows) -> Result<Vec<u32>> {
        let (mut normed, mut logits) = (M::Rows::default(), M::Rows::default());
        self.head.logits_of(x, &mut normed, &mut logits);
        let best = self
            .machine
            .log_sum_exp(&logits, self.checkpoint.config.vocab_size)?;
        Ok(best.into_iter().map(|(token, _)| token as u32).collect())
    }

    /// What a text came to, if it has ended.
    fn ended(&self, text: &Text<M>, settings: &GenerateSettings, made: usize) -> Result<Option<String>> {
        let added = &text.ids[text.context..];
        let at_end = added
            .last()
            .is_some_and(|id| self.checkpoint.end_tokens.contains(id));
        let tokenizer = self.checkpoint.tokenizer()?;
        let whole = tokenizer.decode(added)?;
        let marked = settings.until.iter().any(|mark| whole.contains(mark.as_str()));
        if !(at_end || marked || made == settings.max_new_tokens) {
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
