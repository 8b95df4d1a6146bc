//! Downloads a checkpoint into the cache shared by all Hugging Face tools: `models--ORG--NAME/snapshots/COMMIT/FILE`,
//! with `refs/REVISION` naming the commit (`huggingface_hub`'s guide "Manage cache"). Complete files are not requested
//! again; a file is fetched in parts, resumes where it stopped, and is renamed to its final name once its hash matches.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::hub::client::Client;
use crate::hub::digest;
use crate::hub::error::{Error, RequestFailure, Transient};
use crate::hub::fetch::file_url;
use crate::hub::files::write_whole;
use crate::hub::listing::is_id;

/// Bytes per request.
const PART: u64 = 32 << 20;
/// Maximum length of a listing, an index or a tokenizer.
const LIMIT: u64 = 256 << 20;
/// Files fetched beside the weights where the repository has them.
const COMPANIONS: [&str; 5] = [
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
];
const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

/// What a `--model` argument names on the Hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    id: String,
    revision: String,
    /// A single file; `None` stands for the whole checkpoint.
    file: Option<String>,
}

impl Wanted {
    /// Parses `org/name`, `org/name@revision` or `org/name/file.gguf`; `None` where the text has none of these forms.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (place, revision) = text.split_once('@').unwrap_or((text, "main"));
        let mut parts = place.splitn(3, '/');
        let id = format!("{}/{}", parts.next()?, parts.next()?);
        let file = parts.next().map(str::to_owned);
        let plain = |name: &str| is_plain(name);
        let fine = is_id(&id) && plain(revision) && file.as_deref().is_none_or(plain);
        fine.then(|| Self {
            id,
            revision: revision.to_owned(),
            file,
        })
    }
}

/// Whether a relative path stays below the folder that it is joined to.
fn is_plain(name: &str) -> bool {
    !name.contains('\\')
        && name
            .split('/')
            .all(|part| !part.is_empty() && part.bytes().any(|byte| byte != b'.'))
}

/// A file of the repository.
#[derive(Debug, Clone)]
struct Listed {
    path: String,
    size: u64,
    /// SHA-256 of a large (LFS) file, git's blob hash of a small one.
    tag: String,
    is_large: bool,
}

/// The local folder or file, if the cache holds everything needed.
pub(crate) fn cached(cache: &Path, wanted: &Wanted) -> Option<PathBuf> {
    let repository = repository(cache, wanted);
    let commit = fs::read_to_string(repository.join("refs").join(&wanted.revision))
        .unwrap_or_else(|_| wanted.revision.clone());
    let commit = commit.trim();
    let folder = is_plain(commit).then(|| repository.join("snapshots").join(commit))?;
    if let Some(file) = &wanted.file {
        return Some(folder.join(file)).filter(|path| path.is_file());
    }
    if !folder.join("config.json").is_file() {
        return None;
    }
    if folder.join(SINGLE).is_file() {
        return Some(folder);
    }
    let shards = shards(&fs::read(folder.join(INDEX)).ok()?)?;
    shards
        .iter()
        .all(|shard| folder.join(shard).is_file())
        .then_some(folder)
}

/// Downloads the files missing from the cache. `tell` receives the bytes present so far and the total.
///
/// # Errors
/// [`Error::NoWeights`] where the repository holds no supported weights; else the reason why a request failed.
pub(crate) async fn fetch(
    client: &Client,
    cache: &Path,
    wanted: &Wanted,
    tell: &(dyn Fn(u64, u64) + Sync),
) -> Result<PathBuf, Error> {
    let commit = commit(client, wanted).await?;
    let folder_of_file = wanted
        .file
        .as_ref()
        .and_then(|file| Some(file.rsplit_once('/')?.0));
    let listed = listing(client, wanted, &commit, folder_of_file).await?;
    let repository = repository(cache, wanted);
    let folder = repository.join("snapshots").join(&commit);
    let find = |path: &str| listed.iter().find(|file| file.path == path);
    let mut files: Vec<Listed> = Vec::new();
    if let Some(path) = &wanted.file {
        files.push(find(path).cloned().ok_or_else(|| none(wanted, &listed))?);
    } else {
        files.extend(COMPANIONS.iter().filter_map(|name| find(name).cloned()));
        if let Some(single) = find(SINGLE) {
            files.push(single.clone());
        } else {
            let index = find(INDEX).ok_or_else(|| none(wanted, &listed))?;
            one(client, wanted, &commit, &folder, index, &|_| ()).await?;
            let place = folder.join(INDEX);
            let bytes = fs::read(&place).map_err(Error::io("read", &place))?;
            for shard in shards(&bytes).ok_or_else(|| none(wanted, &listed))? {
                files.push(find(&shard).cloned().ok_or_else(|| none(wanted, &listed))?);
            }
        }
    }
    let all: u64 = files.iter().map(|file| file.size).sum();
    let mut before = 0;
    for file in &files {
        one(client, wanted, &commit, &folder, file, &|done| {
            tell(before + done, all);
        })
        .await?;
        before += file.size;
    }
    write_whole(&repository.join("refs").join(&wanted.revision), commit.as_bytes())?;
    Ok(match &wanted.file {
        Some(file) => folder.join(file),
        None => folder,
    })
}

fn repository(cache: &Path, wanted: &Wanted) -> PathBuf {
    cache.join(format!("models--{}", wanted.id.replace('/', "--")))
}

/// Names of the files in an index of shards; `None` where it is not an index, or names files outside the folder.
fn shards(index: &[u8]) -> Option<BTreeSet<String>> {
    let index: Value = serde_json::from_slice(index).ok()?;
    let names = index.get("weight_map")?.as_object()?.values();
    let names: BTreeSet<String> = names
        .map(|name| name.as_str().map(str::to_owned))
        .collect::<Option<_>>()?;
    (!names.is_empty() && names.iter().all(|name| is_plain(name))).then_some(names)
}

fn none(wanted: &Wanted, listed: &[Listed]) -> Error {
    let files = listed.iter().map(|file| file.path.as_str());
    let weights = files.filter(|path| {
        let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
        matches!(ending, "gguf" | "safetensors" | "bin" | "pt" | "pth")
    });
    Error::NoWeights {
        id: wanted.id.clone(),
        files: weights.take(12).map(str::to_owned).collect(),
    }
}

/// Resolves the revision to a commit.
async fn commit(client: &Client, wanted: &Wanted) -> Result<String, Error> {
    let url = client.settings.url(&format!(
        "/api/models/{}/revision/{}",
        wanted.id,
        wanted.revision.replace('/', "%2F")
    ))?;
    let commit = client.get(&url, LIMIT, |answer| {
        let json = answer.json()?;
        let sha = json.get("sha").and_then(Value::as_str).unwrap_or_default();
        let is_hash = sha.len() == 40 && sha.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hash
            .then(|| sha.to_owned())
            .ok_or_else(|| RequestFailure::Ours {
                status: 200,
                message: "JSON without a commit's `sha`".into(),
            })
    });
    commit.await.map_err(|failure| client.stop(&url, failure))
}

async fn listing(
    client: &Client,
    wanted: &Wanted,
    commit: &str,
    folder: Option<&str>,
) -> Result<Vec<Listed>, Error> {
    let below = folder.map_or(String::new(), |folder| format!("/{folder}"));
    let url = client
        .settings
        .url(&format!("/api/models/{}/tree/{commit}{below}", wanted.id))?;
    let read = client.get(&url, LIMIT, |answer| {
        let json = answer.json()?;
        let entries = json.as_array().ok_or_else(|| RequestFailure::Ours {
            status: 200,
            message: "no list of files".into(),
        })?;
        Ok(entries.iter().filter_map(listed).collect())
    });
    read.await.map_err(|failure| client.stop(&url, failure))
}

/// Parses an entry of a folder listing; `None` where it is not a file.
fn listed(entry: &Value) -> Option<Listed> {
    let text = |value: &Value, name: &str| value.get(name)?.as_str().map(str::to_owned);
    let large = entry.get("lfs").filter(|large| large.is_object());
    let tag = text(large.unwrap_or(entry), "oid")?;
    (entry.get("type")?.as_str()? == "file").then_some(())?;
    Some(Listed {
        path: text(entry, "path").filter(|path| is_plain(path))?,
        size: entry.get("size")?.as_u64()?,
        tag: tag.trim_start_matches("sha256:").to_owned(),
        is_large: large.is_some(),
    })
}

/// Downloads one file, unless a file of the same size is there already.
async fn one(
    client: &Client,
    wanted: &Wanted,
    commit: &str,
    folder: &Path,
    file: &Listed,
    tell: &(dyn Fn(u64) + Sync),
) -> Result<(), Error> {
    let place = folder.join(&file.path);
    if fs::metadata(&place).is_ok_and(|found| found.len() == file.size) {
        tell(file.size);
        return Ok(());
    }
    let url = file_url(client, "", &wanted.id, commit, &file.path)?;
    let above = place.parent().unwrap_or(folder);
    fs::create_dir_all(above).map_err(Error::io("make the folder", above))?;
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    let partial = place.with_file_name(format!(".{name}.incomplete"));
    for again in [true, false] {
        let mut to = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&partial)
            .map_err(Error::io("write", &partial))?;
        let mut have = to.metadata().map_err(Error::io("read", &partial))?.len();
        while have < file.size {
            let end = file.size.min(have + PART);
            let bytes = client.part(&url, have..end).await;
            let bytes = bytes.map_err(|failure| client.stop(&url, failure))?;
            to.write_all(&bytes).map_err(Error::io("write", &partial))?;
            have = end;
            tell(have);
        }
        drop(to);
        if have == file.size && agrees(&partial, file)? {
            return fs::rename(&partial, &place).map_err(Error::io("name", &place));
        }
        fs::remove_file(&partial).map_err(Error::io("remove", &partial))?;
        if !again {
            break;
        }
    }
    let wrong = RequestFailure::Transient(Transient::Hash {
        said: file.tag.clone(),
    });
    Err(client.stop(&url, wrong))
}

/// Whether the hash of a file on disk is the listed one.
fn agrees(path: &Path, file: &Listed) -> Result<bool, Error> {
    let mut from = File::open(path).map_err(Error::io("read", path))?;
    if !file.is_large {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).map_err(Error::io("read", path))?;
        return Ok(digest::agrees(&bytes, &file.tag) != Some(false));
    }
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n = from.read(&mut buffer).map_err(Error::io("read", path))?;
        if n == 0 {
            return Ok(catalog::hex(&hash.finalize()).eq_ignore_ascii_case(&file.tag));
        }
        hash.update(&buffer[..n]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_model_argument_asks_for() {
        let of = |text: &str| Wanted::parse(text).map(|w| (w.id, w.revision, w.file));
        let plain = |id: &str, revision: &str, file: Option<&str>| {
            Some((id.to_owned(), revision.to_owned(), file.map(str::to_owned)))
        };
        assert_eq!(of("a/b"), plain("a/b", "main", None));
        assert_eq!(of("a/b@v1.0"), plain("a/b", "v1.0", None));
        assert_eq!(of("a/b/q/c.gguf"), plain("a/b", "main", Some("q/c.gguf")));
        for wrong in [
            "a",
            "",
            "a/b/../c",
            "../b",
            "a/b@../x",
            "a/b/",
            "/etc/passwd",
            "a/b/c//d",
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_index_that_points_elsewhere_is_none() {
        let of = |json: &str| shards(json.as_bytes());
        let two = of(r#"{"weight_map": {"a": "x.safetensors", "b": "y.safetensors", "c": "x.safetensors"}}"#);
        assert_eq!(two.map(|names| names.len()), Some(2));
        for wrong in [
            "{}",
            "[]",
            "{\"weight_map\": {}}",
            "{\"weight_map\": {\"a\": \"../../x\"}}",
            "{\"weight_map\": {\"a\": 1}}",
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
