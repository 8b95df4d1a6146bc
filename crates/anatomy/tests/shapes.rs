//! Abilities on one scale, laws of one's own runs, and which shape to train.

use std::fmt::Write;
use std::fs;

use serde_json::Value;

use crate::command::anatomy;

fn json(arguments: &[&str]) -> Value {
    let ran = anatomy(arguments);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).expect("JSON")
}

#[test]
fn abilities_have_intervals_and_ranks_that_tie() {
    let all = json(&["study", "abilities", "--format", "json", "--top", "400"]);
    assert_eq!(all["kind"], "abilities");
    assert!(all["of"].as_u64().is_some_and(|of| of > 10_000));
    let told = all["abilities"].as_array().expect("a list");
    assert_eq!(told.len(), 400);
    let number = |own: &Value, name: &str| own[name].as_f64().expect("a number");
    for (place, own) in told.iter().enumerate() {
        assert!(number(own, "low") < number(own, "ability") && number(own, "ability") < number(own, "high"));
        assert!(number(own, "rank") as usize <= place + 1);
    }
    assert!(
        told.iter().filter(|own| own["rank"] == 1).count() >= 2,
        "the first are tied"
    );
    // One checkpoint asked for, on one ability; a larger one of the same line is better.
    let two = json(&[
        "study",
        "abilities",
        "Qwen/Qwen2.5-7B-Instruct",
        "Qwen/Qwen2.5-72B-Instruct",
        "--ability",
        "maths",
        "--format",
        "json",
    ]);
    assert_eq!(two["ability"], "math");
    assert_eq!(two["abilities"][0]["id"], "Qwen/Qwen2.5-72B-Instruct");
    let ran = anatomy(&["study", "abilities", "nobody/nothing"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("nobody/nothing has no score"),
        "{}",
        ran.stderr
    );
    let ran = anatomy(&["study", "abilities", "--ability", "swimming"]);
    assert!(
        ran.code == 2 && ran.stderr.contains("reasoning"),
        "{}",
        ran.stderr
    );
}

#[test]
fn runs_of_ones_own_have_a_law() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("runs.csv");
    let mut text = String::from("final_loss,params,tokens\n");
    for n in [1e7, 3e7, 1e8, 3e8, 1e9, 3e9_f64] {
        for d in [1e9, 4e9, 16e9, 64e9_f64] {
            let loss = 1.7 + 400.0 / n.powf(0.34) + 900.0 / d.powf(0.35);
            writeln!(text, "{loss},{n},{d}").expect("written");
        }
    }
    fs::write(&file, text).expect("written");
    let path = file.to_str().expect("UTF-8");
    let told = json(&["scaling", "fit", path, "--resamples", "50", "--format", "json"]);
    let law = &told["laws"][0];
    assert_eq!(law["name"], "size");
    assert!((law["exponents"][0]["value"].as_f64().expect("a number") - 0.34).abs() < 0.01);
    assert!((law["floor"].as_f64().expect("a number") - 1.7).abs() < 0.02);
    let ran = anatomy(&["scaling", "fit", path, "--target", "mmlu"]);
    assert!(
        ran.code == 2 && ran.stderr.contains("final_loss"),
        "{}",
        ran.stderr
    );
    fs::write(&file, "a,b\n1,2\n").expect("written");
    let ran = anatomy(&["scaling", "fit", path]);
    assert!(ran.code == 2 && ran.stderr.contains("--target"), "{}", ran.stderr);
}

#[test]
fn a_design_says_what_it_knows_and_what_not() {
    let told = json(&[
        "design",
        "--params",
        "1.5B",
        "--tokens",
        "300B",
        "--ability",
        "reasoning",
        "--device",
        "RTX 4090",
        "--format",
        "json",
    ]);
    let shapes = told["shapes"].as_array().expect("a list");
    assert!(shapes.len() >= 5);
    for own in shapes {
        let parameters = own["shape"]["parameters"].as_f64().expect("a number");
        assert!((parameters / 1.5e9 - 1.0).abs() <= 0.03, "{parameters}");
        assert!(own["tokens_per_second"].as_f64().is_some_and(|speed| speed > 0.0));
    }
    // The best lacks nothing beside itself.
    assert!(
        shapes
            .iter()
            .any(|own| own["difference"] == 0.0 && own["standing"] == "no_worse")
    );
    let experiments = told["experiments"].as_array().expect("a list");
    assert!(experiments.iter().any(|own| own["part"] == "d_ffn"));
    for own in experiments.iter().filter(|own| own["now"].is_number()) {
        assert!(own["after"].as_f64() < own["now"].as_f64());
    }
    assert!(told["not_known"].as_array().is_some_and(|all| !all.is_empty()));
    let ran = anatomy(&["design", "--params", "few"]);
    assert!(ran.code == 2 && ran.stderr.contains("1.5B"), "{}", ran.stderr);
    let ran = anatomy(&["design", "--params", "1B", "--min-speed", "10"]);
    assert!(ran.code == 2 && ran.stderr.contains("--device"), "{}", ran.stderr);
}
