//! `anatomy study claims`: the ledger of the literature's claims, and other whole sections of the study.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use study::finding::{Finding, Verdict};
use study::section::Section;

use super::answer;
use crate::commands::study_rows::StudyRows;
use crate::global::{Format, Global};
use crate::output::{self, number};
use crate::report::Choice;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy study claims
  anatomy study claims --format csv > claims.csv
  anatomy study dimensions --where \"kind = 'pretrained'\"
  anatomy study dimensions --out dimensions

Exit status: 0 done, 2 could not run")]
pub(crate) struct SectionArgs {
    #[command(flatten)]
    rows: StudyRows,
    /// Write figures, tables and findings to this folder too
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Computes the sections of a part by name, prints them, writes them where asked.
pub(crate) fn run(global: &Global, args: &SectionArgs, part: &str) -> Result<ExitCode> {
    let (study, catalog_hash, bar) = args.rows.study(global, &Choice::of(part)?, None)?;
    bar.finish_and_clear();
    let ledger = study.sections.iter().find(|section| section.id == "claims");
    if let (Some(ledger), Format::Table | Format::Csv) = (ledger, global.format()) {
        match (
            global.format(),
            ledger.tables.iter().find(|table| table.id == "claims"),
        ) {
            (Format::Csv, Some(table)) => output::result_bytes(&output::csv(table)?)?,
            _ => output::result(&in_words(ledger)?)?,
        }
        if let Some(folder) = args.out.as_deref() {
            answer::write(global, &study, &catalog_hash, folder)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    answer::give(global, &study, &catalog_hash, args.out.as_deref())?;
    Ok(ExitCode::SUCCESS)
}

/// The ledger for people: three lines a claim.
fn in_words(ledger: &Section) -> Result<String> {
    let mut text = String::new();
    for words in &ledger.text {
        writeln!(text, "{words}")?;
    }
    for pair in ledger.findings.chunks(2) {
        let [claim, strict] = pair else { continue };
        writeln!(text)?;
        let claimed = claim
            .published
            .as_ref()
            .map(|published| number(published.value))
            .unwrap_or_default();
        writeln!(text, "{}", claim.question)?;
        writeln!(
            text,
            "  {}; claimed {claimed} {} ({})",
            claim.id.trim_start_matches("claims."),
            claim.unit,
            claim.source.place
        )?;
        writeln!(text, "  as the work did it  {}", reading(claim))?;
        writeln!(text, "  stricter            {}", reading(strict))?;
        for note in notes(claim, strict) {
            writeln!(text, "    {note}")?;
        }
    }
    Ok(text)
}

fn reading(finding: &Finding) -> String {
    let verdict = finding.verdict.map(Verdict::words).unwrap_or_default();
    let Some(value) = finding.value else {
        return format!("{verdict:<13}");
    };
    let interval = finding.interval.as_ref().map_or_else(String::new, |interval| {
        format!(" [{}, {}]", number(interval.low), number(interval.high))
    });
    format!(
        "{verdict:<13} {}{interval}, n = {}, {}",
        number(value),
        finding.n,
        finding.protocol
    )
}

/// What is said besides the rule, once.
fn notes<'a>(claim: &'a Finding, strict: &'a Finding) -> Vec<&'a str> {
    let mut notes: Vec<&str> = Vec::new();
    for note in claim.notes.iter().chain(&strict.notes) {
        if !notes.contains(&note.as_str()) {
            notes.push(note);
        }
    }
    notes
}
