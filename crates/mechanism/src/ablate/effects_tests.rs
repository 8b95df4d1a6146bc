//! Tests of effects computed from synthetic answers with known results.

use std::collections::BTreeMap;

use common::proportions::paired_difference;

use super::super::effects::{Effect, LEVEL, Measure, headline};
use super::super::plan::{Dimension, How};
use super::*;
use crate::evaluate::Request;
use crate::evaluate::tasks::{Gold, Item, Task};

fn item(task: Task, doc_id: usize) -> Item {
    let request = Request {
        context: "q".to_owned(),
        continuation: " a".to_owned(),
    };
    Item {
        task,
        doc_id,
        requests: vec![request; 2],
        choice_chars: vec![1; 2],
        gold: Gold::Choice(0),
    }
}

/// An answer that gives the right one of two choices probability `p`.
fn answer(item: &Item, p: f64) -> Answer {
    let right = f64::from(u8::from(p > 0.5));
    Answer {
        id: String::new(),
        task: item.task.to_string(),
        doc_id: item.doc_id,
        log_likelihoods: vec![p.ln(), (1.0 - p).ln()],
        is_greedy: vec![false; 2],
        prediction: None,
        gold: Some(0),
        correct: None,
        generated: None,
        metrics: BTreeMap::from([(headline(item.task).to_owned(), right)]),
    }
}

fn planned(part: Dimension, share: f64, how: How, draw: Option<usize>) -> Planned {
    Planned {
        part,
        share,
        how,
        draw,
        count: (100.0 * share) as usize,
        units: 100,
        removed_parameters: (1000.0 * share) as u64,
        removed_share: share,
        stays: None,
        layers: Vec::new(),
    }
}

fn asked() -> Vec<Asked> {
    let of = |name: &str, task| Asked {
        name: name.to_owned(),
        items: (0..40).map(|i| item(task, i)).collect(),
    };
    vec![of("winogrande", Task::WinoGrande), of("mmlu", Task::Mmlu(0))]
}

/// Answers that are right for the first `right` of the 40 items of each task.
fn answers(asked: &[Asked], right: [usize; 2]) -> Vec<Answer> {
    let of = |(of, right): (&Asked, usize)| -> Vec<Answer> {
        of.items
            .iter()
            .map(|item| answer(item, if item.doc_id < right { 0.9 } else { 0.2 }))
            .collect()
    };
    asked.iter().zip(right).flat_map(of).collect()
}

#[test]
fn effects_are_paired_and_simultaneous_intervals_are_the_wider_ones() {
    let asked = asked();
    let before = answers(&asked, [36, 30]);
    let after = vec![
        (
            planned(Dimension::Layers, 0.1, How::Importance, None),
            answers(&asked, [20, 29]),
        ),
        (
            planned(Dimension::DFfn, 0.1, How::Importance, None),
            answers(&asked, [35, 18]),
        ),
    ];
    let found = effects(&asked, &before, &after);
    let scores: Vec<&Effect> = found
        .effects
        .iter()
        .filter(|e| e.measure == Measure::Score)
        .collect();
    assert_eq!(scores.len(), 4);
    assert_eq!((scores[0].before, scores[0].after, scores[0].n), (0.9, 0.5, 40));
    assert!((scores[0].difference + 0.4).abs() < 1e-12);
    assert!(scores[0].low < scores[0].alone_low && scores[0].alone_high < scores[0].high);
    let alone = paired_difference(16, 0, 40, LEVEL);
    assert_eq!(
        (scores[0].alone_low, scores[0].alone_high),
        (alone.map(|e| e.0), alone.map(|e| e.1))
    );
    let together = paired_difference(16, 0, 40, 1.0 - 0.05 / 4.0);
    assert_eq!(
        scores[0].low,
        together.map(|e| e.0),
        "four effects of this measure"
    );
    assert!(!scores[0].at_chance);
    let log = found
        .effects
        .iter()
        .find(|e| e.measure == Measure::LogPGold)
        .map(|e| e.difference);
    assert!((log.unwrap_or(0.0) - 0.4 * (0.2_f64.ln() - 0.9_f64.ln())).abs() < 1e-12);
    // One tenth was removed, so the slope equals the effect.
    let slope = |part, task: &str| {
        let of = found
            .matrix
            .iter()
            .find(|s| s.part == part && s.task == task && s.measure == Measure::Score);
        of.map_or(f64::NAN, |s| s.per_tenth)
    };
    assert!((slope(Dimension::Layers, "winogrande") + 0.4).abs() < 1e-12);
    assert!((slope(Dimension::DFfn, "mmlu") + 0.3).abs() < 1e-12);
    let contrast = |end: &str| {
        let is = |name: &str| name == end || name == format!("layers_minus_d_{end}");
        let of = found
            .contrasts
            .iter()
            .find(|c| is(&c.name) && c.measure == Measure::Score);
        of.map_or((f64::NAN, f64::NAN, 0), |c| {
            (c.value, c.low.unwrap_or(f64::NAN), c.n)
        })
    };
    let [(reasoning, ..), (knowledge, ..)] = [contrast("ffn.reasoning"), contrast("ffn.knowledge")];
    // Layers lose 16 and 1 of 40, feed-forward width 1 and 12.
    assert!((reasoning - 15.0 / 40.0).abs() < 1e-12 && (knowledge + 11.0 / 40.0).abs() < 1e-12);
    let (both, low, n) = contrast("ffn.reasoning_minus_knowledge");
    let (alone, ..) = contrast("layers.reasoning_minus_knowledge");
    assert!(
        (alone - 15.0 / 40.0).abs() < 1e-12,
        "layers lose 16 and 1 of 40: {alone}"
    );
    assert!(
        (both - 26.0 / 40.0).abs() < 1e-12 && low > 0.0 && low < both && n == 80,
        "{both} {low}"
    );
}

#[test]
fn what_does_not_change_has_an_interval_and_draws_widen_it() {
    let asked = asked();
    let before = answers(&asked, [20, 20]);
    let same = vec![(planned(Dimension::Layers, 0.1, How::Last, None), before.clone())];
    let still = &effects(&asked, &before, &same).effects[0];
    assert_eq!(still.difference, 0.0);
    assert!(still.low < Some(0.0) && still.high > Some(0.0));
    assert!(still.at_chance, "half of items with two choices");
    let drawn = |right: &[usize]| -> Vec<(Planned, Vec<Answer>)> {
        let numbered = right.iter().enumerate();
        numbered
            .map(|(draw, right)| {
                (
                    planned(Dimension::Layers, 0.1, How::Random, Some(draw)),
                    answers(&asked, [*right; 2]),
                )
            })
            .collect()
    };
    let alike = effects(&asked, &before, &drawn(&[10, 10, 10]));
    let unlike = effects(&asked, &before, &drawn(&[2, 10, 18]));
    let (alike, unlike) = (&alike.effects[0], &unlike.effects[0]);
    assert_eq!(
        (alike.draws, alike.difference, unlike.difference),
        (3, -0.25, -0.25)
    );
    assert!(unlike.alone_low < alike.alone_low && alike.alone_high < unlike.alone_high);
}

#[test]
fn slopes_go_through_the_origin_over_all_doses() {
    let asked = asked();
    let before = answers(&asked, [40, 40]);
    let after = vec![
        (
            planned(Dimension::DFfn, 0.1, How::Importance, None),
            answers(&asked, [36, 40]),
        ),
        (
            planned(Dimension::DFfn, 0.3, How::Importance, None),
            answers(&asked, [28, 40]),
        ),
        (
            planned(Dimension::DFfn, 0.0, How::Importance, None),
            before.clone(),
        ),
    ];
    let found = effects(&asked, &before, &after);
    let slope = &found.matrix[0];
    assert_eq!((slope.doses, slope.task.as_str()), (2, "winogrande"));
    assert!((slope.per_tenth + 0.1).abs() < 1e-12);
    assert!(
        found
            .contrasts
            .iter()
            .all(|c| c.name == "d_ffn.reasoning_minus_knowledge"),
        "layers were not cut"
    );
}

#[test]
fn a_doubling_at_one_size_is_what_the_others_lose_less_what_it_loses_and_is_taken_by_item() {
    let asked = asked();
    let before = answers(&asked, [36, 30]);
    let of = |part, share, right| {
        (
            planned(part, share, How::Importance, None),
            answers(&asked, right),
        )
    };
    // Layers lose 16 and 4 of 40 at the second dose; widths lose 8 and none.
    let after = vec![
        of(Dimension::Layers, 0.1, [28, 28]),
        of(Dimension::Layers, 0.2, [20, 26]),
        of(Dimension::DFfn, 0.1, [32, 30]),
        of(Dimension::DFfn, 0.2, [28, 30]),
    ];
    let found = effects(&asked, &before, &after);
    let one = |part, task: &str| {
        found
            .at_one_size
            .iter()
            .find(|one| (one.part, one.task.as_str(), one.measure) == (part, task, Measure::Score))
            .unwrap_or_else(|| panic!("no doubling of {part} on {task}"))
    };
    let layers = one(Dimension::Layers, "winogrande");
    assert_eq!(
        (layers.n, layers.doses, &layers.against),
        (40, 2, &vec![Dimension::DFfn])
    );
    // Expected: layers lose 0.2 and widths 0.1 per tenth; log2(100/90) and log2(100/80) doublings.
    let (x, y) = ([(100.0_f64 / 90.0).log2(), (100.0_f64 / 80.0).log2()], [0.1, 0.2]);
    let slope = (x[0] * y[0] + x[1] * y[1]) / (x[0] * x[0] + x[1] * x[1]);
    assert!(
        (layers.per_doubling - slope).abs() < 1e-12,
        "{} against {slope}",
        layers.per_doubling
    );
    // Exchanging the two parts only changes the sign.
    assert!((one(Dimension::DFfn, "winogrande").per_doubling + slope).abs() < 1e-12);
    let (low, high) = layers.low.zip(layers.high).expect("items differ");
    assert!(low < slope && slope < high && low > 0.0, "[{low}, {high}]");
    assert!(layers.error.is_some_and(|error| error > 0.0 && error < slope));
    // A single part has nothing to be compared with.
    assert!(effects(&asked, &before, &after[..2]).at_one_size.is_empty());
    // If no answer differs, there is no standard error.
    let still = effects(
        &asked,
        &before,
        &[
            of(Dimension::Layers, 0.1, [36, 30]),
            of(Dimension::DFfn, 0.1, [36, 30]),
        ],
    );
    assert!(
        still
            .at_one_size
            .iter()
            .all(|one| one.per_doubling == 0.0 && one.error.is_none() && one.low.is_none())
    );
}

#[test]
fn parts_that_both_leave_nothing_are_not_told_apart_by_how_much_was_removed() {
    let asked = asked();
    let before = answers(&asked, [8, 30]);
    let of = |part, share, right| {
        (
            planned(part, share, How::Importance, None),
            answers(&asked, right),
        )
    };
    let told = |width: [usize; 2]| {
        effects(
            &asked,
            &before,
            &[
                of(Dimension::Layers, 0.11, [0, 26]),
                of(Dimension::DFfn, 0.10, width),
            ],
        )
    };
    let names = |found: &Effects| {
        let scores = found.contrasts.iter().filter(|one| one.measure == Measure::Score);
        let apart: Vec<String> = scores
            .filter(|one| one.name.starts_with("layers_minus_d_ffn"))
            .flat_map(|one| one.tasks.clone())
            .collect();
        let doublings = found
            .at_one_size
            .iter()
            .filter(|one| one.measure == Measure::Score);
        (apart, doublings.map(|one| one.task.clone()).collect::<Vec<_>>())
    };
    let winogrande = &asked[0].name;
    let (apart, doublings) = names(&told([0, 28]));
    assert!(
        !apart.contains(winogrande) && !doublings.contains(winogrande),
        "{apart:?} {doublings:?}"
    );
    assert!(
        !apart.is_empty() && !doublings.is_empty(),
        "the other benchmark still tells"
    );
    // One right answer left on one side tells them apart.
    let (apart, doublings) = names(&told([1, 28]));
    assert!(apart.contains(winogrande) && doublings.contains(winogrande));
}
