//! Tests the evidence extracted from synthetic probe results.

use serde_json::json;

use super::*;

fn probe(content: Value) -> Probe {
    Probe {
        name: "file".into(),
        content,
    }
}

fn made(result: Value) -> Value {
    let mut result = result;
    result["provenance"] = json!({"seed": 7, "model": {"name": "models/Tiny-1.gguf", "sha256": "ff"}});
    result
}

fn influence(values: &[f64]) -> Value {
    made(json!({
        "block_influence": values, "intervals": [], "level": 0.95, "order_least_important_first": [], "angular": {},
        "texts": 2, "tokens": 30, "empty_texts": 0,
    }))
}

fn gradients(norms: [f64; 3]) -> Value {
    let matrix =
        |norm: f64| json!({"nuclear_norm": norm, "sigma_max": 1.0, "frobenius": 1.5, "effective_rank": 2.0});
    let layers: Vec<Value> = norms
        .into_iter()
        .map(|norm| {
            json!({
                "q": matrix(1.0), "k": matrix(1.0), "v": matrix(1.0), "o": matrix(1.0),
                "gate": null, "up": matrix(norm), "down": matrix(norm),
            })
        })
        .collect();
    made(json!({
        "mean_loss": 1.5, "losses": [1.5], "layers": layers, "samples": 1, "prompt_tokens": 4, "response_tokens": 3,
    }))
}

fn only(found: &[Witness], claim: &str) -> Witness {
    let all: Vec<&Witness> = found.iter().filter(|witness| witness.claim == claim).collect();
    assert_eq!(all.len(), 1, "{claim} of {found:?}");
    all[0].clone()
}

#[test]
fn influence_over_benchmarks_is_compared_in_pairs() {
    let found = of_probe(&probe(json!({
        "arc_challenge": influence(&[0.4, 0.1, 0.2, 0.3]),
        "winogrande": influence(&[0.5, 0.2, 0.3, 0.4]),
        "mmlu": influence(&[0.4, 0.2, 0.1, 0.3]),
    })));
    let alike = only(&found, "pruning.influence_is_alike");
    assert!(
        (alike.value - (1.0 + 0.8 + 0.8) / 3.0).abs() < 1e-12 && alike.holds(),
        "{}",
        alike.value
    );
    assert_eq!(
        (alike.checkpoint.as_str(), alike.sha256.as_str(), alike.seed),
        ("Tiny-1", "ff", Some(7))
    );
    assert!(
        of_probe(&probe(json!({"arc_challenge": influence(&[0.4, 0.1])}))).is_empty(),
        "one is no comparison"
    );
}

#[test]
fn gradients_are_compared_by_the_share_of_deep_layers() {
    let found = of_probe(&probe(json!({
        "arc.jsonl": gradients([3.0, 3.0, 3.0]), "truthfulqa.jsonl": gradients([3.0, 3.0, 8.0]),
    })));
    let deep = only(&found, "gradients.deep_layers_arc");
    // 10 of 30 compared with 20 of 40.
    assert!(
        (deep.value - 100.0 * (1.0 / 3.0 - 0.5)).abs() < 1e-9 && !deep.holds(),
        "{}",
        deep.value
    );
    let found = of_probe(&probe(json!({
        "plain": gradients([3.0, 3.0, 3.0]), "mathematical": gradients([3.0, 3.0, 2.0]), "archaic": gradients([3.0, 3.0, 6.0]),
    })));
    let style = only(&found, "gradients.style");
    assert!(
        (style.value - 100.0 * (0.5 - 1.0 / 3.0)).abs() < 1e-9 && style.holds(),
        "{}",
        style.value
    );
}

#[test]
fn raw_gradients_of_deep_layers_are_a_ratio() {
    let found = of_probe(&probe(json!({
        "arc.jsonl": gradients([3.0, 3.0, 3.0]), "truthfulqa.jsonl": gradients([3.0, 3.0, 8.0]),
    })));
    let raw = only(&found, "gradients.deep_layers_raw");
    // Four ones and twice the norm: 10 compared with 20.
    assert!((raw.value - 0.5).abs() < 1e-12 && !raw.holds(), "{}", raw.value);
    assert!(raw.note.contains("divided by its mean loss"), "{}", raw.note);
}

#[test]
fn influence_says_where_its_least_layers_lie_and_goes_with_gradients() {
    let low_late = influence(&[0.5, 0.4, 0.3, 0.1, 0.2, 0.3, 0.6]);
    let found = of_probe(&probe(json!({"arc_challenge": low_late, "winogrande": low_late})));
    let deep = only(&found, "pruning.least_influential_lie_deep");
    // Two of seven layers: indices 3 and 4, on a scale from 0 to 6.
    assert!(
        (deep.value - 3.5 / 6.0).abs() < 1e-12 && deep.holds(),
        "{}",
        deep.value
    );
    // Results on text styles give no evidence on benchmarks.
    let styles = of_probe(&probe(json!({"plain": low_late, "code": low_late})));
    assert!(
        !styles
            .iter()
            .any(|witness| witness.claim == "pruning.influence_is_alike")
    );
    // Gradients rise where influence is low.
    let both = [
        probe(json!({"arc_challenge": influence(&[0.3, 0.2, 0.1])})),
        probe(
            json!({"plain": gradients([3.0, 3.0, 3.0]), "archaic": gradients([3.0, 4.0, 6.0]),
                     "mathematical": gradients([3.0, 3.0, 3.0])}),
        ),
    ];
    let peaks = only(&of_all(&both), "gradients.peaks_are_pruned");
    assert!((peaks.value - 1.0).abs() < 1e-12 && peaks.n == 3, "{peaks:?}");
    assert!(
        of_peaks(&both[1..]).is_empty(),
        "without influence nothing can be said"
    );
}

fn tuning(gradients_at: &[Value], tests: &Value) -> Value {
    made(json!({
        "steps": 4, "samples": 10, "settings": {"rank": 8, "batch": 2, "learning_rate": 1e-4},
        "losses": [4.0, 3.0, 2.0, 1.0], "gradients": gradients_at, "tests": tests,
    }))
}

#[test]
fn gradients_along_two_tunings_are_compared() {
    let at = |step: u64, norms: [f64; 3]| {
        let mut one = gradients(norms);
        one["step"] = step.into();
        one
    };
    let found = of_probe(&probe(json!({
        "arc_challenge": tuning(&[at(1, [3.0, 3.0, 3.0]), at(3, [3.0, 3.0, 8.0])], &json!([])),
        "truthfulqa": tuning(&[at(1, [3.0, 3.0, 3.0])], &json!([])),
    })));
    let steps = only(&found, "gradients.tuning");
    // Mean of a third and a half, compared with a third.
    assert!(
        (steps.value - 100.0 * (0.5 / 2.0 - 1.0 / 6.0)).abs() < 1e-9 && steps.interval.is_none(),
        "{}",
        steps.value
    );
    assert!(steps.note.contains("33.3 to 50.0 %"), "{}", steps.note);
}

#[test]
fn a_tuned_checkpoint_speaks_by_six_numbers_and_their_mean() {
    let error = |benchmark: &str, r2: f64| json!({"benchmark": benchmark, "n": 20, "mae": 7.5, "r2": r2, "low": r2 - 0.1, "high": r2 + 0.1});
    let six: Vec<Value> = ["ARC-C", "HellaSwag", "MMLU", "TruthfulQA", "WinoGrande", "GSM8K"]
        .iter()
        .zip([0.1, 0.2, 0.3, -0.4, 0.5, -1.3])
        .map(|(name, r2)| error(name, r2))
        .collect();
    let tests = json!([{"name": "test", "n": 21, "loss": 1.25, "exact": 0,
        "scores": {"malformed": 1, "structures": 9, "benchmarks": six}, "answers": []}]);
    let content = tuning(&[], &tests);
    let found = of_probe(&probe(content.clone()));
    let mean = only(&found, "llm.predicts");
    assert!(
        (mean.value + 0.1).abs() < 1e-12 && !mean.holds(),
        "{}",
        mean.value
    );
    assert!(
        mean.note
            .contains("4 steps of 2, 10 training rows, 21 test rows, 1 answers malformed")
    );
    let truthful = only(&found, "llm.r2.truthfulqa");
    assert!((truthful.value + 0.4).abs() < 1e-12 && truthful.note.contains("7.50 points"));
    assert!(
        truthful
            .interval
            .is_some_and(|ends| (ends.low + 0.5).abs() < 1e-12)
    );
    let read = Tuning::deserialize_from(&content).expect("a result");
    let words = read.in_words("Tiny-1");
    assert!(
        words.contains("8 samples of 10 training rows") && words.contains("worse than always"),
        "{words}"
    );
}

#[test]
fn an_ablation_speaks_by_its_contrasts() {
    let contrast = |name: &str, how: &str, measure: &str, value: f64| {
        json!({"name": name, "how": how, "measure": measure, "value": value, "low": value - 0.1, "high": value + 0.1, "n": 80,
               "tasks": ["arc_challenge", "mmlu"]})
    };
    let effect = |share: f64, difference: f64| {
        json!({"part": "layers", "share": share, "how": "importance", "task": "gsm8k", "measure": "score", "n": 40, "before": 0.3,
               "after": 0.3 + difference, "difference": difference, "low": null, "high": null, "alone_low": -0.3, "alone_high": 0.0,
               "removed_parameters": 10, "removed_share": share, "removed_units": 1, "draws": 1, "at_chance": false})
    };
    let found = of_probe(&probe(made(json!({
        "parameters": 100, "calibration_texts": 1, "calibration_tokens": 1, "level": 0.95, "method": "", "cuts": [], "left_out": [],
        "matrix": [], "effects": [effect(0.1, -0.05), effect(0.2, -0.15)],
        "contrasts": [
            contrast("layers.reasoning_minus_knowledge", "random", "score", 9.0),
            contrast("layers.reasoning_minus_knowledge", "importance", "log_p_gold", 9.0),
            contrast("layers.reasoning_minus_knowledge", "importance", "score", 0.05),
            contrast("layers_minus_d_ffn.reasoning_minus_knowledge", "importance", "score", -0.2),
        ],
    }))));
    let falls = only(&found, "pruning.reasoning_falls");
    assert!((falls.value - 5.0).abs() < 1e-9 && falls.n == 80);
    assert!(
        falls
            .interval
            .as_ref()
            .is_some_and(|ends| (ends.low + 5.0).abs() < 1e-9)
    );
    assert!(!only(&found, "pruning.depth_against_width").holds());
    let gsm8k = only(&found, "pruning.gsm8k_falls");
    assert!(
        (gsm8k.value - 15.0).abs() < 1e-9,
        "the largest dose: {}",
        gsm8k.value
    );
    assert!(
        gsm8k
            .interval
            .is_some_and(|ends| ends.low == 0.0 && (ends.high - 30.0).abs() < 1e-9)
    );
}

#[test]
fn what_comes_along_is_read() {
    let witnesses = shipped().expect("results that come along are JSON");
    for (name, text) in SHIPPED {
        let content: Value = serde_json::from_str(text).expect("JSON");
        let found = of_probe(&Probe {
            name: name.to_owned(),
            content,
        });
        assert!(!found.is_empty(), "{name} says nothing of any claim");
        assert!(
            found.iter().all(|witness| witness.sha256.len() == 64),
            "{name} names its weights"
        );
    }
    assert_eq!(witnesses.is_empty(), SHIPPED.is_empty());
}
