//! `anatomy probe tune`: low-rank fine-tuning of a checkpoint, and what it then answers to questions it has not seen.

mod asked;
mod kept;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use mechanism::Checkpoint;
use mechanism::decoder::{Device, Machine};
use mechanism::gradients::{Gradients, Sample};
use mechanism::tune::{AdamW, EncodedSample, Tuner, batch};
use serde::Serialize;
use serde_json::{Map, Value};
use study::section::{Cell, Table};

use self::asked::{Asked, Tested, tested, tests_table};
use super::made_from::{Hashing, of_file, provenance};
use super::model::{Follow, ModelArgs, json_lines};
use crate::global::{Format, Global};
use crate::output;
use crate::provenance::Envelope;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy probe tune --model FILE.gguf --data train.jsonl --steps 3500 --out adapter/
  anatomy probe tune --model FILE.gguf --data train.jsonl --steps 200 --out adapter/ --test test.jsonl --format json
  anatomy study prompts --out prompts/ && anatomy probe tune --model FILE.gguf --data prompts/train.jsonl --out adapter/ \\
      --test prompts/test.jsonl --test prompts/examples.jsonl

A line of the data is {\"prompt\": \"…\", \"response\": \"…\"}; the loss is the mean cross-entropy over the response's tokens and the
token that ends a text. All layers and their adapters stay in memory. The adapter is written in PEFT's format; run again with the
same --out, training goes on from it, and is refused with other settings, data or weights. Of each --test the loss is told and how
many greedy answers are the response to the letter. Where the responses are scores (`Prediction: ARC-C: …, HellaSwag: …, MMLU: …,
TruthfulQA: …, WinoGrande: …, GSM8K: …`, as `anatomy study prompts` writes them), also R² and mean absolute error of each; malformed
answers are counted and left out of these.
Exit status: 0 done, 2 could not run")]
pub(crate) struct TuneArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// JSON lines with `prompt` and `response`
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Folder of the adapter
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Steps in all, those taken before included
    #[arg(long, default_value_t = 3500, value_name = "NUM")]
    steps: u64,
    /// Samples per step
    #[arg(long, default_value_t = 1, value_name = "NUM")]
    batch: usize,
    /// Rank of the adapters
    #[arg(long, default_value_t = 8, value_name = "NUM")]
    rank: usize,
    /// The product of the factors is scaled by this over the rank
    #[arg(long, default_value_t = 16.0, value_name = "NUM")]
    alpha: f32,
    /// Learning rate
    #[arg(long, default_value_t = 1e-4, value_name = "NUM")]
    learning_rate: f64,
    /// Save the adapter every NUM steps
    #[arg(long, default_value_t = 100, value_name = "NUM")]
    save_every: u64,
    /// Also spectra of the gradients of the whole matrices, on the samples of the first step and of every so many after it
    #[arg(long, value_name = "NUM", value_parser = clap::value_parser!(u64).range(1..))]
    gradients_every: Option<u64>,
    /// JSON lines to answer after training; may be repeated
    #[arg(long, value_name = "FILE")]
    test: Vec<PathBuf>,
    /// Longest answer, in tokens
    #[arg(long, default_value_t = 96, value_name = "NUM", requires = "test")]
    answer_tokens: usize,
}

/// What tuning came to.
#[derive(Serialize)]
struct Outcome {
    steps: u64,
    /// Training samples.
    samples: usize,
    settings: Map<String, Value>,
    /// Loss of each step before it, nats a token; from the first step on where it was kept.
    losses: Vec<f64>,
    /// Along the steps, where asked for: of those taken in this run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gradients: Vec<AtStep>,
    tests: Vec<Tested>,
}

/// Gradients before a step.
#[derive(Serialize)]
struct AtStep {
    /// From 1.
    step: u64,
    #[serde(flatten)]
    gradients: Gradients,
}

pub(super) fn run(global: &Global, args: &TuneArgs) -> Result<ExitCode> {
    if args.save_every == 0 {
        bail!("--save-every 0: the adapter would never be written");
    }
    let samples: Vec<Sample> = json_lines(&args.data, FIELDS)?;
    let mut inputs = vec![of_file("data", &args.data, samples.len())?];
    let mut tests = Vec::new();
    for path in &args.test {
        let samples: Vec<Sample> = json_lines(path, FIELDS)?;
        inputs.push(of_file("test", path, samples.len())?);
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        tests.push(Asked { name, samples });
    }
    let checkpoint = args.model.open(global)?;
    let opened = Hashing::of(&checkpoint).end()?;
    let settings = settings(global, args, &checkpoint, &inputs[0].sha256, &opened.sha256);
    let optimizer = AdamW::usual(args.learning_rate);
    let (rank, alpha, seed) = (args.rank, args.alpha, global.seed);
    let outcome = match &checkpoint.device {
        Device::Cpu => {
            let tuner = Tuner::new(&checkpoint, rank, alpha, optimizer, seed)?;
            tuned(global, args, &checkpoint, tuner, settings, &samples, &tests)?
        }
        #[cfg(feature = "cuda")]
        Device::Card(card) => {
            let tuner = Tuner::new_on(&**card, &checkpoint, rank, alpha, optimizer, seed)?;
            tuned(global, args, &checkpoint, tuner, settings, &samples, &tests)?
        }
    };
    match global.format() {
        Format::Json => {
            let made_from = provenance(global, &args.model, &[], Some(opened), inputs);
            output::result(&Envelope::of("tuning", &outcome, made_from).to_json()?)?;
        }
        Format::Csv => output::result_bytes(&output::csv(&table(&outcome))?)?,
        Format::Table => output::result(&output::table(&table(&outcome)))?,
    }
    for test in &outcome.tests {
        output::say(global.quiet, &test.in_words());
    }
    output::say(
        global.quiet,
        &format!(
            "{} samples, {} steps, adapter in {}; seed {}",
            samples.len(),
            outcome.steps,
            args.out.display(),
            global.seed
        ),
    );
    Ok(ExitCode::SUCCESS)
}

/// What a line of data must have.
const FIELDS: &str = "`prompt` and `response`";

/// Trains the adapter and asks it.
fn tuned<M: Machine>(
    global: &Global,
    args: &TuneArgs,
    checkpoint: &Checkpoint,
    mut tuner: Tuner<'_, M>,
    settings: Map<String, Value>,
    samples: &[Sample],
    tests: &[Asked],
) -> Result<Outcome> {
    if kept::is_begun(&args.out) {
        kept::same_settings(&args.out, &settings)?;
        tuner.resume(&args.out)?;
        output::say(global.quiet, &format!("goes on after step {}", tuner.steps));
    }
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("cannot make the folder {}", args.out.display()))?;
    kept::write_settings(&args.out, &settings)?;
    let encoded = tuner.encode_ended(samples)?;
    let mut losses = kept::losses(&args.out, tuner.steps)?;
    let mut gradients = Vec::new();
    let follow = Follow::new(global, "tuning");
    while tuner.steps < args.steps {
        follow.hear(&mechanism::run::Progress {
            stage: "tuning",
            done: tuner.steps as usize,
            total: args.steps as usize,
            tokens: 0,
        });
        let chosen: Vec<EncodedSample> = batch(encoded.len(), args.batch, tuner.steps, global.seed)
            .into_iter()
            .map(|at| encoded[at].clone())
            .collect();
        let is_seen = args
            .gradients_every
            .is_some_and(|every| tuner.steps.is_multiple_of(every));
        losses.push(if is_seen {
            let found = tuner.step_with_gradients(&chosen)?;
            let mean = found.mean_loss;
            gradients.push(AtStep {
                step: tuner.steps,
                gradients: found,
            });
            mean
        } else {
            let step = tuner.step(&chosen)?;
            step.iter().sum::<f64>() / step.len() as f64
        });
        if tuner.steps.is_multiple_of(args.save_every) || tuner.steps == args.steps {
            kept::write_losses(&args.out, &losses)?;
            tuner.save(&args.out)?;
        }
    }
    follow.done();
    let follow = Follow::new(global, "asking");
    let tests = tests
        .iter()
        .map(|test| tested(checkpoint, &tuner, test, args.answer_tokens, global.seed, &follow))
        .collect::<Result<_>>()?;
    follow.done();
    Ok(Outcome {
        steps: tuner.steps,
        samples: samples.len(),
        settings,
        losses,
        gradients,
        tests,
    })
}

/// What must be the same when tuning goes on: else the result would be that of neither.
fn settings(
    global: &Global,
    args: &TuneArgs,
    checkpoint: &Checkpoint,
    data: &str,
    weights: &str,
) -> Map<String, Value> {
    let pairs = [
        ("rank", args.rank.into()),
        ("alpha", f64::from(args.alpha).into()),
        ("learning_rate", args.learning_rate.into()),
        ("batch", args.batch.into()),
        ("seed", global.seed.into()),
        ("data_sha256", data.into()),
        ("weights_sha256", weights.into()),
        ("weights_as", args.model.weights_as().into()),
        ("computed_as", args.model.computed_as().into()),
        ("end_token", checkpoint.end_tokens.first().copied().into()),
    ];
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Errors by test and benchmark where there was a test, else losses by step.
fn table(outcome: &Outcome) -> Table {
    if !outcome.tests.is_empty() {
        return tests_table(&outcome.tests);
    }
    let first = outcome.steps as usize - outcome.losses.len();
    let row = |(i, loss): (usize, &f64)| -> Vec<Cell> { vec![(first + i + 1).into(), (*loss).into()] };
    Table {
        id: "tune".into(),
        columns: ["step", "loss (nats)"].map(String::from).to_vec(),
        rows: outcome.losses.iter().enumerate().map(row).collect(),
        ..Table::default()
    }
}
