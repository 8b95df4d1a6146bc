//! Benchmarks and the abilities they ask for: one list for the report, the recommendations, the predictions and the
//! dashboard.
//!
//! A benchmark here is a test on one board, on one scale: the same items run otherwise are another, with another name
//! (`bbh` of leaderboard v2, `proteus_bbh`). Its `test` says which of them are the same items.

mod boards;
mod euroeval;
mod listed;
#[cfg(test)]
mod tests;

pub use listed::{LISTED, Listed, V1, V2, listed};

use crate::noise::items_of;

/// What people want done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ability {
    /// Name in ids and on the command line.
    pub name: &'static str,
    /// Other names people give it.
    pub others: &'static [&'static str],
    /// The benchmarks that stand for it where none is named: of one leaderboard where one has it, for means over two
    /// leaderboards' scales would compare checkpoints by which of them they were entered in.
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

/// All abilities, in the order of help and answers.
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

/// The ability of that name, or of one of its other names.
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
    /// The same for people.
    pub title: String,
    /// The items: benchmarks of one test ask the same.
    pub test: String,
    /// How its board's name begins.
    pub board: &'static str,
    /// What it asks for, names of [`ABILITIES`].
    pub abilities: Vec<&'static str>,
    /// The language asked in, where it is not English.
    pub is_multilingual: bool,
    /// What guessing gets, on its own scale; absent where that is not known.
    pub chance: Option<f64>,
    /// The best there can be.
    pub ceiling: f64,
    /// Items, where every one is asked.
    pub n: Option<usize>,
    /// Unit of its scores.
    pub unit: &'static str,
}

/// The benchmark of that name; none for what no board here has.
pub fn benchmark(name: &str) -> Option<Benchmark> {
    boards::all_of(name)
}

/// Whether a benchmark asks for an ability.
pub fn asks_for(name: &str, ability: &str) -> bool {
    benchmark(name).is_some_and(|known| known.abilities.contains(&ability))
}

/// The items of a benchmark, where every one is asked.
fn n_of(test: &str) -> Option<usize> {
    items_of(test).map(|items| items.n)
}
