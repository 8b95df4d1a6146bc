//! Checkpoints whose answers follow each other: copies, merges, retrainings of one another.
//!
//! Two tests of every pair, each with half of the stated rate of false alarms among all pairs together:
//! - **pattern**: items on which both are right or both wrong, against tables in which every checkpoint keeps its score and
//!   every item its difficulty (`shuffled`). In each table, observed or drawn, a pair's number of agreements is
//!   standardised by its mean and spread over all tables; a pair's p is the rank of its z among the tables' largest.
//! - **choices**: items on which both are wrong with the same answer, against the wrong answers to each item dealt out at random
//!   among those who are wrong on it. The items are then independent trials of known chances, and the p of their sum is exact
//!   (Poisson's binomial); times the number of pairs (Bonferroni).
//!
//! Related checkpoints fail both tests without being copies: that is what they measure. The agreement itself says how near
//! they are.

use rayon::prelude::*;

use super::answers::Answers;
use super::bits::Bits;
use super::shuffled::{ancestor, draw};
use super::tail;

/// Fewest checkpoints the difficulty of items is taken from.
pub const FEWEST: usize = 5;

/// What two checkpoints have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// Row of the first.
    pub a: usize,
    /// Row of the second.
    pub b: usize,
    /// Items both answered.
    pub n: usize,
    /// Of those, both right or both wrong.
    pub agree: usize,
    /// The same for independent checkpoints of these scores on items of this difficulty.
    pub agree_expected: f64,
    /// Standardised excess.
    pub z: f64,
    /// Chance of such a z in any pair of independent checkpoints.
    pub p_pattern: f64,
    /// Items on which both are wrong and both answers are known.
    pub both_wrong: usize,
    /// Of those, the same answer.
    pub same_wrong: usize,
    /// The same for checkpoints that choose among the wrong answers as the others do.
    pub same_wrong_expected: f64,
    /// Chance of so many in any pair; none where no answer is known.
    pub p_choices: Option<f64>,
}

impl Pair {
    /// Whether one of the tests calls it out, at a rate of false alarms of `level` over all pairs.
    pub fn is_flagged(&self, level: f64) -> bool {
        self.p_pattern <= level / 2.0 || self.p_choices.is_some_and(|p| p <= level / 2.0)
    }
}

/// All pairs, and the z that the largest of independent checkpoints pass once in `1 / (level / 2)` tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Copies {
    /// Pairs by rows, `a < b`.
    pub pairs: Vec<Pair>,
    /// The critical z.
    pub critical: f64,
    /// Draws.
    pub draws: usize,
}

/// Compares all pairs; `None` for fewer than [`FEWEST`] checkpoints, whose answers say too little of the items.
pub fn copies(answers: &Answers, draws: usize, level: f64, seed: u64) -> Option<Copies> {
    let n = answers.checkpoints.len();
    if n < FEWEST || draws == 0 {
        return None;
    }
    let start = ancestor(answers, seed);
    let observed = agreements(answers, std::slice::from_ref(&answers.correct));
    // Sums are whole numbers: the order in which threads add leaves no trace.
    let mut sums: Vec<(u64, u64)> = observed.iter().map(|row| (row[0], row[0] * row[0])).collect();
    let tables = |numbers: std::ops::Range<usize>| -> Vec<Bits> {
        numbers
            .into_par_iter()
            .map(|number| draw(answers, &start, seed, number))
            .collect()
    };
    for first in (0..draws).step_by(BLOCK) {
        let block = agreements(answers, &tables(first..draws.min(first + BLOCK)));
        for (sum, row) in sums.iter_mut().zip(block) {
            for agree in row {
                sum.0 += agree;
                sum.1 += agree * agree;
            }
        }
    }
    let all = (draws + 1) as f64;
    let moments: Vec<(f64, f64)> = sums
        .into_iter()
        .map(|(sum, squares)| {
            let mean = sum as f64 / all;
            (mean, (squares as f64 / all - mean * mean).max(0.0).sqrt())
        })
        .collect();
    let z = |agree: u64, (mean, spread): (f64, f64)| {
        if spread > 1e-9 {
            (agree as f64 - mean) / spread
        } else {
            0.0
        }
    };
    let mut largest = Vec::with_capacity(draws);
    for first in (0..draws).step_by(BLOCK) {
        let numbers = first..draws.min(first + BLOCK);
        let block = agreements(answers, &tables(numbers.clone()));
        for place in 0..numbers.len() {
            let of_table = block.iter().zip(&moments).map(|(row, m)| z(row[place], *m));
            largest.push(of_table.fold(f64::NEG_INFINITY, f64::max));
        }
    }
    largest.sort_by(f64::total_cmp);
    let rank = |z: f64| {
        let below = largest.partition_point(|&other| other < z);
        (1 + draws - below) as f64 / all
    };
    let items = tail::by_item(answers);
    let n_pairs = n * (n - 1) / 2;
    let pairs = places_of_pairs(n)
        .into_par_iter()
        .enumerate()
        .map(|(place, (a, b))| {
            let common = |i: usize| answers.answered.get(a, i) && answers.answered.get(b, i);
            let agree = observed[place][0];
            let z = z(agree, moments[place]);
            let wrong = items.as_ref().map(|items| items.same_wrong(answers, a, b));
            Pair {
                a,
                b,
                n: (0..answers.items.len()).filter(|&i| common(i)).count(),
                agree: agree as usize,
                agree_expected: moments[place].0,
                z,
                p_pattern: rank(z),
                both_wrong: wrong.as_ref().map_or(0, |wrong| wrong.n),
                same_wrong: wrong.as_ref().map_or(0, |wrong| wrong.same),
                same_wrong_expected: wrong.as_ref().map_or(f64::NAN, |wrong| wrong.expected),
                p_choices: wrong.map(|wrong| (wrong.p * n_pairs as f64).min(1.0)),
            }
        })
        .collect();
    // Among draws + 1 tables, the largest that a share of level / 2 reaches.
    let allowed = (level / 2.0 * all).floor() as usize;
    let critical = draws
        .checked_sub(allowed.max(1))
        .and_then(|place| largest.get(place + usize::from(allowed == 0)))
        .copied()
        .unwrap_or(f64::INFINITY);
    Some(Copies {
        pairs,
        critical,
        draws,
    })
}

/// Tables held at a time.
const BLOCK: usize = 16;

fn places_of_pairs(n: usize) -> Vec<(usize, usize)> {
    (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b))).collect()
}

/// `(n_pairs, n_tables)`: items both answered on which both are right or both wrong.
fn agreements(answers: &Answers, tables: &[Bits]) -> Vec<Vec<u64>> {
    places_of_pairs(answers.checkpoints.len())
        .into_par_iter()
        .map(|(a, b)| {
            let (p, q) = (answers.answered.row(a), answers.answered.row(b));
            let of_table = |table: &Bits| {
                let words = table.row(a).iter().zip(table.row(b)).zip(p.iter().zip(q));
                words
                    .map(|((x, y), (p, q))| u64::from((!(x ^ y) & p & q).count_ones()))
                    .sum()
            };
            tables.iter().map(of_table).collect()
        })
        .collect()
}
