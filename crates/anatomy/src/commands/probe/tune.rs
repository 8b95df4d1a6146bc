//! `anatomy probe tune`: low-rank fine-tuning of a checkpoint, and what it then answers to questions it has not seen.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use mechanism::Checkpoint;
use mechanism::decoder::{Device, Machine};
use mechanism::evaluate::{GenerateSettings, generate_with};
use mechanism::gradients::Sample;
use mechanism::tune::text::{BENCHMARKS, parse};
use mechanism::tune::{AdamW, EncodedSample, Tuner, batch};
use serde::Serialize;
use serde_json::{Map, Value};
use study::section::{Cell, Table};

use super::made_from::{Hashing, of_file, provenance};
use super::model::{Follow, ModelArgs, lines};
use crate::global::{Format, Global};
use crate::output;
use crate::provenance::Envelope;
use crate::report::write_whole;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy probe tune --model FILE.gguf --data train.jsonl --steps 3500 --out adapter/
  anatomy probe tune --model FILE.gguf --data train.jsonl --steps 200 --out adapter/ --test test.jsonl --format json

A line of the data is {\"prompt\": \"…\", \"response\": \"…\"}; the loss is the mean cross-entropy over the response's tokens. All
layers and their adapters stay in memory. The adapter is written in PEFT's format; run again with the same --out, training
goes on from it. With --test, answers are generated greedily and read as `Prediction: ARC-C: …, HellaSwag: …, MMLU: …,
TruthfulQA: …, WinoGrande: …, GSM8K: …`; malformed ones are counted and left out of the errors.
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
    /// Samples of a step
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
    /// Write the adapter after every so many steps
    #[arg(long, default_value_t = 100, value_name = "NUM")]
    save_every: u64,
    /// JSON lines to answer after training
    #[arg(long, value_name = "FILE")]
    test: Option<PathBuf>,
}

#[derive(Serialize)]
struct Outcome {
    /// Mean loss of each step before it, nats per token.
    losses: Vec<f64>,
    steps: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<Answered>,
}

#[derive(Serialize)]
struct Answered {
    n: usize,
    malformed: usize,
    benchmarks: Vec<Error>,
    answers: Vec<String>,
}

/// Errors over well-formed answers, in points; R² against the mean of those rows.
#[derive(Serialize)]
struct Error {
    benchmark: &'static str,
    n: usize,
    mae: Option<f64>,
    r2: Option<f64>,
}

pub(super) fn run(global: &Global, args: &TuneArgs) -> Result<ExitCode> {
    let samples = samples(&args.data)?;
    let tests = args.test.as_deref().map(self::samples).transpose()?;
    if args.save_every == 0 {
        bail!("--save-every 0: the adapter would never be written");
    }
    let mut inputs = vec![of_file("data", &args.data, samples.len())?];
    if let (Some(path), Some(tests)) = (&args.test, &tests) {
        inputs.push(of_file("test", path, tests.len())?);
    }
    let checkpoint = args.model.open(global)?;
    let settings = settings(global, args, &checkpoint, &inputs[0].sha256);
    let hashing = Hashing::begin(global, &checkpoint);
    let optimizer = AdamW::usual(args.learning_rate);
    let (rank, alpha, seed) = (args.rank, args.alpha, global.seed);
    let outcome = match &checkpoint.device {
        Device::Cpu => {
            let tuner = Tuner::new(&checkpoint, rank, alpha, optimizer, seed)?;
            tuned(global, args, &checkpoint, tuner, &settings, &samples, tests)?
        }
        #[cfg(feature = "cuda")]
        Device::Card(card) => {
            let tuner = Tuner::new_on(&**card, &checkpoint, rank, alpha, optimizer, seed)?;
            tuned(global, args, &checkpoint, tuner, &settings, &samples, tests)?
        }
    };
    match global.format() {
        Format::Json => {
            let opened = hashing.map(Hashing::end).transpose()?;
            let made_from = provenance(global, &args.model, &[], opened, inputs);
            output::result(&Envelope::of("tuning", &outcome, made_from).to_json()?)?;
        }
        Format::Csv => output::result_bytes(&output::csv(&table(&outcome))?)?,
        Format::Table => output::result(&output::table(&table(&outcome)))?,
    }
    let malformed = outcome
        .test
        .as_ref()
        .map(|test| format!("; {} of {} answers malformed", test.malformed, test.n))
        .unwrap_or_default();
    output::say(
        global.quiet,
        &format!(
            "{} samples, {} steps, adapter in {}{malformed}; seed {}",
            samples.len(),
            outcome.steps,
            args.out.display(),
            global.seed
        ),
    );
    Ok(ExitCode::SUCCESS)
}

/// Trains the adapter and asks it.
fn tuned<M: Machine>(
    global: &Global,
    args: &TuneArgs,
    checkpoint: &Checkpoint,
    mut tuner: Tuner<'_, M>,
    settings: &Map<String, Value>,
    samples: &[Sample],
    tests: Option<Vec<Sample>>,
) -> Result<Outcome> {
    if args.out.join("optimizer.safetensors").exists() {
        same_settings(&args.out, settings)?;
        tuner.resume(&args.out)?;
        output::say(global.quiet, &format!("goes on after step {}", tuner.steps));
    }
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("cannot make the folder {}", args.out.display()))?;
    write_whole(
        &args.out.join(SETTINGS),
        (serde_json::to_string_pretty(settings)? + "\n").as_bytes(),
    )?;
    let encoded = tuner.encode(samples)?;
    let follow = Follow::new(global, "tuning");
    let mut losses = Vec::new();
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
        let step = tuner.step(&chosen)?;
        losses.push(step.iter().sum::<f64>() / step.len() as f64);
        if tuner.steps.is_multiple_of(args.save_every) {
            tuner.save(&args.out)?;
        }
    }
    follow.done();
    tuner.save(&args.out)?;
    let test = tests
        .map(|tests| answered(checkpoint, &tuner, &tests))
        .transpose()?;
    let outcome = Outcome {
        losses,
        steps: tuner.steps,
        test,
    };
    Ok(outcome)
}

/// Beside the adapter: what it is tuned with.
const SETTINGS: &str = "tune_settings.json";

/// What must be the same when tuning goes on: else the result would be that of neither.
fn settings(global: &Global, args: &TuneArgs, checkpoint: &Checkpoint, data: &str) -> Map<String, Value> {
    let shape = &checkpoint.config;
    let pairs = [
        ("rank", args.rank.into()),
        ("alpha", f64::from(args.alpha).into()),
        ("learning_rate", args.learning_rate.into()),
        ("batch", args.batch.into()),
        ("seed", global.seed.into()),
        ("data_sha256", data.into()),
        (
            "checkpoint",
            checkpoint
                .path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .into(),
        ),
        ("weights_as", args.model.weights_as().into()),
        ("layers", shape.n_layers.into()),
        ("d_model", shape.d_model.into()),
    ];
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Refuses to go on with others than those the adapter in `folder` was begun with; one of before they were kept goes on.
fn same_settings(folder: &Path, now: &Map<String, Value>) -> Result<()> {
    let path = folder.join(SETTINGS);
    let Ok(text) = std::fs::read(&path) else {
        return Ok(());
    };
    let before: Map<String, Value> =
        serde_json::from_slice(&text).with_context(|| format!("{} is no JSON object", path.display()))?;
    let differ: Vec<String> = now
        .iter()
        .filter(|(name, value)| before.get(*name).is_some_and(|other| other != *value))
        .map(|(name, value)| format!("{name} {} then, {value} now", before[name]))
        .collect();
    if differ.is_empty() {
        return Ok(());
    }
    bail!(
        "the adapter in {} was begun with other settings: {}; go on with those, or name another --out",
        folder.display(),
        differ.join("; ")
    )
}

fn samples(path: &Path) -> Result<Vec<Sample>> {
    lines(path)?
        .iter()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| {
            serde_json::from_str(line).with_context(|| {
                format!(
                    "{}, line {}: no object with `prompt` and `response`",
                    path.display(),
                    number + 1
                )
            })
        })
        .collect()
}

fn answered<M: Machine>(checkpoint: &Checkpoint, tuner: &Tuner<'_, M>, tests: &[Sample]) -> Result<Answered> {
    let contexts: Vec<&str> = tests.iter().map(|sample| sample.prompt.as_str()).collect();
    let settings = GenerateSettings {
        layers: (0..checkpoint.config.n_layers).collect(),
        max_new_tokens: 96,
        until: vec!["You are an AI model expert".to_owned()],
    };
    let answers = generate_with(checkpoint, tuner.merged(), &contexts, &settings)?;
    let pairs: Vec<([f64; 6], [f64; 6])> = tests
        .iter()
        .zip(&answers)
        .filter_map(|(sample, answer)| Some((parse(&sample.response)?, parse(answer)?)))
        .collect();
    let benchmarks = BENCHMARKS.into_iter().enumerate().map(|(at, benchmark)| {
        let (truth, guess): (Vec<f64>, Vec<f64>) = pairs.iter().map(|(t, g)| (t[at], g[at])).unzip();
        let n = truth.len() as f64;
        let mean = truth.iter().sum::<f64>() / n;
        let total: f64 = truth.iter().map(|t| (t - mean).powi(2)).sum();
        let left: f64 = truth.iter().zip(&guess).map(|(t, g)| (t - g).powi(2)).sum();
        let off: f64 = truth.iter().zip(&guess).map(|(t, g)| (t - g).abs()).sum();
        Error {
            benchmark,
            n: truth.len(),
            mae: (n > 0.0).then(|| off / n),
            r2: (total > 0.0).then(|| 1.0 - left / total),
        }
    });
    Ok(Answered {
        n: tests.len(),
        malformed: tests.len() - pairs.len(),
        benchmarks: benchmarks.collect(),
        answers,
    })
}

/// Losses by step, or errors by benchmark where there was a test.
fn table(outcome: &Outcome) -> Table {
    let (columns, rows): (Vec<&str>, Vec<Vec<Cell>>) = if let Some(test) = &outcome.test {
        let row = |e: &Error| vec![e.benchmark.into(), e.n.into(), e.mae.into(), e.r2.into()];
        (
            vec!["benchmark", "n", "MAE (points)", "R²"],
            test.benchmarks.iter().map(row).collect(),
        )
    } else {
        let first = outcome.steps as usize - outcome.losses.len();
        let row = |(i, loss): (usize, &f64)| vec![(first + i + 1).into(), (*loss).into()];
        (
            vec!["step", "loss (nats)"],
            outcome.losses.iter().enumerate().map(row).collect(),
        )
    };
    Table {
        id: "tune".into(),
        columns: columns.into_iter().map(String::from).collect(),
        rows,
        ..Table::default()
    }
}
