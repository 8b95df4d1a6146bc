//! The list of the study's parts: what each computes, from which rows, and which sections it yields.
//!
//! A part is an entry in [`PARTS`] and a function below that assembles its rows and calls the study; the choice of
//! sections, their order on the page and every list of their names derive from it. A function without an entry does not
//! compile.

#![deny(dead_code)]
#![allow(
    clippy::unnecessary_wraps,
    reason = "every part has one shape, those that cannot fail too"
)]

use std::path::Path;

use anyhow::Result;
use catalog::Catalog;
use indicatif::ProgressBar;
use study::abilities::{LISTED, Listed};
use study::board::Board;
use study::controlled::{self, Controlled};
use study::correlations::{self, Correlations};
use study::dimensions::{self, Dimensions, six_dimensions};
use study::leaderboard_v1::{self, LeaderboardV1};
use study::pooled::{self, Pooled};
use study::section::Section;
use study::statistics::GroupBootstrap;
use study::trends::{self, Trends};

use super::super::joined::Joined;
use super::super::probes::{ablation, cuts, tuning, witnesses};
use crate::probes::Probes;
use crate::{evidence, rows};

/// Inputs and settings common to all parts.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) catalog: &'a Catalog,
    /// Folder of the catalog; `None`: the compiled-in catalog.
    pub(crate) dir: Option<&'a Path>,
    /// Number of resamples for bootstrap intervals.
    pub(crate) resamples: usize,
    pub(crate) seed: u64,
    /// The board for trends and correlations; `None`: both Open LLM Leaderboards.
    pub(crate) board: Option<&'static Listed>,
    /// The user's own probe results, in addition to the shipped ones.
    pub(crate) probes: Option<&'a Probes>,
    /// Progress bar.
    pub(crate) bar: &'a ProgressBar,
}

/// A part of the study.
pub(super) struct StudyPart {
    /// Name for `--only`.
    pub(super) name: &'static str,
    /// Ids of the sections it yields.
    pub(super) sections: &'static [&'static str],
    /// Number of progress steps.
    pub(super) steps: u64,
    pub(super) run: fn(&Context<'_>, &Joined) -> Result<Vec<Section>>,
}

/// Every part but the ledger, which is made from the findings of all parts; in the order of the report.
pub(super) const PARTS: &[StudyPart] = &[
    StudyPart {
        name: "controlled",
        sections: &["controlled"],
        steps: 1,
        run: controlled,
    },
    StudyPart {
        name: "pooled",
        sections: &["pooled"],
        steps: 1,
        run: pooled,
    },
    StudyPart {
        name: "latent",
        sections: &["latent"],
        steps: 1,
        run: latent,
    },
    StudyPart {
        name: "dataset",
        sections: &["dataset"],
        steps: 1,
        run: dataset,
    },
    StudyPart {
        name: "trends",
        sections: &["trends", "progress"],
        steps: 1,
        run: trends,
    },
    StudyPart {
        name: "dimensions",
        sections: &[
            "scale",
            "efficiency",
            "merging",
            "popularity",
            "architecture",
            "chat_template",
        ],
        steps: 1,
        run: dimensions,
    },
    StudyPart {
        name: "correlations",
        sections: &["correlation"],
        steps: 1,
        run: correlations,
    },
    StudyPart {
        name: "boards",
        sections: &["boards"],
        steps: 1,
        run: boards,
    },
    StudyPart {
        name: "leaderboard_v1",
        sections: &["distribution", "size_bins", "regression"],
        steps: 18,
        run: structure_to_score,
    },
    StudyPart {
        name: "attribution",
        sections: &["methods", "attribution"],
        steps: evidence::STEPS,
        run: evidence,
    },
    StudyPart {
        name: "forecast",
        sections: &["forecast", "anchored"],
        steps: 1,
        run: forecast,
    },
    StudyPart {
        name: "weights",
        sections: &["weights"],
        steps: 1,
        run: weights,
    },
];

/// Number of permutations in a test, and of bootstrap draws for simultaneous intervals.
const SHUFFLES: usize = 2_000;

fn dataset(context: &Context<'_>, joined: &Joined) -> Result<Vec<Section>> {
    let mut section = rows::dataset_section(context.catalog);
    // Include the rows behind all other sections, so that readers can check them.
    section.tables.push(dimensions::rows_table(&joined.v2));
    section.tables.extend(joined.boards().iter().map(Board::table));
    section.tables.push(trends::rows_table(&joined.checkpoints));
    let (boards, counted) = study::dataset::boards(&rows::board_counts(context.catalog));
    section.tables.push(boards);
    section.findings.extend(counted);
    context.bar.inc(1);
    Ok(vec![section])
}

fn controlled(context: &Context<'_>, _: &Joined) -> Result<Vec<Section>> {
    let (runs, placebo) = (rows::runs(context.catalog), rows::placebo(context.catalog));
    let section = controlled::section(&Controlled {
        runs: &runs,
        placebo: &placebo,
        shuffles: SHUFFLES,
        seed: context.seed,
    });
    context.bar.inc(1);
    Ok(vec![section])
}

fn pooled(context: &Context<'_>, _: &Joined) -> Result<Vec<Section>> {
    let boards = rows::pooled(context.catalog);
    let section = pooled::section(&Pooled {
        boards: &boards,
        shuffles: SHUFFLES / 4,
        seed: context.seed,
    });
    context.bar.inc(1);
    Ok(vec![section])
}

fn latent(context: &Context<'_>, _: &Joined) -> Result<Vec<Section>> {
    let section = study::latent::section(&rows::latent(context.catalog), context.seed);
    context.bar.inc(1);
    // With too few checkpoints there is no common scale and no section.
    Ok(Some(section)
        .filter(|section| !section.findings.is_empty())
        .into_iter()
        .collect())
}

fn bootstrap(context: &Context<'_>) -> GroupBootstrap {
    GroupBootstrap {
        resamples: context.resamples,
        seed: context.seed,
    }
}

pub(super) fn trends(context: &Context<'_>, joined: &Joined) -> Result<Vec<Section>> {
    let sections = trends::sections(&Trends {
        checkpoints: &joined.checkpoints,
        boards: &joined.asked(context.catalog, context.board),
        bootstrap: bootstrap(context),
    });
    context.bar.inc(1);
    Ok(sections)
}

pub(super) fn dimensions(context: &Context<'_>, joined: &Joined) -> Result<Vec<Section>> {
    let sections = six_dimensions(&Dimensions {
        rows: &joined.v2,
        resamples: context.resamples,
        seed: context.seed,
    });
    context.bar.inc(1);
    Ok(sections)
}

pub(super) fn correlations(context: &Context<'_>, joined: &Joined) -> Result<Vec<Section>> {
    let section = correlations::section(&Correlations {
        boards: &joined.asked(context.catalog, context.board),
        bootstrap: bootstrap(context),
    });
    context.bar.inc(1);
    Ok(vec![section])
}

fn boards(context: &Context<'_>, joined: &Joined) -> Result<Vec<Section>> {
    let shapes = rows::Shapes::of(context.catalog);
    let mut all = joined.boards().to_vec();
    let later = LISTED.iter().skip(all.len());
    all.extend(later.map(|listed| rows::listed_board(context.catalog, &shapes, listed)));
    let section = study::boards::section(&all, bootstrap(context));
    context.bar.inc(1);
    Ok(vec![section])
}

pub(super) fn structure_to_score(context: &Context<'_>, joined: &Joined) -> Result<Vec<Section>> {
    let study = LeaderboardV1 {
        rows: &joined.v1,
        n_repeats: joined.n_repeats,
        resamples: context.resamples,
        seed: context.seed,
    };
    Ok(leaderboard_v1::sections(&study, &|_, _| context.bar.inc(1))?)
}

fn weights(context: &Context<'_>, _: &Joined) -> Result<Vec<Section>> {
    let probes = context.probes;
    let mut all = witnesses::shipped()?;
    all.extend(probes.map(witnesses::of).into_iter().flatten());
    let mut section = study::weights::section(&all);
    let ablations = witnesses::ablations(probes)?;
    study::cuts::add(&mut section, &cuts::of(&ablations));
    let cut = ablation::figure(&ablations, "weights-ablation");
    section.figures.extend(cut);
    tuning::add(&mut section, &witnesses::tunings(probes)?, "weights-tuning");
    context.bar.inc(1);
    Ok(vec![section])
}

fn evidence(context: &Context<'_>, _: &Joined) -> Result<Vec<Section>> {
    let settings = evidence::EvidenceSettings {
        dir: context.dir,
        resamples: context.resamples,
        seed: context.seed,
    };
    evidence::sections(context.catalog, settings, context.bar)
}

fn forecast(context: &Context<'_>, _: &Joined) -> Result<Vec<Section>> {
    let made = study::forecast::forecasts(rows::forecast_questions(context.catalog))?;
    context.bar.inc(1);
    let (resamples, seed) = (context.resamples, context.seed);
    Ok(vec![
        study::forecast::section(&made, resamples, seed),
        study::anchored::section(&rows::anchored(), resamples, seed),
    ])
}
