//! Turns a checkpoint's scores and generated texts for items into answers, and judges whether these are right.
//!
//! `acc`: the choice with the greatest log-likelihood (the first on ties). `acc_norm`: the same after division by the
//! number of characters of the choice. mc2 of `TruthfulQA`: the share of the true answers in the probability of all.
//! Generation: see `gsm8k.rs`.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::generate::{GenerateSettings, generate_each};
use super::gsm8k;
use super::tasks::{Gold, Item, Task};
use super::{Encoded, LogLikelihood, encode, log_likelihoods_of_ids};
use crate::checkpoint::Checkpoint;
use crate::error::Result;
use crate::run::{Progress, RunSettings};

/// How items are answered.
#[derive(Debug, Clone)]
pub struct AnswerSettings {
    /// How the network is run; its groups are the tokens that pass through a block together.
    pub run: RunSettings,
    /// Indices of the layers to run, ascending: all, or those left after pruning.
    pub layers: Vec<usize>,
    /// Maximum number of tokens in a chunk of items for which layers are read once; a single larger item may exceed it.
    pub chunk_tokens: usize,
    /// Maximum number of generated tokens.
    pub max_new_tokens: usize,
    /// Identifier of the checkpoint in the rows.
    pub id: String,
}

/// Default number of tokens in a chunk: reading the layers costs as much as a few hundred tokens, and an interruption
/// loses at most one chunk.
pub(crate) const CHUNK_TOKENS: usize = 1 << 14;

/// Maximum number of generated tokens, as in the harness (lm-evaluation-harness).
pub const MAX_NEW_TOKENS: usize = 256;

impl AnswerSettings {
    /// Defaults: all layers, in memory, [`MAX_NEW_TOKENS`]; the identifier is the checkpoint's file or folder name.
    pub fn usual(checkpoint: &Checkpoint) -> Self {
        Self {
            run: RunSettings::in_memory(),
            layers: (0..checkpoint.config.n_layers).collect(),
            chunk_tokens: CHUNK_TOKENS,
            max_new_tokens: MAX_NEW_TOKENS,
            id: checkpoint
                .path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
        }
    }
}

/// One row of the item table: the answer to one item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Identifier of the checkpoint; empty in older tables, which did not record it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Task.
    pub task: String,
    /// Index of the document in its split.
    pub doc_id: usize,
    /// Log-likelihood of each choice, nats; empty for generated text.
    pub log_likelihoods: Vec<f64>,
    /// For each choice, whether all its tokens are the most likely ones.
    pub is_greedy: Vec<bool>,
    /// Index of the choice with the greatest log-likelihood; `None` for generated text.
    pub prediction: Option<usize>,
    /// Index of the right choice, if there is exactly one.
    pub gold: Option<usize>,
    /// Whether the answer is right, by `acc_norm`, else `acc`, or the strict match; `None` for mc2 of `TruthfulQA`.
    pub correct: Option<bool>,
    /// The generated text, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated: Option<String>,
    /// Metrics by the harness's name, `metric,filter`.
    pub metrics: BTreeMap<String, f64>,
}

/// Index of the greatest value, the first on ties.
fn argmax(values: impl Iterator<Item = f64>) -> usize {
    let mut best = (0, f64::NEG_INFINITY);
    for (i, value) in values.enumerate() {
        if value > best.1 {
            best = (i, value);
        }
    }
    best.0
}

/// Judges the scores of an item's choices.
pub fn judge(item: &Item, scores: &[LogLikelihood]) -> Answer {
    let sums: Vec<f64> = scores.iter().map(|score| score.sum).collect();
    let prediction = argmax(sums.iter().copied());
    let mut metrics = BTreeMap::new();
    let (mut gold, mut correct) = (None, None);
    match &item.gold {
        Gold::Choice(right) => {
            gold = Some(*right);
            let of = |choice: usize| f64::from(u8::from(choice == *right));
            metrics.insert("acc,none".to_owned(), of(prediction));
            correct = Some(prediction == *right);
            if matches!(item.task, Task::ArcChallenge | Task::HellaSwag) {
                let by_chars = sums
                    .iter()
                    .zip(&item.choice_chars)
                    .map(|(sum, n)| sum / *n as f64);
                let normed = argmax(by_chars);
                metrics.insert("acc_norm,none".to_owned(), of(normed));
                correct = Some(normed == *right);
            }
        }
        Gold::Labels(labels) => {
            // The shares do not change if all probabilities are divided by the greatest.
            let most = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let shares: Vec<f64> = sums.iter().map(|sum| (sum - most).exp()).collect();
            let right: f64 = shares
                .iter()
                .zip(labels)
                .filter(|(_, label)| **label)
                .map(|(s, _)| s)
                .sum();
            metrics.insert("acc,none".to_owned(), right / shares.iter().sum::<f64>());
        }
        Gold::Answer(_) => unreachable!("generated texts are judged by `judge_text`"),
    }
    Answer {
        id: String::new(),
        task: item.task.to_string(),
        doc_id: item.doc_id,
        log_likelihoods: sums,
        is_greedy: scores.iter().map(|score| score.is_greedy).collect(),
        prediction: Some(prediction),
        gold,
        correct,
        generated: None,
        metrics,
    }
}

/// Judges a generated text.
pub fn judge_text(item: &Item, text: String) -> Answer {
    let Gold::Answer(right) = &item.gold else {
        unreachable!("choices are judged by `judge`")
    };
    let is = |answer: &str| gsm8k::matches(answer, right);
    let (strict, flexible) = (is(&gsm8k::strict(&text)), is(&gsm8k::flexible(&text)));
    let of = |truth| f64::from(u8::from(truth));
    Answer {
        id: String::new(),
        task: item.task.to_string(),
        doc_id: item.doc_id,
        log_likelihoods: Vec::new(),
        is_greedy: Vec::new(),
        prediction: None,
        gold: None,
        correct: Some(strict),
        generated: Some(text),
        metrics: BTreeMap::from([
            ("exact_match,strict-match".to_owned(), of(strict)),
            ("exact_match,flexible-extract".to_owned(), of(flexible)),
        ]),
    }
}

/// Rough number of tokens of an item with all its choices, at four characters each; it must only be reproducible.
pub(crate) fn rough_tokens(item: &Item) -> usize {
    let own: usize = item.requests.iter().map(|r| r.continuation.len()).sum();
    (item.requests[0].context.len() + own) / 4 + 1
}

/// Divides items into chunks that are answered together, possibly across tasks. Chunks depend on the items alone, so a
/// row does not depend on which items were answered before, and a resumed evaluation gives the same bytes. Consecutive
/// items with generated text form one chunk however many they are, since their rows are written one by one.
pub(crate) fn chunks(items: &[Item], chunk_tokens: usize) -> Vec<Range<usize>> {
    let mut all = Vec::new();
    let (mut start, mut sum) = (0, 0);
    for (i, item) in items.iter().enumerate() {
        let more = rough_tokens(item);
        let generated = |item: &Item| matches!(item.gold, Gold::Answer(_));
        let other = generated(&items[start]) != generated(item);
        if i > start && (other || (!generated(item) && sum + more > chunk_tokens)) {
            all.push(start..i);
            (start, sum) = (i, 0);
        }
        sum += more;
    }
    if start < items.len() {
        all.push(start..items.len());
    }
    all
}

/// Answers `items` in order, skipping the first `done`; passes each row to `each` as soon as its chunk is finished.
///
/// # Errors
/// Errors of encoding, running and `each`; [`crate::Error::NoRoom`] if the positions leave no room for generation.
pub fn answer(
    checkpoint: &Checkpoint,
    items: &[Item],
    done: usize,
    settings: &AnswerSettings,
    progress: &mut dyn FnMut(Progress),
    each: &mut dyn FnMut(Answer) -> Result<()>,
) -> Result<()> {
    for range in chunks(items, settings.chunk_tokens) {
        if range.end <= done {
            continue;
        }
        let chunk = &items[range.clone()];
        let report = |stage| Progress {
            stage,
            done: range.start.max(done),
            total: items.len(),
            tokens: 0,
        };
        if matches!(chunk[0].gold, Gold::Answer(_)) {
            let mut told = report("generating");
            progress(told);
            let waiting = &chunk[told.done - range.start..];
            generated(
                checkpoint,
                waiting,
                &settings.layers,
                settings.max_new_tokens,
                &mut |mut answer| {
                    answer.id.clone_from(&settings.id);
                    each(answer)?;
                    told.done += 1;
                    progress(told);
                    Ok(())
                },
            )?;
        } else {
            progress(report("scoring"));
            let requests = encoded(checkpoint, chunk)?;
            let (first, len) = (range.start.max(done), range.len());
            let scores = log_likelihoods_of_ids(
                checkpoint,
                &requests,
                &settings.layers,
                &settings.run,
                // Progress through the layers of a chunk is reported as progress through its items.
                &mut |inner| {
                    progress(Progress {
                        stage: "scoring",
                        done: first
                            .max(range.start + len * inner.done / inner.total.max(1))
                            .min(range.end),
                        total: items.len(),
                        tokens: 0,
                    });
                },
            )?;
            for mut answer in judged(chunk, &scores).into_iter().skip(first - range.start) {
                answer.id.clone_from(&settings.id);
                each(answer)?;
            }
        }
    }
    progress(Progress {
        stage: "scoring",
        done: items.len(),
        total: items.len(),
        tokens: 0,
    });
    Ok(())
}

/// The encoded requests of multiple-choice items, one after the other.
pub(crate) fn encoded(checkpoint: &Checkpoint, items: &[Item]) -> Result<Vec<Encoded>> {
    let requests = items.iter().flat_map(|item| &item.requests);
    requests
        .map(|request| {
            Ok(cut(
                encode(checkpoint, request, true)?,
                checkpoint.config.max_positions,
            ))
        })
        .collect()
}

/// Judges multiple-choice items by the scores of their requests.
pub(crate) fn judged(items: &[Item], scores: &[LogLikelihood]) -> Vec<Answer> {
    let mut rest = scores;
    let each = items.iter().map(|item| {
        let (own, others) = rest.split_at(item.requests.len());
        rest = others;
        judge(item, own)
    });
    each.collect()
}

/// Generates and judges answers; passes each row to `each` as soon as it and all rows before it are finished.
pub(crate) fn generated(
    checkpoint: &Checkpoint,
    items: &[Item],
    layers: &[usize],
    max_new_tokens: usize,
    each: &mut dyn FnMut(Answer) -> Result<()>,
) -> Result<()> {
    let contexts: Vec<&str> = items
        .iter()
        .map(|item| item.requests[0].context.as_str())
        .collect();
    let generation = GenerateSettings {
        layers: layers.to_vec(),
        max_new_tokens,
        until: gsm8k::UNTIL.map(str::to_owned).to_vec(),
    };
    let mut rest = items.iter();
    generate_each(checkpoint, &contexts, &generation, &mut |text| {
        rest.next().map_or(Ok(()), |item| each(judge_text(item, text)))
    })
}

/// Keeps the last tokens of a request that is longer than the checkpoint's positions, as the harness does.
fn cut(mut encoded: Encoded, max_positions: usize) -> Encoded {
    // The last token is only predicted, never read.
    let over = encoded.ids.len().saturating_sub(max_positions.saturating_add(1));
    encoded.ids.drain(..over);
    encoded.context = encoded.context.saturating_sub(over).max(1);
    encoded
}
