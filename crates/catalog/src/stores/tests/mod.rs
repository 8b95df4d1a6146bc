//! Tests the stores against a local server that can be made to fail.

mod server;

use std::path::{Path, PathBuf};

use super::client::Variables;
use super::{Registry, read, write};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::export::{Target, export};
use crate::items::{ImportSettings, Imported, files, import};
use crate::query::{Engine, Format};
use server::{SECRET, server};

/// The environment variables that a user of the server would have set.
pub(super) fn environment() -> Variables {
    let address = server().address.clone();
    let pairs = [
        ("AWS_ENDPOINT_URL", address.as_str()),
        ("AWS_REGION", "nowhere-1"),
        ("AWS_ACCESS_KEY_ID", "someone"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("HF_ENDPOINT", address.as_str()),
        ("HF_TOKEN", SECRET),
    ];
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

fn csv(engine: &Engine, sql: &str) -> Result<String, Error> {
    let mut out = Vec::new();
    engine.query(sql)?.write(Format::Csv, &mut out)?;
    Ok(String::from_utf8(out).expect("UTF-8"))
}

fn answers(id: &str, rows: usize) -> String {
    let line = |doc: usize| {
        let (correct, task) = (doc.is_multiple_of(3), ["arc_challenge", "gsm8k"][doc % 2]);
        let score = f64::from(u8::from(correct));
        format!(
            r#"{{"id":"{id}","task":"{task}","doc_id":{doc},"log_likelihoods":[-1.0,-2.0],"is_greedy":[true,false],"prediction":0,"gold":0,"correct":{correct},"metrics":{{"acc,none":{score}}}}}"#
        )
    };
    (0..rows).map(|doc| line(doc) + "\n").collect()
}

fn take(from: &Path, into: &Path) -> Result<Vec<Imported>, Error> {
    import(
        &files(&[from.to_owned()])?,
        into,
        &ImportSettings::default(),
        &mut |_| (),
    )
}

fn counted(items: &Path) -> String {
    let engine = Engine::with_items(None, items, 1 << 28, 1, 1).expect("a table");
    csv(
        &engine,
        "select benchmark, count(*) as n from items group by 1 order by 1",
    )
    .expect("an answer")
}

/// Incompressible bytes.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as u8
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn objects_come_back_as_they_went_through_faults() {
    for (bucket, length) in [("steady", 10), ("flaky", 10), ("flaky", 20 << 20)] {
        let path = PathBuf::from(format!("s3://{bucket}/folder/{length}.bin"));
        let bytes = noise(length);
        write(&path, &bytes).expect("it was written");
        assert_eq!(read(&path).expect("it is there"), bytes, "{bucket} {length}");
        assert_eq!(super::start(&path, 5).expect("it is there"), bytes[..5]);
        let copy = super::fetch(&path).expect("it is there");
        assert_eq!(std::fs::read(copy.path()).expect("a copy"), bytes);
        assert!(
            super::list(Path::new(&format!("s3://{bucket}/folder")))
                .expect("a listing")
                .contains(&path)
        );
    }
    assert!(server().faults("flaky") > 3, "{}", server().faults("flaky"));
}

#[test]
fn an_upload_that_fails_leaves_nothing() {
    let path = PathBuf::from("s3://dying/folder/large.bin");
    server().refuse_after("dying", 2);
    let error = write(&path, &noise(30 << 20)).expect_err("it was refused");
    assert!(matches!(error, Error::Store { .. }), "{error}");
    server().refuse_after("dying", u64::MAX);
    assert!(!super::is_file(&path).expect("an answer"));
    assert_eq!(server().uploads("dying"), 0, "parts were left");
}

#[test]
fn no_error_shows_what_was_signed_with() {
    let path = Path::new("s3://refusing/items/part.parquet");
    let told = read(path).expect_err("it is refused").to_string();
    assert!(told.contains("403"), "{told}");
    let engine = Engine::empty().expect("an engine");
    let asked = csv(&engine, "select * from 's3://refusing/items/part.parquet'").expect_err("it is refused");
    for told in [
        told,
        asked.to_string(),
        format!("{asked:?}"),
        format!("{:?}", Registry::default()),
    ] {
        assert!(!told.contains(SECRET) && !told.contains("=someone"), "{told}");
        let signed = told.split("Signature=").skip(1);
        assert!(signed.into_iter().all(|rest| rest.starts_with("***")), "{told}");
    }
    for address in [
        "s3://someone:password@bucket/x",
        "ftp://host/x",
        "s3:///x",
        "hf://models/a/b",
    ] {
        let told = read(Path::new(address)).expect_err("it is none").to_string();
        assert!(!told.contains("password"), "{told}");
    }
    assert!(matches!(
        read(Path::new("s3://steady/none")),
        Err(Error::Store { .. })
    ));
}

#[test]
fn an_import_into_a_store_is_the_table_that_it_is_here() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path().join("own.jsonl");
    std::fs::write(&here, answers("org/one", 100)).expect("a file");
    write(
        Path::new("s3://flaky/from/other.jsonl"),
        answers("org/two", 50).as_bytes(),
    )
    .expect("written");
    for into in [folder.path().join("items"), PathBuf::from("s3://flaky/items")] {
        assert_eq!(take(&here, &into).expect("an import")[0].kept, 100);
        assert_eq!(
            take(Path::new("s3://flaky/from"), &into).expect("an import")[0].kept,
            50
        );
        assert!(take(&here, &into).expect("an import")[0].already);
        assert_eq!(counted(&into), "benchmark,n\narc_challenge,75\ngsm8k,75\n");
        // The same rows in another file are repeats, which only the contents of the store reveal.
        let again = folder.path().join("again.jsonl");
        std::fs::write(&again, answers("org/one", 101)).expect("a file");
        let grown = take(&again, &into).expect("an import");
        assert_eq!((grown[0].kept, grown[0].repeats), (1, 100));
    }
}

#[test]
fn an_import_cut_short_goes_on_where_it_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path().join("own.jsonl");
    std::fs::write(&here, answers("org/one", 100)).expect("a file");
    let into = PathBuf::from("s3://halting/items");
    // Writing the first benchmark's file succeeds, the second's is refused.
    server().refuse_after("halting", 1);
    take(&here, &into).expect_err("it was refused");
    assert_eq!(
        counted(&into),
        "benchmark,n\narc_challenge,50\n",
        "whole files only"
    );
    server().refuse_after("halting", u64::MAX);
    let done = take(&here, &into).expect("an import");
    assert!(!done[0].already);
    assert_eq!(counted(&into), "benchmark,n\narc_challenge,50\ngsm8k,50\n");
}

#[test]
fn a_statement_reads_parts_of_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Engine::empty().expect("an engine");
    let wide = "select value as small, cast(random() * 1e9 as varchar) || cast(random() * 1e9 as varchar) as large \
                from generate_series(1, 200000)";
    let mut bytes = Vec::new();
    engine
        .query(wide)
        .expect("rows")
        .write(Format::Parquet, &mut bytes)
        .expect("Parquet");
    let path = PathBuf::from("s3://steady/wide/part.parquet");
    write(&path, &bytes).expect("written");
    std::fs::write(folder.path().join("part.parquet"), &bytes).expect("a file");
    let before = server().sent("steady", "wide/part.parquet");
    let sum = csv(
        &engine,
        "select sum(small) as s from 's3://steady/wide/part.parquet'",
    )
    .expect("a sum");
    assert_eq!(sum, "s\n20000100000\n");
    let read = server().sent("steady", "wide/part.parquet") - before;
    assert!(
        read < bytes.len() as u64 * 3 / 4,
        "{read} of {} bytes",
        bytes.len()
    );
    let told = csv(&engine, "select * from 's3://steady/nothing/there.parquet'")
        .expect_err("nothing")
        .to_string();
    assert!(
        told.contains("no file at s3://steady/nothing/there.parquet"),
        "{told}"
    );
}

#[test]
fn a_catalog_in_a_store_is_the_catalog() {
    let out = PathBuf::from("s3://steady/catalog");
    export(None, Target::Parquet, &out, &mut |_| ()).expect("an export");
    assert_eq!(
        Catalog::open(&out).expect("a catalog"),
        Catalog::snapshot().expect("a catalog")
    );
    let engine = Engine::open(Some(&out)).expect("an engine");
    let here = Engine::open(None).expect("an engine");
    let sql = "select benchmark, count(*) as n from observations group by 1 order by 1";
    assert_eq!(csv(&engine, sql).expect("rows"), csv(&here, sql).expect("rows"));
    assert!(matches!(
        export(None, Target::Parquet, &out, &mut |_| ()),
        Err(Error::NotEmpty { .. })
    ));
}

#[test]
fn datasets_of_the_hub_are_read_and_the_token_stays_there() {
    let engine = Engine::empty().expect("an engine");
    let mut bytes = Vec::new();
    let rows = engine
        .query("select value as x from generate_series(1, 10)")
        .expect("rows");
    rows.write(Format::Parquet, &mut bytes).expect("Parquet");
    server().publish("org/data", "main", "data/benchmark=a/one.parquet", &bytes);
    server().publish("org/data", "main", "data/benchmark=b/two.parquet", &bytes);
    server().publish(
        "org/data",
        "refs/convert/parquet",
        "default/train/0.parquet",
        &bytes,
    );
    for (from, n) in [
        ("hf://datasets/org/data/data/benchmark=a/one.parquet", 10),
        ("hf://datasets/org/data@main/data", 20),
        (
            "hf://datasets/org/data@refs%2Fconvert%2Fparquet/default/train/0.parquet",
            10,
        ),
    ] {
        let found = csv(&engine, &format!("select count(*) as n from '{from}'"));
        assert_eq!(found.expect(from), format!("n\n{n}\n"), "{from}");
    }
    let told = csv(&engine, "select * from 'hf://datasets/org/none/x.parquet'")
        .expect_err("none")
        .to_string();
    assert!(told.contains("401") && !told.contains(SECRET), "{told}");
    assert!(matches!(
        write(Path::new("hf://datasets/org/data/x"), b"x"),
        Err(Error::Store { .. })
    ));
    assert_eq!(server().leaked(), 0, "the token went to where the Hub redirects");
    assert!(server().authorized() > 0);
}
