//! The columns beside the shape (`kv_heads`, `vocab_size`, `pos`) where a checkpoint's own config does not tell them.
//!
//! Rule: among checkpoints of the same shape (and block family, where one is known) that state the column, those that
//! share most words of the name; of these the value that most have, and of equally many the one published nearest in
//! time. A shape fixes its key and value heads nearly always; vocabulary and positions follow the base, which names
//! tell. How often the rule is right is measured by leaving each known value out ([`Rest::accuracy`]).

use std::collections::{BTreeMap, BTreeSet};

use super::pool::{Shape, block, family_of};
use crate::gather::Known;

/// Names of the columns, in the order of [`Known::dimensions`] from the fifth on.
pub(crate) const COLUMNS: [&str; 3] = ["kv_heads", "vocab_size", "pos"];
/// A checkpoint without a date counts as this far away, in days.
const FAR: i32 = 10_000;

/// A checkpoint that states its shape and at least one of the columns.
struct Stated {
    at: u32,
    family: Option<String>,
    words: BTreeSet<String>,
    date: Option<i32>,
    columns: [Option<i64>; 3],
}

/// What checkpoints of each shape state.
pub(crate) struct Rest {
    by_shape: BTreeMap<Shape, Vec<Stated>>,
}

/// One column: values left out, answered, and right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Right {
    pub(crate) held_out: usize,
    pub(crate) answered: usize,
    pub(crate) equal: usize,
}

impl Rest {
    /// Learns from every checkpoint whose shape is its own.
    pub(crate) fn of(known: &[Known]) -> Self {
        let mut by_shape: BTreeMap<Shape, Vec<Stated>> = BTreeMap::new();
        for (at, entry) in known.iter().enumerate() {
            let columns = [entry.dimensions[4], entry.dimensions[5], entry.dimensions[6]];
            if let Some(shape) = entry.shape().filter(|_| columns.iter().any(Option::is_some)) {
                by_shape.entry(shape).or_default().push(Stated {
                    at: at as u32,
                    family: block_of(entry),
                    words: words(&entry.id),
                    date: entry.published(),
                    columns,
                });
            }
        }
        Self { by_shape }
    }

    /// The value of column `column` (0 to 2) for a checkpoint of this shape; `without`: as if that one stated nothing.
    pub(crate) fn tell(
        &self,
        known: &Known,
        shape: Shape,
        column: usize,
        without: Option<u32>,
    ) -> Option<i64> {
        let family = block_of(known);
        let states = |stated: &&Stated| stated.columns[column].is_some() && Some(stated.at) != without;
        let all: Vec<&Stated> = self.by_shape.get(&shape)?.iter().filter(states).collect();
        let akin: Vec<&Stated> = all
            .iter()
            .copied()
            .filter(|stated| family.is_some() && stated.family == family)
            .collect();
        let candidates = if akin.is_empty() { all } else { akin };
        let own = words(&known.id);
        let shared = |stated: &Stated| stated.words.intersection(&own).count();
        let most_shared = candidates.iter().map(|stated| shared(stated)).max()?;
        let date = known.published();
        let away = |stated: &Stated| match (stated.date, date) {
            (Some(theirs), Some(ours)) => (theirs - ours).abs().min(FAR),
            _ => FAR,
        };
        // Per value: how many have it, and how near the nearest of them is.
        let mut votes: BTreeMap<i64, (usize, i32)> = BTreeMap::new();
        for stated in candidates.iter().filter(|stated| shared(stated) == most_shared) {
            let vote = votes.entry(stated.columns[column]?).or_insert((0, FAR));
            *vote = (vote.0 + 1, vote.1.min(away(stated)));
        }
        votes
            .into_iter()
            .max_by_key(|&(value, (count, away))| (count, -away, std::cmp::Reverse(value)))
            .map(|(value, _)| value)
    }

    /// How right the rule is, each known value left out in turn.
    pub(crate) fn accuracy(&self, known: &[Known]) -> [Right; 3] {
        let mut right = [Right::default(); 3];
        for (at, entry) in known.iter().enumerate() {
            let Some(shape) = entry.shape() else { continue };
            for (column, right) in right.iter_mut().enumerate() {
                let Some(truth) = entry.dimensions[column + 4] else {
                    continue;
                };
                right.held_out += 1;
                if let Some(answer) = self.tell(entry, shape, column, Some(at as u32)) {
                    right.answered += 1;
                    right.equal += usize::from(answer == truth);
                }
            }
        }
        right
    }
}

fn block_of(known: &Known) -> Option<String> {
    family_of(known).map(|family| block(&family).to_string())
}

/// The words of a checkpoint's name, without the organisation.
fn words(id: &str) -> BTreeSet<String> {
    let name = id.rsplit('/').next().unwrap_or(id).to_lowercase();
    name.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.')
        .filter(|word| !word.is_empty())
        .map(ToString::to_string)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = [32, 4096, 14_336, 32];

    fn known(id: &str, kv_heads: Option<i64>) -> Known {
        Known {
            id: id.into(),
            dimensions: [Some(32), Some(4096), Some(14_336), Some(32), kv_heads, None, None],
            architecture: Some("LlamaForCausalLM".into()),
            ..Known::default()
        }
    }

    #[test]
    fn the_nearest_name_tells_before_the_majority() {
        let stated = [
            known("a/llama-3-8b", Some(8)),
            known("b/other", Some(32)),
            known("c/another", Some(32)),
        ];
        let rest = Rest::of(&stated);
        assert_eq!(rest.tell(&known("d/llama-3-tune", None), SHAPE, 0, None), Some(8));
        assert_eq!(rest.tell(&known("d/new", None), SHAPE, 0, None), Some(32));
        assert_eq!(rest.tell(&known("d/new", None), SHAPE, 1, None), None);
        assert_eq!(rest.tell(&known("d/new", None), [1, 2, 3, 4], 0, None), None);
    }

    #[test]
    fn a_value_left_out_does_not_tell_itself() {
        let all = [known("a/llama-3-8b", Some(8))];
        let right = Rest::of(&all).accuracy(&all);
        assert_eq!(
            right[0],
            Right {
                held_out: 1,
                answered: 0,
                equal: 0
            }
        );
    }
}
