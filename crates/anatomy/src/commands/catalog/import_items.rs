//! `anatomy catalog import-items`: files of answers to single items into one table, divided by benchmark.

use std::path::PathBuf;
use std::process::ExitCode;

use ::catalog::items::{ImportSettings, Imported, files, import};
use anyhow::{Context, Result};
use clap::Args;
use study::section::{Cell, Table};

use crate::global::{Format, Global};
use crate::provenance::Provenance;
use crate::{output, progress};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy catalog import-items --into items results/              every samples_*.jsonl, item table and *.parquet in a folder
  anatomy catalog import-items --into items items-0.jsonl items-1.jsonl     the shards of `probe evaluate --shard`
  anatomy catalog import-items --into items --id org/name old.jsonl
  anatomy query --items items \"select * from item_difficulty order by share limit 5\"
  anatomy study items --items items

Taken: samples_TASK_TIME.jsonl of lm-evaluation-harness in a folder ORG__NAME, item tables of `anatomy probe evaluate --items`,
instances of Every Eval Ever, logs of Inspect, details of lighteval (details/OWNER/NAME/TIME/details_*.parquet),
and Parquet with the columns id, item, correct or score, benchmark (or a folder benchmark=NAME), and where they are there
metric, loglikelihood, prediction.
A file goes in whole or not at all, and once: importing it again changes nothing. Rows the table has are counted as repeats, so an
item table that has grown can be given again; another answer to the same item by the same checkpoint is refused.
Exit status: 0 done, 2 could not run")]
pub(crate) struct ImportItemsArgs {
    /// Files and folders
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Folder of the table; created if it does not exist
    #[arg(long, value_name = "DIR")]
    into: PathBuf,
    /// Name of the checkpoint, overriding what the files say
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Filter whose answers count where a task has several [default: the first in the file]
    #[arg(long, value_name = "NAME")]
    filter: Option<String>,
}

pub(super) fn run(global: &Global, args: &ImportItemsArgs) -> Result<ExitCode> {
    let found = files(&args.paths)?;
    let settings = ImportSettings {
        id: args.id.clone(),
        filter: args.filter.clone(),
    };
    let bar = progress::bar(global.quiet, found.len() as u64, "importing");
    let imported = import(&found, &args.into, &settings, &mut |_| bar.inc(1))?;
    bar.finish_and_clear();
    let table = told(&imported);
    match global.format() {
        Format::Json => output::json(
            "imported_items",
            &serde_json::json!({ "files": imported }),
            Provenance::bare(),
        )?,
        Format::Csv => output::result(std::str::from_utf8(&output::csv(&table)?).context("CSV is UTF-8")?)?,
        Format::Table => output::result(&output::table(&table))?,
    }
    let added: u64 = imported
        .iter()
        .filter(|file| !file.already)
        .map(|file| file.kept)
        .sum();
    output::say(
        global.quiet,
        &format!("{}: {added} rows added", args.into.display()),
    );
    Ok(ExitCode::SUCCESS)
}

/// What became of each file.
fn told(imported: &[Imported]) -> Table {
    let row = |file: &Imported| {
        let left_out: u64 = file.left_out.values().sum();
        let reasons: Vec<String> = file
            .left_out
            .iter()
            .map(|(reason, count)| format!("{reason} {count}"))
            .collect();
        let kept = if file.already { 0 } else { file.kept };
        vec![
            Cell::from(file.file.as_str()),
            (file.rows_in as usize).into(),
            (kept as usize).into(),
            (file.repeats as usize).into(),
            (left_out as usize).into(),
            if file.already {
                "imported before".into()
            } else {
                reasons.join(", ").into()
            },
        ]
    };
    Table {
        id: "import_items".into(),
        columns: ["file", "rows read", "added", "repeats", "left out", "because"]
            .map(String::from)
            .to_vec(),
        rows: imported.iter().map(row).collect(),
        ..Table::default()
    }
}
