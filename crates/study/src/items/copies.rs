//! Checkpoints with dependent answers: copies, merges, and models trained from one another.
//!
//! Two tests of every pair, each with half of the given familywise error rate over all pairs:
//! - **pattern**: number of items on which both are right or both wrong, compared with random tables in which every
//!   checkpoint keeps its score and every item its difficulty (`shuffled`). In each table, observed or random, a pair's
//!   number of agreements is standardised by its mean and standard deviation over all tables; a pair's p is the rank of
//!   its z among the largest z of each table.
//! - **choices**: number of items on which both give the same wrong answer, compared with assigning the wrong answers
//!   to each item at random to those who are wrong on it. The items are then independent trials with known
//!   probabilities, and the p of their sum is exact (Poisson binomial); times the number of pairs (Bonferroni).
//!
//! Related checkpoints are flagged by both tests without being copies, as relatedness is what they measure. The share
//! of agreements shows how close they are.

use rayon::prelude::*;

use super::answers::Answers;
use super::bits::Bits;
use super::shuffled::{ancestor, draw};
use super::tail;

/// Fewest checkpoints from which the difficulty of items can be estimated.
pub const FEWEST: usize = 5;

/// Agreement of two checkpoints.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// Row index of the first.
    pub a: usize,
    /// Row index of the second.
    pub b: usize,
    /// Number of items that both answered.
    pub n: usize,
    /// Number of these on which both are right or both wrong.
    pub agree: usize,
    /// Expected number for independent checkpoints of these scores on items of this difficulty.
    pub agree_expected: f64,
    /// Standardised excess of agreements.
    pub z: f64,
    /// Familywise p value: probability that the largest z over all pairs of independent checkpoints is at least as
    /// large.
    pub p_pattern: f64,
    /// Number of items on which both are wrong and both answers are known.
    pub both_wrong: usize,
    /// Number of these with the same answer.
    pub same_wrong: usize,
    /// Expected number for checkpoints that choose among the wrong answers as the others do.
    pub same_wrong_expected: f64,
    /// p value of the number of same answers, times the number of pairs; `None` where no answers are known.
    pub p_choices: Option<f64>,
}

impl Pair {
    /// Whether one of the tests flags the pair at a familywise error rate of `level`.
    pub fn is_flagged(&self, level: f64) -> bool {
        self.p_pattern <= level / 2.0 || self.p_choices.is_some_and(|p| p <= level / 2.0)
    }
}

/// All pairs, with the critical z that independent checkpoints exceed in a share `level / 2` of tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Copies {
    /// Pairs ordered by row, with `a < b`.
    pub pairs: Vec<Pair>,
    /// The critical z.
    pub critical: f64,
    /// Number of random tables drawn.
    pub draws: usize,
}

/// Compares all pairs; `None` for fewer than [`FEWEST`] checkpoints, which say too little about the items, or no draws.
pub fn copies(answers: &Answers, draws: usize, level: f64, seed: u64) -> Option<Copies> {
    let n = answers.checkpoints.len();
    if n < FEWEST || draws == 0 {
        return None;
    }
    let start = ancestor(answers, seed);
    let observed = agreements(answers, std::slice::from_ref(&answers.correct));
    // Integer sums, so that the order in which threads add has no effect.
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
    // The smallest z for which the p value, among draws + 1 tables, is at most level / 2.
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

/// Number of tables in memory at a time.
const BLOCK: usize = 16;

fn places_of_pairs(n: usize) -> Vec<(usize, usize)> {
    (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b))).collect()
}

/// `(n_pairs, n_tables)`: number of items answered by both on which both are right or both wrong.
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
