//! `anatomy query`: SQL over the catalog's tables, and over files and folders of the user's own.

use std::path::PathBuf;
use std::process::ExitCode;

use ::catalog::query::{Engine, Format as AnswerFormat, TABLES, VIEWS};
use anyhow::Result;
use clap::Args;

use crate::cli::{Asked, Global};
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy query \"select resolved_by, count(*) as n from structures group by 1 order by 2 desc\"
  anatomy query \"select benchmark, spearman(value, size) as rho from scores join structures using (id) group by 1\"
  anatomy query \"select * from 'my.csv' limit 5\" --format csv
  anatomy query --tables                  every table with its columns (`\\d scores`: one table)
  anatomy query \"select * from scores\" --format parquet > scores.parquet

Aggregates of our own: skewness(x), kurtosis(x), mode(x), spearman(x, y)
Exit status: 0 done, 1 no row, 2 could not run")]
pub(crate) struct QueryArgs {
    /// A SQL statement; a file or folder of Parquet or CSV may stand, quoted, where a table does
    #[arg(value_name = "SQL", required_unless_present = "tables")]
    sql: Option<String>,
    /// List the tables with their columns and types
    #[arg(long)]
    tables: bool,
    /// Write the answer as Parquet to this file instead
    #[arg(long, value_name = "FILE")]
    parquet: Option<PathBuf>,
    /// Catalog made by `anatomy catalog build` [default: the one compiled in]
    #[arg(long, value_name = "DIR")]
    catalog: Option<PathBuf>,
}

pub(crate) fn run(global: &Global, args: &QueryArgs) -> Result<ExitCode> {
    let engine = Engine::open(args.catalog.as_deref())?;
    let asked = args.sql.as_deref().map(str::trim).filter(|_| !args.tables);
    let listing;
    let sql = match asked.map(|sql| (sql, sql.strip_prefix("\\d"))) {
        Some((sql, None)) => sql,
        Some((_, Some(table))) => {
            listing = columns_of(table.trim());
            &listing
        }
        None => {
            listing = columns_of("");
            &listing
        }
    };
    let answer = engine.query(sql)?;
    let mut bytes = Vec::new();
    let format = match (&args.parquet, global.asked) {
        (Some(_), _) | (None, Asked::Parquet) => AnswerFormat::Parquet,
        (None, Asked::Json) => AnswerFormat::Json,
        (None, Asked::Csv) => AnswerFormat::Csv,
        (None, Asked::Table | Asked::Huggingface) => AnswerFormat::Table,
    };
    answer.write(format, &mut bytes)?;
    match &args.parquet {
        Some(path) => {
            crate::report::write_whole(path, &bytes)?;
            output::say(
                global.quiet,
                &format!("Written: {} ({} rows)", path.display(), answer.rows()),
            );
        }
        None => output::result_bytes(&bytes)?,
    }
    Ok(if answer.rows() == 0 {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    })
}

/// The statement that lists the columns of one table, or of all where none is named.
fn columns_of(table: &str) -> String {
    let quoted = |table: &str| format!("'{}'", table.replace('\'', "''"));
    let names: Vec<String> = if table.is_empty() {
        TABLES.iter().chain(&VIEWS).map(|table| quoted(table)).collect()
    } else {
        vec![quoted(table)]
    };
    format!(
        "select table_name as \"table\", column_name as \"column\", data_type as \"type\" \
         from information_schema.columns where table_name in ({}) order by table_name, ordinal_position",
        names.join(", ")
    )
}
