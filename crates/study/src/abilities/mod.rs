//! Benchmarks and the abilities they measure: one list for the report, the recommendations, the predictions and the
//! dashboard.
//!
//! A benchmark is a test on one board and one scale: the same items run in another way are another benchmark with
//! another name (`bbh` of leaderboard v2, `proteus_bbh`). Its `test` tells which benchmarks have the same items.

mod boards;
mod euroeval;
mod listed;
#[cfg(test)]
mod tests;

pub use listed::{LISTED, Listed, V1, V2, listed};

use crate::noise::items_of;

/// An ability that users can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ability {
    /// Name in ids and on the command line.
    pub name: &'static str,
    /// Synonyms.
    pub others: &'static [&'static str],
    /// The benchmarks that represent the ability by default: from a single leaderboard where possible, as means over
    /// the scales of two leaderboards would depend on which of them a checkpoint was entered in.
    pub stand_for: &'static [&'static str],
}

const fn ability(
    name: &'static str,
    others: &'static [&'static str],
    stand_for: &'static [&'static str],
) -> Ability {
    Ability {
        name,
        others,
        stand_for,
    }
}

/// All abilities, in the order of help texts and answers.
pub const ABILITIES: [Ability; 19] = [
    ability("math", &["mathematics", "maths"], &["math"]),
    ability("arithmetic", &["grade-school", "word-problems"], &["gsm8k"]),
    ability(
        "instructions",
        &["instruction-following", "instruct", "chat"],
        &["ifeval"],
    ),
    ability("knowledge", &["facts"], &["mmlu_pro"]),
    ability("science", &["graduate-science"], &["gpqa"]),
    ability("reasoning", &["logic"], &["bbh", "musr"]),
    ability("commonsense", &["common-sense"], &["hellaswag", "winogrande"]),
    ability("truthfulness", &["truth"], &["truthfulqa"]),
    ability("code", &["coding", "programming"], &["bigcodebench_complete"]),
    ability("long-context", &["long_context"], &["longbench_v2"]),
    ability("reading", &["comprehension"], &["euroeval_squad"]),
    ability("grammar", &["acceptability"], &["euroeval_scala_en"]),
    ability("sentiment", &[], &["euroeval_sst5"]),
    ability("extraction", &["entities", "ner"], &["euroeval_conll_en"]),
    ability("summarization", &["summaries"], &["euroeval_cnn_dailymail"]),
    ability("simplification", &[], &["euroeval_duidelijke_taal"]),
    ability("translation", &["translate"], &["swallow_en_pre_wmt20jaen"]),
    ability(
        "conversation",
        &["dialogue"],
        &["swallow_en_mtb_roleplay", "swallow_en_mtb_writing"],
    ),
    ability("agents", &["tools"], &["epoch_terminalbench"]),
];

/// The ability of this name or synonym.
pub fn ability_of(name: &str) -> Option<&'static Ability> {
    ABILITIES
        .iter()
        .find(|ability| ability.name == name || ability.others.contains(&name))
}

/// A benchmark.
#[derive(Debug, Clone, PartialEq)]
pub struct Benchmark {
    /// Name in scores and ids.
    pub name: String,
    /// Title shown to readers.
    pub title: String,
    /// The test; benchmarks of one test have the same items.
    pub test: String,
    /// Prefix of its board's name.
    pub board: &'static str,
    /// Abilities it measures, as names in [`ABILITIES`].
    pub abilities: Vec<&'static str>,
    /// Whether it is in another language than English.
    pub is_multilingual: bool,
    /// Score by guessing, on the benchmark's own scale; `None` where unknown.
    pub chance: Option<f64>,
    /// Best possible score.
    pub ceiling: f64,
    /// Number of items, for boards that use all items of the test; `None` otherwise.
    pub n: Option<usize>,
    /// Unit of the scores.
    pub unit: &'static str,
}

/// The benchmark of this name; `None` for a name that no board here has.
pub fn benchmark(name: &str) -> Option<Benchmark> {
    boards::all_of(name)
}

/// Whether a benchmark measures an ability.
pub fn asks_for(name: &str, ability: &str) -> bool {
    benchmark(name).is_some_and(|known| known.abilities.contains(&ability))
}

/// Number of items of a test, where known.
fn n_of(test: &str) -> Option<usize> {
    items_of(test).map(|items| items.n)
}
