//! Labels of synthetic checkpoints of every kind.

use super::*;
use crate::gather::Role;
use crate::observed::{Observed, Place};

/// Adds a checkpoint with a day and a leaderboard's type.
fn add(gathered: &mut Gathered, id: &str, day: Days, kind: Option<&str>, base: Option<&str>) -> u32 {
    let observed = Observed {
        id: id.into(),
        date: Some(HUB_FLOOR + day),
        base: base.map(str::to_owned),
        dimensions: [Some(4), Some(64), Some(256), Some(4), Some(4), Some(1_000), None],
        ..Observed::default()
    };
    let at = gathered.add(&observed, Place::NONE, Role::Leaderboard);
    gathered.known[at as usize].says(&Evaluation {
        kind: kind.map(str::to_owned),
        ..Evaluation::default()
    });
    at
}

fn label(gathered: &Gathered, at: u32) -> Option<Training> {
    let mut trainings = Trainings::of(gathered);
    for (at, known) in (0..).zip(&gathered.known) {
        let [layers, d_model, d_ffn, heads, kv_heads, vocab_size, pos] = known.details.dimensions;
        let structure = Structure {
            d_model,
            d_ffn,
            heads,
            layers,
            kv_heads,
            vocab_size,
            pos,
            ..Structure::default()
        };
        trainings.note(gathered, at, &structure);
    }
    trainings.label(gathered, at).value
}

#[test]
fn a_type_of_pretrained_holds_where_nothing_objects() {
    let alone = |id: &str, kind: &str| {
        let mut gathered = Gathered::default();
        let at = add(&mut gathered, id, 10, Some(kind), None);
        label(&gathered, at)
    };
    for (id, kind, wanted) in [
        ("a/Sun-7B", "pretrained", Training::Pretrained),
        ("a/Sun-7B", "continuously pretrained", Training::Continued),
        ("a/Sun-7B-Instruct", "pretrained", Training::Chat),
        ("a/Sun-7B-it", "pretrained", Training::Chat),
        ("a/Sun-2x7B", "pretrained", Training::Merge),
        ("a/Sun-7B-slerp", "pretrained", Training::Merge),
        ("a/pruned20-sun-3b", "pretrained", Training::Surgery),
        ("a/Sun-7B-alpaca", "continuously pretrained", Training::FineTuned),
        ("a/Sun-7B-GPTQ", "pretrained", Training::Quantized),
        ("a/Sun-7B-lora", "pretrained", Training::Adapter),
        ("a/Sun-7B", "chat models (RLHF, DPO, IFT, ...)", Training::Chat),
        ("a/Sun-7B", "base merges and moerges", Training::Merge),
    ] {
        assert_eq!(alone(id, kind), Some(wanted), "{id} called {kind}");
    }
    // A word within a longer word does not count.
    assert_eq!(
        alone("a/InstructLM-500M", "pretrained"),
        Some(Training::Pretrained)
    );
}

#[test]
fn the_type_furthest_from_pretrained_decides() {
    let mut gathered = Gathered::default();
    let at = add(&mut gathered, "a/Sun-7B", 10, Some("pretrained"), None);
    add(
        &mut gathered,
        "a/Sun-7B",
        10,
        Some("fine-tuned on domain-specific datasets"),
        None,
    );
    assert_eq!(label(&gathered, at), Some(Training::FineTuned));
}

#[test]
fn a_base_makes_a_continuation_unless_it_is_younger_or_the_same_by_another_name() {
    let mut gathered = Gathered::default();
    add(&mut gathered, "a/Sun-7B", 10, Some("pretrained"), None);
    let coder = add(
        &mut gathered,
        "a/Sun-Coder-7B",
        20,
        Some("pretrained"),
        Some("a/Sun-7B"),
    );
    let older = add(
        &mut gathered,
        "a/Moon-7B",
        5,
        Some("pretrained"),
        Some("a/Sun-7B"),
    );
    let upload = add(
        &mut gathered,
        "b/Sun-7B-hf",
        30,
        Some("pretrained"),
        Some("a/Sun-7B"),
    );
    assert_eq!(label(&gathered, coder), Some(Training::Continued));
    assert_eq!(label(&gathered, older), Some(Training::Pretrained));
    assert_eq!(label(&gathered, upload), Some(Training::Pretrained));
}

#[test]
fn a_copy_has_its_originals_label() {
    let mut gathered = Gathered::default();
    add(
        &mut gathered,
        "a/Star-8B",
        10,
        Some("chat models (RLHF, DPO, IFT, ...)"),
        None,
    );
    let copy = add(&mut gathered, "b/Star-8B", 20, Some("pretrained"), None);
    assert_eq!(label(&gathered, copy), Some(Training::Chat));
}

#[test]
fn the_network_of_another_is_doubted_unless_something_says_trained_from_scratch() {
    let mut gathered = Gathered::default();
    let first = add(&mut gathered, "a/Sun-7B", 10, Some("pretrained"), None);
    let later = add(&mut gathered, "b/Cat-base", 20, Some("pretrained"), None);
    let said = add(&mut gathered, "c/Dog-100k-steps", 20, Some("pretrained"), None);
    let same_day = add(&mut gathered, "d/Eel-base", 10, Some("pretrained"), None);
    assert_eq!(label(&gathered, first), Some(Training::Pretrained));
    assert_eq!(label(&gathered, same_day), None);
    assert_eq!(label(&gathered, later), None);
    assert_eq!(label(&gathered, said), Some(Training::Pretrained));
    let trainings = Trainings::of(&gathered);
    assert!(trainings.conflict(&gathered, first).is_none());
}

#[test]
fn of_the_hubs_first_day_nobody_is_known_to_be_first() {
    let mut gathered = Gathered::default();
    let one = add(&mut gathered, "a/Sun-7B", 0, Some("pretrained"), None);
    let other = add(&mut gathered, "b/Cat-base", -300, Some("pretrained"), None);
    assert_eq!(label(&gathered, one), Some(Training::Pretrained));
    assert_eq!(label(&gathered, other), Some(Training::Pretrained));
}

#[test]
fn a_count_of_round_billions_is_the_size_of_a_name() {
    let mut gathered = Gathered::default();
    let mut told = |count: i64| {
        let observed = Observed {
            id: format!("a/Sun-{count}"),
            parameters_total: Some(count),
            ..Observed::default()
        };
        let at = gathered.add(&observed, Place::NONE, Role::Structure);
        let known = &gathered.known[at as usize];
        (known.details.parameters_total, known.listed_size)
    };
    assert_eq!(told(14_000_000_000), (None, Some(14.0)));
    assert_eq!(told(3_800_000_000), (None, Some(3.8)));
    assert_eq!(told(14_659_507_200), (Some(14_659_507_200), None));
    // Small sizes are true counts: no checkpoint is nominally called 40 million.
    assert_eq!(told(40_000_000), (Some(40_000_000), None));
}
