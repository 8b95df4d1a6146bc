//! Provenance of the known sources (address, revision, licence, attribution), and the catalog's identity.

use sha2::{Digest, Sha256};

use crate::calendar;
use crate::hash::hex;
use crate::sources::{BOARDS, Published};
use crate::tables::{Days, Manifest, Source};

macro_rules! provenance {
    ($($path:literal $address:literal $revision:literal $license:literal $attribution:literal $state:literal,)*) => {
        /// Known copies of public tables other than the boards of [`BOARDS`], which state their provenance themselves.
        const PROVENANCE: &[Published] = &[$(Published {
            path: $path,
            address: $address,
            revision: $revision,
            license: $license,
            attribution: $attribution,
            state: $state,
        }),*];
    };
}

provenance! {
    "open-llm-leaderboard-v2/contents.csv" "https://huggingface.co/datasets/open-llm-leaderboard/contents, by https://github.com/chenjy16/modelrank_ai and https://github.com/hlzhang109/causal-eval" "2c9830dc, 5756deea" "" "" "",
    "open-llm-leaderboard-v2/contents-2025-02-08.csv" "https://huggingface.co/datasets/open-llm-leaderboard/contents, by https://github.com/hlzhang109/causal-eval" "ca2a96bb" "" "" "",
    "open-llm-leaderboard-v1/results.csv" "https://github.com/felipemaiapolo/sloth" "6dc6bb3e" "MIT" "Open LLM Leaderboard (Hugging Face), table by the authors of Sloth" "",
    "scaling/families-v1.csv" "https://github.com/felipemaiapolo/sloth" "6dc6bb3e" "MIT" "the authors of Sloth" "",
    "scaling/families-v2.csv" "https://github.com/felipemaiapolo/sloth" "6dc6bb3e" "MIT" "the authors of Sloth" "",
    "scaling/base_llm_benchmark_eval.csv" "https://github.com/ryoungj/ObsScaling" "4d6e1e43" "Apache-2.0" "Observational Scaling Laws (ObsScaling)" "",
    "scaling/base_llm_leaderboard_v2_eval.csv" "https://github.com/ryoungj/ObsScaling" "4d6e1e43" "Apache-2.0" "Observational Scaling Laws (ObsScaling)" "",
    "scaling/njsl_dataset_info.csv" "https://github.com/nightingal3/llm-pretraining-behaviours" "5404713b" "" "" "",
    "scaling/njsl_model_annotations.csv" "https://github.com/nightingal3/llm-pretraining-behaviours" "5404713b" "" "" "",
    "structures/hub-configs-2023.json" "https://github.com/RahulSChand/gpu_poor" "ad2fc0ef" "" "" "",
    "structures/hub-models-2026-05.json" "https://github.com/AlexsJones/llmfit" "72e64c14" "MIT" "llmfit" "",
    "structures/structures.csv" "https://github.com/TransformerLensOrg/TransformerLens, https://github.com/Lightning-AI/litgpt, https://github.com/nightingal3/llm-pretraining-behaviours" "4cd36aae, 26857050, 5404713b" "" "" "",
    "structures/model-architectures.csv" "https://github.com/TransformerLensOrg/TransformerLens" "26d2d14b" "MIT" "TransformerLens" "",
    "tasks/bigcodebench_results.csv" "https://github.com/bigcode-bench/bigcode-bench.github.io" "81f56356" "" "" "",
    "tasks/bigcodebench_results-hard.csv" "https://github.com/bigcode-bench/bigcode-bench.github.io" "81f56356" "" "" "",
    "tasks/longbench_v2_leaderboard.csv" "https://github.com/longbench2/longbench2.github.io" "da2d5178" "" "" "",
    "tasks/llm-perf-leaderboard-1xA10.csv" "https://github.com/prometheus-eval/leaderboard" "7576151b" "Apache-2.0" "LLM-Perf Leaderboard" "",
    "tasks/llm-perf-leaderboard-1xA100.csv" "https://github.com/prometheus-eval/leaderboard" "7576151b" "Apache-2.0" "LLM-Perf Leaderboard" "",
    "tasks/evalplus_results.csv" "https://github.com/evalplus/evalplus.github.io" "87418456" "Apache-2.0" "EvalPlus" "",
    "hub/models-by-base-2025-10.csv" "https://github.com/hlzhang109/prescriptive-scaling" "5bdca776" "" "" "",
    "hub/models-2022-07.csv.gz" "https://github.com/farach/huggingfaceR" "56b2c416" "MIT" "huggingfaceR" "",
    "hub/model-parameters.csv" "https://github.com/Interconnects-AI/tracked-models" "3cd80206" "" "" "",
    "epoch/params_tokens_compute_2026-05.csv" "https://epoch.ai/data, by https://github.com/feruiloba/miri-fellowship-inference-scaling" "69eb0692" "CC-BY-4.0" "Epoch AI, Data on AI models" "2026-05-01",
    "epoch/all_ai_models_language_2025-04.csv.gz" "https://epoch.ai/data, by https://github.com/simsharmaa/INFSCI1520" "291adcd7" "CC-BY-4.0" "Epoch AI, Data on AI models" "2025-04-01",
    "configs/" "https://github.com/ai-dynamo/aiconfigurator" "095f58a5" "Apache-2.0" "NVIDIA aiconfigurator" "",
    "gemstones/light_eval_df.parquet" "https://github.com/mcleish7/gemstone-scaling-laws" "5f420478" "MIT" "Gemstones (McLeish et al.)" "",
    "gemstones/light_eval_df_err.parquet" "https://github.com/mcleish7/gemstone-scaling-laws" "5f420478" "MIT" "Gemstones (McLeish et al.)" "",
}

/// The entry for the file at `path`; if several folders contain it, that of the deepest.
fn known(path: &str) -> Option<&'static Published> {
    let of_boards = BOARDS.iter().flat_map(|board| board.published);
    PROVENANCE
        .iter()
        .chain(of_boards)
        .filter(|known| known.path == path || known.path.ends_with('/') && path.starts_with(known.path))
        .max_by_key(|known| known.path.len())
}

/// Fills in where a source was published, under which licence and whom to credit, if it is a known one.
pub(crate) fn provenance(source: &mut Source) {
    let Some(known) = known(&source.path) else {
        return;
    };
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    known.address.clone_into(&mut source.address);
    known.revision.clone_into(&mut source.revision);
    source.license = text(known.license);
    source.attribution = text(known.attribution);
}

/// Whether the licence of the file at `path` is known.
pub(crate) fn is_licensed(path: &str) -> bool {
    known(path).is_some_and(|known| !known.license.is_empty())
}

/// The day as of which the file at `path` was current, where its rows do not state it.
pub(crate) fn state(path: &str) -> Option<Days> {
    calendar::day(known(path)?.state)
}

/// The identity of a catalog: SHA-256 over the names and hashes of its tables.
pub(crate) fn identity(manifest: &Manifest) -> String {
    let mut hash = Sha256::new();
    for (name, table) in &manifest.tables {
        hash.update(format!("{name} {}\n", table.sha256));
    }
    hex(&hash.finalize())
}
