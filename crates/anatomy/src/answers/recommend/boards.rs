//! The same question put to every other board, one at a time: what fits, ranked by what that board alone measured.
//!
//! Boards are never averaged together. A ranking holds those that the board measured on all of its benchmarks that ask for
//! what is wanted, each by one of its runs; it says when the board was last added to, and how long that is before the newest
//! score of the catalog.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use catalog::tables::{Days, Score};
use rayon::prelude::*;
use serde::Serialize;
use study::noise::part_of;

use super::candidates::Fit;
use super::scored::as_measured;
use super::{Budget, Choice, ranking};
use crate::answers::known::Known;
use crate::answers::measured::{Measured, measured};
use crate::answers::predictor::{board_place, is_superseded};

/// Fewer that fit make no ranking.
const FEWEST: usize = 5;
/// Where no task is named, a board of fewer benchmarks says too little of a checkpoint to rank by.
const BENCHMARKS: usize = 3;
/// Boards shown.
const MOST: usize = 6;
/// Rows of each.
const ROWS: usize = 5;
/// A benchmark counts where so many were measured on it, as a share of those on the board's most measured one.
const SHARE: f64 = 0.6;

/// A board's ranking.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct BoardRanking {
    pub(crate) board: String,
    /// The benchmarks that rank, each of the same weight.
    pub(crate) benchmarks: Vec<String>,
    /// Day of its newest score, or of the state that the catalog holds.
    pub(crate) newest: Option<String>,
    /// Months by which that is before the newest score of the catalog.
    pub(crate) months_older: Option<i64>,
    /// Those that fit and were measured on all of them, before the list was cut.
    pub(crate) n: usize,
    pub(crate) choices: Vec<Choice>,
}

/// One checkpoint's runs on a board: by evaluation, its scores by benchmark.
pub(super) type Runs<'a> = BTreeMap<&'a str, BTreeMap<&'a str, &'a Score>>;

/// Scores of whole benchmarks that ask for an ability.
pub(super) struct Gathered<'a> {
    /// By board and checkpoint.
    pub(super) by_board: BTreeMap<&'a str, BTreeMap<&'a str, Runs<'a>>>,
    /// Of each board the day of its newest score, or of the state that the catalog holds.
    pub(super) newest: BTreeMap<&'a str, String>,
}

/// How a checkpoint was made to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// Thinking before it answers, as the run set it.
    Thinking,
    /// Not, or nothing was set.
    Plain,
}

impl Mode {
    fn allows(self, score: &Score) -> bool {
        let thinks = score.mode.as_deref().is_some_and(|mode| {
            mode.ends_with("thinking") && !mode.starts_with("no") || mode.starts_with("effort")
        });
        thinks == (self == Self::Thinking)
    }
}

/// All scores that ask for one of these abilities, in runs of that mode.
pub(super) fn gathered<'a>(known: &Known<'a>, abilities: &[&str], mode: Option<Mode>) -> Gathered<'a> {
    let mut asks: HashMap<&str, bool> = HashMap::new();
    let wanted = |name: &str| {
        let found = study::abilities::benchmark(name).filter(|found| !found.is_multilingual);
        found.is_some_and(|found| {
            found.name.ends_with(&found.test)
                && part_of(name).is_none()
                && found.abilities.iter().any(|one| abilities.contains(one))
        })
    };
    let mut by_board: BTreeMap<&str, BTreeMap<&str, Runs<'_>>> = BTreeMap::new();
    let mut days: HashSet<(&str, Option<Days>, &str)> = HashSet::new();
    for (&id, scores) in &known.scores {
        for &score in scores.iter().filter(|score| score.unit == "points") {
            let board = score.leaderboard.as_str();
            days.insert((board, score.date, &score.version));
            let is_wanted = *asks
                .entry(&score.benchmark)
                .or_insert_with(|| wanted(&score.benchmark));
            if is_wanted && mode.is_none_or(|mode| mode.allows(score)) && !is_repeat(known, score) {
                let runs = by_board.entry(board).or_default().entry(id).or_default();
                runs.entry(&score.evaluation)
                    .or_default()
                    .entry(&score.benchmark)
                    .or_insert(score);
            }
        }
    }
    let mut newest: BTreeMap<&str, String> = BTreeMap::new();
    for (board, date, version) in days {
        let day = date.map_or_else(|| version.to_owned(), catalog::day_text);
        let last = newest.entry(board).or_default();
        *last = day.max(std::mem::take(last));
    }
    Gathered { by_board, newest }
}

/// Every board but `main` with enough that fits, the newest first.
pub(super) fn boards(
    known: &Known<'_>,
    fits: &[Fit],
    budget: &Budget,
    main: &[&str],
    Gathered { by_board, newest }: &Gathered<'_>,
) -> Vec<BoardRanking> {
    let last = newest.values().max().cloned().unwrap_or_default();
    let all: BTreeSet<&str> = newest.keys().copied().collect();
    let mut rankings: Vec<BoardRanking> = by_board
        .par_iter()
        .filter(|(board, _)| !main.contains(board) && !is_superseded(board, &all))
        .filter_map(|(board, all)| {
            let benchmarks = common(all);
            let choices: Vec<Choice> = fits
                .iter()
                .filter_map(|fit| {
                    let scores = best(all.get(fit.id.as_str())?, &benchmarks)?;
                    Some(fit.clone().with(scores.into_iter().map(as_measured).collect()))
                })
                .collect();
            let n = choices.len();
            let day = newest.get(board).filter(|day| !day.is_empty()).cloned();
            let cut = Budget {
                limit: budget.limit.min(ROWS),
                ..budget.clone()
            };
            let least = if budget.tasks.is_empty() { BENCHMARKS } else { 1 };
            (n >= FEWEST && benchmarks.len() >= least).then(|| BoardRanking {
                board: (*board).to_owned(),
                benchmarks: benchmarks.iter().map(ToString::to_string).collect(),
                months_older: day.as_deref().and_then(|day| months(day, &last)),
                newest: day,
                n,
                choices: ranking::ranked(known, choices, &cut),
            })
        })
        .collect();
    rankings.sort_by(|a, b| {
        b.newest
            .cmp(&a.newest)
            .then(board_place(&a.board).cmp(&board_place(&b.board)))
            .then(b.n.cmp(&a.n))
            .then(a.board.cmp(&b.board))
    });
    rankings.truncate(MOST);
    rankings
}

/// Whether the score's evaluation repeats another.
fn is_repeat(known: &Known<'_>, score: &Score) -> bool {
    let row = known.evaluations.get(score.evaluation.as_str());
    row.is_some_and(|row| row.duplicate_of.is_some())
}

/// The benchmarks that nearly all of a board's checkpoints were measured on.
pub(super) fn common<'a>(all: &BTreeMap<&str, Runs<'a>>) -> Vec<&'a str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for runs in all.values() {
        let measured: BTreeSet<&str> = runs.values().flat_map(|scores| scores.keys().copied()).collect();
        for name in measured {
            *counts.entry(name).or_insert(0) += 1;
        }
    }
    let most = counts.values().copied().max().unwrap_or(0) as f64;
    let kept = counts.into_iter().filter(|(_, n)| *n as f64 >= SHARE * most);
    kept.map(|(name, _)| name).collect()
}

/// The scores of the run that stands for a checkpoint: of those with all benchmarks the one in which no mode was set, else
/// the highest.
pub(super) fn best(runs: &Runs<'_>, benchmarks: &[&str]) -> Option<Vec<Measured>> {
    let whole = runs.values().filter_map(|scores| {
        let all: Option<Vec<&Score>> = benchmarks.iter().map(|name| scores.get(name).copied()).collect();
        all.filter(|all| !all.is_empty())
    });
    let order = |all: &Vec<&Score>| {
        let mean = all.iter().map(|score| score.value).sum::<f64>() / all.len() as f64;
        (all[0].mode.is_none(), mean)
    };
    let kept = whole.max_by(|a, b| {
        let (a, b) = (order(a), order(b));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    })?;
    Some(kept.into_iter().map(measured).collect())
}

/// Whole months from one day to another.
fn months(from: &str, to: &str) -> Option<i64> {
    let (from, to) = (catalog::day_of_text(from)?, catalog::day_of_text(to)?);
    Some(((f64::from(to) - f64::from(from)) / 30.44).floor() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_state_gives_way_to_the_board_itself() {
        let all = BTreeSet::from(["swallow-en-post", "swallow-2025-06-26-en-post"]);
        assert!(is_superseded("swallow-2025-06-26-en-post", &all));
        assert!(!is_superseded("swallow-2025-06-26-en-basic", &all));
        assert!(!is_superseded("swallow-en-post", &all));
        assert_eq!(months("2025-03-13", "2026-06-24"), Some(15));
    }
}
