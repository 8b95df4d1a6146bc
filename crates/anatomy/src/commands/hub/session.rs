//! A connection, an open store and a writer, for as long as a command fetches.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::sync::watch;

use super::Connection;
use crate::hub::client::Client;
use crate::hub::error::{Error, Permanent};
use crate::hub::settings::Settings;
use crate::hub::store::Store;
use crate::hub::writer::Writer;

/// What a run that fetches works with.
pub(super) struct Session {
    pub(super) client: Arc<Client>,
    pub(super) store: Arc<Store>,
    pub(super) writer: Writer,
    /// Becomes true when the user wants to stop.
    pub(super) stop: watch::Receiver<bool>,
}

/// Runs `work` with a connection and an open store; what it told the writer is on disk when this returns.
pub(super) fn with_session<T>(
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
