//! Which checkpoint to take under a budget: measured ones first, predicted ones marked, ties said.

mod ability;
mod boards;
mod candidates;
mod copies;
mod costs;
mod designs;
mod makers;
mod ranking;
mod refused;
mod running;
mod said;
mod scored;
mod why;

use std::collections::BTreeSet;

use anyhow::Result;
use catalog::cost::{CacheType, InferenceEngine, Quant, Rig};
use catalog::tables::{Checkpoint, Days};
use serde::{Serialize, Serializer};
use study::finding::Interval;
use study::section::{Axis, Drawing, Figure};

use super::known::Known;
use super::measured::Run;
use super::{Predictor, tasks};
use crate::aside::Aside;
use ability::Abilities;
pub(crate) use ability::{Evidence, LinkedBoard, Ranked};
pub(crate) use boards::{BoardRanking, Mode};
pub(crate) use copies::BitsCost;
use copies::Copies;
pub(super) use designs::designs;
pub(crate) use ranking::floors;
use running::Running;
pub(crate) use why::{UpgradeStep, WhyAnswer};

/// The question of `recommend`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Budget {
    /// Memory there is for all of it, bytes: of the cards where there are some.
    pub(crate) memory_bytes: f64,
    /// Cards or the processor, and the memory beside them; `None` where speed is not asked for.
    pub(crate) rig: Option<Rig>,
    pub(crate) engine: InferenceEngine,
    /// Types of stored weights, the preferred first: each checkpoint takes the first that fits.
    pub(crate) quants: Vec<Quant>,
    /// How keys and values are stored.
    pub(crate) cache: CacheType,
    /// Positions of the cache, tokens.
    pub(crate) context: i64,
    /// Tasks or benchmarks; the six of leaderboard v2 where empty.
    pub(crate) tasks: Vec<String>,
    /// Licences, any of which will do; all where empty.
    pub(crate) licenses: Vec<String>,
    /// Only of this family: its class, or a word of its name.
    pub(crate) family: Option<String>,
    /// Only published on that day or later.
    #[serde(serialize_with = "as_text")]
    pub(crate) since: Option<Days>,
    /// Only scores of runs with, or without, thinking before the answer; either where `None`.
    pub(crate) mode: Option<Mode>,
    /// Minimum expected decoding speed, tokens/s.
    pub(crate) min_speed: Option<f64>,
    /// A checkpoint of which each condition is told.
    pub(crate) why: Option<String>,
    /// What more memory would buy is told.
    pub(crate) upgrade: bool,
    /// Checkpoints that a condition left; all where `None`.
    #[serde(skip)]
    pub(crate) only: Option<BTreeSet<String>>,
    /// The condition, as it was given.
    pub(crate) condition: Option<String>,
    /// Rows of each list.
    pub(crate) limit: usize,
}

#[expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference to the field"
)]
fn as_text<S: Serializer>(day: &Option<Days>, serializer: S) -> Result<S::Ok, S::Error> {
    day.map(catalog::day_text).serialize(serializer)
}

impl Budget {
    fn allows_license(&self, license: Option<&str>) -> bool {
        let is_one = |license: &str| self.licenses.iter().any(|one| one.eq_ignore_ascii_case(license));
        self.licenses.is_empty() || license.is_some_and(is_one)
    }

    /// Whether a checkpoint's class begins with the family asked for, or a word of its name does.
    fn allows_family(&self, id: &str, checkpoint: Option<&Checkpoint>) -> bool {
        let plain = |text: &str| -> String {
            text.chars()
                .filter(char::is_ascii_alphanumeric)
                .collect::<String>()
                .to_ascii_lowercase()
        };
        let Some(asked) = self.family.as_deref().map(plain) else {
            return true;
        };
        let class = catalog::config::family(
            checkpoint.and_then(|row| row.architecture.as_deref()),
            checkpoint.and_then(|row| row.model_type.as_deref()),
        );
        let name = id.rsplit('/').next().unwrap_or(id);
        // `quen` is in `Sequential`, and no family of it; `open-llama` is asked for by two words.
        let mut words = name.split(|c: char| !c.is_ascii_alphanumeric()).enumerate();
        class.is_some_and(|class| class.starts_with(&asked))
            || words.any(|(at, _)| {
                let rest = name.split(|c: char| !c.is_ascii_alphanumeric()).skip(at);
                plain(&rest.collect::<String>()).starts_with(&asked)
            })
    }

    /// What else is asked for, each after a comma: `, at 30 tokens/s or more (expected)`.
    pub(crate) fn conditions(&self) -> String {
        let mut text = String::new();
        let mut say = |words: String| {
            text.push_str(", ");
            text.push_str(&words);
        };
        if let Some(speed) = self.min_speed {
            say(format!("at {speed} tokens/s or more (expected)"));
        }
        if !self.licenses.is_empty() {
            say(format!("under {}", self.licenses.join(" or ")));
        }
        if let Some(family) = &self.family {
            say(format!("of the family {family}"));
        }
        if let Some(since) = self.since {
            say(format!("published {} or later", catalog::day_text(since)));
        }
        text
    }

    /// What is asked for, in a word or two.
    pub(crate) fn what(&self) -> String {
        if self.tasks.is_empty() {
            "all abilities together".to_owned()
        } else {
            self.tasks.join(" and ")
        }
    }
}

/// The answer of `recommend`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RecommendAnswer {
    pub(crate) budget: Budget,
    /// What to take, in sentences; empty where nothing that fits was measured.
    pub(crate) answer: Vec<String>,
    /// What fits and was measured by any board of what is asked for, all boards on one scale: by the lower
    /// end of its interval, the highest first.
    pub(crate) ranking: Vec<Ranked>,
    /// How many those are, before the list was cut.
    pub(crate) n_ranked: usize,
    /// The boards that the scale rests on.
    pub(crate) linked_boards: Vec<LinkedBoard>,
    /// What fewer bits cost where a board ran the same checkpoints both ways.
    pub(crate) bits_costs: Vec<BitsCost>,
    /// Why the checkpoint asked about is in or out.
    pub(crate) why: Option<WhyAnswer>,
    /// What the next steps of memory buy.
    pub(crate) upgrade: Vec<UpgradeStep>,
    /// The benchmarks by which `measured` and `predicted` rank, each of the same weight.
    pub(crate) benchmarks: Vec<String>,
    /// Measured on all of them by one board, the best first.
    pub(crate) measured: Vec<Choice>,
    /// Predicted on one at least, the best first.
    pub(crate) predicted: Vec<Choice>,
    /// Those measured that nothing measured beats in score at no more memory, by rising memory.
    pub(crate) pareto: Vec<ParetoPoint>,
    /// Memory in GB and score of every measured one that fits, for the drawing.
    #[serde(skip)]
    pub(crate) fits: Vec<(f64, f64)>,
    /// What fits by other boards, one at a time, the newest first.
    pub(crate) boards: Vec<BoardRanking>,
    /// Checkpoints looked at.
    pub(crate) n_checkpoints: usize,
    /// Measured ones that fit, before the list was cut.
    pub(crate) n_measured: usize,
    /// Predicted ones that fit, before the list was cut.
    pub(crate) n_predicted: usize,
    /// How many of the ranking other boards measured, and none on all of `benchmarks`.
    pub(crate) n_by_other_boards: usize,
    /// How many were left out, by reason, in the order in which reasons are looked at.
    pub(crate) excluded: Vec<Excluded>,
    pub(crate) notes: Vec<String>,
    pub(crate) seed: u64,
    pub(crate) catalog_sha256: String,
}

/// One checkpoint that fits.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Choice {
    /// From 1, by score.
    pub(crate) rank: usize,
    /// Those of one group cannot be told apart: the paired interval of the difference to the group's first holds 0.
    pub(crate) group: usize,
    pub(crate) id: String,
    /// Mean over the benchmarks, points.
    pub(crate) score: f64,
    pub(crate) interval: Option<Interval>,
    /// One at least of its scores is predicted.
    pub(crate) is_predicted: bool,
    pub(crate) scores: Vec<ChoiceScore>,
    /// What every board measured of what is asked for, the newest first.
    pub(crate) boards: Vec<Evidence>,
    pub(crate) newest_score_date: Option<String>,
    #[serde(flatten)]
    pub(crate) running: Running,
    /// Quantised copies by name.
    pub(crate) copies: Vec<String>,
    pub(crate) license: Option<String>,
    pub(crate) date: Option<String>,
    /// Billions of parameters.
    pub(crate) size: f64,
    pub(crate) on_pareto_front: bool,
    /// Other checkpoints that are predicted the same, not listed.
    pub(crate) n_alike: usize,
    /// Why it stands here, in words.
    pub(crate) why: String,
}

/// One benchmark of one choice.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ChoiceScore {
    pub(crate) benchmark: String,
    pub(crate) value: f64,
    pub(crate) interval: Option<Interval>,
    pub(crate) is_predicted: bool,
    /// Standard error of what was measured, points.
    #[serde(skip)]
    pub(crate) error: Option<f64>,
    /// The leaderboard and its version; the regression where predicted.
    pub(crate) source: String,
    /// How the score came about, where measured.
    pub(crate) run: Option<Run>,
}

/// One step of the front.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ParetoPoint {
    pub(crate) id: String,
    pub(crate) memory_bytes: f64,
    pub(crate) score: f64,
}

/// One reason to leave checkpoints out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Excluded {
    /// A word for programs.
    pub(crate) reason: String,
    /// The same for people.
    pub(crate) words: String,
    pub(crate) n: usize,
    /// Those liked most of them, with what is known of each; only where each has a reason of its own.
    pub(crate) examples: Vec<LeftOut>,
}

/// One checkpoint left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct LeftOut {
    pub(crate) id: String,
    pub(crate) why: String,
}

/// Points by which the front is drawn.
const EDGE: u16 = 300;

/// Answers the question.
///
/// # Errors
/// A task that is not known; fits that cannot be made.
pub(crate) fn recommend(predictor: &Predictor, budget: &Budget) -> Result<RecommendAnswer> {
    let benchmarks = tasks::benchmarks(predictor, &budget.tasks)?;
    let names: Vec<&str> = benchmarks.iter().map(String::as_str).collect();
    let (known, ()) = rayon::join(|| Known::of(&predictor.catalog), || predictor.warm(&names, false));
    refused::unknown_licences(&known, &budget.licenses)?;
    let mistyped = refused::unknown_family(&known, budget)?;
    let abilities = tasks::abilities(&budget.tasks);
    // What fits, and what boards measured and who copied what: neither needs the other.
    let (found, (gathered, copies, bits_costs)) = rayon::join(
        || candidates::candidates(predictor, &known, budget, &benchmarks),
        || {
            let gathered = boards::gathered(&known, &abilities, budget.mode);
            (gathered, Copies::of(&known), copies::bits_cost(&known))
        },
    );
    let found = found?;
    let main: Vec<&str> = benchmarks
        .iter()
        .filter_map(|name| predictor.benchmark(name).map(|found| found.leaderboard.as_str()))
        .collect();
    let mut boards = boards::boards(&known, &found.fits, budget, &main, &gathered);
    let scale = Abilities::of(&gathered, budget);
    let mut ranking = scale.ranked(&found.fits, &copies, &bits_costs, &budget.what());
    let ranked: BTreeSet<&str> = ranking.iter().map(|row| row.id.as_str()).collect();
    let excluded = found.excluded(&ranked);
    // What any board measured of the abilities asked for is not called predicted.
    let (mut measured, predicted): (Vec<Choice>, Vec<Choice>) = found
        .choices
        .into_iter()
        .filter(|choice| !choice.is_predicted || !ranked.contains(choice.id.as_str()))
        .partition(|choice| !choice.is_predicted);
    let by_these: BTreeSet<&str> = measured.iter().map(|choice| choice.id.as_str()).collect();
    let n_by_other_boards = ranked.difference(&by_these).count();
    let pareto = ranking::front(&mut measured);
    let fits = measured
        .iter()
        .map(|choice| (choice.running.memory.total_bytes / 1e9, choice.score))
        .collect();
    let (n_measured, n_predicted) = (measured.len(), predicted.len());
    let mut measured = ranking::ranked(&known, measured, budget);
    let mut predicted = ranking::ranked(&known, ranking::one_of_each(predicted), budget);
    let others = boards.iter_mut().flat_map(|ranking| &mut ranking.choices);
    for choice in measured.iter_mut().chain(&mut predicted).chain(others) {
        choice.boards = scale.evidence(&choice.id).to_vec();
        choice.newest_score_date = choice
            .boards
            .iter()
            .filter_map(|one| one.newest_score_date.clone())
            .max();
        choice.copies = copies.named(&choice.id, choice.running.engine, choice.running.quant);
    }
    let why = match &budget.why {
        Some(id) => Some(why::why(
            predictor,
            &known,
            (&scale, &ranking),
            budget,
            known.id(id)?,
        )),
        None => None,
    };
    let upgrade = if budget.upgrade {
        why::upgrade(predictor, &known, &scale, &copies, &ranking, budget)
    } else {
        Vec::new()
    };
    let mut notes = said::notes(&scale, &found.fits, &bits_costs, budget);
    notes.extend(mixed(&measured));
    notes.extend(mistyped);
    for (benchmark, n) in &found.elsewhere {
        let board = predictor
            .benchmark(benchmark)
            .map_or("", |found| &found.leaderboard);
        notes.push(format!(
            "{n} with a score of {benchmark} by another leaderboard than {board} only: such scores are on another scale or \
             of other prompts and do not rank with those of {board} alone"
        ));
    }
    let n_ranked = ranking.len();
    let answer = said::answer(&ranking, budget);
    drop(Aside::new(ranking.split_off(budget.limit.min(n_ranked))));
    Ok(RecommendAnswer {
        budget: budget.clone(),
        answer,
        ranking,
        n_ranked,
        linked_boards: scale.boards(),
        bits_costs,
        why,
        upgrade,
        benchmarks,
        measured,
        predicted,
        pareto,
        fits,
        boards,
        n_checkpoints: found.n_checkpoints,
        n_measured,
        n_predicted,
        n_by_other_boards,
        excluded,
        notes,
        seed: predictor.seed,
        catalog_sha256: predictor.catalog.manifest.catalog_sha256.clone(),
    })
}

/// What a leaderboard ranks side by side though it ran it differently: said where those listed are of both kinds.
fn mixed(listed: &[Choice]) -> Option<String> {
    let with = |choice: &Choice| {
        let mut runs = choice.scores.iter().filter_map(|score| score.run.as_ref());
        runs.find_map(|run| run.chat_template)
    };
    let n = |wanted: bool| {
        listed
            .iter()
            .filter(|choice| with(choice) == Some(wanted))
            .count()
    };
    let (n_with, n_without) = (n(true), n(false));
    (n_with > 0 && n_without > 0).then(|| {
        format!(
            "of those listed {n_with} ran with a chat template and {n_without} without, as they were entered: their scores \
             are ranked together but are not of one kind; `compare` sets like runs side by side"
        )
    })
}

impl RecommendAnswer {
    /// Score against memory: what was measured, what was predicted, and the front.
    pub(crate) fn figure(&self) -> Figure {
        let gigabytes = |bytes: f64| bytes / 1e9;
        let points = |choices: &[Choice]| {
            choices
                .iter()
                .map(|choice| (gigabytes(choice.running.memory.total_bytes), choice.score))
                .collect::<Vec<_>>()
        };
        // The front as the edge of what can be had, sampled evenly: steps that are seen among hundreds of points.
        let most = self.fits.iter().map(|(memory, _)| *memory).fold(0.0, f64::max);
        let reached = |memory: f64| {
            let mut cheaper = self.pareto.iter().rev();
            let best = cheaper.find(|point| gigabytes(point.memory_bytes) <= memory)?;
            Some((memory, best.score))
        };
        let front = (0..=EDGE).filter_map(|step| reached(most * f64::from(step) / f64::from(EDGE)));
        let front: Vec<(f64, f64)> = front.collect();
        let mut series = vec![("measured".to_owned(), self.fits.clone())];
        if !self.predicted.is_empty() {
            series.push(("predicted, the best".to_owned(), points(&self.predicted)));
        }
        series.push(("most within that memory".to_owned(), front));
        // The best first: names of the others stand where there is room.
        let named = self.pareto.iter().rev().map(|point| {
            let name = point.id.rsplit('/').next().unwrap_or(&point.id);
            (name.to_owned(), (gigabytes(point.memory_bytes), point.score))
        });
        Figure {
            id: "pareto".into(),
            title: format!("Score against memory: {}", self.benchmarks.join(", ")),
            caption: format!(
                "{} checkpoints measured, {} predicted",
                self.n_measured, self.n_predicted
            ),
            n: self.n_measured,
            x: Axis::linear("memory, GB"),
            y: Axis::linear("mean score, points"),
            drawing: Drawing::Points {
                series,
                line: None,
                named: named.collect(),
            },
        }
    }
}
