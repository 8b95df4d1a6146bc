//! Messages to the writer.

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::hub::listing::Entry;
use crate::hub::state::Standing;
use crate::hub::store::Queued;

/// Position of the listing: a value in table `meta`, written together with the page that it refers to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// Address of the first page, which identifies the query.
    pub(crate) first: String,
    /// Address of the next page; `None` when the listing is complete.
    pub(crate) next: Option<String>,
    /// Number of the run that lists.
    pub(crate) run: u64,
    /// Checkpoints listed by this run.
    pub(crate) listed: u64,
    /// Start time in seconds since 1970; decides whether an interrupted listing is continued.
    pub(crate) began: u64,
}

/// Key of the mark in table `meta`.
pub(crate) const MARK: &str = "listing";

/// The outcome of one fetch.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The queue entry that was fetched.
    pub(crate) queued: Queued,
    /// The new standing of the checkpoint.
    pub(crate) standing: Standing,
    /// Reason as a short identifier; `None` on success.
    pub(crate) reason: Option<String>,
    /// Reason in words.
    pub(crate) message: Option<String>,
    /// The config and its hash, where one was received.
    pub(crate) config: Option<(Vec<u8>, Option<String>)>,
    /// The commit of the response, where it stated one.
    pub(crate) commit: Option<String>,
}

/// A message to the writer.
pub(crate) enum Message {
    /// Checkpoints were listed, as a page of the listing or (without a mark) by name. The reply is the number of
    /// checkpoints that this run had not listed before.
    Page(Vec<Entry>, Option<Mark>, oneshot::Sender<u64>),
    /// A fetch ended.
    Done(Box<Outcome>),
    /// A file of a dataset was downloaded: its path, and its description as JSON.
    File(String, Vec<u8>),
    /// Put the temporary failures among these ids back into the queue. The reply is the number of ids.
    Again(Vec<String>, oneshot::Sender<u64>),
    /// The reply is sent once all earlier messages are on disk.
    Flush(oneshot::Sender<()>),
}
