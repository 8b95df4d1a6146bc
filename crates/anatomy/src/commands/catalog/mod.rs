//! `anatomy catalog`: build the tables, check, describe and export them.

mod build;
mod check;
mod describe;
mod export;
mod import_items;
mod keep;
mod sources;

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use crate::global::Global;

#[derive(Debug, Subcommand)]
pub(crate) enum CatalogCommand {
    /// Read the sources, clean and resolve them, write the tables as Parquet
    Build(build::BuildArgs),
    /// Import one results file of a known format as a catalog of its own
    Import(build::CatalogImportArgs),
    /// Append item-level answers to a table partitioned by benchmark
    ImportItems(import_items::ImportItemsArgs),
    /// Verify a catalog against its sources: same hashes, every row accounted for
    Check(check::CheckArgs),
    /// Compute in advance the fits behind predictions, and the study, so that answers start at once
    Keep(keep::KeepArgs),
    /// Sources of the tables with their licences
    Sources(sources::SourcesArgs),
    /// The structure columns in numbers, and every table's columns with units
    Describe(describe::DescribeArgs),
    /// Write the tables to a folder as Parquet, CSV, JSON, or a dataset that the Hugging Face Hub shows
    Export(export::ExportArgs),
}

/// Leaves no folder behind that was only in the making, when this program is asked to end.
pub(super) fn leave_nothing_half_made() {
    // Another program hears its own signals.
    if !crate::progress::is_watched() {
        crate::signals::remove_when_interrupted(catalog::making::folders);
    }
}

pub(crate) fn run(global: &Global, command: &CatalogCommand) -> Result<ExitCode> {
    leave_nothing_half_made();
    match command {
        CatalogCommand::Build(args) => build::build(global, args),
        CatalogCommand::Import(args) => build::import(global, args),
        CatalogCommand::ImportItems(args) => import_items::run(global, args),
        CatalogCommand::Check(args) => check::run(global, args),
        CatalogCommand::Keep(args) => keep::run(global, args),
        CatalogCommand::Sources(args) => sources::run(global, args),
        CatalogCommand::Describe(args) => describe::run(global, args),
        CatalogCommand::Export(args) => export::run(global, args),
    }
}

/// Why rows of a source were left out, and how many.
fn reasons(source: &catalog::tables::Source) -> String {
    let each = source.rejected_by_reason.iter();
    let each: Vec<String> = each.map(|(reason, count)| format!("{reason} {count}")).collect();
    each.join(", ")
}
