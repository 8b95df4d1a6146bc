//! `anatomy catalog build` and `import`: sources to tables.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use catalog::tables::Manifest;
use catalog::{Catalog, Root};
use clap::Args;
use study::section::{Cell, Table};

use crate::global::{Format, Global};
use crate::provenance::Provenance;
use crate::{output, progress};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy catalog build --sources data --out my-catalog
  anatomy catalog build --sources data --hub my-hub --out my-catalog
  anatomy catalog build --base builtin --hub my-hub --out my-catalog      a refresh that loses no board
  anatomy catalog build --sources data --licensed-only --out my-catalog
  anatomy report --catalog my-catalog

Exit status: 0 done, 2 could not run")]
pub(crate) struct BuildArgs {
    /// Folder with the sources
    #[arg(long, value_name = "DIR", required_unless_present = "hub")]
    sources: Option<PathBuf>,
    /// Folder of a crawl (`anatomy hub crawl`) to merge with the sources
    #[arg(long, value_name = "DIR")]
    hub: Option<PathBuf>,
    /// Catalog to update: `builtin`, or a folder. Its boards and checkpoints are kept where the new sources say nothing
    #[arg(long, value_name = "CATALOG")]
    base: Option<PathBuf>,
    /// Leave out every source without a known licence (`anatomy catalog sources` lists them)
    #[arg(long)]
    licensed_only: bool,
    /// Folder to write the tables to
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy catalog import model_info.csv --out my-catalog
  anatomy catalog import results_2025-01-01.json --out mine

Dialects: the two Open LLM Leaderboards, BigCodeBench, LongBench v2, LLM-Perf, EvalPlus, model_info.csv, config.json,
Hub listings, lm-evaluation-harness results and samples, Community Evals, EuroEval, Swallow, Proteus, Epoch AI.
Exit status: 0 done, 2 could not run, or no known dialect")]
pub(crate) struct CatalogImportArgs {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Folder to write the tables to
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) fn build(global: &Global, args: &BuildArgs) -> Result<ExitCode> {
    let bar = progress::bar(global.quiet, 0, "building");
    let crawled = args.hub.as_ref().map(|hub| hub.join("sources"));
    let own = args.sources.as_deref().map(|path| Root { path, name: "" });
    let crawled = crawled.as_deref().map(|path| Root { path, name: "hub" });
    let roots: Vec<Root<'_>> = own.into_iter().chain(crawled).collect();
    let tell = &mut |_| bar.inc(1);
    let manifest = match &args.base {
        Some(base) => {
            let base = (base.as_os_str() != "builtin").then_some(base.as_path());
            catalog::build_upon(base, &roots, args.licensed_only, &args.out, tell)?
        }
        None => catalog::build_from(&roots, args.licensed_only, &args.out, tell)?,
    };
    bar.finish_and_clear();
    let upon = args
        .base
        .as_deref()
        .map(|base| Upon::of(base, &args.out))
        .transpose()?;
    say(global, &manifest, &args.out, upon.as_ref())
}

/// What a refresh changed.
struct Upon {
    /// Files of the base, which the table leaves out.
    files: BTreeSet<String>,
    words: String,
}

impl Upon {
    fn of(base: &Path, out: &Path) -> Result<Self> {
        let old = if base.as_os_str() == "builtin" {
            Catalog::snapshot()?
        } else {
            Catalog::open(base)?
        };
        let new = Catalog::open(out)?;
        let known: BTreeMap<&str, _> = old.checkpoints.iter().map(|row| (row.id.as_str(), row)).collect();
        let of = |is: &dyn Fn(&catalog::tables::Checkpoint) -> bool| {
            new.checkpoints.iter().filter(|row| is(row)).count()
        };
        let added = of(&|row| !known.contains_key(row.id.as_str()));
        let changed = of(&|row| known.get(row.id.as_str()).is_some_and(|old| *old != row));
        let scores = match new.scores.len().checked_sub(old.scores.len()) {
            Some(0) => format!("{} as before", output::plural(new.scores.len(), "score")),
            Some(more) => format!("{} more", output::plural(more, "score")),
            None => format!(
                "{} fewer",
                output::plural(old.scores.len() - new.scores.len(), "score")
            ),
        };
        Ok(Self {
            files: old
                .manifest
                .sources
                .iter()
                .map(|source| source.path.clone())
                .collect(),
            words: format!(
                "Upon {}: {} added and {} changed, {scores}",
                base.display(),
                output::plural(added, "checkpoint"),
                changed
            ),
        })
    }
}

pub(super) fn import(global: &Global, args: &CatalogImportArgs) -> Result<ExitCode> {
    let bar = progress::bar(global.quiet, 0, "importing");
    let manifest = catalog::import(&args.file, &args.out, &mut |_| bar.inc(1))?;
    bar.finish_and_clear();
    say(global, &manifest, &args.out, None)
}

fn say(global: &Global, manifest: &Manifest, out: &Path, upon: Option<&Upon>) -> Result<ExitCode> {
    let table = sources_table(manifest);
    match global.format() {
        Format::Json => output::json(
            "catalog",
            &serde_json::json!({ "manifest": manifest }),
            Provenance::of_catalog(&manifest.catalog_sha256),
        )?,
        Format::Csv => output::result(std::str::from_utf8(&output::csv(&table)?).context("CSV is UTF-8")?)?,
        Format::Table => {
            let mut shown = table;
            if let Some(upon) = upon {
                shown.rows.retain(
                    |row| !matches!(row.first(), Some(Cell::Text(file)) if upon.files.contains(file)),
                );
            }
            output::result(&output::table(&shown))?;
        }
    }
    if let Some(upon) = upon {
        output::say(global.quiet, &upon.words);
    }
    output::say(
        global.quiet,
        &format!(
            "Written: {} ({} tables, catalog {})",
            out.display(),
            manifest.tables.len(),
            &manifest.catalog_sha256[..16]
        ),
    );
    Ok(ExitCode::SUCCESS)
}

/// Rows of each source and what became of them.
fn sources_table(manifest: &Manifest) -> Table {
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
                vec![
                    Cell::from(source.path.as_str()),
                    (source.rows_in as usize).into(),
                    (source.kept as usize).into(),
                    (source.rejected as usize).into(),
                    (source.duplicates as usize).into(),
                    super::reasons(source).into(),
                ]
            })
            .collect(),
        ..Table::default()
    }
}
