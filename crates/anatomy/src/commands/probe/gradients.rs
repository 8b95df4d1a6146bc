//! `anatomy probe gradients`: gradients of the supervised fine-tuning loss, by layer and matrix.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use mechanism::gradients::{GradientSettings, Gradients, MatrixGradient, Sample, gradients};
use study::section::{Cell, Table};

use super::model::{Follow, ModelArgs, lines};
use crate::cli::{Format, Global};
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy probe gradients --model FILE.gguf --data items.jsonl
  anatomy probe gradients --model FOLDER --data items.jsonl --per-sample --format json

A line of the data is {\"prompt\": \"Question: …\\nAnswer:\", \"response\": \" …\"}; the loss is the mean cross-entropy over the
response's tokens, gradients are summed over lines.
Exit status: 0 done, 2 could not run")]
pub(crate) struct GradientsArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// JSON lines with `prompt` and `response`
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Spectra of each line's own gradient too (Li et al. 2024); slower
    #[arg(long)]
    per_sample: bool,
}

#[derive(serde::Deserialize)]
struct Line {
    prompt: String,
    response: String,
}

pub(super) fn run(global: &Global, args: &GradientsArgs) -> Result<ExitCode> {
    let samples: Vec<Sample> = lines(&args.data)?
        .iter()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| {
            let line: Line = serde_json::from_str(line).with_context(|| {
                format!(
                    "{}, line {}: no object with `prompt` and `response`",
                    args.data.display(),
                    number + 1
                )
            })?;
            Ok(Sample {
                prompt: line.prompt,
                response: line.response,
            })
        })
        .collect::<Result<_>>()?;
    let checkpoint = args.model.open(global)?;
    let settings = GradientSettings {
        run: args.model.settings(),
        per_sample: args.per_sample,
    };
    let follow = Follow::new(global, "gradients");
    let result = gradients(
        &checkpoint,
        &samples,
        &settings,
        &mut |progress| follow.hear(&progress),
        &mut |_, _| Ok(()),
    )?;
    follow.done();
    match global.format() {
        Format::Json => output::result(&(serde_json::to_string_pretty(&result)? + "\n"))?,
        Format::Csv => output::result_bytes(&output::csv(&table(&result))?)?,
        Format::Table => output::result(&output::table(&table(&result)))?,
    }
    output::say(
        global.quiet,
        &format!(
            "{} samples, {} response tokens, mean loss {:.4} nats a token",
            result.samples, result.response_tokens, result.mean_loss
        ),
    );
    Ok(ExitCode::SUCCESS)
}

/// One row a layer and matrix.
fn table(result: &Gradients) -> Table {
    let mut rows = Vec::new();
    for (layer, gradient) in result.layers.iter().enumerate() {
        let matrices = [
            ("q", Some(&gradient.q)),
            ("k", Some(&gradient.k)),
            ("v", Some(&gradient.v)),
            ("o", Some(&gradient.o)),
            ("gate", gradient.gate.as_ref()),
            ("up", Some(&gradient.up)),
            ("down", Some(&gradient.down)),
        ];
        rows.extend(
            matrices
                .into_iter()
                .filter_map(|(name, matrix)| matrix.map(|matrix| row(layer, name, matrix))),
        );
    }
    Table {
        id: "gradients".into(),
        columns: [
            "layer",
            "matrix",
            "nuclear norm",
            "sigma max",
            "frobenius",
            "effective rank",
        ]
        .map(String::from)
        .to_vec(),
        rows,
        ..Table::default()
    }
}

fn row(layer: usize, name: &str, matrix: &MatrixGradient) -> Vec<Cell> {
    let spectrum = &matrix.spectrum;
    vec![
        layer.into(),
        name.into(),
        spectrum.nuclear_norm.into(),
        spectrum.sigma_max.into(),
        spectrum.frobenius.into(),
        spectrum.effective_rank.into(),
    ]
}
