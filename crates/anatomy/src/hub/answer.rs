//! One answer of the Hub: its body, read with care, and whether it is whole.

use reqwest::header::HeaderMap;
use reqwest::{Response, Url};
use serde_json::Value;

use crate::hub::digest;
use crate::hub::error::{Permanent, RequestFailure, Transient};
use crate::hub::headers;

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct HubResponse {
    /// Where it came from, after redirects.
    pub(crate) url: Url,
    /// Its bytes.
    pub(crate) body: Vec<u8>,
    /// Its media type.
    pub(crate) media: String,
    /// Address of the next page.
    pub(crate) next: Option<String>,
    /// The commit it belongs to.
    pub(crate) commit: Option<String>,
    /// Hash of its content, as announced.
    pub(crate) tag: Option<String>,
}

impl HubResponse {
    /// The body as JSON.
    ///
    /// # Errors
    /// [`RequestFailure::Ours`] where it does not even say to be JSON; [`Transient::Json`] where it was cut.
    pub(crate) fn json(&self) -> Result<Value, RequestFailure> {
        if !self.media.contains("json") {
            return Err(RequestFailure::Ours {
                status: 200,
                message: format!("`{}` instead of JSON", self.media),
            });
        }
        serde_json::from_slice(&self.body).map_err(|error| Transient::Json(error.to_string()).into())
    }
}

/// What the hops on the way to a file say of it.
#[derive(Debug, Default)]
pub(crate) struct Linked {
    size: Option<u64>,
    /// Hash of the content.
    pub(crate) tag: Option<String>,
    /// The commit it belongs to.
    pub(crate) commit: Option<String>,
}

impl Linked {
    /// Takes what one hop says.
    pub(crate) fn note(&mut self, headers: &HeaderMap) {
        let owned = |name| text(headers, name).map(str::to_owned);
        self.size = self.size.or_else(|| text(headers, "x-linked-size")?.parse().ok());
        self.tag = self.tag.take().or_else(|| {
            text(headers, "x-linked-etag")
                .and_then(headers::strong_tag)
                .map(str::to_owned)
        });
        self.commit = self.commit.take().or_else(|| owned("x-repo-commit"));
    }

    /// Whether the body is as long as was said, and hashes to its tag.
    ///
    /// # Errors
    /// [`Transient::Length`], [`Transient::Hash`].
    pub(crate) fn check(&mut self, headers: &HeaderMap, body: &[u8]) -> Result<(), Transient> {
        let got = body.len() as u64;
        if let Some(said) = self.size.filter(|&said| said != got) {
            return Err(Transient::Length { said, got });
        }
        if self.tag.is_none() {
            self.tag = text(headers, "etag")
                .and_then(headers::strong_tag)
                .map(str::to_owned);
        }
        match &self.tag {
            Some(tag) if digest::agrees(body, tag) == Some(false) => {
                Err(Transient::Hash { said: tag.clone() })
            }
            _ => Ok(()),
        }
    }
}

/// A header's value, if it is text.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Reads a body of at most `limit` bytes; memory grows with what comes, not with what a header claims.
///
/// # Errors
/// [`Permanent::TooLarge`], or how the connection failed.
pub(crate) async fn body(mut response: Response, limit: u64) -> Result<Vec<u8>, RequestFailure> {
    let too_large = || RequestFailure::from(Permanent::TooLarge { limit });
    let said = response.content_length();
    if said.is_some_and(|said| said > limit) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| broken(&error))? {
        if (body.len() + piece.len()) as u64 > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&piece);
    }
    match said {
        Some(said) if said != body.len() as u64 => Err(Transient::Length {
            said,
            got: body.len() as u64,
        }
        .into()),
        _ => Ok(body),
    }
}

/// What the Hub says of an error: `X-Error-Message`, else the JSON's `error`, else the text.
pub(crate) fn message(headers: &HeaderMap, body: &[u8]) -> String {
    if let Some(said) = text(headers, "x-error-message") {
        return said.to_owned();
    }
    let json = serde_json::from_slice::<serde_json::Value>(body).ok();
    let error = json.as_ref().and_then(|json| json.get("error")?.as_str());
    error.map_or_else(|| String::from_utf8_lossy(body).into_owned(), str::to_owned)
}

/// The kind of failure that an error of the HTTP client is.
pub(crate) fn broken(error: &reqwest::Error) -> RequestFailure {
    let cause = innermost(error);
    let secure = [
        "certificate",
        "handshake",
        "corrupt message",
        "tls",
        "TLS",
        "CaUsed",
        "UnknownIssuer",
    ];
    if error.is_connect() && secure.iter().any(|word| cause.contains(word)) {
        RequestFailure::Tls(cause)
    } else if error.is_connect() {
        Transient::Connection(cause).into()
    } else if error.is_timeout() {
        Transient::Stalled.into()
    } else {
        Transient::Broken(cause).into()
    }
}

/// The cause of all causes, which names no address and no token.
pub(crate) fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    if std::ptr::addr_eq(cause, error) {
        "unknown cause".to_owned()
    } else {
        cause.to_string()
    }
}
