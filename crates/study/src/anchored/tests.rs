//! Gradients against finite differences, the score transform, a simulation, and what anchors may use.

use super::process::{log_odds, misfit, score};
use super::*;
use crate::random::{Random, gauss};

fn benchmarks() -> Vec<AnchoredBenchmark> {
    [0.0, 25.0, 10.0]
        .iter()
        .enumerate()
        .map(|(place, chance)| AnchoredBenchmark {
            name: format!("b{place}"),
            title: format!("B{place}"),
            chance: *chance,
        })
        .collect()
}

/// Families of four sizes whose log odds depend on size, an effect of the family, and a little noise.
fn world(families: usize) -> AnchoredQuestion {
    let mut random = Random::new(5, 1);
    let benchmarks = benchmarks();
    let mut rows = Vec::new();
    for family in 0..families {
        let own = 0.8 * gauss(&mut random);
        for (step, size) in [0.5, 2.0, 7.0, 30.0].into_iter().enumerate() {
            let ability = 0.6 * f64::ln(size) + own;
            let scores = benchmarks.iter().map(|known| {
                let log_odds = ability - 1.0 + 0.1 * gauss(&mut random);
                known.chance + (100.0 - known.chance) / (1.0 + (-log_odds).exp())
            });
            rows.push(AnchoredRow {
                model: format!("f{family}-{step}"),
                family: format!("f{family}"),
                group: (family % 2 == 0).then_some(family),
                size,
                tokens: 1.0 + (family % 3) as f64,
                is_tuned: false,
                scores: scores.collect(),
            });
        }
    }
    AnchoredQuestion {
        name: "made_up".into(),
        work: "a made-up table".into(),
        place: "none".into(),
        benchmarks,
        rows,
        saved: Vec::new(),
    }
}

#[test]
fn slopes_are_those_of_differences() {
    let mut random = Random::new(1, 1);
    let at: Vec<[f64; 3]> = (0..14)
        .map(|_| std::array::from_fn(|_| gauss(&mut random)))
        .collect();
    let names: Vec<String> = (0..14).map(|row| format!("{}", row % 4)).collect();
    let families: Vec<&str> = names.iter().map(String::as_str).collect();
    let y: Vec<f64> = at.iter().map(|x| x[0] + 0.3 * gauss(&mut random)).collect();
    let logarithms = [0.3, 0.5, 0.1, -0.8, -1.2, -1.7, -0.9, -1.1, -2.5, -2.0];
    let (_, slopes) = misfit(&at, &families, &y, &logarithms).expect("a value");
    for k in 0..logarithms.len() {
        let moved = |by: f64| {
            let mut at_ = logarithms;
            at_[k] += by;
            misfit(&at, &families, &y, &at_).expect("a value").0
        };
        let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
        assert!(
            (difference - slopes[k]).abs() < 1e-6 * (1.0 + difference.abs()),
            "{k}: {difference} {}",
            slopes[k]
        );
    }
}

#[test]
fn scores_come_back_from_their_log_odds() {
    for known in benchmarks() {
        for value in [known.chance, 31.0, 55.5, 99.0] {
            assert!((score(&known, log_odds(&known, value)) - value).abs() < 1e-9);
        }
        // Scores below chance are clamped to chance.
        assert!((score(&known, log_odds(&known, known.chance - 5.0)) - known.chance).abs() < 1e-9);
    }
}

#[test]
fn an_anchor_tells_the_family_and_none_tells_nothing_of_it() {
    let question = world(20);
    let one = tested(&question, Anchor::One).expect("fits");
    let none = tested(&question, Anchor::None).expect("fits");
    // Ten families are tested on three members each, with and without an anchor.
    assert_eq!((one.len(), none.len()), (30, 30));
    assert!(one.iter().zip(&none).all(|(a, b)| a.row == b.row));
    let error = |all: &[Tested]| {
        let missed = all.iter().flat_map(|own| {
            let scores = &question.rows[own.row].scores;
            own.process.iter().zip(scores).map(|(a, b)| (a - b).abs())
        });
        mean(&missed.collect::<Vec<f64>>())
    };
    // The family's effect is 0.8 in log odds, about twelve points in the middle; the anchor removes most of it.
    assert!(error(&one) < 4.0, "{}", error(&one));
    assert!((6.0..16.0).contains(&error(&none)), "{}", error(&none));
    let inside = |all: &[Tested]| {
        let held = all.iter().flat_map(|own| {
            let scores = &question.rows[own.row].scores;
            own.ends
                .iter()
                .zip(scores)
                .map(|((low, high), score)| f64::from(u8::from((low..=high).contains(&score))))
        });
        mean(&held.collect::<Vec<f64>>())
    };
    assert!((0.65..=0.95).contains(&inside(&one)), "{}", inside(&one));
    // Predictions do not depend on the family's scores except those of its smallest member.
    let mut changed = question.clone();
    for (place, row) in changed.rows.iter_mut().enumerate() {
        if row.group == Some(0) && !is_smallest(&question.rows, place) {
            row.scores = vec![50.0; 3];
        }
    }
    let again = tested(&changed, Anchor::One).expect("fits");
    for (a, b) in one.iter().zip(&again).filter(|(a, _)| a.group == 0) {
        assert_eq!(a.process, b.process);
    }
}
