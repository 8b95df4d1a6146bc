//! `anatomy query`: SQL over the catalog's tables, and over files and folders of the user's own.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use ::catalog::query::{Answer, Engine, Format as AnswerFormat, TABLES, VIEWS};
use ::catalog::stores::{is_remote, local, write};
use anyhow::{Context, Result, bail};
use clap::Args;

use crate::global::{FormatChoice, Global};
use crate::output;
use crate::server::sql::reads::refused;
use crate::units::quantity;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy query \"select resolved_by, count(*) as n from structures group by 1 order by 2 desc\"
  anatomy query \"select benchmark, spearman(value, size) as rho from scores join structures using (id) group by 1\"
  anatomy query \"select * from 'my.csv' limit 5\" --format csv
  anatomy query --file question.sql       the statement in a file; `anatomy query -` reads standard input
  anatomy query --tables                  every table with its columns (`\\d scores`: one table)
  anatomy query \"select * from scores\" --format parquet > scores.parquet
  anatomy query --items DIR \"select * from item_difficulty where benchmark = 'arc_challenge' order by share limit 10\"
  anatomy query --items builtin \"select * from item_difficulty order by share limit 5\"   MMLU-Pro, which comes along
  anatomy query --items DIR \"select * from paired_comparison where a = 'org/old' and b = 'org/new'\"

With --items (a folder that `anatomy catalog import-items` made) the table `items` and the views item_difficulty, items_all_fail,
items_all_solve, score_bootstrap, checkpoint_agreement and paired_comparison; functions bootstrap(x), mcnemar_p(b, c),
paired_interval(b, c, n).
The views over pairs hold each pair in both orders: name one checkpoint (a = '…'), or add a < b.
Aggregates of our own: skewness(x), kurtosis(x), mode(x), spearman(x, y)
Exit status: 0 done, 1 no row, 2 could not run")]
pub(crate) struct QueryArgs {
    /// A SQL statement; a quoted path of a Parquet or CSV file or folder can be used as a table
    #[arg(value_name = "SQL", required_unless_present_any = ["tables", "file"])]
    sql: Option<String>,
    /// Read the statement from this file; `-` instead of a statement reads standard input
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["sql", "tables"])]
    file: Option<PathBuf>,
    /// Rows shown on a terminal; other formats, files, pipes and --wide show all
    #[arg(long, value_name = "NUM", default_value_t = 40)]
    rows: usize,
    /// List the tables with their columns and types
    #[arg(long)]
    tables: bool,
    /// Write the result to this file as Parquet instead
    #[arg(long, value_name = "FILE")]
    parquet: Option<PathBuf>,
    /// Catalog made by `anatomy catalog build` [default: the one compiled in]
    #[arg(long, value_name = "DIR")]
    catalog: Option<PathBuf>,
    /// Table of items made by `anatomy catalog import-items`, with the views over it
    #[arg(long, value_name = "DIR")]
    items: Option<PathBuf>,
    /// Run the statement on a cluster: df://HOST:PORT of `anatomy cluster scheduler`, or in-process
    #[arg(long, value_name = "ADDRESS")]
    cluster: Option<String>,
    /// With --cluster: timeout of the statement, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 600, requires = "cluster", value_parser = clap::value_parser!(u64).range(1..=604_800))]
    timeout: u64,
    /// With --items: memory for sorting, joining and grouping before they spill to disk
    #[arg(long, value_name = "SIZE", default_value = "2GiB", value_parser = memory, requires = "items")]
    memory: usize,
}

/// Bytes, as 2GiB.
fn memory(text: &str) -> Result<usize> {
    Ok(quantity(text)? as usize)
}

pub(crate) fn run(global: &Global, args: &QueryArgs) -> Result<ExitCode> {
    let read = statement(args)?;
    let asked = read.as_deref().map(str::trim).filter(|_| !args.tables);
    if let Some(refused) = asked.and_then(refused) {
        bail!("{refused}, and keep an answer with --parquet FILE");
    }
    if args.parquet.is_none() && global.asked == FormatChoice::Parquet && std::io::stdout().is_terminal() {
        bail!(
            "Parquet is binary and not written to a terminal: write it to a file with --parquet FILE, or `> FILE`"
        );
    }
    let listing;
    let sql = match asked.map(|sql| (sql, sql.strip_prefix("\\d"))) {
        Some((sql, None)) if sql.trim_end_matches(';').eq_ignore_ascii_case("show tables") => {
            "select table_name as \"table\" from information_schema.tables where table_schema = 'public' order by 1"
        }
        Some((sql, None)) => sql,
        Some((_, Some(table))) => {
            listing = columns_of(table.trim(), args.items.is_some());
            &listing
        }
        None => {
            listing = columns_of("", args.items.is_some());
            &listing
        }
    };
    let answer = match &args.cluster {
        Some(address) => on_cluster(global, args, address, sql)?,
        None => here(global, args)?.query(sql)?,
    };
    let mut bytes = Vec::new();
    let format = match (&args.parquet, global.asked) {
        (Some(_), _) | (None, FormatChoice::Parquet) => AnswerFormat::Parquet,
        (None, FormatChoice::Json) => AnswerFormat::Json,
        (None, FormatChoice::Csv) => AnswerFormat::Csv,
        (None, FormatChoice::Table | FormatChoice::Huggingface | FormatChoice::EveryEvalEver) => {
            AnswerFormat::Table
        }
    };
    let is_shown = format == AnswerFormat::Table && std::io::stdout().is_terminal() && !global.wide;
    let most = if is_shown { args.rows } else { usize::MAX };
    answer.first(most).write(format, &mut bytes)?;
    match &args.parquet {
        Some(path) => {
            if is_remote(path) {
                write(path, &bytes)?;
            } else {
                crate::report::write_whole(&local(path)?, &bytes)?;
            }
            output::say(
                global.quiet,
                &format!("Written: {} ({} rows)", path.display(), answer.rows()),
            );
        }
        None if is_shown => {
            let (text, is_cut) = output::within_terminal(&String::from_utf8_lossy(&bytes));
            output::result(&text)?;
            if is_cut {
                output::say(
                    global.quiet,
                    "lines are cut at the terminal's edge: --wide shows all, --format csv gives all",
                );
            }
        }
        None => output::result_bytes(&bytes)?,
    }
    if answer.rows() > most {
        output::say(
            global.quiet,
            &format!(
                "{most} of {} rows shown: --rows NUM shows more, --wide all, --format csv gives all",
                output::number(answer.rows() as f64)
            ),
        );
    }
    Ok(if answer.rows() == 0 {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    })
}

/// The statement, from the command line, standard input or a file.
fn statement(args: &QueryArgs) -> Result<Option<String>> {
    Ok(match (&args.file, args.sql.as_deref()) {
        (Some(path), _) => {
            Some(std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?)
        }
        (None, Some("-")) => {
            Some(std::io::read_to_string(std::io::stdin()).context("cannot read standard input")?)
        }
        (None, sql) => sql.map(str::to_owned),
    })
}

fn here(global: &Global, args: &QueryArgs) -> Result<Engine> {
    let dir = args.catalog.as_deref();
    Ok(match &args.items {
        Some(items) => Engine::with_items(dir, items, args.memory, global.threads, global.seed)?,
        None => Engine::open(dir)?,
    })
}

#[cfg(feature = "cluster")]
fn on_cluster(global: &Global, args: &QueryArgs, address: &str, sql: &str) -> Result<Answer> {
    use crate::cluster::client::{Cluster, ClusterStatement, answer};
    let question = ClusterStatement {
        cluster: Cluster::of(address)?,
        catalog: args.catalog.clone(),
        items: args.items.clone(),
        seed: global.seed,
        sql: sql.to_owned(),
    };
    answer(question, std::time::Duration::from_secs(args.timeout))
}

#[cfg(not(feature = "cluster"))]
fn on_cluster(_: &Global, args: &QueryArgs, address: &str, _: &str) -> Result<Answer> {
    Err(crate::explain::not_built_in(
        &format!("--cluster {address} --timeout {}", args.timeout),
        "cluster",
    ))
}

/// The statement that lists the columns of one table, or of all where none is named.
fn columns_of(table: &str, items: bool) -> String {
    let quoted = |table: &str| format!("'{}'", table.replace('\'', "''"));
    let names: Vec<String> = if table.is_empty() {
        let own = TABLES.iter().chain(&VIEWS).copied();
        let views = ::catalog::items::VIEWS.iter().map(|(view, _)| *view);
        own.chain(views.filter(|_| items)).map(quoted).collect()
    } else {
        vec![quoted(table)]
    };
    format!(
        "select table_name as \"table\", column_name as \"column\", data_type as \"type\" \
         from information_schema.columns where table_name in ({}) order by table_name, ordinal_position",
        names.join(", ")
    )
}
