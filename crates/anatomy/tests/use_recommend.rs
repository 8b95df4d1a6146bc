//! `recommend` and `compare` as a user meets them, on the compiled-in tables.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::command::{anatomy, build, fixtures};
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
        assert!(
            number(&choice["speed"]["decode_tokens_per_s"]["value"]) >= 30.0,
            "{choice}"
        );
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
                .is_some_and(|why| why.contains("of 24.0 GB at")),
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
    let kept = ["n_measured", "n_predicted", "n_by_other_boards"]
        .iter()
        .map(|name| number(&found[*name]))
        .sum::<f64>();
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
fn every_row_says_what_it_rests_on_what_it_takes_and_how_fast_it_is() {
    let found = answer(&[
        "recommend",
        "--device",
        "RTX 4090",
        "--task",
        "math",
        "--quant",
        "Q8_0,Q4_K_M",
        "--why",
        "Qwen/Qwen2.5-72B-Instruct",
        "--upgrade",
    ]);
    let rows = list(&found, "ranking");
    assert_eq!(rows.len(), 10);
    let mut group = 1.0;
    for row in rows {
        assert!(
            !list(row, "boards").is_empty() && row["newest_score_date"].is_string(),
            "{row}"
        );
        assert!(
            ["Q8_0", "Q4_K_M"].contains(&row["quant"].as_str().unwrap_or_default()),
            "{row}"
        );
        let memory = &row["memory"];
        let parts = ["weights_bytes", "cache_bytes", "state_bytes", "overhead_bytes"]
            .map(|part| number(&memory[part]));
        let total = number(&memory["total_bytes"]);
        assert!(
            (parts.iter().sum::<f64>() - total).abs() < 1.0 && total <= 24e9,
            "{row}"
        );
        assert!(
            (number(&row["spare_bytes"]) - (24e9 - total)).abs() < 1.0,
            "{row}"
        );
        let speed = &row["speed"]["decode_tokens_per_s"];
        assert!(
            number(&speed["low"]) < number(&speed["value"])
                && number(&speed["value"]) < number(&speed["high"])
        );
        assert!(number(&row["group"]) >= group, "groups stand one after the other");
        group = number(&row["group"]);
        let ability = &row["ability"];
        assert!(
            number(&ability["low"]) <= number(&ability["value"])
                && number(&ability["value"]) <= number(&ability["high"])
        );
    }
    let said = list(&found, "answer");
    assert!(
        said[0].as_str().is_some_and(|text| text.starts_with("Take ")),
        "{said:?}"
    );
    // 47 GB of weights at four bits.
    let why = &found["why"];
    assert_eq!(why["is_in"], false);
    let memory = list(why, "conditions")
        .iter()
        .find(|one| one["condition"] == "memory")
        .expect("a condition");
    assert!(
        memory["holds"] == false && memory["limit"] == "24.0 GB",
        "{memory}"
    );
    let steps = list(&found, "upgrade");
    assert!(
        steps.len() == 3 && number(&steps[0]["memory_bytes"]) == 32e9,
        "{steps:?}"
    );
}

#[test]
fn families_days_and_engines_narrow_the_choice_or_are_refused() {
    let found = answer(&[
        "recommend",
        "--memory",
        "24GB",
        "--task",
        "bbh",
        "--family",
        "gemma",
        "--since",
        "2024-06-01",
        "--engine",
        "vllm",
    ]);
    for row in list(&found, "ranking") {
        assert!(
            row["id"]
                .as_str()
                .is_some_and(|id| id.to_lowercase().contains("gemma")),
            "{row}"
        );
        assert!(
            row["date"].as_str().is_some_and(|day| day >= "2024-06-01"),
            "{row}"
        );
        assert!(
            ["bf16", "fp8", "awq"].contains(&row["quant"].as_str().unwrap_or_default()),
            "{row}"
        );
        assert!(row["speed"].is_null(), "no device is named");
    }
    for (arguments, words) in [
        (
            &["--quant", "awq"][..],
            "llama.cpp does not run weights stored as awq",
        ),
        (&["--quant", "Q9_Z"], "unknown weight type `Q9_Z`"),
        (&["--engine", "sglang"], "no engine of that name is known here"),
        (&["--device", "Abacus"], "no device named `Abacus`"),
        (&["--gpus", "2"], "need a device"),
        (&["--since", "June"], "is not a date like"),
        (&["--why", "nobody/nothing"], "no checkpoint `nobody/nothing`"),
    ] {
        let mut all = vec!["recommend", "--memory", "24GB", "--task", "bbh"];
        all.extend(arguments);
        let ran = anatomy(&all);
        assert!(
            ran.code == 2 && ran.stderr.contains(words),
            "{arguments:?}: {}",
            ran.stderr
        );
    }
}

#[test]
#[cfg_attr(not(feature = "sql"), ignore = "SQL is not built in")]
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
    let ids = ["Qwen/Qwen2.5-7B-Instruct", "Qwen/Qwen2.5-14B-Instruct"];
    let found = answer(&["compare", ids[0], ids[1]]);
    let back = answer(&["compare", ids[1], ids[0]]);
    let pairs = list(&found, "pairs");
    assert!(pairs.len() >= 6, "{pairs:?}");
    for (pair, turned) in pairs.iter().zip(list(&back, "pairs")) {
        assert_eq!(pair["benchmark"], turned["benchmark"]);
        assert_eq!(pair["comparable"], turned["comparable"], "{pair}");
        // Numbers that were gathered from several works say nothing of each other.
        if pair["comparable"] == false {
            assert!(
                pair["difference"].is_null() && list(pair, "why_not").len() == 1,
                "{pair}"
            );
            continue;
        }
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
        layers["differs"] == true && layers["values"] == json!(["28", "48"]),
        "{layers}"
    );
}

/// Own results of one checkpoint of the small catalog, raw, beside the leaderboard's.
const OWN: &str = r#"{"model_name": "MODEL", "config": {"model_dtype": "bfloat16"}, "date": 1718000000.5,
 "chat_template": TEMPLATE, "n-shot": {"leaderboard_gpqa": 0}, "versions": {},
 "results": {"leaderboard_gpqa": {"acc_norm,none": VALUE}}}"#;

/// A folder with the sources of the small catalog.
fn sources() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let sources = folder.path().join("sources");
    fs::create_dir(&sources).expect("a folder");
    for entry in fs::read_dir(fixtures()).expect("fixtures") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), sources.join(entry.file_name())).expect("a copy");
    }
    (folder, sources)
}

/// The small catalog with own results of these checkpoints: id, share right, with a chat template.
fn with_own_results(own: &[(&str, &str, bool)]) -> tempfile::TempDir {
    let (folder, sources) = sources();
    for (number, (id, value, template)) in own.iter().enumerate() {
        let text = OWN
            .replace("MODEL", id)
            .replace("VALUE", value)
            .replace("TEMPLATE", if *template { "\"{{x}}\"" } else { "null" });
        let name = format!("results_2024-06-{:02}.json", number + 1);
        fs::write(sources.join(name), text).expect("a file");
    }
    build(&sources, &folder.path().join("catalog"));
    folder
}

fn answer_of(folder: &tempfile::TempDir, arguments: &[&str]) -> Value {
    let catalog = folder.path().join("catalog");
    let mut all = arguments.to_vec();
    all.extend(["--catalog", catalog.to_str().expect("UTF-8")]);
    answer(&all)
}

#[test]
fn unlike_runs_are_not_compared_and_like_ones_are_found() {
    // A chat template on one side only: shown, and not compared.
    let folder = with_own_results(&[
        ("north/pine-8b", "0.3297", false),
        ("east/birch-7b-instruct", "0.4", false),
        ("west/elm-12b", "0.35", true),
    ]);
    let found = answer_of(&folder, &["compare", "north/pine-8b", "east/birch-7b-instruct"]);
    let of = |board: &str, benchmark: &str| {
        list(&found, "pairs")
            .iter()
            .find(|pair| pair["leaderboard"] == board && pair["benchmark"] == benchmark)
            .unwrap_or_else(|| panic!("{board} {benchmark}: {found}"))
            .clone()
    };
    let listed = of("open-llm-leaderboard-v2", "bbh");
    assert_eq!(listed["comparable"], false);
    assert_eq!(listed["why_not"], json!(["chat template: without against with"]));
    for nothing in ["difference", "interval", "p", "p_adjusted", "more_than_noise"] {
        assert!(listed[nothing].is_null(), "{nothing}: {listed}");
    }
    assert_eq!(listed["runs"][1]["chat_template"], true);
    // The own runs of both are alike, on a scale of their own.
    let own = of("lm-evaluation-harness", "gpqa");
    assert_eq!(own["comparable"], true, "{own}");
    assert!((number(&own["difference"]) - 7.03).abs() < 1e-9, "{own}");
    assert_eq!(own["runs"][0]["scale"], "raw");
    assert_eq!(own["runs"][0]["metric"], "acc_norm");
    // Nothing in common but the name of the benchmark.
    let found = answer_of(&folder, &["compare", "north/pine-8b", "west/elm-12b"]);
    let pairs = list(&found, "pairs");
    let own = pairs
        .iter()
        .find(|pair| pair["leaderboard"] == "lm-evaluation-harness")
        .expect("a pair of own runs");
    assert_eq!(own["why_not"], json!(["chat template: without against with"]));
    assert!(
        pairs.iter().any(|pair| pair["comparable"] == true),
        "both ran without a template on the leaderboard"
    );
}

#[test]
fn a_ranking_is_of_one_leaderboard() {
    let folder = with_own_results(&[("north/pine-1b", "0.99", false)]);
    let found = answer_of(
        &folder,
        &["recommend", "--memory", "80GB", "--task", "gpqa", "--top", "100"],
    );
    for choice in list(&found, "measured") {
        let run = &choice["scores"][0]["run"];
        assert_eq!(run["leaderboard"], "open-llm-leaderboard-v2", "{choice}");
        assert!(number(&choice["score"]) < 90.0, "{choice}");
    }
    // One that only has own results does not rank, and that is said.
    let folder = with_own_results(&[("east/birch-7b-own", "0.99", false)]);
    let found = answer_of(
        &folder,
        &["recommend", "--memory", "80GB", "--task", "gpqa", "--top", "100"],
    );
    assert!(
        list(&found, "measured")
            .iter()
            .all(|choice| choice["id"] != "east/birch-7b-own")
    );
    let said = |note: &Value| {
        note.as_str()
            .is_some_and(|note| note.starts_with("1 with a score of gpqa by another leaderboard"))
    };
    assert!(list(&found, "notes").iter().any(said), "{}", found["notes"]);
}

/// The fixtures with two sizes listed wrong, and a mixture whose name says nothing listed with a tenth of its size.
fn with_wrong_sizes() -> tempfile::TempDir {
    let (folder, sources) = sources();
    let config = sources.join("west--elm-8x7b_config.json");
    fs::copy(config, sources.join("nobody--elm-large_config.json")).expect("a copy");
    let table = sources.join("contents.csv");
    let text = fs::read_to_string(&table).expect("a table");
    let mixture = text
        .lines()
        .find(|line| line.contains(",west/elm-8x7b,"))
        .expect("a mixture")
        .replace("elm-8x7b", "elm-large")
        .replace("west", "nobody")
        .replace(",42.1494,", ",41.1494,")
        .replace(",46.703,", ",3.9,");
    let text = text.replace(",14.770,", ",2.1,").replace(",46.703,", ",2.1,");
    fs::write(table, format!("{}\n{mixture}\n", text.trim_end())).expect("a table");
    build(&sources, &folder.path().join("catalog"));
    folder
}

#[test]
fn an_impossible_size_is_never_what_memory_is_computed_from() {
    let folder = with_wrong_sizes();
    let least = [
        ("east/birch-14b", 29e9),
        ("west/elm-8x7b", 93e9),
        ("nobody/elm-large", 93e9),
    ];
    let ask = |memory: &str| {
        answer_of(
            &folder,
            &[
                "recommend",
                "--memory",
                memory,
                "--task",
                "bbh",
                "--top",
                "200",
                "--precision",
                "bf16",
            ],
        )
    };
    let (small, large) = (ask("12GB"), ask("400GB"));
    let mut told = 0;
    for (id, bytes) in least {
        assert!(
            list(&small, "measured").iter().all(|choice| choice["id"] != id),
            "{id} does not fit into 12 GB, whatever is listed"
        );
        let choice = list(&large, "measured").iter().find(|choice| choice["id"] == id);
        if let Some(choice) = choice {
            assert!(number(&choice["memory"]["total_bytes"]) > bytes, "{choice}");
        } else {
            let sizes = list(&large, "excluded")
                .iter()
                .find(|excluded| excluded["reason"] == "size")
                .expect("those whose sizes disagree");
            let example = list(sizes, "examples").iter().find(|example| example["id"] == id);
            let why =
                example.unwrap_or_else(|| panic!("{id} is left out by name: {sizes}"))["why"].to_string();
            assert!(why.contains("sizes disagree"), "{why}");
            told += 1;
        }
    }
    assert!(told > 0, "a mixture whose sizes disagree is said to be left out");
}

#[test]
fn a_budget_that_cannot_be_meant_is_refused_with_what_to_write() {
    let ran = anatomy(&["recommend", "--memory", "24", "--task", "bbh"]);
    assert!(
        ran.code == 2 && ran.stderr.contains("write 24GB"),
        "{}",
        ran.stderr
    );
    let ran = anatomy(&[
        "recommend",
        "--memory",
        "24GB",
        "--task",
        "bbh",
        "--license",
        "Apache2",
    ]);
    assert!(
        ran.code == 2 && ran.stderr.contains("did you mean apache-2.0?"),
        "{}",
        ran.stderr
    );
}
