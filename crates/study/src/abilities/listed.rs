//! The list of boards used by trends, correlations and regressions, with the benchmarks that represent each board.

use super::benchmark;

/// Benchmarks of Open LLM Leaderboard v1, in its order.
pub const V1: [&str; 6] = ["arc", "hellaswag", "mmlu", "truthfulqa", "winogrande", "gsm8k"];
/// Benchmarks of Open LLM Leaderboard v2, in its order.
pub const V2: [&str; 6] = ["ifeval", "bbh", "math", "gpqa", "musr", "mmlu_pro"];

/// A board and the benchmarks that represent it: of one language and model state, with the first metric of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Name in ids and on the command line.
    pub name: &'static str,
    /// Title shown to readers.
    pub title: &'static str,
    /// Identifier of the leaderboard in the tables.
    pub leaderboard: &'static str,
    /// Names of its benchmarks.
    pub benchmarks: &'static [&'static str],
}

/// All listed boards: first the two that the report's sections are about, then current ones.
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
    // Each of its benchmarks is a separate table, and few checkpoints are in all of them.
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
    /// Whether a score on this leaderboard belongs to the board.
    pub fn has(&self, leaderboard: &str) -> bool {
        leaderboard == self.leaderboard
            || leaderboard
                .strip_prefix(self.leaderboard)
                .is_some_and(|rest| self.name == "epoch" && rest.starts_with('-'))
    }

    /// Titles of its benchmarks shown to readers, in order.
    pub fn titles(&self) -> Vec<String> {
        let title = |name: &&str| benchmark(name).map_or_else(|| (*name).to_owned(), |known| known.title);
        self.benchmarks.iter().map(title).collect()
    }
}

/// The board of this name.
pub fn listed(name: &str) -> Option<&'static Listed> {
    LISTED.iter().find(|board| board.name == name)
}
