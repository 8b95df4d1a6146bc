//! `anatomy serve`: the dashboard and its JSON API.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;

use crate::global::{Format, Global};
use crate::output;
use crate::server::{self, Plan, ServerSettings, sql};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy serve                               http://127.0.0.1:8080/, on the compiled-in tables
  anatomy serve --port 0 --format json        any free port; says which
  anatomy serve --catalog my-catalog --report anatomy-report --probe probes
  curl 'http://127.0.0.1:8080/api/v1/checkpoints?min_size=6&max_size=9&sort=-mmlu_pro&limit=5'

It listens on loopback alone unless --host says otherwise; put a proxy with TLS before it to let others in. SIGINT and
SIGTERM end it once the requests under way are answered, ten seconds later at most.

Exit status: 0 ended by a signal, 2 could not run")]
pub(crate) struct ServeArgs {
    /// Port; 0 takes any that is free
    #[arg(long, default_value_t = 8080, value_name = "NUM")]
    port: u16,
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    host: IpAddr,
    /// Catalog made by `anatomy catalog build` [default: the one compiled in]
    #[arg(long, value_name = "DIR")]
    catalog: Option<PathBuf>,
    /// Report of the same catalog, whose findings are shown until the server has computed its own
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
    /// Folder of results of `anatomy probe … --format json`, one file each
    #[arg(long, value_name = "DIR")]
    probe: Option<PathBuf>,
    /// Resamples of each bootstrap interval of the study
    #[arg(long, default_value_t = 1000, value_name = "NUM", value_parser = clap::value_parser!(u32).range(100..=100_000))]
    resamples: u32,
    /// Sections of the study to compute, separated by commas, as of `anatomy report --only` [default: all]
    #[arg(long, value_name = "NAMES")]
    only: Option<String>,
    /// Connections at once; at the limit the longest idle one is closed
    #[arg(long, default_value_t = 16_384, value_name = "NUM", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    max_connections: u32,
    /// Seconds that a visitor's SQL statement may take
    #[arg(long, default_value_t = 10, value_name = "NUM", value_parser = clap::value_parser!(u64).range(1..=25))]
    sql_seconds: u64,
    /// Mebibytes that the operators of a visitor's SQL statement may hold
    #[arg(long, default_value_t = 256, value_name = "NUM", value_parser = clap::value_parser!(u32).range(16..=65_536))]
    sql_memory: u32,
    /// Rows that a visitor's SQL statement gives at most
    #[arg(long, default_value_t = 10_000, value_name = "NUM", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    sql_rows: u32,
    /// Run as a process for visitors' SQL: statements on standard input, answers on standard output
    #[arg(long, hide = true)]
    sql_process: bool,
}

pub(crate) fn run(global: &Global, args: &ServeArgs) -> Result<ExitCode> {
    let memory = (args.sql_memory as usize) << 20;
    if args.sql_process {
        sql::worker::serve(args.catalog.as_deref(), memory)?;
        return Ok(ExitCode::SUCCESS);
    }
    if global.format() == Format::Csv {
        bail!("`serve` prints its address as table or json only; use the API for CSV");
    }
    if let Some(folder) = args
        .catalog
        .as_deref()
        .filter(|folder| ::catalog::stores::is_remote(folder))
    {
        bail!(
            "the dashboard serves local catalogs only: anatomy catalog export --catalog {} --out DIR, then --catalog DIR",
            folder.display()
        );
    }
    let catalog = super::open_catalog(args.catalog.as_deref())?;
    let mut sql_arguments: Vec<String> = ["serve", "--sql-process", "--threads", "1", "--sql-memory"]
        .map(str::to_owned)
        .to_vec();
    sql_arguments.push(args.sql_memory.to_string());
    if let Some(folder) = &args.catalog {
        sql_arguments.extend(["--catalog".to_owned(), folder.to_string_lossy().into_owned()]);
    }
    let settings = ServerSettings {
        address: SocketAddr::new(args.host, args.port),
        catalog,
        report: args.report.clone(),
        probes: args.probe.clone(),
        study: Plan {
            dir: args.catalog.clone(),
            resamples: args.resamples as usize,
            seed: global.seed,
            only: args.only.clone(),
        },
        connections: connections(args.max_connections as usize),
        sql: sql::Limits {
            rows: args.sql_rows as usize,
            bytes: 16 << 20,
            memory,
            time: Duration::from_secs(args.sql_seconds),
            length: 5_000,
            at_once: 2,
        },
        sql_arguments,
    };
    let json = global.format() == Format::Json;
    server::run(settings, |address| {
        let link = format!("http://{address}/");
        if json {
            output::result(&format!("{}\n", json!({ "address": link })))
        } else {
            output::result(&format!("{link}\n"))
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// As many connections as wished, but fewer than the system gives the program file handles.
fn connections(wished: usize) -> usize {
    // Files, pipes and the listener itself need some.
    const OTHERS: usize = 128;
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let handles = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|soft| soft.parse::<usize>().ok());
    handles.map_or(wished, |handles| {
        wished.min(handles.saturating_sub(OTHERS)).max(16)
    })
}
