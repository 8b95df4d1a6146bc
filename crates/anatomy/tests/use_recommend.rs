//! `recommend` and `compare` as a user meets them, on the compiled-in tables.

use serde_json::json;

use crate::command::anatomy;
use crate::r#use::{answer, list, number};

#[test]
fn recommendations_fit_the_budget_and_account_for_everything() {
    let found = answer(&[
        "recommend",
        "--device",
        "RTX 4090",
        "--task",
        "math,instructions",
        "--license",
        "apache-2.0",
        "--min-speed",
        "30",
        "--top",
        "50",
    ]);
    assert_eq!(found["benchmarks"], json!(["math", "ifeval"]));
    let measured = list(&found, "measured");
    assert!(measured.len() > 10, "{}", measured.len());
    let mut last = f64::INFINITY;
    for choice in measured {
        assert!(number(&choice["memory"]["total_bytes"]) <= 24e9, "{choice}");
        assert!(number(&choice["tokens_per_second"]) >= 30.0, "{choice}");
        assert_eq!(choice["license"], "apache-2.0");
        assert_eq!(choice["is_predicted"], false);
        assert!(number(&choice["score"]) <= last, "the best first");
        last = number(&choice["score"]);
        let mean: f64 = list(choice, "scores")
            .iter()
            .map(|score| number(&score["value"]))
            .sum::<f64>()
            / 2.0;
        assert!((mean - last).abs() < 1e-9);
        assert!(
            choice["why"]
                .as_str()
                .is_some_and(|why| why.contains("GB at bf16")),
            "{choice}"
        );
    }
    assert_eq!(measured[0]["group"], 1);
    assert!(
        list(&found, "predicted")
            .iter()
            .all(|choice| choice["is_predicted"] == true)
    );
    // The front rises in both, and nothing measured lies above it.
    let front = list(&found, "pareto");
    for pair in front.windows(2) {
        assert!(number(&pair[0]["score"]) < number(&pair[1]["score"]));
        assert!(number(&pair[0]["memory_bytes"]) <= number(&pair[1]["memory_bytes"]));
    }
    assert_eq!(front.last().expect("a front")["id"], measured[0]["id"]);
    let left_out: f64 = list(&found, "excluded").iter().map(|row| number(&row["n"])).sum();
    let kept = number(&found["n_measured"]) + number(&found["n_predicted"]);
    assert_eq!(left_out + kept, number(&found["n_checkpoints"]), "nobody is lost");
    let reasons: Vec<&str> = list(&found, "excluded")
        .iter()
        .filter_map(|row| row["reason"].as_str())
        .collect();
    assert!(
        ["flagged", "duplicate", "structure", "license"]
            .iter()
            .all(|reason| reasons.contains(reason)),
        "{reasons:?}"
    );
}

#[test]
fn conditions_are_sql_and_nothing_left_is_no() {
    let found = answer(&[
        "recommend",
        "--memory",
        "24GB",
        "--task",
        "bbh",
        "--where",
        "architecture = 'Gemma2ForCausalLM'",
        "--top",
        "5",
    ]);
    let measured = list(&found, "measured");
    assert!(!measured.is_empty());
    let ran = anatomy(&["-q", "recommend", "--memory", "1MB", "--task", "bbh"]);
    assert!(
        ran.code == 1 && ran.stdout.contains("does not fit into the memory"),
        "{}",
        ran.stdout
    );
    let ran = anatomy(&["recommend", "--memory", "24GB", "--where", "layer > 3"]);
    assert!(ran.code == 2 && ran.stderr.contains("layer"), "{}", ran.stderr);
}

#[test]
fn two_checkpoints_differ_by_more_than_noise_or_do_not() {
    let ids = ["Qwen/Qwen2.5-7B-Instruct", "meta-llama/Llama-3.1-8B-Instruct"];
    let found = answer(&["compare", ids[0], ids[1]]);
    let back = answer(&["compare", ids[1], ids[0]]);
    let pairs = list(&found, "pairs");
    assert!(pairs.len() >= 6, "{pairs:?}");
    for (pair, turned) in pairs.iter().zip(list(&back, "pairs")) {
        assert_eq!(pair["benchmark"], turned["benchmark"]);
        assert!((number(&pair["difference"]) + number(&turned["difference"])).abs() < 1e-9);
        assert_eq!(pair["more_than_noise"], turned["more_than_noise"]);
        // Parts of a benchmark whose number of items is not known have no interval, and no verdict.
        if pair["interval"].is_null() {
            assert!(pair["more_than_noise"].is_null(), "{pair}");
            continue;
        }
        let holds_zero = number(&pair["interval"]["low"]) <= 0.0 && number(&pair["interval"]["high"]) >= 0.0;
        if holds_zero {
            assert_eq!(pair["more_than_noise"], false, "{pair}");
        }
        assert!(number(&pair["p_adjusted"]) >= number(&pair["p"]));
    }
    let layers = list(&found, "structure")
        .iter()
        .find(|row| row["column"] == "layers")
        .expect("a row of layers");
    assert!(
        layers["differs"] == true && layers["values"] == json!(["28", "32"]),
        "{layers}"
    );
}
