//! Fills in the columns beside the shape (`kv_heads`, `vocab_size`, `pos`) where a checkpoint's own config does not
//! state them.
//!
//! Rule: consider the checkpoints with the same shape (and block family, where known) that state the column with a
//! value that this checkpoint can have (a vocabulary must not be younger than the checkpoint, nor give another size).
//! Among these, take the ones that share most words of the name, and of their values the most frequent; ties go to the
//! value published nearest in time. A shape nearly always determines its key and value heads. Vocabulary and positions
//! follow the base, which names indicate: they are filled in only where nearly all of these checkpoints agree
//! ([`AGREED`]), since a shape that Llama 2 and 3 share does not determine which vocabulary a checkpoint has. The
//! accuracy of the rule is measured by leaving each known value out ([`Rest::accuracy`]).

use std::collections::{BTreeMap, HashMap};

use super::memo::thin;
use super::template::{Shape, block, family_of};
use super::vocabulary::{AGREED, is_near};
use crate::known::Known;

/// Names of the columns, in the order of [`crate::observed::DIMENSIONS`] from the fifth on.
pub(crate) const COLUMNS: [&str; 3] = ["kv_heads", "vocab_size", "pos"];
/// Index of `vocab_size` among them.
const VOCABULARY: usize = 1;
/// Distance in time, in days, assumed for a checkpoint without a date.
const FAR: i32 = 10_000;
/// Greatest number of checkpoints per shape that are considered; of more, an evenly spaced selection.
const ASKED: usize = 2_048;

/// A checkpoint that states its shape and at least one of the columns.
struct Stated {
    at: u32,
    family: Option<u32>,
    date: Option<i32>,
    columns: [Option<i64>; 3],
}

/// The checkpoints of one shape that state a column.
#[derive(Default)]
struct OfShape {
    stated: Vec<Stated>,
    /// For each word (by its number), the indices in `stated` of checkpoints whose names have it.
    having: HashMap<u32, Vec<u16>>,
}

/// The stated columns, by shape.
pub(crate) struct Rest {
    by_shape: BTreeMap<Shape, OfShape>,
    families: HashMap<String, u32>,
    words: HashMap<String, u32>,
}

/// Accuracy for one column: numbers of values held out, answered, and equal to the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Right {
    pub(crate) held_out: usize,
    pub(crate) answered: usize,
    pub(crate) equal: usize,
}

fn columns(known: &Known) -> [Option<i64>; 3] {
    let [.., kv_heads, vocab_size, pos] = known.details.dimensions;
    [kv_heads, vocab_size, pos]
}

impl Rest {
    /// Collects every checkpoint whose shape is its own.
    pub(crate) fn of(known: &[Known]) -> Self {
        let mut stating: BTreeMap<Shape, Vec<u32>> = BTreeMap::new();
        for (at, entry) in known.iter().enumerate() {
            let states = columns(entry).iter().any(Option::is_some);
            if let Some(shape) = entry.shape().filter(|_| states) {
                stating.entry(shape).or_default().push(at as u32);
            }
        }
        let mut rest = Self {
            by_shape: BTreeMap::new(),
            families: HashMap::new(),
            words: HashMap::new(),
        };
        for (shape, all) in stating {
            let mut of_shape = OfShape::default();
            for at in thin(all, ASKED) {
                let entry = &known[at as usize];
                for word in words(&entry.id) {
                    let next = rest.words.len() as u32;
                    let number = *rest.words.entry(word).or_insert(next);
                    let having = of_shape.having.entry(number).or_default();
                    having.push(of_shape.stated.len() as u16);
                }
                let next = rest.families.len() as u32;
                of_shape.stated.push(Stated {
                    at,
                    family: block_of(entry).map(|family| *rest.families.entry(family).or_insert(next)),
                    date: entry.published(),
                    columns: columns(entry),
                });
            }
            rest.by_shape.insert(shape, of_shape);
        }
        rest
    }

    /// Values of the columns for a checkpoint with this shape. `without`: a checkpoint that is ignored; `admits`:
    /// whether the checkpoint can have a vocabulary size.
    pub(crate) fn tell(
        &self,
        known: &Known,
        shape: Shape,
        without: Option<u32>,
        admits: &dyn Fn(i64) -> bool,
    ) -> [Option<i64>; 3] {
        let Some(of_shape) = self.by_shape.get(&shape) else {
            return [None; 3];
        };
        // How many words of the name each of them shares.
        let mut shared = vec![0_u16; of_shape.stated.len()];
        for word in words(&known.id) {
            let having = self.words.get(&word).and_then(|word| of_shape.having.get(word));
            for &place in having.into_iter().flatten() {
                shared[usize::from(place)] += 1;
            }
        }
        let Ok(family) = block_of(known)
            .map(|family| self.families.get(&family).copied().ok_or(()))
            .transpose()
        else {
            return [None; 3];
        };
        [0, 1, 2].map(|column| {
            let all = of_shape.stated.iter().zip(&shared);
            let states = all.filter(|(stated, _)| {
                stated.columns[column].is_some_and(|value| column != VOCABULARY || admits(value))
                    && Some(stated.at) != without
            });
            most(states, family, known.published(), column)
        })
    }

    /// Accuracy of the rule, leaving out each known value of the checkpoints `of` in turn.
    pub(crate) fn accuracy(
        &self,
        known: &[Known],
        of: &[u32],
        admits: &dyn Fn(&Known, Shape, i64) -> bool,
    ) -> [Right; 3] {
        let mut right = [Right::default(); 3];
        for &at in of {
            let entry = &known[at as usize];
            let Some(shape) = entry.shape() else { continue };
            let truths = columns(entry);
            if truths.iter().all(Option::is_none) {
                continue;
            }
            let answers = self.tell(entry, shape, Some(at), &|vocab| admits(entry, shape, vocab));
            for ((right, truth), answer) in right.iter_mut().zip(truths).zip(answers) {
                let Some(truth) = truth else { continue };
                right.held_out += 1;
                right.answered += usize::from(answer.is_some());
                right.equal += usize::from(answer == Some(truth));
            }
        }
        right
    }
}

/// The most frequent value among the checkpoints that share most words, only those of the same family where it is
/// known; ties go to the value nearest in time, then to the smallest.
fn most<'a>(
    states: impl Iterator<Item = (&'a Stated, &'a u16)> + Clone,
    family: Option<u32>,
    date: Option<i32>,
    column: usize,
) -> Option<i64> {
    let is_akin = |stated: &Stated| family.is_some() && stated.family == family;
    let candidates = states.filter(|(stated, _)| family.is_none() || is_akin(stated));
    let most_shared = candidates.clone().map(|(_, &shared)| shared).max()?;
    let away = |stated: &Stated| match (stated.date, date) {
        (Some(theirs), Some(ours)) => (theirs - ours).abs().min(FAR),
        _ => FAR,
    };
    // For each value: how many have it, and the distance in time of the nearest of these.
    let mut votes: BTreeMap<i64, (usize, i32)> = BTreeMap::new();
    for (stated, _) in candidates.filter(|&(_, &shared)| shared == most_shared) {
        let vote = votes.entry(stated.columns[column]?).or_insert((0, FAR));
        *vote = (vote.0 + 1, vote.1.min(away(stated)));
    }
    let of = |wanted: &dyn Fn(i64) -> bool| -> usize {
        let votes = votes.iter().filter(|(value, _)| wanted(**value));
        votes.map(|(_, (count, _))| count).sum()
    };
    votes
        .iter()
        .max_by_key(|&(value, (count, away))| (count, -away, std::cmp::Reverse(value)))
        .map(|(&value, _)| value)
        .filter(|&told| column == 0 || of(&|other| is_near(other, told)) * 100 >= of(&|_| true) * AGREED)
}

fn block_of(known: &Known) -> Option<String> {
    family_of(known).map(|family| block(&family).to_string())
}

/// The words of a checkpoint's name, without the organisation, each once.
fn words(id: &str) -> Vec<String> {
    let name = id.rsplit('/').next().unwrap_or(id).to_lowercase();
    let mut words: Vec<String> = name
        .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.')
        .filter(|word| !word.is_empty())
        .map(ToString::to_string)
        .collect();
    words.sort_unstable();
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::known::Detail;

    const SHAPE: Shape = [32, 4096, 14_336, 32];

    fn known(id: &str, kv_heads: Option<i64>) -> Known {
        Known {
            id: id.into(),
            details: Detail {
                dimensions: [Some(32), Some(4096), Some(14_336), Some(32), kv_heads, None, None],
                ..Detail::default()
            }
            .into(),
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
        let tell = |id, shape| rest.tell(&known(id, None), shape, None, &|_| true);
        assert_eq!(tell("d/llama-3-tune", SHAPE), [Some(8), None, None]);
        assert_eq!(tell("d/new", SHAPE), [Some(32), None, None]);
        assert_eq!(tell("d/new", [1, 2, 3, 4]), [None; 3]);
    }

    #[test]
    fn a_vocabulary_is_told_only_where_the_nearest_names_agree() {
        let with = |id: &str, vocab: i64| {
            let mut one = known(id, Some(8));
            one.details.dimensions[5] = Some(vocab);
            one
        };
        let stated = [
            with("a/llama-2-70b", 32_000),
            with("b/llama-2-tune", 32_000),
            with("c/llama-3-70b", 128_256),
        ];
        let rest = Rest::of(&stated);
        let tell = |id| rest.tell(&known(id, None), SHAPE, None, &|_| true)[1];
        assert_eq!(tell("d/llama-3-chat"), Some(128_256));
        assert_eq!(tell("d/cogito-llama-70b"), None);
    }

    #[test]
    fn a_value_left_out_does_not_tell_itself() {
        let all = [known("a/llama-3-8b", Some(8))];
        let right = Rest::of(&all).accuracy(&all, &[0], &|_, _, _| true);
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
