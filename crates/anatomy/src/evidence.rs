//! Computes the sections `methods` (every regression method of the literature on every benchmark) and `attribution`
//! (which feature ranks first for which target), on which the ledger of claims relies besides the other sections.

use std::path::Path;

use anyhow::Result;
use catalog::Catalog;
use indicatif::ProgressBar;
use rayon::prelude::*;
use study::Evaluation;
use study::attribution::{self, Asked};
use study::ceiling::lookup;
use study::features::{COLUMNS, feature_set};
use study::importance::impurity::Effort;
use study::leaderboard_v1::BENCHMARKS;
use study::methods::{self, Target};
use study::runs::{Over, Runs, SPLITS};
use study::section::Section;
use study::{Protocol, evaluate};

use crate::frame::{self, Division, FeatureSet, Rows, divide, rows};
use crate::narrow::{OFFICIAL, UNQUANTIZED};

/// Further targets of the attribution, beside the six benchmarks of leaderboard v1: feature set as named in finding
/// ids, target, and SQL condition on the rows.
const OTHERS: [(&str, &str, Option<&str>); 9] = [
    ("core", "bigcodebench_complete", None),
    ("core", "bigcodebench_instruct", None),
    ("core", "ifeval", None),
    ("core", "longbench_v2", None),
    ("core", "longbench_v2_cot", None),
    ("core", "decode_speed", None),
    ("core", "memory", None),
    ("core_unquantized_a10", "decode_speed", Some(UNQUANTIZED)),
    ("core_unquantized_a10", "memory", Some(UNQUANTIZED)),
];

/// Structure columns that are predicted from the scores.
const REVERSE: [&str; 5] = ["layers", "d_model", "d_ffn", "heads", "size"];

/// Settings of the fits.
#[derive(Clone, Copy)]
pub(crate) struct EvidenceSettings<'a> {
    /// Folder of the catalog; `None`: the compiled-in catalog.
    pub(crate) dir: Option<&'a Path>,
    /// Number of bootstrap resamples for the intervals.
    pub(crate) resamples: usize,
    pub(crate) seed: u64,
}

/// The rows of one question, with the feature set and target as named in finding ids.
struct Question {
    set: String,
    target: &'static str,
    unit: String,
    rows: Rows,
    is_whole: bool,
}

impl Question {
    fn of(
        catalog: &Catalog,
        settings: EvidenceSettings<'_>,
        set: &str,
        columns: &[&str],
        target: &'static str,
        filter: Option<&str>,
    ) -> Result<Option<Self>> {
        let set = FeatureSet {
            name: set.to_owned(),
            columns: columns.iter().map(ToString::to_string).collect(),
        };
        let mut names = set.columns.clone();
        names.push(target.to_owned());
        // A user's catalog may lack the target's leaderboard; the question is then skipped.
        let known = |name: &String| {
            COLUMNS.contains(&name.as_str())
                || frame::is_derived(name)
                || catalog.scores.iter().any(|score| score.benchmark == *name)
        };
        if !names.iter().all(known) {
            return Ok(None);
        }
        let frame = frame::from_catalog(catalog, settings.dir, &names, filter)?;
        let unit = frame.unit(target).to_owned();
        let rows = rows(&frame, target, &set, filter)?;
        Ok((!rows.target.is_empty()).then_some(Self {
            set: set.name,
            target,
            unit,
            rows,
            is_whole: filter.is_none(),
        }))
    }

    fn asked(&self) -> Asked<'_> {
        Asked {
            set: &self.set,
            target: self.target,
            unit: &self.unit,
            design: &self.rows.design,
            values: &self.rows.target,
            shape: &self.rows.shape,
            source: &self.rows.source,
            effort: Effort::of_set(&self.set),
            is_published: self.is_whole,
            is_told_elsewhere: self.set == "structure_date",
        }
    }
}

/// Number of progress steps of [`sections`].
pub(crate) const STEPS: u64 = 51;

/// The sections `methods` and `attribution`.
pub(crate) fn sections(
    catalog: &Catalog,
    settings: EvidenceSettings<'_>,
    bar: &ProgressBar,
) -> Result<Vec<Section>> {
    Ok(vec![
        methods_section(catalog, settings, bar)?,
        attribution_section(catalog, settings, bar)?,
    ])
}

fn methods_section(catalog: &Catalog, settings: EvidenceSettings<'_>, bar: &ProgressBar) -> Result<Section> {
    let mut targets = Vec::new();
    let random_and_unseen = [Protocol::RandomSplit, Protocol::StructureOut];
    for target in BENCHMARKS {
        let columns = feature_set("structure_date").unwrap_or_default();
        if let Some(question) = Question::of(catalog, settings, "structure_date", columns, target, None)? {
            targets.push((question, &random_and_unseen[..]));
        }
    }
    // The structural method is meant for unseen shapes; it also predicts the mean of the six benchmarks.
    let columns = feature_set("structural").unwrap_or_default();
    for target in BENCHMARKS.into_iter().chain(["average_v1"]) {
        if let Some(question) = Question::of(catalog, settings, "structural", columns, target, None)? {
            targets.push((question, &random_and_unseen[1..]));
        }
    }
    let asked: Vec<(&Question, Protocol)> = targets
        .iter()
        .flat_map(|(question, protocols)| protocols.iter().map(move |protocol| (question, *protocol)))
        .collect();
    // All in parallel: a protocol with a single fold occupies only one thread.
    let answers: Vec<Option<Target<'_>>> = asked
        .into_par_iter()
        .map(|(question, protocol)| {
            bar.set_message(format!("{} {}", question.target, protocol.name()));
            let answer = answer(question, protocol, settings);
            bar.inc(1);
            answer
        })
        .collect::<Result<_>>()?;
    let answers: Vec<Target<'_>> = answers.into_iter().flatten().collect();
    Ok(methods::section(&answers, settings.resamples, settings.seed))
}

/// Evaluates every method of the question's feature set under a protocol, with [`SPLITS`] seeds where rows are split at
/// random; `None` where the protocol cannot divide the rows.
fn answer<'a>(
    question: &'a Question,
    protocol: Protocol,
    settings: EvidenceSettings<'_>,
) -> Result<Option<Target<'a>>> {
    let rows = &question.rows;
    let (design, values, shape) = (&rows.design, &rows.target, &rows.shape);
    let runs = if protocol == Protocol::RandomSplit {
        SPLITS
    } else {
        1
    };
    let seeds: Vec<u64> = (settings.seed..settings.seed + runs).collect();
    let divided = seeds.iter().map(|&seed| divide(protocol, rows, seed));
    let Ok(divided) = divided.collect::<Result<Vec<_>>>() else {
        return Ok(None);
    };
    let of_runs = |n: usize, run: &(dyn Fn(&Division, u64) -> Result<Evaluation, study::Error> + Sync)| {
        let all = divided[..n].par_iter().zip(&seeds);
        let all = all.map(|(division, &seed)| Ok((run(division, seed)?, seed)));
        let all: Vec<_> = all.collect::<Result<_, study::Error>>()?;
        Runs::of(all, Over::Splits, values, shape, settings.resamples)
    };
    let results = methods::of_set(&question.set)
        .into_par_iter()
        .map(|method| {
            let fit =
                |division: &Division, seed| evaluate(&*method, design, values, None, &division.folds, seed);
            let n = methods::runs_of(method.name(), protocol);
            Ok((method.name(), of_runs(n, &fit)?))
        })
        .collect::<Result<_>>()?;
    let own_shape = of_runs(divided.len(), &|division, _| {
        lookup(values, shape, &division.folds)
    })?;
    Ok(Some(Target {
        asked: question.asked(),
        protocol: protocol.name(),
        results,
        lookup: Some(own_shape.r2).filter(|r2| r2.is_finite()),
    }))
}

/// Ranks the four shape columns by importance, on the benchmarks of leaderboard v1 only.
pub(crate) fn core(catalog: &Catalog, settings: EvidenceSettings<'_>) -> Result<Section> {
    let columns = feature_set("core").unwrap_or_default();
    let mut questions = Vec::new();
    for target in BENCHMARKS {
        questions.extend(Question::of(catalog, settings, "core", columns, target, None)?);
    }
    let asked: Vec<Asked<'_>> = questions.iter().map(Question::asked).collect();
    Ok(attribution::section(
        &asked,
        settings.resamples,
        settings.seed,
        &|| {},
    )?)
}

fn attribution_section(
    catalog: &Catalog,
    settings: EvidenceSettings<'_>,
    bar: &ProgressBar,
) -> Result<Section> {
    let core = feature_set("core").unwrap_or_default();
    let mut asked: Vec<(&str, &[&str], &'static str, Option<&str>)> = Vec::new();
    asked.extend(BENCHMARKS.map(|target| ("core", core, target, None)));
    asked.extend(OTHERS.map(|(set, target, filter)| (set, core, target, filter)));
    asked.extend(BENCHMARKS.map(|target| ("core_official", core, target, Some(OFFICIAL))));
    asked.extend(REVERSE.map(|target| ("scores", &BENCHMARKS[..], target, None)));
    asked.extend(BENCHMARKS.map(|target| {
        let columns = feature_set("structure_date").unwrap_or_default();
        ("structure_date", columns, target, None)
    }));
    let mut questions = Vec::new();
    for (set, columns, target, filter) in asked {
        questions.extend(Question::of(catalog, settings, set, columns, target, filter)?);
    }
    let asked: Vec<Asked<'_>> = questions.iter().map(Question::asked).collect();
    bar.set_message("which column comes first");
    Ok(attribution::section(
        &asked,
        settings.resamples,
        settings.seed,
        &|| bar.inc(1),
    )?)
}
