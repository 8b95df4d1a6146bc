//! `anatomy compare`: checkpoints side by side.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;

use super::asked::Common;
use crate::answers::compare::{CompareAnswer, compare};
use crate::answers::folders::folders;
use crate::answers::tables::compare::{of_benchmarks, pairs, runs, scores, structure};
use crate::global::{Format, Global};
use crate::output;
use crate::provenance::{Envelope, Provenance};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy compare Qwen/Qwen2.5-7B-Instruct meta-llama/Llama-3.1-8B-Instruct
  anatomy compare mistralai/Mistral-7B-v0.1 meta-llama/Llama-2-7b-hf --format json | jq '.pairs[] | .sentence'
  anatomy compare --baseline results/main --candidate results/change --fail-if-worse --summary summary.md
  anatomy compare my/ckpt-1000 my/ckpt-2000 --items results/     on the items both answered, paired
  anatomy compare my/ckpt-1000 my/ckpt-2000 --catalog mine       scores of your own: `anatomy catalog build --sources results/ --out mine`

Each is set against the first. A difference is more than noise where its p, adjusted for the number of benchmarks, is
below 0.05. Runs that differ in leaderboard, metric, scale, few-shot examples, chat template, bits of the weights or
setting are not comparable: no difference is given, and why is said. Where a checkpoint was run several times, a run like
the other's is taken.

With --baseline and --candidate (cargo feature sql), two folders of results of your own, answers to items as `catalog import-items`
takes them: samples_TASK_TIME.jsonl of lm-evaluation-harness (--log_samples), tables of `anatomy probe evaluate --items`.
Exit status: 0 done, 1 with --fail-if-worse: worse by more than noise, 2 could not run")]
pub(crate) struct CompareArgs {
    /// Checkpoints, `org/name`, two or more
    #[arg(value_name = "ID", required_unless_present = "baseline", conflicts_with = "baseline", num_args = 2..=20)]
    ids: Vec<String>,
    /// Compare two checkpoints on the same items instead: a table of `anatomy catalog import-items`, or a folder of lm-eval
    /// results written with --log_samples
    #[arg(long, value_name = "DIR", conflicts_with_all = ["catalog", "device", "bandwidth"])]
    items: Option<PathBuf>,
    /// Context lengths for memory and decoding, in tokens, separated by commas
    #[arg(long, value_name = "NUMS", default_value = "8192", value_delimiter = ',', value_parser = clap::value_parser!(i64).range(1..=100_000_000))]
    context: Vec<i64>,
    /// Results of the checkpoint before the change, compared with --candidate item by item
    #[arg(long, value_name = "DIR", requires = "candidate")]
    baseline: Option<PathBuf>,
    /// Results of the checkpoint after the change
    #[arg(long, value_name = "DIR", requires = "baseline")]
    candidate: Option<PathBuf>,
    /// Exit with 1 if the candidate is worse on a benchmark by more than noise
    #[arg(long, requires = "candidate")]
    fail_if_worse: bool,
    /// Append the comparison to this file as Markdown
    #[arg(long, value_name = "FILE", requires = "candidate")]
    summary: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

pub(crate) fn run(global: &Global, args: &CompareArgs) -> Result<ExitCode> {
    if let (Some(baseline), Some(candidate)) = (&args.baseline, &args.candidate) {
        return own(global, args, baseline, candidate);
    }
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
        Format::Table => output::result(&output::wrapped(&page(&answer)))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Two folders of the user's own.
fn own(global: &Global, args: &CompareArgs, baseline: &Path, candidate: &Path) -> Result<ExitCode> {
    let answer = folders(baseline, candidate, global.seed)?;
    if let Some(path) = &args.summary {
        let append = || -> std::io::Result<()> {
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
            std::io::Write::write_all(&mut file, answer.markdown().as_bytes())
        };
        append().with_context(|| format!("cannot append to {}", path.display()))?;
    }
    let provenance = Provenance {
        seed: Some(global.seed),
        ..Provenance::bare()
    };
    match global.format() {
        Format::Json => output::json("folder_comparison", &answer, provenance)?,
        Format::Csv => output::result_bytes(&output::csv(&of_benchmarks(&answer))?)?,
        Format::Table => {
            let notes = answer.notes.join("\nnote: ");
            output::result(&format!(
                "{}\n{}\nnote: {notes}\n",
                output::table(&of_benchmarks(&answer)),
                answer.verdict
            ))?;
        }
    }
    let fails = args.fail_if_worse && !answer.worse.is_empty();
    Ok(if fails {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    })
}

fn page(answer: &CompareAnswer) -> String {
    let mut shown = answer.clone();
    shown
        .scores
        .retain(|score| score.values.iter().flatten().count() > 1);
    let alone = answer.scores.len() - shown.scores.len();
    let mut parts = vec![
        answer.verdicts.join("\n") + "\n",
        "Structure and cost (* differs):\n".to_owned() + &output::table(&structure(answer)),
    ];
    if !shown.scores.is_empty() {
        parts.extend([
            "Scores, points, with 95 % intervals from the number of test items:\n".to_owned()
                + &output::table(&scores(&shown)),
            "How each run was made:\n".to_owned() + &output::table(&runs(&shown)),
            "Each against the first:\n".to_owned() + &output::table(&pairs(answer)),
        ]);
    }
    let mut words = match alone {
        0 => String::new(),
        1 => "1 more benchmark has a score of one of them alone (--format json)".to_owned(),
        alone => format!("{alone} more benchmarks have a score of one of them alone (--format json)"),
    };
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
    parts.push(words.trim_start().to_owned() + "\n");
    parts.join("\n")
}
