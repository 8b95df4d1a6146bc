//! Generated files, whose expected results follow from how they were generated.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use arrow::datatypes::DataType;

use super::kinds::Kinds;
use crate::error::Error;
use crate::query::{Engine, Format};
use crate::stores::write;

fn ask(sql: &str) -> Result<String, Error> {
    let mut out = Vec::new();
    Engine::empty()?.query(sql)?.write(Format::Csv, &mut out)?;
    Ok(String::from_utf8(out).expect("UTF-8"))
}

fn asked_of(folder: &Path, name: &str, text: &str, columns: &str) -> Result<String, Error> {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("a file");
    ask(&format!("select {columns} from '{}'", path.display()))
}

/// Records with a quoted cell whose lines look like records, a decimal far down, and one cell that is not a number;
/// `padding` shifts the block boundaries.
fn notes(records: usize, padding: usize) -> String {
    let mut text = String::from("id,text,x,late\n");
    for id in 0..records {
        let late = if id + 3 == records { "0.5" } else { "1" };
        let word = if id + 2 == records { "NA" } else { "7" };
        let pad = "z".repeat(padding + id % 7);
        writeln!(
            text,
            "{id},\"line \"\"one\"\", of item\n7,not a row,8\nlast {pad}\",{late},{word}"
        )
        .expect("text");
    }
    text
}

#[test]
fn quoted_line_ends_stand_wherever_blocks_meet() {
    let folder = tempfile::tempdir().expect("a folder");
    for padding in [0, 1, 2, 3, 80, 81, 8_000] {
        let records = if padding > 1_000 { 400 } else { 40_000 };
        let columns = "count(*) as n, max(id) as last, sum(x) as x, count(distinct text) as texts, arrow_typeof(max(late)) as late";
        let sum = records as f64 - 0.5;
        // Texts repeat with the seven possible lengths of padding.
        let wanted = format!("n,last,x,texts,late\n{records},{},{sum},7,Utf8\n", records - 1);
        let text = notes(records, padding);
        assert_eq!(
            asked_of(folder.path(), "notes.csv", &text, columns).expect("rows"),
            wanted,
            "{padding}"
        );
        // An object arrives in blocks with arbitrary boundaries.
        let place = PathBuf::from(format!("s3://steady/csv/{padding}.csv"));
        write(&place, text.as_bytes()).expect("written");
        let sql = format!("select {columns} from '{}'", place.display());
        assert_eq!(ask(&sql).expect("rows"), wanted, "{padding} in a store");
    }
}

#[test]
fn an_object_cut_short_is_no_shorter_table() {
    let (sender, receiver) = tokio::sync::mpsc::channel(2);
    sender
        .try_send(Ok(Some(bytes::Bytes::from_static(b"a,b\n1,2\n"))))
        .expect("room");
    drop(sender);
    let source = Box::new(super::Parts::from(receiver));
    let told = super::CsvSurvey::of(source, "cut.csv".to_owned(), None).expect_err("it is cut");
    assert!(told.to_string().contains("cut.csv"), "{told}");
}

#[test]
fn a_type_holds_every_cell_as_the_engine_reads_it() {
    use arrow::datatypes::TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
    let time = |unit| DataType::Timestamp(unit, None);
    let folder = tempfile::tempdir().expect("a folder");
    for (cells, wanted) in [
        (&["1", "-2", ""] as &[&str], DataType::Int64),
        (&["1", "2.5"], DataType::Float64),
        (&["1", "-1e-3", ".5", "5.", "NaN", "inf"], DataType::Float64),
        (&["1", "NA"], DataType::Utf8),
        (&["1", "true"], DataType::Utf8),
        (&["1", "99999999999999999999"], DataType::Utf8),
        (&["+49", "1"], DataType::Utf8),
        (&["1-2", "1"], DataType::Utf8),
        (&["1e5e5", "-", ".", "e"], DataType::Utf8),
        (&["TRUE", "false"], DataType::Boolean),
        (&["2024-02-29", "1999-12-31"], DataType::Date32),
        (&["2024-02-29", "2024-02-30"], DataType::Utf8),
        (&["2024-02-29", "2024-02-29 12:00:00"], time(Second)),
        (
            &["2024-02-29T12:00:00Z", "2024-02-29 12:00:00.5"],
            time(Millisecond),
        ),
        (&["2024-02-29T12:00:00.123456", "2024-02-29"], time(Microsecond)),
        (&["2024-02-29T12:00:00.123456789+02:00"], time(Nanosecond)),
        (
            &["2024-02-29T12:00:00.123456789", "3024-01-01T00:00:00"],
            DataType::Utf8,
        ),
        (&["3024-01-01T00:00:00", "2024-01-01"], time(Second)),
        (&["2024-02-29T25:00:00", "2024-02-29T12:00:00"], DataType::Utf8),
        (&["", ""], DataType::Null),
    ] {
        let mut kinds = Kinds::default();
        cells
            .iter()
            .filter(|cell| !cell.is_empty())
            .for_each(|cell| kinds.add(cell));
        assert_eq!(kinds.data_type(), wanted, "{cells:?}");
        let rows: Vec<String> = cells.iter().map(|cell| format!("0,{cell}\n")).collect();
        let rows = rows.concat();
        let counted = asked_of(
            folder.path(),
            "cells.csv",
            &format!("y,x\n{rows}"),
            "count(x) as n",
        );
        let n = cells.iter().filter(|cell| !cell.is_empty()).count();
        assert_eq!(counted.expect("an answer"), format!("n\n{n}\n"), "{cells:?}");
    }
}

#[test]
fn headers_as_people_write_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let asked = |name, text, columns| asked_of(folder.path(), name, text, columns);
    for (name, text) in [
        ("spaces.csv", "a, b, y\n1,2,3\n4,5,6\n"),
        ("semicolons.csv", "a;b;y\n1;2;3\n4;5;6\n"),
        ("tabs.tsv", "a\tb\ty\n1\t2\t3\n4\t5\t6\n"),
        ("tabs.csv", "a\tb\ty\n1\t2\t3\n4\t5\t6\n"),
        ("mark.csv", "\u{feff}a,b,y,,\r\n1,2,3,,\r\n4,5,6,,\r\n"),
        ("quoted.csv", "\"a\",\"b\",\"y;\nz;z\"\n1,2,3\n4,5,6\n"),
        ("CAPITALS.CSV", "a,b\n1,2\n4,5\n"),
    ] {
        assert_eq!(
            asked(name, text, "sum(a + b) as s").expect(name),
            "s\n12\n",
            "{name}"
        );
    }
    assert_eq!(
        asked(
            "unnamed.csv",
            "a,,column_2\n1,2,3\n",
            "\"column_2_\" as x, column_2 as y"
        )
        .expect("rows"),
        "x,y\n2,3\n"
    );
    let told = asked("twice.csv", "a,y, y\n1,2,3\n", "a").expect_err("which y?");
    assert!(
        matches!(&told, Error::DoubledColumn { column, first: 2, second: 3, .. } if column == "y"),
        "{told}"
    );
}

#[test]
fn what_is_no_table_is_told_with_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = |name, text: &str| asked_of(folder.path(), name, text, "*").expect_err(name);
    let short = told("short.csv", "a,b\n1,\"2\n2\"\n3\n");
    assert!(
        matches!(&short, Error::BadRow { line: 4, row: 1, message, .. }
            if message == "it has 1 cells, and the header names 2 columns"),
        "{short}"
    );
    assert!(matches!(told("empty.csv", ""), Error::Empty { .. }));
    assert!(matches!(told("packed.csv.gz", "a,b\n"), Error::Packed { .. }));
    std::fs::write(folder.path().join("latin.csv"), b"a,b\n1,caf\xe9\n").expect("a file");
    let latin = ask(&format!("select * from '{}/latin.csv'", folder.path().display())).expect_err("no UTF-8");
    assert!(
        matches!(&latin, Error::NotUtf8 { line: 2, column, valid_up_to: 3, .. } if column == "b"),
        "{latin}"
    );
}

#[test]
fn files_of_a_folder_are_one_table_where_their_headers_are_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let many = folder.path().join("many");
    std::fs::create_dir(&many).expect("a folder");
    std::fs::write(many.join("a.csv"), "id,x\n1,1\n2,2\n").expect("a file");
    std::fs::write(many.join("b.csv"), "id,x\n3,0.5\n").expect("a file");
    std::fs::write(many.join("c.csv"), "").expect("a file");
    let sql = format!("select count(*) as n, sum(x) as s from '{}/'", many.display());
    assert_eq!(ask(&sql).expect("rows"), "n,s\n3,3.5\n");
    std::fs::write(many.join("d.csv"), "x,id\n3,9\n").expect("a file");
    let told = ask(&sql).expect_err("columns change places");
    assert!(
        matches!(&told, Error::OtherHeader { file, .. } if file.ends_with("d.csv")),
        "{told}"
    );
}

#[test]
fn text_where_numbers_are_wanted_names_its_cell() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut text = String::from("id,x,name,\"Odd X\"\n");
    for id in 0..2_000 {
        let x = if id == 1_500 {
            "NA".to_owned()
        } else {
            id.to_string()
        };
        writeln!(text, "{id},{x},\"n\n{id}\",{x}").expect("text");
    }
    let path = folder.path().join("late.csv");
    std::fs::write(&path, &text).expect("a file");
    let place = path.display();
    for (columns, function, column) in [
        ("count(x), avg(x)", "avg", "x"),
        ("round(avg(x), 2)", "avg", "x"),
        ("sum(distinct x)", "sum", "x"),
        ("median(t.x)", "median", "x"),
        ("stddev(X)", "stddev", "x"),
        ("skewness(x)", "skewness", "x"),
        ("spearman(id, x)", "spearman", "x"),
        ("abs(x)", "abs", "x"),
        ("x + 1", "+", "x"),
        ("- x", "-", "x"),
        ("cast(x as bigint)", "cast", "x"),
        ("sum(case when id > 5 then x end)", "sum", "x"),
        ("avg(\"Odd X\")", "avg", "Odd X"),
        ("avg(id) over (), avg(x) over (order by id)", "avg", "x"),
    ] {
        let told = ask(&format!("select {columns} from '{place}' as t")).expect_err(columns);
        let Error::NotNumbers(clash) = &told else {
            panic!("{columns}: {told}");
        };
        assert_eq!(
            (
                clash.function.as_str(),
                clash.column.as_str(),
                clash.value.as_str(),
                clash.line
            ),
            (function, column, "NA", 3_002 + u64::from(column == "Odd X")),
            "{columns}"
        );
        assert_eq!((clash.cells, clash.others), (2_000, 1), "{columns}");
        assert!(
            clash.file.ends_with("late.csv") && !told.to_string().contains("DataFusion"),
            "{told}"
        );
    }
    for (condition, function) in [
        ("x > 30", ">"),
        ("3 = x", "="),
        ("x between 3 and 9", "between"),
        ("x in (1, 2)", "in"),
    ] {
        let told = ask(&format!("select count(*) from '{place}' where {condition}")).expect_err(condition);
        let is_told =
            matches!(&told, Error::NotNumbers(clash) if clash.function == function && clash.value == "NA");
        assert!(is_told, "{condition}: {told}");
    }
    // The same messages for a table that is not a file, and the engine's shortened message where no column explains the
    // error.
    let engine = Engine::empty().expect("an engine");
    let words = crate::query::Values::Text(vec![Some("a".into())]);
    engine
        .register_columns("words", &[("w".into(), words)])
        .expect("a table");
    let told = engine
        .query("select avg(w) from words")
        .expect_err("text")
        .to_string();
    assert_eq!(told, "`avg` takes numbers, and column `w` of `words` is text");
    let told = engine
        .query("select avg(v) from (select w as v from words)")
        .expect_err("text")
        .to_string();
    assert!(
        told.contains("`avg` takes numbers") && !told.contains("Utf8") && !told.contains("bug"),
        "{told}"
    );
}

#[test]
fn a_statement_that_is_right_is_not_touched() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "id,x\n1,1\n2,NA\n3,3\n";
    let asked = |columns| asked_of(folder.path(), "x.csv", text, columns);
    assert_eq!(
        asked("avg(try_cast(x as double)) as m").expect("rows"),
        "m\n2.0\n"
    );
    assert_eq!(asked("count(x) as n, max(x) as x").expect("rows"), "n,x\n3,NA\n");
    let told = asked("avg(y)").expect_err("no y").to_string();
    assert!(told.contains("there is no column named `y`"), "{told}");
}
