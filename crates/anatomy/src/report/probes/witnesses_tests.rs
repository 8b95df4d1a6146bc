//! Made-up results of probes and what they say of claims.

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
    // 10 of 30 against 20 of 40.
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
