//! The rows that sections of the study are computed on, and how sure their intervals are.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use indicatif::ProgressBar;
use study::abilities::Listed;

use crate::global::Global;
use crate::kept::{self, KeptStudy};
use crate::narrow::narrowed;
use crate::output;
use crate::probes::Probes;
use crate::progress;
use crate::report::{self, About, Context, PartChoice, Study};

/// Catalog, condition, resamples.
#[derive(Debug, Args)]
pub(crate) struct StudyRows {
    /// Catalog made by `anatomy catalog build` [default: the one compiled in]
    #[arg(long, value_name = "DIR")]
    catalog: Option<PathBuf>,
    /// Only evaluations that match this SQL condition over `observations`; published figures are then shown only beside the
    /// claims
    #[arg(long = "where", value_name = "SQL")]
    filter: Option<String>,
    /// Resamples of each bootstrap interval
    #[arg(long, default_value_t = 1000, value_name = "NUM", value_parser = clap::value_parser!(u32).range(100..=100_000))]
    resamples: u32,
}

impl StudyRows {
    /// The condition of `--where`.
    pub(crate) fn condition(&self) -> Option<&str> {
        self.filter.as_deref()
    }

    /// What is kept of the whole study of all rows, where it is the one asked for.
    pub(crate) fn kept(&self, global: &Global) -> Result<Option<KeptStudy>> {
        if self.filter.is_some() {
            return Ok(None);
        }
        let dir = self.catalog.as_deref();
        let hash = super::catalog_hash(dir)?;
        let kept = kept::study(dir);
        Ok(kept.filter(|kept| kept.is_of(&hash, global.seed, self.resamples as usize)))
    }

    /// As [`Self::study`]; the whole study of all rows from what is kept of it, where that is there.
    pub(crate) fn kept_or_made(
        &self,
        global: &Global,
        choice: &PartChoice,
    ) -> Result<(Study, String, ProgressBar)> {
        if let Some(kept) = self.kept(global)? {
            output::say(
                global.quiet,
                "From the study that is kept; `anatomy report` computes it anew.",
            );
            let study = Study {
                sections: kept.sections,
                headlines: kept.headlines,
                about: About::study(None),
            };
            return Ok((study, kept.catalog_sha256, ProgressBar::hidden()));
        }
        self.study(global, choice, None, None)
    }

    /// The chosen sections, the identity of the catalog, and the bar that showed the way. Claims on weights are judged on
    /// `probes`
    /// beside the results that come along; trends and correlations are asked of `board`, where one is named.
    pub(crate) fn study(
        &self,
        global: &Global,
        choice: &PartChoice,
        probes: Option<&Probes>,
        board: Option<&'static Listed>,
    ) -> Result<(Study, String, ProgressBar)> {
        let dir = self.catalog.as_deref();
        let mut catalog = super::open_catalog(dir)?;
        if let Some(condition) = &self.filter {
            catalog = narrowed(&catalog, dir, condition)?;
        }
        let bar = progress::bar(global.quiet, choice.steps(), "reading the catalog");
        let context = Context {
            catalog: &catalog,
            dir,
            resamples: self.resamples as usize,
            seed: global.seed,
            board,
            probes,
            bar: &bar,
        };
        let study = report::study(&context, choice, self.filter.as_deref())?;
        Ok((study, catalog.manifest.catalog_sha256, bar))
    }
}
