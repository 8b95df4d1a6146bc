//! From answers before and after cuts to effects, their slopes over doses, and contrasts between parts and abilities.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use super::estimate::LEVEL;
use common::proportions::wilson;

use super::estimate::{Estimate, each_level, interval, mean};
use super::plan::{Dimension, How, Planned};
use crate::evaluate::answer::Answer;
use crate::evaluate::tasks::{Gold, Item, Task};

/// What is measured of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// The benchmark's own first metric, between 0 and 1.
    Score,
    /// The logarithm of the right answer's probability among the choices, nats: it moves where a score stays at chance.
    LogPGold,
}

/// What a benchmark asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ability {
    /// ARC, `HellaSwag`, `WinoGrande`, GSM8K.
    Reasoning,
    /// MMLU, `TruthfulQA`.
    Knowledge,
}

impl Ability {
    /// Of a task.
    pub fn of(task: Task) -> Self {
        match task {
            Task::Mmlu(_) | Task::TruthfulQaMc1 | Task::TruthfulQaMc2 => Self::Knowledge,
            Task::ArcChallenge | Task::HellaSwag | Task::WinoGrande | Task::Gsm8k => Self::Reasoning,
        }
    }
}

/// Items asked for under one name.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The name: `mmlu`.
    pub name: String,
    /// Its items.
    pub items: Vec<Item>,
}

/// The metric by which a task is read here.
pub fn headline(task: Task) -> &'static str {
    match task {
        Task::ArcChallenge | Task::HellaSwag => "acc_norm,none",
        // Items are asked without examples, so nothing shows the form that the strict filter asks for.
        Task::Gsm8k => "exact_match,flexible-extract",
        _ => "acc,none",
    }
}

/// What guessing gets, where choices are given.
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

/// A measure of an answer.
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
            // Of several right answers the likeliest: their sum would underflow where all are far from the first.
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

/// What a cut does to a benchmark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// From which part.
    pub part: Dimension,
    /// Share of the parameters outside of embeddings that was asked for.
    pub share: f64,
    /// Chosen how.
    pub how: How,
    /// Benchmark.
    pub task: String,
    /// What is measured.
    pub measure: Measure,
    /// Items.
    pub n: usize,
    /// Mean before.
    pub before: f64,
    /// Mean after, over draws too.
    pub after: f64,
    /// After less before.
    pub difference: f64,
    /// Lower end of its interval, simultaneous with all others of this measure; none of one item.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Lower end of the interval of this difference alone.
    pub alone_low: Option<f64>,
    /// Upper end.
    pub alone_high: Option<f64>,
    /// Parameters removed.
    pub removed_parameters: u64,
    /// Their share.
    pub removed_share: f64,
    /// Units removed; of widths in each layer.
    pub removed_units: usize,
    /// Draws averaged over.
    pub draws: usize,
    /// Whether the score before cannot be told from guessing: then it cannot fall.
    pub at_chance: bool,
}

/// What one network answers otherwise than the whole one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Changed {
    /// Benchmark.
    pub task: String,
    /// What is measured.
    pub measure: Measure,
    /// Items.
    pub n: usize,
    /// Mean before.
    pub before: f64,
    /// Mean after.
    pub after: f64,
    /// After less before.
    pub difference: f64,
    /// Lower end of its interval, simultaneous with all others of this measure.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

/// Change for each tenth of the parameters removed: the line through the origin over all doses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slope {
    /// From which part.
    pub part: Dimension,
    /// Chosen how.
    pub how: How,
    /// Benchmark.
    pub task: String,
    /// What is measured.
    pub measure: Measure,
    /// Items.
    pub n: usize,
    /// Doses.
    pub doses: usize,
    /// Change per tenth of the parameters.
    pub per_tenth: f64,
    /// Lower end of its interval, simultaneous with all other slopes of this measure.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

/// What one part costs more than another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contrast {
    /// What less what: `layers_minus_d_ffn.reasoning`, `layers.reasoning_minus_knowledge`.
    pub name: String,
    /// Chosen how.
    pub how: How,
    /// What is measured.
    pub measure: Measure,
    /// Difference of losses per tenth of the parameters, as the name says.
    pub value: f64,
    /// Lower end of its interval.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Items.
    pub n: usize,
    /// Benchmarks that it is the mean of.
    pub tasks: Vec<String>,
}

/// What a doubling of one part is worth at a fixed number of parameters outside of embeddings: scores of networks in which the
/// other parts were cut, less those of networks of the same size in which this one was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AtOneSize {
    /// The part.
    pub part: Dimension,
    /// The parts that were cut instead, whose mean is taken.
    pub against: Vec<Dimension>,
    /// Chosen how.
    pub how: How,
    /// Benchmark.
    pub task: String,
    /// What is measured.
    pub measure: Measure,
    /// Items.
    pub n: usize,
    /// Doses.
    pub doses: usize,
    /// Change for each doubling of the part: the line through the origin over doses.
    pub per_doubling: f64,
    /// Its standard error, over items in pairs and draws; none of one item, nor where no answer differs.
    pub error: Option<f64>,
    /// Lower end of its interval, simultaneous with all others of this measure.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

/// All of them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Effects {
    /// By part, dose, way of choosing, benchmark and measure.
    pub effects: Vec<Effect>,
    /// By part, way of choosing, benchmark and measure.
    pub matrix: Vec<Slope>,
    /// Abilities of each part against each other, and layers against feed-forward width.
    pub contrasts: Vec<Contrast>,
    /// A doubling of each part at one size; empty in results of before this was worked out.
    #[serde(default)]
    pub at_one_size: Vec<AtOneSize>,
}

/// A cut at one dose, with what was measured by draw and item.
pub(super) struct Cell<'a> {
    pub(super) planned: &'a Planned,
    asked: usize,
    measure: Measure,
    pub(super) before: Vec<f64>,
    pub(super) draws: Vec<Vec<f64>>,
}

/// What was measured, by cut, benchmark and measure. `before` are the whole network's answers to all items, those of the first name
/// first, `after` those of each cut.
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

/// Changes of each network's answers against `before`, with its number; by benchmark, measure and network.
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

/// By draw and item: change per tenth of the parameters, of cells that differ in their dose alone. Where draws differ in
/// number, as many as all have.
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
