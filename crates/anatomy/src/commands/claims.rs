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
use crate::provenance::{Envelope, Provenance};
use crate::report::PartChoice;
use crate::stated;

#[derive(Debug, Subcommand)]
pub(crate) enum ClaimsCommand {
    /// Validate a file of claims, and judge each of them
    Check(ClaimsCheckArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy claims check my-paper.toml
  anatomy claims check my-paper.toml --findings anatomy-report/findings.json
  anatomy claims check my-paper.toml --format json | jq '.claims[].readings'

Exit status: 0 read and judged, 2 could not run")]
pub(crate) struct ClaimsCheckArgs {
    /// File of claims (TOML), like those in the folder claims
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// findings.json of an earlier report [default: what the claims need is computed]
    #[arg(long, value_name = "FILE")]
    findings: Option<PathBuf>,
    #[command(flatten)]
    rows: StudyRows,
}

/// Runs the command.
pub(crate) fn run(global: &Global, command: &ClaimsCommand) -> Result<ExitCode> {
    let ClaimsCommand::Check(args) = command;
    let claims = stated::open(&args.file)?;
    let (found, catalog_hash) = match &args.findings {
        Some(path) => kept(path)?,
        None => computed(global, &args.rows, &claims)?,
    };
    let findings = Findings::new(&found);
    let judged: Vec<Judged> = claims
        .iter()
        .map(|claim| claim.judge(&findings, global.seed))
        .collect();
    give(global, &judged, &catalog_hash)?;
    Ok(ExitCode::SUCCESS)
}

/// The findings that claims name: of the parts that give them, of all parts where one cannot be told. With the catalog's
/// identity,
/// empty where none was asked.
fn computed(global: &Global, rows: &StudyRows, claims: &[Stated]) -> Result<(Vec<Finding>, String)> {
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
        return Ok(Default::default());
    }
    let choice = if all {
        PartChoice::all()
    } else {
        PartChoice::of(&parts.join(","))?
    };
    let (study, catalog_hash, bar) = rows.study(global, &choice, None, None)?;
    bar.finish_and_clear();
    let findings = study.sections.into_iter().flat_map(|section| section.findings);
    Ok((findings.collect(), catalog_hash))
}

#[derive(Deserialize)]
struct Kept {
    findings: Vec<Finding>,
    #[serde(default)]
    provenance: KeptProvenance,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct KeptProvenance {
    catalog_sha256: String,
}

/// The findings of a report, and the identity of its catalog.
pub(crate) fn kept(path: &Path) -> Result<(Vec<Finding>, String)> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let kept: Kept = serde_json::from_str(&text).with_context(|| {
        format!(
            "{} is not a findings file; `anatomy report` writes one as findings.json",
            path.display()
        )
    })?;
    Ok((kept.findings, kept.provenance.catalog_sha256))
}

/// Judged claims in the form asked for.
pub(crate) fn give(global: &Global, judged: &[Judged], catalog_hash: &str) -> Result<()> {
    match global.format() {
        Format::Json => {
            let provenance = Provenance::of(catalog_hash, global.seed);
            let told = Envelope::of("claims", json!({ "claims": judged }), provenance);
            output::result(&told.to_json()?)
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
