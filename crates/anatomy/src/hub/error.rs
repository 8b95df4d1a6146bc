//! What can go wrong with the Hub: one request's failure by kind, and what stops a whole crawl.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;

/// What stops a crawl, with the values that clashed.
#[derive(Debug, Error)]
pub(crate) enum Error {
    /// A file or folder cannot be made, read or written.
    #[error("cannot {action} {path}", path = .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The store refused, for the reason given by its engine.
    #[error("the store {path} cannot be used", path = .path.display())]
    Store {
        /// The store's file.
        path: PathBuf,
        /// Why not.
        source: Box<redb::Error>,
    },
    /// Another run has the folder.
    #[error("another run is using {folder}", folder = .folder.display())]
    Busy {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder holds no store.
    #[error("{folder} holds no crawl", folder = .folder.display())]
    NoStore {
        /// The folder.
        folder: PathBuf,
    },
    /// The store was written by another version of this program.
    #[error("{path} has layout {found}, this program reads layout {known}", path = .path.display())]
    Layout {
        /// The store's file.
        path: PathBuf,
        /// Layout found.
        found: String,
        /// Layout known.
        known: u32,
    },
    /// A row of the store cannot be read.
    #[error("row `{key}` of {path} cannot be read: {message}", path = .path.display())]
    Row {
        /// The store's file.
        path: PathBuf,
        /// The row's key.
        key: String,
        /// What is wrong.
        message: String,
    },
    /// An address cannot be one.
    #[error("`{text}` is not the address of a Hub: {message}")]
    Address {
        /// The address.
        text: String,
        /// What is wrong.
        message: String,
    },
    /// A checkpoint's name cannot be one.
    #[error("invalid repository id `{id}` (expected owner/name)")]
    Id {
        /// The name.
        id: String,
    },
    /// A repository without weights that can be opened.
    #[error("{id} holds no model.safetensors and no such file{}", listed(.files))]
    NoWeights {
        /// The checkpoint.
        id: String,
        /// Its files of weights of other kinds.
        files: Vec<String>,
    },
    /// The HTTP client cannot be made, for instance because of a proxy's address.
    #[error("cannot set up the connection: {message}")]
    Client {
        /// What is wrong.
        message: String,
    },
    /// No answer, however often it was asked.
    #[error("no answer from {url} after {tries} tries in {seconds:.0} s: {last}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// How often.
        tries: u32,
        /// For how long.
        seconds: f64,
        /// The last failure.
        last: Transient,
    },
    /// No secure connection.
    #[error("no secure connection to {url}: {message}")]
    Tls {
        /// What was asked for.
        url: String,
        /// What the handshake said.
        message: String,
    },
    /// Something answers, but not a Hub.
    #[error("unexpected response from {url}: {message}")]
    NotAHub {
        /// What was asked for.
        url: String,
        /// How it answered.
        message: String,
    },
    /// The token is not known to the Hub.
    #[error("{url} refuses the token of {from}: {message}")]
    BadToken {
        /// What was asked for.
        url: String,
        /// Where the token came from.
        from: String,
        /// What the Hub said.
        message: String,
    },
    /// The Hub refused the question.
    #[error("{url} refuses: {reason}")]
    Refused {
        /// What was asked for.
        url: String,
        /// The refusal.
        reason: Permanent,
    },
    /// A question of ours that the Hub does not understand.
    #[error("{url} answers {status}: {message}")]
    Ours {
        /// What was asked for.
        url: String,
        /// HTTP status.
        status: u16,
        /// What the Hub said.
        message: String,
    },
    /// A part of the crawl ended before its time.
    #[error("{part} truncated: the connection closed early")]
    Gone {
        /// Which part.
        part: &'static str,
    },
}

fn listed(files: &[String]) -> String {
    if files.is_empty() {
        String::new()
    } else {
        format!(", but {}", files.join(", "))
    }
}

impl Error {
    /// Turns an I/O error on `path` into one of ours.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

/// Why one request brought nothing, by what to do about it.
#[derive(Debug, Clone, PartialEq, Error)]
pub(crate) enum RequestFailure {
    /// Worth another try.
    #[error(transparent)]
    Transient(#[from] Transient),
    /// Nothing at all answers, for longer than a run waits.
    #[error("no response: {0}")]
    Away(Transient),
    /// Asking again changes nothing.
    #[error(transparent)]
    Permanent(#[from] Permanent),
    /// No secure connection: asking again would not be safer.
    #[error("no secure connection: {0}")]
    Tls(String),
    /// We asked wrongly: a bug of this program, or a Hub that changed.
    #[error("status {status}: {message}")]
    Ours {
        /// HTTP status.
        status: u16,
        /// What the Hub said.
        message: String,
    },
}

/// A failure that another try may mend.
#[derive(Debug, Clone, PartialEq, Error)]
pub(crate) enum Transient {
    /// The Hub has trouble of its own.
    #[error("status {status}")]
    Status {
        /// HTTP status, 5xx or 408.
        status: u16,
        /// The Hub's wish, if it stated one.
        wait: Option<Duration>,
    },
    /// Too many requests.
    #[error("status 429, retry after {:.0} s", .wait.as_secs_f64())]
    Limited {
        /// How long to wait.
        wait: Duration,
    },
    /// No connection.
    #[error("no connection ({0})")]
    Connection(String),
    /// The connection broke.
    #[error("broken connection ({0})")]
    Broken(String),
    /// Nothing came for too long.
    #[error("no data for too long")]
    Stalled,
    /// The body is not as long as was said.
    #[error("received {got} of {said} announced bytes")]
    Length {
        /// Bytes announced.
        said: u64,
        /// Bytes that came.
        got: u64,
    },
    /// The body does not hash to its tag.
    #[error("the body does not match its tag {said}")]
    Hash {
        /// The tag announced.
        said: String,
    },
    /// Redirected in a circle.
    #[error("redirected {0} times")]
    Loop(usize),
    /// The body is not the JSON that stands at this address, most likely cut.
    #[error("incomplete response: {0}")]
    Json(String),
}

/// A failure that stays.
#[derive(Debug, Clone, PartialEq, Error)]
pub(crate) enum Permanent {
    /// The repository exists, the file does not.
    #[error("no such file")]
    NoFile,
    /// The revision does not exist any more.
    #[error("no such revision")]
    NoRevision,
    /// Access must be asked for.
    #[error("gated (status {status}): {message}")]
    Gated {
        /// 401 without a token, 403 with one that has no access.
        status: u16,
        /// What the Hub said.
        message: String,
    },
    /// Switched off by the Hub.
    #[error("disabled: {message}")]
    Disabled {
        /// What the Hub said.
        message: String,
    },
    /// Deleted, or private.
    #[error("deleted or private (status {status})")]
    Deleted {
        /// 404, or 401 without a token.
        status: u16,
    },
    /// The token is not known.
    #[error("the token is refused: {message}")]
    BadToken {
        /// What the Hub said.
        message: String,
    },
    /// Larger than such a file can be.
    #[error("more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
}

impl RequestFailure {
    /// One word for counting.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Transient(transient) | Self::Away(transient) => transient.kind(),
            Self::Permanent(permanent) => permanent.kind(),
            Self::Tls(_) => "tls",
            Self::Ours { .. } => "ours",
        }
    }
}

impl Transient {
    /// One word for counting.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Status { .. } => "server_error",
            Self::Limited { .. } => "rate_limited",
            Self::Connection(_) => "no_connection",
            Self::Broken(_) => "broken_connection",
            Self::Stalled => "stalled",
            Self::Length { .. } => "wrong_length",
            Self::Hash { .. } => "wrong_hash",
            Self::Loop(_) => "redirect_loop",
            Self::Json(_) => "not_whole",
        }
    }
}

impl Permanent {
    /// One word for counting.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::NoFile => "no_file",
            Self::NoRevision => "no_revision",
            Self::Gated { .. } => "gated",
            Self::Disabled { .. } => "disabled",
            Self::Deleted { .. } => "deleted",
            Self::BadToken { .. } => "bad_token",
            Self::TooLarge { .. } => "too_large",
        }
    }
}
