//! `anatomy catalog check`: does a catalog follow from its sources?

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use catalog::check::{CheckReport, Standing};
use clap::Args;
use study::section::{Cell, Table};

use crate::answers::Predictor;
use crate::answers::keeping::made;
use crate::global::{Format, Global};
use crate::provenance::Provenance;
use crate::{output, progress};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy catalog check                      counts of the compiled-in catalog
  anatomy catalog check --sources data       and whether it follows from these sources

Fits that are kept beside it (`anatomy catalog keep`) are made again and compared.

Exit status: 0 all as it should be, 1 something differs, 2 could not run")]
pub(crate) struct CheckArgs {
    /// Folder with the sources to rebuild from
    #[arg(long, value_name = "DIR")]
    sources: Option<PathBuf>,
    /// Catalog to check [default: the one compiled in]
    #[arg(long, value_name = "DIR")]
    catalog: Option<PathBuf>,
}

pub(super) fn run(global: &Global, args: &CheckArgs) -> Result<ExitCode> {
    let bar = progress::bar(global.quiet, 0, "checking");
    let report = catalog::check(args.catalog.as_deref(), args.sources.as_deref(), &mut |_| {
        bar.inc(1);
    })?;
    bar.finish_and_clear();
    let (sources, tables, rules) = (
        checked_sources(&report),
        checked_tables(&report),
        checked_rules(&report),
    );
    let (accuracy, off, joins) = (accuracy(&report), off(&report), joins(&report));
    match global.format() {
        Format::Json => output::json(
            "check",
            &check_json(&report),
            Provenance::of_catalog(&report.catalog_sha256),
        )?,
        Format::Csv => output::result_bytes(&output::csv(&sources)?)?,
        Format::Table => {
            for table in [&sources, &tables, &rules, &accuracy, &off, &joins] {
                if !table.rows.is_empty() {
                    output::result(&format!("{}\n", output::table(table)))?;
                }
            }
        }
    }
    let kept = kept_fits(global, args)?;
    let holds = report.holds() && kept.as_ref().is_none_or(Vec::is_empty);
    match &kept {
        Some(differ) if differ.is_empty() => {
            output::say(global.quiet, "fits kept beside it: made again and the same");
        }
        Some(differ) => output::say(
            global.quiet,
            &format!(
                "fits kept beside it differ (`anatomy catalog keep` renews them): {}",
                differ.join("; ")
            ),
        ),
        None => {}
    }
    let verdict = if holds { "holds" } else { "does not hold" };
    output::say(
        global.quiet,
        &format!("catalog {} {verdict}", &report.catalog_sha256),
    );
    Ok(if holds {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

/// Where the fits that are kept beside the catalog differ from those made again; `None` where none are kept.
fn kept_fits(global: &Global, args: &CheckArgs) -> Result<Option<Vec<String>>> {
    let dir = args.catalog.as_deref();
    let Some(kept) = crate::kept::fits(dir) else {
        return Ok(None);
    };
    let catalog = Arc::new(crate::commands::open_catalog(dir)?);
    let again = made(&Predictor::new(catalog, global.seed, None))?;
    Ok(Some(kept.differences(&again)))
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Same => "same",
        Standing::Changed => "changed",
        Standing::Missing => "missing now",
        Standing::New => "new",
        Standing::NotCompared => "not compared",
    }
}

fn checked_sources(report: &CheckReport) -> Table {
    let row = |check: &catalog::check::SourceCheck| {
        let source = &check.source;
        vec![
            Cell::from(source.path.as_str()),
            (source.rows_in as usize).into(),
            (source.kept as usize).into(),
            (source.rejected as usize).into(),
            (if check.adds_up { "yes" } else { "NO" }).into(),
            standing(check.standing).into(),
            super::reasons(source).into(),
        ]
    };
    Table {
        id: "sources".into(),
        columns: [
            "source",
            "rows read",
            "kept",
            "left out",
            "adds up",
            "now",
            "left out because",
        ]
        .map(String::from)
        .to_vec(),
        rows: report.sources.iter().map(row).collect(),
        ..Table::default()
    }
}

fn checked_tables(report: &CheckReport) -> Table {
    Table {
        id: "tables".into(),
        columns: ["table", "rows", "now", "sha256"].map(String::from).to_vec(),
        rows: report
            .tables
            .iter()
            .map(|check| {
                let cells: [Cell; 4] = [
                    check.table.as_str().into(),
                    (check.rows as usize).into(),
                    standing(check.standing).into(),
                    check.sha256.as_str().into(),
                ];
                cells.to_vec()
            })
            .collect(),
        ..Table::default()
    }
}

fn checked_rules(report: &CheckReport) -> Table {
    Table {
        id: "rules".into(),
        columns: ["rule", "asked of", "broken", "says", "example"]
            .map(String::from)
            .to_vec(),
        rows: report
            .rules
            .iter()
            .map(|check| {
                let cells: [Cell; 5] = [
                    check.rule.into(),
                    (check.checked as usize).into(),
                    (check.broken as usize).into(),
                    check.says.into(),
                    check.example.clone().map_or(Cell::Missing, Cell::Text),
                ];
                cells.to_vec()
            })
            .collect(),
        ..Table::default()
    }
}

/// How right each way of resolving is: known structures left out and resolved, and counts from outside.
fn accuracy(report: &CheckReport) -> Table {
    let share = |part: i64, all: i64| {
        if all > 0 {
            Cell::Text(format!("{:.1} %", 100.0 * part as f64 / all as f64))
        } else {
            Cell::Missing
        }
    };
    let rows = report.accuracy.iter().map(|row| {
        vec![
            row.scope.as_str().into(),
            row.way.as_str().into(),
            (row.held_out as usize).into(),
            (row.answered as usize).into(),
            (row.right as usize).into(),
            share(row.answered - row.right, row.answered),
        ]
    });
    Table {
        id: "accuracy".into(),
        columns: ["left out or compared", "way", "n", "answered", "right", "wrong"]
            .map(String::from)
            .to_vec(),
        rows: rows.collect(),
        ..Table::default()
    }
}

/// What is off by more than two per cent against counts from outside, and what is told wrongly when it is left out.
fn off(report: &CheckReport) -> Table {
    let rows = report.off.iter().map(|row| {
        [
            &row.id,
            &row.field,
            &row.kept,
            &row.other,
            &row.kept_source,
            &row.other_source,
        ]
        .map(|text| Cell::from(text.as_str()))
        .to_vec()
    });
    Table {
        id: "off".into(),
        columns: [
            "off by more than 2 %, or told wrongly",
            "column",
            "kept",
            "outside, or told",
            "source of the kept",
            "source of the other",
        ]
        .map(String::from)
        .to_vec(),
        rows: rows.collect(),
        ..Table::default()
    }
}

/// What boards call checkpoints, by what became of it: joined by a rule, or left apart.
fn joins(report: &CheckReport) -> Table {
    let joins = &report.joins;
    let rule = |(rule, n): (&String, &usize)| {
        vec![Cell::from(format!("joined: {rule}")), (*n).into(), Cell::Missing]
    };
    let mut rows: Vec<Vec<Cell>> = joins.by_rule.iter().map(rule).collect();
    if joins.unknown > 0 {
        rows.push(vec![
            "no open checkpoint of that name".into(),
            joins.unknown.into(),
            Cell::Missing,
        ]);
    }
    rows.extend(joins.several.iter().map(|raw| {
        vec![
            "several fit, none taken".into(),
            1_usize.into(),
            raw.as_str().into(),
        ]
    }));
    rows.extend(joins.apart.iter().map(|ids| {
        vec![
            "alike, kept apart".into(),
            ids.len().into(),
            ids.join(", ").into(),
        ]
    }));
    Table {
        id: "joins".into(),
        columns: ["names of boards", "n", "which"].map(String::from).to_vec(),
        rows,
        ..Table::default()
    }
}

fn check_json(report: &CheckReport) -> serde_json::Value {
    let sources: Vec<serde_json::Value> = report
        .sources
        .iter()
        .map(|check| {
            serde_json::json!({
                "source": check.source.path, "rows_in": check.source.rows_in, "kept": check.source.kept,
                "rejected": check.source.rejected, "rejected_by_reason": check.source.rejected_by_reason,
                "adds_up": check.adds_up, "now": standing(check.standing),
            })
        })
        .collect();
    let tables: Vec<serde_json::Value> = report
        .tables
        .iter()
        .map(|check| {
            serde_json::json!({
                "table": check.table, "rows": check.rows, "sha256": check.sha256, "rebuilt": check.rebuilt,
                "now": standing(check.standing),
            })
        })
        .collect();
    let rules: Vec<serde_json::Value> = report
        .rules
        .iter()
        .map(|check| {
            serde_json::json!({
                "rule": check.rule, "says": check.says, "checked": check.checked, "broken": check.broken,
                "example": check.example,
            })
        })
        .collect();
    serde_json::json!({
        "catalog_sha256": report.catalog_sha256, "holds": report.holds(), "sources": sources, "tables": tables, "rules": rules,
        "accuracy": report.accuracy, "off": report.off, "joins": report.joins,
    })
}
