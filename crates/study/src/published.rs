//! Numbers printed in other works, for comparison with ours.
//!
//! They are cited facts and never enter a computation. The tolerance is half a unit of the last printed digit where the
//! rows are the same as the work's (`printed`), and a stated allowance where our copy of the table lacks the column for
//! some of its rows (`partial`).

use crate::finding::Published;

/// The published notebook on leaderboard v2.
pub const NOTEBOOK: &str = "LLM_Performance_Analysis (zoialunova), 2025";
/// The paper whose dataset and regressions are reproduced.
pub const PAPER: &str = "arXiv 2509.18136";

/// A structure whose scores the paper's fine-tuned model was asked to predict (figure 11).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LlmExample {
    /// The prompt, as printed.
    pub prompt: &'static str,
    /// True scores in points, in the order in which the answer names them: ARC first, GSM8K last.
    pub truth: [f64; 6],
    /// Scores that the fine-tuned Llama-2-7B answered.
    pub answer: [f64; 6],
}

/// The two examples of figure 11.
pub const LLM_EXAMPLES: [LlmExample; 2] = [
    LlmExample {
        prompt: "You are an AI model expert. Analyze the model structure and predict performance metrics. Model Architecture: Num \
                 attention heads: 32, Num hidden layers: 32, Vocab size: 32000, Max position embeddings: 32768, Year: 2024, Month: 1, \
                 Day: 3, Model dimension: 4096, FFN hidden dimension: 14336, Model parameters: 7.000B",
        truth: [55.20, 78.22, 50.30, 57.08, 73.24, 11.45],
        answer: [67.41, 86.78, 64.07, 67.68, 81.61, 59.74],
    },
    LlmExample {
        prompt: "You are an AI model expert. Analyze the model architecture and predict performance metrics. Model Architecture: Num \
                 attention heads: 40, Num hidden layers: 36, Vocab size: 50688, Max position embeddings: 2048, Year: 2023, Month: 2, \
                 Day: 27, Model dimension: 5120, FFN hidden dimension: 20480, Model parameters: 12.000B",
        truth: [41.38, 70.26, 25.63, 33.00, 66.46, 1.44],
        answer: [46.42, 70.00, 26.19, 39.19, 62.19, 0.61],
    },
];

/// The published value for a finding id, if there is one.
pub fn published(id: &str) -> Option<Published> {
    let entry = |&(_, value, place, tolerance, n): &Entry| Published {
        value,
        work: NOTEBOOK.into(),
        place: place.into(),
        tolerance,
        n: (n > 0).then_some(n),
    };
    NOTEBOOK_FIGURES
        .iter()
        .find(|(name, ..)| *name == id)
        .map(entry)
        .or_else(|| published_in_paper(id))
}

/// Finding id, value, place in the work, tolerance, n (0 where the work does not state it).
type Entry = (&'static str, f64, &'static str, f64, usize);

const BUCKETS: &str = "scale: description by size bucket";
const TESTS: &str = "scale: pairwise tests";
const MERGED: &str = "merging: means by bucket";
const LIKES: &str = "popularity";
const FAMILIES: &str = "architectures";
const CHAT: &str = "chat template: means";

/// Tolerance for two printed decimals, where the rows are the same.
const TWO_PLACES: f64 = 5e-3;

#[rustfmt::skip]
const NOTEBOOK_FIGURES: &[Entry] = &[
    ("scale.count.small", 3154.0, BUCKETS, 0.0, 3154),
    ("scale.count.medium", 1245.0, BUCKETS, 0.0, 1245),
    ("scale.count.large", 177.0, BUCKETS, 0.0, 177),
    ("scale.mean.small", 18.211_846, BUCKETS, 1e-3, 3154),
    ("scale.mean.medium", 29.036_601, BUCKETS, 1e-3, 1245),
    ("scale.mean.large", 35.220_803, BUCKETS, 1e-3, 177),
    ("scale.sd.small", 8.765_395, BUCKETS, 1e-3, 3154),
    ("scale.sd.medium", 10.441_383, BUCKETS, 1e-3, 1245),
    ("scale.sd.large", 10.189_467, BUCKETS, 1e-3, 177),
    ("scale.q1.small", 10.292_931, BUCKETS, 1e-3, 3154),
    ("scale.q1.medium", 21.240_878, BUCKETS, 1e-3, 1245),
    ("scale.q1.large", 30.236_001, BUCKETS, 1e-3, 177),
    ("scale.median.small", 19.508_674, BUCKETS, 1e-3, 3154),
    ("scale.median.medium", 30.281_489, BUCKETS, 1e-3, 1245),
    ("scale.median.large", 36.822_864, BUCKETS, 1e-3, 177),
    ("scale.q3.small", 24.219_029, BUCKETS, 1e-3, 3154),
    ("scale.q3.medium", 38.226_937, BUCKETS, 1e-3, 1245),
    ("scale.q3.large", 43.002_582, BUCKETS, 1e-3, 177),
    ("scale.welch_t.large_medium", 7.531_906, TESTS, 1e-3, 1422),
    ("scale.welch_t.large_small", 21.760_916, TESTS, 1e-3, 3331),
    ("scale.welch_t.medium_small", 32.355_475, TESTS, 1e-3, 4399),
    ("scale.welch_df.large_medium", 231.740_1, TESTS, 1e-2, 1422),
    ("scale.welch_df.large_small", 190.903_378, TESTS, 1e-2, 3331),
    ("scale.welch_df.medium_small", 1_972.179_461, TESTS, 1e-2, 4399),
    ("scale.hedges_g.large_medium", 0.593_722, TESTS, 1e-4, 1422),
    ("scale.hedges_g.large_small", 1.922_259, TESTS, 1e-4, 3331),
    ("scale.hedges_g.medium_small", 1.167_475, TESTS, 1e-4, 4399),
    ("efficiency.mean.small", 6.915_373, "efficiency", 1e-3, 0),
    ("efficiency.mean.medium", 1.983_847, "efficiency", 1e-3, 1245),
    ("efficiency.mean.large", 0.480_334, "efficiency", 1e-3, 177),
    ("efficiency.co2.small", 1.581_859, "efficiency: mean CO2", 0.1, 0),
    ("efficiency.co2.medium", 4.762_888, "efficiency: mean CO2", 0.25, 0),
    ("efficiency.co2.large", 40.938_474, "efficiency: mean CO2", 2.0, 0),
    ("merging.mean.not_merged.small", 17.624_253, MERGED, 0.5, 2743),
    ("merging.mean.not_merged.medium", 28.716_398, MERGED, 0.5, 965),
    ("merging.mean.not_merged.large", 35.016_505, MERGED, 0.5, 153),
    ("merging.mean.merged.small", 22.133_422, MERGED, 0.5, 411),
    ("merging.mean.merged.medium", 30.140_159, MERGED, 0.5, 280),
    ("merging.mean.merged.large", 36.523_207, MERGED, 0.5, 24),
    ("popularity.count.more_than_10", 873.0, LIKES, 17.0, 873),
    ("popularity.count.more_than_100", 334.0, LIKES, 7.0, 334),
    ("popularity.count.none", 2008.0, LIKES, 40.0, 4576),
    ("popularity.likes.q50", 1.0, LIKES, TWO_PLACES, 4576),
    ("popularity.likes.q75", 5.0, LIKES, TWO_PLACES, 4576),
    ("popularity.likes.q90", 53.0, LIKES, TWO_PLACES, 4576),
    ("popularity.likes.q95", 172.0, LIKES, TWO_PLACES, 4576),
    ("popularity.likes.q99", 1177.25, LIKES, TWO_PLACES, 4576),
    ("popularity.spearman", -0.144, LIKES, 0.01, 873),
    ("popularity.r2", 0.018, LIKES, 0.005, 873),
    ("architecture.count.llama", 1849.0, FAMILIES, 37.0, 4576),
    ("architecture.count.qwen2", 1308.0, FAMILIES, 26.0, 4576),
    ("architecture.count.mistral", 615.0, FAMILIES, 12.0, 4576),
    ("architecture.count.gemma2", 248.0, FAMILIES, 5.0, 4576),
    ("architecture.mean.gemma2.medium", 29.47, FAMILIES, 0.5, 147),
    ("architecture.mean.gemma2.small", 21.40, FAMILIES, 0.5, 101),
    ("architecture.mean.llama.large", 33.28, FAMILIES, 0.5, 105),
    ("architecture.mean.llama.medium", 27.65, FAMILIES, 0.5, 251),
    ("architecture.mean.llama.small", 19.48, FAMILIES, 0.5, 1493),
    ("architecture.mean.mistral.large", 46.52, FAMILIES, 0.5, 1),
    ("architecture.mean.mistral.medium", 23.11, FAMILIES, 0.5, 258),
    ("architecture.mean.mistral.small", 18.05, FAMILIES, 0.5, 356),
    ("architecture.mean.qwen2.large", 41.22, FAMILIES, 0.5, 54),
    ("architecture.mean.qwen2.medium", 36.69, FAMILIES, 0.5, 420),
    ("architecture.mean.qwen2.small", 18.29, FAMILIES, 0.5, 834),
    ("architecture.median.gemma2.medium", 33.78, FAMILIES, 0.5, 147),
    ("architecture.median.gemma2.small", 21.29, FAMILIES, 0.5, 101),
    ("architecture.median.llama.large", 35.89, FAMILIES, 0.5, 105),
    ("architecture.median.llama.medium", 29.04, FAMILIES, 0.5, 251),
    ("architecture.median.llama.small", 21.67, FAMILIES, 0.5, 1493),
    ("architecture.median.mistral.large", 46.52, FAMILIES, 0.5, 1),
    ("architecture.median.mistral.medium", 23.01, FAMILIES, 0.5, 258),
    ("architecture.median.mistral.small", 19.53, FAMILIES, 0.5, 356),
    ("architecture.median.qwen2.large", 44.07, FAMILIES, 0.5, 54),
    ("architecture.median.qwen2.medium", 38.87, FAMILIES, 0.5, 420),
    ("architecture.median.qwen2.small", 16.53, FAMILIES, 0.5, 834),
    ("architecture.best.gemma2.ifeval", 81.5, FAMILIES, 0.05, 248),
    ("architecture.best.gemma2.bbh", 51.1, FAMILIES, 0.05, 248),
    ("architecture.best.gemma2.math", 28.2, FAMILIES, 0.05, 248),
    ("architecture.best.gemma2.gpqa", 18.0, FAMILIES, 0.05, 248),
    ("architecture.best.gemma2.musr", 21.8, FAMILIES, 0.05, 248),
    ("architecture.best.gemma2.mmlu_pro", 41.7, FAMILIES, 0.05, 248),
    ("architecture.best.llama.ifeval", 90.0, FAMILIES, 0.05, 1849),
    ("architecture.best.llama.bbh", 76.7, FAMILIES, 0.05, 1849),
    ("architecture.best.llama.math", 56.1, FAMILIES, 0.05, 1849),
    ("architecture.best.llama.gpqa", 29.4, FAMILIES, 0.05, 1849),
    ("architecture.best.llama.musr", 25.9, FAMILIES, 0.05, 1849),
    ("architecture.best.llama.mmlu_pro", 59.3, FAMILIES, 0.05, 1849),
    ("architecture.best.mistral.ifeval", 84.0, FAMILIES, 0.05, 615),
    ("architecture.best.mistral.bbh", 52.8, FAMILIES, 0.05, 615),
    ("architecture.best.mistral.math", 49.5, FAMILIES, 0.05, 615),
    ("architecture.best.mistral.gpqa", 24.9, FAMILIES, 0.05, 615),
    ("architecture.best.mistral.musr", 32.4, FAMILIES, 0.05, 615),
    ("architecture.best.mistral.mmlu_pro", 57.3, FAMILIES, 0.05, 615),
    ("architecture.best.qwen2.ifeval", 86.6, FAMILIES, 0.05, 1308),
    ("architecture.best.qwen2.bbh", 65.5, FAMILIES, 0.05, 1308),
    ("architecture.best.qwen2.math", 71.5, FAMILIES, 0.05, 1308),
    ("architecture.best.qwen2.gpqa", 22.3, FAMILIES, 0.05, 1308),
    ("architecture.best.qwen2.musr", 38.7, FAMILIES, 0.05, 1308),
    ("architecture.best.qwen2.mmlu_pro", 70.0, FAMILIES, 0.05, 1308),
    ("chat_template.mean.without.ifeval", 36.48, CHAT, 0.5, 0),
    ("chat_template.mean.without.bbh", 27.36, CHAT, 0.5, 0),
    ("chat_template.mean.without.math", 13.73, CHAT, 0.5, 0),
    ("chat_template.mean.without.gpqa", 7.41, CHAT, 0.5, 0),
    ("chat_template.mean.without.musr", 11.34, CHAT, 0.5, 0),
    ("chat_template.mean.without.mmlu_pro", 25.07, CHAT, 0.5, 0),
    ("chat_template.mean.with.ifeval", 53.83, CHAT, 0.5, 0),
    ("chat_template.mean.with.bbh", 27.91, CHAT, 0.5, 0),
    ("chat_template.mean.with.math", 17.20, CHAT, 0.5, 0),
    ("chat_template.mean.with.gpqa", 6.09, CHAT, 0.5, 0),
    ("chat_template.mean.with.musr", 8.76, CHAT, 0.5, 0),
    ("chat_template.mean.with.mmlu_pro", 25.71, CHAT, 0.5, 0),
    ("chat_template.median.without.ifeval", 37.44, CHAT, 0.5, 0),
    ("chat_template.median.without.bbh", 29.82, CHAT, 0.5, 0),
    ("chat_template.median.without.math", 9.33, CHAT, 0.5, 0),
    ("chat_template.median.without.gpqa", 6.60, CHAT, 0.5, 0),
    ("chat_template.median.without.musr", 11.21, CHAT, 0.5, 0),
    ("chat_template.median.without.mmlu_pro", 26.03, CHAT, 0.5, 0),
    ("chat_template.median.with.ifeval", 56.16, CHAT, 0.5, 0),
    ("chat_template.median.with.bbh", 29.17, CHAT, 0.5, 0),
    ("chat_template.median.with.math", 12.69, CHAT, 0.5, 0),
    ("chat_template.median.with.gpqa", 5.15, CHAT, 0.5, 0),
    ("chat_template.median.with.musr", 8.93, CHAT, 0.5, 0),
    ("chat_template.median.with.mmlu_pro", 27.85, CHAT, 0.5, 0),
];

/// The paper's R² in its Table 2 (its own rows, features and random split; about 6,000 rows), as a fraction.
fn published_in_paper(id: &str) -> Option<Published> {
    let rest = id.strip_prefix("regression.r2.structure_date.random_split.")?;
    let (method, benchmark) = rest.split_once('.')?;
    let column = PAPER_BENCHMARKS.iter().position(|name| *name == benchmark)?;
    let (_, percents) = PAPER_R2.iter().find(|(name, _)| *name == method)?;
    Some(Published {
        value: percents[column] / 100.0,
        work: PAPER.into(),
        place: "Table 2".into(),
        tolerance: 0.05,
        n: None,
    })
}

/// Method, benchmark and R² of each cell of the paper's Table 2, fractions.
pub fn table_2() -> impl Iterator<Item = (&'static str, &'static str, f64)> {
    let cells = |&(method, percents): &(&'static str, [f64; 6])| {
        PAPER_BENCHMARKS
            .iter()
            .zip(percents)
            .map(move |(benchmark, percent)| (method, *benchmark, percent / 100.0))
    };
    PAPER_R2.iter().flat_map(cells)
}

const PAPER_BENCHMARKS: [&str; 6] = ["arc", "mmlu", "truthfulqa", "gsm8k", "hellaswag", "winogrande"];

/// R² in per cent, in the order of [`PAPER_BENCHMARKS`].
#[rustfmt::skip]
const PAPER_R2: [(&str, [f64; 6]); 10] = [
    ("random_forest",     [75.0, 81.0, 58.0, 70.0, 66.0, 73.0]),
    ("linear",            [52.0, 54.0, 32.0, 44.0, 41.0, 50.0]),
    ("decision_tree",     [69.0, 79.0, 54.0, 63.0, 57.0, 68.0]),
    ("svr",               [64.0, 68.0, 46.0, 58.0, 51.0, 62.0]),
    ("ridge",             [52.0, 54.0, 32.0, 44.0, 41.0, 50.0]),
    ("lasso",             [52.0, 54.0, 32.0, 44.0, 41.0, 50.0]),
    ("knn",               [71.0, 77.0, 50.0, 67.0, 62.0, 69.0]),
    ("gradient_boosting", [72.0, 78.0, 56.0, 67.0, 64.0, 71.0]),
    ("mlp",               [68.0, 74.0, 49.0, 64.0, 56.0, 66.0]),
    ("llm",               [60.0, 65.0, 17.0, 39.0, 51.0, 56.0]),
];
