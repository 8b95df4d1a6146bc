//! `anatomy import`: results that people have on disk, found out and added to a catalog.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use catalog::importing::{EXPECTED, ITEMS, ImportReport, ImportedFile, import};
use clap::Args;
use study::section::{Cell, Table};

use crate::global::{Format, Global};
use crate::provenance::Provenance;
use crate::{output, progress};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy import results/ logs/2025-06-01_gsm8k.eval --out mine
  anatomy compare my/model Qwen/Qwen2.5-7B-Instruct --catalog mine
  anatomy query --catalog mine \"select id, benchmark, value, error, shots, mode, harness from scores where leaderboard = 'inspect'\"
  anatomy study items --items mine/items
  anatomy import more/ --out mine                     adds to it; what was imported before is passed over

Read, each found out by its contents: Every Eval Ever records and instances, Inspect logs (.eval and .json), lighteval results and
details, OpenCompass summaries, lm-evaluation-harness results and samples, Community Evals (.eval_results/*.yaml), item tables of
`probe evaluate` and Parquet of answers, config.json, and the tables of leaderboards that `catalog build` reads.
The catalog that comes along is part of what is written, so that names are joined to its checkpoints and their structures are known.
Exit status: 0 done, 1 done, but a file could not be read, 2 could not run")]
pub(crate) struct ImportArgs {
    /// Files and folders
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Folder of the catalog to write: created, or added to where it is a catalog already
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Catalog to start from [default: the one compiled in]
    #[arg(long, value_name = "DIR")]
    catalog: Option<PathBuf>,
    /// List only files that were read or could not be; without it every file under PATH is listed
    #[arg(long)]
    read_only: bool,
}

pub(crate) fn run(global: &Global, args: &ImportArgs) -> Result<ExitCode> {
    super::catalog::leave_nothing_half_made();
    let bar = progress::bar(global.quiet, 0, "importing");
    let mut each = |file: &str| bar.set_message(file.to_owned());
    let mut report = import(&args.paths, args.catalog.as_deref(), &args.out, &mut each)?;
    bar.finish_and_clear();
    if args.read_only {
        report.files.retain(|file| file.what.is_some());
    }
    let table = told(&report);
    match global.format() {
        Format::Json => output::json(
            "import",
            &serde_json::json!({ "import": report }),
            Provenance::of_catalog(&report.catalog_sha256),
        )?,
        Format::Csv => output::result(std::str::from_utf8(&output::csv(&table)?).context("CSV is UTF-8")?)?,
        Format::Table => output::result(&output::table(&table))?,
    }
    for line in summary(args, &report) {
        output::say(global.quiet, &line);
    }
    Ok(if report.problems() > 0 {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    })
}

fn summary(args: &ImportArgs, report: &ImportReport) -> Vec<String> {
    let out = args.out.display();
    let mut lines = Vec::new();
    let unknown = report.files.iter().filter(|file| file.what.is_none()).count();
    if unknown > 0 {
        lines.push(format!("{unknown} files are none of what is read: {EXPECTED}."));
    }
    let others = report.joined.iter().filter(|(own, known, _)| own != known);
    let others: Vec<String> = others
        .map(|(own, known, rule)| format!("{own} is {known} (rule `{rule}`)"))
        .collect();
    if !others.is_empty() {
        lines.push(format!("Joined: {}.", others.join("; ")));
    }
    if !report.new.is_empty() {
        lines.push(format!(
            "Not in the catalog before, and without a structure unless a config.json came along: {}.",
            report.new.join(", ")
        ));
    }
    let items: u64 = report
        .files
        .iter()
        .filter(|file| is_items(file))
        .map(|file| file.added)
        .sum();
    lines.push(format!(
        "Written: {out} ({} evaluations and {} scores added{})",
        report.evaluations,
        report.scores,
        if items > 0 {
            format!("; {items} answers to items in {out}/{ITEMS}")
        } else {
            String::new()
        }
    ));
    lines
}

/// Whether a line of the report is of answers to items.
fn is_items(file: &ImportedFile) -> bool {
    let what = file.what.as_deref().unwrap_or_default();
    ["samples", "instances", "details", "item"]
        .iter()
        .any(|word| what.contains(word))
}

/// What became of each file.
fn told(report: &ImportReport) -> Table {
    let row = |file: &ImportedFile| {
        let left_out: u64 = file.left_out.values().sum();
        let reasons: Vec<String> = file
            .left_out
            .iter()
            .map(|(reason, count)| format!("{reason} {count}"))
            .collect();
        let because = match &file.problem {
            Some(problem) => problem.clone(),
            None if file.already => "imported before".to_owned(),
            None => reasons
                .into_iter()
                .chain(file.note.clone())
                .collect::<Vec<_>>()
                .join(", "),
        };
        vec![
            Cell::from(file.file.as_str()),
            file.what.as_deref().map_or(Cell::from("unknown"), Cell::from),
            (file.rows_in as usize).into(),
            (file.added as usize).into(),
            (file.repeats as usize).into(),
            (left_out as usize).into(),
            because.into(),
        ]
    };
    Table {
        id: "import".into(),
        columns: [
            "file",
            "what it is",
            "rows read",
            "added",
            "repeats",
            "left out",
            "because",
        ]
        .map(String::from)
        .to_vec(),
        rows: report.files.iter().map(row).collect(),
        ..Table::default()
    }
}
