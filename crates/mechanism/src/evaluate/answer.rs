//! What a checkpoint answers to items, and whether that is right.
//!
//! `acc`: the choice with the greatest log-likelihood (the first on ties). `acc_norm`: after division by the choice's
//! characters. mc2 of `TruthfulQA`: the probability of the true answers among all. Generation: see `gsm8k.rs`.

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

/// How items are asked.
#[derive(Debug, Clone)]
pub struct AnswerSettings {
    /// The run; its groups are the tokens that go through a block together.
    pub run: RunSettings,
    /// Layers to run, ascending; all of them, or those a pruning left.
    pub layers: Vec<usize>,
    /// Tokens of items whose layers are read together; one item more may pass it.
    pub chunk_tokens: usize,
    /// Longest generated text, tokens.
    pub max_new_tokens: usize,
    /// What the checkpoint is called in the rows.
    pub id: String,
}

/// Tokens of items whose layers are read together: reading them costs as much as some hundreds of tokens, and an interruption
/// loses no more than these.
pub(crate) const CHUNK_TOKENS: usize = 1 << 14;

/// Longest generated text, tokens, as the harness has it.
pub const MAX_NEW_TOKENS: usize = 256;

impl AnswerSettings {
    /// All layers, in memory; [`MAX_NEW_TOKENS`].
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

/// One row of the item table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The checkpoint that answered, as whoever asked names it; empty in tables of before it was recorded.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Task.
    pub task: String,
    /// Number of the document.
    pub doc_id: usize,
    /// By choice, nats; empty where text is generated.
    pub log_likelihoods: Vec<f64>,
    /// By choice: whether every token of it is the likeliest.
    pub is_greedy: Vec<bool>,
    /// The choice taken.
    pub prediction: Option<usize>,
    /// The choice that is right, where one is.
    pub gold: Option<usize>,
    /// Whether the task's first metric calls it right; null where that is no yes or no.
    pub correct: Option<bool>,
    /// What was generated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated: Option<String>,
    /// By the harness's name of each metric and filter.
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

/// From the choices' scores to the row of the table.
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
            // Shares do not change when all are divided by the greatest.
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

/// The row of a generated text.
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

/// Tokens of an item and all its choices, roughly: four characters each. Chunks need not be even, only always the same.
pub(crate) fn rough_tokens(item: &Item) -> usize {
    let own: usize = item.requests.iter().map(|r| r.continuation.len()).sum();
    (item.requests[0].context.len() + own) / 4 + 1
}

/// Items that are asked together, of whatever tasks: their number depends on the items alone, so that a row never depends on which
/// items were asked before, and an evaluation taken up again gives the same bytes. Those where text is generated stand together
/// however many they are: their rows come one by one.
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

/// Asks `items` in their order, leaving out the first `done`; `each` gets every row as soon as its chunk is through.
///
/// # Errors
/// What encoding, running and `each` fail with; [`crate::Error::NoRoom`] when nothing can be generated.
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
                // The layers of a chunk count as its items.
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

/// The requests of items of choices, one after the other.
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

/// The rows of items of choices from the scores of their requests.
pub(crate) fn judged(items: &[Item], scores: &[LogLikelihood]) -> Vec<Answer> {
    let mut rest = scores;
    let each = items.iter().map(|item| {
        let (own, others) = rest.split_at(item.requests.len());
        rest = others;
        judge(item, own)
    });
    each.collect()
}

/// The rows of items whose answer is generated, each as soon as it and all before it are there.
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

/// The last tokens of a request that is longer than the checkpoint's positions, as the harness cuts it.
fn cut(mut encoded: Encoded, max_positions: usize) -> Encoded {
    // The last token is only predicted, never read.
    let over = encoded.ids.len().saturating_sub(max_positions.saturating_add(1));
    encoded.ids.drain(..over);
    encoded.context = encoded.context.saturating_sub(over).max(1);
    encoded
}
