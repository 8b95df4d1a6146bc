//! Turns answers before and after cuts into effects, slopes over doses, and contrasts between parts and abilities.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use super::estimate::LEVEL;
use common::proportions::wilson;

use super::estimate::{Estimate, each_level, interval, mean};
use super::plan::{Dimension, How, Planned};
use crate::evaluate::answer::Answer;
use crate::evaluate::tasks::{Gold, Item, Task};

/// The quantity computed from an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// The headline metric of the benchmark ([`headline`]), between 0 and 1.
    Score,
    /// Log probability of the right answer among the choices, nats; it still moves where the score is at chance level.
    LogPGold,
}

/// The ability that a benchmark tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ability {
    /// ARC, `HellaSwag`, `WinoGrande`, GSM8K.
    Reasoning,
    /// MMLU, `TruthfulQA`.
    Knowledge,
}

impl Ability {
    /// The ability that `task` tests.
    pub fn of(task: Task) -> Self {
        match task {
            Task::Mmlu(_) | Task::TruthfulQaMc1 | Task::TruthfulQaMc2 => Self::Knowledge,
            Task::ArcChallenge | Task::HellaSwag | Task::WinoGrande | Task::Gsm8k => Self::Reasoning,
        }
    }
}

/// A benchmark to be answered: a name and its items.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The name, for example `mmlu`.
    pub name: String,
    /// Its items.
    pub items: Vec<Item>,
}

/// The metric that serves as the score of a task.
pub fn headline(task: Task) -> &'static str {
    match task {
        Task::ArcChallenge | Task::HellaSwag => "acc_norm,none",
        // The items are zero-shot, so nothing shows the model the format that the strict filter requires.
        Task::Gsm8k => "exact_match,flexible-extract",
        _ => "acc,none",
    }
}

/// Expected score of random guessing; 0 where the answer is free text.
fn chance(items: &[Item]) -> f64 {
    let of = |item: &Item| match &item.gold {
        Gold::Choice(_) => 1.0 / item.requests.len().max(1) as f64,
        Gold::Labels(labels) => {
            labels.iter().filter(|right| **right).count() as f64 / labels.len().max(1) as f64
        }
        Gold::Answer(_) => 0.0,
    };
    items.iter().map(of).sum::<f64>() / items.len().max(1) as f64
}

/// The value of `measure` for an answer; `None` where it is not defined, as for free-text answers with `LogPGold`.
fn measured(item: &Item, answer: &Answer, measure: Measure) -> Option<f64> {
    if measure == Measure::Score {
        return answer.metrics.get(headline(item.task)).copied();
    }
    let sums = &answer.log_likelihoods;
    let most = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let all: f64 = sums.iter().map(|sum| (sum - most).exp()).sum();
    match &item.gold {
        Gold::Choice(right) => Some(sums.get(*right)? - most - all.ln()),
        Gold::Labels(labels) => {
            // Probabilities of several right answers are added relative to the likeliest of them, to avoid underflow.
            let right = sums
                .iter()
                .zip(labels)
                .filter(|(_, right)| **right)
                .map(|(sum, _)| *sum);
            let best = right.clone().fold(f64::NEG_INFINITY, f64::max);
            let together: f64 = right.map(|sum| (sum - best).exp()).sum();
            Some(best + together.ln() - most - all.ln())
        }
        Gold::Answer(_) => None,
    }
}

/// The effect of one cut on one benchmark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// The part that was cut.
    pub part: Dimension,
    /// Requested share of the parameters outside of embeddings.
    pub share: f64,
    /// How the removed units were chosen.
    pub how: How,
    /// Benchmark.
    pub task: String,
    /// What is measured.
    pub measure: Measure,
    /// Number of items.
    pub n: usize,
    /// Mean over items before the cut.
    pub before: f64,
    /// Mean over items and random draws after the cut.
    pub after: f64,
    /// `after` minus `before`.
    pub difference: f64,
    /// Lower limit of its interval, simultaneous over all effects of this measure; `None` with a single item.
    pub low: Option<f64>,
    /// Upper limit of the simultaneous interval.
    pub high: Option<f64>,
    /// Lower limit of the interval for this difference alone.
    pub alone_low: Option<f64>,
    /// Upper limit of the interval for this difference alone.
    pub alone_high: Option<f64>,
    /// Parameters removed.
    pub removed_parameters: u64,
    /// Removed parameters as a share of all parameters outside of embeddings.
    pub removed_share: f64,
    /// Units removed: layers and channels in total, others per layer; query heads per key-value head.
    pub removed_units: usize,
    /// Number of random draws averaged over.
    pub draws: usize,
    /// Whether the score before the cut cannot be distinguished from guessing, so that it cannot fall.
    pub at_chance: bool,
}

/// How the answers of one altered network differ from those of the whole network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Changed {
    /// Benchmark.
    pub task: String,
    /// What is measured.
    pub measure: Measure,
    /// Number of items.
    pub n: usize,
    /// Mean over items of the whole network.
    pub before: f64,
    /// Mean over items of the altered network.
    pub after: f64,
    /// `after` minus `before`.
    pub difference: f64,
    /// Lower limit of its interval, simultaneous over all changes of this measure.
    pub low: Option<f64>,
    /// Upper limit of the interval.
    pub high: Option<f64>,
}

/// Change per tenth of the parameters removed: the slope of the regression line through the origin over all doses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slope {
    /// The part that was cut.
    pub part: Dimension,
    /// How the removed units were chosen.
    pub how: How,
    /// Benchmark.
    pub task: String,
    /// What is measured.
    pub measure: Measure,
    /// Number of items.
    pub n: usize,
    /// Number of doses.
    pub doses: usize,
    /// Change per tenth of the parameters removed.
    pub per_tenth: f64,
    /// Lower limit of its interval, simultaneous over all slopes of this measure.
    pub low: Option<f64>,
    /// Upper limit of the interval.
    pub high: Option<f64>,
}

/// The difference between the losses of two parts, of two abilities, or of both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contrast {
    /// Minuend and subtrahend: `layers_minus_d_ffn.reasoning`, `layers.reasoning_minus_knowledge`.
    pub name: String,
    /// How the removed units were chosen.
    pub how: How,
    /// What is measured.
    pub measure: Measure,
    /// Difference of losses per tenth of the parameters, as the name says.
    pub value: f64,
    /// Lower limit of its interval, for this contrast alone.
    pub low: Option<f64>,
    /// Upper limit of the interval.
    pub high: Option<f64>,
    /// Number of items.
    pub n: usize,
    /// Benchmarks averaged over.
    pub tasks: Vec<String>,
}

/// The value of doubling one part at a fixed number of parameters outside of embeddings: the score of networks in which
/// other parts were cut minus the score of networks of the same size in which this part was cut.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AtOneSize {
    /// The part.
    pub part: Dimension,
    /// The parts that were cut instead, whose mean is taken.
    pub against: Vec<Dimension>,
    /// How the removed units were chosen.
    pub how: How,
    /// Benchmark.
    pub task: String,
    /// What is measured.
    pub measure: Measure,
    /// Number of items.
    pub n: usize,
    /// Number of doses.
    pub doses: usize,
    /// Change per doubling of the part: the slope of the regression line through the origin over doses.
    pub per_doubling: f64,
    /// Its standard error, from paired items and random draws; `None` with a single item or where no answer differs.
    pub error: Option<f64>,
    /// Lower limit of its interval, simultaneous over all results of this kind and measure.
    pub low: Option<f64>,
    /// Upper limit of the interval.
    pub high: Option<f64>,
}

/// All results computed from the answers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Effects {
    /// One for each part, dose, way of choosing, benchmark and measure.
    pub effects: Vec<Effect>,
    /// One for each part, way of choosing, benchmark and measure.
    pub matrix: Vec<Slope>,
    /// Abilities against each other for each part, and layers against feed-forward width.
    pub contrasts: Vec<Contrast>,
    /// The value of doubling each part at a fixed size; empty in results files that predate this field.
    #[serde(default)]
    pub at_one_size: Vec<AtOneSize>,
}

/// One cut at one dose, with one measure of one benchmark. `draws` holds, for each random draw, one value per item.
pub(super) struct Cell<'a> {
    pub(super) planned: &'a Planned,
    asked: usize,
    measure: Measure,
    pub(super) before: Vec<f64>,
    pub(super) draws: Vec<Vec<f64>>,
}

/// The measured values, one [`Cell`] for each cut, benchmark and measure. `before` holds the whole network's answers to
/// all items, benchmark by benchmark in the order of `asked`; `after` holds those of each cut.
pub(super) fn cells<'a>(
    asked: &[Asked],
    before: &[Answer],
    after: &'a [(Planned, Vec<Answer>)],
) -> Vec<Cell<'a>> {
    let mut cells: Vec<Cell<'a>> = Vec::new();
    let mut start = 0;
    for (number, of) in asked.iter().enumerate() {
        let range = start..start + of.items.len();
        start = range.end;
        for measure in [Measure::Score, Measure::LogPGold] {
            let values = |answers: &[Answer]| -> Option<Vec<f64>> {
                let pairs = of.items.iter().zip(answers.get(range.clone())?);
                pairs
                    .map(|(item, answer)| measured(item, answer, measure))
                    .collect()
            };
            let Some(whole) = values(before).filter(|values| !values.is_empty()) else {
                continue;
            };
            for (planned, answers) in after {
                let Some(values) = values(answers) else { continue };
                let same = |cell: &&mut Cell<'_>| {
                    let other = cell.planned;
                    (cell.asked, cell.measure) == (number, measure)
                        && (other.part, other.count, other.how) == (planned.part, planned.count, planned.how)
                };
                match cells.iter_mut().find(same) {
                    Some(cell) => cell.draws.push(values),
                    None => cells.push(Cell {
                        planned,
                        asked: number,
                        measure,
                        before: whole.clone(),
                        draws: vec![values],
                    }),
                }
            }
        }
    }
    cells
}

/// Changes of each network's answers against `before`, each with the network's index in `after`; ordered by benchmark,
/// then measure, then network.
pub(super) fn changes(
    asked: &[Asked],
    before: &[Answer],
    after: &[Vec<Answer>],
    level: f64,
) -> Vec<(usize, Changed)> {
    let mut all = Vec::new();
    let mut start = 0;
    let tasks = asked.iter().filter(|of| !of.items.is_empty()).count();
    let each = 1.0 - (1.0 - level) / (tasks * after.len()).max(1) as f64;
    for of in asked {
        let range = start..start + of.items.len();
        start = range.end;
        for measure in [Measure::Score, Measure::LogPGold] {
            let values = |answers: &[Answer]| -> Option<Vec<f64>> {
                let pairs = of.items.iter().zip(answers.get(range.clone())?);
                pairs
                    .map(|(item, answer)| measured(item, answer, measure))
                    .collect()
            };
            let Some(whole) = values(before).filter(|values| !values.is_empty()) else {
                continue;
            };
            for (number, answers) in after.iter().enumerate() {
                let Some(values) = values(answers) else { continue };
                let ends = interval(&whole, std::slice::from_ref(&values), each);
                let changed = Changed {
                    task: of.name.clone(),
                    measure,
                    n: whole.len(),
                    before: mean(&whole),
                    after: mean(&values),
                    difference: mean(&values) - mean(&whole),
                    low: ends.map(|ends| ends.0),
                    high: ends.map(|ends| ends.1),
                };
                all.push((number, changed));
            }
        }
    }
    all
}

pub(super) fn effect(cell: &Cell<'_>, asked: &[Asked], all: &[Cell<'_>]) -> Effect {
    let (planned, of) = (cell.planned, &asked[cell.asked]);
    let family = all.iter().filter(|other| other.measure == cell.measure).count();
    let (together, alone) = (
        interval(&cell.before, &cell.draws, each_level(family)),
        interval(&cell.before, &cell.draws, LEVEL),
    );
    let (before, after) = (
        mean(&cell.before),
        mean(&cell.draws.iter().map(|d| mean(d)).collect::<Vec<_>>()),
    );
    let guessed = chance(&of.items);
    let n = cell.before.len();
    let at_chance = cell.measure == Measure::Score
        && wilson((before * n as f64).round() as usize, n, 1.959_963_984_540_054)
            .is_some_and(|(low, _)| low <= guessed);
    Effect {
        part: planned.part,
        share: planned.share,
        how: planned.how,
        task: of.name.clone(),
        measure: cell.measure,
        n,
        before,
        after,
        difference: after - before,
        low: together.map(|ends| ends.0),
        high: together.map(|ends| ends.1),
        alone_low: alone.map(|ends| ends.0),
        alone_high: alone.map(|ends| ends.1),
        removed_parameters: planned.removed_parameters,
        removed_share: planned.removed_share,
        removed_units: planned.count,
        draws: cell.draws.len(),
        at_chance,
    }
}

/// Slope of each item in each draw: the change per tenth of the parameters removed, fitted over cells that differ only
/// in dose. If cells have different numbers of draws, the smallest number is used.
pub(super) fn slopes(cells: &[&Cell<'_>]) -> Vec<Vec<f64>> {
    let tenths: Vec<f64> = cells
        .iter()
        .map(|cell| 10.0 * cell.planned.removed_share)
        .collect();
    let square: f64 = tenths.iter().map(|x| x * x).sum();
    let draws = cells.iter().map(|cell| cell.draws.len()).min().unwrap_or(0);
    let n = cells.first().map_or(0, |cell| cell.before.len());
    let of = |draw: usize, item: usize| -> f64 {
        let doses = cells.iter().zip(&tenths);
        doses
            .map(|(cell, x)| x * (cell.draws[draw][item] - cell.before[item]))
            .sum::<f64>()
            / square
    };
    (0..draws)
        .map(|draw| (0..n).map(|item| of(draw, item)).collect())
        .collect()
}

/// Whether none of these networks answers anything right: such scores can fall no further, so that what apart they are says
/// only how much was removed from each.
pub(super) fn nothing_is_left<'a>(cells: impl IntoIterator<Item = &'a &'a Cell<'a>>) -> bool {
    let is_zero = |draw: &Vec<f64>| draw.iter().all(|score| *score == 0.0);
    cells
        .into_iter()
        .all(|cell| cell.measure == Measure::Score && cell.draws.iter().all(is_zero))
}

pub(super) type Key = (Dimension, How, usize, Measure);

pub(super) fn by_part<'a, 'b>(cells: &'b [Cell<'a>]) -> BTreeMap<Key, Vec<&'b Cell<'a>>> {
    let mut parts: BTreeMap<Key, Vec<&Cell<'a>>> = BTreeMap::new();
    for cell in cells.iter().filter(|cell| cell.planned.removed_share > 0.0) {
        let key = (cell.planned.part, cell.planned.how, cell.asked, cell.measure);
        parts.entry(key).or_default().push(cell);
    }
    parts
}

pub(super) fn matrix(cells: &[Cell<'_>], asked: &[Asked]) -> Vec<Slope> {
    let parts = by_part(cells);
    let slope = |(key, cells): (&Key, &Vec<&Cell<'_>>)| {
        let (part, how, task, measure) = *key;
        let family = parts.keys().filter(|other| other.3 == measure).count();
        let found = Estimate::of(&slopes(cells));
        let ends = found.interval(each_level(family));
        Slope {
            part,
            how,
            task: asked[task].name.clone(),
            measure,
            n: found.n,
            doses: cells.len(),
            per_tenth: found.value,
            low: ends.map(|ends| ends.0),
            high: ends.map(|ends| ends.1),
        }
    };
    parts.iter().map(slope).collect()
}
