//! `anatomy catalog export`: the tables as files that other tools read.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use catalog::export::Target;
use clap::Args;

use crate::global::{FormatChoice, Global};
use crate::{output, progress};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy catalog export --out tables                            Parquet, a catalog again
  anatomy catalog export --format csv --out tables-csv
  anatomy catalog export --format huggingface --out dataset      then: hf upload you/dataset dataset --repo-type dataset
  anatomy catalog export --format every-eval-ever --leaderboard open-llm-leaderboard-v2 --out records
  anatomy catalog export --format every-eval-ever --catalog mine --leaderboard lm-evaluation-harness --out records

Records of Every Eval Ever (schema 0.3) stand under OUT/data/LEADERBOARD/OWNER/NAME; its validator takes them: `cd OUT` and
`python -m every_eval_ever.validate data/*/*/*/*.json`. Answers to items have no texts here and are not exported.
Exit status: 0 done, 2 could not run")]
pub(crate) struct ExportArgs {
    /// Folder to create; must not exist, or be empty
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Catalog made by `anatomy catalog build` [default: the one compiled in]
    #[arg(long, value_name = "DIR")]
    catalog: Option<PathBuf>,
    /// With --format every-eval-ever: only evaluations of these leaderboards, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    leaderboard: Vec<String>,
}

pub(super) fn run(global: &Global, args: &ExportArgs) -> Result<ExitCode> {
    if global.asked == FormatChoice::EveryEvalEver {
        return records(global, args);
    }
    if !args.leaderboard.is_empty() {
        bail!("--leaderboard goes with --format every-eval-ever; tables are exported whole");
    }
    let target = match global.asked {
        FormatChoice::Csv => Target::Csv,
        FormatChoice::Json => Target::Json,
        FormatChoice::Huggingface => Target::HuggingFace,
        FormatChoice::Parquet | FormatChoice::Table | FormatChoice::EveryEvalEver => Target::Parquet,
    };
    let bar = progress::bar(global.quiet, 0, "exporting");
    let files = catalog::export(args.catalog.as_deref(), target, &args.out, &mut |_| bar.inc(1))?;
    bar.finish_and_clear();
    let paths: Vec<String> = files
        .iter()
        .map(|file| args.out.join(file).display().to_string())
        .collect();
    output::result(&(paths.join("\n") + "\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// One file a run; how many, and what was left out.
fn records(global: &Global, args: &ExportArgs) -> Result<ExitCode> {
    let records = catalog::export_records(args.catalog.as_deref(), &args.leaderboard, &args.out)?;
    let paths: Vec<String> = records
        .files
        .iter()
        .map(|file| args.out.join(file).display().to_string())
        .collect();
    output::result(&(paths.join("\n") + "\n"))?;
    let left_out: Vec<String> = records
        .left_out
        .iter()
        .map(|(reason, count)| format!("{reason} {count}"))
        .collect();
    let left_out = if left_out.is_empty() {
        "none".to_owned()
    } else {
        left_out.join(", ")
    };
    output::say(
        global.quiet,
        &format!(
            "{}: {} records; left out: {left_out}",
            args.out.display(),
            records.files.len()
        ),
    );
    Ok(ExitCode::SUCCESS)
}
