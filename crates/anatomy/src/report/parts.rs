//! The parts of the study: what each computes, from which rows, and which sections it gives.

#![allow(
    clippy::unnecessary_wraps,
    reason = "every part has one shape, those that cannot fail too"
)]

use std::path::Path;

use anyhow::{Result, bail};
use catalog::Catalog;
use indicatif::ProgressBar;
use study::abilities::{LISTED, Listed};
use study::board::Board;
use study::controlled::{self, Controlled};
use study::correlations::{self, Correlations};
use study::dimensions::{self, Dimensions, six_dimensions};
use study::finding::Finding;
use study::leaderboard_v1::{self, LeaderboardV1};
use study::pooled::{self, Pooled};
use study::section::Section;
use study::statistics::GroupBootstrap;
use study::trends::{self, Trends};

use super::joined::Joined;
use super::probes::{ablation, cuts, tuning, witnesses};
use crate::probes::Probes;
use crate::{evidence, narrow, rows, stated};

/// What every part is computed from.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) catalog: &'a Catalog,
    /// Folder of the catalog where it is not the one compiled in.
    pub(crate) dir: Option<&'a Path>,
    /// Resamples of each bootstrap interval.
    pub(crate) resamples: usize,
    pub(crate) seed: u64,
    /// The board that trends and correlations are asked of; where none, the two Open LLM Leaderboards.
    pub(crate) board: Option<&'static Listed>,
    /// Results of probes that were handed over, beside those that come along.
    pub(crate) probes: Option<&'a Probes>,
    /// Moves with the work.
    pub(crate) bar: &'a ProgressBar,
}

/// One part.
struct Part {
    /// What `--only` calls it.
    name: &'static str,
    /// Ids of its sections.
    sections: &'static [&'static str],
    /// Steps of the progress bar.
    steps: u64,
    run: fn(&Context<'_>, &Joined) -> Result<Vec<Section>>,
}

/// Every part but the ledger, which is made of the findings of all of them; in the order of the report.
const PARTS: [Part; 12] = [
    Part {
        name: "controlled",
        sections: &["controlled"],
        steps: 1,
        run: controlled,
    },
    Part {
        name: "pooled",
        sections: &["pooled"],
        steps: 1,
        run: pooled,
    },
    Part {
        name: "latent",
        sections: &["latent"],
        steps: 1,
        run: latent,
    },
    Part {
        name: "dataset",
        sections: &["dataset"],
        steps: 1,
        run: dataset,
    },
    Part {
        name: "trends",
        sections: &["trends", "progress"],
        steps: 1,
        run: trends,
    },
    Part {
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
    Part {
        name: "correlations",
        sections: &["correlation"],
        steps: 1,
        run: correlations,
    },
    Part {
        name: "boards",
        sections: &["boards"],
        steps: 1,
        run: boards,
    },
    Part {
        name: "leaderboard_v1",
        sections: &["distribution", "size_bins", "regression"],
        steps: 18,
        run: structure_to_score,
    },
    Part {
        name: "attribution",
        sections: &["methods", "attribution"],
        steps: evidence::STEPS,
        run: evidence,
    },
    Part {
        name: "forecast",
        sections: &["forecast", "anchored"],
        steps: 1,
        run: forecast,
    },
    Part {
        name: "weights",
        sections: &["weights"],
        steps: 1,
        run: weights,
    },
];

/// Shuffles of a permutation test, and draws of a simultaneous interval.
const SHUFFLES: usize = 2_000;

/// The ledger's id.
const CLAIMS: &str = "claims";
/// The id of what is made twice.
const CERTAIN: &str = "certain";
/// The parts whose findings are made twice.
const TWICE: [&str; 5] = [
    "trends",
    "dimensions",
    "correlations",
    "leaderboard_v1",
    "attribution",
];

/// The section that puts what is observed, controlled and cut side by side, and the parts it is made of.
const ANSWER: &str = "answer";
/// See [`ANSWER`].
const OF_ANSWER: [&str; 3] = ["controlled", "pooled", "weights"];

/// Which sections are asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct PartChoice(Option<Vec<String>>);

impl PartChoice {
    /// All of them.
    pub(crate) fn all() -> Self {
        Self(None)
    }

    /// Sections and whole parts by name, separated by commas.
    pub(crate) fn of(names: &str) -> Result<Self> {
        let mut chosen = Vec::new();
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match PARTS.iter().find(|part| part.name == name) {
                Some(part) => chosen.extend(part.sections.iter().map(ToString::to_string)),
                None if known().any(|known| known == name) => chosen.push(name.to_owned()),
                None => {
                    let all: Vec<&str> = known().collect();
                    let parts: Vec<&str> = PARTS.iter().map(|part| part.name).collect();
                    bail!(
                        "no section named `{name}`{}; there are {}, and together {}",
                        crate::near::hint(name, all.iter().chain(&parts).copied()),
                        all.join(", "),
                        parts.join(", ")
                    )
                }
            }
        }
        Ok(Self(Some(chosen)))
    }

    fn has(&self, section: &str) -> bool {
        self.0
            .as_ref()
            .is_none_or(|chosen| chosen.iter().any(|name| name == section))
    }

    /// The ledger is judged on the findings of every part.
    fn needs(&self, part: &Part) -> bool {
        self.has(CLAIMS)
            || self.has(CERTAIN) && TWICE.contains(&part.name)
            || self.has(ANSWER) && OF_ANSWER.contains(&part.name)
            || part.sections.iter().any(|section| self.has(section))
    }

    /// What the ledger costs where it is asked for among others: it is judged on every part, shown or not. None where all are
    /// shown, or it is not asked for.
    pub(crate) fn beside_the_ledger(&self) -> Option<String> {
        let chosen = self.0.as_ref()?;
        let hidden: Vec<&str> = PARTS
            .iter()
            .flat_map(|part| part.sections.iter().copied())
            .filter(|section| !self.has(section))
            .collect();
        let is_asked = chosen.iter().any(|name| name == CLAIMS);
        is_asked.then(|| super::rests_on::beside(&hidden)).flatten()
    }

    /// Steps of the progress bar: the parts needed, and drawing.
    pub(crate) fn steps(&self) -> u64 {
        let of_parts: u64 = PARTS
            .iter()
            .filter(|part| self.needs(part))
            .map(|part| part.steps)
            .sum();
        of_parts + 1
    }
}

fn known() -> impl Iterator<Item = &'static str> {
    [ANSWER]
        .into_iter()
        .chain(PARTS.iter().flat_map(|part| part.sections.iter().copied()))
        .chain([CERTAIN, CLAIMS])
}

/// Whether a report of everything has a section of that id.
pub(crate) fn is_section(id: &str) -> bool {
    known().any(|name| name == id)
}

/// The part that gives a section.
pub(crate) fn part_of(section: &str) -> Option<&'static str> {
    let part = PARTS.iter().find(|part| part.sections.contains(&section))?;
    Some(part.name)
}

/// The sections chosen, in the order of the report: the answer first, then the ledger, for it sums up the rest.
pub(crate) fn sections(context: &Context<'_>, choice: &PartChoice) -> Result<Vec<Section>> {
    let joined = Joined::of(context.catalog);
    let mut sections = Vec::new();
    let mut without: Option<&str> = None;
    let mut lacking: Vec<(&str, &[&str])> = Vec::new();
    for part in PARTS.iter().filter(|part| choice.needs(part)) {
        crate::progress::go_on()?;
        if let Some(board) = joined.lacks(part.name) {
            without = Some(board);
            lacking.push((board, part.sections));
            context.bar.inc(part.steps);
            continue;
        }
        context.bar.set_message(part.name);
        let given = (part.run)(context, &joined)?;
        if let Some(section) = given
            .iter()
            .find(|section| !part.sections.contains(&section.id.as_str()))
        {
            bail!(
                "the part {} gives a section `{}` that PARTS does not name: it would be left out of every report",
                part.name,
                section.id
            );
        }
        sections.extend(given);
    }
    if choice.has(CERTAIN)
        && let Some(certain) = certain(context, &sections)?
    {
        sections.push(certain);
    }
    if choice.has(ANSWER) {
        let findings = sections.iter().flat_map(|section| &section.findings);
        let answer = study::answer::section(findings);
        sections.insert(0, answer);
    }
    if choice.has(CLAIMS) {
        add_ledger(&mut sections, context.seed)?;
        if let Some(ledger) = sections.iter_mut().find(|section| section.id == CLAIMS) {
            let notes = [choice.beside_the_ledger(), super::rests_on::without(&lacking)];
            ledger.text.extend(
                notes
                    .into_iter()
                    .flatten()
                    .map(|note| super::rests_on::sentence(&note)),
            );
        }
    }
    sections.retain(|section| choice.has(&section.id));
    if let (true, Some(board)) = (sections.is_empty(), without) {
        bail!(
            "nothing to report: no evaluation of {board} is left, and the chosen sections are made of them"
        );
    }
    Ok(sections)
}

/// What is said of depth, width and size, again on structures known for certain; none where there are none, or where no other
/// is known.
fn certain(context: &Context<'_>, sections: &[Section]) -> Result<Option<Section>> {
    let catalog = context.catalog;
    let kept = narrow::evaluations(catalog, context.dir, narrow::CERTAIN)?;
    if kept.is_empty() {
        return Ok(None);
    }
    context.bar.set_message("structures known for certain");
    let narrowed = narrow::narrowed(catalog, context.dir, narrow::CERTAIN)?;
    let joined = Joined::of(&narrowed);
    let quiet = ProgressBar::hidden();
    let context = Context {
        catalog: &narrowed,
        bar: &quiet,
        ..*context
    };
    let mut again = trends(&context, &joined)?;
    again.extend(dimensions(&context, &joined)?);
    again.extend(correlations(&context, &joined)?);
    again.extend(structure_to_score(&context, &joined)?);
    let settings = evidence::EvidenceSettings {
        dir: context.dir,
        resamples: context.resamples,
        seed: context.seed,
    };
    again.push(evidence::core(&narrowed, settings)?);
    Ok(Some(study::certain::section(
        &findings(sections),
        &findings(&again),
        narrowed.evaluations.len(),
        catalog.evaluations.len(),
    )))
}

fn findings(sections: &[Section]) -> Vec<&Finding> {
    sections.iter().flat_map(|section| &section.findings).collect()
}

/// Judges the claims on the findings of these sections and puts the ledger where it is read: before the sections it sums
/// up, after the answer.
pub(crate) fn add_ledger(sections: &mut Vec<Section>, seed: u64) -> Result<()> {
    let findings = || sections.iter().flat_map(|section| &section.findings);
    let mut ledger = study::claims::section(findings());
    let later = stated::judged(&study::claims::Findings::new(findings()), seed)?;
    stated::into_ledger(&mut ledger, &later);
    let at = usize::from(sections.first().is_some_and(|section| section.id == ANSWER));
    sections.insert(at, ledger);
    Ok(())
}

fn dataset(context: &Context<'_>, joined: &Joined) -> Result<Vec<Section>> {
    let mut section = rows::dataset_section(context.catalog);
    // The rows that all other sections are computed from: whoever has these tables can check them.
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
    // Too few checkpoints stand on no scale.
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

fn trends(context: &Context<'_>, joined: &Joined) -> Result<Vec<Section>> {
    let sections = trends::sections(&Trends {
        checkpoints: &joined.checkpoints,
        boards: &joined.asked(context.catalog, context.board),
        bootstrap: bootstrap(context),
    });
    context.bar.inc(1);
    Ok(sections)
}

fn dimensions(context: &Context<'_>, joined: &Joined) -> Result<Vec<Section>> {
    let sections = six_dimensions(&Dimensions {
        rows: &joined.v2,
        resamples: context.resamples,
        seed: context.seed,
    });
    context.bar.inc(1);
    Ok(sections)
}

fn correlations(context: &Context<'_>, joined: &Joined) -> Result<Vec<Section>> {
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

fn structure_to_score(context: &Context<'_>, joined: &Joined) -> Result<Vec<Section>> {
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
