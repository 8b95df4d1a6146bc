//! `anatomy catalog`: build the tables, check them.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use study::section::{Cell, Table};

use crate::cli::{Format, Global};
use crate::{output, progress};

#[derive(Debug, Subcommand)]
pub(crate) enum CatalogCommand {
    /// Read the sources, clean and resolve them, write the tables as Parquet
    #[command(after_help = "\
Examples:
  anatomy catalog build --sources data --out my-catalog

Exit status: 0 done, 2 could not run")]
    Build(CatalogBuildArgs),
    /// Prove a catalog from its sources: same hashes, every row accounted for
    #[command(after_help = "\
Examples:
  anatomy catalog check                      counts of the compiled-in catalog
  anatomy catalog check --sources data       and whether it follows from these sources

Exit status: 0 all as it should be, 1 something differs, 2 could not run")]
    Check(CatalogCheckArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CatalogBuildArgs {
    /// Folder with the sources
    #[arg(long, value_name = "DIR")]
    pub(crate) sources: PathBuf,
    /// Folder the tables go to
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct CatalogCheckArgs {
    /// Folder with the sources to build from again
    #[arg(long, value_name = "DIR")]
    pub(crate) sources: Option<PathBuf>,
    /// Catalog to check [default: the one compiled in]
    #[arg(long, value_name = "DIR")]
    pub(crate) catalog: Option<PathBuf>,
}

pub(crate) fn run(global: &Global, command: &CatalogCommand) -> Result<ExitCode> {
    match command {
        CatalogCommand::Build(args) => build(global, args),
        CatalogCommand::Check(_) => anyhow::bail!("not yet"),
    }
}

fn build(global: &Global, args: &CatalogBuildArgs) -> Result<ExitCode> {
    let bar = progress::bar(global.quiet, 0, "building");
    let manifest = ::catalog::build(&args.sources, &args.out, &mut |_| bar.inc(1))?;
    bar.finish_and_clear();
    let table = sources_table(&manifest);
    match global.format {
        Format::Json => output::result(&(serde_json::to_string_pretty(&manifest)? + "\n"))?,
        Format::Csv => output::result(std::str::from_utf8(&output::csv(&table)?).context("CSV is UTF-8")?)?,
        Format::Table => output::result(&output::table(&table))?,
    }
    output::say(
        global.quiet,
        &format!(
            "Written: {} ({} tables, catalog {})",
            args.out.display(),
            manifest.tables.len(),
            &manifest.catalog_sha256[..16]
        ),
    );
    Ok(ExitCode::SUCCESS)
}

/// Rows of each source and what became of them.
fn sources_table(manifest: &::catalog::tables::Manifest) -> Table {
    Table {
        id: "sources".into(),
        columns: [
            "source",
            "rows read",
            "kept",
            "left out",
            "repeats",
            "left out because",
        ]
        .map(String::from)
        .to_vec(),
        rows: manifest
            .sources
            .iter()
            .map(|source| {
                let reasons: Vec<String> = source
                    .rejected_by_reason
                    .iter()
                    .map(|(reason, count)| format!("{reason} {count}"))
                    .collect();
                vec![
                    Cell::from(source.path.as_str()),
                    (source.rows_in as usize).into(),
                    (source.kept as usize).into(),
                    (source.rejected as usize).into(),
                    (source.duplicates as usize).into(),
                    reasons.join(", ").into(),
                ]
            })
            .collect(),
        ..Table::default()
    }
}
