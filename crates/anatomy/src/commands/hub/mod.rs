//! `anatomy hub`: checkpoints, configs and leaderboards from the Hugging Face Hub.

#[cfg(feature = "hub")]
mod crawl;
#[cfg(feature = "hub")]
mod fetch;
#[cfg(feature = "hub")]
mod session;
#[cfg(feature = "hub")]
mod status;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::global::Global;

#[derive(Debug, Subcommand)]
pub(crate) enum HubCommand {
    /// List checkpoints, fetch their configs and the leaderboards; resumes after an interruption
    #[command(after_help = "\
Examples:
  anatomy hub crawl --hub my-hub                         all that generates text
  anatomy hub crawl --author Qwen --filter safetensors
  anatomy hub crawl --sort downloads --limit 1000        the thousand most downloaded
  anatomy catalog build --sources my-hub --out my-catalog

HF_TOKEN (or the token file), HF_ENDPOINT, HF_HOME and HTTPS_PROXY mean what they mean to every Hugging Face tool
Exit status: 0 complete, 1 something is left for another run, 2 could not run")]
    Crawl(CrawlArgs),
    /// Fetch a few checkpoints by name
    #[command(after_help = "\
Examples:
  anatomy hub fetch openai-community/gpt2 Qwen/Qwen3-8B

Exit status: 0 all have a config, 1 some have none, 2 could not run")]
    Fetch(FetchArgs),
    /// Show the progress of a crawl, also while it runs
    #[command(after_help = "\
Examples:
  anatomy hub status --hub my-hub --format json

Exit status: 0 told, 2 could not run")]
    Status(StatusArgs),
    /// Write every config, byte for byte, to DIR/org/name/config.json
    Export(HubExportArgs),
}

/// Where and how.
#[derive(Debug, Args)]
#[cfg_attr(
    not(feature = "hub"),
    allow(dead_code, reason = "read where the Hub is built in")
)]
pub(crate) struct ConnectionArgs {
    /// Folder that keeps what was fetched
    #[arg(long, value_name = "DIR", default_value = "anatomy-hub")]
    pub(crate) hub: PathBuf,
    /// Concurrent requests
    #[arg(long, value_name = "NUM", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=512))]
    pub(crate) concurrency: u16,
    /// Seconds without data after which a request is repeated
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) stall: u64,
    /// Seconds that the Hub may be unreachable before the run gives up
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) patience: u64,
}

#[derive(Debug, Args)]
#[cfg_attr(
    not(feature = "hub"),
    allow(dead_code, reason = "read where the Hub is built in")
)]
pub(crate) struct CrawlArgs {
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    /// Tag that a checkpoint must have; may be repeated [default: text-generation]
    #[arg(long, value_name = "TAG")]
    pub(crate) filter: Vec<String>,
    /// List all checkpoints, whatever their tag
    #[arg(long, conflicts_with = "filter")]
    pub(crate) all: bool,
    /// Only those of this organisation or user
    #[arg(long, value_name = "NAME")]
    pub(crate) author: Option<String>,
    /// Only those with this in their name
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
    /// Order of the listing, greatest first; only createdAt is stable while it is read
    #[arg(long, value_name = "FIELD", default_value = "createdAt",
          value_parser = ["createdAt", "downloads", "lastModified", "likes", "trendingScore"])]
    pub(crate) sort: String,
    /// Stop after this many
    #[arg(long, value_name = "NUM", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
    /// Skip the leaderboards' datasets
    #[arg(long)]
    pub(crate) no_leaderboards: bool,
    /// Also what came after them: leaderboards that the Hub keeps of marked benchmarks, and the Every Eval Ever datastore
    /// (a file a run)
    #[arg(long, conflicts_with = "no_leaderboards")]
    pub(crate) successors: bool,
}

#[derive(Debug, Args)]
#[cfg_attr(
    not(feature = "hub"),
    allow(dead_code, reason = "read where the Hub is built in")
)]
pub(crate) struct FetchArgs {
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    /// Names, `org/name`
    #[arg(value_name = "ID", required = true)]
    pub(crate) ids: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Folder that keeps what was fetched
    #[arg(long, value_name = "DIR", default_value = "anatomy-hub")]
    pub(crate) hub: PathBuf,
}

#[derive(Debug, Args)]
#[cfg_attr(
    not(feature = "hub"),
    allow(dead_code, reason = "read where the Hub is built in")
)]
pub(crate) struct HubExportArgs {
    /// Folder that keeps what was fetched
    #[arg(long, value_name = "DIR", default_value = "anatomy-hub")]
    pub(crate) hub: PathBuf,
    /// Folder to write the configs to
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

#[cfg(feature = "hub")]
pub(crate) fn run(global: &Global, command: &HubCommand) -> Result<ExitCode> {
    match command {
        HubCommand::Crawl(args) => crawl::run(global, args),
        HubCommand::Fetch(args) => fetch::run(global, args),
        HubCommand::Status(args) => status::run(global, args),
        HubCommand::Export(args) => status::export(global, args),
    }
}

#[cfg(not(feature = "hub"))]
pub(crate) fn run(_: &Global, command: &HubCommand) -> Result<ExitCode> {
    let what = match command {
        HubCommand::Crawl(args) => format!("crawling the Hub into {}", args.connection.hub.display()),
        HubCommand::Fetch(args) => format!("fetching {} from the Hub", args.ids.join(", ")),
        HubCommand::Status(args) => format!("reading the crawl in {}", args.hub.display()),
        HubCommand::Export(args) => format!("writing {} from a crawl", args.out.display()),
    };
    Err(crate::explain::not_built_in(&what, "hub"))
}
