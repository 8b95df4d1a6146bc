//! Reads a response of the Hub within limits, and checks that it is complete.

use reqwest::header::HeaderMap;
use reqwest::{Response, Url};
use serde_json::Value;

use crate::hub::digest;
use crate::hub::error::{Permanent, RequestFailure, Transient};
use crate::hub::headers;

/// A complete response.
#[derive(Debug)]
pub(crate) struct HubResponse {
    /// Address that answered, after redirects.
    pub(crate) url: Url,
    /// Its bytes.
    pub(crate) body: Vec<u8>,
    /// Media type.
    pub(crate) media: String,
    /// Address of the next page, where there is one.
    pub(crate) next: Option<String>,
    /// Commit that the content belongs to, where stated.
    pub(crate) commit: Option<String>,
    /// Announced hash of the content.
    pub(crate) tag: Option<String>,
}

impl HubResponse {
    /// Parses the body as JSON.
    ///
    /// # Errors
    /// [`RequestFailure::Ours`] where the media type is not JSON; [`Transient::Json`] where the body is invalid or cut.
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

/// Facts about a file collected from the responses of a redirect chain.
#[derive(Debug, Default)]
pub(crate) struct Linked {
    size: Option<u64>,
    /// Announced hash of the content.
    pub(crate) tag: Option<String>,
    /// Commit that the content belongs to.
    pub(crate) commit: Option<String>,
}

impl Linked {
    /// Adds the facts from the headers of one response.
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

    /// Checks that the body has the announced length and hash.
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

/// The value of a header; `None` where it is missing or not text.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Reads a body of at most `limit` bytes; memory grows with the data received, not with the announced length.
///
/// # Errors
/// [`Permanent::TooLarge`]; [`Transient::Length`]; or how the connection failed.
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

/// Extracts the Hub's error message: `X-Error-Message`, else the JSON field `error`, else the body.
pub(crate) fn message(headers: &HeaderMap, body: &[u8]) -> String {
    if let Some(said) = text(headers, "x-error-message") {
        return said.to_owned();
    }
    let json = serde_json::from_slice::<serde_json::Value>(body).ok();
    let error = json.as_ref().and_then(|json| json.get("error")?.as_str());
    error.map_or_else(|| String::from_utf8_lossy(body).into_owned(), str::to_owned)
}

/// Classifies an error of the HTTP client.
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

/// The innermost cause, whose text contains neither an address nor a token.
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
