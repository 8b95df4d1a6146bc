//! Names of benchmarks give their test, board, abilities and chance.

use super::{ABILITIES, ability_of, asks_for, benchmark};

#[test]
fn a_name_says_test_board_ability_and_chance() {
    let cases = [
        ("bbh", "bbh", "open-llm-leaderboard-v2", "reasoning", Some(0.0)),
        ("mmlu", "mmlu", "open-llm-leaderboard-v1", "knowledge", Some(25.0)),
        ("proteus_bbh", "bbh", "proteus", "reasoning", Some(0.0)),
        (
            "proteus_mmlu_pro_raw",
            "mmlu_pro",
            "proteus",
            "knowledge",
            Some(10.0),
        ),
        (
            "euroeval_hellaswag",
            "hellaswag",
            "euroeval",
            "commonsense",
            Some(0.0),
        ),
        (
            "euroeval_zero_shot_val_mmlu_de_accuracy",
            "mmlu_de",
            "euroeval",
            "knowledge",
            None,
        ),
        ("euroeval_val_squad_em", "squad", "euroeval", "reading", Some(0.0)),
        (
            "swallow_en_post_mmlu_pro",
            "mmlu_pro",
            "swallow",
            "knowledge",
            Some(10.0),
        ),
        (
            "swallow_2025_06_26_ja_basic_jmmlu",
            "jmmlu",
            "swallow",
            "knowledge",
            Some(25.0),
        ),
        ("swallow_en_mtb_math", "mtb_math", "swallow", "conversation", None),
        (
            "epoch_gpqa_diamond",
            "gpqa_diamond",
            "epoch",
            "science",
            Some(25.0),
        ),
        ("evalplus", "", "", "", None),
    ];
    for (name, test, board, ability, chance) in cases {
        let Some(known) = benchmark(name) else {
            assert_eq!(test, "", "{name}");
            continue;
        };
        assert_eq!(
            (known.test.as_str(), known.board, known.chance),
            (test, board, chance),
            "{name}"
        );
        assert!(asks_for(name, ability), "{name} asks for {:?}", known.abilities);
    }
}

#[test]
fn every_benchmark_that_stands_for_an_ability_asks_for_it() {
    for ability in &ABILITIES {
        for name in ability.stand_for {
            assert!(asks_for(name, ability.name), "{name} for {}", ability.name);
        }
        assert_eq!(ability_of(ability.name), Some(ability));
        for other in ability.others {
            assert_eq!(ability_of(other), Some(ability), "{other} is of one ability");
        }
    }
}
