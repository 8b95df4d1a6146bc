//! What is asked for as one ability: every board that measured it on one scale, with what each board said; first comes what is
//! surest to be able, by the lower end of its interval.
//!
//! Boards are put on one scale by `study::linked` through the checkpoints that they share. A board's score is the mean over its
//! benchmarks that ask for the ability, of one run; scores of several boards are never averaged as they stand.

use std::collections::{BTreeMap, BTreeSet};

use catalog::tables::Training;
use rayon::prelude::*;
use serde::Serialize;
use study::finding::Interval;
use study::linked::{Column, Linked, LinkedAbility, LinkedCell, linked};

use super::boards::{Gathered, best, common};
use super::candidates::Fit;
use super::copies::{BitsCost, Copies, cost_in_words};
use super::running::Running;
use super::{Budget, scored};
use crate::answers::measured::Measured;
use crate::answers::predictor::is_superseded;

/// Fewer benchmarks than these make no board where no task is named.
const BENCHMARKS: usize = 3;
/// Standard errors in half a two-sided interval of 95 %.
const TWO_SIDED: f64 = 1.959_964;

/// What one board measured of one checkpoint.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Evidence {
    pub(crate) board: String,
    pub(crate) benchmarks: Vec<String>,
    /// Mean over them, points on the board's own scale.
    pub(crate) value: f64,
    /// 95 %, by the items asked or as published.
    pub(crate) interval: Option<Interval>,
    /// Day of the newest score, or of the state of the board that the catalog holds.
    pub(crate) newest_score_date: Option<String>,
    /// The way of thinking, where the run set one.
    pub(crate) mode: Option<String>,
}

/// What a checkpoint has of what is asked for.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct AbilityOf {
    /// Points that it would be expected to have on the board that most checkpoints were measured on.
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Share of such intervals that shall hold, a fraction.
    pub(crate) level: f64,
    /// The board.
    pub(crate) on: String,
}

/// One checkpoint that fits and was measured.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Ranked {
    pub(crate) rank: usize,
    /// Rows of one group cannot be told apart: 95 % of the difference to the one of the highest lower end holds 0.
    pub(crate) group: usize,
    pub(crate) id: String,
    /// A leaderboard calls its organisation an official provider, or that organisation trained it from scratch, or made it from
    /// what it trained from scratch. Inside a group these stand first.
    pub(crate) is_original: bool,
    pub(crate) ability: AbilityOf,
    /// What each board measured, the newest first.
    pub(crate) boards: Vec<Evidence>,
    pub(crate) newest_score_date: Option<String>,
    #[serde(flatten)]
    pub(crate) running: Running,
    /// What that type of weights costs in score, as far as a board measured it.
    pub(crate) quantization_cost: String,
    /// Quantised copies by name, for the engine asked for; none where the catalog knows none.
    pub(crate) copies: Vec<String>,
    pub(crate) license: Option<String>,
    /// Day of publication.
    pub(crate) date: Option<String>,
    /// Billions of parameters.
    pub(crate) size: f64,
    /// What made it, where known: `pretrained`, `chat`, `merge` …
    pub(crate) training: Option<String>,
    /// Why it stands here, in words.
    pub(crate) why: String,
    /// In standard deviations over all checkpoints.
    #[serde(skip)]
    pub(crate) posterior: Posterior,
}

impl Ranked {
    /// Not known to be tuned to answer: trained on text alone, or further from a checkpoint that may have been.
    pub(crate) fn is_base(&self) -> bool {
        self.is(Training::Pretrained) || self.is(Training::Continued)
    }

    fn is(&self, label: Training) -> bool {
        self.training.as_deref() == Some(label.as_str())
    }
}

/// Mean and variance of an ability.
pub(crate) type Posterior = (f64, f64);

/// A board that the scale rests on.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LinkedBoard {
    pub(crate) board: String,
    pub(crate) benchmarks: Vec<String>,
    pub(crate) newest_score_date: Option<String>,
    /// Checkpoints it measured.
    pub(crate) n: usize,
    /// Share of its spread (in logits) that the ability makes up, a fraction.
    pub(crate) share: f64,
}

/// Every checkpoint that a linked board measured.
pub(super) struct Abilities<'a> {
    boards: Vec<(LinkedBoard, Column)>,
    /// The board whose points are shown.
    main: Option<usize>,
    by_id: BTreeMap<&'a str, (LinkedAbility, Vec<Evidence>)>,
}

impl<'a> Abilities<'a> {
    /// By all boards that ask for one of these abilities, in runs of the mode asked for.
    pub(super) fn of(Gathered { by_board, newest }: &Gathered<'a>, budget: &Budget) -> Self {
        let least = if budget.tasks.is_empty() { BENCHMARKS } else { 1 };
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        let mut cells: Vec<LinkedCell> = Vec::new();
        let mut evidence: Vec<Vec<(usize, Evidence)>> = Vec::new();
        let mut names: Vec<(&str, Vec<String>)> = Vec::new();
        let dated: BTreeSet<&str> = newest.keys().copied().collect();
        for (&board, all) in by_board {
            let benchmarks = common(all);
            if is_superseded(board, &dated) || benchmarks.len() < least {
                continue;
            }
            let column = names.len();
            names.push((board, benchmarks.iter().map(ToString::to_string).collect()));
            let measured: Vec<(&str, f64, Evidence)> = all
                .par_iter()
                .filter_map(|(&id, runs)| {
                    let (error, own) = evidence_of(best(runs, &benchmarks)?);
                    let newest_score_date = own.newest_score_date.or_else(|| newest.get(board).cloned());
                    let own = Evidence {
                        board: board.to_owned(),
                        benchmarks: names[column].1.clone(),
                        newest_score_date: newest_score_date.filter(|day| !day.is_empty()),
                        ..own
                    };
                    Some((id, error, own))
                })
                .collect();
            for (id, error, own) in measured {
                let row = *places.entry(id).or_insert_with(|| {
                    evidence.push(Vec::new());
                    evidence.len() - 1
                });
                cells.push(LinkedCell {
                    row,
                    column,
                    value: own.value,
                    error,
                });
                evidence[row].push((column, own));
            }
        }
        let Linked { columns, rows } = linked(evidence.len(), names.len(), &cells);
        let main = (0..names.len())
            .filter(|&at| columns[at].is_some())
            .max_by_key(|&at| (columns[at].map_or(0, |column| column.n), std::cmp::Reverse(at)));
        let by_id = places
            .into_iter()
            .filter_map(|(id, row)| {
                let mut all: Vec<Evidence> = evidence[row]
                    .iter()
                    .filter(|(at, _)| columns[*at].is_some())
                    .map(|(_, one)| one.clone())
                    .collect();
                all.sort_by(|a, b| {
                    b.newest_score_date
                        .cmp(&a.newest_score_date)
                        .then(a.board.cmp(&b.board))
                });
                Some((id, (rows[row]?, all)))
            })
            .collect();
        // Places are kept: `main` is one of the linked boards, in their order.
        let main = main.map(|at| columns[..at].iter().flatten().count());
        let boards = names
            .into_iter()
            .zip(columns)
            .filter_map(|((board, benchmarks), column)| {
                let column = column?;
                let made = column.slope.powi(2);
                Some((
                    LinkedBoard {
                        newest_score_date: newest.get(board).filter(|day| !day.is_empty()).cloned(),
                        board: board.to_owned(),
                        benchmarks,
                        n: column.n,
                        share: made / (made + column.variance),
                    },
                    column,
                ))
            })
            .collect();
        Self { boards, main, by_id }
    }

    /// The boards that the scale rests on.
    pub(super) fn boards(&self) -> Vec<LinkedBoard> {
        self.boards.iter().map(|(board, _)| board.clone()).collect()
    }

    /// The newest day that any of them has a score of.
    pub(super) fn newest(&self) -> Option<&str> {
        self.boards
            .iter()
            .filter_map(|(board, _)| board.newest_score_date.as_deref())
            .max()
    }

    /// The ability of a checkpoint as points of the main board.
    pub(super) fn of_id(&self, id: &str) -> Option<(AbilityOf, Posterior)> {
        let (ability, _) = self.by_id.get(id)?;
        let (board, column) = &self.boards[self.main?];
        let half = TWO_SIDED * ability.variance.sqrt();
        let shown = AbilityOf {
            value: column.points(ability.mean),
            low: column.points(ability.mean - half),
            high: column.points(ability.mean + half),
            level: 0.95,
            on: board.board.clone(),
        };
        Some((shown, (ability.mean, ability.variance)))
    }

    /// What boards measured of a checkpoint.
    pub(super) fn evidence(&self, id: &str) -> &[Evidence] {
        self.by_id.get(id).map_or(&[], |(_, all)| all)
    }

    /// What fits and was measured, by the lower end of what boards say of it, with groups of what cannot be told apart.
    pub(super) fn ranked(
        &self,
        fits: &[Fit],
        copies: &Copies<'_>,
        costs: &[BitsCost],
        what: &str,
    ) -> Vec<Ranked> {
        let mut rows: Vec<Ranked> = fits
            .par_iter()
            .filter_map(|fit| {
                let (ability, posterior) = self.of_id(&fit.id)?;
                let boards = self.evidence(&fit.id).to_vec();
                Some(Ranked {
                    rank: 0,
                    group: 0,
                    newest_score_date: boards
                        .iter()
                        .filter_map(|one| one.newest_score_date.clone())
                        .max(),
                    boards,
                    ability,
                    copies: copies.named(&fit.id, fit.running.engine, fit.running.quant),
                    quantization_cost: cost_in_words(fit.running.quant, costs),
                    running: fit.running.clone(),
                    license: fit.license.clone(),
                    date: fit.date.clone(),
                    size: fit.size,
                    training: fit.training.map(|label| label.as_str().to_owned()),
                    why: String::new(),
                    id: fit.id.clone(),
                    is_original: fit.is_original,
                    posterior,
                })
            })
            .collect();
        // By the lower end: of thousands of entries that one board alone measured, the highest are the luckiest.
        let low = |row: &Ranked| row.posterior.0 - TWO_SIDED * row.posterior.1.sqrt();
        rows.sort_by(|a, b| low(b).total_cmp(&low(a)).then(a.id.cmp(&b.id)));
        let (mut first, mut group) = (0, 0);
        for place in 0..rows.len() {
            if place == 0 || !is_tie(rows[first].posterior, rows[place].posterior) {
                first = place;
                group += 1;
            }
            rows[place].group = group;
        }
        // What cannot be told apart is ordered by who made it, and the lower end after that.
        rows.sort_by_key(|row| (row.group, !row.is_original));
        for (place, row) in rows.iter_mut().enumerate() {
            row.rank = place + 1;
        }
        let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
        for row in &rows {
            *sizes.entry(row.group).or_insert(0) += 1;
        }
        for row in &mut rows {
            row.why = why(row, sizes[&row.group], what);
        }
        rows
    }
}

/// What one board says of a checkpoint by the scores of a run, without the board's name and date, and the standard error of
/// the mean.
fn evidence_of(scores: Vec<Measured>) -> (f64, Evidence) {
    let mode = scores.iter().find_map(|score| score.run.mode.clone());
    let newest_score_date = scores.iter().filter_map(|score| score.run.date.clone()).max();
    let scores: Vec<_> = scores.into_iter().map(scored::as_measured).collect();
    let value = scores.iter().map(|score| score.value).sum::<f64>() / scores.len() as f64;
    // Where the items of one are not known, all are taken to have as many as is usual.
    let error = study::noise::error_of_mean(scores.iter().map(|score| {
        let known = scored::error(score);
        let error = known.unwrap_or_else(|| study::noise::usual_error(score.value));
        (score.benchmark.as_str(), error)
    }));
    let own = Evidence {
        board: String::new(),
        benchmarks: Vec::new(),
        value,
        interval: scored::together(value, &scores, false),
        newest_score_date,
        mode,
    };
    (error, own)
}

/// Whether 95 % of the difference of two abilities hold 0.
pub(super) fn is_tie(a: Posterior, b: Posterior) -> bool {
    (a.0 - b.0).abs() <= TWO_SIDED * (a.1 + b.1).sqrt()
}

/// How many others a group of `n` has.
fn beside(n: usize) -> String {
    if n == 2 {
        "with one other".into()
    } else {
        format!("with {} others", n - 1)
    }
}

/// One line: what is left of the memory, how fast it is, and where it stands.
fn why(row: &Ranked, of_group: usize, what: &str) -> String {
    let gb = |bytes: f64| format!("{:.1} GB", bytes / 1e9);
    let running = &row.running;
    let mut parts = vec![if running.offloaded_layers > 0 {
        format!("{} layers beside the card", running.offloaded_layers)
    } else {
        format!("fits with {} to spare", gb(running.spare_bytes))
    }];
    if let Some(speed) = running
        .speed
        .as_ref()
        .and_then(|speed| speed.decode_tokens_per_s.as_ref())
    {
        parts.push(format!("{:.0}–{:.0} tokens/s", speed.low, speed.high));
    }
    parts.push(match (row.group, of_group) {
        (1, 1) => format!("ahead of all others in {what}"),
        (1, n) => format!("top group in {what} ({})", beside(n)),
        (group, 1) => format!("group {group} in {what}"),
        (group, n) => format!("group {group} in {what} ({})", beside(n)),
    });
    if row.is(Training::Pretrained) {
        parts.push("a base checkpoint, not tuned to answer".into());
    } else if row.is(Training::Continued) {
        parts.push(
            "trained further from another checkpoint; whether it is tuned for chat is not known".into(),
        );
    }
    let n = row.boards.len();
    if n == 1 {
        parts.push(format!("only {} measured it", row.boards[0].board));
    }
    parts.join(", ")
}
