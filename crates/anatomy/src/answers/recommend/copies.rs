//! Which quantised copy of a checkpoint to take, by name, and what fewer bits cost in score where a board measured it.
//!
//! The catalog's lineage often names the root of a family as a copy's base, so a copy is one whose own name is the checkpoint's
//! with nothing but words of formats about it, and whose lineage is not another's.

use std::collections::BTreeMap;

use catalog::cost::{InferenceEngine, Quant};
use serde::Serialize;

use crate::answers::known::Known;

/// Words that say how weights are stored, never what they are.
const FORMATS: [&str; 44] = [
    "gguf",
    "ggml",
    "awq",
    "gptq",
    "exl2",
    "exl3",
    "mlx",
    "bnb",
    "imatrix",
    "i1",
    "int4",
    "int8",
    "4bit",
    "8bit",
    "3bit",
    "5bit",
    "6bit",
    "2bit",
    "fp8",
    "fp16",
    "bf16",
    "f16",
    "nf4",
    "nvfp4",
    "mxfp4",
    "w4a16",
    "w8a8",
    "w8a16",
    "dynamic",
    "quantized",
    "quant",
    "unsloth",
    "autoround",
    "4bits",
    "8bits",
    "g128",
    "128g",
    "gs128",
    "marlin",
    "hqq",
    "aqlm",
    "eetq",
    "quants",
    "bit",
];
/// Copies named of each checkpoint.
const MOST: usize = 3;

/// Copies of checkpoints by the name that they copy.
pub(super) struct Copies<'a> {
    by_name: BTreeMap<String, Vec<(&'a str, i64)>>,
}

/// The part of an id after the organisation, in lower case, cut into words.
fn words(id: &str) -> Vec<String> {
    let name = id.rsplit('/').next().unwrap_or(id).to_ascii_lowercase();
    name.split(['-', '_', ' ', '.'])
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn is_format(word: &str) -> bool {
    let is_type = |word: &str| {
        let rest = word.strip_prefix("iq").or_else(|| word.strip_prefix('q'));
        rest.is_some_and(|rest| {
            !rest.is_empty() && rest.len() <= 2 && rest.starts_with(|c: char| c.is_ascii_digit())
        })
    };
    FORMATS.contains(&word) || is_type(word) || SIZES.contains(&word)
}

/// What follows a type such as `Q4`.
const SIZES: [&str; 8] = ["k", "m", "s", "l", "xs", "xxs", "xl", "nl"];

/// What a copy's name says it copies, and whether it names a format at all.
fn copied(id: &str) -> Option<String> {
    let all = words(id);
    // `K`, `M` and the like are formats only after a type such as `Q4`.
    let mut kept = Vec::new();
    let mut after_type = false;
    let mut any = false;
    for word in &all {
        let is_size = ["k", "m", "s", "l", "xs", "xxs", "xl", "nl", "0", "1"].contains(&word.as_str());
        if (is_size && after_type) || (!is_size && is_format(word)) {
            any = true;
            after_type = true;
        } else {
            after_type = false;
            kept.push(word.clone());
        }
    }
    (any && !kept.is_empty()).then(|| kept.join("-"))
}

impl<'a> Copies<'a> {
    /// Of everything in the catalog that says it is stored with fewer bits.
    pub(super) fn of(known: &Known<'a>) -> Self {
        let mut by_name: BTreeMap<String, Vec<(&str, i64)>> = BTreeMap::new();
        for (&id, row) in &known.checkpoints {
            let is_copy = row.quantized == Some(true) || row.base_relation.as_deref() == Some("quantized");
            if let Some(name) = copied(id).filter(|_| is_copy) {
                let liked = row.downloads.unwrap_or(0).max(row.likes.unwrap_or(0));
                by_name.entry(name).or_default().push((id, liked));
            }
        }
        Self { by_name }
    }

    /// The copies of a checkpoint that the engine loads, those that name the type first, then the most taken.
    pub(super) fn named(&self, id: &str, engine: InferenceEngine, quant: Quant) -> Vec<String> {
        let (organisation, _) = id.split_once('/').unwrap_or(("", id));
        let plain = words(id).join("-");
        let with_owner = format!("{}-{plain}", organisation.to_ascii_lowercase());
        let mut found: Vec<(bool, i64, &str)> = [plain, with_owner]
            .iter()
            .filter_map(|name| self.by_name.get(name))
            .flatten()
            .filter(|(copy, _)| *copy != id && loads(engine, copy))
            .filter_map(|&(copy, liked)| {
                let wanted = words(quant.name()).join("-");
                let names_it = words(copy).join("-").contains(&wanted);
                (names_it || !names_a_type(copy)).then_some((names_it, liked, copy))
            })
            .collect();
        found.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.cmp(&a.1)).then(a.2.cmp(b.2)));
        found.dedup();
        found
            .into_iter()
            .map(|(_, _, copy)| copy.to_owned())
            .take(MOST)
            .collect()
    }
}

/// Whether a copy's name says which type it holds, as against one of several types or of none named.
fn names_a_type(copy: &str) -> bool {
    let containers = [
        "gguf",
        "ggml",
        "imatrix",
        "quantized",
        "quant",
        "quants",
        "dynamic",
        "unsloth",
        "i1",
    ];
    words(copy).iter().any(|word| {
        is_format(word)
            && word.len() > 1
            && !SIZES.contains(&word.as_str())
            && !containers.contains(&word.as_str())
    })
}

/// Whether an engine loads what a copy's name says it is.
fn loads(engine: InferenceEngine, copy: &str) -> bool {
    let all = words(copy);
    let says = |word: &str| all.iter().any(|one| one == word);
    let is_gguf = says("gguf") || says("ggml");
    match engine {
        InferenceEngine::LlamaCpp => is_gguf,
        _ => !is_gguf && !says("mlx") && !says("exl2") && !says("exl3"),
    }
}

/// What fewer bits cost on a board that ran the same checkpoints both ways.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct BitsCost {
    /// As the board calls the narrow format.
    pub(crate) precision: String,
    pub(crate) leaderboard: String,
    /// Median over checkpoints of the change of the mean over the board's benchmarks, points.
    pub(crate) median: f64,
    /// Between which half of them lie.
    pub(crate) quartiles: [f64; 2],
    /// Checkpoints.
    pub(crate) n: usize,
}

/// Every board and narrow format of which so many checkpoints were run in 16 bits too.
pub(super) fn bits_cost(known: &Known<'_>) -> Vec<BitsCost> {
    const FEWEST: usize = 5;
    let mut changes: BTreeMap<(&str, &str), Vec<f64>> = BTreeMap::new();
    for scores in known.scores.values() {
        let mut runs: BTreeMap<(&str, &str), BTreeMap<&str, f64>> = BTreeMap::new();
        for score in scores.iter().filter(|score| score.unit == "points") {
            if let Some(precision) = score.precision.as_deref() {
                let run = runs.entry((score.leaderboard.as_str(), precision)).or_default();
                run.entry(score.benchmark.as_str()).or_insert(score.value);
            }
        }
        for (&(board, precision), narrow) in &runs {
            let is_narrow = ["4bit", "8bit", "GPTQ"].contains(&precision);
            let wide = ["bfloat16", "float16"]
                .iter()
                .find_map(|wide| runs.get(&(board, *wide)));
            let Some(wide) = wide.filter(|_| is_narrow) else {
                continue;
            };
            let apart: Vec<f64> = narrow
                .iter()
                .filter_map(|(name, value)| Some(value - wide.get(name)?))
                .collect();
            if !apart.is_empty() {
                let mean = apart.iter().sum::<f64>() / apart.len() as f64;
                changes.entry((board, precision)).or_default().push(mean);
            }
        }
    }
    changes
        .into_iter()
        .filter(|(_, all)| all.len() >= FEWEST)
        .map(|((board, precision), mut all)| {
            all.sort_by(f64::total_cmp);
            let at = |share: f64| common::quantile::quantile_of_sorted(&all, share);
            BitsCost {
                precision: precision.to_owned(),
                leaderboard: board.to_owned(),
                median: at(0.5),
                quartiles: [at(0.25), at(0.75)],
                n: all.len(),
            }
        })
        .collect()
}

impl BitsCost {
    /// The change, with what it rests on.
    pub(crate) fn in_words(&self) -> String {
        format!(
            "{} changed the mean of {} by {:+.1} points at the median (half of {} checkpoints between {:+.1} and {:+.1})",
            self.precision, self.leaderboard, self.median, self.n, self.quartiles[0], self.quartiles[1]
        )
    }
}

/// What a type of weights costs in score: what a board measured of that very format, else that it is unknown.
pub(super) fn cost_in_words(quant: Quant, costs: &[BitsCost]) -> String {
    // The first Open LLM Leaderboard's `4bit` and `8bit` are those of bitsandbytes.
    let precision = match quant.name() {
        "bf16" | "f32" => return "none: as trained or wider".to_owned(),
        "nf4" | "nf4-double" => "4bit",
        "int8" => "8bit",
        "gptq" => "GPTQ",
        _ => "",
    };
    let found = costs.iter().find(|cost| cost.precision == precision);
    found.map_or_else(
        || "unknown: no board ran it beside 16 bits".to_owned(),
        BitsCost::in_words,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_named_as_what_it_copies_and_nothing_else() {
        for (copy, name) in [
            (
                "duyntnet/Llama-3.2-1B-Instruct-imatrix-GGUF",
                Some("llama-3-2-1b-instruct"),
            ),
            ("dpant/Llama-3.2-1B-Q4_K_M-GGUF", Some("llama-3-2-1b")),
            ("Qwen/Qwen2.5-7B-Instruct-GPTQ-Int4", Some("qwen2-5-7b-instruct")),
            (
                "bartowski/google_gemma-3-12b-it-GGUF",
                Some("google-gemma-3-12b-it"),
            ),
            ("someone/K-M-Story-7B", None),
            ("someone/gguf", None),
        ] {
            assert_eq!(copied(copy).as_deref(), name, "{copy}");
        }
        assert!(names_a_type("a/Lucy-128k-Q2_K-GGUF") && names_a_type("a/b-GPTQ-Int4"));
        assert!(!names_a_type("bartowski/gemma-3-12b-it-GGUF") && !names_a_type("a/b-i1-imatrix-GGUF"));
        assert!(loads(InferenceEngine::LlamaCpp, "a/b-GGUF") && !loads(InferenceEngine::LlamaCpp, "a/b-AWQ"));
        assert!(
            loads(InferenceEngine::Vllm, "a/b-AWQ")
                && !loads(InferenceEngine::Vllm, "a/b-GGUF")
                && !loads(InferenceEngine::Vllm, "a/b-mlx")
        );
    }
}
