//! Section on predicting the larger members of a family from its smallest, with the data and splits of Sloth.
//!
//! Sloth (Polo and others 2024, arXiv 2412.06540) reports prediction errors on leaderboard v2: groups of families are
//! tested in turn with **the smallest member of each known**, and errors are absolute differences of raw accuracies,
//! averaged over the members of a group, then over groups (one anchor). Predicting a family of which nothing is known
//! is another task (no anchor). Both are evaluated here on the same rows, for Sloth's methods (by their published
//! errors) and for the process in `process`, which is not tuned on the tested rows.

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
    /// Index of the group of families that is tested together; `None` for rows used for training only.
    pub group: Option<usize>,
    /// Billions of parameters.
    pub size: f64,
    /// Trillions of tokens.
    pub tokens: f64,
    /// Whether it is instruction-tuned.
    pub is_tuned: bool,
    /// Raw accuracies in points, one per benchmark.
    pub scores: Vec<f64>,
}

/// A benchmark.
#[derive(Debug, Clone, PartialEq)]
pub struct AnchoredBenchmark {
    /// Name as in the findings.
    pub name: String,
    /// Title shown to readers.
    pub title: String,
    /// Score by guessing, in points.
    pub chance: f64,
}

/// Published errors of a method: mean absolute error over the tested checkpoints of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Saved {
    /// Name of the method in the publication.
    pub method: String,
    /// Index of the group.
    pub group: usize,
    /// Number of checkpoints tested in the group.
    pub checkpoints: usize,
    /// Errors in points, one per benchmark.
    pub errors: Vec<f64>,
}

/// Input of the section.
#[derive(Debug, Clone, PartialEq)]
pub struct AnchoredQuestion {
    /// Name in finding ids: `sloth_v2`.
    pub name: String,
    /// The work that published the table.
    pub work: String,
    /// The part of the work.
    pub place: String,
    /// Benchmarks.
    pub benchmarks: Vec<AnchoredBenchmark>,
    /// Rows, ordered by family and size.
    pub rows: Vec<AnchoredRow>,
    /// Published errors of the work's own methods, with one anchor.
    pub saved: Vec<Saved>,
}

/// What is known of a tested family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Anchor {
    /// The scores of its smallest member.
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

/// Nominal coverage of the intervals.
const LEVEL: f64 = 0.8;
/// Number of rows nearest in size whose mean is the look-up's prediction.
const NEAREST: usize = 5;

/// A tested checkpoint with its predictions in points, one per benchmark.
#[derive(Debug, Clone, PartialEq)]
struct Tested {
    row: usize,
    group: usize,
    process: Vec<f64>,
    ends: Vec<(f64, f64)>,
    /// Prediction by copying: the scores of the smallest member of its family.
    copied: Vec<f64>,
    /// Prediction by look-up: means of the training rows nearest in size.
    by_size: Vec<f64>,
}

/// Whether a row is the smallest of its family, the first on a tie.
fn is_smallest(rows: &[AnchoredRow], place: usize) -> bool {
    let own = &rows[place];
    !rows.iter().enumerate().any(|(other, row)| {
        row.family == own.family && (row.size < own.size || row.size == own.size && other < place)
    })
}

/// Predictions of every tested checkpoint; `None` where a group cannot be fitted.
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
            // The same checkpoints are tested with and without an anchor.
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

/// Builds the section; empty where there is nothing to test.
pub fn section(question: &AnchoredQuestion, resamples: usize, seed: u64) -> Section {
    section::section(question, resamples, seed)
}
