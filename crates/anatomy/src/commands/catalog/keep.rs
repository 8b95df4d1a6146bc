//! `anatomy catalog keep`: work out once what answers begin with.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, bail};
use clap::Args;

use crate::answers::Predictor;
use crate::answers::keeping::made;
use crate::global::{Format, Global};
use crate::kept::{self, KeptStudy};
use crate::provenance::Provenance;
use crate::report::{self, Context, PartChoice};
use crate::{output, progress};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy catalog keep --catalog my-catalog            `predict`, `recommend` and `serve` on it then answer at once
  anatomy catalog keep --out crates/anatomy/kept       renews what comes along with the compiled-in catalog
  anatomy catalog keep --fits --catalog my-catalog     the fits alone, without the study

What is kept names the catalog and the seed it is of: after a rebuild, or with another --seed, all is made anew.
Exit status: 0 done, 2 could not run")]
pub(crate) struct KeepArgs {
    /// Catalog made by `anatomy catalog build` [default: the one compiled in]
    #[arg(long, value_name = "DIR")]
    catalog: Option<PathBuf>,
    /// Folder to write to [default: `kept` in the catalog's folder]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Only the fits behind predictions, not the study
    #[arg(long)]
    fits: bool,
    /// Resamples of each bootstrap interval of the study
    #[arg(long, default_value_t = 1000, value_name = "NUM", value_parser = clap::value_parser!(u32).range(100..=100_000))]
    resamples: u32,
}

pub(super) fn run(global: &Global, args: &KeepArgs) -> Result<ExitCode> {
    let out = match (&args.out, &args.catalog) {
        (Some(out), _) => out.clone(),
        (None, Some(catalog)) => kept::folder(catalog),
        (None, None) => {
            bail!("no folder to write to: give --catalog DIR, or --out DIR for the compiled-in catalog")
        }
    };
    let catalog = Arc::new(crate::commands::open_catalog(args.catalog.as_deref())?);
    let choice = PartChoice::all();
    let bar = progress::bar(
        global.quiet,
        if args.fits { 1 } else { choice.steps() + 1 },
        "fitting",
    );
    let fits = made(&Predictor::new(Arc::clone(&catalog), global.seed, None))?;
    bar.inc(1);
    let study = if args.fits {
        None
    } else {
        let context = Context {
            catalog: &catalog,
            dir: args.catalog.as_deref(),
            resamples: args.resamples as usize,
            seed: global.seed,
            board: None,
            probes: None,
            bar: &bar,
        };
        let study = report::study(&context, &choice, None)?;
        let how = (global.seed, args.resamples as usize);
        Some(KeptStudy::of(&catalog, how, study.headlines, study.sections))
    };
    bar.finish_and_clear();
    kept::write(&out, &fits, study.as_ref())?;
    let (n_fits, n_places) = fits.counts();
    let n_sections = study.as_ref().map_or(0, |study| study.sections.len());
    if global.format() == Format::Json {
        output::json(
            "kept",
            &serde_json::json!({ "folder": out, "fits": n_fits, "predictions": n_places, "sections": n_sections }),
            Provenance::of(&catalog.manifest.catalog_sha256, global.seed),
        )?;
    }
    output::say(
        global.quiet,
        &format!(
            "Kept: {} ({n_fits} fits, {n_places} predictions, {n_sections} sections of the study)",
            out.display()
        ),
    );
    Ok(ExitCode::SUCCESS)
}
