//! `anatomy study claims`: the ledger of the literature's claims, and other whole sections of the study.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use study::abilities::{LISTED, Listed, listed};
use study::claims::judged::{Judged, Judgement};
use study::finding::{Finding, Verdict};
use study::section::Section;

use super::answer;
use crate::commands::claims::{give, in_words as claims_in_words, kept};
use crate::commands::study_rows::StudyRows;
use crate::global::{Format, Global};
use crate::output::{self, number};
use crate::report::PartChoice;
use crate::stated;

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
    /// Also write figures, tables and findings to this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// The same, of one board.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy study trends --board euroeval
  anatomy study correlations --board proteus --format json
  anatomy study trends --where \"kind = 'pretrained'\"

Boards: v1, v2, proteus, euroeval, swallow, swallow-ja, epoch. Each is read on its own scale and none is mixed with another;
`anatomy report --only boards` has one row a benchmark of all of them.
Exit status: 0 done, 2 could not run")]
pub(crate) struct BoardArgs {
    #[command(flatten)]
    section: SectionArgs,
    /// The board that is read [default: v1 and v2]
    #[arg(long, value_name = "NAME", value_parser = board)]
    board: Option<&'static Listed>,
}

/// `anatomy study claims`: sections, and which claims to show.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy study claims
  anatomy study claims --work 2502.06857 --format json | jq '.claims[].readings'
  anatomy study claims --only contradicted --findings anatomy-report/findings.json
  anatomy study claims --format csv > claims.csv

Exit status: 0 done, 2 could not run")]
pub(crate) struct ClaimsArgs {
    #[command(flatten)]
    section: SectionArgs,
    /// Only claims of works whose name holds this
    #[arg(long, value_name = "TEXT")]
    work: Option<String>,
    /// Only claims whose statement holds this
    #[arg(long, value_name = "TEXT")]
    statement: Option<String>,
    /// Only claims of which a reading has this verdict
    #[arg(long, value_name = "VERDICT", value_parser = verdict)]
    only: Option<Judgement>,
    /// Findings of a report that was written before, so that nothing is computed
    #[arg(long, value_name = "FILE")]
    findings: Option<PathBuf>,
}

/// The verdict of that name.
fn verdict(name: &str) -> std::result::Result<Judgement, String> {
    // The report's words are these verdicts too.
    let plain = name.to_ascii_lowercase().replace([' ', '-'], "_");
    let plain = match plain.as_str() {
        "agrees" => "reproduced",
        "not_excluded" => "cannot_tell",
        "untestable" => "not_testable",
        "differs" => "contradicted",
        other => other,
    };
    let found = Judgement::ALL.into_iter().find(|verdict| verdict.name() == plain);
    found.ok_or_else(|| {
        // Who comes from JSON or a tool of an agent has its names.
        let both = |verdict: Judgement| match (verdict.words(), verdict.name()) {
            (words, name) if words.replace(' ', "_") == name => words.to_owned(),
            (words, name) => format!("{words} ({name})"),
        };
        let all: Vec<String> = Judgement::ALL.into_iter().map(both).collect();
        format!(
            "unknown verdict `{name}`; expected one of {} (in brackets: its name in JSON)",
            all.join(", ")
        )
    })
}

impl ClaimsArgs {
    fn is_filtered(&self) -> bool {
        self.work.is_some() || self.statement.is_some() || self.only.is_some()
    }

    /// The claims asked for.
    ///
    /// # Errors
    /// None is of such a work or statement.
    fn chosen(&self, all: Vec<Judged>) -> Result<Vec<Judged>> {
        let mut works: Vec<String> = all.iter().map(|claim| claim.work.clone()).collect();
        works.sort();
        works.dedup();
        let chosen: Vec<Judged> = all.into_iter().filter(|claim| self.keeps(claim)).collect();
        if chosen.is_empty() && (self.work.is_some() || self.statement.is_some()) {
            bail!("no claim matches; claims are of the works {}", works.join(", "));
        }
        Ok(chosen)
    }

    fn keeps(&self, claim: &Judged) -> bool {
        let holds = |text: &str, wanted: Option<&String>| {
            wanted.is_none_or(|wanted| text.to_lowercase().contains(&wanted.to_lowercase()))
        };
        holds(&claim.work, self.work.as_ref())
            && holds(&claim.statement, self.statement.as_ref())
            && self
                .only
                .is_none_or(|only| claim.readings.iter().any(|reading| reading.verdict == only))
    }
}

/// The ledger and the claims that are data: those asked for.
pub(super) fn judged(global: &Global, args: &ClaimsArgs) -> Result<ExitCode> {
    if let Some(path) = &args.findings {
        let (findings, catalog_hash) = kept(path)?;
        let all = stated::all(&findings.iter().collect::<Vec<_>>(), global.seed)?;
        let chosen = args.chosen(all)?;
        give(global, &chosen, &catalog_hash)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (study, catalog_hash, bar) = args.section.rows.kept_or_made(global, &PartChoice::all())?;
    bar.finish_and_clear();
    let findings: Vec<&Finding> = study
        .sections
        .iter()
        .filter(|section| section.id != "claims")
        .flat_map(|section| &section.findings)
        .collect();
    let all = stated::all(&findings, global.seed)?;
    let chosen = args.chosen(all)?;
    let mut only = study;
    only.sections.retain(|section| section.id == "claims");
    if let Some(folder) = args.section.out.as_deref() {
        answer::write(global, &only, &catalog_hash, folder)?;
    }
    match (global.format(), only.sections.first()) {
        (Format::Json, _) if !args.is_filtered() => {
            let mut file =
                serde_json::from_str::<serde_json::Value>(&answer::json(global, &only, &catalog_hash)?)?;
            file["claims"] = serde_json::to_value(&chosen)?;
            output::result(&format!("{}\n", serde_json::to_string_pretty(&file)?))?;
        }
        (Format::Csv, Some(ledger)) if !args.is_filtered() => {
            if let Some(table) = ledger.tables.iter().find(|table| table.id == "claims") {
                output::result_bytes(&output::csv(table)?)?;
            }
        }
        (Format::Table, Some(ledger)) if !args.is_filtered() => {
            output::result(&in_words(ledger)?)?;
            let later = stated::compiled_in()?;
            let is_later = |claim: &&Judged| later.iter().any(|stated| stated.id == claim.id);
            let later: Vec<Judged> = chosen.iter().filter(is_later).cloned().collect();
            output::result(&format!("\n{}", claims_in_words(&later)))?;
        }
        _ => give(global, &chosen, &catalog_hash)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Computes the sections of a part by name, prints them, writes them where asked.
pub(super) fn run(global: &Global, args: &SectionArgs, part: &str) -> Result<ExitCode> {
    asked(global, args, part, None)
}

/// The same of one board of the list, where one is named.
pub(super) fn of_board(global: &Global, args: &BoardArgs, part: &str) -> Result<ExitCode> {
    // What appeared when is no board's own.
    let part = if part == "trends" && args.board.is_some() {
        "progress"
    } else {
        part
    };
    asked(global, &args.section, part, args.board)
}

/// The board of that name.
pub(super) fn board(name: &str) -> std::result::Result<&'static Listed, String> {
    listed(name).ok_or_else(|| {
        let all: Vec<&str> = LISTED.iter().map(|board| board.name).collect();
        format!("no board named `{name}`; there are {}", all.join(", "))
    })
}

fn asked(
    global: &Global,
    args: &SectionArgs,
    part: &str,
    board: Option<&'static Listed>,
) -> Result<ExitCode> {
    let (study, catalog_hash, bar) = args.rows.study(global, &PartChoice::of(part)?, None, board)?;
    bar.finish_and_clear();
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
            .map(|published| shown(published.value, &claim.unit))
            .unwrap_or_default();
        writeln!(text, "{}", claim.question)?;
        writeln!(
            text,
            "  {}; claimed {claimed} ({})",
            claim.id.trim_start_matches("claims."),
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

/// A value with its unit; yes or no where it is one.
fn shown(value: f64, unit: &str) -> String {
    match (unit, value) {
        (YES_NO, 1.0) => "yes".to_owned(),
        (YES_NO, 0.0) => "no".to_owned(),
        _ => format!("{} {unit}", number(value)),
    }
}

const YES_NO: &str = "1 yes, 0 no";

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
