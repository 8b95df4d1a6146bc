//! Answers to items as a user meets them: imported, asked by SQL, studied, and what is refused.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::command::anatomy;

/// Sample files of lm-evaluation-harness of eight checkpoints on 60 items; `copy` answers as `c1` does.
fn samples(dir: &Path) {
    for c in 0..8_u64 {
        let (name, like) = if c == 7 {
            ("copy".to_owned(), 1)
        } else {
            (format!("c{c}"), c)
        };
        let mut lines = String::new();
        for doc in 0..60_u64 {
            // A fixed scramble: harder items by number, better checkpoints by number, no two alike.
            let luck = (doc * 7_919 + like * 104_729 + doc * like * 31) % 97;
            let right = luck + 4 * like > 10 + doc;
            let chosen = if right { 0 } else { 1 + (luck + like) % 3 };
            let nats: Vec<String> = (0..4)
                .map(|choice| format!(r#"["{}","False"]"#, if choice == chosen { -1.0 } else { -2.0 }))
                .collect();
            let acc = u8::from(right);
            writeln!(
                lines,
                r#"{{"doc_id":{doc},"target":"0","filter":"none","filtered_resps":[{}],"acc":{acc}}}"#,
                nats.join(",")
            )
            .expect("text");
        }
        let folder = dir.join(format!("org__{name}"));
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(
            folder.join("samples_mmlu_anatomy_2024-06-12T01-02-03.jsonl"),
            lines,
        )
        .expect("a file");
    }
}

#[test]
fn from_sample_files_to_suspects() {
    let folder = tempfile::tempdir().expect("a folder");
    let (from, items) = (folder.path().join("results"), folder.path().join("items"));
    samples(&from);
    let (from, items) = (from.to_str().expect("UTF-8"), items.to_str().expect("UTF-8"));
    let ran = anatomy(&[
        "catalog",
        "import-items",
        "--into",
        items,
        from,
        "--format",
        "json",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let files: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(files["kind"], "imported_items");
    assert_eq!(files["files"].as_array().map(Vec::len), Some(8));
    assert_eq!(files["files"][0]["kept"], 60);
    let again = anatomy(&["catalog", "import-items", "--into", items, from]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert!(again.stderr.contains("0 rows added"), "{}", again.stderr);

    let sql = "select a, b, agree from checkpoint_agreement where a < b order by agree desc limit 1";
    let ran = anatomy(&["query", "--items", items, sql, "--format", "csv"]);
    assert_eq!(ran.stdout, "a,b,agree\norg/c1,org/copy,1.0\n", "{}", ran.stderr);
    let joined = "select count(*) as n from item_difficulty join scores on scores.benchmark = item_difficulty.benchmark";
    assert_eq!(
        anatomy(&["query", "--items", items, joined, "--format", "csv"]).code,
        0
    );

    for view in [
        "item_difficulty",
        "checkpoint_agreement",
        "paired_comparison",
        "score_bootstrap",
    ] {
        let file = folder.path().join(format!("{view}.parquet"));
        let file = file.to_str().expect("UTF-8");
        let ran = anatomy(&[
            "query",
            "--items",
            items,
            &format!("select * from {view}"),
            "--parquet",
            file,
        ]);
        assert_eq!(ran.code, 0, "{view}: {}", ran.stderr);
        assert_eq!(
            anatomy(&["query", &format!("select * from '{file}' limit 1")]).code,
            0,
            "{view}"
        );
    }
    let out = folder.path().join("out");
    let study = [
        "study",
        "items",
        "--items",
        items,
        "--subset-where",
        "cast(item as int) < 20",
        "--pair",
        "org/c0,org/c6",
        "--format",
        "json",
        "--out",
        out.to_str().expect("UTF-8"),
    ];
    let ran = anatomy(&study);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let found: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let of = |id: &str| {
        let all = found["findings"].as_array().expect("findings");
        all.iter()
            .find(|finding| finding["id"] == id)
            .cloned()
            .unwrap_or_else(|| panic!("no {id}"))
    };
    let copy = of("items.copies.mmlu_anatomy.org_c1.org_copy");
    assert_eq!(
        (copy["value"].as_f64(), copy["n"].as_u64()),
        (Some(1.0), Some(60))
    );
    assert!(of("items.score.mmlu_anatomy.org_c3")["interval"]["low"].is_number());
    assert!(
        of("items.pair.mmlu_anatomy")["interval"]["method"]
            .as_str()
            .is_some_and(|m| m.contains("pairs"))
    );
    assert_eq!(of("items.contamination.count.mmlu_anatomy")["n"], 8);
    for finding in found["findings"].as_array().expect("findings") {
        assert!(
            finding["n"].as_u64().is_some() && finding["protocol"] == "all_rows",
            "{finding}"
        );
        let drawn = finding["interval"]["method"]
            .as_str()
            .is_some_and(|m| m.contains("resamples"));
        assert!(!drawn || finding["seed"].is_number(), "{finding}");
    }
    assert!(out.join("figures/items-difficulty.svg").is_file() && out.join("findings.json").is_file());
    let page = fs::read_to_string(out.join("report.html")).expect("the page");
    assert!(page.contains("<h1>Answers to single items in items</h1>"));
    assert!(page.contains(&format!(
        "made from {items} (480 rows; columns used: id, benchmark, item,"
    )));
    assert!(!page.contains("public leaderboards") && !page.contains("id=\"published\""));
    assert_eq!(found["provenance"]["data"]["rows"], 480);
    let threads = anatomy(&[&study[..10], &["--threads", "1"]].concat());
    assert_eq!(
        findings(&threads.stdout),
        findings(&ran.stdout),
        "threads change nothing"
    );
}

fn findings(text: &str) -> Value {
    serde_json::from_str::<Value>(text).expect("JSON")["findings"].clone()
}

#[test]
fn what_cannot_be_done_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let none = folder.path().to_str().expect("UTF-8");
    let ran = anatomy(&["query", "--items", none, "select 1"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("no items") && ran.stderr.contains("hint: "),
        "{}",
        ran.stderr
    );
    let ran = anatomy(&["catalog", "import-items", "--into", none, none]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("samples_*.jsonl"), "{}", ran.stderr);
    let ran = anatomy(&["query", "--memory", "1GB", "select 1"]);
    assert_eq!(ran.code, 2);
}
