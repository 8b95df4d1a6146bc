//! `anatomy findings`: findings of the study by their ids, from what is kept.

use std::collections::BTreeSet;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use study::finding::Finding;
use study::importance::reading;
use study::section::{Cell, Table};

use super::study_rows::StudyRows;
use crate::answers::known::near;
use crate::global::{Format, Global};
use crate::output::{self, number};
use crate::provenance::{FindingsFile, Provenance};
use crate::report::PartChoice;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy findings                                 every finding of the study
  anatomy findings pooled. controlled.minitron.    those whose ids begin so
  anatomy findings scale.mean.large --format json

They are those of `anatomy report`. Of the compiled-in catalog, and of one that `anatomy catalog keep` was run on, they are
kept and shown at once; else the study is computed.
Exit status: 0 done, 2 could not run")]
pub(crate) struct FindingsArgs {
    /// Ids, or prefixes of ids
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    #[command(flatten)]
    rows: StudyRows,
}

/// The first words of ids.
fn beginnings<'a>(all: &[&'a Finding]) -> Vec<&'a str> {
    let words: BTreeSet<&str> = all
        .iter()
        .filter_map(|finding| finding.id.split('.').next())
        .collect();
    words.into_iter().collect()
}

pub(crate) fn run(global: &Global, args: &FindingsArgs) -> Result<ExitCode> {
    let (study, catalog_hash, bar) = args.rows.kept_or_made(global, &PartChoice::all())?;
    bar.finish_and_clear();
    // In the order of the report: what answers a question stands before what answers another like it.
    let mut sections: Vec<_> = study.sections.iter().collect();
    sections.sort_by_key(|section| crate::report::told::place(&section.id));
    let all: Vec<&Finding> = sections.iter().flat_map(|section| &section.findings).collect();
    for id in &args.ids {
        if !all.iter().any(|finding| finding.id.starts_with(id)) {
            let like = near(id, all.iter().map(|finding| finding.id.as_str()));
            let hint = if like.is_empty() {
                format!("ids begin with {}", beginnings(&all).join(", "))
            } else {
                format!("did you mean {}?", like.join(", "))
            };
            bail!("no finding has an id that begins with `{id}`: {hint}");
        }
    }
    let chosen: Vec<&Finding> = all
        .into_iter()
        .filter(|finding| args.ids.is_empty() || args.ids.iter().any(|id| finding.id.starts_with(id)))
        .collect();
    match global.format() {
        Format::Json => {
            let file = FindingsFile::findings(chosen, Provenance::of(&catalog_hash, global.seed));
            output::result(&file.to_json()?)?;
        }
        Format::Csv => output::result_bytes(&output::csv(&table(&chosen))?)?,
        Format::Table => {
            output::result(&output::table(&table(&chosen)))?;
            if chosen
                .iter()
                .filter(|finding| reading::of_id(&finding.id).is_some())
                .count()
                > 1
            {
                output::result(&format!("note: {}: column `answers`.\n", reading::RULE))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn table(findings: &[&Finding]) -> Table {
    // Several numbers are called importance, and each answers a question of its own.
    let is_importance = findings
        .iter()
        .any(|finding| reading::of_id(&finding.id).is_some());
    let row = |finding: &&Finding| {
        let ends = finding.interval.as_ref().map_or_else(String::new, |ends| {
            format!("[{}, {}]", number(ends.low), number(ends.high))
        });
        let mut row = vec![
            Cell::from(finding.id.as_str()),
            finding.value.into(),
            finding.unit.as_str().into(),
            ends.into(),
            finding.n.into(),
        ];
        if is_importance {
            row.push(reading::of_id(&finding.id).map_or(Cell::Missing, Cell::from));
        }
        row.push(finding.question.as_str().into());
        row
    };
    let mut columns = vec!["id", "value", "unit", "interval", "n"];
    columns.extend(is_importance.then_some("answers"));
    columns.push("question");
    Table {
        id: "findings".into(),
        columns: columns.into_iter().map(String::from).collect(),
        rows: findings.iter().map(row).collect(),
        ..Table::default()
    }
}
