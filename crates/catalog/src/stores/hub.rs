//! Datasets of the Hub as a read-only object store: `OWNER/NAME[@REVISION]/PATH`.
//!
//! Files are read by ranges from `/datasets/OWNER/NAME/resolve/REVISION/PATH`, following redirects; the token is sent
//! to the Hub only. Folders are listed from `/api/datasets/OWNER/NAME/tree/REVISION/PATH` (Hub documentation, `api`).

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path as File, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::client::{HttpClient, HttpConnector, HttpRequest, HttpRequestBody, ReqwestConnector};
use object_store::http::{HttpBuilder, HttpStore};
use object_store::path::Path;
use object_store::{
    ClientOptions, CopyOptions, Error, GetOptions, GetResult, HeaderMap, HeaderValue, ListResult,
    MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use serde::Deserialize;

use super::client::{Variables, is_loopback, options, retries};

const NAME: &str = "Hub";
/// Longest wait between two attempts at a listing.
const LONGEST: Duration = Duration::from_secs(30);
/// Greatest number of pages, of a thousand files each, in a listing.
const PAGES: usize = 10_000;

/// The Hub.
#[derive(Debug)]
pub(super) struct Hub {
    endpoint: String,
    options: ClientOptions,
    client: HttpClient,
    revisions: Mutex<BTreeMap<String, Arc<HttpStore>>>,
}

/// A dataset at one revision.
struct Dataset {
    repository: String,
    revision: String,
    /// The part of a key that names the dataset and revision.
    prefix: String,
}

impl Dataset {
    /// The dataset that a key begins with, and the path within it.
    fn of(key: &Path) -> Result<(Self, String)> {
        let mut parts = key.as_ref().splitn(3, '/');
        let (owner, named) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        let mut path = parts.next().unwrap_or("").to_owned();
        let (name, revision) = named.split_once('@').unwrap_or((named, "main"));
        if owner.is_empty() || name.is_empty() || revision.is_empty() {
            return Err(other(format!(
                "`{key}` names no dataset: hf://datasets/OWNER/NAME[@REVISION]/PATH"
            )));
        }
        let mut revision = revision.to_owned();
        let mut prefix = format!("{owner}/{named}");
        if revision == "refs" {
            // For refs/convert/parquet and refs/pr/1 the encoded slashes have been decoded by now.
            let rest: Vec<&str> = path.splitn(3, '/').collect();
            if rest.len() >= 2 {
                revision = format!("refs/{}/{}", rest[0], rest[1]);
                prefix = format!("{prefix}/{}/{}", rest[0], rest[1]);
                let below = rest.get(2).copied().unwrap_or("").to_owned();
                path = below;
            }
        }
        let repository = format!("{owner}/{name}");
        Ok((
            Self {
                repository,
                revision: revision.replace('/', "%2F"),
                prefix,
            },
            path,
        ))
    }
}

/// A file or a folder in a listing.
#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: String,
    path: String,
    #[serde(default)]
    size: u64,
    oid: Option<String>,
}

impl Hub {
    pub(super) fn new(variables: &Variables) -> Result<Self> {
        let endpoint = variables
            .get("HF_ENDPOINT")
            .map_or("https://huggingface.co", String::as_str);
        let endpoint = endpoint.trim().trim_end_matches('/').to_owned();
        let mut options = options().with_allow_http(endpoint.starts_with("http://"));
        if let Some(token) = token(variables) {
            if endpoint.starts_with("http://") && !is_loopback(Some(endpoint.clone())) {
                return Err(other(
                    "HF_ENDPOINT has no TLS: the token is not sent there".to_owned(),
                ));
            }
            let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
                .map_err(|_| other("the Hub's token is not one line of text".to_owned()))?;
            value.set_sensitive(true);
            let mut headers = HeaderMap::new();
            headers.insert("authorization", value);
            options = options.with_default_headers(headers);
        }
        let client = ReqwestConnector::default().connect(&options)?;
        Ok(Self {
            endpoint,
            options,
            client,
            revisions: Mutex::default(),
        })
    }

    fn files(&self, dataset: &Dataset) -> Result<Arc<HttpStore>> {
        let url = format!(
            "{}/datasets/{}/resolve/{}",
            self.endpoint, dataset.repository, dataset.revision
        );
        let mut revisions = self.revisions.lock().expect("no thread died here");
        if let Some(store) = revisions.get(&url) {
            return Ok(store.clone());
        }
        let store = HttpBuilder::new()
            .with_url(&url)
            .with_client_options(self.options.clone())
            .with_retry(retries())
            .build()?;
        let store = Arc::new(store);
        revisions.insert(url, store.clone());
        Ok(store)
    }

    /// Everything under a prefix or, if not `recursive`, only its direct entries.
    async fn entries(&self, prefix: Option<&Path>, recursive: bool) -> Result<(Dataset, Vec<Entry>)> {
        let (dataset, path) = Dataset::of(prefix.unwrap_or(&Path::default()))?;
        let path = path.split('/').fold(String::new(), |path, part| {
            let encoded: String = url::form_urlencoded::byte_serialize(part.as_bytes()).collect();
            path + "/" + &encoded.replace('+', "%20")
        });
        let mut next = Some(format!(
            "{}/api/datasets/{}/tree/{}{}?recursive={recursive}",
            self.endpoint,
            dataset.repository,
            dataset.revision,
            path.trim_end_matches('/')
        ));
        let mut all = Vec::new();
        for _ in 0..PAGES {
            let Some(url) = next else {
                return Ok((dataset, all));
            };
            let Some((bytes, link)) = self.page(&url, prefix).await? else {
                return Ok((dataset, all));
            };
            let page: Vec<Entry> = serde_json::from_slice(&bytes)
                .map_err(|error| other(format!("the listing of {} is none: {error}", dataset.repository)))?;
            all.extend(page);
            // The token must only be sent to the Hub.
            next = link.filter(|link| link.starts_with(&format!("{}/", self.endpoint)));
        }
        Err(other(format!(
            "{} lists more than {PAGES} pages",
            dataset.repository
        )))
    }

    /// One page and the address of the next; `None` for a folder that does not exist.
    async fn page(&self, url: &str, prefix: Option<&Path>) -> Result<Option<(bytes::Bytes, Option<String>)>> {
        let limit = retries();
        let mut wait = limit.backoff.init_backoff;
        let mut tries = 0;
        let last = loop {
            tries += 1;
            let mut request = HttpRequest::new(HttpRequestBody::empty());
            *request.uri_mut() = url.parse().map_err(|_| other("no address".to_owned()))?;
            let (told, asked_to_wait) = match self.client.execute(request).await {
                Err(error) => (error.to_string(), None),
                Ok(answer) => {
                    let header = |name: &str| {
                        let value = answer.headers().get(name)?;
                        value.to_str().ok().map(str::to_owned)
                    };
                    let status = answer.status().as_u16();
                    let (link, code, after) = (header("link"), header("x-error-code"), header("retry-after"));
                    match status {
                        200 => match answer.into_body().bytes().await {
                            Ok(bytes) => return Ok(Some((bytes, link.and_then(|link| following(&link))))),
                            Err(error) => (error.to_string(), None),
                        },
                        404 if code.as_deref().is_none_or(|code| code == "EntryNotFound") => return Ok(None),
                        429 | 408 | 500.. => {
                            let seconds = after.and_then(|after| after.trim().parse().ok());
                            (format!("status {status}"), seconds.map(Duration::from_secs))
                        }
                        _ => return Err(refused(status, code, prefix)),
                    }
                }
            };
            if tries > limit.max_retries {
                break told;
            }
            tokio::time::sleep(asked_to_wait.unwrap_or(wait).min(LONGEST)).await;
            wait = (wait * 2).min(limit.backoff.max_backoff);
        };
        Err(other(format!("no listing after {tries} tries: {last}")))
    }
}

/// The meaning of an error response of the Hub (`RepoNotFound` also stands for a private repository).
fn refused(status: u16, code: Option<String>, prefix: Option<&Path>) -> Error {
    let path = prefix.map(ToString::to_string).unwrap_or_default();
    let code = code.unwrap_or_default();
    let source = format!("the Hub answers {status} {code}").into();
    match status {
        401 => Error::Unauthenticated { path, source },
        403 => Error::PermissionDenied { path, source },
        404 => Error::NotFound { path, source },
        _ => Error::Generic { store: NAME, source },
    }
}

fn following(link: &str) -> Option<String> {
    let next = link.split(',').find(|part| part.contains("rel=\"next\""))?;
    let address = next.split_once('<')?.1.split_once('>')?.0;
    Some(address.to_owned())
}

fn other(message: String) -> Error {
    Error::Generic {
        store: NAME,
        source: message.into(),
    }
}

/// The token, found as by all tools of the Hub: in `HF_TOKEN`, or in the file given by `HF_TOKEN_PATH`, `HF_HOME` or in
/// the cache.
fn token(variables: &Variables) -> Option<String> {
    for name in ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"] {
        if let Some(token) = variables.get(name) {
            return Some(token.trim().to_owned());
        }
    }
    let path = variables.get("HF_TOKEN_PATH").map(PathBuf::from).or_else(|| {
        let folder = variables.get("HF_HOME").map(PathBuf::from);
        let cache = || {
            variables
                .get("XDG_CACHE_HOME")
                .map(|cache| File::new(cache).join("huggingface"))
        };
        let home = || {
            variables
                .get("HOME")
                .map(|home| File::new(home).join(".cache/huggingface"))
        };
        Some(folder.or_else(cache).or_else(home)?.join("token"))
    })?;
    let token = fs::read_to_string(path).ok()?.trim().to_owned();
    (!token.is_empty()).then_some(token)
}

impl fmt::Display for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.endpoint)
    }
}

fn read_only() -> Error {
    Error::NotSupported {
        source: "the Hub is only read here: write to a folder, then `hf upload`".into(),
    }
}

#[allow(
    clippy::default_trait_access,
    reason = "the crate of the time's type is no dependency of ours"
)]
fn meta(dataset: &Dataset, entry: &Entry) -> ObjectMeta {
    let location = format!("{}/{}", dataset.prefix, entry.path);
    ObjectMeta {
        location: Path::parse(&location).unwrap_or_else(|_| Path::from(location.as_str())),
        last_modified: Default::default(),
        size: entry.size,
        e_tag: entry.oid.clone(),
        version: None,
    }
}

#[async_trait]
impl ObjectStore for Hub {
    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(read_only())
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(read_only())
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let (dataset, path) = Dataset::of(location)?;
        if path.is_empty() {
            return Err(Error::NotFound {
                path: location.to_string(),
                source: "a dataset is a folder".into(),
            });
        }
        let path = Path::parse(path)?;
        let mut result = self.files(&dataset)?.get_opts(&path, options).await?;
        result.meta.location = location.clone();
        Ok(result)
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        locations
            .map(|location| location.and_then(|_| Err(read_only())))
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        // The stream outlives the borrow, so what it needs is cloned, which is cheap.
        let hub = Self {
            endpoint: self.endpoint.clone(),
            options: self.options.clone(),
            client: self.client.clone(),
            revisions: Mutex::default(),
        };
        let prefix = prefix.cloned();
        futures::stream::once(async move {
            let (dataset, entries) = hub.entries(prefix.as_ref(), true).await?;
            let files = entries.into_iter().filter(|entry| entry.kind == "file");
            let all: Vec<_> = files.map(|entry| Ok(meta(&dataset, &entry))).collect();
            Ok::<_, Error>(futures::stream::iter(all))
        })
        .try_flatten()
        .boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let (dataset, entries) = self.entries(prefix, false).await?;
        let (files, folders): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.kind == "file");
        let place = |entry: &Entry| meta(&dataset, entry).location;
        Ok(ListResult {
            common_prefixes: folders.iter().map(place).collect(),
            objects: files.iter().map(|entry| meta(&dataset, entry)).collect(),
        })
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(read_only())
    }
}
