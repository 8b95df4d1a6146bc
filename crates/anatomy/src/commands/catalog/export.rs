//! `anatomy catalog export`: the tables as files that other tools read.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use catalog::export::Target;
use clap::Args;

use crate::global::{Asked, Global};
use crate::{output, progress};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy catalog export --out tables                            Parquet, a catalog again
  anatomy catalog export --format csv --out tables-csv
  anatomy catalog export --format huggingface --out dataset      then: hf upload you/dataset dataset --repo-type dataset

Exit status: 0 done, 2 could not run")]
pub(crate) struct ExportArgs {
    /// Folder to make; must not exist, or be empty
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Catalog made by `anatomy catalog build` [default: the one compiled in]
    #[arg(long, value_name = "DIR")]
    catalog: Option<PathBuf>,
}

pub(super) fn run(global: &Global, args: &ExportArgs) -> Result<ExitCode> {
    let target = match global.asked {
        Asked::Csv => Target::Csv,
        Asked::Json => Target::Json,
        Asked::Huggingface => Target::HuggingFace,
        Asked::Parquet | Asked::Table => Target::Parquet,
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
