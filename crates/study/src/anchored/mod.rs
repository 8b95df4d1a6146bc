//! Section: the larger members of a family from its smallest, on the table and by the split of Sloth.
//!
//! Sloth (Polo and others 2024, arXiv 2412.06540) says how far its predictions are off on leaderboard v2: groups of families
//! are tested in turn, **the smallest member of each is known**, errors are absolute differences of raw accuracies, mean over
//! the members of a group, then over groups. That is one question (one anchor); what nothing of a family is known for is
//! another (no anchor). Both are asked here of the same rows, of its methods (by the errors that it saved) and of the process of
//! `process`, which chooses nothing on what is tested.

mod process;
mod section;
#[cfg(test)]
mod tests;

use rayon::prelude::*;

use crate::section::Section;
use crate::statistics::{mean, normal_quantile};

/// A checkpoint of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct AnchoredRow {
    /// Its name in the table.
    pub model: String,
    /// Its family, as the table has it.
    pub family: String,
    /// Group of families that is tested together; none where it only trains.
    pub group: Option<usize>,
    /// Billions of parameters.
    pub size: f64,
    /// Trillions of tokens.
    pub tokens: f64,
    /// Tuned to instructions.
    pub is_tuned: bool,
    /// Raw accuracies in points, one a benchmark.
    pub scores: Vec<f64>,
}

/// A benchmark.
#[derive(Debug, Clone, PartialEq)]
pub struct AnchoredBenchmark {
    /// As in findings.
    pub name: String,
    /// For people.
    pub title: String,
    /// Points that guessing gets.
    pub chance: f64,
}

/// Errors of a method that others saved: mean absolute over the tested checkpoints of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Saved {
    /// Its name there.
    pub method: String,
    /// The group.
    pub group: usize,
    /// Checkpoints tested in it.
    pub checkpoints: usize,
    /// Points, one a benchmark.
    pub errors: Vec<f64>,
}

/// Everything that is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct AnchoredQuestion {
    /// In ids: `sloth_v2`.
    pub name: String,
    /// Whose table it is.
    pub work: String,
    /// Which of it.
    pub place: String,
    /// Benchmarks.
    pub benchmarks: Vec<AnchoredBenchmark>,
    /// Its rows, by family and size.
    pub rows: Vec<AnchoredRow>,
    /// What its own methods miss by with one anchor.
    pub saved: Vec<Saved>,
}

/// What is known of a tested family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Anchor {
    /// Its smallest member's scores.
    One,
    /// Nothing.
    None,
}

impl Anchor {
    const ALL: [Self; 2] = [Self::One, Self::None];

    const fn name(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::None => "none",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::One => "the smallest of each family known",
            Self::None => "nothing of the family known",
        }
    }
}

/// Share that intervals shall hold.
const LEVEL: f64 = 0.8;
/// Rows nearest in size whose mean is the look-up.
const NEAREST: usize = 5;

/// A tested checkpoint: what it scored, and what is said of it, points, one a benchmark.
#[derive(Debug, Clone, PartialEq)]
struct Tested {
    row: usize,
    group: usize,
    process: Vec<f64>,
    ends: Vec<(f64, f64)>,
    /// The scores of the smallest of its family.
    copied: Vec<f64>,
    /// Means of the training rows nearest in size.
    by_size: Vec<f64>,
}

/// The smallest row of each family, the first of several.
fn is_smallest(rows: &[AnchoredRow], place: usize) -> bool {
    let own = &rows[place];
    !rows.iter().enumerate().any(|(other, row)| {
        row.family == own.family && (row.size < own.size || row.size == own.size && other < place)
    })
}

/// Every tested checkpoint; none where a group cannot be fitted.
fn tested(question: &AnchoredQuestion, anchor: Anchor) -> Option<Vec<Tested>> {
    let rows = &question.rows;
    let mut groups: Vec<usize> = rows.iter().filter_map(|row| row.group).collect();
    groups.sort_unstable();
    groups.dedup();
    let of_groups: Vec<Option<Vec<Tested>>> = groups
        .par_iter()
        .map(|&group| {
            let is_hidden = |place: usize| {
                rows[place].group == Some(group) && !(anchor == Anchor::One && is_smallest(rows, place))
            };
            let train: Vec<&AnchoredRow> = (0..rows.len())
                .filter(|&place| !is_hidden(place))
                .map(|place| &rows[place])
                .collect();
            // The same checkpoints in both readings.
            let asked: Vec<usize> = (0..rows.len())
                .filter(|&place| rows[place].group == Some(group) && !is_smallest(rows, place))
                .collect();
            let new: Vec<&AnchoredRow> = asked.iter().map(|&place| &rows[place]).collect();
            let said = process::expected(&question.benchmarks, &train, &new)?;
            let half = normal_quantile(LEVEL);
            let one = |(&row, said): (&usize, &Vec<process::Expected>)| {
                let with = |shift: f64| -> Vec<f64> {
                    let each = question.benchmarks.iter().zip(said);
                    each.map(|(known, (value, variance))| {
                        process::score(known, value + shift * variance.sqrt())
                    })
                    .collect()
                };
                let smallest = (0..rows.len())
                    .find(|&place| rows[place].family == rows[row].family && is_smallest(rows, place));
                Tested {
                    row,
                    group,
                    process: with(0.0),
                    ends: with(-half).into_iter().zip(with(half)).collect(),
                    copied: smallest.map_or_else(Vec::new, |place| rows[place].scores.clone()),
                    by_size: by_size(&train, &rows[row]),
                }
            };
            Some(asked.iter().zip(&said).map(one).collect())
        })
        .collect();
    Some(
        of_groups
            .into_iter()
            .collect::<Option<Vec<_>>>()?
            .into_iter()
            .flatten()
            .collect(),
    )
}

fn by_size(train: &[&AnchoredRow], row: &AnchoredRow) -> Vec<f64> {
    let mut near: Vec<&AnchoredRow> = train.to_vec();
    near.sort_by(|a, b| {
        let apart = |other: &AnchoredRow| (other.size / row.size).ln().abs();
        apart(a).total_cmp(&apart(b))
    });
    near.truncate(NEAREST);
    (0..row.scores.len())
        .map(|place| mean(&near.iter().map(|other| other.scores[place]).collect::<Vec<f64>>()))
        .collect()
}

/// The section; empty where there is nothing to test.
pub fn section(question: &AnchoredQuestion, resamples: usize, seed: u64) -> Section {
    section::section(question, resamples, seed)
}
