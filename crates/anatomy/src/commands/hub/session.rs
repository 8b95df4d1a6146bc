//! Sets up what a fetching command needs: a connection to the Hub, an open store and its writer.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::sync::watch;

use super::ConnectionArgs;
use crate::hub::client::Client;
use crate::hub::error::Error;
use crate::hub::settings::{CrawlSettings, is_offline};
use crate::hub::store::Store;
use crate::hub::writer::Writer;
use crate::signals::interrupted;

/// Resources of a run that fetches.
pub(super) struct Session {
    pub(super) client: Arc<Client>,
    pub(super) store: Arc<Store>,
    pub(super) writer: Writer,
    /// Becomes true when the user wants to stop.
    pub(super) stop: watch::Receiver<bool>,
}

/// Runs `work` with a connection and an open store; everything sent to the writer is on disk when this returns.
pub(super) fn with_session<T>(
    connection: &ConnectionArgs,
    work: impl AsyncFnOnce(&Session) -> Result<T, Error>,
) -> Result<T> {
    if is_offline(|name| std::env::var(name).ok()) {
        anyhow::bail!(
            "HF_HUB_OFFLINE keeps from asking the Hub, and this command does nothing else: unset it, or read what was fetched \
             before (`anatomy hub status`, `anatomy catalog build --hub {}`)",
            connection.hub.display()
        );
    }
    let mut settings = CrawlSettings::from_environment(
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
    // An embedding program handles signals itself.
    let is_own = !crate::progress::is_watched();
    let (done, writer) = runtime.block_on(async {
        let (sender, stop) = watch::channel(false);
        let signals = tokio::spawn(async move {
            if !is_own {
                std::future::pending::<()>().await;
            }
            interrupted().await;
            let _ = sender.send(true);
            // A second signal ends the process at once: the store is consistent at any moment.
            interrupted().await;
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
    // Ends pending tasks, so that no sender to the writer is left.
    drop(runtime);
    // If the writer failed, report its error rather than the errors that followed from it.
    match (writer.finish(), done) {
        (Err(cause), Err(Error::Gone { .. }) | Ok(_)) => Err(cause.into()),
        (_, done) => Ok(done?),
    }
}
