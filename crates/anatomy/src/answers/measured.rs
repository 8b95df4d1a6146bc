//! Scores as leaderboards measured them, with what the number of items leaves open.

use catalog::tables::Score;
use serde::Serialize;
use study::finding::Interval;
use study::noise::items_of;

use super::known::{Known, day_text};

/// One score of one checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Measured {
    pub(crate) benchmark: String,
    pub(crate) leaderboard: String,
    /// Version of the leaderboard's table.
    pub(crate) version: String,
    /// The evaluation's key in the catalog.
    pub(crate) evaluation: String,
    pub(crate) value: f64,
    pub(crate) unit: String,
    /// What other items of the same kind would give, 95 %; `None` where the items are not known.
    pub(crate) interval: Option<Interval>,
    /// Items.
    pub(crate) n: Option<usize>,
    /// Number format of the weights in the run.
    pub(crate) precision: Option<String>,
    pub(crate) setting: Option<String>,
    /// Day of the evaluation.
    pub(crate) date: Option<String>,
}

/// Every score of a checkpoint on one benchmark, those that repeat another left out unless nothing else is left.
pub(crate) fn of(known: &Known<'_>, id: &str, benchmark: &str) -> Vec<Measured> {
    let all: Vec<&Score> = known
        .scores
        .get(id)
        .into_iter()
        .flatten()
        .copied()
        .filter(|score| score.benchmark == benchmark && score.unit == "points")
        .collect();
    let is_repeat = |score: &&Score| {
        known
            .evaluations
            .get(score.evaluation.as_str())
            .is_some_and(|row| row.duplicate_of.is_some())
    };
    let (repeats, first): (Vec<&Score>, Vec<&Score>) = all.into_iter().partition(is_repeat);
    let kept = if first.is_empty() { repeats } else { first };
    kept.into_iter().map(measured).collect()
}

/// The score that stands for a checkpoint on a benchmark: of several evaluations the first that repeats no other.
pub(crate) fn best(known: &Known<'_>, id: &str, benchmark: &str) -> Option<Measured> {
    of(known, id, benchmark).into_iter().next()
}

fn measured(score: &Score) -> Measured {
    let items = items_of(&score.benchmark);
    Measured {
        benchmark: score.benchmark.clone(),
        leaderboard: score.leaderboard.clone(),
        version: score.version.clone(),
        evaluation: score.evaluation.clone(),
        value: score.value,
        unit: score.unit.clone(),
        interval: items.map(|items| items.interval(score.value, 0.95)),
        n: items.map(|items| items.n),
        precision: score.precision.clone(),
        setting: score.setting.clone(),
        date: score.date.map(day_text),
    }
}

/// Mean difference (points), its standard error and the number of items that two checkpoints both answered, second less
/// first; `None` unless the catalog has per-item answers of both.
pub(crate) fn items_apart(
    known: &Known<'_>,
    benchmark: &str,
    first: &str,
    second: &str,
) -> Option<(f64, f64, usize)> {
    let (a, b) = (
        known.items.get(&(first, benchmark))?,
        known.items.get(&(second, benchmark))?,
    );
    let pairs: Vec<(f64, f64)> = a
        .iter()
        .filter_map(|(item, value)| Some((*value, *b.get(item)?)))
        .collect();
    let (left, right): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    let (mean, error) = study::noise::paired(&left, &right)?;
    Some((mean * 100.0, error * 100.0, pairs.len()))
}
