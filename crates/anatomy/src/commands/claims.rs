//! `anatomy claims check`: claims of the user's own, read and judged.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::json;
use study::claims::Findings;
use study::claims::judged::{Judged, Stated};
use study::finding::Finding;

use super::study_rows::StudyRows;
use crate::global::{Format, Global};
use crate::output::{self, number};
use crate::report::Choice;
use crate::stated;

#[derive(Debug, Subcommand)]
pub(crate) enum ClaimsCommand {
    /// Say what is wrong with a file of claims, and judge them
    Check(CheckArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy claims check my-paper.toml
  anatomy claims check my-paper.toml --findings anatomy-report/findings.json
  anatomy claims check my-paper.toml --format json | jq '.claims[].readings'

Exit status: 0 read and judged, 2 could not run")]
pub(crate) struct CheckArgs {
    /// File of claims (TOML), as those of the folder claims
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Findings of a report that was written before [default: what the claims need is computed]
    #[arg(long, value_name = "FILE")]
    findings: Option<PathBuf>,
    #[command(flatten)]
    rows: StudyRows,
}

/// Runs the command.
pub(crate) fn run(global: &Global, command: &ClaimsCommand) -> Result<ExitCode> {
    let ClaimsCommand::Check(args) = command;
    let claims = stated::open(&args.file)?;
    let found = match &args.findings {
        Some(path) => kept(path)?,
        None => computed(global, &args.rows, &claims)?,
    };
    let findings = Findings::new(&found);
    let judged: Vec<Judged> = claims
        .iter()
        .map(|claim| claim.judge(&findings, global.seed))
        .collect();
    give(global, &judged)?;
    Ok(ExitCode::SUCCESS)
}

/// The findings that claims name: of the parts that give them, of all parts where one cannot be told.
fn computed(global: &Global, rows: &StudyRows, claims: &[Stated]) -> Result<Vec<Finding>> {
    let ids = claims
        .iter()
        .flat_map(|claim| &claim.questions)
        .flat_map(|question| &question.findings);
    let mut parts: Vec<&str> = Vec::new();
    let mut all = false;
    for id in ids {
        match id.split('.').next() {
            Some(part @ ("controlled" | "pooled")) if !parts.contains(&part) => parts.push(part),
            Some("controlled" | "pooled") => {}
            _ => all = true,
        }
    }
    if parts.is_empty() && !all {
        return Ok(Vec::new());
    }
    let choice = if all {
        Choice::all()
    } else {
        Choice::of(&parts.join(","))?
    };
    let (study, _, bar) = rows.study(global, &choice, None, None)?;
    bar.finish_and_clear();
    Ok(study
        .sections
        .into_iter()
        .flat_map(|section| section.findings)
        .collect())
}

#[derive(Deserialize)]
struct Kept {
    findings: Vec<Finding>,
}

/// The findings of a report.
pub(crate) fn kept(path: &Path) -> Result<Vec<Finding>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let kept: Kept = serde_json::from_str(&text).with_context(|| {
        format!(
            "{} is no findings file; `anatomy report` writes one as findings.json",
            path.display()
        )
    })?;
    Ok(kept.findings)
}

/// Judged claims in the form asked for.
pub(crate) fn give(global: &Global, judged: &[Judged]) -> Result<()> {
    match global.format() {
        Format::Json => {
            let text = serde_json::to_string_pretty(&json!({ "claims": judged }))?;
            output::result(&format!("{text}\n"))
        }
        Format::Csv => output::result_bytes(&output::csv(&study::claims::shown::table(judged))?),
        Format::Table => output::result(&in_words(judged)),
    }
}

/// Claims for people: the statement, where it stands, a line a reading.
pub(crate) fn in_words(judged: &[Judged]) -> String {
    let mut text = String::new();
    for claim in judged {
        let _ = writeln!(
            text,
            "{}\n  {}; {}, {}",
            claim.statement, claim.id, claim.work, claim.place
        );
        for reading in &claim.readings {
            let ours = match (reading.value, &reading.interval) {
                (Some(value), Some(ends)) => {
                    format!(" {} [{}, {}]", number(value), number(ends.low), number(ends.high))
                }
                (Some(value), None) => format!(" {}", number(value)),
                (None, _) => String::new(),
            };
            let verdict = reading.verdict.name().replace('_', " ");
            let _ = writeln!(
                text,
                "  {:<11} {verdict:<15}{ours}  {}",
                reading.reading, reading.why
            );
        }
        text.push('\n');
    }
    text
}
