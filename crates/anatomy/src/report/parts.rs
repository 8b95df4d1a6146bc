//! Computes the chosen sections of the study, and those that summarise others: `certain`, `answer` and the ledger.

mod list;

use anyhow::{Result, bail};
use indicatif::ProgressBar;
use study::finding::Finding;
use study::section::Section;

pub(crate) use list::Context;
use list::{PARTS, StudyPart, correlations, dimensions, structure_to_score, trends};

use super::joined::Joined;
use crate::{evidence, narrow, stated};

/// Id of the ledger.
const CLAIMS: &str = "claims";
/// Id of the section that repeats findings on certainly known structures.
const CERTAIN: &str = "certain";
/// Parts that are computed a second time for that section.
const TWICE: [&str; 5] = [
    "trends",
    "dimensions",
    "correlations",
    "leaderboard_v1",
    "attribution",
];

/// Id of the section on observational, controlled and pruning evidence together; [`OF_ANSWER`] are the parts it needs.
const ANSWER: &str = "answer";
/// Parts whose findings [`ANSWER`] uses.
const OF_ANSWER: [&str; 3] = ["controlled", "pooled", "weights"];

/// The sections to compute; `None` inside stands for all.
#[derive(Debug, Clone, Default)]
pub(crate) struct PartChoice(Option<Vec<String>>);

impl PartChoice {
    /// All of them.
    pub(crate) fn all() -> Self {
        Self(None)
    }

    /// Parses a comma-separated list of sections and parts. Fails on an unknown name, with suggestions.
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

    /// Whether the part must be computed. The ledger needs every part.
    fn needs(&self, part: &StudyPart) -> bool {
        self.has(CLAIMS)
            || self.has(CERTAIN) && TWICE.contains(&part.name)
            || self.has(ANSWER) && OF_ANSWER.contains(&part.name)
            || part.sections.iter().any(|section| self.has(section))
    }

    /// Note that the ledger needs the sections that are not shown; `None` where all are shown, or the ledger is not
    /// among those chosen.
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

    /// Number of progress steps: those of the parts needed, and one for drawing.
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

/// Whether a full report has a section of that id.
pub(crate) fn is_section(id: &str) -> bool {
    known().any(|name| name == id)
}

/// Name of the part that computes a section; `None` for `answer`, `certain` and `claims`, which no part computes.
pub(crate) fn part_of(section: &str) -> Option<&'static str> {
    let part = PARTS.iter().find(|part| part.sections.contains(&section))?;
    Some(part.name)
}

/// Computes the chosen sections in the order of the report: the answer first, then the ledger, then the others.
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

/// Repeats the findings on depth, width and size on structures known for certain; `None` where there are none.
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

/// Judges the claims on the findings of these sections and inserts the ledger before them, but after the answer.
pub(crate) fn add_ledger(sections: &mut Vec<Section>, seed: u64) -> Result<()> {
    let findings = || sections.iter().flat_map(|section| &section.findings);
    let mut ledger = study::claims::section(findings());
    let later = stated::judged(&study::claims::Findings::new(findings()), seed)?;
    stated::into_ledger(&mut ledger, &later);
    let at = usize::from(sections.first().is_some_and(|section| section.id == ANSWER));
    sections.insert(at, ledger);
    Ok(())
}
