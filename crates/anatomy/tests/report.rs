//! The main job on the compiled-in tables.

use std::collections::BTreeMap;
use std::fs;
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::command::{Ran, anatomy};

/// One report serves all tests of this file.
fn report() -> &'static (TempDir, Ran) {
    static REPORT: OnceLock<(TempDir, Ran)> = OnceLock::new();
    REPORT.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("out");
        let ran = anatomy(&[
            "report",
            "--resamples",
            "100",
            "--out",
            out.to_str().expect("UTF-8"),
        ]);
        (folder, ran)
    })
}

fn findings() -> BTreeMap<String, Value> {
    let (folder, _) = report();
    let text = fs::read_to_string(folder.path().join("out/findings.json")).expect("findings.json is there");
    let file: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(file["schema_version"], 1);
    let findings = file["findings"].as_array().expect("an array").clone();
    let n = findings.len();
    let by_id: BTreeMap<String, Value> = findings
        .into_iter()
        .map(|finding| (finding["id"].as_str().expect("an id").to_string(), finding))
        .collect();
    assert_eq!(by_id.len(), n, "two findings have one id");
    by_id
}

#[test]
fn the_report_is_written_and_said() {
    let (folder, ran) = report();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.matches("\n  ").count() >= 9, "{}", ran.stdout);
    let is_progress = |line: &str| line.contains(" steps, ") && line.contains(" so far");
    assert!(
        ran.stderr.lines().all(is_progress),
        "without a terminal a line now and then, nothing else: {}",
        ran.stderr
    );
    let out = folder.path().join("out");
    for name in [
        "report.html",
        "findings.json",
        "figures/importance-mdi.svg",
        "tables/regression-rows-mmlu.csv",
    ] {
        assert!(out.join(name).is_file(), "{name} is missing");
    }
    let left = fs::read_dir(&out).expect("a folder").count();
    assert_eq!(left, 4, "nothing but the report is left in the folder");
    let page = fs::read_to_string(out.join("report.html")).expect("the page");
    assert!(page.len() < 6_000_000);
    assert!(
        !page.contains("http://www.w3.org/1999/xlink\" href=\"http"),
        "the page needs no network"
    );
}

#[test]
fn the_published_figures_of_scale_reproduce() {
    let findings = findings();
    let near = |id: &str, wanted: f64, tolerance: f64| {
        let value = findings[id]["value"].as_f64().unwrap_or(f64::NAN);
        assert!(
            (value - wanted).abs() <= tolerance,
            "{id}: {value} is not {wanted}"
        );
        assert_eq!(findings[id]["verdict"], "reproduced", "{id}");
    };
    for (bucket, count, mean, sd, efficiency) in [
        ("small", 3154.0, 18.2119, 8.7654, 6.915),
        ("medium", 1245.0, 29.0366, 10.4414, 1.984),
        ("large", 177.0, 35.2208, 10.1895, 0.4803),
    ] {
        near(&format!("scale.count.{bucket}"), count, 0.0);
        near(&format!("scale.mean.{bucket}"), mean, 1e-4);
        near(&format!("scale.sd.{bucket}"), sd, 1e-4);
        near(&format!("efficiency.mean.{bucket}"), efficiency, 1e-3);
    }
    for (pair, t, degrees, g) in [
        ("large_medium", 7.532, 231.74, 0.5937),
        ("large_small", 21.761, 190.90, 1.9223),
        ("medium_small", 32.355, 1972.18, 1.1675),
    ] {
        near(&format!("scale.welch_t.{pair}"), t, 1e-3);
        near(&format!("scale.welch_df.{pair}"), degrees, 1e-2);
        near(&format!("scale.hedges_g.{pair}"), g, 1e-4);
    }
}

#[test]
fn every_number_carries_what_it_rests_on() {
    for (id, finding) in findings() {
        assert!(finding["n"].is_u64(), "{id}");
        for field in ["unit", "method", "protocol", "question"] {
            assert!(
                finding[field].as_str().is_some_and(|text| !text.is_empty()),
                "{id} has no {field}"
            );
        }
        if let (Some(low), Some(high)) = (
            finding["interval"]["low"].as_f64(),
            finding["interval"]["high"].as_f64(),
        ) {
            assert!(low <= high, "{id}");
            assert!(
                finding["seed"].is_u64()
                    || !finding["interval"]["method"]
                        .as_str()
                        .unwrap_or("")
                        .contains("bootstrap")
            );
        }
    }
}

#[test]
fn unseen_shapes_are_harder_than_random_rows() {
    let findings = findings();
    for benchmark in ["arc", "hellaswag", "mmlu", "truthfulqa", "winogrande", "gsm8k"] {
        let r2 = |protocol: &str| {
            findings[&format!("regression.r2.structure_date.{protocol}.random_forest.{benchmark}")]["value"]
                .as_f64()
                .expect("a value")
        };
        assert!(r2("random_split") > r2("structure_out"), "{benchmark}");
    }
}

#[test]
fn one_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |threads: &str| {
        let out = folder.path().join(threads);
        let out = out.to_str().expect("UTF-8");
        let only = "scale,popularity,correlation,regression";
        let ran = anatomy(&[
            "report",
            "--resamples",
            "100",
            "--only",
            only,
            "--threads",
            threads,
            "--out",
            out,
        ]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let text = fs::read_to_string(format!("{out}/findings.json")).expect("findings.json");
        let file: Value = serde_json::from_str(&text).expect("JSON");
        file["findings"].to_string()
    };
    let alone = run("1");
    assert_eq!(alone, run("2"));
    assert_eq!(alone, run("7"));
}

#[test]
fn a_folder_that_cannot_be_written_to_is_said_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("taken");
    fs::write(&file, "mine").expect("a file");
    let ran = anatomy(&["report", "--out", file.to_str().expect("UTF-8")]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.starts_with("error: cannot make the folder"),
        "{}",
        ran.stderr
    );
    assert_eq!(fs::read_to_string(&file).expect("still there"), "mine");
}

#[test]
fn files_of_others_in_the_folder_stay() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("notes.txt"), "mine").expect("a file");
    fs::create_dir(folder.path().join("figures")).expect("a folder");
    fs::write(folder.path().join("figures/old.svg"), "<svg/>").expect("a file");
    let ran = anatomy(&[
        "report",
        "-q",
        "--only",
        "dataset,scale",
        "--out",
        folder.path().to_str().expect("UTF-8"),
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(
        fs::read_to_string(folder.path().join("notes.txt")).expect("still there"),
        "mine"
    );
    assert!(
        !folder.path().join("figures/old.svg").exists(),
        "figures of an earlier report are replaced"
    );
}

#[test]
fn wrong_words_are_answered_with_usage() {
    let ran = anatomy(&["report", "--resamples", "none"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("--resamples"), "{}", ran.stderr);
    assert_eq!(anatomy(&["--help"]).code, 0);
    assert!(anatomy(&["report", "--help"]).stdout.contains("Examples:"));
}

/// The findings of a report of some sections.
fn findings_of(arguments: &[&str]) -> (String, BTreeMap<String, Value>) {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().to_str().expect("UTF-8");
    let all = [&["report", "-q", "--resamples", "100", "--out", out], arguments].concat();
    let ran = anatomy(&all);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let text = fs::read_to_string(format!("{out}/findings.json")).expect("findings.json");
    let file: Value = serde_json::from_str(&text).expect("JSON");
    let findings = file["findings"].as_array().expect("an array").iter();
    let by_id = findings.map(|finding| {
        (
            finding["id"].as_str().expect("an id").to_string(),
            finding.clone(),
        )
    });
    (text, by_id.collect())
}

#[test]
fn sections_are_chosen_by_name() {
    let (_, findings) = findings_of(&["--only", "scale,popularity"]);
    assert!(findings.contains_key("scale.mean.small"));
    let begins = |id: &String| id.starts_with("scale.") || id.starts_with("popularity.");
    assert!(findings.keys().all(begins));
    let wrong = anatomy(&["report", "--only", "scales"]);
    assert_eq!(wrong.code, 2);
    assert!(
        wrong
            .stderr
            .contains("no section named `scales` (did you mean scale?); there are"),
        "{}",
        wrong.stderr
    );
}

#[test]
#[cfg_attr(not(feature = "sql"), ignore = "SQL is not built in")]
fn a_condition_keeps_its_rows_and_no_published_figure() {
    let (_, all) = findings_of(&["--only", "scale"]);
    let (_, few) = findings_of(&["--only", "scale", "--where", "official_provider"]);
    let n = |findings: &BTreeMap<String, Value>| {
        findings["scale.count.small"]["value"].as_f64().expect("a count")
    };
    assert!(n(&few) > 0.0 && n(&few) < n(&all));
    assert!(
        few.values()
            .all(|finding| finding["published"].is_null() && finding["verdict"].is_null())
    );
    assert!(all["scale.mean.small"]["published"].is_object());
}

#[test]
fn changes_since_an_earlier_report_are_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let earlier = folder.path().join("earlier.json");
    let (text, before) = findings_of(&["--only", "scale"]);
    let mean = before["scale.mean.small"]["value"].to_string();
    assert!(text.contains(&mean));
    fs::write(
        &earlier,
        text.replacen(&format!("\"value\": {mean}"), "\"value\": 1.5", 1),
    )
    .expect("a file");
    let path = earlier.to_str().expect("UTF-8");
    let (_, after) = findings_of(&["--only", "scale", "--compare", path]);
    let count = |kind: &str| {
        after[&format!("changes.{kind}")]["value"]
            .as_f64()
            .expect("a count")
    };
    assert_eq!(count("same"), before.len() as f64 - 1.0);
    // The earlier interval still holds what is found now.
    assert_eq!(count("within"), 1.0);
    assert_eq!(
        count("verdict") + count("outside") + count("new") + count("gone"),
        0.0
    );
    fs::write(&earlier, "{}").expect("a file");
    let ran = anatomy(&["report", "--only", "scale", "--compare", path]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("is not a findings.json of a report"),
        "{}",
        ran.stderr
    );
}

#[test]
fn each_claim_is_judged_twice() {
    let findings = findings();
    let claims: Vec<&String> = findings.keys().filter(|id| id.starts_with("claims.")).collect();
    assert!(claims.len() > 100, "{}", claims.len());
    for id in &claims {
        let finding = &findings[*id];
        assert!(
            finding["published"].is_object() && finding["verdict"].is_string(),
            "{id}"
        );
        let twin = format!("{id}.strict");
        assert!(id.ends_with(".strict") || findings.contains_key(&twin), "{id}");
    }
    // One count everywhere: the ledger's first sentence on the page, the verdicts of the file.
    let count = |verdict: &str| {
        let of = |id: &&&String| !id.ends_with(".strict") && findings[**id]["verdict"] == verdict;
        claims.iter().filter(of).count()
    };
    let (same, other, open, none) = (
        count("reproduced"),
        count("differs"),
        count("cannot_tell"),
        count("not_testable"),
    );
    let sentence = format!(
        "Of {} claims, read as the works made them, {same} agree, {other} are contradicted, {open} are not excluded \
         (intervals or resamples leave both outcomes open) and {none} are untestable on these data.",
        claims.len() / 2
    );
    assert_eq!(same + other + open + none, claims.len() / 2);
    let page = fs::read_to_string(report().0.path().join("out/report.html")).expect("the page");
    assert!(page.contains(&sentence), "{sentence}");
    // What lies inside our own interval never differs.
    for (id, finding) in &findings {
        let ends = (
            finding["interval"]["low"].as_f64(),
            finding["interval"]["high"].as_f64(),
        );
        if let ((Some(low), Some(high)), Some(theirs)) = (ends, finding["published"]["value"].as_f64()) {
            let inside = low <= theirs && theirs <= high;
            assert!(!inside || finding["verdict"] != "differs", "{id}");
        }
    }
    // A forest's R² with rows at random is near the paper's for MMLU's neighbours and far from it on unseen shapes.
    assert_eq!(
        findings["claims.r2.random_forest.arc.strict"]["verdict"],
        "differs"
    );
}

#[test]
fn results_of_probes_become_sections() {
    let folder = tempfile::tempdir().expect("a folder");
    let probes = folder.path().join("probes");
    fs::create_dir(&probes).expect("a folder");
    let influence = serde_json::json!({
        "block_influence": [0.9, 0.1, 0.3], "level": 0.95, "order_least_important_first": [1, 2, 0],
        "intervals": [{"low": 0.8, "high": 0.95}, {"low": 0.05, "high": 0.2}, {"low": 0.2, "high": 0.4}],
        "angular": {"1": [0.4, 0.1, 0.2]}, "texts": 4, "tokens": 60, "empty_texts": 0,
    });
    fs::write(probes.join("small.json"), influence.to_string()).expect("written");
    fs::write(probes.join("cut.json"), "{\"block_influence\": [").expect("written");
    let out = folder.path().join("out");
    let ran = anatomy(&[
        "report",
        "--only",
        "popularity",
        "--resamples",
        "100",
        "--probe",
        probes.to_str().expect("UTF-8"),
        "--out",
        out.to_str().expect("UTF-8"),
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let page = fs::read_to_string(out.join("report.html")).expect("a page");
    assert!(page.contains("least influential, counted from 0: 1, 2, 0"));
    assert!(
        page.contains("cut (is not valid JSON"),
        "what is not read is said"
    );
    assert!(out.join("figures/influence-layers.svg").is_file());
    let findings = fs::read_to_string(out.join("findings.json")).expect("findings");
    let file: Value = serde_json::from_str(&findings).expect("JSON");
    let found = file["findings"].as_array().expect("an array").iter();
    let ids: Vec<&str> = found.filter_map(|finding| finding["id"].as_str()).collect();
    assert!(ids.contains(&"influence.small.layer_1"), "{ids:?}");

    let ran = anatomy(&["report", "--only", "popularity", "--probe", "/nowhere/at/all"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("/nowhere/at/all"), "{}", ran.stderr);
}
