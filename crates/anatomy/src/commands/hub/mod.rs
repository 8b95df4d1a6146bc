//! `anatomy hub`: checkpoints, configs and leaderboards from the Hugging Face Hub.

mod crawl;
mod fetch;
mod status;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Subcommand};
use tokio::sync::watch;

use crate::cli::Global;
use crate::hub::client::Client;
use crate::hub::error::{Error, Permanent};
use crate::hub::settings::Settings;
use crate::hub::store::Store;
use crate::hub::writer::Writer;

#[derive(Debug, Subcommand)]
pub(crate) enum HubCommand {
    /// List checkpoints, fetch their configs and the leaderboards; goes on where it was interrupted
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
    /// Say where a crawl is, also while it runs
    #[command(after_help = "\
Examples:
  anatomy hub status --hub my-hub --format json

Exit status: 0 told, 2 could not run")]
    Status(StatusArgs),
    /// Write every config, byte for byte, to DIR/org/name/config.json
    Export(ExportArgs),
}

/// Where and how.
#[derive(Debug, Args)]
pub(crate) struct Connection {
    /// Folder that keeps what was fetched
    #[arg(long, value_name = "DIR", default_value = "anatomy-hub")]
    pub(crate) hub: PathBuf,
    /// Requests at a time
    #[arg(long, value_name = "NUM", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=512))]
    pub(crate) concurrency: u16,
    /// Seconds after which an answer that brings nothing is asked for again
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) stall: u64,
    /// Seconds that the Hub may be away before the run gives up
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) patience: u64,
}

#[derive(Debug, Args)]
pub(crate) struct CrawlArgs {
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// Tag that a checkpoint must have; may be repeated [default: text-generation]
    #[arg(long, value_name = "TAG")]
    pub(crate) filter: Vec<String>,
    /// List all checkpoints, whatever they do
    #[arg(long, conflicts_with = "filter")]
    pub(crate) all: bool,
    /// Only those of this organisation or user
    #[arg(long, value_name = "NAME")]
    pub(crate) author: Option<String>,
    /// Only those with this in their name
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
    /// Order of the listing, greatest first; only createdAt stays as it is while it is read
    #[arg(long, value_name = "FIELD", default_value = "createdAt",
          value_parser = ["createdAt", "downloads", "lastModified", "likes", "trendingScore"])]
    pub(crate) sort: String,
    /// At most so many
    #[arg(long, value_name = "NUM", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
    /// Leave the leaderboards' datasets out
    #[arg(long)]
    pub(crate) no_leaderboards: bool,
}

#[derive(Debug, Args)]
pub(crate) struct FetchArgs {
    #[command(flatten)]
    pub(crate) connection: Connection,
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
pub(crate) struct ExportArgs {
    /// Folder that keeps what was fetched
    #[arg(long, value_name = "DIR", default_value = "anatomy-hub")]
    pub(crate) hub: PathBuf,
    /// Folder the configs go to
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

pub(crate) fn run(global: &Global, command: &HubCommand) -> Result<ExitCode> {
    match command {
        HubCommand::Crawl(args) => crawl::run(global, args),
        HubCommand::Fetch(args) => fetch::run(global, args),
        HubCommand::Status(args) => status::run(global, args),
        HubCommand::Export(args) => status::export(global, args),
    }
}

/// What a run that fetches works with.
struct Session {
    client: Arc<Client>,
    store: Arc<Store>,
    writer: Writer,
    /// Becomes true when the user wants to stop.
    stop: watch::Receiver<bool>,
}

/// Runs `work` with a connection and an open store; what it told the writer is on disk when this returns.
fn with_session<T>(
    connection: &Connection,
    work: impl AsyncFnOnce(&Session) -> Result<T, Error>,
) -> Result<T> {
    let mut settings = Settings::from_environment(
        |name| std::env::var(name).ok(),
        usize::from(connection.concurrency),
    )?;
    settings.stall = Duration::from_secs(connection.stall);
    settings.outage = Duration::from_secs(connection.patience);
    let store = Arc::new(Store::open(&connection.hub)?);
    let writer = Writer::start(Arc::clone(&store), settings.token.is_some())?;
    let client = Client::new(settings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let (done, writer) = runtime.block_on(async {
        let (sender, stop) = watch::channel(false);
        let signals = tokio::spawn(async move {
            stopped_by_user().await;
            let _ = sender.send(true);
            // A second wish to stop is obeyed at once: the store is whole at any moment.
            stopped_by_user().await;
            std::process::exit(130);
        });
        let session = Session {
            client,
            store,
            writer,
            stop,
        };
        let done = work(&session).await;
        signals.abort();
        (done, session.writer)
    });
    // Ends what was under way, so that the writer's last sender is gone.
    drop(runtime);
    // What stopped the writer is the cause, whatever the others say of it.
    match (writer.finish(), done) {
        (Err(cause), Err(Error::Gone { .. }) | Ok(_)) => Err(cause.into()),
        (_, done) => Ok(done?),
    }
}

/// Waits for an interrupt, or for being asked to end.
async fn stopped_by_user() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

/// What to do about an error.
pub(crate) fn hint(error: &Error) -> Option<&'static str> {
    Some(match error {
        Error::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
            "free some space and run it again; everything stored before is whole"
        }
        Error::Io { .. } => "choose a folder you may write to, with --hub",
        Error::Store { source, .. } => match source.as_ref() {
            redb::Error::Io(error) if error.kind() == std::io::ErrorKind::StorageFull => {
                "free some space and run it again; everything stored before is whole"
            }
            redb::Error::Io(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                "choose a folder you may write to, with --hub"
            }
            _ => "the file is damaged or no store of ours; choose another folder with --hub",
        },
        Error::Busy { .. } => {
            "wait for it, look with `anatomy hub status`, or choose another folder with --hub"
        }
        Error::NoStore { .. } => "`--hub` names the folder that `anatomy hub crawl` wrote",
        Error::Layout { .. } => "choose a new folder with --hub",
        Error::Row { .. } => "the store is damaged; crawl into a new folder with --hub",
        Error::Address { .. } => "HF_ENDPOINT must be an address such as https://huggingface.co",
        Error::Id { .. } => "names are `organisation/name`, of letters, digits, `-`, `_` and `.`",
        Error::NoWeights { .. } => {
            "weights are read from safetensors and GGUF; name a GGUF file as organisation/name/file.gguf"
        }
        Error::Client { .. } => "check the proxy's address in HTTPS_PROXY and HTTP_PROXY",
        Error::Unreachable { .. } => {
            "check the network, HF_ENDPOINT and HTTPS_PROXY, then run it again: it goes on where it was"
        }
        Error::Tls { .. } => {
            "check the computer's clock and certificates, and that HF_ENDPOINT begins with the right one of https:// and http://"
        }
        Error::NotAHub { .. } => "HF_ENDPOINT must name a Hub, such as https://huggingface.co",
        Error::BadToken { .. } => {
            "make a token at https://huggingface.co/settings/tokens and set HF_TOKEN, or unset it to go on without"
        }
        Error::Refused {
            reason: Permanent::Gated { .. },
            ..
        } => "ask for access on the checkpoint's page and set HF_TOKEN",
        Error::Refused { .. } => return None,
        Error::Ours { .. } => {
            "this may be a bug of this program: please report the command and this message; the store is whole"
        }
        Error::Gone { .. } => "run it again: it goes on where it was",
    })
}
