//! The command line: what can be asked, and its help.

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands;

/// Which part of a language model's structure buys which ability?
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
  anatomy catalog check --sources DIR               do the tables follow from the sources?
  anatomy serve                                     the dashboard, http://127.0.0.1:8080/
  anatomy hub crawl --hub DIR                       checkpoints and leaderboards from the Hugging Face Hub

Exit status: 0 done, 1 ran and the answer is no, 2 could not run";

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Form of the results on standard output
    #[arg(long = "format", global = true, value_enum, default_value_t = Asked::Table)]
    pub(crate) asked: Asked,
    /// Seed of everything random; the same seed gives the same bits
    #[arg(long, global = true, default_value_t = 42, value_name = "NUM")]
    pub(crate) seed: u64,
    /// Threads; 0 takes all cores. The results do not depend on it
    #[arg(long, global = true, default_value_t = 0, value_name = "NUM")]
    pub(crate) threads: usize,
    /// No progress and no summary, only results and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

/// Form of the results, as asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Asked {
    /// For people
    Table,
    /// For programs
    Json,
    /// For spreadsheets
    Csv,
    /// For other tools (`query` and `catalog export`)
    Parquet,
    /// A folder that the Hub shows as a dataset (`catalog export`)
    Huggingface,
}

/// Form of the results that every command has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Table,
    Json,
    Csv,
}

impl Global {
    /// The form, of those that every command has; `commands::run` lets no other through to one that has it not.
    pub(crate) fn format(&self) -> Format {
        match self.asked {
            Asked::Json => Format::Json,
            Asked::Csv => Format::Csv,
            Asked::Table | Asked::Parquet | Asked::Huggingface => Format::Table,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the whole study: report.html, findings.json, figures/ and tables/
    Report(commands::report::ReportArgs),
    /// Build, check and describe the catalog of structures and scores
    #[command(subcommand)]
    Catalog(commands::catalog::CatalogCommand),
    /// Fetch checkpoints, configs and leaderboards from the Hugging Face Hub [cargo feature: hub]
    #[command(subcommand)]
    Hub(commands::hub::HubCommand),
    /// Ask one question of the study
    #[command(subcommand)]
    Study(commands::study::StudyCommand),
    /// Open a checkpoint and measure what its layers do
    #[command(subcommand)]
    Probe(commands::probe::ProbeCommand),
    /// What a structure would score, what it costs, and how sure that is
    Predict(commands::predict::PredictArgs),
    /// Which checkpoint to take under a budget of memory, speed and licence
    Recommend(commands::recommend::RecommendArgs),
    /// Checkpoints side by side: what differs, and whether it is more than noise
    Compare(commands::compare::CompareArgs),
    /// Start the processes that `query --cluster` runs statements on [cargo feature: cluster]
    #[command(subcommand)]
    Cluster(commands::cluster::ClusterCommand),
    /// SQL over the catalog and over files of your own [cargo feature: sql]
    Query(commands::query::QueryArgs),
    /// Serve the dashboard and its JSON API
    Serve(commands::serve::ServeArgs),
    /// Print a script that completes commands and options in a shell
    Completions(commands::completions::CompletionsArgs),
    /// Write manual pages, one per command
    Man(commands::man::ManArgs),
}
