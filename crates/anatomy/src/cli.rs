//! The command line: what can be asked, and its help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Which part of a language model's structure buys which ability?
#[derive(Debug, Parser)]
#[command(name = "anatomy", version, propagate_version = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  anatomy report                                    the whole study into anatomy-report/
  anatomy report --format json | jq '.findings[0]'
  anatomy catalog build --sources DIR --out DIR     tables from the sources
  anatomy catalog check --sources DIR               do the tables follow from the sources?

Exit status: 0 done, 1 ran and the answer is no, 2 could not run";

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Form of the results on standard output
    #[arg(long, global = true, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
    /// Seed of everything random; the same seed gives the same bits
    #[arg(long, global = true, default_value_t = 42, value_name = "NUM")]
    pub(crate) seed: u64,
    /// Threads; 0 takes all cores. The results do not depend on it
    #[arg(long, global = true, default_value_t = 0, value_name = "NUM")]
    pub(crate) threads: usize,
    /// No progress and no summary, only results and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

/// Form of the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// For programs
    Json,
    /// For spreadsheets
    Csv,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the whole study: report.html, findings.json, figures/ and tables/
    Report(ReportArgs),
    /// Build, check and describe the catalog of structures and scores
    #[command(subcommand)]
    Catalog(CatalogCommand),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy report
  anatomy report --out /tmp/study --seed 7
  anatomy report --catalog my-catalog --format json > findings.json

Exit status: 0 done, 2 could not run")]
pub(crate) struct ReportArgs {
    /// Folder the report goes to
    #[arg(long, default_value = "anatomy-report", value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Catalog made by `anatomy catalog build` [default: the one compiled in]
    #[arg(long, value_name = "DIR")]
    pub(crate) catalog: Option<PathBuf>,
    /// Resamples of each bootstrap interval
    #[arg(long, default_value_t = 1000, value_name = "NUM", value_parser = clap::value_parser!(u32).range(100..=100_000))]
    pub(crate) resamples: u32,
}

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
