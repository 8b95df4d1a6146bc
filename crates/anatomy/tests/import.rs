//! `anatomy import`: files of every kind that is read, found out by their contents, and foreign bytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::command::root;

fn text(path: &Path) -> &str {
    path.to_str().expect("a name in UTF-8")
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/import")
}

/// Exit status and JSON of an import.
fn import(paths: &[&Path], out: &Path) -> (i32, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anatomy"));
    command.args(["import", "-q", "--format", "json", "--out", text(out)]);
    let ran = command.args(paths).output().expect("the binary runs");
    let json = serde_json::from_slice(&ran.stdout).unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(&ran.stderr));
    });
    (ran.status.code().unwrap_or(-1), json)
}

fn query(out: &Path, sql: &str) -> Vec<BTreeMap<String, Value>> {
    let ran = Command::new(env!("CARGO_BIN_EXE_anatomy"))
        .args(["query", "--format", "json", "--catalog", text(out), sql])
        .output()
        .expect("the binary runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    serde_json::from_slice(&ran.stdout).expect("rows")
}

/// Rows read, added, repeated and left out of the file that ends so, by what it is.
fn told<'a>(report: &'a Value, end: &str, what: &str) -> &'a Value {
    let files = report["import"]["files"].as_array().expect("a list");
    let found = files.iter().find(|file| {
        file["file"].as_str().is_some_and(|file| file.ends_with(end))
            && file["what"].as_str().is_some_and(|found| found.contains(what))
    });
    found.unwrap_or_else(|| panic!("{end} as {what}: {files:#?}"))
}

#[test]
fn every_kind_is_found_out_no_row_is_lost_and_runs_keep_their_settings() {
    let folder = TempDir::new().expect("a folder");
    let out = folder.path().join("mine");
    let (code, report) = import(&[&fixtures()], &out);
    assert_eq!(code, 0, "{report:#}");
    for file in report["import"]["files"].as_array().expect("a list") {
        let count = |name: &str| file[name].as_u64().unwrap_or_default();
        let left: u64 = file["left_out"]
            .as_object()
            .expect("reasons")
            .values()
            .filter_map(Value::as_u64)
            .sum();
        assert_eq!(
            count("rows_in"),
            count("added") + count("repeats") + left,
            "{file}"
        );
        assert!(count("rows_in") > 0 && file["problem"].is_null(), "{file}");
    }
    // Every kind of results that is told apart has a file among the fixtures.
    let kinds = root().join("crates/catalog/src/discover.rs");
    let kinds = fs::read_to_string(kinds).expect("the kinds");
    let kinds = kinds.split("impl ResultsKind").nth(1).expect("their names");
    let kinds = kinds.split("impl SourceKind").next().expect("their names");
    for title in kinds.split('"').skip(1).step_by(2) {
        let files = report["import"]["files"].as_array().expect("a list");
        assert!(
            files.iter().any(|file| file["what"] == title),
            "no file of tests/fixtures/import is a {title}: what is read of one is compared with nothing"
        );
    }
    assert_eq!(
        told(&report, "one-odd.yaml", "Community")["left_out"]["not_a_number"],
        1
    );
    assert_eq!(told(&report, "letters.eval", "samples")["added"], 10);
    assert_eq!(told(&report, "addition.json", "samples")["repeats"], 6);
    assert_eq!(
        told(&report, "00-00.json", "lighteval")["left_out"]["a_mean_of_other_rows"],
        2
    );
    assert_eq!(
        told(&report, "120000.txt", "OpenCompass")["left_out"]["a_heading"],
        1
    );
    // What the harness' own numbers are: by hand from the fixtures.
    let rows = query(
        &out,
        "select leaderboard, id, benchmark, value, unit, metric, shots, harness, error, setting from scores \
         where leaderboard in ('inspect', 'lighteval', 'opencompass', 'lm-evaluation-harness') and harness is not null \
         order by leaderboard, benchmark, metric, setting, shots",
    );
    let of = |board: &str, benchmark: &str| {
        let found = rows
            .iter()
            .find(|row| row["leaderboard"] == board && row["benchmark"] == benchmark);
        found.unwrap_or_else(|| panic!("{board} {benchmark}: {rows:#?}"))
    };
    let addition = of("inspect", "addition");
    assert_eq!(addition["id"], "Qwen/Qwen2.5-7B-Instruct");
    assert_eq!(
        (&addition["value"], &addition["unit"]),
        (&50.0.into(), &"points".into())
    );
    assert_eq!(addition["harness"], "inspect_ai 0.3.285");
    assert!((addition["error"].as_f64().unwrap_or_default() - 22.360_679_774_997_9).abs() < 1e-9);
    let letters = of("inspect", "letters");
    assert_eq!(letters["setting"], "scorer choice; epochs 2");
    // OpenCompass' short name is the catalog's checkpoint.
    let opened = of("opencompass", "ARC-c");
    assert_eq!(
        (&opened["id"], &opened["value"]),
        (&"Qwen/Qwen2.5-7B-Instruct".into(), &88.14.into())
    );
    assert_eq!(opened["setting"], "answers ppl; prompt 1e0de5");
    let arc = of("lm-evaluation-harness", "arc");
    assert_eq!(
        (&arc["shots"], &arc["value"], &arc["harness"]),
        (&25.into(), &50.0.into(), &"lm_eval 0.4.8".into())
    );
    let names = query(
        &out,
        "select distinct benchmark from scores where leaderboard = 'lighteval' order by 1",
    );
    let names: Vec<&str> = names.iter().filter_map(|row| row["benchmark"].as_str()).collect();
    assert_eq!(names, ["arc", "arc_easy", "hellaswag", "ifeval"]);
    // Again: nothing is added, nothing lost.
    let before = query(&out, "select count(*) as n from scores");
    let (code, again) = import(&[&fixtures()], &out);
    assert_eq!((code, &again["import"]["scores"]), (0, &0.into()), "{again:#}");
    assert_eq!(query(&out, "select count(*) as n from scores"), before);
    let ran = Command::new(env!("CARGO_BIN_EXE_anatomy"))
        .args(["query", "--format", "json", "--items", text(&out.join("items"))])
        .arg("select count(*) as n from items")
        .output()
        .expect("the binary runs");
    let items: Value = serde_json::from_slice(&ran.stdout).expect("rows");
    let added: u64 = report["import"]["files"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|file| {
            ["samples", "instances"]
                .iter()
                .any(|what| file["what"].as_str().is_some_and(|w| w.contains(what)))
        })
        .filter_map(|file| file["added"].as_u64())
        .sum();
    assert_eq!(items[0]["n"], added);
}

#[test]
fn foreign_bytes_are_told_and_stop_nothing() {
    let folder = TempDir::new().expect("a folder");
    let given = folder.path().join("given");
    fs::create_dir(&given).expect("a folder");
    let write = |name: &str, bytes: &[u8]| fs::write(given.join(name), bytes).expect("it can be written");
    let log = fs::read(fixtures().join("inspect/2026-11-29_addition.eval")).expect("it is there");
    let results = fs::read_to_string(fixtures().join("org__small/results_2025-03-01T10-00-00.000000.json"))
        .expect("it is there");
    // Cut in the middle; a directory that claims four gigabytes; a file that claims to unpack to nothing and does not.
    write("cut.eval", &log[..log.len() / 2]);
    let mut claims = log.clone();
    let end = claims.len() - 22;
    claims[end + 12..end + 16].copy_from_slice(&[0xf0, 0xff, 0xff, 0xff]);
    write("claims.eval", &claims);
    write("magic.eval", b"PK\x03\x04 and no more");
    write("plain.eval", b"no archive");
    // A byte-order mark, NaN and Infinity, as Python writes them.
    let odd = results.replace(
        "\"exact_match,strict-match\": 0.25",
        "\"exact_match,strict-match\": NaN",
    );
    let odd = odd.replace("\"acc,none\": 0.25", "\"acc,none\": Infinity");
    write("results_odd.json", format!("\u{feff}{odd}").as_bytes());
    write("results_cut.json", &results.as_bytes()[..results.len() / 2]);
    write(
        "results_nobody.json",
        b"{\"results\": {\"arc\": {\"acc\": 0.5}}, \"versions\": {}}",
    );
    write("deep.json", "[".repeat(100_000).as_bytes());
    write("table.csv", b"a,b\n1,2\n");
    write("empty.json", b"");
    write("notes.md", b"# nothing");
    write(
        "samples_arc_2025-01-01T00-00-00.jsonl",
        b"{\"doc_id\": 0, \"acc\": 1.0}\n{\"doc_id\": 1, \"acc\": 0.0}\n{\"doc_id\": 2, \"ac",
    );
    let (code, report) = import(&[&given], &folder.path().join("mine"));
    assert_eq!(code, 1, "files could not be read");
    let files = report["import"]["files"].as_array().expect("a list");
    let problem = |name: &str| {
        let found = files.iter().find(|file| {
            file["file"].as_str().is_some_and(|file| file.ends_with(name)) && !file["problem"].is_null()
        });
        found
            .and_then(|file| file["problem"].as_str())
            .unwrap_or_else(|| panic!("{name}: {files:#?}"))
            .to_owned()
    };
    for name in ["cut.eval", "claims.eval", "magic.eval"] {
        assert!(
            problem(name).contains("archive") || problem(name).contains("rejects"),
            "{name}: {}",
            problem(name)
        );
    }
    for name in [
        "results_cut.json",
        "results_nobody.json",
        "deep.json",
        "empty.json",
        "plain.eval",
        "notes.md",
        "table.csv",
    ] {
        assert!(!problem(name).is_empty(), "{name}");
    }
    let odd = told(&report, "results_odd.json", "harness");
    assert_eq!((&odd["rows_in"], &odd["added"]), (&2.into(), &2.into()), "{odd}");
    let samples = told(&report, "00-00.jsonl", "samples");
    assert_eq!(
        (&samples["added"], &samples["left_out"]["not_json"]),
        (&2.into(), &1.into())
    );
    assert_eq!(
        report["import"]["scores"], 2,
        "acc_norm and flexible-extract are left: {report:#}"
    );
}

#[test]
fn a_bomb_is_not_unpacked() {
    // A header that unpacks to more than any has, and claims to be one byte long.
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("bomb.eval");
    fs::write(&path, bomb()).expect("it can be written");
    let (code, report) = import(&[&path], &folder.path().join("mine"));
    assert_eq!(code, 1, "{report:#}");
    let files = report["import"]["files"].as_array().expect("a list");
    assert!(
        files
            .iter()
            .all(|file| !file["problem"].is_null() && file["added"] == 0),
        "{files:#?}"
    );
}

/// An archive whose header.json is forty megabytes of blanks and claims one byte.
fn bomb() -> Vec<u8> {
    use std::io::Write as _;
    let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    let blanks = vec![b' '; 1 << 20];
    for _ in 0..40 {
        packer.write_all(&blanks).expect("it packs");
    }
    let packed = packer.finish().expect("it packs");
    let name = b"header.json";
    let size = u32::try_from(packed.len()).expect("small");
    let mut file = Vec::new();
    let fields = |file: &mut Vec<u8>| {
        file.extend([8, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        file.extend(size.to_le_bytes());
        file.extend(1_u32.to_le_bytes());
        file.extend(u16::try_from(name.len()).expect("small").to_le_bytes());
        file.extend([0, 0]);
    };
    file.extend(b"PK\x03\x04\x14\0\0\0");
    fields(&mut file);
    file.extend(name);
    file.extend(&packed);
    let start = u32::try_from(file.len()).expect("small");
    file.extend(b"PK\x01\x02\x14\0\x14\0\0\0");
    fields(&mut file);
    file.extend([0; 10]);
    file.extend([0; 4]);
    file.extend(name);
    let length = u32::try_from(file.len()).expect("small") - start;
    file.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    file.extend(length.to_le_bytes());
    file.extend(start.to_le_bytes());
    file.extend([0, 0]);
    file
}
