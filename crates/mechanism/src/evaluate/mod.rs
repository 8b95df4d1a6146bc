//! Log-likelihoods of continuations given contexts, as lm-evaluation-harness computes them (its `HFLM.loglikelihood`).
//!
//! Context and continuation are encoded together and divided at the length of the encoded context. Common prefixes of
//! texts are computed once: the token sequences of a group form a tree (`run/tree.rs`), so the choices of an item share
//! their context, and items share their few-shot prefix, without being marked in any way.

pub mod answer;
pub mod data;
mod generate;
mod gsm8k;
pub mod metrics;
pub mod paired;
pub use common::proportions;
pub mod python_random;
pub mod results;
pub mod table;
pub mod tasks;

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::checkpoint::Checkpoint;
use crate::decoder::device::on;
use crate::decoder::{Form, Machine};
use crate::error::{Error, Result};
use crate::run::{Head, Network, Progress, Residuals, RunSettings, Tree, run_many, trees, waves};

pub use generate::{GenerateSettings, continue_ids, generate, generate_with};

/// A context and a possible continuation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The given text.
    pub context: String,
    /// The text to be scored.
    pub continuation: String,
}

/// Score of a continuation given its context.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LogLikelihood {
    /// `Σ ln p(token | all tokens before it)` over the continuation's tokens, nats.
    pub sum: f64,
    /// Whether every token of the continuation is the most likely one.
    pub is_greedy: bool,
    /// Number of tokens of the continuation.
    pub tokens: usize,
}

/// A tokenised request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// Token ids of context and continuation.
    pub ids: Vec<u32>,
    /// Number of tokens that belong to the context.
    pub context: usize,
}

/// Encodes a request as the harness does: trailing white space of the context is counted as part of the continuation.
///
/// # Errors
/// [`Error::Tokenizer`], [`Error::TokenId`]; [`Error::Empty`] if continuation or context has no token.
pub fn encode(checkpoint: &Checkpoint, request: &Request, special: bool) -> Result<Encoded> {
    let tokenizer = checkpoint.tokenizer()?;
    let trimmed = request.context.trim_end();
    let whole = format!("{}{}", request.context, request.continuation);
    let ids = tokenizer.encode(&whole, special)?;
    let context = tokenizer.encode(trimmed, special)?.len();
    checkpoint.check_ids(&ids)?;
    if context == 0 || context >= ids.len() {
        let reason = format!(
            "{context} context tokens of {} in {:?}",
            ids.len(),
            request.continuation
        );
        return Err(Error::Empty {
            what: "continuation",
            reason,
        });
    }
    Ok(Encoded { ids, context })
}

/// Scores `requests`, in order, with the layers `layers` of the checkpoint; `special` adds special tokens.
///
/// # Errors
/// Those of [`encode`] and [`run`](crate::run::run).
pub fn log_likelihoods(
    checkpoint: &Checkpoint,
    requests: &[Request],
    layers: &[usize],
    special: bool,
    settings: &RunSettings,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<LogLikelihood>> {
    let encoded: Vec<Encoded> = requests
        .par_iter()
        .map(|request| encode(checkpoint, request, special))
        .collect::<Result<_>>()?;
    log_likelihoods_of_ids(checkpoint, &encoded, layers, settings, progress)
}

/// As [`log_likelihoods`], for requests that are already encoded.
///
/// # Errors
/// Those of [`run`](crate::run::run).
pub fn log_likelihoods_of_ids(
    checkpoint: &Checkpoint,
    encoded: &[Encoded],
    layers: &[usize],
    settings: &RunSettings,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<LogLikelihood>> {
    let network = Network {
        layers: layers.to_vec(),
        ..Network::whole(checkpoint)
    };
    let mut found = Vec::new();
    log_likelihoods_of_many(&[network], encoded, settings, progress, &mut |_, scores| {
        found = scores;
        Ok(())
    })?;
    Ok(found)
}

/// Scores encoded requests with several networks that share a vocabulary; `each` receives a network's index and its
/// scores as soon as they are complete, in no particular order.
///
/// # Errors
/// Those of [`run`](crate::run::run) and of `each`; [`Error::Empty`] without requests.
pub fn log_likelihoods_of_many(
    networks: &[Network<'_>],
    encoded: &[Encoded],
    settings: &RunSettings,
    progress: &mut dyn FnMut(Progress),
    each: &mut dyn FnMut(usize, Vec<LogLikelihood>) -> Result<()>,
) -> Result<()> {
    if encoded.is_empty() {
        return Err(Error::Empty {
            what: "request",
            reason: "the list is empty".to_owned(),
        });
    }
    // The last token is only predicted, so it need not be run.
    let inputs: Vec<&[u32]> = encoded.iter().map(|e| &e.ids[..e.ids.len() - 1]).collect();
    let Some(first) = networks.first() else {
        return Ok(());
    };
    let forest = trees(&inputs, settings.tokens_a_large_group(first.checkpoint), 1);
    on!(&first.checkpoint.device, machine => {
        scored_by_all(machine, networks, encoded, &forest, settings, progress, each)
    })
}

fn scored_by_all<M: Machine>(
    machine: &M,
    networks: &[Network<'_>],
    encoded: &[Encoded],
    forest: &[Tree],
    settings: &RunSettings,
    progress: &mut dyn FnMut(Progress),
    each: &mut dyn FnMut(usize, Vec<LogLikelihood>) -> Result<()>,
) -> Result<()> {
    let groups: Vec<_> = forest.iter().map(|tree| tree.group.clone()).collect();
    let waves = waves(machine, networks[0].checkpoint, &groups)?;
    let empty = LogLikelihood {
        sum: 0.0,
        is_greedy: true,
        tokens: 0,
    };
    // Scores from earlier waves, by network.
    let mut begun: Vec<Option<Vec<LogLikelihood>>> = vec![None; networks.len()];
    // The head of the most recent checkpoint, since networks of one checkpoint follow each other.
    let mut kept: Option<(*const Checkpoint, Head<'_, M>)> = None;
    for (number, wave) in waves.iter().enumerate() {
        let mut told = |inner: Progress| {
            progress(Progress {
                done: number * inner.total + inner.done,
                total: waves.len() * inner.total,
                ..inner
            });
        };
        let of_wave = &groups[wave.clone()];
        run_many(
            machine,
            networks,
            of_wave,
            settings,
            &mut told,
            &mut |which, streams| {
                let checkpoint = networks[which].checkpoint;
                if kept.as_ref().is_none_or(|(of, _)| !std::ptr::eq(*of, checkpoint)) {
                    drop(kept.take());
                    kept = Some((
                        std::ptr::from_ref(checkpoint),
                        Head::load_on(machine, checkpoint, Form::Wide)?,
                    ));
                }
                let Some((_, head)) = &kept else {
                    unreachable!("a head was loaded")
                };
                let mut scores = begun[which].take().unwrap_or_else(|| vec![empty; encoded.len()]);
                let d = checkpoint.config.d_model;
                scored(head, d, encoded, &forest[wave.clone()], streams, &mut scores)?;
                if number + 1 == waves.len() {
                    each(which, scores)
                } else {
                    begun[which] = Some(scores);
                    Ok(())
                }
            },
        )?;
    }
    Ok(())
}

/// Adds to the scores, from the residual streams after the last layer.
fn scored<M: Machine>(
    head: &Head<'_, M>,
    d: usize,
    encoded: &[Encoded],
    forest: &[Tree],
    streams: &mut Residuals<M>,
    scores: &mut [LogLikelihood],
) -> Result<()> {
    for (i, tree) in forest.iter().enumerate() {
        let x = streams.get(head.machine(), i)?;
        // For each row, the tokens to be scored there: the choices of an item meet in the last row of their context.
        let mut asked: BTreeMap<usize, Vec<(usize, u32)>> = BTreeMap::new();
        for (request, path) in &tree.paths {
            let Encoded { ids, context } = &encoded[*request];
            for position in context - 1..ids.len() - 1 {
                asked
                    .entry(path.row(position))
                    .or_default()
                    .push((*request, ids[position + 1]));
            }
        }
        score_rows(head, d, &x, &asked, scores)?;
    }
    Ok(())
}

fn score_rows<M: Machine>(
    head: &Head<'_, M>,
    d: usize,
    x: &M::Rows,
    asked: &BTreeMap<usize, Vec<(usize, u32)>>,
    scores: &mut [LogLikelihood],
) -> Result<()> {
    let machine = head.machine();
    let rows: Vec<usize> = asked.keys().copied().collect();
    let (mut gathered, mut normed, mut logits) = (M::Rows::default(), M::Rows::default(), M::Rows::default());
    for rows in rows.chunks(256) {
        machine.take(x, d, &mut rows.iter().copied(), &mut gathered);
        head.logits_of(&gathered, &mut normed, &mut logits);
        let vocab = machine.len(&logits) / rows.len();
        let totals = machine.log_sum_exp(&logits, vocab)?;
        let wanted = rows.iter().enumerate();
        let wanted = wanted.flat_map(|(i, row)| {
            asked[row]
                .iter()
                .map(move |(_, token)| i * vocab + *token as usize)
        });
        let picked = machine.pick(&logits, &wanted.collect::<Vec<_>>())?;
        let tokens = rows.iter().zip(totals);
        let tokens = tokens.flat_map(|(row, total)| asked[row].iter().map(move |one| (one, total)));
        for (((request, token), (best, total)), logit) in tokens.zip(picked) {
            let score = &mut scores[*request];
            score.sum += f64::from(logit) - total;
            score.is_greedy &= best == *token as usize;
            score.tokens += 1;
        }
    }
    Ok(())
}
