//! A checkpoint by its name on the Hub: fetched in parts into the cache, checked, and then read without the Hub.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::command::{Ran, ran, root};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A Hub with one repository, `org/tiny`.
struct Hub {
    files: BTreeMap<String, Vec<u8>>,
    /// The file whose last byte comes wrong.
    damaged: Option<&'static str>,
    requests: AtomicUsize,
    /// Files cut in the middle once.
    cut: Mutex<Vec<String>>,
}

impl Hub {
    fn start(damaged: Option<&'static str>) -> (Arc<Self>, String) {
        let folder = root().join("crates/mechanism/tests/fixtures/llama_sharded");
        let files = std::fs::read_dir(folder).expect("fixtures").map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read(path).expect("a file"))
        });
        let hub = Arc::new(Self {
            files: files.collect(),
            damaged,
            requests: AtomicUsize::new(0),
            cut: Mutex::new(vec!["model-00002-of-00003.safetensors".into()]),
        });
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let served = Arc::clone(&hub);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let hub = Arc::clone(&served);
                std::thread::spawn(move || hub.serve(&stream));
            }
        });
        (hub, address)
    }

    fn serve(&self, mut stream: &TcpStream) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        let first = lines.next().unwrap_or_default();
        let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
        let heads: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        let range = heads.iter().find_map(|line| {
            let (start, end) = line
                .to_lowercase()
                .strip_prefix("range: bytes=")?
                .split_once('-')
                .map(|(a, b)| (a.to_owned(), b.to_owned()))?;
            Some((start.parse::<usize>().ok()?, end.trim().parse::<usize>().ok()?))
        });
        let mut answer = |status: &str, extra: &str, body: &[u8], sent: usize| {
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n{extra}\r\n",
                body.len()
            );
            let _ = stream.write_all(head.as_bytes());
            let _ = stream.write_all(&body[..sent]);
        };
        let json = "Content-Type: application/json\r\n";
        let large = |name: &str| name.starts_with("model-");
        if path == "/api/models/org/tiny/revision/main" {
            let body = json!({"id": "org/tiny", "sha": COMMIT}).to_string();
            answer("200 OK", json, body.as_bytes(), body.len());
        } else if path == format!("/api/models/org/tiny/tree/{COMMIT}") {
            let list = self.files.iter().map(|(name, bytes)| {
                let digits: Vec<String> = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
                let hash = digits.concat();
                let mut entry =
                    json!({"type": "file", "path": name, "size": bytes.len(), "oid": "not a hash"});
                if large(name) {
                    entry["lfs"] = json!({"oid": hash, "size": bytes.len()});
                }
                entry
            });
            let body = json!(list.collect::<Vec<_>>()).to_string();
            answer("200 OK", json, body.as_bytes(), body.len());
        } else if let Some(name) = path.strip_prefix(&format!("/org/tiny/resolve/{COMMIT}/"))
            && large(name)
        {
            let place = format!("Location: /cdn/{name}\r\n");
            answer("302 Found", &place, b"", 0);
        } else {
            let name = path.rsplit('/').next().unwrap_or_default();
            let (Some(bytes), Some((start, end))) = (self.files.get(name), range) else {
                let body = br#"{"error": "Repository not found"}"#;
                return answer("404 Not Found", json, body, body.len());
            };
            let mut part = bytes[start..=end.min(bytes.len() - 1)].to_vec();
            if self.damaged == Some(name) {
                *part.last_mut().expect("a byte") ^= 1;
            }
            let mut cut = self.cut.lock().expect("no panic");
            let is_cut = cut.iter().any(|other| other == name);
            cut.retain(|other| other != name);
            let sent = if is_cut { part.len() / 2 } else { part.len() };
            answer("206 Partial Content", "", &part, sent);
        }
    }
}

/// Removes a layer of `model`, which reads all its weights.
fn prune(endpoint: &str, cache: &Path, model: &str, out: &Path) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anatomy"));
    command
        .args(["probe", "prune", "-q", "--layers", "0", "--model", model, "--out"])
        .arg(out)
        .current_dir(cache)
        .env("HF_ENDPOINT", endpoint)
        .env("HF_HUB_CACHE", cache)
        .env("NO_PROXY", "127.0.0.1")
        .env_remove("HF_HUB_OFFLINE");
    ran(command)
}

fn snapshot(cache: &Path) -> PathBuf {
    cache.join("models--org--tiny/snapshots").join(COMMIT)
}

#[test]
fn a_name_is_fetched_once_and_then_read_from_the_cache() {
    let (hub, endpoint) = Hub::start(None);
    let folder = TempDir::new().expect("a folder");
    let cache = folder.path();
    let first = prune(&endpoint, cache, "org/tiny", &cache.join("a"));
    assert_eq!(first.code, 0, "{}", first.stderr);
    for (name, bytes) in hub
        .files
        .iter()
        .filter(|(name, _)| *name != "expected.safetensors")
    {
        let kept = std::fs::read(snapshot(cache).join(name)).expect("kept");
        assert!(kept == *bytes, "{name} differs");
    }
    assert!(!snapshot(cache).join("expected.safetensors").exists());
    let asked = hub.requests.load(Ordering::Relaxed);
    // Two listings, config and index, three shards with a redirect each, one of them twice.
    assert_eq!(asked, 2 + 2 + 2 * 4);
    let second = prune("http://127.0.0.1:1", cache, "org/tiny", &cache.join("b"));
    assert_eq!(second.code, 0, "{}", second.stderr);
    let weights = |out: &str| std::fs::read(cache.join(out).join("model.safetensors")).expect("written");
    assert!(weights("a") == weights("b"));
}

#[test]
fn a_damaged_file_never_takes_its_name() {
    let (_, endpoint) = Hub::start(Some("model-00003-of-00003.safetensors"));
    let folder = TempDir::new().expect("a folder");
    let told = prune(&endpoint, folder.path(), "org/tiny", &folder.path().join("a"));
    assert_eq!(told.code, 2, "{}", told.stdout);
    assert!(told.stderr.contains("does not match its tag"), "{}", told.stderr);
    assert!(
        !snapshot(folder.path())
            .join("model-00003-of-00003.safetensors")
            .exists()
    );
}

#[test]
fn what_is_nowhere_is_said_with_where_was_looked() {
    let (_, endpoint) = Hub::start(None);
    let folder = TempDir::new().expect("a folder");
    let told = prune(&endpoint, folder.path(), "org/none", &folder.path().join("a"));
    assert_eq!(told.code, 2, "{}", told.stdout);
    for words in ["cannot download `org/none` from the Hub", "deleted or private"] {
        assert!(told.stderr.contains(words), "{}", told.stderr);
    }
    let told = prune(
        &endpoint,
        folder.path(),
        "org/tiny/q4.gguf",
        &folder.path().join("a"),
    );
    for words in ["model-00001-of-00003.safetensors", "organisation/name/file.gguf"] {
        assert!(told.stderr.contains(words), "{}", told.stderr);
    }
}
