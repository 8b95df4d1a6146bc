//! Log-likelihoods of continuations given contexts, as lm-evaluation-harness computes them (its `HFLM.loglikelihood`).
//!
//! Context and continuation are encoded together and divided at the length of the encoded context. What texts have in
//! common is computed once: the token sequences of a group form a tree (`run/tree.rs`), so the choices of an item share their
//! context, and items share their few-shot prefix, without either being told.

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

/// A context and what may follow it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Given.
    pub context: String,
    /// To be scored.
    pub continuation: String,
}

/// Score of a continuation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LogLikelihood {
    /// `Σ ln p(token | what stands before)` over the continuation's tokens, nats.
    pub sum: f64,
    /// Whether every token of it is the likeliest one.
    pub is_greedy: bool,
    /// Tokens of the continuation.
    pub tokens: usize,
}

/// A request in token ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// Context and continuation.
    pub ids: Vec<u32>,
    /// How many of them are the context's.
    pub context: usize,
}

/// Encodes a request as the harness does: spaces at the context's end move to the continuation.
///
/// # Errors
/// [`Error::Tokenizer`], [`Error::TokenId`]; [`Error::Empty`] for an empty continuation or a context without a token.
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

/// Scores of `requests`, in their order, by the layers `layers` of the checkpoint.
///
/// # Errors
/// As [`encode`] and [`run`](crate::run::run).
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

/// The same for requests that are encoded already.
///
/// # Errors
/// As [`run`](crate::run::run).
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

/// Scores of encoded requests by several networks with the same tokens; `each` gets a network's number and its scores as soon
/// as they are there, in no order.
///
/// # Errors
/// As [`run`](crate::run::run); what `each` fails with.
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
    // The last token predicts nothing that is asked for.
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
    // What earlier waves gave, by network.
    let mut begun: Vec<Option<Vec<LogLikelihood>>> = vec![None; networks.len()];
    // Of the checkpoint that was last needed: networks of one checkpoint follow each other.
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

/// From the streams after the last layer to scores.
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
        // Row to the tokens asked for there: the choices of an item meet in the last row of their context.
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
