//! `anatomy scaling`: laws of one's own runs.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use study::finding::Interval;
use study::scaling::{Answer, LawTarget, Run, fit};
use study::section::{Cell, Table};

use crate::frame::{self, Frame};
use crate::global::{Format, Global};
use crate::output;
use crate::provenance::{Envelope, Provenance};

#[derive(Debug, Subcommand)]
pub(crate) enum ScalingCommand {
    /// Fit scaling laws to runs, with their error on shapes left out
    Fit(FitArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy scaling fit runs.csv
  anatomy scaling fit runs.csv --target final_loss --parameters params --tokens tokens --layers depth --width width
  anatomy scaling fit runs.csv --target mmlu --scores --format json | jq '.laws[] | {name, left_out}'

A row is a run, or a checkpoint of one: its loss in nats a token (or a score in points, with --scores), parameters, tokens and,
where they are known, layers and width. Laws of parameters and tokens, of width, layers and tokens, and of all are fitted, each
also with a Gaussian process over what it leaves; each is told with its mean error on shapes left out one at a time.
Exit status: 0 done, 2 could not run")]
pub(crate) struct FitArgs {
    /// CSV or Parquet with one row per run
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Column of the loss or score [default: loss, final_loss, validation_loss, val_loss, score]
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,
    /// The target is a score in percentage points, not a loss
    #[arg(long)]
    scores: bool,
    /// Column of the parameters [default: parameters, params, n_params, n, params_active_precise]
    #[arg(long, value_name = "COLUMN")]
    parameters: Option<String>,
    /// Column of the tokens [default: tokens, n_tokens, d]
    #[arg(long, value_name = "COLUMN")]
    tokens: Option<String>,
    /// Column of the layers [default: layers, depth, n_layers, where there is one]
    #[arg(long, value_name = "COLUMN")]
    layers: Option<String>,
    /// Column of the width [default: d_model, width, hidden_size, where there is one]
    #[arg(long, value_name = "COLUMN")]
    width: Option<String>,
    /// Only rows that match this SQL condition over `data` [cargo feature: sql]
    #[arg(long = "where", value_name = "SQL")]
    filter: Option<String>,
    /// Resamples of shapes for intervals
    #[arg(long, default_value_t = 200, value_name = "NUM", value_parser = clap::value_parser!(u32).range(50..=10_000))]
    resamples: u32,
}

pub(crate) fn run(global: &Global, command: &ScalingCommand) -> Result<ExitCode> {
    let ScalingCommand::Fit(args) = command;
    let frame = frame::from_file(&args.file, args.filter.as_deref())?;
    let (runs, left_out) = runs(&frame, args)?;
    let target = if args.scores {
        LawTarget::Score
    } else {
        LawTarget::Loss
    };
    let answer = fit(&runs, target, args.resamples as usize, global.seed)
        .with_context(|| format!("{} cannot be fitted", args.file.display()))?;
    if left_out > 0 {
        output::say(
            global.quiet,
            &format!("{left_out} rows lack the target, parameters, tokens, layers or width and are left out"),
        );
    }
    let table = table(&answer);
    match global.format() {
        Format::Json => {
            let provenance = Provenance::of(frame.sha256.as_deref().unwrap_or_default(), global.seed);
            output::result(&Envelope::of("scaling", &answer, provenance).to_json()?)?;
        }
        Format::Csv => output::result_bytes(&output::csv(&table)?)?,
        Format::Table => {
            output::result(&output::table(&table))?;
            output::result(&words(&answer))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A column by the name asked for, else by the first usual one that is there.
fn column<'a>(frame: &'a Frame, asked: Option<&str>, usual: &[&str]) -> Result<Option<&'a [Option<f64>]>> {
    if let Some(name) = asked {
        return frame.column(name).map(Some);
    }
    let found = usual
        .iter()
        .find(|name| frame.names.iter().any(|own| own == *name));
    found.map(|name| frame.column(name)).transpose()
}

/// The rows that have everything, and how many do not.
fn runs(frame: &Frame, args: &FitArgs) -> Result<(Vec<Run>, usize)> {
    let needed = |asked: Option<&str>, usual: &[&str], option: &str, what: &str| {
        column(frame, asked, usual)?.with_context(|| {
            format!(
                "{} has no column for the {what}: looked for {}; name one of {} with {option}",
                frame.source,
                usual.join(", "),
                frame.names.join(", ")
            )
        })
    };
    let target = needed(
        args.target.as_deref(),
        &["loss", "final_loss", "validation_loss", "val_loss", "score"],
        "--target",
        "loss or score",
    )?;
    let parameters = needed(
        args.parameters.as_deref(),
        &["parameters", "params", "n_params", "n", "params_active_precise"],
        "--parameters",
        "parameters",
    )?;
    let tokens = needed(
        args.tokens.as_deref(),
        &["tokens", "n_tokens", "d"],
        "--tokens",
        "tokens",
    )?;
    let layers = column(frame, args.layers.as_deref(), &["layers", "depth", "n_layers"])?;
    let width = column(frame, args.width.as_deref(), &["d_model", "width", "hidden_size"])?;
    if layers.is_some() != width.is_some() {
        bail!(
            "{} has {} but not the other; a law of shape needs both: name them with --layers and --width, or neither",
            frame.source,
            if layers.is_some() { "layers" } else { "a width" }
        );
    }
    let shape = layers.zip(width);
    let all = (0..frame.n_rows()).map(|row| {
        Some(Run {
            target: target[row]?,
            parameters: parameters[row]?,
            tokens: tokens[row]?,
            shape: match shape {
                Some((layers, width)) => Some((layers[row]?, width[row]?)),
                None => None,
            },
        })
    });
    let kept: Vec<Run> = all.flatten().collect();
    let left_out = frame.n_rows() - kept.len();
    Ok((kept, left_out))
}

fn unit(answer: &Answer) -> &'static str {
    match answer.target {
        LawTarget::Loss => "nats",
        LawTarget::Score => "points",
    }
}

fn within(interval: Option<&Interval>) -> String {
    interval.map_or_else(String::new, |ends| {
        format!(" [{:.3}, {:.3}]", ends.low, ends.high)
    })
}

fn table(answer: &Answer) -> Table {
    let rows = answer.laws.iter().map(|law| -> Vec<Cell> {
        let exponents: Vec<String> = law
            .exponents
            .iter()
            .map(|own| {
                format!(
                    "{} {:.3}{}",
                    own.dimension,
                    own.value,
                    within(own.interval.as_ref())
                )
            })
            .collect();
        vec![
            law.name.clone().into(),
            law.left_out.into(),
            law.fitted.into(),
            law.floor.into(),
            exponents.join("; ").into(),
        ]
    });
    Table {
        id: "scaling".into(),
        caption: "Laws of the runs, with their mean absolute error on shapes left out one at a time.".into(),
        columns: vec![
            "law".into(),
            format!("left out [{}]", unit(answer)),
            format!("fitted [{}]", unit(answer)),
            "floor [nats]".into(),
            "exponents, 95 % over shapes".into(),
        ],
        rows: rows.collect(),
        shown: true,
    }
}

fn words(answer: &Answer) -> String {
    let unit = unit(answer);
    let mut text = format!(
        "\n{} runs of {} shapes. Of shapes left out `{}` misses least; with the law chosen anew without each shape it misses that \
         shape by {:.4} {unit}.\n\
         size: parameters and tokens; shape: width, layers and tokens; both: all of them; +process: and what the law leaves, by a \
         Gaussian process.\n",
        answer.runs, answer.shapes, answer.chosen, answer.nested
    );
    if answer.target == LawTarget::Loss {
        text.push_str(
            "As laws of loss, size is that of Hoffmann and others (arXiv 2203.15556), shape and both are those of the Gemstones (arXiv 2502.06857).\n",
        );
    }
    if let Some(deeper) = &answer.deeper {
        let is_clear = deeper.interval.as_ref().is_some_and(|ends| !ends.covers(0.0));
        let _ = writeln!(
            text,
            "Layers doubled at the same width² x layers, at the middle run: {:+.4} {unit}{}{}.",
            deeper.value,
            within(deeper.interval.as_ref()),
            if is_clear {
                ""
            } else {
                ": not distinguishable from zero"
            }
        );
    }
    text
}
