//! The Hub's listing of checkpoints: builds the query and parses one page of the response.
//!
//! Sorted by time of creation, which never changes: a page can be requested hours after the previous one without
//! entries having moved across the page boundary, as they do when sorted by downloads or likes.

use reqwest::Url;
use serde_json::Value;

use crate::hub::answer::HubResponse;
use crate::hub::client::Client;
use crate::hub::error::{Error, RequestFailure};

/// Maximum length of a page. The largest has 1,000 entries of about 2 kB; the limit guards against other servers.
pub(crate) const PAGE_BYTES: u64 = 128 << 20;

/// Fields requested for every checkpoint (`expand[]`), named as in `huggingface_hub`'s `ExpandModelProperty_T`.
pub(crate) const EXPAND: [&str; 13] = [
    "config",
    "createdAt",
    "disabled",
    "downloads",
    "gated",
    "gguf",
    "lastModified",
    "library_name",
    "likes",
    "pipeline_tag",
    "safetensors",
    "sha",
    "tags",
];

/// Selects the checkpoints to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListingQuery {
    /// Tags, all of which a checkpoint must have.
    pub(crate) filters: Vec<String>,
    /// Organisation or user.
    pub(crate) author: Option<String>,
    /// Substring of the name.
    pub(crate) search: Option<String>,
    /// Sort key, in descending order: `createdAt`, `downloads`, `lastModified`, `likes` or `trendingScore`.
    pub(crate) sort: String,
    /// Maximum number of checkpoints; `None`: all.
    pub(crate) limit: Option<u64>,
}

impl ListingQuery {
    /// Address of the first page.
    ///
    /// # Errors
    /// [`Error::Address`].
    pub(crate) fn url(&self, client: &Client) -> Result<Url, Error> {
        let mut url = client.settings.url("/api/models")?;
        {
            let mut query = url.query_pairs_mut();
            for filter in &self.filters {
                query.append_pair("filter", filter);
            }
            if let Some(author) = &self.author {
                query.append_pair("author", author);
            }
            if let Some(search) = &self.search {
                query.append_pair("search", search);
            }
            query
                .append_pair("sort", &self.sort)
                .append_pair("direction", "-1")
                .append_pair("limit", &self.limit.unwrap_or(1000).clamp(1, 1000).to_string());
            for field in EXPAND {
                query.append_pair("expand[]", field);
            }
        }
        Ok(url)
    }
}

/// One checkpoint of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// `org/name`.
    pub(crate) id: String,
    /// Its newest commit, where stated.
    pub(crate) sha: Option<String>,
    /// Time of the last modification, where stated.
    pub(crate) modified: Option<String>,
    /// The entry as listed, JSON.
    pub(crate) json: Vec<u8>,
}

impl Entry {
    /// Parses one entry; `None` where it names no checkpoint.
    pub(crate) fn new(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            id: text("id").filter(|id| is_id(id))?,
            sha: text("sha")
                .filter(|sha| sha.len() == 40 && sha.bytes().all(|byte| byte.is_ascii_hexdigit())),
            modified: text("lastModified"),
            json: serde_json::to_vec(value).ok()?,
        })
    }
}

/// Whether a text is a valid checkpoint name: one or two parts of letters, digits, `-`, `_` and `.`, as the Hub allows.
pub(crate) fn is_id(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part.len() <= 128
            && !part.bytes().all(|byte| byte == b'.')
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    let mut parts = text.split('/');
    parts.next().is_some_and(part) && parts.next().is_none_or(part) && parts.next().is_none()
}

/// A page of the listing.
#[derive(Debug)]
pub(crate) struct Page {
    /// Its checkpoints.
    pub(crate) entries: Vec<Entry>,
    /// Number of entries that name no checkpoint.
    pub(crate) nameless: u64,
    /// Address of the next page; `None` on the last one.
    pub(crate) next: Option<Url>,
}

/// Parses a page.
///
/// # Errors
/// [`Transient::Json`](crate::hub::error::Transient::Json) where it was cut; [`RequestFailure::Ours`] where it is not a
/// listing.
pub(crate) fn page(answer: &HubResponse) -> Result<Page, RequestFailure> {
    let other = |message: String| RequestFailure::Ours { status: 200, message };
    let Value::Array(list) = answer.json()? else {
        return Err(other("JSON that is not a list of checkpoints".into()));
    };
    let entries: Vec<Entry> = list.iter().filter_map(Entry::new).collect();
    if entries.is_empty() && !list.is_empty() {
        return Err(other("a list whose entries have no `id`".into()));
    }
    let next = match &answer.next {
        None => None,
        Some(text) => match here(&answer.url, text) {
            Some(next) if next != answer.url => Some(next),
            _ => return Err(other(format!("unexpected address of the next page: `{text}`"))),
        },
    };
    Ok(Page {
        nameless: (list.len() - entries.len()) as u64,
        entries,
        next,
    })
}

/// Resolves the link `text` to the host that sent it: a mirror passes on the Hub's own links, and a listing stays on
/// one host.
pub(crate) fn here(asked: &Url, text: &str) -> Option<Url> {
    let named = asked.join(text).ok()?;
    let mut next = asked.clone();
    next.set_path(named.path());
    next.set_query(named.query());
    Some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &str, media: &str, next: Option<&str>) -> HubResponse {
        HubResponse {
            url: Url::parse("http://h/api/models?limit=2").expect("an address"),
            body: body.into(),
            media: media.into(),
            next: next.map(str::to_owned),
            commit: None,
            tag: None,
        }
    }

    #[test]
    fn a_page_with_its_successor() {
        let body = r#"[{"id":"a/b","sha":"0123456789012345678901234567890123456789","lastModified":"t"},{"id":"../x"}]"#;
        let page = page(&answer(body, "application/json", Some("/api/models?cursor=x"))).expect("a page");
        assert_eq!((page.entries.len(), page.nameless), (1, 1));
        assert_eq!(page.entries[0].id, "a/b");
        assert_eq!(
            page.next.expect("a page").as_str(),
            "http://h/api/models?cursor=x"
        );
    }

    #[test]
    fn what_is_no_listing_is_told_from_one_that_was_cut() {
        let kind = |body, media, next| page(&answer(body, media, next)).expect_err("no page").kind();
        assert_eq!(kind("[{\"id\":\"a/b\"}", "application/json", None), "not_whole");
        assert_eq!(kind("<html>", "text/html", None), "ours");
        assert_eq!(kind("{\"models\":[]}", "application/json", None), "ours");
        assert_eq!(kind("[1, 2]", "application/json", None), "ours");
        assert_eq!(
            kind("[]", "application/json", Some("/api/models?limit=2")),
            "ours"
        );
    }

    #[test]
    fn a_link_to_another_host_is_followed_at_home() {
        let page = page(&answer(
            "[]",
            "application/json",
            Some("https://else.where/api/models?cursor=x"),
        ));
        assert_eq!(
            page.expect("a page").next.expect("a next one").as_str(),
            "http://h/api/models?cursor=x"
        );
    }

    #[test]
    fn names() {
        for id in ["gpt2", "openai-community/gpt2", "a/b.c_d-1"] {
            assert!(is_id(id), "{id}");
        }
        for id in ["", "a/", "/a", "a/b/c", "a/..", "a b/c", "a/b?x", "ä/b"] {
            assert!(!is_id(id), "{id}");
        }
    }
}
