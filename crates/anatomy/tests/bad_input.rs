//! Damaged sources: the error names file, row and column, the exit code is 2, and nothing is left behind.

use std::fs;
use std::path::Path;

use crate::command::{Ran, anatomy};

const HEADER: &str = "T,Model,Average ⬆️,ARC,HellaSwag,MMLU,TruthfulQA,Winogrande,GSM8K,Type,Architecture,Weight type,Precision,\
    Merged,Hub License,#Params (B),Hub ❤️,Available on the hub,Model sha,Flagged,MoE,date";
const ROW: &str = "🔶,org/name,50,50,50,50,50,50,50,🔶 fine-tuned,LlamaForCausalLM,Original,float16,True,mit,7,1,True,abc,True,True,\
    2024-01-01T00:00:00Z";

/// Builds from one source of leaderboard v1 with these bytes; says what was printed and whether anything is left.
fn build(name: &str, bytes: &[u8]) -> (Ran, bool) {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("sources").join(name);
    fs::create_dir_all(source.parent().expect("a folder")).expect("a folder");
    fs::write(&source, bytes).expect("a file");
    let out = folder.path().join("out");
    let text = |path: &Path| path.to_str().expect("UTF-8").to_string();
    let ran = anatomy(&[
        "catalog",
        "build",
        "--sources",
        &text(&folder.path().join("sources")),
        "--out",
        &text(&out),
    ]);
    let left = fs::read_dir(folder.path()).expect("a folder").count();
    (ran, left > 1)
}

fn refused(name: &str, bytes: &[u8], words: &[&str]) {
    let (ran, left) = build(name, bytes);
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.is_empty(), "{}", ran.stdout);
    assert!(
        ran.stderr.starts_with("error: ") && ran.stderr.contains("\n\nhint: "),
        "{}",
        ran.stderr
    );
    for word in words {
        assert!(ran.stderr.contains(word), "{word:?} is not in: {}", ran.stderr);
    }
    assert!(!left, "something is left behind");
}

const V1: &str = "open-llm-leaderboard-v1/results.csv";

#[test]
fn a_whole_table_is_taken() {
    let (ran, left) = build(V1, format!("{HEADER}\n{ROW}\n").as_bytes());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(left);
    assert!(ran.stdout.contains(V1), "{}", ran.stdout);
}

#[test]
fn a_missing_column_is_named() {
    let header = HEADER.replace("MMLU,", "");
    let row = ROW.replacen("50,50,", "50,", 1);
    refused(
        V1,
        format!("{header}\n{row}\n").as_bytes(),
        &["results.csv", "`MMLU`"],
    );
}

#[test]
fn a_number_that_is_none_is_named_with_row_and_column() {
    let bad = ROW.replacen("50,50,50,50", "50,fifty,50,50", 1);
    refused(
        V1,
        format!("{HEADER}\n{ROW}\n{bad}\n").as_bytes(),
        &["results.csv", "line 3", "`ARC`", "fifty"],
    );
}

#[test]
fn bytes_that_are_no_text_are_named_with_row() {
    let mut bytes = format!("{HEADER}\n{ROW}\n").into_bytes();
    let place = bytes.len() - 30;
    bytes[place] = 0xFF;
    refused(V1, &bytes, &["results.csv", "line 2", "UTF-8"]);
}

#[test]
fn an_empty_file_is_named() {
    refused(V1, b"", &["results.csv", "empty"]);
}

#[test]
fn a_truncated_parquet_is_named() {
    refused(
        "open-llm-leaderboard-v2/contents.parquet",
        b"PAR1\x15\x04\x15",
        &["contents.parquet"],
    );
}

#[test]
fn a_folder_without_sources_is_said() {
    refused("notes.txt", b"hello", &["no known source"]);
}

#[test]
fn a_catalog_that_is_none_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let ran = anatomy(&[
        "report",
        "--catalog",
        folder.path().to_str().expect("UTF-8"),
        "--out",
        folder.path().join("out").to_str().expect("UTF-8"),
    ]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("manifest.json"), "{}", ran.stderr);
}
