//! Finds a base by a pair of a word and a size (`mistral` and 7b, `llama2` and 13b, `solar` and 10 listed) that nearly
//! always occurs with the same structure.
//!
//! Most pairs occur only once, which is no evidence: a first pass counts them by hash, and only those that may be
//! frequent enough are stored.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::known::Known;
use crate::resolve::listed::Listed;
use crate::resolve::telling::Telling;
use crate::resolve::template::{Shape, family_of};
use crate::words::{Stated, sizes, words};

/// Number of checkpoints that must have a pair before it counts as evidence.
const ENOUGH: u32 = 3;
/// The same for a word without any size.
const COMMON: u32 = 8;
/// Percentage of those that must share the structure.
const AGREE: u32 = 97;

/// A structure that occurs with a pair.
struct Seen {
    shape: Shape,
    count: u32,
    /// The first checkpoint with this pair and structure.
    at: u32,
}

/// How often a word and a size occur with a structure.
#[derive(Default)]
pub(crate) struct Pairs {
    words: HashMap<String, u32>,
    amounts: HashMap<String, u32>,
    seen: HashMap<(u32, u32), Vec<Seen>>,
    telling: Telling,
}

/// Text keys for the sizes of a checkpoint: those its name states and the listed one, each also combined with its
/// family where that is known. `learning`: also the key for the word alone, for names that state no size.
fn amounts(known: &Known, learning: bool) -> Vec<String> {
    let mut plain: Vec<String> = sizes(&known.id)
        .into_iter()
        .map(|stated| match stated {
            Stated::Dense(size) => format!("={size}"),
            Stated::Mixture(experts, size) => format!("={experts}x{size}"),
        })
        .collect();
    if let Listed::Rough(size) | Listed::Counted(size) = Listed::of(known) {
        plain.push(format!("#{}", size.floor()));
    }
    if learning || plain.is_empty() {
        plain.push("=".to_owned());
    }
    let Some(family) = family_of(known) else {
        return plain;
    };
    plain
        .into_iter()
        .flat_map(|amount| {
            let with_family = format!("{family}{amount}");
            [amount, with_family]
        })
        .collect()
}

/// Approximate counts of pairs, by hash: pairs that share a slot may be counted too high.
struct Rough(Vec<u8>);

impl Rough {
    fn place(&self, word: &str, amount: &str) -> usize {
        let mut hash = DefaultHasher::new();
        (word, amount).hash(&mut hash);
        hash.finish() as usize & (self.0.len() - 1)
    }

    fn of(known: &[Known], lessons: &[(u32, Shape)]) -> Self {
        let mut rough = Self(vec![0; (lessons.len() * 64).next_power_of_two().max(1 << 10)]);
        for &(at, _) in lessons {
            let known = &known[at as usize];
            let amounts = amounts(known, true);
            for word in words(&known.id) {
                for amount in &amounts {
                    let place = rough.place(&word, amount);
                    rough.0[place] = rough.0[place].saturating_add(1);
                }
            }
        }
        rough
    }

    fn enough(&self, word: &str, amount: &str) -> bool {
        u32::from(self.0[self.place(word, amount)]) >= ENOUGH
    }
}

fn number(of: &mut HashMap<String, u32>, text: &str) -> u32 {
    if let Some(&number) = of.get(text) {
        return number;
    }
    let number = of.len() as u32;
    of.insert(text.to_owned(), number);
    number
}

impl Pairs {
    /// Learns from checkpoints and their structures; the first `certain` of these are exact or follow from a counted
    /// size.
    pub(crate) fn learn(known: &[Known], lessons: &[(u32, Shape)], certain: usize) -> Self {
        let rough = Rough::of(known, lessons);
        let mut pairs = Self {
            telling: Telling::learn(known, &lessons[..certain]),
            ..Self::default()
        };
        for &(at, shape) in lessons {
            let known = &known[at as usize];
            let amounts = amounts(known, true);
            for word in words(&known.id) {
                for amount in amounts.iter().filter(|amount| rough.enough(&word, amount)) {
                    let key = (
                        number(&mut pairs.words, &word),
                        number(&mut pairs.amounts, amount),
                    );
                    let seen = pairs.seen.entry(key).or_default();
                    match seen.iter_mut().find(|seen| seen.shape == shape) {
                        Some(seen) => seen.count += 1,
                        None => seen.push(Seen { shape, count: 1, at }),
                    }
                }
            }
        }
        pairs
    }

    /// The structure that the pairs of `known` indicate, and a checkpoint that has it; `None` where two pairs disagree.
    /// `hidden`: its own structure, if that is to count as unknown.
    pub(crate) fn tell(&self, all: &[Known], known: &Known, hidden: Option<Shape>) -> Option<(Shape, u32)> {
        let with_family = family_of(known).is_some();
        // Where the family is known, pairs that ignore it are less informative and are skipped.
        let amounts: Vec<(String, u32)> = amounts(known, false)
            .into_iter()
            .filter(|amount| !with_family || !amount.starts_with(['=', '#']))
            .filter_map(|amount| Some((self.amounts.get(&amount).copied()?, amount)))
            .map(|(number, amount)| (amount, number))
            .collect();
        let mut told: Option<(Shape, u32)> = None;
        for word in words(&known.id) {
            let Some(&number) = self.words.get(&word) else {
                continue;
            };
            for (amount, of_amount) in &amounts {
                let Some(seen) = self.seen.get(&(number, *of_amount)) else {
                    continue;
                };
                let count = |seen: &Seen| seen.count.saturating_sub(u32::from(hidden == Some(seen.shape)));
                let seen_in_all: u32 = seen.iter().map(count).sum();
                let Some(most) = seen.iter().max_by_key(|seen| count(seen)) else {
                    continue;
                };
                // Without a size a word must be common.
                let bare = amount.ends_with('=');
                if bare && count(most) < COMMON {
                    continue;
                }
                let family = family_of(&all[most.at as usize]).unwrap_or_default();
                if !self.telling.tells(&word, &family, known, hidden.is_some()) {
                    continue;
                }
                if count(most) < ENOUGH || count(most) * 100 < seen_in_all * AGREE {
                    continue;
                }
                match told {
                    Some((other, _)) if other != most.shape => return None,
                    _ => told = Some((most.shape, most.at)),
                }
            }
        }
        told
    }
}
