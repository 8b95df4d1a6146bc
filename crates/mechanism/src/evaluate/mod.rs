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
use crate::decoder::elementwise::log_sum_exp;
use crate::error::{Error, Result};
use crate::run::{Head, Network, Progress, Residuals, RunSettings, Tree, run_many, trees};

pub use generate::{GenerateSettings, generate, generate_with};

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
/// As [`encode`] and [`run_many`].
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
/// As [`run_many`].
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
/// As [`run_many`]; what `each` fails with.
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
    let forest = trees(&inputs, settings.tokens_a_large_group(), 1);
    let groups: Vec<_> = forest.iter().map(|tree| tree.group.clone()).collect();
    // Of the checkpoint that was last needed: networks of one checkpoint follow each other.
    let mut kept: Option<(*const Checkpoint, Head<'_>)> = None;
    run_many(networks, &groups, settings, progress, &mut |number, streams| {
        let checkpoint = networks[number].checkpoint;
        if kept.as_ref().is_none_or(|(of, _)| !std::ptr::eq(*of, checkpoint)) {
            drop(kept.take());
            kept = Some((std::ptr::from_ref(checkpoint), Head::load(checkpoint)?));
        }
        let Some((_, head)) = &kept else {
            unreachable!("a head was loaded")
        };
        each(
            number,
            scored(head, checkpoint.config.d_model, encoded, &forest, streams)?,
        )
    })
}

/// From the streams after the last layer to scores.
fn scored(
    head: &Head<'_>,
    d: usize,
    encoded: &[Encoded],
    forest: &[Tree],
    streams: &mut Residuals,
) -> Result<Vec<LogLikelihood>> {
    let empty = LogLikelihood {
        sum: 0.0,
        is_greedy: true,
        tokens: 0,
    };
    let mut scores = vec![empty; encoded.len()];
    for (i, tree) in forest.iter().enumerate() {
        let x = streams.take(i)?;
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
        score_rows(head, d, &x, &asked, &mut scores);
    }
    Ok(scores)
}

fn score_rows(
    head: &Head<'_>,
    d: usize,
    x: &[f32],
    asked: &BTreeMap<usize, Vec<(usize, u32)>>,
    scores: &mut [LogLikelihood],
) {
    let rows: Vec<usize> = asked.keys().copied().collect();
    for rows in rows.chunks(256) {
        let gathered: Vec<f32> = rows
            .iter()
            .flat_map(|row| &x[row * d..(row + 1) * d])
            .copied()
            .collect();
        let logits = head.logits(&gathered);
        let vocab = logits.len() / rows.len();
        let totals: Vec<(usize, f64)> = logits.par_chunks_exact(vocab).map(log_sum_exp).collect();
        for ((row, logits), (best, total)) in rows.iter().zip(logits.chunks_exact(vocab)).zip(totals) {
            for (request, token) in &asked[row] {
                let score = &mut scores[*request];
                score.sum += f64::from(logits[*token as usize]) - total;
                score.is_greedy &= best == *token as usize;
                score.tokens += 1;
            }
        }
    }
}
