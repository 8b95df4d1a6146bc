//! Answers of checkpoints to the items of one benchmark, collected from rows in any order.

use std::collections::{BTreeMap, BTreeSet};

use super::bits::Bits;
use crate::error::Error;

/// The answer is not known, only whether it was correct.
pub(crate) const UNKNOWN: u32 = u32::MAX;

/// Answers to the items of one benchmark.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    /// The benchmark.
    pub benchmark: String,
    /// Checkpoints, sorted by name.
    pub checkpoints: Vec<String>,
    /// Items, sorted by name.
    pub items: Vec<String>,
    /// `(n_checkpoints, n_items)`: whether the item was answered.
    pub answered: Bits,
    /// `(n_checkpoints, n_items)`: whether it was answered correctly.
    pub correct: Bits,
    /// `(n_checkpoints, n_items)`: an integer for each different answer; empty where no row gives its answer.
    pub(crate) chosen: Vec<u32>,
}

impl Answers {
    /// Number of items that checkpoint `c` answered.
    pub fn n_answered(&self, c: usize) -> usize {
        self.answered.ones(c)
    }

    /// Share of its answered items that checkpoint `c` answered correctly; NaN if it answered none.
    pub fn score(&self, c: usize) -> f64 {
        self.correct.ones(c) as f64 / self.n_answered(c) as f64
    }

    /// Per item: the number of checkpoints that answered it, and of those that answered it correctly.
    pub fn counts(&self) -> Vec<(usize, usize)> {
        let mut counts = vec![(0, 0); self.items.len()];
        for c in 0..self.checkpoints.len() {
            for (i, (answered, correct)) in counts.iter_mut().enumerate() {
                *answered += usize::from(self.answered.get(c, i));
                *correct += usize::from(self.correct.get(c, i));
            }
        }
        counts
    }

    /// Row index of a checkpoint.
    pub fn row_of(&self, checkpoint: &str) -> Option<usize> {
        self.checkpoints
            .binary_search_by(|known| known.as_str().cmp(checkpoint))
            .ok()
    }

    /// The answer of checkpoint `c` to item `i`; `None` where it is not known.
    pub(crate) fn choice(&self, c: usize, i: usize) -> Option<u32> {
        let code = self.chosen.get(c * self.items.len() + i).copied()?;
        (code != UNKNOWN).then_some(code)
    }
}

/// Collects rows to build [`Answers`].
#[derive(Debug, Default)]
pub struct Gather {
    checkpoints: BTreeMap<String, u32>,
    items: BTreeMap<String, u32>,
    choices: BTreeMap<String, u32>,
    last: Option<(String, u32)>,
    rows: Vec<(u32, u32, u32)>,
}

/// Marks a correct answer: the highest bit of the choice.
const RIGHT: u32 = 1 << 31;
/// The choice of a row without an answer, in the bits below.
const NONE: u32 = RIGHT - 1;

impl Gather {
    /// Adds one answer.
    pub fn add(&mut self, checkpoint: &str, item: &str, correct: bool, choice: Option<&str>) {
        let c = match &self.last {
            Some((name, number)) if name == checkpoint => *number,
            _ => {
                let number = number(&mut self.checkpoints, checkpoint);
                self.last = Some((checkpoint.to_owned(), number));
                number
            }
        };
        let i = number(&mut self.items, item);
        let choice = choice.map_or(NONE, |choice| number(&mut self.choices, choice));
        self.rows.push((c, i, choice | if correct { RIGHT } else { 0 }));
    }

    /// Builds the answers, with rows and columns sorted by name.
    ///
    /// # Errors
    /// [`Error::NoRows`] if nothing was added; [`Error::RepeatedAnswer`] where a checkpoint answered an item twice.
    pub fn finish(self, benchmark: &str) -> Result<Answers, Error> {
        if self.rows.is_empty() {
            return Err(Error::NoRows);
        }
        let (checkpoints, place_of) = ordered(self.checkpoints);
        let (items, column_of) = ordered(self.items);
        let mut answered = Bits::new(checkpoints.len(), items.len());
        let mut correct = answered.clone();
        let mut chosen = if self.choices.is_empty() {
            Vec::new()
        } else {
            vec![UNKNOWN; checkpoints.len() * items.len()]
        };
        // Choices are numbered in the order of their text, so that the order of the rows has no effect.
        let (_, choice_of) = ordered(self.choices);
        for (c, i, choice) in self.rows {
            let (c, i) = (place_of[c as usize], column_of[i as usize]);
            if answered.get(c, i) {
                return Err(Error::RepeatedAnswer {
                    checkpoint: checkpoints[c].clone(),
                    benchmark: benchmark.to_owned(),
                    item: items[i].clone(),
                });
            }
            answered.set(c, i, true);
            correct.set(c, i, choice & RIGHT != 0);
            if choice & NONE != NONE {
                chosen[c * items.len() + i] = choice_of[(choice & NONE) as usize] as u32;
            }
        }
        Ok(Answers {
            benchmark: benchmark.to_owned(),
            checkpoints,
            items,
            answered,
            correct,
            chosen,
        })
    }
}

fn number(known: &mut BTreeMap<String, u32>, name: &str) -> u32 {
    if let Some(&number) = known.get(name) {
        return number;
    }
    let next = known.len() as u32;
    known.insert(name.to_owned(), next);
    next
}

/// The names sorted, and the position of each former number in them.
fn ordered(numbers: BTreeMap<String, u32>) -> (Vec<String>, Vec<usize>) {
    let mut places = vec![0; numbers.len()];
    let mut names = Vec::with_capacity(numbers.len());
    for (place, (name, number)) in numbers.into_iter().enumerate() {
        places[number as usize] = place;
        names.push(name);
    }
    (names, places)
}

/// Per item of the answers: whether it is in `subset`.
pub(crate) fn columns_of(answers: &Answers, subset: &BTreeSet<String>) -> Vec<bool> {
    answers.items.iter().map(|item| subset.contains(item)).collect()
}
