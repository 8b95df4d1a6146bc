//! The tables compiled in, proved from their sources, and SQL over them.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::command::{anatomy, shared};

#[test]
fn the_compiled_in_tables_follow_from_the_sources() {
    let Some(sources) = shared("data") else { return };
    let ran = anatomy(&["catalog", "check", "--sources", sources.to_str().expect("UTF-8")]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn the_compiled_in_tables_keep_every_rule() {
    let ran = anatomy(&["catalog", "check", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    for source in report["sources"].as_array().expect("sources") {
        let count = |name: &str| source[name].as_u64().expect("a count");
        assert_eq!(count("rows_in"), count("kept") + count("rejected"), "{source}");
    }
}

/// What no line of `study/src/abilities` knows stands for no ability, and is asked by nobody.
#[test]
fn every_benchmark_of_the_tables_says_what_it_asks() {
    let catalog = catalog::Catalog::snapshot().expect("the compiled-in tables");
    // What machines did is no ability.
    let asked = catalog
        .scores
        .iter()
        .filter(|score| !score.leaderboard.starts_with("llm-perf"));
    let names: BTreeSet<&str> = asked.map(|score| score.benchmark.as_str()).collect();
    let is_unknown = |name: &&&str| study::abilities::benchmark(name).is_none();
    let unknown: Vec<&&str> = names.iter().filter(is_unknown).collect();
    assert!(names.len() > 500, "{} benchmarks", names.len());
    assert!(
        unknown.is_empty(),
        "no line of study/src/abilities says what these ask: {unknown:?}"
    );
}

#[test]
#[cfg_attr(not(feature = "sql"), ignore = "SQL is not built in")]
fn leaderboard_v1_is_resolved() {
    let ran = anatomy(&[
        "query",
        "--format",
        "json",
        "select count(*) as n from evaluations join structures using (id) \
         where leaderboard = 'open-llm-leaderboard-v1' and resolved_by <> 'none'",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let rows: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert!(rows[0]["n"].as_u64().expect("a count") >= 5000, "{}", ran.stdout);
}

#[test]
#[cfg_attr(not(feature = "sql"), ignore = "SQL is not built in")]
fn a_wrong_column_is_answered_with_what_there_is() {
    let ran = anatomy(&["query", "select layer from structures"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("layers"), "{}", ran.stderr);
}

#[test]
#[cfg_attr(not(feature = "sql"), ignore = "SQL is not built in")]
fn no_row_is_an_answer_of_its_own() {
    assert_eq!(
        anatomy(&["query", "select id from structures where layers < 0"]).code,
        1
    );
}
