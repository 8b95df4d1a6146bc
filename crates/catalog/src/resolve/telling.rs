//! Words in names that indicate the blocks of a checkpoint: `qwen2.5`, `falcon`, `openhermes`.
//!
//! A word is evidence where several checkpoints with known structure have it and nearly all of these have the same
//! blocks. Words for how a checkpoint was tuned (`instruct`, `merge`) are never evidence.

use std::collections::{BTreeMap, HashMap};

use crate::known::Known;
use crate::resolve::template::{Shape, block, family_of};
use crate::words::{names_a_base, words};

/// Number of checkpoints that must have a word before it is evidence.
const ENOUGH: u32 = 3;
/// Number of checkpoints with a word from which it is common.
const COMMON: u32 = 10;
/// Percentage of those that must have the same blocks.
const AGREE: u32 = 90;

/// For each word, how often it occurs with each kind of blocks.
#[derive(Default)]
pub(crate) struct Telling(HashMap<String, BTreeMap<String, u32>>);

impl Telling {
    /// Learns from checkpoints whose structure is known.
    pub(crate) fn learn(known: &[Known], lessons: &[(u32, Shape)]) -> Self {
        let mut counts: HashMap<String, BTreeMap<String, u32>> = HashMap::new();
        for &(at, _) in lessons {
            let known = &known[at as usize];
            let Some(family) = family_of(known) else { continue };
            for word in words(&known.id).into_iter().filter(|word| names_a_base(word)) {
                *counts
                    .entry(word)
                    .or_default()
                    .entry(block(&family).to_owned())
                    .or_insert(0) += 1;
            }
        }
        counts.retain(|_, counts| counts.values().sum::<u32>() >= ENOUGH);
        Self(counts)
    }

    /// Whether `word` in the name of `known` indicates the blocks of `family`; `hidden`: `known` itself is not counted.
    pub(crate) fn tells(&self, word: &str, family: &str, known: &Known, hidden: bool) -> bool {
        let Some(counts) = self.0.get(word) else {
            return false;
        };
        let own = u32::from(hidden);
        let all = counts.values().sum::<u32>().saturating_sub(own);
        let of_own = hidden && family_of(known).is_some_and(|own| block(&own) == block(family));
        let with = counts
            .get(block(family))
            .map_or(0, |&count| count.saturating_sub(u32::from(of_own)));
        all >= ENOUGH && with * 100 >= all * AGREE
    }
}

impl Telling {
    /// Whether a word in the name of `known` is common and never occurs with the blocks of `family`.
    pub(crate) fn contradicts(&self, family: &str, known: &Known, hidden: bool) -> bool {
        words(&known.id).iter().any(|word| {
            self.0.get(word).is_some_and(|counts| {
                let all = counts.values().sum::<u32>() - u32::from(hidden);
                all >= COMMON && !counts.contains_key(block(family))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_tells_the_blocks_that_nearly_all_who_have_it_share() {
        let known: Vec<Known> = (0..12)
            .map(|at| Known {
                id: format!("org/{}-instruct-{at}", if at < 6 { "zebra" } else { "emu" }).into(),
                architecture: Some(
                    if at < 8 {
                        "LlamaForCausalLM"
                    } else {
                        "GPT2LMHeadModel"
                    }
                    .into(),
                ),
                ..Known::default()
            })
            .collect();
        let lessons: Vec<_> = (0..12).map(|at| (at, [1, 2, 3, 1])).collect();
        let telling = Telling::learn(&known, &lessons);
        let tells = |word, family| telling.tells(word, family, &known[0], false);
        assert!(tells("zebra", "llama") && tells("zebra", "mistral"));
        for (word, family) in [
            ("zebra", "gpt2"),
            ("emu", "llama"),
            ("emu", "gpt2"),
            ("instruct", "llama"),
            ("new", "llama"),
        ] {
            assert!(!tells(word, family), "{word} {family}");
        }
    }
}
