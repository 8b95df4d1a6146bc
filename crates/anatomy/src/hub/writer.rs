//! The only writer to the store during a crawl: a thread that applies incoming messages, many per transaction.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use crate::hub::error::Error;
use crate::hub::listing::Entry;
use crate::hub::message::{Message, Outcome};
use crate::hub::state::Counts;
use crate::hub::store::Store;
use crate::hub::tables::Tables;

/// A transaction collects messages for this long …
const GATHER: Duration = Duration::from_millis(150);
/// … or up to this many bytes.
const BATCH_BYTES: usize = 8 << 20;

/// The writer no longer responds.
const GONE: Error = Error::Gone { part: "store" };

/// Handle of the running writer.
pub(crate) struct Writer {
    /// Channel for messages to the writer.
    pub(crate) inbox: mpsc::Sender<Message>,
    counts: Arc<Mutex<Counts>>,
    thread: JoinHandle<Result<(), Error>>,
}

impl Writer {
    /// Starts the writer thread.
    ///
    /// # Errors
    /// [`Error::Store`] or [`Error::Row`] where counting fails, [`Error::Io`] where no thread can be started.
    pub(crate) fn start(store: Arc<Store>, with_token: bool) -> Result<Self, Error> {
        let counts = Arc::new(Mutex::new(store.view()?.counts()?));
        let (inbox, outbox) = mpsc::channel(512);
        let shared = Arc::clone(&counts);
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || write_all(&store, outbox, with_token, &shared))
            .map_err(Error::io("start a thread for", Path::new("the store")))?;
        Ok(Self {
            inbox,
            counts,
            thread,
        })
    }

    /// Counts as of the last transaction.
    pub(crate) fn counts(&self) -> Counts {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the writer still accepts messages.
    pub(crate) fn lives(&self) -> bool {
        !self.inbox.is_closed()
    }

    /// Records one checkpoint requested by name; returns once that is on disk.
    ///
    /// # Errors
    /// [`Error::Gone`] where the writer has stopped.
    pub(crate) async fn named(&self, entry: Entry) -> Result<(), Error> {
        let (answer, done) = oneshot::channel();
        self.tell(Message::Page(vec![entry], None, answer)).await?;
        done.await.map(drop).map_err(|_| GONE)
    }

    /// Records the outcome of one fetch; returns once that is on disk.
    ///
    /// # Errors
    /// [`Error::Gone`] where the writer has stopped.
    pub(crate) async fn done(&self, outcome: Outcome) -> Result<(), Error> {
        self.tell(Message::Done(Box::new(outcome))).await?;
        self.flush().await
    }

    /// Returns once all earlier messages are on disk.
    ///
    /// # Errors
    /// [`Error::Gone`] where the writer has stopped; [`Self::finish`] returns the cause.
    pub(crate) async fn flush(&self) -> Result<(), Error> {
        let (answer, done) = oneshot::channel();
        self.tell(Message::Flush(answer)).await?;
        done.await.map_err(|_| GONE)
    }

    /// Sends a message.
    ///
    /// # Errors
    /// [`Error::Gone`] where the writer has stopped.
    pub(crate) async fn tell(&self, message: Message) -> Result<(), Error> {
        self.inbox.send(message).await.map_err(|_| GONE)
    }

    /// Lets the writer finish all messages. All other senders must have been dropped.
    ///
    /// # Errors
    /// The error that stopped the writer.
    pub(crate) fn finish(self) -> Result<(), Error> {
        drop(self.inbox);
        self.thread.join().unwrap_or(Err(Error::Gone {
            part: "store's thread",
        }))
    }
}

fn write_all(
    store: &Store,
    mut outbox: mpsc::Receiver<Message>,
    with_token: bool,
    shared: &Mutex<Counts>,
) -> Result<(), Error> {
    while let Some(first) = outbox.blocking_recv() {
        let (began, mut bytes) = (Instant::now(), 0);
        let mut batch = vec![first];
        loop {
            let urgent = match batch.last() {
                Some(Message::Done(outcome)) => {
                    bytes += outcome.config.as_ref().map_or(64, |(config, _)| config.len());
                    false
                }
                Some(Message::File(..)) | None => false,
                Some(Message::Page(..) | Message::Again(..) | Message::Flush(_)) => true,
            };
            if urgent || bytes >= BATCH_BYTES || began.elapsed() >= GATHER {
                break;
            }
            match outbox.try_recv() {
                Ok(next) => batch.push(next),
                Err(mpsc::error::TryRecvError::Disconnected) => break,
                Err(mpsc::error::TryRecvError::Empty) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
        let mut counts = *shared.lock().unwrap_or_else(PoisonError::into_inner);
        let mut answers = Vec::new();
        store.write(|change| {
            let mut tables = Tables::open(change)?;
            for message in batch {
                tables.take(message, with_token, &mut counts, &mut answers)?;
            }
            Ok(())
        })?;
        *shared.lock().unwrap_or_else(PoisonError::into_inner) = counts;
        for answer in answers {
            answer();
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
