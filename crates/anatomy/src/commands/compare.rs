//! `anatomy compare`: checkpoints side by side.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;

use super::asked::Common;
use crate::answers::compare::{CompareAnswer, compare};
use crate::answers::tables::compare::{pairs, runs, scores, structure};
use crate::global::{Format, Global};
use crate::output;
use crate::provenance::{Envelope, Provenance};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy compare Qwen/Qwen2.5-7B-Instruct meta-llama/Llama-3.1-8B-Instruct
  anatomy compare mistralai/Mistral-7B-v0.1 meta-llama/Llama-2-7b-hf --format json | jq '.pairs[] | .sentence'
  anatomy compare my/ckpt-1000 my/ckpt-2000 --items results/     on the items both answered, paired
  anatomy compare my/ckpt-1000 my/ckpt-2000 --catalog mine       scores of your own: `anatomy catalog build --sources results/ --out mine`

Each is set against the first. A difference is more than noise where its p, adjusted for the number of benchmarks, is
below 0.05. Runs that differ in leaderboard, metric, scale, few-shot examples, chat template, bits of the weights or
setting are not comparable: no difference is given, and why is said. Where a checkpoint was run several times, a run like
the other's is taken.
Exit status: 0 done, 2 could not run")]
pub(crate) struct CompareArgs {
    /// Checkpoints, `org/name`, two or more
    #[arg(value_name = "ID", required = true, num_args = 2..=20)]
    ids: Vec<String>,
    /// Two checkpoints on the same items instead: a table of `anatomy catalog import-items`, or a folder of lm-eval results
    /// written with --log_samples
    #[arg(long, value_name = "DIR", conflicts_with_all = ["catalog", "device", "bandwidth"])]
    items: Option<PathBuf>,
    /// Contexts for memory and decoding, tokens, separated by commas
    #[arg(long, value_name = "NUMS", default_value = "8192", value_delimiter = ',', value_parser = clap::value_parser!(i64).range(1..=100_000_000))]
    context: Vec<i64>,
    #[command(flatten)]
    common: Common,
}

pub(crate) fn run(global: &Global, args: &CompareArgs) -> Result<ExitCode> {
    if let Some(items) = &args.items {
        let [a, b] = args.ids.as_slice() else {
            bail!("--items compares two checkpoints, not {}", args.ids.len());
        };
        return super::study::compare_two(global, items, a, b);
    }
    let predictor = args.common.predictor(global)?;
    let devices: Vec<_> = args.common.device()?.into_iter().collect();
    let answer = compare(&predictor, &args.ids, &args.context, &devices)?;
    match global.format() {
        Format::Json => {
            output::result(
                &Envelope::of(
                    "comparison",
                    &answer,
                    Provenance::of(&answer.catalog_sha256, global.seed),
                )
                .to_json()?,
            )?;
        }
        Format::Csv => output::result_bytes(&output::csv(&pairs(&answer))?)?,
        Format::Table => output::result(&page(&answer))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn page(answer: &CompareAnswer) -> String {
    let mut parts = vec![
        "Structure and cost (* differs):\n".to_owned() + &output::table(&structure(answer)),
        "Scores, points, with what the number of items leaves open (95 %):\n".to_owned()
            + &output::table(&scores(answer)),
        "How each run was made:\n".to_owned() + &output::table(&runs(answer)),
        "Each against the first:\n".to_owned() + &output::table(&pairs(answer)),
    ];
    let mut words = answer.verdicts.join("\n");
    for checkpoint in &answer.checkpoints {
        if !checkpoint.lineage.is_empty() {
            let _ = write!(
                words,
                "\n{} was made from {}",
                checkpoint.id,
                checkpoint.lineage.join(", from ")
            );
        }
        if checkpoint.flagged {
            let _ = write!(
                words,
                "\n{} is flagged by a leaderboard, or made from what is",
                checkpoint.id
            );
        }
    }
    for note in &answer.notes {
        let _ = write!(words, "\nnote: {note}");
    }
    parts.push(words + "\n");
    parts.join("\n")
}
