//! The eleventh regression: a language model that is tuned on structures in words and answers with a score.
//!
//! The words of the literature (arXiv 2509.18136, appendix B.2), asked for one score at a time, as every other method is:
//! "… Model parameters: 7.000B" and the answer "Prediction: 55.20". Low-rank adapters on all linear layers, greedy answers.
//! A malformed answer counts as the mean of the training rows and is counted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use clap::Args;
use mechanism::Checkpoint;
use mechanism::evaluate::{GenerateSettings, generate_with};
use mechanism::gradients::Sample;
use mechanism::tune::text::{Described, prompt};
use mechanism::tune::{AdamW, Adapter, EncodedSample, Tuner, batch};
use study::calendar::civil;
use study::regression::{AnyFit, Regression};
use study::{Design, Error, Fit};

/// Its name among the methods.
pub(super) const NAME: &str = "llm";

/// Longest answer: "\nPrediction: 100.00" and a token more.
const ANSWER_TOKENS: usize = 16;

/// Which checkpoint, and how long it is tuned.
#[derive(Debug, Args)]
pub(super) struct LlmArgs {
    /// The checkpoint that the method `llm` tunes: a GGUF file, or a folder with config.json and safetensors
    #[arg(long, value_name = "PATH")]
    pub(super) model: Option<PathBuf>,
    /// Steps of tuning a fit; the literature took 3500
    #[arg(long, default_value_t = 3500, value_name = "NUM", requires = "model")]
    steps: u64,
    /// Samples per step
    #[arg(long, default_value_t = 1, value_name = "NUM", requires = "model", value_parser = clap::value_parser!(u32).range(1..=1024))]
    batch: u32,
    /// Rank of the adapters
    #[arg(long, default_value_t = 8, value_name = "NUM", requires = "model", value_parser = clap::value_parser!(u32).range(1..=1024))]
    rank: u32,
    /// Learning rate
    #[arg(long, default_value_t = 1e-4, value_name = "NUM", requires = "model")]
    learning_rate: f64,
}

/// The method: a checkpoint and how it is tuned.
pub(super) struct Llm {
    checkpoint: Arc<Checkpoint>,
    steps: u64,
    batch: usize,
    rank: usize,
    learning_rate: f64,
    answers: Arc<LlmAnswers>,
}

/// Answers read, over all fits.
#[derive(Debug, Default)]
pub(super) struct LlmAnswers {
    all: AtomicUsize,
    malformed: AtomicUsize,
}

impl LlmAnswers {
    /// `(malformed, all)`.
    pub(super) fn counts(&self) -> (usize, usize) {
        (
            self.malformed.load(Ordering::Relaxed),
            self.all.load(Ordering::Relaxed),
        )
    }
}

impl LlmArgs {
    /// Opens the checkpoint.
    pub(super) fn method(&self, model: &Path) -> Result<(Llm, Arc<LlmAnswers>)> {
        let checkpoint = Checkpoint::open(model)
            .with_context(|| format!("cannot open the checkpoint {}", model.display()))?;
        let answers = Arc::new(LlmAnswers::default());
        let method = Llm {
            checkpoint: Arc::new(checkpoint),
            steps: self.steps,
            batch: self.batch as usize,
            rank: self.rank as usize,
            learning_rate: self.learning_rate,
            answers: Arc::clone(&answers),
        };
        Ok((method, answers))
    }
}

impl Llm {
    fn tuner(&self, seed: u64) -> mechanism::Result<Tuner<'_>> {
        let optimizer = AdamW::usual(self.learning_rate);
        Tuner::new(
            &self.checkpoint,
            self.rank,
            2.0 * self.rank as f32,
            optimizer,
            seed,
        )
    }

    fn tuned(&self, samples: &[Sample], seed: u64) -> mechanism::Result<Adapter> {
        let mut tuner = self.tuner(seed)?;
        let encoded = tuner.encode(samples)?;
        while tuner.steps < self.steps {
            let chosen: Vec<EncodedSample> = batch(encoded.len(), self.batch, tuner.steps, seed)
                .into_iter()
                .map(|place| encoded[place].clone())
                .collect();
            tuner.step(&chosen)?;
        }
        Ok(tuner.adapter)
    }

    fn answers(&self, adapter: &Adapter, prompts: &[&str], seed: u64) -> mechanism::Result<Vec<String>> {
        let mut tuner = self.tuner(seed)?;
        tuner.adapter = adapter.clone();
        let settings = GenerateSettings {
            layers: (0..self.checkpoint.config.n_layers).collect(),
            max_new_tokens: ANSWER_TOKENS,
            until: Vec::new(),
        };
        generate_with(&self.checkpoint, tuner.merged(), prompts, &settings)
    }
}

impl Regression for Llm {
    fn name(&self) -> &'static str {
        NAME
    }

    /// Weights are not known to the tuning: a row of weight 2 is refused rather than counted once.
    fn fit(
        &self,
        design: &Design,
        target: &[f64],
        weights: Option<&[f64]>,
        seed: u64,
    ) -> Result<Box<dyn Fit>, Error> {
        if weights.is_some() {
            return Err(cannot("rows with weights are not tuned on"));
        }
        let prompts = prompts(design)?;
        if prompts.is_empty() {
            return Err(Error::NoRows);
        }
        let samples: Vec<Sample> = prompts
            .into_iter()
            .zip(target)
            .map(|(prompt, score)| Sample {
                prompt,
                response: answer(*score),
            })
            .collect();
        let adapter = self
            .tuned(&samples, seed)
            .map_err(|error| cannot(&error.to_string()))?;
        Ok(Box::new(LlmFit {
            method: Self {
                checkpoint: Arc::clone(&self.checkpoint),
                answers: Arc::clone(&self.answers),
                ..*self
            },
            adapter,
            names: design.names().to_vec(),
            mean: target.iter().sum::<f64>() / target.len() as f64,
            seed,
        }))
    }
}

/// A tuned checkpoint.
struct LlmFit {
    method: Llm,
    adapter: Adapter,
    /// Columns of the training rows.
    names: Vec<String>,
    /// Of the training rows' targets.
    mean: f64,
    seed: u64,
}

impl Fit for LlmFit {
    fn predict(&self, design: &Design) -> Result<Vec<f64>, Error> {
        let prompts = prompts(design)?;
        // The same structure and day is asked once.
        let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (row, prompt) in prompts.iter().enumerate() {
            places.entry(prompt).or_default().push(row);
        }
        let distinct: Vec<&str> = places.keys().copied().collect();
        let answers = self
            .method
            .answers(&self.adapter, &distinct, self.seed)
            .map_err(|error| cannot(&error.to_string()))?;
        let mut predictions = vec![self.mean; prompts.len()];
        for (rows, text) in places.values().zip(&answers) {
            self.method.answers.all.fetch_add(rows.len(), Ordering::Relaxed);
            let Some(value) = parse(text) else {
                self.method
                    .answers
                    .malformed
                    .fetch_add(rows.len(), Ordering::Relaxed);
                continue;
            };
            for &row in rows {
                predictions[row] = value;
            }
        }
        Ok(predictions)
    }

    fn names(&self) -> &[String] {
        &self.names
    }

    fn keep(&self) -> Option<AnyFit> {
        None
    }
}

fn cannot(problem: &str) -> Error {
    Error::CannotCompute {
        method: NAME,
        problem: problem.to_owned(),
    }
}

/// Each row's structure in words.
pub(super) fn prompts(design: &Design) -> Result<Vec<String>, Error> {
    let column = |name: &str| {
        design
            .position(name)
            .map(|place| design.column(place))
            .map_err(|_| {
                cannot(&format!(
                    "the words need the column `{name}`: use --features structure_date"
                ))
            })
    };
    let (heads, layers, vocab_size, pos) = (
        column("heads")?,
        column("layers")?,
        column("vocab_size")?,
        column("pos")?,
    );
    let (d_model, d_ffn, size, date) = (
        column("d_model")?,
        column("d_ffn")?,
        column("size")?,
        column("date")?,
    );
    let one = |row: usize| {
        let (year, month, day) = civil(date[row] as i64);
        prompt(&Described {
            heads: heads[row] as u64,
            layers: layers[row] as u64,
            vocab_size: vocab_size[row] as u64,
            pos: pos[row] as u64,
            date: (year as u32, month, day),
            d_model: d_model[row] as u64,
            d_ffn: d_ffn[row] as u64,
            size: size[row],
        })
    };
    Ok((0..design.n_rows()).map(one).collect())
}

fn answer(score: f64) -> String {
    format!("\nPrediction: {score:.2}")
}

/// The score in a generated answer.
fn parse(text: &str) -> Option<f64> {
    let (_, rest) = text.split_once("Prediction:")?;
    let rest = rest.trim_start();
    let end = rest
        .find(|letter: char| !(letter.is_ascii_digit() || letter == '.' || letter == '-'))
        .unwrap_or(rest.len());
    rest[..end]
        .trim_end_matches('.')
        .parse()
        .ok()
        .filter(|value: &f64| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_back_and_malformed_ones_are_none() {
        for score in [0.0, 55.2, 100.0, -3.5] {
            assert_eq!(parse(&answer(score)), Some(score));
        }
        assert_eq!(parse("\nPrediction: 55.20\nYou are"), Some(55.2));
        for malformed in ["", "55.2", "Prediction: ", "Prediction: x", "Prediction: 1.2.3"] {
            assert_eq!(parse(malformed), None, "{malformed}");
        }
    }

    #[test]
    fn a_missing_column_is_named() {
        let design = Design::new(vec!["layers".into()], vec![vec![32.0]]).expect("a design");
        let error = prompts(&design).expect_err("columns are missing").to_string();
        assert!(error.contains("heads"), "{error}");
    }
}
