//! Tests a tuned checkpoint: its answers to prompts, and their errors.

use std::collections::BTreeMap;

use anyhow::Result;
use mechanism::Checkpoint;
use mechanism::decoder::Machine;
use mechanism::evaluate::{GenerateSettings, generate_with};
use mechanism::gradients::Sample;
use mechanism::tune::Tuner;
use mechanism::tune::text::{BENCHMARKS, parse};
use serde::Serialize;
use study::Groups;
use study::evaluate::{bootstrap_r2_over_groups, r2};
use study::section::{Cell, Table};

use super::super::model::Follow;

/// Test samples from one file.
pub(super) struct Asked {
    pub(super) name: String,
    pub(super) samples: Vec<Sample>,
}

/// Results on one file.
#[derive(Serialize)]
pub(super) struct Tested {
    name: String,
    n: usize,
    /// Mean over the samples of their mean cross-entropy, nats per token.
    loss: f64,
    /// Number of answers equal to the response, apart from surrounding white space.
    exact: usize,
    /// Errors of the scores; `None` where the responses are not scores.
    #[serde(skip_serializing_if = "Option::is_none")]
    scores: Option<Scores>,
    answers: Vec<Said>,
}

#[derive(Serialize)]
struct Said {
    prompt: String,
    response: String,
    answer: String,
}

/// Errors over the answers that can be parsed as scores.
#[derive(Serialize)]
struct Scores {
    malformed: usize,
    /// Number of distinct structures, ignoring dates; rows of one structure are near-duplicates.
    structures: usize,
    benchmarks: Vec<Error>,
}

/// Errors in points; R² relative to the mean of these rows, with a 95 % bootstrap interval over whole structures.
#[derive(Serialize)]
struct Error {
    benchmark: &'static str,
    n: usize,
    mae: Option<f64>,
    r2: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
}

/// Number of bootstrap resamples.
const RESAMPLES: usize = 1000;

/// Batch size; progress is reported after each batch.
const TOGETHER: usize = 16;

impl Tested {
    pub(super) fn in_words(&self) -> String {
        let malformed = self.scores.as_ref().map_or(String::new(), |scores| {
            format!(", {} malformed", scores.malformed)
        });
        format!(
            "{}: {} questions, loss {:.4} nats a token; {} answers to the letter{malformed}",
            self.name, self.n, self.loss, self.exact
        )
    }
}

/// Tests on all samples; each distinct prompt is answered only once.
pub(super) fn tested<M: Machine>(
    checkpoint: &Checkpoint,
    tuner: &Tuner<'_, M>,
    asked: &Asked,
    answer_tokens: usize,
    seed: u64,
    follow: &Follow,
) -> Result<Tested> {
    let samples = &asked.samples;
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut contexts: Vec<&str> = Vec::new();
    for sample in samples {
        places.entry(&sample.prompt).or_insert_with(|| {
            contexts.push(&sample.prompt);
            contexts.len() - 1
        });
    }
    let settings = GenerateSettings {
        layers: (0..checkpoint.config.n_layers).collect(),
        max_new_tokens: answer_tokens,
        until: vec!["You are an AI model expert".to_owned()],
    };
    let merged = tuner.merged();
    let total = samples.len() + contexts.len();
    let heard = |done: usize| {
        follow.hear(&mechanism::run::Progress {
            stage: "asking",
            done,
            total,
            tokens: 0,
        });
    };
    let mut said: Vec<String> = Vec::new();
    for together in contexts.chunks(TOGETHER) {
        said.extend(generate_with(checkpoint, merged.clone(), together, &settings)?);
        heard(said.len());
    }
    drop(merged);
    let encoded = tuner.encode_ended(samples)?;
    let mut losses = Vec::new();
    for together in encoded.chunks(TOGETHER) {
        losses.extend(tuner.losses(together)?);
        heard(said.len() + losses.len());
    }
    let answers: Vec<Said> = samples
        .iter()
        .map(|sample| Said {
            prompt: sample.prompt.clone(),
            response: sample.response.clone(),
            answer: said[places[sample.prompt.as_str()]].clone(),
        })
        .collect();
    let is_exact = |answer: &&Said| answer.response.trim() == answer.answer.trim();
    Ok(Tested {
        name: asked.name.clone(),
        n: samples.len(),
        loss: losses.iter().sum::<f64>() / losses.len() as f64,
        exact: answers.iter().filter(is_exact).count(),
        scores: scores(&answers, seed)?,
        answers,
    })
}

/// Errors of the scores; `None` where a response cannot be parsed as scores.
fn scores(answers: &[Said], seed: u64) -> Result<Option<Scores>> {
    let truths: Option<Vec<[f64; 6]>> = answers.iter().map(|answer| parse(&answer.response)).collect();
    let Some(truths) = truths else {
        return Ok(None);
    };
    let well: Vec<([f64; 6], [f64; 6], String)> = answers
        .iter()
        .zip(truths)
        .filter_map(|(answer, truth)| Some((truth, parse(&answer.answer)?, structure(&answer.prompt))))
        .collect();
    let labels: Vec<&str> = well.iter().map(|(.., label)| label.as_str()).collect();
    let groups = Groups::from_labels(&labels);
    let mut benchmarks = Vec::new();
    for (at, benchmark) in BENCHMARKS.into_iter().enumerate() {
        let truth: Vec<f64> = well.iter().map(|(truth, ..)| truth[at]).collect();
        let guess: Vec<f64> = well.iter().map(|(_, guess, _)| guess[at]).collect();
        let off: f64 = truth.iter().zip(&guess).map(|(t, g)| (t - g).abs()).sum();
        let guesses: Vec<Option<f64>> = guess.iter().copied().map(Some).collect();
        let ends = bootstrap_r2_over_groups(&truth, &guesses, &groups, RESAMPLES, 0.95, seed)?;
        benchmarks.push(Error {
            benchmark,
            n: truth.len(),
            mae: (!truth.is_empty()).then(|| off / truth.len() as f64),
            r2: r2(&truth, &guess)?,
            low: ends.as_ref().map(|ends| ends.low),
            high: ends.as_ref().map(|ends| ends.high),
        });
    }
    Ok(Some(Scores {
        malformed: answers.len() - well.len(),
        structures: groups.n_groups(),
        benchmarks,
    }))
}

/// The prompt without its date.
fn structure(prompt: &str) -> String {
    let is_date = |part: &&str| {
        let part = part.trim_start();
        ["Year:", "Month:", "Day:"]
            .iter()
            .any(|name| part.starts_with(name))
    };
    prompt
        .split(',')
        .filter(|part| !is_date(part))
        .collect::<Vec<_>>()
        .join(",")
}

/// One row per test and benchmark; where the responses are not scores, one row per test.
pub(super) fn tests_table(tests: &[Tested]) -> Table {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for test in tests {
        let first = || -> Vec<Cell> { vec![test.name.as_str().into(), test.loss.into()] };
        let Some(scores) = &test.scores else {
            let mut row = first();
            row.extend([
                Cell::Missing,
                test.n.into(),
                Cell::Missing,
                Cell::Missing,
                Cell::Missing,
                Cell::Missing,
            ]);
            row.push(test.exact.into());
            rows.push(row);
            continue;
        };
        for error in &scores.benchmarks {
            let mut row = first();
            row.extend([
                error.benchmark.into(),
                error.n.into(),
                error.mae.into(),
                error.r2.into(),
                error.low.into(),
                error.high.into(),
                test.exact.into(),
            ]);
            rows.push(row);
        }
    }
    Table {
        id: "tune".into(),
        columns: [
            "test",
            "loss (nats)",
            "benchmark",
            "n",
            "MAE (points)",
            "R²",
            "low",
            "high",
            "exact",
        ]
        .map(String::from)
        .to_vec(),
        rows,
        ..Table::default()
    }
}

#[cfg(test)]
mod tests {
    use mechanism::tune::text::{Described, answer, prompt};

    use super::*;

    fn row(layers: u64, day: u32, truth: f64, guess: Option<f64>) -> Said {
        let of = Described {
            heads: 32,
            layers,
            vocab_size: 32000,
            pos: 4096,
            date: (2024, 1, day),
            d_model: 4096,
            d_ffn: 11008,
            size: 7.0,
        };
        Said {
            prompt: prompt(&of),
            response: answer(&[truth; 6]),
            answer: guess.map_or_else(|| "no score".to_owned(), |guess| answer(&[guess; 6])),
        }
    }

    #[test]
    fn errors_are_of_well_formed_answers_and_structures_are_counted_without_their_day() {
        // Squared errors 1 + 1 + 4; sum of squares around the mean of the truth 20. Hence 2 · 100 = 200.
        let rows = [
            row(32, 1, 10.0, Some(11.0)),
            row(32, 2, 20.0, Some(19.0)),
            row(40, 1, 30.0, Some(32.0)),
            row(40, 1, 90.0, None),
        ];
        let found = scores(&rows, 42).expect("computed").expect("scores");
        assert_eq!((found.malformed, found.structures), (1, 2));
        let first = &found.benchmarks[0];
        assert_eq!((first.benchmark, first.n), ("ARC-C", 3));
        assert!((first.mae.expect("a mean") - 4.0 / 3.0).abs() < 1e-12);
        assert!((first.r2.expect("an R²") - (1.0 - 6.0 / 200.0)).abs() < 1e-12);
        assert!(first.low.is_none(), "two structures give no interval");
    }

    #[test]
    fn other_responses_have_no_scores() {
        let rows = [Said {
            prompt: "2 + 2 =".into(),
            response: " 4".into(),
            answer: " 4".into(),
        }];
        assert!(scores(&rows, 42).expect("computed").is_none());
    }
}
