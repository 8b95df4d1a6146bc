//! One file a command: arguments in, results out.

pub(crate) mod asked;
pub(crate) mod catalog;
pub(crate) mod cluster;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod hub;
pub(crate) mod man;
pub(crate) mod predict;
pub(crate) mod probe;
pub(crate) mod query;
pub(crate) mod recommend;
pub(crate) mod report;
pub(crate) mod serve;
pub(crate) mod study;
mod study_rows;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::cli::{Asked, Cli, Command};

/// Runs what was asked for, on as many threads as wished.
pub(crate) fn run(cli: &Cli) -> Result<ExitCode> {
    let has = match (&cli.command, cli.global.asked) {
        (Command::Query(_), asked) => asked != Asked::Huggingface,
        (Command::Catalog(catalog::CatalogCommand::Export(_)), _) => true,
        (_, asked) => !matches!(asked, Asked::Parquet | Asked::Huggingface),
    };
    if !has {
        bail!(
            "this command gives table, json or csv; `query` gives parquet too, `catalog export` parquet and huggingface"
        );
    }
    rayon::ThreadPoolBuilder::new()
        .num_threads(cli.global.threads)
        .build_global()
        .context("cannot start the threads")?;
    match &cli.command {
        Command::Report(args) => report::run(&cli.global, args),
        Command::Catalog(command) => catalog::run(&cli.global, command),
        Command::Hub(command) => hub::run(&cli.global, command),
        Command::Study(command) => study::run(&cli.global, command),
        Command::Probe(command) => probe::run(&cli.global, command),
        Command::Predict(args) => predict::run(&cli.global, args),
        Command::Recommend(args) => recommend::run(&cli.global, args),
        Command::Compare(args) => compare::run(&cli.global, args),
        Command::Cluster(command) => cluster::run(&cli.global, command),
        Command::Query(args) => query::run(&cli.global, args),
        Command::Serve(args) => serve::run(&cli.global, args),
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => man::run(&cli.global, args),
    }
}

/// The catalog in a folder, or the compiled-in one.
fn open_catalog(folder: Option<&Path>) -> Result<::catalog::Catalog> {
    match folder {
        Some(folder) => ::catalog::Catalog::open(folder)
            .with_context(|| format!("cannot read the catalog {}", folder.display())),
        None => ::catalog::Catalog::snapshot().context("cannot read the compiled-in catalog"),
    }
}
