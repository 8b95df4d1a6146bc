//! `anatomy probe gradients`: gradients of the supervised fine-tuning loss, by layer and matrix.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{ArgGroup, Args};
use mechanism::corpora::halves;
use mechanism::gradients::{GradientSettings, Gradients, MatrixGradient, Sample, gradients};
use study::section::{Cell, Table};

use super::corpus::CorpusArgs;
use super::made_from::{Hashing, of_file, of_values, provenance};
use super::model::{Follow, ModelArgs, json_lines, side_by_side};
use crate::global::{Format, Global};
use crate::output;
use crate::provenance::{Envelope, InputOf};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy probe gradients --model FILE.gguf --data items.jsonl
  anatomy probe gradients --model FOLDER --data items.jsonl --per-sample --format json
  anatomy probe gradients --model FOLDER --corpus plain,archaic --format json > probes/styles.json

A line of the data is {\"prompt\": \"Question: …\\nAnswer:\", \"response\": \" …\"}; the loss is the mean cross-entropy over the
response's tokens, gradients are summed over lines. Of a text of --corpus the first half of the words is given, the rest is the response.
Exit status: 0 done, 2 could not run")]
#[command(group = ArgGroup::new("given").required(true).multiple(true).args(["data", "corpus"]))]
pub(crate) struct GradientsArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// JSON lines with `prompt` and `response`; given several times, data sets side by side
    #[arg(long, value_name = "FILE")]
    data: Vec<PathBuf>,
    #[command(flatten)]
    corpora: CorpusArgs,
    /// Also compute spectra of each line's own gradient (Li et al. 2024); slower
    #[arg(long)]
    per_sample: bool,
}

pub(super) fn run(global: &Global, args: &GradientsArgs) -> Result<ExitCode> {
    let inputs = inputs(args)?;
    let checkpoint = args.model.open(global)?;
    let hashing = Hashing::begin(global, &checkpoint);
    let settings = GradientSettings {
        run: args.model.settings(),
        per_sample: args.per_sample,
    };
    let mut results = Vec::new();
    let mut given = Vec::new();
    for (name, samples, input) in inputs {
        let follow = Follow::new(global, &name);
        let result = gradients(
            &checkpoint,
            &samples,
            &settings,
            &mut |progress| follow.hear(&progress),
            &mut |_, _| Ok(()),
        )?;
        follow.done();
        results.push((name, result));
        given.push(input);
    }
    let opened = hashing.map(Hashing::end).transpose()?;
    match global.format() {
        Format::Json => {
            let made_from = |input| provenance(global, &args.model, &[], opened.clone(), vec![input]);
            let of = results.iter().zip(given);
            let told: Vec<_> = of
                .map(|((name, result), input)| {
                    (name.clone(), Envelope::of("gradients", result, made_from(input)))
                })
                .collect();
            output::result(&side_by_side(&told)?)?;
        }
        Format::Csv => output::result_bytes(&output::csv(&table(&results))?)?,
        Format::Table => output::result(&output::table(&table(&results)))?,
    }
    for (name, result) in &results {
        output::say(
            global.quiet,
            &format!(
                "{name}: {} samples, {} response tokens, mean loss {:.4} nats a token",
                result.samples, result.response_tokens, result.mean_loss
            ),
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// The data sets asked for, by name, and what they are.
fn inputs(args: &GradientsArgs) -> Result<Vec<(String, Vec<Sample>, InputOf)>> {
    let of_data = |path: &PathBuf| {
        let samples: Vec<Sample> = json_lines(path, "`prompt` and `response`")?;
        let input = of_file("data", path, samples.len())?;
        Ok((path.display().to_string(), samples, input))
    };
    let of_corpus = |(name, texts): (String, Vec<String>)| {
        let samples: Vec<Sample> = texts.iter().map(|text| halves(text)).collect();
        let input = of_values("corpus", &name, &samples)?;
        Ok((name, samples, input))
    };
    let of_corpora = args.corpora.texts()?.into_iter().map(of_corpus);
    args.data.iter().map(of_data).chain(of_corpora).collect()
}

/// One row a data set, layer and matrix.
fn table(results: &[(String, Gradients)]) -> Table {
    let mut rows = Vec::new();
    for (of, result) in results {
        for (layer, gradient) in result.layers.iter().enumerate() {
            let matrices = gradient.named();
            rows.extend(matrices.iter().map(|(name, matrix)| {
                let mut cells = row(layer, name, matrix);
                if results.len() > 1 {
                    cells.insert(0, of.as_str().into());
                }
                cells
            }));
        }
    }
    let before = (results.len() > 1).then(|| "data".to_owned());
    Table {
        id: "gradients".into(),
        columns: before
            .into_iter()
            .chain(
                [
                    "layer",
                    "matrix",
                    "nuclear norm",
                    "sigma max",
                    "frobenius",
                    "effective rank",
                ]
                .map(String::from),
            )
            .collect(),
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
