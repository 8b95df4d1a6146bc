//! The boards that trends, correlations and regressions are asked of, and the benchmarks that they are asked with: the one list.

use super::benchmark;

/// Benchmarks of Open LLM Leaderboard v1, in its order.
pub const V1: [&str; 6] = ["arc", "hellaswag", "mmlu", "truthfulqa", "winogrande", "gsm8k"];
/// Benchmarks of Open LLM Leaderboard v2, in its order.
pub const V2: [&str; 6] = ["ifeval", "bbh", "math", "gpqa", "musr", "mmlu_pro"];

/// A board and those of its benchmarks that stand for it: of one language and state, the first metric of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Name in ids and on the command line.
    pub name: &'static str,
    /// The same for people.
    pub title: &'static str,
    /// Name of its table.
    pub leaderboard: &'static str,
    /// Its benchmarks.
    pub benchmarks: &'static [&'static str],
}

/// All of them: first the two that the report's sections are on, then those of today.
pub const LISTED: [Listed; 7] = [
    Listed {
        name: "v1",
        title: "leaderboard v1",
        leaderboard: "open-llm-leaderboard-v1",
        benchmarks: &V1,
    },
    Listed {
        name: "v2",
        title: "leaderboard v2",
        leaderboard: "open-llm-leaderboard-v2",
        benchmarks: &V2,
    },
    Listed {
        name: "proteus",
        title: "Proteus",
        leaderboard: "proteus",
        benchmarks: &[
            "proteus_ifeval_prompt",
            "proteus_bbh",
            "proteus_math",
            "proteus_gpqa",
            "proteus_musr",
            "proteus_mmlu_pro",
        ],
    },
    Listed {
        name: "euroeval",
        title: "EuroEval, English",
        leaderboard: "euroeval-english",
        benchmarks: &[
            "euroeval_life_in_the_uk",
            "euroeval_hellaswag",
            "euroeval_squad",
            "euroeval_conll_en",
            "euroeval_sst5",
            "euroeval_scala_en",
        ],
    },
    Listed {
        name: "swallow",
        title: "Swallow, English, 2025-06",
        leaderboard: "swallow-2025-06-26-en-basic",
        benchmarks: &[
            "swallow_2025_06_26_en_basic_mmlu",
            "swallow_2025_06_26_en_basic_gsm8k",
            "swallow_2025_06_26_en_basic_math",
            "swallow_2025_06_26_en_basic_bbh",
            "swallow_2025_06_26_en_basic_hellaswag",
            "swallow_2025_06_26_en_basic_triviaqa",
            "swallow_2025_06_26_en_basic_humaneval",
        ],
    },
    Listed {
        name: "swallow-ja",
        title: "Swallow, Japanese, 2025-06",
        leaderboard: "swallow-2025-06-26-ja-basic",
        benchmarks: &[
            "swallow_2025_06_26_ja_basic_jmmlu",
            "swallow_2025_06_26_ja_basic_mgsm",
            "swallow_2025_06_26_ja_basic_jcomqa",
            "swallow_2025_06_26_ja_basic_niilc",
            "swallow_2025_06_26_ja_basic_jsquad",
            "swallow_2025_06_26_ja_basic_jhumaneval",
        ],
    },
    // Each of its benchmarks is a table of its own, and few checkpoints are in all of them.
    Listed {
        name: "epoch",
        title: "Epoch AI",
        leaderboard: "epoch",
        benchmarks: &[
            "epoch_mmlu",
            "epoch_gsm8k",
            "epoch_arc_ai2",
            "epoch_wino_grande",
            "epoch_piqa",
            "epoch_bool_q",
        ],
    },
];

impl Listed {
    /// Whether a score of that leaderboard is of this board.
    pub fn has(&self, leaderboard: &str) -> bool {
        leaderboard == self.leaderboard
            || leaderboard
                .strip_prefix(self.leaderboard)
                .is_some_and(|rest| self.name == "epoch" && rest.starts_with('-'))
    }

    /// Titles of its benchmarks for people, in their order.
    pub fn titles(&self) -> Vec<String> {
        let title = |name: &&str| benchmark(name).map_or_else(|| (*name).to_owned(), |known| known.title);
        self.benchmarks.iter().map(title).collect()
    }
}

/// The board of that name.
pub fn listed(name: &str) -> Option<&'static Listed> {
    LISTED.iter().find(|board| board.name == name)
}
