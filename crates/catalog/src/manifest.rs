//! Where sources come from, and the catalog's identity.

use sha2::{Digest, Sha256};

use crate::hash::hex;
use crate::tables::Manifest;

/// Path under the sources folder, where it was published, revision of the copy, first 16 digits of its SHA-256.
pub(crate) struct Provenance {
    pub(crate) path: &'static str,
    pub(crate) address: &'static str,
    pub(crate) revision: &'static str,
}

macro_rules! provenance {
    ($($path:literal $address:literal $revision:literal,)*) => {
        /// Known copies of public tables.
        pub(crate) const PROVENANCE: &[Provenance] =
            &[$(Provenance { path: $path, address: $address, revision: $revision }),*];
    };
}

provenance! {
    "open-llm-leaderboard-v2/contents.csv" "https://huggingface.co/datasets/open-llm-leaderboard/contents, by https://github.com/chenjy16/modelrank_ai and https://github.com/hlzhang109/causal-eval" "2c9830dc, 5756deea",
    "open-llm-leaderboard-v2/contents-2025-02-08.csv" "https://huggingface.co/datasets/open-llm-leaderboard/contents, by https://github.com/hlzhang109/causal-eval" "ca2a96bb",
    "open-llm-leaderboard-v1/results.csv" "https://github.com/felipemaiapolo/sloth" "6dc6bb3e",
    "scaling/families-v1.csv" "https://github.com/felipemaiapolo/sloth" "6dc6bb3e",
    "scaling/families-v2.csv" "https://github.com/felipemaiapolo/sloth" "6dc6bb3e",
    "scaling/base_llm_benchmark_eval.csv" "https://github.com/ryoungj/ObsScaling" "4d6e1e43",
    "scaling/base_llm_leaderboard_v2_eval.csv" "https://github.com/ryoungj/ObsScaling" "4d6e1e43",
    "scaling/njsl_dataset_info.csv" "https://github.com/nightingal3/llm-pretraining-behaviours" "5404713b",
    "scaling/njsl_model_annotations.csv" "https://github.com/nightingal3/llm-pretraining-behaviours" "5404713b",
    "structures/hub-configs-2023.json" "https://github.com/RahulSChand/gpu_poor" "ad2fc0ef",
    "structures/hub-models-2026-05.json" "https://github.com/AlexsJones/llmfit" "72e64c14",
    "structures/structures.csv" "https://github.com/TransformerLensOrg/TransformerLens, https://github.com/Lightning-AI/litgpt, https://github.com/nightingal3/llm-pretraining-behaviours" "4cd36aae, 26857050, 5404713b",
    "structures/model-architectures.csv" "https://github.com/TransformerLensOrg/TransformerLens" "26d2d14b",
    "tasks/bigcodebench_results.csv" "https://github.com/bigcode-bench/bigcode-bench.github.io" "81f56356",
    "tasks/bigcodebench_results-hard.csv" "https://github.com/bigcode-bench/bigcode-bench.github.io" "81f56356",
    "tasks/longbench_v2_leaderboard.csv" "https://github.com/longbench2/longbench2.github.io" "da2d5178",
    "tasks/llm-perf-leaderboard-1xA10.csv" "https://github.com/prometheus-eval/leaderboard" "7576151b",
    "tasks/llm-perf-leaderboard-1xA100.csv" "https://github.com/prometheus-eval/leaderboard" "7576151b",
    "tasks/evalplus_results.csv" "https://github.com/evalplus/evalplus.github.io" "87418456",
    "hub/models-by-base-2025-10.csv" "https://github.com/hlzhang109/prescriptive-scaling" "5bdca776",
    "hub/models-2022-07.csv.gz" "https://github.com/farach/huggingfaceR" "56b2c416",
    "gemstones/light_eval_df.parquet" "https://github.com/mcleish7/gemstone-scaling-laws" "5f420478",
    "gemstones/light_eval_df_err.parquet" "https://github.com/mcleish7/gemstone-scaling-laws" "5f420478",
    "hub/model-parameters.csv" "https://github.com/Interconnects-AI/tracked-models" "3cd80206",
}

/// Where the file at `path` was published, if it is a known one. Whole configs share one address.
pub(crate) fn provenance(path: &str) -> (String, String) {
    if path.starts_with("configs/") {
        return (
            "https://github.com/ai-dynamo/aiconfigurator".to_owned(),
            "095f58a5".to_owned(),
        );
    }
    PROVENANCE
        .iter()
        .find(|known| known.path == path)
        .map(|known| (known.address.to_owned(), known.revision.to_owned()))
        .unwrap_or_default()
}

/// The identity of a catalog: SHA-256 over the names and hashes of its tables.
pub(crate) fn identity(manifest: &Manifest) -> String {
    let mut hash = Sha256::new();
    for (name, table) in &manifest.tables {
        hash.update(format!("{name} {}\n", table.sha256));
    }
    hex(&hash.finalize())
}
