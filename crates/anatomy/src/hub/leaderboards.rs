//! Downloads leaderboards from datasets on the Hub, at a fixed commit and checked against their hashes.

use std::fs;
use std::path::Path;

use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::hub::answer::HubResponse;
use crate::hub::client::Client;
use crate::hub::digest;
use crate::hub::error::{Error, RequestFailure, Transient};
use crate::hub::fetch::file_url;
use crate::hub::files::write_whole;
use crate::hub::listing::here;
use crate::hub::message::Message;
use crate::hub::store::{FILES, Store, failed, parse, row};

/// Datasets, with prefix and suffix of the paths of their relevant files.
const DATASETS: [(&str, &str, &str); 5] = [
    ("open-llm-leaderboard/contents", "data/", ".parquet"),
    ("open-llm-leaderboard-old/contents", "data/", ".parquet"),
    ("bigcode/bigcodebench-results", "data/", ".parquet"),
    ("optimum-benchmark/llm-perf-leaderboard", "", ".csv"),
    ("DX0369/LLM-Structure-Performance-Dataset", "model_info", ".csv"),
];

/// The same for successors of discontinued leaderboards; only on request, since the datastore has one file per run.
const SUCCESSORS: [(&str, &str, &str); 1] = [("evaleval/EEE_datastore", "data/", ".json")];
/// Tag of benchmarks whose leaderboard the Hub itself maintains.
const OFFICIAL: &str = "benchmark:official";

/// Maximum length of a file; the largest seen has 20 MB.
const FILE_BYTES: u64 = 1 << 30;

/// A downloaded file of a dataset, with its origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// `org/name` of the dataset.
    pub(crate) dataset: String,
    /// Commit at which it was fetched.
    pub(crate) revision: String,
    /// Path in the dataset.
    pub(crate) path: String,
    /// Path below the folder of sources.
    pub(crate) file: String,
    /// Length in bytes.
    pub(crate) bytes: u64,
    /// Its SHA-256.
    pub(crate) sha256: String,
    /// Object id in the Hub's tree: SHA-256 of large files, git's blob hash of others.
    pub(crate) oid: String,
}

/// The outcome for one dataset.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Taken {
    /// `org/name`.
    pub(crate) dataset: String,
    /// Its newest commit; `None` where that is unknown or not applicable.
    pub(crate) revision: Option<String>,
    /// Number of files fetched now.
    pub(crate) fetched: u64,
    /// Number of files that had not changed.
    pub(crate) unchanged: u64,
    /// Why fetching failed; `None` on success.
    pub(crate) failure: Option<String>,
}

/// A file in a dataset's tree.
#[derive(Debug, PartialEq, Eq)]
struct Leaf {
    path: String,
    size: u64,
    oid: String,
}

/// Downloads the changed files of all datasets into `sources`.
///
/// # Errors
/// Errors that must stop a run. Other failures are reported per dataset in the returned list.
pub(crate) async fn fetch_all(
    client: &Client,
    store: &Store,
    inbox: &mpsc::Sender<Message>,
    sources: &Path,
    successors: bool,
) -> Result<Vec<Taken>, Error> {
    let mut all = Vec::new();
    let later = SUCCESSORS.into_iter().filter(|_| successors);
    for (dataset, start, end) in DATASETS.into_iter().chain(later) {
        let mut taken = Taken {
            dataset: dataset.to_owned(),
            revision: None,
            fetched: 0,
            unchanged: 0,
            failure: None,
        };
        let wanted = |leaf: &Leaf| leaf.path.starts_with(start) && leaf.path.ends_with(end);
        match tree(client, dataset).await? {
            Ok((revision, leaves)) => {
                for leaf in leaves.into_iter().filter(wanted) {
                    let file = format!("datasets/{dataset}/{}", leaf.path);
                    if unchanged(store, sources, &file, &leaf)? {
                        taken.unchanged += 1;
                        continue;
                    }
                    match one(client, dataset, &revision, &leaf, file, sources).await? {
                        Ok(kept) => {
                            let value = row(sources, &kept.file, &kept)?;
                            inbox
                                .send(Message::File(kept.file, value))
                                .await
                                .map_err(|_| Error::Gone { part: "store" })?;
                            taken.fetched += 1;
                        }
                        Err(failure) => {
                            taken.failure = Some(format!("{}: {failure}", leaf.path));
                        }
                    }
                }
                taken.revision = Some(revision);
            }
            Err(failure) => taken.failure = Some(failure.to_string()),
        }
        all.push(taken);
    }
    if successors {
        all.extend(official(client, sources).await?);
    }
    Ok(all)
}

/// Downloads the current state of the leaderboards that the Hub itself maintains.
async fn official(client: &Client, sources: &Path) -> Result<Vec<Taken>, Error> {
    let mut all = Vec::new();
    let mut next = Some(
        client
            .settings
            .url(&format!("/api/datasets?filter={OFFICIAL}&limit=1000"))?,
    );
    let mut names = Vec::new();
    while let Some(url) = next {
        let read = |answer: HubResponse| {
            let next = answer.next.as_deref().and_then(|next| here(&answer.url, next));
            Ok((marked(&answer.json()?)?, next))
        };
        let (found, after) = match client.get(&url, 64 << 20, read).await {
            Ok(page) => page,
            Err(failure) => {
                let failure = gives_up(client, &url, failure)?;
                all.push(taken(OFFICIAL, Some(failure.to_string())));
                return Ok(all);
            }
        };
        names.extend(found);
        next = after.filter(|after| *after != url);
    }
    for name in names {
        let url = client
            .settings
            .url(&format!("/api/datasets/{name}/leaderboard"))?;
        let read = |answer: HubResponse| {
            let rows = answer.json()?;
            if rows.is_array() {
                Ok(rows)
            } else {
                Err(ours("a leaderboard that is not a list"))
            }
        };
        let failure = match client.get(&url, 64 << 20, read).await {
            Ok(rows) => {
                let whole = serde_json::json!({ "dataset": name, "leaderboard": rows });
                write_whole(
                    &sources.join(format!("datasets/{name}/leaderboard.json")),
                    whole.to_string().as_bytes(),
                )?;
                None
            }
            Err(failure) => Some(gives_up(client, &url, failure)?.to_string()),
        };
        all.push(taken(&name, failure));
    }
    Ok(all)
}

fn taken(dataset: &str, failure: Option<String>) -> Taken {
    Taken {
        dataset: dataset.to_owned(),
        revision: None,
        fetched: u64::from(failure.is_none()),
        unchanged: 0,
        failure,
    }
}

/// Names of the form `owner/name` in a list of datasets that are tagged as benchmarks with a leaderboard.
fn marked(list: &Value) -> Result<Vec<String>, RequestFailure> {
    let list = list
        .as_array()
        .ok_or_else(|| ours("a list of data sets that is not a list"))?;
    let plain =
        |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', ':', '\0', '?', '#', '%']);
    let name = |entry: &Value| {
        let tags = entry.get("tags")?.as_array()?;
        let id = entry.get("id")?.as_str()?;
        let is_name = id.split('/').count() == 2 && id.split('/').all(plain);
        (is_name && tags.iter().any(|tag| tag == OFFICIAL)).then(|| id.to_owned())
    };
    Ok(list.iter().filter_map(name).collect())
}

/// The descriptions of all downloaded files.
///
/// # Errors
/// [`Error::Store`], [`Error::Row`].
pub(crate) fn kept(store: &Store) -> Result<Vec<Kept>, Error> {
    use redb::ReadableTable;
    let view = store.view()?;
    let table = view.0.open_table(FILES).map_err(failed(&view.1))?;
    let mut all = Vec::new();
    for found in table.iter().map_err(failed(&view.1))? {
        let (file, value) = found.map_err(failed(&view.1))?;
        all.push(parse(&view.1, file.value(), value.value())?);
    }
    Ok(all)
}

fn unchanged(store: &Store, sources: &Path, file: &str, leaf: &Leaf) -> Result<bool, Error> {
    let view = store.view()?;
    let table = view.0.open_table(FILES).map_err(failed(&view.1))?;
    let Some(value) = table.get(file).map_err(failed(&view.1))? else {
        return Ok(false);
    };
    let kept: Kept = parse(&view.1, file, value.value())?;
    // Check the file itself, which may have been changed or removed.
    let whole = fs::read(sources.join(file)).is_ok_and(|bytes| digest::sha256(&bytes) == kept.sha256);
    Ok(whole && kept.oid == leaf.oid)
}

/// The newest commit of a dataset, and its files.
async fn tree(client: &Client, dataset: &str) -> Result<Result<(String, Vec<Leaf>), RequestFailure>, Error> {
    let url = client.settings.url(&format!("/api/datasets/{dataset}"))?;
    let sha = |answer: HubResponse| {
        let value = answer.json()?;
        let sha = value.get("sha").and_then(Value::as_str).map(str::to_owned);
        sha.ok_or_else(|| ours("a dataset without `sha`"))
    };
    let revision = match client.get(&url, 64 << 20, sha).await {
        Ok(revision) => revision,
        Err(failure) => return gives_up(client, &url, failure).map(Err),
    };
    let mut leaves = Vec::new();
    let path = format!("/api/datasets/{dataset}/tree/{revision}?recursive=true");
    let mut next = Some(client.settings.url(&path)?);
    while let Some(url) = next {
        let read = |answer: HubResponse| {
            let next = answer.next.as_deref().and_then(|next| here(&answer.url, next));
            Ok((files(&answer.json()?)?, next))
        };
        let (found, after) = match client.get(&url, 64 << 20, read).await {
            Ok(page) => page,
            Err(failure) => return gives_up(client, &url, failure).map(Err),
        };
        leaves.extend(found);
        next = after.filter(|after| *after != url);
    }
    Ok(Ok((revision, leaves)))
}

fn ours(message: &str) -> RequestFailure {
    RequestFailure::Ours {
        status: 200,
        message: message.to_owned(),
    }
}

/// Returns a failure that concerns only one dataset; others stop the run.
fn gives_up(client: &Client, url: &Url, failure: RequestFailure) -> Result<RequestFailure, Error> {
    match failure {
        RequestFailure::Transient(_) | RequestFailure::Permanent(_) | RequestFailure::Ours { .. } => {
            Ok(failure)
        }
        RequestFailure::Away(_) | RequestFailure::Tls(_) => Err(client.stop(url, failure)),
    }
}

/// The files of a tree listing, except those whose path would leave the folder.
fn files(tree: &Value) -> Result<Vec<Leaf>, RequestFailure> {
    let list = tree.as_array().ok_or_else(|| ours("a tree that is not a list"))?;
    let leaf = |entry: &Value| {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let path = text(entry.get("path"))?;
        let inside = path
            .split('/')
            .all(|part| !matches!(part, "" | "." | "..") && !part.contains(['\\', ':', '\0']));
        let is_file = entry.get("type").and_then(Value::as_str) == Some("file");
        let large = entry.get("lfs");
        Some(Leaf {
            size: large.unwrap_or(entry).get("size").and_then(Value::as_u64)?,
            oid: text(large.unwrap_or(entry).get("oid"))?,
            path,
        })
        .filter(|_| is_file && inside)
    };
    Ok(list.iter().filter_map(leaf).collect())
}

async fn one(
    client: &Client,
    dataset: &str,
    revision: &str,
    leaf: &Leaf,
    file: String,
    sources: &Path,
) -> Result<Result<Kept, RequestFailure>, Error> {
    let url = file_url(client, "datasets/", dataset, revision, &leaf.path)?;
    let whole = |answer: HubResponse| {
        if digest::agrees(&answer.body, &leaf.oid) == Some(false) {
            return Err(Transient::Hash {
                said: leaf.oid.clone(),
            }
            .into());
        }
        let got = answer.body.len() as u64;
        if got != leaf.size {
            return Err(Transient::Length { said: leaf.size, got }.into());
        }
        Ok(answer.body)
    };
    let body = match client.get(&url, FILE_BYTES, whole).await {
        Ok(body) => body,
        Err(failure) => return gives_up(client, &url, failure).map(Err),
    };
    write_whole(&sources.join(&file), &body)?;
    Ok(Ok(Kept {
        dataset: dataset.to_owned(),
        revision: revision.to_owned(),
        path: leaf.path.clone(),
        file,
        bytes: body.len() as u64,
        sha256: digest::sha256(&body),
        oid: leaf.oid.clone(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_marked_data_sets_with_plain_names_have_a_leaderboard() {
        let list = serde_json::json!([
            {"id": "cais/hle", "tags": ["benchmark:official", "x"]},
            {"id": "org/other", "tags": ["x"]},
            {"id": "../../etc", "tags": ["benchmark:official"]},
            {"id": "squad", "tags": ["benchmark:official"]},
        ]);
        assert_eq!(marked(&list).expect("a list"), ["cais/hle"]);
        assert!(marked(&serde_json::json!({"error": "x"})).is_err());
    }

    #[test]
    fn a_tree_gives_files_inside_the_folder() {
        let tree = serde_json::json!([
            {"type": "file", "oid": "aa", "size": 3, "path": "data/a.csv"},
            {"type": "file", "oid": "bb", "size": 133, "lfs": {"oid": "cc", "size": 9, "pointerSize": 133}, "path": "b.parquet"},
            {"type": "directory", "oid": "dd", "size": 0, "path": "data"},
            {"type": "file", "oid": "ee", "size": 1, "path": "../../etc/passwd"},
            {"type": "file", "oid": "ff", "size": 1, "path": "/etc/passwd"},
        ]);
        let leaf = |path: &str, size, oid: &str| Leaf {
            path: path.into(),
            size,
            oid: oid.into(),
        };
        assert_eq!(
            files(&tree).expect("a tree"),
            [leaf("data/a.csv", 3, "aa"), leaf("b.parquet", 9, "cc")]
        );
        assert!(files(&serde_json::json!({"error": "x"})).is_err());
    }
}
