//! Runs simulated from known laws.

use super::*;
use crate::random::{Random, gauss};

fn runs(law: impl Fn(f64, f64, f64, f64) -> f64, noise: f64) -> Vec<Run> {
    let mut random = Random::new(5, 1);
    let mut all = Vec::new();
    for width in [256.0, 512.0, 1024.0, 2048.0_f64] {
        for layers in [4.0, 12.0, 36.0] {
            for tokens in [2e9, 8e9, 32e9, 128e9, 350e9] {
                let parameters = 12.0 * layers * width * width + 50_000.0 * width;
                let target = law(width, layers, parameters, tokens) * (noise * gauss(&mut random)).exp();
                all.push(Run {
                    target,
                    parameters,
                    tokens,
                    shape: Some((layers, width)),
                });
            }
        }
    }
    all
}

/// A law of size is recovered, and shape adds nothing.
#[test]
fn a_law_of_size_is_found_again() {
    let all = runs(
        |_, _, n, d| 1.8 + 400.0 / n.powf(0.34) + 2000.0 / d.powf(0.37),
        1e-4,
    );
    let answer = fit(&all, LawTarget::Loss, 60, 1).expect("a fit");
    let size = &answer.laws[0];
    assert_eq!((size.name.as_str(), answer.shapes, answer.runs), ("size", 12, 60));
    assert!(
        (size.exponents[0].value - 0.34).abs() < 0.01,
        "{}",
        size.exponents[0].value
    );
    assert!(
        (size.exponents[1].value - 0.37).abs() < 0.01,
        "{}",
        size.exponents[1].value
    );
    assert!((size.floor.expect("a floor") - 1.8).abs() < 0.02);
    assert!(
        size.exponents[0]
            .interval
            .as_ref()
            .is_some_and(|ends| ends.covers(0.34))
    );
    assert!(
        size.left_out < 1e-3 && answer.nested < 2e-3,
        "{} {}",
        size.left_out,
        answer.nested
    );
}

/// Where only layers matter, the law of shape is recovered and selected.
#[test]
fn a_law_of_shape_is_told_from_one_of_size() {
    let all = runs(
        |w, l, _, d| 1.7 + 30.0 / w.powf(0.5) + 2.0 / l.powf(0.8) + 900.0 / d.powf(0.35),
        1e-4,
    );
    let answer = fit(&all, LawTarget::Loss, 60, 1).expect("a fit");
    let of = |name: &str| answer.laws.iter().find(|law| law.name == name).expect("a law");
    assert!(of("shape").left_out < 0.3 * of("size").left_out);
    assert!((of("shape").exponents[1].value - 0.8).abs() < 0.1);
    let deeper = answer.deeper.expect("an effect");
    // At the median run: width 724, layers 12.
    let truth = 30.0 * (2.0_f64.powf(0.25) - 1.0) / 512.0_f64.powf(0.5);
    assert!(deeper.interval.is_some() && truth > 0.0);
    assert!(answer.chosen.starts_with("shape") || answer.chosen.starts_with("both"));
}

#[test]
fn scores_are_lines_of_log_odds() {
    let mut all = runs(|_, _, n, _| n, 0.0);
    for run in &mut all {
        let log_odds = -12.0 + 0.5 * run.parameters.ln() + 0.1 * run.tokens.ln();
        run.target = 100.0 / (1.0 + (-log_odds).exp());
        run.shape = None;
    }
    let answer = fit(&all, LawTarget::Score, 50, 1).expect("a fit");
    assert!((answer.laws[0].exponents[0].value - 0.5).abs() < 1e-6);
    assert!((answer.laws[0].exponents[1].value - 0.1).abs() < 1e-6);
    assert!(answer.laws[0].left_out < 1e-6 && answer.deeper.is_none());
}

#[test]
fn what_cannot_be_fitted_is_said() {
    let all = runs(|_, _, _, _| 2.0, 0.0);
    assert!(
        fit(&all[..4], LawTarget::Loss, 50, 1)
            .expect_err("too few")
            .to_string()
            .contains("at least 10 runs")
    );
    let mut none = all.clone();
    none[2].tokens = 0.0;
    assert!(
        fit(&none, LawTarget::Loss, 50, 1)
            .expect_err("zero")
            .to_string()
            .contains("run 3")
    );
}
