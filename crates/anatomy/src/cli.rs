//! The command line: what can be asked, and its help.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{CommandFactory, Parser, Subcommand};

use crate::commands;
use crate::door::{Answer, Failure};
use crate::global::{FormatChoice, Global};
use crate::progress::Watcher;

/// Measures which part of a language model's structure (layers, widths, heads, vocabulary) buys which ability, on public
/// leaderboards and on weights, says how sure that is, and ranks, compares and predicts checkpoints
#[derive(Debug, Parser)]
#[command(name = "anatomy", version, propagate_version = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  anatomy report                                    the whole study into anatomy-report/
  anatomy report --format json | jq '.findings[0]'
  anatomy study regressions --target mmlu           methods side by side on shapes never seen
  anatomy probe influence --model FILE.gguf --corpus plain
  anatomy predict --layers 32 --d-model 4096        what a structure would score and cost
  anatomy recommend --memory 24GB --task math       which checkpoint to take
  anatomy query \"select * from resolution\"
  anatomy catalog build --sources DIR --out DIR     tables from the sources
  anatomy import results/ --out mine                your own results beside them
  anatomy catalog check --sources DIR               do the tables follow from the sources?
  anatomy serve                                     the dashboard, http://127.0.0.1:8080/
  anatomy hub crawl --hub DIR                       checkpoints and leaderboards from the Hugging Face Hub

Exit status: 0 done, 1 ran and the answer is no, 2 could not run";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the whole study: report.html, findings.json, figures/ and tables/
    Report(commands::report::ReportArgs),
    /// Build, check and describe the catalog of structures and scores
    #[command(subcommand)]
    Catalog(commands::catalog::CatalogCommand),
    /// Add result files on disk to a catalog: harness results, logs, records, item-level answers; the format is detected
    Import(commands::import::ImportArgs),
    /// Fetch checkpoints, configs and leaderboards from the Hugging Face Hub [cargo feature: hub]
    #[command(subcommand)]
    Hub(commands::hub::HubCommand),
    /// Ask one question of the study
    #[command(subcommand, alias = "stats")]
    Study(commands::study::StudyCommand),
    /// Print findings of the study by id
    Findings(commands::findings::FindingsArgs),
    /// Claims of papers as data: check a file of your own
    #[command(subcommand)]
    Claims(commands::claims::ClaimsCommand),
    /// Open a checkpoint and measure what its layers do
    #[command(subcommand)]
    Probe(commands::probe::ProbeCommand),
    /// Predict scores and costs of a structure, with intervals
    Predict(commands::predict::PredictArgs),
    /// Choose a shape to train at a given size: those no worse than the best, their cost, and what is unknown
    Design(commands::design::DesignArgs),
    /// Scaling laws of your own runs: loss or scores by parameters, tokens, layers and width
    #[command(subcommand)]
    Scaling(commands::scaling::ScalingCommand),
    /// Rank checkpoints that fit your memory, speed and licence
    Recommend(commands::recommend::RecommendArgs),
    /// This machine: memory, graphics cards and their bandwidth
    Device(commands::device::DeviceArgs),
    /// Compare checkpoints side by side, and tell differences from noise
    Compare(commands::compare::CompareArgs),
    /// Start the processes that `query --cluster` runs on [cargo feature: cluster]
    #[command(subcommand)]
    Cluster(commands::cluster::ClusterCommand),
    /// SQL over the catalog and over files of your own [cargo feature: sql]
    #[command(alias = "sql")]
    Query(commands::query::QueryArgs),
    /// Serve the dashboard and its JSON API
    Serve(commands::serve::ServeArgs),
    /// Serve agents over the Model Context Protocol on standard input and output [cargo feature: mcp]
    Mcp(commands::mcp::McpArgs),
    /// Print a shell completion script
    Completions(commands::completions::CompletionsArgs),
    /// Write manual pages, one per command
    Man(commands::man::ManArgs),
}

/// Runs what was asked for, on as many threads as wished.
pub(crate) fn run(cli: &Cli) -> Result<ExitCode> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(cli.global.threads)
        .build_global()
        .context("cannot start the threads")?;
    crate::output::show_all_columns(cli.global.wide);
    answer(cli)
}

/// Answers a command inside this process: `words` are what would be typed after `anatomy`, and the answer is what would be
/// printed, to the bit. Blocks until it is there; `watcher` sees from another thread how far it is.
///
/// # Errors
/// What the command would say before it ends with status 2.
pub fn ask(words: &[String], watcher: &Watcher) -> Result<Answer, Failure> {
    let typed = std::iter::once("anatomy").chain(words.iter().map(String::as_str));
    let cli = match Cli::try_parse_from(typed) {
        Ok(cli) => cli,
        Err(told) if told.use_stderr() => {
            let text = told.to_string();
            return Err(Failure {
                message: text.trim_start_matches("error: ").trim_end().to_owned(),
                hint: None,
            });
        }
        Err(told) => {
            return Ok(Answer {
                results: told.to_string().into_bytes(),
                said: Vec::new(),
                found: true,
            });
        }
    };
    if matches!(
        cli.command,
        Command::Serve(_) | Command::Mcp(_) | Command::Cluster(_)
    ) {
        return Err(Failure {
            message: "`serve`, `mcp` and `cluster` run until they are stopped and are started from a shell"
                .into(),
            hint: None,
        });
    }
    let work = || {
        let asked = || crate::provenance::as_typed(words, || answer(&cli));
        crate::output::heard(|| crate::progress::watched(watcher, asked))
    };
    let (done, heard) = match cli.global.threads {
        0 => work(),
        n => match rayon::ThreadPoolBuilder::new().num_threads(n).build() {
            Ok(pool) => pool.install(work),
            Err(error) => (Err(error.into()), crate::output::Heard::default()),
        },
    };
    match done {
        Ok(status) => Ok(Answer {
            results: heard.results,
            said: heard.said,
            found: status == ExitCode::SUCCESS,
        }),
        Err(error) => {
            let (message, hint) = crate::explain::parts(&error);
            Err(Failure { message, hint })
        }
    }
}

fn answer(cli: &Cli) -> Result<ExitCode> {
    let has = match (&cli.command, cli.global.asked) {
        (Command::Query(_), asked) => {
            !matches!(asked, FormatChoice::Huggingface | FormatChoice::EveryEvalEver)
        }
        (Command::Catalog(commands::catalog::CatalogCommand::Export(_)), _) => true,
        (_, asked) => !matches!(
            asked,
            FormatChoice::Parquet | FormatChoice::Huggingface | FormatChoice::EveryEvalEver
        ),
    };
    if !has {
        bail!(
            "this command gives table, json or csv; `query` gives parquet too, `catalog export` parquet, huggingface and every-eval-ever"
        );
    }
    let chooses = matches!(
        (&cli.command, cli.global.asked),
        (Command::Study(_) | Command::Predict(_), FormatChoice::Csv)
    );
    if cli.global.table.is_some() && !chooses {
        bail!(
            "--table chooses one of several tables of `study …` and `predict` with --format csv; here there is nothing to choose"
        );
    }
    match &cli.command {
        Command::Report(args) => commands::report::run(&cli.global, args),
        Command::Catalog(command) => commands::catalog::run(&cli.global, command),
        Command::Import(args) => commands::import::run(&cli.global, args),
        Command::Hub(command) => commands::hub::run(&cli.global, command),
        Command::Study(command) => commands::study::run(&cli.global, command),
        Command::Findings(args) => commands::findings::run(&cli.global, args),
        Command::Claims(command) => commands::claims::run(&cli.global, command),
        Command::Probe(command) => commands::probe::run(&cli.global, command),
        Command::Predict(args) => commands::predict::run(&cli.global, args),
        Command::Design(args) => commands::design::run(&cli.global, args),
        Command::Scaling(command) => commands::scaling::run(&cli.global, command),
        Command::Recommend(args) => commands::recommend::run(&cli.global, args),
        Command::Device(args) => commands::device::run(&cli.global, args),
        Command::Compare(args) => commands::compare::run(&cli.global, args),
        Command::Cluster(command) => commands::cluster::run(&cli.global, command),
        Command::Query(args) => commands::query::run(&cli.global, args),
        Command::Serve(args) => commands::serve::run(&cli.global, args),
        Command::Mcp(args) => commands::mcp::run(&cli.global, args, ask),
        Command::Completions(args) => commands::completions::run(&mut Cli::command(), args),
        Command::Man(args) => commands::man::run(Cli::command(), &cli.global, args),
    }
}
