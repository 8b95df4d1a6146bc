//! Imports of synthetic files: what is kept, what is left out, and what is refused.

use std::fs;
use std::path::{Path, PathBuf};

use super::{ImportSettings, Imported, files, import};
use crate::error::Error;
use crate::query::{Engine, Format};

/// Writes a file under `dir`, creating folders as needed.
fn put(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().expect("it has a folder")).expect("a folder");
    fs::write(&path, text).expect("a file");
    path
}

fn take(path: &Path, into: &Path) -> Result<Vec<Imported>, Error> {
    take_as(path, into, &ImportSettings::default())
}

fn take_as(path: &Path, into: &Path, settings: &ImportSettings) -> Result<Vec<Imported>, Error> {
    import(&files(&[path.to_owned()])?, into, settings, &mut |_| ())
}

fn ask(into: &Path, sql: &str) -> String {
    let engine = Engine::with_items(None, into, 1 << 28, 0, 1).expect("a table");
    let mut out = Vec::new();
    let answer = engine.query(sql).expect("an answer");
    answer.write(Format::Csv, &mut out).expect("CSV");
    String::from_utf8(out).expect("UTF-8")
}

/// A line as lm-evaluation-harness writes it: two choices, of which the first is right.
fn sample(doc: usize, right: bool) -> String {
    let (first, second) = if right { (-1.5, -2.5) } else { (-2.5, -1.5) };
    let acc = f64::from(u8::from(right));
    format!(
        r#"{{"doc_id":{doc},"target":"0","filter":"none","filtered_resps":[["{first}","False"],["{second}","False"]],"acc":{acc},"acc_norm":{acc}}}"#
    )
}

fn answer(id: &str, doc: usize, correct: bool) -> String {
    let score = f64::from(u8::from(correct));
    format!(
        r#"{{"id":"{id}","task":"arc_challenge","doc_id":{doc},"log_likelihoods":[-1.0,-2.0],"is_greedy":[true,false],"prediction":0,"gold":{},"correct":{correct},"metrics":{{"acc,none":{score},"acc_norm,none":{score}}}}}"#,
        usize::from(!correct)
    )
}

/// A line of an answer that is neither right nor wrong but has a score between 0 and 1.
fn share(id: &str, doc: usize, score: f64) -> String {
    format!(
        r#"{{"id":"{id}","task":"truthfulqa_mc2","doc_id":{doc},"log_likelihoods":[-1.0,-2.0],"is_greedy":[true,false],"prediction":null,"gold":null,"correct":null,"metrics":{{"acc,none":{score}}}}}"#
    )
}

#[test]
fn few_discordant_items_leave_a_difference_open_as_the_exact_test_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let into = folder.path().join("items");
    let mut lines = Vec::new();
    for doc in 0..20 {
        // Four items that only `org/whole` solves and none that only `org/less` solves.
        lines.push(answer("org/whole", doc, doc < 12));
        lines.push(answer("org/less", doc, doc < 8));
        lines.push(answer("org/same", doc, doc < 12));
        lines.push(share("org/whole", doc, 0.5 + doc as f64 / 100.0));
        lines.push(share("org/less", doc, 0.25 + doc as f64 / 80.0));
    }
    take(&put(folder.path(), "answers.jsonl", &lines.join("\n")), &into).expect("an import");
    let pair = |b: &str, benchmark: &str| {
        ask(
            &into,
            &format!(
                "select n, only_a, only_b, round(p, 6) as p, round(low, 5) as low, round(high, 5) as high \
                 from paired_comparison where a = 'org/whole' and b = '{b}' and benchmark = '{benchmark}'"
            ),
        )
    };
    // Bootstrap resampling gave [-0.40, -0.05] although p = 0.125, and [0, 0] where no item is discordant.
    let ends = |text: &str| -> Vec<f64> {
        let row = text.lines().nth(1).expect("a row");
        row.split(',')
            .skip(3)
            .map(|cell| cell.parse().expect("a number"))
            .collect()
    };
    let less = pair("org/less", "arc_challenge");
    assert!(
        less.starts_with("n,only_a,only_b,p,low,high\n20,4,0,0.125,"),
        "{less}"
    );
    assert!(
        ends(&less)[1] < -0.4 && (ends(&less)[2] - 0.04095).abs() < 1e-5,
        "{less}"
    );
    assert_eq!(
        pair("org/same", "arc_challenge"),
        "n,only_a,only_b,p,low,high\n20,0,0,1.0,-0.16113,0.16113\n"
    );
    let shares = pair("org/less", "truthfulqa_mc2");
    assert!(shares.contains("\n20,,,,-0."), "{shares}");
    let plain = ask(
        &into,
        "select paired_interval(4, 0, 20)['high'] as high, paired_interval(null, 1, 2)['low'] as low",
    );
    assert!(
        plain.starts_with("high,low\n0.0409") && plain.ends_with(",\n"),
        "{plain}"
    );
}

const FILE: &str = "org__name/samples_arc_challenge_2024-06-12T01-02-03.jsonl";

#[test]
fn samples_answers_and_parquet_are_one_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let (from, into) = (folder.path().join("from"), folder.path().join("items"));
    put(
        &from,
        FILE,
        &[sample(0, true), sample(1, false), "{}".to_owned()].join("\n"),
    );
    put(&from, "notes.txt", "no items");
    put(&from, "listing.jsonl", r#"{"id":"org/other"}"#);
    put(
        &from,
        "own.jsonl",
        &[answer("mine", 0, false), answer("mine", 1, true)].join("\n"),
    );
    let done = take(&from, &into).expect("an import");
    assert_eq!(done.len(), 2, "{done:?}");
    let samples = done
        .iter()
        .find(|file| file.file.ends_with(FILE))
        .expect("the samples");
    assert_eq!((samples.rows_in, samples.kept, samples.repeats), (3, 2, 0));
    assert_eq!(samples.left_out.get("no_item"), Some(&1));
    let columns = "id, benchmark, item, correct, score, metric, loglikelihood, prediction";
    let all = ask(&into, &format!("select {columns} from items order by id, item"));
    assert_eq!(
        all,
        "id,benchmark,item,correct,score,metric,loglikelihood,prediction\n\
         mine,arc_challenge,0,false,0.0,\"acc_norm,none\",-2.0,0\n\
         mine,arc_challenge,1,true,1.0,\"acc_norm,none\",-1.0,0\n\
         org/name,arc_challenge,0,true,1.0,\"acc_norm,none\",-1.5,0\n\
         org/name,arc_challenge,1,false,0.0,\"acc_norm,none\",-2.5,1\n"
    );
    // The table's own Parquet files are a recognised dialect, so it can be imported whole into another table.
    let again = folder.path().join("again");
    take(&into, &again).expect("an import of the table");
    assert_eq!(
        ask(&again, &format!("select {columns} from items order by id, item")),
        all
    );
}

#[test]
fn a_file_goes_in_once_and_may_grow() {
    let folder = tempfile::tempdir().expect("a folder");
    let into = folder.path().join("items");
    let path = put(folder.path(), "own.jsonl", &(answer("mine", 0, true) + "\n"));
    assert_eq!(take(&path, &into).expect("an import")[0].kept, 1);
    let second = take(&path, &into).expect("an import");
    assert!(second[0].already && second[0].kept == 1, "{second:?}");
    put(
        folder.path(),
        "own.jsonl",
        &(answer("mine", 0, true) + "\n" + &answer("mine", 1, true) + "\n"),
    );
    let third = take(&path, &into).expect("an import");
    assert_eq!((third[0].kept, third[0].repeats), (1, 1));
    assert_eq!(ask(&into, "select count(*) as n from items"), "n\n2\n");
    // A file that was lost after its record was written is restored by importing again.
    let part = into
        .join("benchmark=arc_challenge")
        .join(format!("{}.parquet", third[0].name));
    fs::remove_file(part).expect("it was there");
    assert_eq!(take(&path, &into).expect("an import")[0].kept, 1);
    assert_eq!(ask(&into, "select count(*) as n from items"), "n\n2\n");
}

#[test]
fn equal_bytes_of_two_checkpoints_are_two_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let (from, into) = (folder.path().join("from"), folder.path().join("items"));
    put(&from, FILE, &sample(0, true));
    put(&from, &FILE.replace("name", "copy"), &sample(0, true));
    take(&from, &into).expect("an import");
    assert_eq!(ask(&into, "select count(distinct id) as n from items"), "n\n2\n");
}

#[test]
fn what_clashes_is_named_and_nothing_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let into = folder.path().join("items");
    let first = put(folder.path(), "a/own.jsonl", &answer("mine", 7, true));
    take(&first, &into).expect("an import");
    let other = put(
        folder.path(),
        "b/own.jsonl",
        &[answer("mine", 8, true), answer("mine", 7, false)].join("\n"),
    );
    let Err(Error::ItemClash(clash)) = take(&other, &into) else {
        panic!("another answer must be refused");
    };
    assert_eq!((clash.id.as_str(), clash.item.as_str()), ("mine", "7"));
    assert!(clash.earlier.contains("benchmark=arc_challenge"), "{clash:?}");
    assert_eq!(ask(&into, "select count(*) as n from items"), "n\n1\n");
    let renamed = ImportSettings {
        id: Some("mine@2".to_owned()),
        ..ImportSettings::default()
    };
    assert_eq!(take_as(&other, &into, &renamed).expect("an import")[0].kept, 2);
    let nameless = put(
        folder.path(),
        "c.jsonl",
        &answer("", 0, true).replace(r#""id":"","#, ""),
    );
    assert!(matches!(
        take(&nameless, &into),
        Err(Error::NoCheckpoint { row: 0, .. })
    ));
    let odd = put(
        folder.path(),
        "d.jsonl",
        &answer("x", 0, true).replace("arc_challenge", "../up"),
    );
    assert!(matches!(take(&odd, &into), Err(Error::BenchmarkName { .. })));
    assert!(matches!(
        take(&folder.path().join("a/none.txt"), &into),
        Err(Error::Io { .. } | Error::NoItems { .. })
    ));
    let left: Vec<_> = fs::read_dir(&into)
        .expect("a folder")
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert_eq!(left.len(), 2, "nothing half-made: {left:?}");
}

#[test]
fn of_two_filters_one_counts() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = |filter: &str, right: u8, text: &str| {
        format!(
            r#"{{"doc_id":0,"target":"5","filter":"{filter}","filtered_resps":["{text}"],"exact_match":{right}}}"#
        )
    };
    let lines = [
        line("strict-match", 0, "[invalid]"),
        line("flexible-extract", 1, "5"),
    ]
    .join("\n");
    let path = put(
        folder.path(),
        "o__n/samples_gsm8k_2024-06-12T01-02-03.jsonl",
        &lines,
    );
    let first = folder.path().join("first");
    let done = take(&path, &first).expect("an import");
    assert_eq!(
        (done[0].kept, done[0].left_out.get("other_filter")),
        (1, Some(&1))
    );
    let sql = "select correct, metric, prediction from items";
    assert_eq!(
        ask(&first, sql),
        "correct,metric,prediction\nfalse,\"exact_match,strict-match\",[invalid]\n"
    );
    let second = folder.path().join("second");
    let settings = ImportSettings {
        filter: Some("flexible-extract".to_owned()),
        ..ImportSettings::default()
    };
    take_as(&path, &second, &settings).expect("an import");
    assert_eq!(
        ask(&second, sql),
        "correct,metric,prediction\ntrue,\"exact_match,flexible-extract\",5\n"
    );
}

#[test]
fn parquet_of_another_kind_is_refused_with_what_it_lacks() {
    let folder = tempfile::tempdir().expect("a folder");
    let into = folder.path().join("items");
    let engine = Engine::empty().expect("an engine");
    let write = |name: &str, sql: &str| {
        let mut bytes = Vec::new();
        engine
            .query(sql)
            .expect("rows")
            .write(Format::Parquet, &mut bytes)
            .expect("Parquet");
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("a file");
        path
    };
    let good = write(
        "good.parquet",
        "select 'a/b' as checkpoint, 'mmlu' as task, 3 as doc_id, 1 as correct",
    );
    assert_eq!(take(&good, &into).expect("an import")[0].kept, 1);
    let lacking = write(
        "lacking.parquet",
        "select 'a/b' as id, 'mmlu' as benchmark, 3 as item, 1 as right",
    );
    let Err(Error::WrongColumn { column, found, .. }) = take(&lacking, &into) else {
        panic!("no answer: refused");
    };
    assert_eq!((column.as_str(), found.as_str()), ("correct", "none"));
    let typed = write(
        "typed.parquet",
        "select 'a/b' as id, 'mmlu' as benchmark, 3 as item, 'yes' as correct",
    );
    let Err(Error::WrongColumn { column, found, .. }) = take(&typed, &into) else {
        panic!("text is no yes or no: refused");
    };
    assert_eq!(column, "correct");
    assert!(found.starts_with("Utf8"), "{found}");
    let broken = folder.path().join("broken.parquet");
    fs::write(&broken, b"PAR1 and no more").expect("a file");
    assert!(matches!(take(&broken, &into), Err(Error::Parquet { .. })));
}
