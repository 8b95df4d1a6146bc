//! `anatomy catalog sources`: whom the tables come from, under which licence.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use catalog::credits::{Credit, credits, of_answers};
use clap::Args;
use study::section::{Cell, Table};

use crate::global::{Format, Global};
use crate::output;
use crate::provenance::Provenance;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy catalog sources
  anatomy catalog sources --format json | jq '.sources[] | select(.license == null)'

One row an address and licence; `anatomy catalog check` lists every file with its rows.
Exit status: 0 done, 2 could not run")]
pub(crate) struct SourcesArgs {
    /// Catalog made by `anatomy catalog build` [default: the one compiled in]
    #[arg(long, value_name = "DIR")]
    catalog: Option<PathBuf>,
}

pub(super) fn run(global: &Global, args: &SourcesArgs) -> Result<ExitCode> {
    let catalog = crate::commands::open_catalog(args.catalog.as_deref())?;
    let mut all = credits(&catalog.manifest);
    all.push(of_answers());
    match global.format() {
        Format::Json => output::json(
            "sources",
            &serde_json::json!({ "sources": all }),
            Provenance::of_catalog(&catalog.manifest.catalog_sha256),
        )?,
        Format::Csv => output::result_bytes(&output::csv(&table(&all))?)?,
        Format::Table => output::result(&output::table(&table(&all)))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn table(all: &[Credit]) -> Table {
    let row = |credit: &Credit| {
        vec![
            Cell::from(credit.kinds.join(", ")),
            credit.license.as_deref().unwrap_or("none").into(),
            credit.attribution.clone().map_or(Cell::Missing, Cell::from),
            credit.files.into(),
            (credit.kept as usize).into(),
            credit.address.as_str().into(),
            credit.revisions.join(", ").into(),
        ]
    };
    Table {
        id: "sources".into(),
        columns: [
            "what",
            "licence",
            "to be named",
            "files",
            "rows kept",
            "published at",
            "revision",
        ]
        .map(String::from)
        .to_vec(),
        rows: all.iter().map(row).collect(),
        ..Table::default()
    }
}
