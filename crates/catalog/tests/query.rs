//! SQL over the snapshot, and our own aggregates against known values.

use catalog::Error;
use catalog::query::{Engine, Format};
use std::fmt::Write as _;

fn csv(engine: &Engine, sql: &str) -> Result<String, Error> {
    let mut out = Vec::new();
    engine.query(sql)?.write(Format::Csv, &mut out)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

#[test]
fn tables_of_the_snapshot_answer() -> Result<(), Error> {
    let engine = Engine::open(None)?;
    let sql = "select leaderboard, count(*) as n from evaluations where leaderboard like 'open-llm%' group by leaderboard order by leaderboard";
    assert_eq!(
        csv(&engine, sql)?,
        "leaderboard,n\nopen-llm-leaderboard-v1,7169\nopen-llm-leaderboard-v2,4576\n"
    );
    let mut json = Vec::new();
    engine
        .query("select id, d_ffn from structures where id = 'mistralai/Mistral-7B-v0.1'")?
        .write(Format::Json, &mut json)?;
    assert_eq!(
        String::from_utf8_lossy(&json).trim(),
        r#"[{"id":"mistralai/Mistral-7B-v0.1","d_ffn":14336}]"#
    );
    assert_eq!(
        csv(
            &engine,
            "select count(*) as n from sources where rows_in <> kept + rejected"
        )?,
        "n\n0\n"
    );
    Ok(())
}

/// pandas 2.3: `Series([1,2,2,3,10]).skew()`, `.kurt()`, `.mode()[0]`; scipy's `spearmanr`.
#[test]
fn own_aggregates_agree_with_pandas_and_scipy() -> Result<(), Error> {
    let engine = Engine::open(None)?;
    let rows = "(values (1.0, 5.0, 'b'), (2.0, 4.0, 'a'), (2.0, 3.0, 'b'), (3.0, 2.5, 'a'), (10.0, 9.0, null)) as t(x, y, z)";
    let answer = csv(
        &engine,
        &format!("select skewness(x), kurtosis(x), mode(x), mode(z), spearman(x, y) from {rows}"),
    )?;
    let values: Vec<&str> = answer.lines().nth(1).unwrap_or_default().split(',').collect();
    let number = |index: usize| values[index].parse::<f64>().unwrap_or(f64::NAN);
    assert!((number(0) - 2.028_699_102).abs() < 1e-6, "{answer}");
    assert!((number(1) - 4.272_146_532).abs() < 1e-6, "{answer}");
    assert_eq!((number(2), values[3]), (2.0, "a"));
    assert!((number(4) - 0.051_298_918).abs() < 1e-8, "{answer}");
    Ok(())
}

#[test]
fn a_wrong_name_gets_suggestions() -> Result<(), Error> {
    let engine = Engine::open(None)?;
    let Err(Error::Query { message, suggestions }) = engine.query("select layer from structures") else {
        panic!("a column that is none must be refused");
    };
    assert!(message.contains("layer"), "{message}");
    assert_eq!(suggestions.first().map(String::as_str), Some("structures.layers"));
    let Err(Error::Query { suggestions, .. }) = engine.query("select * from structure") else {
        panic!("a table that is none must be refused");
    };
    assert_eq!(suggestions, ["structures"]);
    Ok(())
}

#[test]
fn files_are_tables_by_their_path() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("mine.csv");
    std::fs::write(&path, "id,x\na,1\nb,2\n")?;
    let engine = Engine::open(None)?;
    assert_eq!(
        csv(&engine, &format!("select sum(x) as s from '{}'", path.display()))?,
        "s\n3\n"
    );
    Ok(())
}

/// What a stranger's statement may not do, and that the bounds hold.
#[test]
fn visitors_read_within_bounds() -> Result<(), Error> {
    let engine = Engine::for_visitors(None, 64 << 20)?;
    let (answer, more) = engine.query_within("select id from checkpoints", 10)?;
    assert_eq!((answer.rows(), more), (10, true));
    let (answer, more) = engine.query_within("select 1 as a, 2 as b union all select 3, null", 10)?;
    let mut rows = Vec::new();
    answer.write(Format::JsonRows, &mut rows)?;
    assert_eq!(
        (String::from_utf8_lossy(&rows).trim(), more),
        ("[[1,2],[3,null]]", false)
    );
    for reads in [
        "explain select 1",
        "describe scores",
        "show tables",
        "select spearman(size, layers) from structures",
    ] {
        let (answer, _) = engine.query_within(reads, 1000)?;
        assert!(answer.rows() > 0, "{reads}");
    }
    for refused in [
        "create table t as select 1",
        "create external table t stored as csv location '/etc/passwd'",
        "create view v as select 1",
        "drop table scores",
        "insert into scores select * from scores",
        "copy (select 1) to '/tmp/anatomy-visitor.csv'",
        "explain copy (select 1) to '/tmp/anatomy-visitor.csv'",
        "set datafusion.execution.batch_size = 1",
        "select * from '/etc/passwd'",
        "select * from '/etc/hostname.csv'",
        "select * from \"file:///etc/passwd\"",
        "select * from 'http://127.0.0.1:1/x.parquet'",
        "select * from generate_series(1, 1000000000000)",
        "select * from read_csv('/etc/passwd')",
        "select 1; select 2",
    ] {
        let error = engine.query_within(refused, 10).expect_err(refused);
        assert!(matches!(error, Error::Query { .. }), "{refused}: {error}");
    }
    let sorted = "select a.id, b.id from scores a cross join scores b order by a.value * b.value, a.id";
    let tight = Engine::for_visitors(None, 64 << 10)?;
    let error = tight
        .query_within(sorted, 100_000_000)
        .expect_err("more than its memory");
    assert!(error.to_string().contains("Resources exhausted"), "{error}");
    Ok(())
}

/// Large enough that several threads would each read a range of it, and each cell of text holds what looks like a row.
#[test]
fn quoted_line_ends_are_no_ends_of_records() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("notes.csv");
    let mut text = String::from("id,text\n");
    for id in 0..200_000_u32 {
        writeln!(
            text,
            "{id},\"note {}\n{},tail\"",
            "z".repeat(40),
            1_000_000_000 + id
        )?;
    }
    std::fs::write(&path, text)?;
    let expected = "n,largest\n200000,199999\n";
    let engine = Engine::empty()?;
    engine.register_file("notes", &path)?;
    for table in [format!("'{}'", path.display()), "notes".to_owned()] {
        let sql = format!("select count(*) as n, max(id) as largest from {table}");
        assert_eq!(csv(&engine, &sql)?, expected, "{table}");
    }
    let engine = Engine::open(None)?;
    let sql = format!(
        "select count(*) as n, max(id) as largest from '{}'",
        path.display()
    );
    assert_eq!(csv(&engine, &sql)?, expected);
    Ok(())
}

#[test]
fn a_cell_far_down_tells_its_columns_type() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("late.csv");
    let rows: String = (0..2_000)
        .map(|id| {
            if id == 1_500 {
                "1500,NA,0.5\n".to_owned()
            } else {
                format!("{id},{id},1\n")
            }
        })
        .collect();
    std::fs::write(&path, format!("id,x,y\n{rows}"))?;
    let engine = Engine::empty()?;
    let path = path.display();
    let sql = format!(
        "select count(x) as n, sum(try_cast(x as bigint)) as s, sum(y) as y, max(id) as id from '{path}'"
    );
    assert_eq!(csv(&engine, &sql)?, "n,s,y,id\n2000,1997500,1999.5,1999\n");
    Ok(())
}
