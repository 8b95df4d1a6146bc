//! `predict`, `recommend`, `compare` as a user meets them, on the compiled-in tables.

use serde_json::{Value, json};

use crate::command::anatomy;

/// Runs and reads the JSON; the run must succeed.
pub(crate) fn answer(arguments: &[&str]) -> Value {
    let all: Vec<&str> = ["-q"]
        .into_iter()
        .chain(arguments.iter().copied())
        .chain(["--format", "json"])
        .collect();
    let ran = anatomy(&all);
    assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.stderr);
    serde_json::from_str(&ran.stdout).expect("answers are JSON")
}

pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

pub(crate) fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field]
        .as_array()
        .unwrap_or_else(|| panic!("no list `{field}`"))
}

#[test]
fn arithmetic_of_known_checkpoints_is_exact_by_id_and_by_config() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = |name: &str, value: &Value| {
        let path = folder.path().join(name);
        std::fs::write(&path, value.to_string()).expect("a writable folder");
        path.display().to_string()
    };
    let gemma = config(
        "gemma-2-9b.json",
        &json!({"architectures": ["Gemma2ForCausalLM"], "model_type": "gemma2", "hidden_size": 3584,
            "intermediate_size": 14336, "num_hidden_layers": 42, "num_attention_heads": 16, "num_key_value_heads": 8,
            "head_dim": 256, "vocab_size": 256_000, "sliding_window": 4096, "max_position_embeddings": 8192}),
    );
    let mixtral = config(
        "mixtral.json",
        &json!({"architectures": ["MixtralForCausalLM"], "model_type": "mixtral", "hidden_size": 4096,
            "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
            "vocab_size": 32000, "num_local_experts": 8, "num_experts_per_tok": 2, "sliding_window": null}),
    );
    let cases: [(&[&str], i64, i64, f64); 8] = [
        (
            &["meta-llama/Llama-2-7b-hf"],
            6_738_415_616,
            6_738_415_616,
            524_288.0,
        ),
        (
            &["meta-llama/Meta-Llama-3-8B"],
            8_030_261_248,
            8_030_261_248,
            131_072.0,
        ),
        (
            &["mistralai/Mistral-7B-v0.1"],
            7_241_732_096,
            7_241_732_096,
            131_072.0,
        ),
        (&["Qwen/Qwen2.5-7B"], 7_615_616_512, 7_615_616_512, 57_344.0),
        (&["google/gemma-2-9b"], 9_241_705_984, 9_241_705_984, 344_064.0),
        (
            &["mistralai/Mixtral-8x7B-v0.1"],
            46_702_792_704,
            12_879_925_248,
            131_072.0,
        ),
        (&["--config", &gemma], 9_241_705_984, 9_241_705_984, 344_064.0),
        (&["--config", &mixtral], 46_702_792_704, 12_879_925_248, 131_072.0),
    ];
    for (subject, total, active, cache) in cases {
        let mut arguments = vec!["predict"];
        arguments.extend(subject);
        arguments.extend(["--benchmarks", "humaneval"]);
        let found = answer(&arguments);
        assert_eq!(found["parameters_total"], total, "{subject:?}");
        assert_eq!(found["parameters_active"], active, "{subject:?}");
        assert_eq!(number(&found["kv_cache_bytes_per_token"]), cache, "{subject:?}");
    }
}

#[test]
fn a_prediction_carries_everything_that_makes_it_worth_something() {
    let found = answer(&[
        "predict",
        "--layers",
        "32",
        "--d-model",
        "4096",
        "--d-ffn",
        "14336",
        "--heads",
        "32",
        "--kv-heads",
        "8",
        "--vocab-size",
        "128256",
        "--benchmarks",
        "mmlu_pro",
        "--device",
        "RTX 4090",
        "--context",
        "8192",
    ]);
    let score = &list(&found, "scores")[0];
    let (value, ends) = (number(&score["value"]), &score["interval"]);
    assert!(
        number(&ends["low"]) < value && value < number(&ends["high"]),
        "{score}"
    );
    assert_eq!(ends["level"], 0.8);
    assert!(number(&score["n"]) > 1000.0 && number(&score["n_shapes"]) > 50.0);
    assert!(
        number(&score["n_of_this_shape"]) > 100.0,
        "Llama 3's shape is known"
    );
    for field in ["unit", "method", "protocol", "leaderboard"] {
        assert!(
            score[field].as_str().is_some_and(|text| !text.is_empty()),
            "{field}"
        );
    }
    let told: f64 = list(score, "drivers")
        .iter()
        .map(|driver| number(&driver["adds"]))
        .sum();
    assert!(
        (number(&score["base"]) + told - value).abs() < 1e-6,
        "drivers add up: {score}"
    );
    assert_eq!(found["extrapolating"], false);
    let nearest = &list(&found, "nearest")[0];
    assert_eq!(number(&nearest["distance"]), 0.0);
    let half = list(&found, "memory_by_precision")
        .iter()
        .find(|row| row["precision"] == "bf16")
        .expect("16 bits");
    // 16.06 GB of weights and 1.07 of cache.
    assert!(
        (17.0..17.4).contains(&(number(&half["total_bytes"]) / 1e9)),
        "{half}"
    );
    let bound = list(&found, "decode")
        .iter()
        .find(|row| row["precision"] == "bf16")
        .expect("16 bits");
    assert!(
        (60.0..68.0).contains(&number(&bound["tokens_per_second"])),
        "{bound}"
    );
    assert_eq!(found["schema_version"], 1);
    assert_eq!(found["provenance"]["seed"], 42);
}

#[test]
fn what_lies_outside_is_called_extrapolating_and_is_less_sure() {
    let width = |arguments: &[&str]| {
        let found = answer(arguments);
        let ends = &list(&found, "scores")[0]["interval"];
        let said = found["extrapolating"] == true;
        (number(&ends["high"]) - number(&ends["low"]), said, found)
    };
    let near = [
        "predict",
        "--layers",
        "32",
        "--d-model",
        "4096",
        "--benchmarks",
        "bbh",
    ];
    let far = [
        "predict",
        "--layers",
        "126",
        "--d-model",
        "16384",
        "--d-ffn",
        "53248",
        "--benchmarks",
        "bbh",
    ];
    let ((near, known, _), (far, unknown, found)) = (width(&near), width(&far));
    assert!(!known && unknown && far > near, "{near} {far}");
    let words = list(&list(&found, "scores")[0], "outside");
    assert!(
        words[0].as_str().is_some_and(|words| words.contains("size")),
        "{words:?}"
    );
}

#[test]
fn intervals_cover_four_of_five_unseen_structures_on_every_benchmark() {
    let found = answer(&["predict", "meta-llama/Llama-2-7b-hf"]);
    let mut tested = 0;
    for score in list(&found, "scores") {
        let Some(coverage) = score["coverage"].as_object() else {
            let notes = list(score, "notes");
            assert!(score["value"].is_null() && !notes.is_empty(), "{score}");
            continue;
        };
        tested += 1;
        let covered = number(&coverage["by_shape"]);
        println!(
            "{}: {covered:.3} of {} shapes, by row {}, R² {}",
            score["benchmark"], coverage["n_shapes"], coverage["by_row"], score["r2_out_of_shape"]
        );
        assert!(
            (0.75..=0.90).contains(&covered),
            "{}: {covered}",
            score["benchmark"]
        );
    }
    assert!(tested >= 12, "{tested} benchmarks");
}

#[test]
fn a_sweep_holds_the_parameters_and_is_drawn() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("sweep.svg").display().to_string();
    let found = answer(&[
        "predict",
        "--layers",
        "32",
        "--d-model",
        "4096",
        "--benchmarks",
        "humaneval",
        "--sweep",
        "layers=16..48:16",
        "--out",
        &out,
    ]);
    let sweep = &found["sweep"];
    let points = list(sweep, "points");
    assert_eq!(points.len(), 3);
    let target = number(&found["parameters_total"]);
    for point in points {
        assert!(
            (number(&point["parameters_total"]) / target - 1.0).abs() < 0.01,
            "{point}"
        );
        let score = &list(point, "scores")[0];
        assert!(number(&score["low"]) <= number(&score["value"]), "{score}");
    }
    let effect = &list(sweep, "effects")[0];
    let first = number(&list(&points[0], "scores")[0]["value"]);
    let last = number(&list(&points[2], "scores")[0]["value"]);
    assert!(
        (last - first - number(&effect["difference"])).abs() < 1e-9,
        "{effect}"
    );
    assert!(number(&effect["low"]) <= number(&effect["high"]));
    assert!(std::fs::read_to_string(&out).expect("drawn").contains("<svg"));
    let wrong = anatomy(&[
        "predict",
        "--layers",
        "32",
        "--d-model",
        "4096",
        "--sweep",
        "vocab_size=1..2:1",
    ]);
    assert!(
        wrong.code == 2 && wrong.stderr.contains("cannot be swept"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn a_kept_fit_predicts_besides() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("fit.json").display().to_string();
    let fitted = anatomy(&[
        "-q",
        "study",
        "regressions",
        "--target",
        "humaneval",
        "--features",
        "core",
        "--methods",
        "linear",
        "--save",
        &path,
        "--format",
        "json",
    ]);
    assert_eq!(fitted.code, 0, "{}", fitted.stderr);
    let found = answer(&[
        "predict",
        "meta-llama/Llama-2-7b-hf",
        "--benchmarks",
        "humaneval",
        "--fit",
        &path,
    ]);
    let saved = &found["saved"];
    assert_eq!(
        (&saved["method"], &saved["target"]),
        (&json!("linear"), &json!("humaneval"))
    );
    assert!(number(&saved["interval"]["low"]) < number(&saved["interval"]["high"]));
    assert!(saved["features"] == json!(["layers", "d_model", "d_ffn", "heads"]));
}

#[test]
fn unknown_names_are_answered_with_near_ones() {
    for arguments in [
        &["predict", "meta-llama/Llama-2-7b-hff"][..],
        &["compare", "Qwen/Qwen2.5-7B", "meta-lama/Llama-2-7b-hf"],
    ] {
        let ran = anatomy(arguments);
        assert_eq!(ran.code, 2);
        assert!(
            ran.stderr.contains("did you mean") && ran.stderr.contains("meta-llama/Llama-2-7b-hf"),
            "{}",
            ran.stderr
        );
    }
    let ran = anatomy(&["recommend", "--memory", "24GB", "--task", "mathe"]);
    assert!(
        ran.code == 2 && ran.stderr.contains("did you mean math"),
        "{}",
        ran.stderr
    );
    let ran = anatomy(&["recommend", "--memory", "24GB", "--device", "RTX 9999"]);
    assert!(ran.code == 2 && ran.stderr.contains("RTX 4090"), "{}", ran.stderr);
    let ran = anatomy(&["predict"]);
    assert!(ran.code == 2 && ran.stderr.contains("--layers"), "{}", ran.stderr);
}
