//! Which checkpoints there are to choose from, what each would cost and score, and why the others are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use catalog::cost::Arithmetic;
use catalog::tables::{Checkpoint, ResolvedBy, Structure, Training};
use rayon::prelude::*;
use study::finding::Interval;

use super::costs::CostTable;
use super::designs::design;
use super::makers::Makers;
use super::running::Running;
use super::scored::{as_measured, together};
use super::{Budget, Choice, ChoiceScore, Excluded, LeftOut};
use crate::answers::Predictor;
use crate::answers::known::Known;
use crate::answers::measured;
use crate::answers::predictor::Benchmark;
use crate::answers::score::within;

/// Reasons in the order in which they are looked at: a word, and the words.
pub(super) const REASONS: [(&str, &str); 14] = [
    ("condition", "outside the condition"),
    (
        "flagged",
        "flagged by a leaderboard, or made from what was (contamination, false origin)",
    ),
    (
        "duplicate",
        "the same scores to the last digit as another checkpoint",
    ),
    ("adapter", "an adapter alone, nothing to run without its base"),
    (
        "quantized",
        "weights repacked with fewer bits: the counts are of the packed file",
    ),
    ("license", "another licence, or none stated"),
    ("family", "of another family"),
    (
        "since",
        "published before the day asked for, or on a day not known",
    ),
    (
        "structure",
        "structure not known, so neither memory nor speed can be computed",
    ),
    (
        "size",
        "sizes disagree (listed, by a leaderboard, by its name, by its shape), so memory cannot be computed",
    ),
    ("memory", "does not fit into the memory"),
    (
        "speed",
        "expected to decode more slowly than asked, or of unknown speed",
    ),
    (
        "inferred",
        "not measured, and its structure only inferred: no prediction is made",
    ),
    (
        "unpredictable",
        "not measured, and a prediction lacks its date or enough structures",
    ),
];

/// Of them those of what fits, and has no score of the benchmarks asked for.
const UNSCORED: [&str; 2] = ["inferred", "unpredictable"];

/// Checkpoints named of those left out for a reason of their own.
const EXAMPLES: usize = 10;

pub(super) struct Candidates {
    pub(super) choices: Vec<Choice>,
    /// Everything that fits, measured here or not.
    pub(super) fits: Vec<Fit>,
    pub(super) n_checkpoints: usize,
    /// By reason how many do not fit, or are not asked for.
    counts: BTreeMap<&'static str, usize>,
    /// What fits, and neither has a score on the benchmarks asked for nor a prediction, with the reason.
    unscored: Vec<(String, &'static str)>,
    /// Those liked most whose sizes disagree.
    doubted: Vec<LeftOut>,
    /// Of each benchmark how many checkpoints only another leaderboard than the ranking one measured.
    pub(super) elsewhere: BTreeMap<String, usize>,
}

impl Candidates {
    /// How many were left out, by reason, in the order in which reasons are looked at; what another board measured, and so is
    /// in the ranking, is not.
    pub(super) fn excluded(&self, ranked: &BTreeSet<&str>) -> Vec<Excluded> {
        let of = |reason: &str| {
            let unscored = self.unscored.iter();
            let left = unscored.filter(|(id, why)| *why == reason && !ranked.contains(id.as_str()));
            self.counts.get(reason).copied().unwrap_or(0) + left.count()
        };
        REASONS
            .iter()
            .map(|(reason, words)| Excluded {
                reason: (*reason).to_owned(),
                words: (*words).to_owned(),
                n: of(reason),
                examples: if *reason == "size" {
                    self.doubted.clone()
                } else {
                    Vec::new()
                },
            })
            .filter(|excluded| excluded.n > 0)
            .collect()
    }
}

/// A checkpoint that fits, before its scores are looked at.
#[derive(Debug, Clone)]
pub(super) struct Fit {
    pub(super) id: String,
    pub(super) running: Running,
    pub(super) license: Option<String>,
    pub(super) date: Option<String>,
    pub(super) size: f64,
    /// What made it, where known.
    pub(super) training: Option<Training>,
    /// See [`super::Ranked::is_original`].
    pub(super) is_original: bool,
}

impl Fit {
    /// The choice that it is by these scores.
    pub(super) fn with(self, scores: Vec<ChoiceScore>) -> Choice {
        let is_predicted = scores.iter().any(|score| score.is_predicted);
        let score = scores.iter().map(|score| score.value).sum::<f64>() / scores.len() as f64;
        Choice {
            rank: 0,
            group: 0,
            id: self.id,
            score,
            interval: together(score, &scores, is_predicted),
            is_predicted,
            scores,
            running: self.running,
            boards: Vec::new(),
            newest_score_date: None,
            copies: Vec::new(),
            license: self.license,
            date: self.date,
            size: self.size,
            on_pareto_front: false,
            n_alike: 0,
            why: String::new(),
        }
    }
}

/// Everything that the catalog has a structure or a score of, sorted out.
pub(super) fn candidates(
    predictor: &Predictor,
    known: &Known<'_>,
    budget: &Budget,
    benchmarks: &[String],
) -> Result<Candidates> {
    let ids: BTreeSet<&str> = known
        .structures
        .keys()
        .chain(known.scores.keys())
        .copied()
        .collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    let sorter = Sorter::new(predictor, known, budget, benchmarks).counted(&ids);
    let looked_at: Vec<LookedAt> = ids
        .par_iter()
        .map(|id| sorter.look_at(id))
        .collect::<Result<_>>()?;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut elsewhere: BTreeMap<String, usize> = BTreeMap::new();
    let (mut choices, mut unscored, mut fits, mut doubted) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (id, found) in ids.iter().zip(looked_at) {
        match found.choice {
            Ok(choice) => choices.push(choice),
            Err(Refused { reason, doubt }) => {
                doubted.extend(doubt.map(|(likes, why)| (likes, (*id).to_owned(), why)));
                if UNSCORED.contains(&reason) {
                    unscored.push(((*id).to_owned(), reason));
                } else {
                    *counts.entry(reason).or_insert(0) += 1;
                }
            }
        }
        fits.extend(found.fit);
        for benchmark in found.elsewhere {
            *elsewhere.entry(benchmark.to_owned()).or_insert(0) += 1;
        }
    }
    doubted.sort_by(|a: &(i64, String, String), b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let doubted = doubted
        .into_iter()
        .map(|(_, id, why)| LeftOut { id, why })
        .take(EXAMPLES)
        .collect();
    Ok(Candidates {
        choices,
        fits,
        elsewhere,
        n_checkpoints: ids.len(),
        counts,
        unscored,
        doubted,
    })
}

/// What fits under a budget, whatever it was measured on: no score is looked at.
pub(super) fn fits(predictor: &Predictor, known: &Known<'_>, budget: &Budget) -> Vec<Fit> {
    let ids: Vec<&str> = known.structures.keys().copied().collect();
    let sorter = Sorter::new(predictor, known, budget, &[]).counted(&ids);
    ids.par_iter()
        .filter_map(|id| sorter.fit(id).ok())
        .map(|(fit, ..)| fit)
        .collect()
}

/// The first reason against one checkpoint, of [`REASONS`]; none where it fits.
pub(super) fn reason(
    predictor: &Predictor,
    known: &Known<'_>,
    budget: &Budget,
    id: &str,
) -> Option<&'static str> {
    let sorter = Sorter::new(predictor, known, budget, &[]);
    sorter.fit(id).err().map(|refused| refused.reason)
}

/// Checkpoints all of whose evaluations have another checkpoint's scores.
fn repeats<'a>(predictor: &'a Predictor, known: &Known<'a>) -> BTreeSet<&'a str> {
    let of_another = predictor
        .catalog
        .duplicates
        .iter()
        .filter(|row| row.rule == "same_scores" && row.kept_id != row.id)
        .map(|row| row.id.as_str());
    of_another
        .filter(|id| known.evaluations_of(id).all(|row| row.duplicate_of.is_some()))
        .collect()
}

/// What fits, with what it is made of.
type Fitted<'k> = (Fit, &'k Structure, Option<&'k Checkpoint>, Arithmetic);

/// Why a checkpoint is left out.
struct Refused {
    /// Of [`REASONS`].
    reason: &'static str,
    /// Its likes, and which of its sizes disagree.
    doubt: Option<(i64, String)>,
}

impl From<&'static str> for Refused {
    fn from(reason: &'static str) -> Self {
        Self { reason, doubt: None }
    }
}

/// What became of one checkpoint.
struct LookedAt<'a> {
    /// Where it fits, whatever it was measured on.
    fit: Option<Fit>,
    choice: Result<Choice, Refused>,
    /// Benchmarks that only another leaderboard than the ranking one measured it on.
    elsewhere: Vec<&'a str>,
}

/// A prediction and its interval.
type Predicted = (f64, Option<Interval>);

struct Sorter<'a, 'k> {
    predictor: &'a Predictor,
    known: &'a Known<'k>,
    budget: &'a Budget,
    benchmarks: &'a [String],
    repeats: BTreeSet<&'a str>,
    makers: Makers<'a>,
    costs: CostTable<'a>,
    /// By benchmark and features.
    predictions: Mutex<BTreeMap<(String, Vec<u64>), Predicted>>,
}

impl<'a, 'k> Sorter<'a, 'k> {
    fn new(
        predictor: &'a Predictor,
        known: &'a Known<'k>,
        budget: &'a Budget,
        benchmarks: &'a [String],
    ) -> Self {
        Self {
            predictor,
            known,
            budget,
            benchmarks,
            repeats: repeats(predictor, known),
            makers: Makers::of(&predictor.catalog),
            costs: CostTable::new(budget),
            predictions: Mutex::default(),
        }
    }

    /// The same, with the costs of those of `ids` that are asked for.
    fn counted(mut self, ids: &[&str]) -> Self {
        let asked: Vec<_> = ids.par_iter().filter_map(|id| self.asked_for(id).ok()).collect();
        self.costs.count(&asked);
        self
    }

    fn look_at(&self, id: &str) -> Result<LookedAt<'a>> {
        let mut elsewhere = Vec::new();
        let (fit, structure, checkpoint, cost) = match self.fit(id) {
            Ok(found) => found,
            Err(refused) => {
                return Ok(LookedAt {
                    fit: None,
                    choice: Err(refused),
                    elsewhere,
                });
            }
        };
        let scores = self.scores(id, (structure, checkpoint), &cost, &mut elsewhere)?;
        Ok(LookedAt {
            choice: scores
                .map(|scores| fit.clone().with(scores))
                .map_err(Refused::from),
            fit: Some(fit),
            elsewhere,
        })
    }

    /// A checkpoint that is asked for, whatever it takes; else the first reason against it.
    fn asked_for(&self, id: &str) -> Result<(&'k Structure, Option<&'k Checkpoint>), &'static str> {
        let (budget, known) = (self.budget, self.known);
        let checkpoint = known.checkpoints.get(id).copied();
        if budget.only.as_ref().is_some_and(|only| !only.contains(id)) {
            return Err("condition");
        }
        let is = |pick: fn(&Checkpoint) -> Option<bool>| checkpoint.and_then(pick) == Some(true);
        if is(|row| row.flagged) {
            return Err("flagged");
        }
        if self.repeats.contains(id) {
            return Err("duplicate");
        }
        if is(|row| row.adapter) {
            return Err("adapter");
        }
        if is(|row| row.quantized) {
            return Err("quantized");
        }
        let license = checkpoint.and_then(|row| row.license.as_deref());
        if !budget.allows_license(license) {
            return Err("license");
        }
        if !budget.allows_family(id, checkpoint) {
            return Err("family");
        }
        let structure = known.structures.get(id).copied();
        if budget
            .since
            .is_some_and(|since| structure.and_then(|row| row.date).is_none_or(|day| day < since))
        {
            return Err("since");
        }
        let structure = structure.filter(|structure| structure.resolved_by != ResolvedBy::None);
        Ok((structure.ok_or("structure")?, checkpoint))
    }

    /// Whether a checkpoint is asked for and fits; else the first reason against it.
    fn fit(&self, id: &str) -> Result<Fitted<'k>, Refused> {
        let (structure, checkpoint) = self.asked_for(id)?;
        let (budget, known) = (self.budget, self.known);
        let Some((cost, running)) = self.costs.of(structure, checkpoint) else {
            return Err("structure".into());
        };
        let judged = known.judged(structure, checkpoint, Some(cost.parameters_total));
        if let Some(disagreement) = judged.disagreement {
            let likes = checkpoint.and_then(|row| row.likes).unwrap_or(0);
            return Err(Refused {
                reason: "size",
                doubt: Some((likes, disagreement)),
            });
        }
        let Some(running) = running else {
            return Err("memory".into());
        };
        if let Some(least) = budget.min_speed
            && running.decodes().is_none_or(|speed| speed < least)
        {
            return Err("speed".into());
        }
        let fit = Fit {
            id: id.to_owned(),
            running,
            license: checkpoint.and_then(|row| row.license.clone()),
            date: structure.date.map(catalog::day_text),
            size: cost.parameters_total as f64 / 1e9,
            training: checkpoint.and_then(|row| row.training),
            is_original: self.makers.made(self.known, id, checkpoint),
        };
        Ok((fit, structure, checkpoint, cost))
    }

    /// A score for each benchmark, measured where it was; adds to `elsewhere` what only another leaderboard measured.
    fn scores(
        &self,
        id: &str,
        (structure, checkpoint): (&Structure, Option<&Checkpoint>),
        cost: &Arithmetic,
        elsewhere: &mut Vec<&'a str>,
    ) -> Result<Result<Vec<ChoiceScore>, &'static str>> {
        let mut scores = Vec::new();
        for name in self.benchmarks {
            // One leaderboard a benchmark: another's scores of that name are on another scale, or of other prompts.
            let benchmark = self.predictor.benchmark(name);
            let leaderboard = benchmark.map(|benchmark| benchmark.leaderboard.as_str());
            if let Some(found) = leaderboard.and_then(|board| measured::best(self.known, id, name, board)) {
                scores.push(as_measured(found));
                continue;
            }
            if measured::is_measured(self.known, id, name) {
                elsewhere.push(name);
            }
            if structure.resolved_by != ResolvedBy::Exact {
                return Ok(Err("inferred"));
            }
            let predicted = match benchmark.filter(|benchmark| benchmark.is_predicted()) {
                Some(benchmark) => self.predict(benchmark, id, structure, checkpoint, cost)?,
                None => None,
            };
            let Some((value, interval)) = predicted else {
                return Ok(Err("unpredictable"));
            };
            scores.push(ChoiceScore {
                benchmark: name.clone(),
                value,
                interval,
                is_predicted: true,
                error: None,
                source: "structural regression, conformal over shapes".into(),
                run: None,
            });
        }
        Ok(Ok(scores))
    }

    fn predict(
        &self,
        benchmark: &Benchmark,
        id: &str,
        structure: &Structure,
        checkpoint: Option<&Checkpoint>,
        cost: &Arithmetic,
    ) -> Result<Option<Predicted>> {
        let Some(design) = design(benchmark, id, structure, checkpoint, cost) else {
            return Ok(None);
        };
        let key = design.row(0).iter().map(|value| value.to_bits()).collect();
        let key = (benchmark.name.clone(), key);
        let kept = || self.predictions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = kept().get(&key) {
            return Ok(Some(found.clone()));
        }
        let predicted = within(benchmark.width()?, benchmark.place(&design)?);
        kept().insert(key, predicted.clone());
        Ok(Some(predicted))
    }
}
