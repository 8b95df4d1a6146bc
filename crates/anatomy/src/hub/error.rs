//! Errors of the Hub client: failures of single requests, and errors that stop a whole crawl.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;

/// An error that stops a crawl, with the values involved.
#[derive(Debug, Error)]
pub(crate) enum Error {
    /// A file or folder cannot be created, read or written.
    #[error("cannot {action} {path}", path = .path.display())]
    Io {
        /// The attempted action.
        action: &'static str,
        /// The path that it concerned.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The store's engine reported an error.
    #[error("the store {path} cannot be used", path = .path.display())]
    Store {
        /// The store's file.
        path: PathBuf,
        /// The cause.
        source: Box<redb::Error>,
    },
    /// Another process is using the folder.
    #[error("another run is using {folder}", folder = .folder.display())]
    Busy {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder contains no store.
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
        /// Layout version found.
        found: String,
        /// Layout version expected.
        known: u32,
    },
    /// A row of the store cannot be parsed.
    #[error("row `{key}` of {path} cannot be read: {message}", path = .path.display())]
    Row {
        /// The store's file.
        path: PathBuf,
        /// The row's key.
        key: String,
        /// What is wrong.
        message: String,
    },
    /// An address is not valid.
    #[error("`{text}` is not the address of a Hub: {message}")]
    Address {
        /// The address.
        text: String,
        /// What is wrong.
        message: String,
    },
    /// A name that no checkpoint can have.
    #[error("invalid repository id `{id}` (expected owner/name)")]
    Id {
        /// The name.
        id: String,
    },
    /// A repository without weights in a supported format.
    #[error("{id} holds no model.safetensors and no such file{}", listed(.files))]
    NoWeights {
        /// The checkpoint.
        id: String,
        /// Its weight files in other formats.
        files: Vec<String>,
    },
    /// The HTTP client cannot be created, for instance because of an invalid proxy address.
    #[error("cannot set up the connection: {message}")]
    Client {
        /// What is wrong.
        message: String,
    },
    /// No response after all retries.
    #[error("no answer from {url} after {tries} tries in {seconds:.0} s: {last}")]
    Unreachable {
        /// The requested address.
        url: String,
        /// Number of tries.
        tries: u32,
        /// Duration in seconds.
        seconds: f64,
        /// The last failure.
        last: Transient,
    },
    /// No secure connection could be made.
    #[error("no secure connection to {url}: {message}")]
    Tls {
        /// The requested address.
        url: String,
        /// Error of the TLS handshake.
        message: String,
    },
    /// Something answers that is not a Hub.
    #[error("unexpected response from {url}: {message}")]
    NotAHub {
        /// The requested address.
        url: String,
        /// How the response differs from a Hub's.
        message: String,
    },
    /// The Hub does not know the token.
    #[error("{url} refuses the token of {from}: {message}")]
    BadToken {
        /// The requested address.
        url: String,
        /// Source of the token.
        from: String,
        /// The Hub's message.
        message: String,
    },
    /// The Hub refused the request.
    #[error("{url} refuses: {reason}")]
    Refused {
        /// The requested address.
        url: String,
        /// The refusal.
        reason: Permanent,
    },
    /// The Hub rejected the request as malformed.
    #[error("{url} answers {status}: {message}")]
    Ours {
        /// The requested address.
        url: String,
        /// HTTP status.
        status: u16,
        /// The Hub's message.
        message: String,
    },
    /// A part of the crawl ended prematurely.
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
    /// Converts an I/O error on `path` to [`Error::Io`].
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

/// Failure of a single request, classified by how to react.
#[derive(Debug, Clone, PartialEq, Error)]
pub(crate) enum RequestFailure {
    /// Worth a retry.
    #[error(transparent)]
    Transient(#[from] Transient),
    /// No response to anything for longer than a run waits.
    #[error("no response: {0}")]
    Away(Transient),
    /// A retry would not help.
    #[error(transparent)]
    Permanent(#[from] Permanent),
    /// No secure connection; a retry would not be safer.
    #[error("no secure connection: {0}")]
    Tls(String),
    /// The request was malformed: a bug of this program, or a change of the Hub.
    #[error("status {status}: {message}")]
    Ours {
        /// HTTP status.
        status: u16,
        /// The Hub's message.
        message: String,
    },
}

/// A failure that a retry may resolve.
#[derive(Debug, Clone, PartialEq, Error)]
pub(crate) enum Transient {
    /// A server-side error.
    #[error("status {status}")]
    Status {
        /// HTTP status, 5xx or 408.
        status: u16,
        /// The wait requested by the Hub, if any.
        wait: Option<Duration>,
    },
    /// Too many requests (429).
    #[error("status 429, retry after {:.0} s", .wait.as_secs_f64())]
    Limited {
        /// How long to wait.
        wait: Duration,
    },
    /// No connection could be made.
    #[error("no connection ({0})")]
    Connection(String),
    /// The connection broke while reading.
    #[error("broken connection ({0})")]
    Broken(String),
    /// No data arrived within the timeout.
    #[error("no data for too long")]
    Stalled,
    /// The body does not have the announced length.
    #[error("received {got} of {said} announced bytes")]
    Length {
        /// Bytes announced.
        said: u64,
        /// Bytes that came.
        got: u64,
    },
    /// The body does not match its announced hash.
    #[error("the body does not match its tag {said}")]
    Hash {
        /// The announced hash.
        said: String,
    },
    /// Too many redirects.
    #[error("redirected {0} times")]
    Loop(usize),
    /// The body is not the expected JSON, most likely because it was cut.
    #[error("incomplete response: {0}")]
    Json(String),
}

/// A failure that a retry cannot resolve.
#[derive(Debug, Clone, PartialEq, Error)]
pub(crate) enum Permanent {
    /// The repository exists, but the file does not.
    #[error("no such file")]
    NoFile,
    /// The revision no longer exists.
    #[error("no such revision")]
    NoRevision,
    /// Access must be requested.
    #[error("gated (status {status}): {message}")]
    Gated {
        /// 401 without a token, 403 with one that has no access.
        status: u16,
        /// The Hub's message.
        message: String,
    },
    /// The repository was disabled by the Hub.
    #[error("disabled: {message}")]
    Disabled {
        /// The Hub's message.
        message: String,
    },
    /// The repository was deleted or is private.
    #[error("deleted or private (status {status})")]
    Deleted {
        /// 404, or 401 without a token.
        status: u16,
    },
    /// The Hub does not know the token.
    #[error("the token is refused: {message}")]
    BadToken {
        /// The Hub's message.
        message: String,
    },
    /// Larger than such a file is allowed to be.
    #[error("more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
}

impl RequestFailure {
    /// A short identifier for statistics.
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
    /// A short identifier for statistics.
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
    /// A short identifier for statistics.
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
