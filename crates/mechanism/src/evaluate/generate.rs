//! Greedy continuation of contexts, keys and values kept: each token is computed once.
//!
//! All layers stay in memory, so a checkpoint must fit; contexts go through them one by one, new tokens of up to sixteen
//! texts together.

use crate::checkpoint::Checkpoint;
use crate::decoder::block::{Block, KeysValues, Trace};
use crate::decoder::feed_forward::resized;
use crate::decoder::rope::GroupAngles;
use crate::decoder::{Layer, Segment};
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
struct Text {
    ids: Vec<u32>,
    context: usize,
    /// By layer that is run.
    kept: Vec<KeysValues>,
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
    let layers = settings
        .layers
        .iter()
        .map(|index| Ok((*index, Layer::load(&checkpoint.weights, config, *index)?)))
        .collect::<Result<_>>()?;
    generate_with(checkpoint, layers, contexts, settings)
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
        head: Head::load(checkpoint)?,
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

struct Decoder<'a> {
    checkpoint: &'a Checkpoint,
    head: Head<'a>,
    layers: Vec<(usize, Layer)>,
}

impl Decoder<'_> {
    fn continued(&self, contexts: &[Vec<u32>], settings: &GenerateSettings) -> Result<Vec<String>> {
        let mut running: Vec<(usize, Text)> = Vec::with_capacity(contexts.len());
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
    fn begun(&self, context: &[u32]) -> Result<Text> {
        let config = &self.checkpoint.config;
        let group = Group::pack(&[context.to_vec()], context.len()).remove(0);
        let mut x = embed(self.checkpoint, &group)?;
        let angles = GroupAngles::new(config, &group.segments);
        let mut kept = Vec::with_capacity(self.layers.len());
        let (mut trace, mut next) = (Trace::default(), Vec::new());
        for (index, layer) in &self.layers {
            let block = Block {
                config,
                index: *index,
                layer,
                angles: angles.at(config, *index),
                segments: &group.segments,
                first_text: 0,
            };
            block.forward(&x, resized(&mut next, x.len()), &mut trace, &mut Nobody)?;
            std::mem::swap(&mut x, &mut next);
            kept.push(KeysValues {
                k: trace.k.clone(),
                v: trace.v.clone(),
            });
        }
        let last = &x[x.len() - config.d_model..];
        let mut ids = context.to_vec();
        ids.extend(self.likeliest(last));
        Ok(Text {
            ids,
            context: context.len(),
            kept,
        })
    }

    /// Adds one token to each text.
    fn step(&self, texts: &mut [(usize, Text)]) -> Result<()> {
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
        let mut x = embed(self.checkpoint, &group)?;
        let angles = GroupAngles::new(config, &group.segments);
        let (mut trace, mut next) = (Trace::default(), Vec::new());
        for (at, (index, layer)) in self.layers.iter().enumerate() {
            let block = Block {
                config,
                index: *index,
                layer,
                angles: angles.at(config, *index),
                segments: &group.segments,
                first_text: 0,
            };
            let mut kept: Vec<KeysValues> = texts
                .iter_mut()
                .map(|(_, text)| std::mem::take(&mut text.kept[at]))
                .collect();
            block.forward_kept(&x, resized(&mut next, x.len()), &mut trace, &mut kept)?;
            std::mem::swap(&mut x, &mut next);
            for ((_, text), kept) in texts.iter_mut().zip(kept) {
                text.kept[at] = kept;
            }
        }
        for ((_, text), token) in texts.iter_mut().zip(self.likeliest(&x)) {
            text.ids.push(token);
        }
        Ok(())
    }

    /// The likeliest next token of each row, the first on ties.
    fn likeliest(&self, x: &[f32]) -> Vec<u32> {
        let best = |row: &[f32]| {
            let mut best = 0;
            for (token, logit) in row.iter().enumerate() {
                if *logit > row[best] {
                    best = token;
                }
            }
            best as u32
        };
        let logits = self.head.logits(x);
        logits
            .chunks_exact(self.checkpoint.config.vocab_size)
            .map(best)
            .collect()
    }

    /// What a text came to, if it has ended.
    fn ended(&self, text: &Text, settings: &GenerateSettings, made: usize) -> Result<Option<String>> {
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
