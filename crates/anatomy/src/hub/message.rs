//! What the writer is told.

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::hub::listing::Entry;
use crate::hub::state::Standing;
use crate::hub::store::Queued;

/// How far the listing came: one value of `meta`, written with the page it speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// Address of the first page: what was asked.
    pub(crate) first: String,
    /// Address of the next page; `None` when the listing is complete.
    pub(crate) next: Option<String>,
    /// Number of the run.
    pub(crate) run: u64,
    /// Checkpoints listed by this run.
    pub(crate) listed: u64,
    /// When it began, in seconds since 1970: only tells whether to go on or to begin anew.
    pub(crate) began: u64,
}

/// Name of the mark in `meta`.
pub(crate) const MARK: &str = "listing";

/// What became of one fetch.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Of what.
    pub(crate) queued: Queued,
    /// Where it stands now.
    pub(crate) standing: Standing,
    /// One word for why.
    pub(crate) reason: Option<String>,
    /// The same in the Hub's words.
    pub(crate) message: Option<String>,
    /// The config and its hash.
    pub(crate) config: Option<(Vec<u8>, Option<String>)>,
    /// The commit that answered, where it said so.
    pub(crate) commit: Option<String>,
}

/// What the writer is told.
pub(crate) enum Message {
    /// Checkpoints were listed, as a page of a listing or (without a mark) by name; answers how many of them this run had not
    /// listed before.
    Page(Vec<Entry>, Option<Mark>, oneshot::Sender<u64>),
    /// A fetch ended.
    Done(Box<Outcome>),
    /// A file of a dataset was written.
    File(String, Vec<u8>),
    /// Failures that may pass go back into the queue; answers how many.
    Again(Vec<String>, oneshot::Sender<u64>),
    /// Everything told before is on disk when this is answered.
    Flush(oneshot::Sender<()>),
}
