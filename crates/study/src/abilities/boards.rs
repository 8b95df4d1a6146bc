//! Benchmarks of each board: tests, titles, abilities, and the score by guessing.

use super::euroeval::{DATASETS, ENGLISH};
use super::{Benchmark, n_of};

/// A test: key, title, abilities, and the score by guessing in points of the raw share (`None` where unknown).
type Test = (&'static str, &'static str, &'static [&'static str], Option<f64>);

/// Tests of the two Open LLM Leaderboards, of Proteus, and of boards with one task.
const TESTS: [Test; 29] = [
    ("arc", "ARC", &["science", "commonsense"], Some(25.0)),
    ("hellaswag", "HellaSwag", &["commonsense"], Some(25.0)),
    ("mmlu", "MMLU", &["knowledge"], Some(25.0)),
    ("truthfulqa", "TruthfulQA", &["truthfulness"], None),
    ("winogrande", "WinoGrande", &["commonsense"], Some(50.0)),
    ("gsm8k", "GSM8K", &["arithmetic"], Some(0.0)),
    ("ifeval", "IFEval", &["instructions"], Some(0.0)),
    (
        "ifeval_prompt",
        "IFEval, whole prompts",
        &["instructions"],
        Some(0.0),
    ),
    (
        "ifeval_instruction",
        "IFEval, single instructions",
        &["instructions"],
        Some(0.0),
    ),
    ("bbh", "BBH", &["reasoning"], Some(29.2)),
    ("math", "MATH", &["math"], Some(0.0)),
    ("gpqa", "GPQA", &["science"], Some(25.0)),
    ("musr", "MUSR", &["reasoning"], Some(34.4)),
    ("mmlu_pro", "MMLU-PRO", &["knowledge"], Some(10.0)),
    (
        "bigcodebench_complete",
        "BigCodeBench, complete",
        &["code"],
        Some(0.0),
    ),
    (
        "bigcodebench_instruct",
        "BigCodeBench, instruct",
        &["code"],
        Some(0.0),
    ),
    (
        "bigcodebench_hard_complete",
        "BigCodeBench hard, complete",
        &["code"],
        Some(0.0),
    ),
    (
        "bigcodebench_hard_instruct",
        "BigCodeBench hard, instruct",
        &["code"],
        Some(0.0),
    ),
    ("humaneval", "HumanEval", &["code"], Some(0.0)),
    ("humaneval_plus", "HumanEval+", &["code"], Some(0.0)),
    ("mbpp", "MBPP", &["code"], Some(0.0)),
    ("mbpp_plus", "MBPP+", &["code"], Some(0.0)),
    ("longbench_v2", "LongBench v2", &["long-context"], Some(25.0)),
    (
        "longbench_v2_cot",
        "LongBench v2, chain of thought",
        &["long-context"],
        Some(25.0),
    ),
    (
        "longbench_v2_easy",
        "LongBench v2, easy",
        &["long-context"],
        Some(25.0),
    ),
    (
        "longbench_v2_hard",
        "LongBench v2, hard",
        &["long-context"],
        Some(25.0),
    ),
    (
        "longbench_v2_short",
        "LongBench v2, short",
        &["long-context"],
        Some(25.0),
    ),
    (
        "longbench_v2_medium",
        "LongBench v2, medium",
        &["long-context"],
        Some(25.0),
    ),
    (
        "longbench_v2_long",
        "LongBench v2, long",
        &["long-context"],
        Some(25.0),
    ),
];

/// Prefix of each board's name, and the index in [`TESTS`] at which its tests end.
const BOARDS: [(&str, usize); 5] = [
    ("open-llm-leaderboard-v1", 6),
    ("open-llm-leaderboard-v2", 14),
    ("bigcodebench", 18),
    ("evalplus", 22),
    ("longbench-v2", 29),
];

/// A [`Test`], and whether it is in Japanese.
type Told = (
    &'static str,
    &'static str,
    &'static [&'static str],
    Option<f64>,
    bool,
);

/// Tests of the Swallow leaderboard, named as its tasks.
const SWALLOW: [Told; 41] = [
    (
        "openbookqa",
        "OpenBookQA",
        &["science", "commonsense"],
        Some(25.0),
        false,
    ),
    ("triviaqa", "TriviaQA", &["knowledge"], Some(0.0), false),
    ("hellaswag", "HellaSwag", &["commonsense"], Some(25.0), false),
    ("squad2", "SQuAD2", &["reading"], Some(0.0), false),
    ("xwino", "XWINO", &["commonsense"], Some(50.0), false),
    ("mmlu", "MMLU", &["knowledge"], Some(25.0), false),
    ("gsm8k", "GSM8K", &["arithmetic"], Some(0.0), false),
    ("math", "MATH", &["math"], Some(0.0), false),
    ("bbh", "BBH", &["reasoning"], None, false),
    ("humaneval", "HumanEval", &["code"], Some(0.0), false),
    ("mmlu_pro", "MMLU-Pro", &["knowledge"], Some(10.0), false),
    ("gpqa", "GPQA", &["science"], Some(25.0), false),
    ("math500", "MATH-500", &["math"], Some(0.0), false),
    ("math100", "MATH-100", &["math"], Some(0.0), true),
    ("aime", "AIME", &["math"], Some(0.0), false),
    ("lcb", "LiveCodeBench", &["code"], Some(0.0), false),
    (
        "mifevalja",
        "M-IFEval, Japanese",
        &["instructions"],
        Some(0.0),
        true,
    ),
    ("jamc_qa", "JamC-QA", &["knowledge"], Some(25.0), true),
    ("mmlu_prox", "MMLU-ProX", &["knowledge"], Some(10.0), true),
    ("polymathjaht", "PolyMath, Japanese", &["math"], Some(0.0), true),
    ("jhumaneval", "JHumanEval", &["code"], Some(0.0), true),
    (
        "wmt20enja",
        "WMT20, English to Japanese",
        &["translation"],
        Some(0.0),
        true,
    ),
    (
        "wmt20jaen",
        "WMT20, Japanese to English",
        &["translation"],
        Some(0.0),
        true,
    ),
    (
        "wmt20_en_ja",
        "WMT20, English to Japanese",
        &["translation"],
        Some(0.0),
        true,
    ),
    (
        "wmt20_ja_en",
        "WMT20, Japanese to English",
        &["translation"],
        Some(0.0),
        true,
    ),
    ("jcomqa", "JCommonsenseQA", &["commonsense"], Some(20.0), true),
    (
        "jemhopqa",
        "JEMHopQA",
        &["knowledge", "reasoning"],
        Some(0.0),
        true,
    ),
    ("niilc", "NIILC", &["knowledge"], Some(0.0), true),
    ("jsquad", "JSQuAD", &["reading"], Some(0.0), true),
    ("xlsum", "XL-Sum", &["summarization"], Some(0.0), true),
    ("xl_sum", "XL-Sum", &["summarization"], Some(0.0), true),
    ("mgsm", "MGSM", &["arithmetic"], Some(0.0), true),
    ("jmmlu", "JMMLU", &["knowledge"], Some(25.0), true),
    (
        "coding",
        "MT-Bench, coding",
        &["conversation", "code"],
        None,
        false,
    ),
    (
        "extraction",
        "MT-Bench, extraction",
        &["conversation", "extraction"],
        None,
        false,
    ),
    (
        "humanities",
        "MT-Bench, humanities",
        &["conversation", "knowledge"],
        None,
        false,
    ),
    (
        "mtb_math",
        "MT-Bench, mathematics",
        &["conversation", "math"],
        None,
        false,
    ),
    (
        "reasoning",
        "MT-Bench, reasoning",
        &["conversation", "reasoning"],
        None,
        false,
    ),
    ("roleplay", "MT-Bench, roleplay", &["conversation"], None, false),
    (
        "stem",
        "MT-Bench, STEM",
        &["conversation", "science"],
        None,
        false,
    ),
    ("writing", "MT-Bench, writing", &["conversation"], None, false),
];

/// Tests in the tables of Epoch AI.
const EPOCH: [Test; 47] = [
    ("adversarial_nli", "Adversarial NLI", &["reasoning"], Some(33.3)),
    ("aider_polyglot", "Aider polyglot", &["code"], Some(0.0)),
    ("apex_agents", "APEX agents", &["agents"], Some(0.0)),
    ("arc_agi", "ARC-AGI", &["reasoning"], Some(0.0)),
    ("arc_agi_2", "ARC-AGI-2", &["reasoning"], Some(0.0)),
    (
        "arc_ai2",
        "ARC, challenge",
        &["science", "commonsense"],
        Some(25.0),
    ),
    ("balrog", "BALROG", &["agents"], Some(0.0)),
    ("bbh", "BBH", &["reasoning"], None),
    ("bool_q", "BoolQ", &["reading"], Some(50.0)),
    ("cad_eval", "CadEval", &["code"], Some(0.0)),
    ("chess_puzzles", "Chess puzzles", &["reasoning"], Some(0.0)),
    (
        "common_sense_qa_2",
        "CommonsenseQA 2",
        &["commonsense"],
        Some(50.0),
    ),
    ("cybench", "Cybench", &["agents"], Some(0.0)),
    ("deepresearchbench", "DeepResearchBench", &["agents"], None),
    ("capabilities_index", "Epoch capabilities index", &[], None),
    (
        "fictionlivebench",
        "Fiction.liveBench, 120k",
        &["long-context"],
        None,
    ),
    ("frontiermath", "FrontierMath", &["math"], Some(0.0)),
    (
        "frontiermath_tier_4",
        "FrontierMath, tier 4",
        &["math"],
        Some(0.0),
    ),
    ("gdpval", "GDPval", &["agents"], None),
    ("gpqa_diamond", "GPQA diamond", &["science"], Some(25.0)),
    ("gsm8k", "GSM8K", &["arithmetic"], Some(0.0)),
    ("gso", "GSO", &["code", "agents"], Some(0.0)),
    ("hella_swag", "HellaSwag", &["commonsense"], Some(25.0)),
    ("hle", "Humanity's Last Exam", &["knowledge"], None),
    ("lambada", "LAMBADA", &["reading"], Some(0.0)),
    ("lech_mazur_writing", "Creative writing", &["conversation"], None),
    ("live_bench", "LiveBench", &["reasoning"], None),
    ("math_level_5", "MATH, level 5", &["math"], Some(0.0)),
    ("metr_time_horizons", "METR time horizon", &["agents"], None),
    ("mmlu", "MMLU", &["knowledge"], Some(25.0)),
    (
        "open_book_qa",
        "OpenBookQA",
        &["science", "commonsense"],
        Some(25.0),
    ),
    ("os_world", "OSWorld", &["agents"], Some(0.0)),
    ("otis_mock_aime_2024_2025", "OTIS mock AIME", &["math"], Some(0.0)),
    ("piqa", "PIQA", &["commonsense"], Some(50.0)),
    ("posttrainbench", "PostTrainBench", &["agents"], None),
    ("science_qa", "ScienceQA", &["science"], None),
    ("simplebench", "SimpleBench", &["reasoning"], None),
    (
        "simpleqa_verified",
        "SimpleQA verified",
        &["knowledge", "truthfulness"],
        Some(0.0),
    ),
    (
        "swe_bench_verified",
        "SWE-bench verified",
        &["code", "agents"],
        Some(0.0),
    ),
    (
        "swe_bench_bash",
        "SWE-bench, bash only",
        &["code", "agents"],
        Some(0.0),
    ),
    ("terminalbench", "Terminal-Bench", &["agents"], Some(0.0)),
    ("the_agent_company", "TheAgentCompany", &["agents"], Some(0.0)),
    ("trivia_qa", "TriviaQA", &["knowledge"], Some(0.0)),
    ("video_mme", "Video-MME", &[], None),
    ("webdev_arena", "WebDev Arena", &["code"], None),
    ("weirdml", "WeirdML", &["code"], Some(0.0)),
    ("wino_grande", "WinoGrande", &["commonsense"], Some(50.0)),
];

/// The benchmark of this name; `None` where it is unknown.
pub(super) fn all_of(name: &str) -> Option<Benchmark> {
    if let Some(rest) = name.strip_prefix("proteus_") {
        return proteus(name, rest);
    }
    if let Some(rest) = name.strip_prefix("euroeval_") {
        return euroeval(name, rest);
    }
    if let Some(rest) = name.strip_prefix("swallow_") {
        return swallow(name, rest);
    }
    if let Some(rest) = name.strip_prefix("epoch_") {
        let (test, title, abilities, chance) = EPOCH.iter().find(|(test, ..)| *test == rest)?;
        return Some(Benchmark {
            chance: *chance,
            ..new(name, title, test, "epoch", abilities)
        });
    }
    let place = TESTS.iter().position(|(test, ..)| *test == name)?;
    let (test, title, abilities, chance) = TESTS[place];
    let (board, _) = BOARDS.iter().find(|(_, end)| place < *end)?;
    // Leaderboard v2 rescales chance to 0.
    let chance = if *board == "open-llm-leaderboard-v2" {
        Some(0.0)
    } else {
        chance
    };
    Some(Benchmark {
        chance,
        n: n_of(test),
        ..new(name, title, test, board, abilities)
    })
}

fn new(
    name: &str,
    title: &str,
    test: &str,
    board: &'static str,
    abilities: &'static [&'static str],
) -> Benchmark {
    Benchmark {
        name: name.to_owned(),
        title: title.to_owned(),
        test: test.to_owned(),
        board,
        abilities: abilities.to_vec(),
        is_multilingual: false,
        chance: None,
        ceiling: 100.0,
        n: None,
        unit: "points",
    }
}

/// Parses `proteus_bbh`, rescaled to 0 at chance, and `proteus_bbh_raw`.
fn proteus(name: &str, rest: &str) -> Option<Benchmark> {
    let bare = rest.strip_suffix("_raw");
    let test = bare.unwrap_or(rest);
    let (test, title, abilities, chance) = TESTS.iter().find(|(known, ..)| *known == test)?;
    let is_stretched = bare.is_none() && ["bbh", "gpqa", "musr", "mmlu_pro"].contains(test);
    let kind = if bare.is_some() { ", raw share" } else { "" };
    Some(Benchmark {
        chance: if is_stretched { Some(0.0) } else { *chance },
        n: n_of(test),
        ..new(name, &format!("{title}{kind}"), test, "proteus", abilities)
    })
}

/// Parses `euroeval_hellaswag`, with optional prefixes `val` and `zero_shot` and the second metric as suffix.
fn euroeval(name: &str, rest: &str) -> Option<Benchmark> {
    let mut rest = rest;
    let mut kinds = Vec::new();
    for (mark, words) in [("zero_shot_", "without examples"), ("val_", "validation split")] {
        if let Some(after) = rest.strip_prefix(mark) {
            rest = after;
            kinds.push(words);
        }
    }
    let metrics = ["accuracy", "macro_f1", "micro_f1", "em", "chr_f4pp", "sari"];
    let second = metrics.iter().find_map(|metric| {
        let bare = rest.strip_suffix(metric)?.strip_suffix('_')?;
        Some((bare, *metric))
    });
    let find = |dataset: &str| DATASETS.iter().find(|(_, all)| all.contains(&dataset));
    // The longest match first, as the name of a data set may itself end like a metric.
    let (ability, dataset, metric) = match (find(rest), second) {
        (Some((ability, _)), _) => (*ability, rest, None),
        (None, Some((bare, metric))) => (find(bare)?.0, bare, Some(metric)),
        (None, None) => return None,
    };
    let classifies = ["sentiment", "grammar", "knowledge", "commonsense"].contains(&ability);
    let mut title = format!("EuroEval {}", dataset.replace('_', "-"));
    kinds.extend(metric);
    if !kinds.is_empty() {
        title = format!("{title} ({})", kinds.join(", "));
    }
    Some(Benchmark {
        abilities: vec![ability],
        is_multilingual: !ENGLISH.contains(&dataset),
        // The first metric of classification tasks is a correlation, which is 0 at chance.
        chance: (metric.is_none() || !classifies).then_some(0.0),
        ..new(name, &title, dataset, "euroeval", &[])
    })
}

/// Parses `swallow_en_post_mmlu_pro`, where the language precedes the suite.
fn swallow(name: &str, rest: &str) -> Option<Benchmark> {
    let suite = ["_pre_", "_post_", "_mtb_", "_basic_", "other_"]
        .iter()
        .find_map(|mark| rest.find(mark).map(|at| (at, *mark)))?;
    let task = &rest[suite.0 + suite.1.len()..];
    let is_grade = suite.1 == "_mtb_";
    let key = if is_grade && task == "math" {
        "mtb_math"
    } else {
        task
    };
    let (test, title, abilities, chance, japanese) = SWALLOW.iter().find(|(known, ..)| *known == key)?;
    let is_japanese = *japanese || rest[..suite.0].ends_with("ja");
    Some(Benchmark {
        chance: *chance,
        is_multilingual: is_japanese,
        ..new(name, title, test, "swallow", abilities)
    })
}
