//! The Hub client against the stand-in of the Hub, which damages answers and tells afterwards what was true.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::command::{ran, shared};

/// The stand-in, ended with its owner.
struct Hub {
    process: Child,
    address: String,
}

impl Hub {
    /// Starts it; `None` with a word about what is skipped where it, or Python, is not here.
    fn start(flags: &[&str]) -> Option<Self> {
        let script = shared("hub-standin")?.join("hub_standin.py");
        let started = Command::new("python3")
            .arg(script)
            .args(["--port", "0"])
            .args(flags)
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut process) = started else {
            crate::command::skipped("python", "python3 is not here");
            return None;
        };
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("a line");
        let address = line
            .trim()
            .rsplit("http://")
            .next()
            .expect("an address")
            .to_owned();
        Some(Self { process, address })
    }

    fn ask(&self, method: &str, path: &str) -> Value {
        let mut stream = TcpStream::connect(&self.address).expect("a connection");
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n"
        )
        .expect("a request");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let text = String::from_utf8(answer).expect("UTF-8");
        let (_, body) = text.split_once("\r\n\r\n").expect("a body");
        serde_json::from_str(body).expect("JSON")
    }

    fn truth(&self) -> Vec<Value> {
        let page = self.ask("GET", "/__truth?limit=5000");
        page["items"].as_array().expect("a list").clone()
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `anatomy hub …` with an environment of its own.
fn hub(endpoint: &str, variables: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anatomy"));
    command
        .arg("hub")
        .args(arguments)
        .env("HF_ENDPOINT", endpoint)
        .env("HF_HOME", "/nonexistent")
        .env("NO_PROXY", "*");
    for name in ["HF_TOKEN", "HF_TOKEN_PATH", "HUGGING_FACE_HUB_TOKEN"] {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied());
    command
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn status(folder: &Path) -> Value {
    let told = ran(hub(
        "http://127.0.0.1:1",
        &[],
        &["status", "--hub", text(folder), "--format", "json"],
    ));
    assert_eq!(told.code, 0, "{}", told.stderr);
    let status: Value = serde_json::from_str(&told.stdout).expect("JSON");
    let count = |name: &str| status[name].as_u64().expect("a count");
    let parts = [
        "stored",
        "without_config",
        "gated",
        "broken",
        "failed",
        "to_fetch",
    ];
    assert_eq!(
        count("listed"),
        parts.into_iter().map(count).sum::<u64>(),
        "{status}"
    );
    status
}

/// Holds every checkpoint of the store against the truth.
fn compare(hub_: &Hub, folder: &Path) {
    let out = TempDir::new().expect("a folder");
    let exported = ran(hub(
        "http://127.0.0.1:1",
        &[],
        &["export", "--hub", text(folder), "--out", text(out.path())],
    ));
    assert_eq!(exported.code, 0, "{}", exported.stderr);
    let mut wanted: BTreeMap<&str, u64> = BTreeMap::new();
    let truth = hub_.truth();
    for item in &truth {
        let id = item["id"].as_str().expect("an id");
        let config = fs::read(out.path().join(id).join("config.json")).ok();
        let standing = match item["config"].as_str().expect("a word") {
            "ok" | "broken" => {
                let length = config.map(|config| config.len() as u64);
                assert_eq!(length, item["config_bytes"].as_u64(), "{id}");
                continue;
            }
            "missing" if item["access"].as_str().expect("a word").starts_with("gated") => "gated",
            "missing" => "without_config",
            "gated" => "gated",
            _ => "failed",
        };
        assert_eq!(config, None, "{id}");
        *wanted.entry(standing).or_default() += 1;
    }
    let status = status(folder);
    assert_eq!(status["listed"], truth.len());
    assert_eq!(status["to_fetch"], 0);
    for standing in ["without_config", "gated", "failed"] {
        assert_eq!(
            status[standing],
            wanted.get(standing).copied().unwrap_or(0),
            "{standing}"
        );
    }
}

#[test]
fn a_crawl_through_harsh_faults_brings_everything_and_a_second_one_asks_for_nothing() {
    let Some(server) = Hub::start(&[
        "--models",
        "400",
        "--faults",
        "harsh",
        "--stall-s",
        "3",
        "--slow-s",
        "1",
    ]) else {
        return;
    };
    let folder = TempDir::new().expect("a folder");
    let endpoint = format!("http://{}", server.address);
    let arguments = [
        "crawl",
        "--all",
        "--hub",
        text(folder.path()),
        "--stall",
        "1",
        "--format",
        "json",
        "-q",
    ];
    let first = ran(hub(&endpoint, &[("HF_TOKEN", "hf_reader")], &arguments));
    assert_eq!(first.code, 0, "{}{}", first.stdout, first.stderr);
    let summary: Value = serde_json::from_str(&first.stdout).expect("JSON");
    assert_eq!(summary["complete"], true);
    assert!(
        summary["leaderboards"]
            .as_array()
            .expect("a list")
            .iter()
            .all(|set| set["failure"].is_null())
    );
    compare(&server, folder.path());
    let stats = server.ask("GET", "/__stats");
    assert_eq!(
        stats["counters"]["cdn_requests_with_authorization"],
        Value::Null,
        "the token went elsewhere"
    );
    assert!(stats["counters"]["cdn_requests"].as_u64() > Some(0));

    let asked = |stats: &Value| stats["config_requests"].as_u64().expect("a count");
    let second = ran(hub(&endpoint, &[("HF_TOKEN", "hf_reader")], &arguments));
    assert_eq!(second.code, 0, "{}{}", second.stdout, second.stderr);
    assert_eq!(asked(&server.ask("GET", "/__stats")), asked(&stats));
}

#[test]
fn killed_in_the_middle_it_says_where_it_is_and_goes_on() {
    let Some(server) = Hub::start(&[
        "--models",
        "300",
        "--window-s",
        "2",
        "--quota-resolve",
        "60",
        "--no-resolve-cache",
    ]) else {
        return;
    };
    let folder = TempDir::new().expect("a folder");
    let endpoint = format!("http://{}", server.address);
    let arguments = [
        "crawl",
        "--all",
        "--no-leaderboards",
        "--hub",
        text(folder.path()),
        "-q",
    ];
    let mut first = hub(&endpoint, &[], &arguments)
        .stdout(Stdio::null())
        .spawn()
        .expect("the binary starts");
    // The quota keeps it busy for ten seconds.
    loop {
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(first.try_wait().expect("a child"), None);
        // Read while it writes.
        if folder.path().join("crawl.redb").exists() && status(folder.path())["stored"].as_u64() >= Some(20) {
            break;
        }
    }
    let second = ran(hub(&endpoint, &[], &arguments));
    assert_eq!(second.code, 2);
    assert!(
        second.stderr.contains("another run is using"),
        "{}",
        second.stderr
    );
    first.kill().expect("killed");
    first.wait().expect("ended");
    assert!(status(folder.path())["to_fetch"].as_u64() > Some(0));
    let third = ran(hub(&endpoint, &[], &arguments));
    assert_eq!(third.code, 0, "{}", third.stderr);
    compare(&server, folder.path());
    let stats = server.ask("GET", "/__stats");
    // The third run cannot know that the first used this window up: it asks once.
    assert!(stats["by_status"]["429"].as_u64().unwrap_or(0) <= 1, "{stats}");
}

/// Answers every request with the same page.
fn something_else() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\nConnection: close\r\n\r\n<html></html>",
            );
        }
    });
    address.to_string()
}

#[test]
fn what_cannot_work_is_said_with_what_to_do() {
    let folder = TempDir::new().expect("a folder");
    let other = something_else();
    let file = folder.path().join("file");
    fs::write(&file, "x").expect("a file");
    let inside = file.join("hub");
    let damaged = folder.path().join("damaged");
    fs::create_dir(&damaged).expect("a folder");
    fs::write(damaged.join("crawl.redb"), "no database").expect("a file");
    let good = folder.path().join("hub");
    let other_http = format!("http://{other}");
    let other_https = format!("https://{other}");
    let cases: [(&str, &Path, &str); 7] = [
        (&other_http, &good, "unexpected response from"),
        (&other_https, &good, "no secure connection"),
        ("http://127.0.0.1:1", &good, "no answer from"),
        ("huggingface.co", &good, "is not the address of a Hub"),
        (&other_http, &inside, "cannot make the folder"),
        (&other_http, &damaged, "cannot be used"),
        ("http://", &good, "is not the address of a Hub"),
    ];
    for (endpoint, hub_folder, words) in cases {
        let ran = ran(hub(
            endpoint,
            &[],
            &["crawl", "--hub", text(hub_folder), "--patience", "1"],
        ));
        assert_eq!(ran.code, 2, "{endpoint}: {}{}", ran.stdout, ran.stderr);
        assert!(
            ran.stderr.contains(words) && ran.stderr.contains("\n\nhint: "),
            "{endpoint}: {}",
            ran.stderr
        );
    }
    let none = ran(hub(
        "http://127.0.0.1:1",
        &[],
        &["status", "--hub", text(&folder.path().join("none"))],
    ));
    assert_eq!(none.code, 2);
    assert!(none.stderr.contains("holds no crawl"), "{}", none.stderr);
}

#[test]
fn a_wrong_token_is_named_by_its_place_and_never_shown() {
    let Some(server) = Hub::start(&["--models", "50"]) else {
        return;
    };
    let folder = TempDir::new().expect("a folder");
    let endpoint = format!("http://{}", server.address);
    let refused = ran(hub(
        &endpoint,
        &[("HF_TOKEN", "secret-of-mine")],
        &["crawl", "--hub", text(folder.path())],
    ));
    assert_eq!(refused.code, 2);
    assert!(
        refused.stderr.contains("refuses the token of HF_TOKEN"),
        "{}",
        refused.stderr
    );
    assert!(!refused.stderr.contains("secret-of-mine"), "{}", refused.stderr);
}

#[test]
fn a_few_by_name_also_under_an_old_name() {
    let Some(server) = Hub::start(&["--models", "400"]) else {
        return;
    };
    let folder = TempDir::new().expect("a folder");
    let endpoint = format!("http://{}", server.address);
    let truth = server.truth();
    let renamed = truth
        .iter()
        .find(|item| !item["old_id"].is_null() && item["config"] == "ok")
        .expect("a renamed one");
    let old = renamed["old_id"].as_str().expect("a name");
    let fetched = ran(hub(
        &endpoint,
        &[],
        &[
            "fetch",
            old,
            "no-such/checkpoint",
            "--hub",
            text(folder.path()),
            "--format",
            "json",
        ],
    ));
    assert_eq!(fetched.code, 1, "{}", fetched.stderr);
    let answer: Value = serde_json::from_str(&fetched.stdout).expect("JSON");
    assert_eq!(answer["checkpoints"][0]["id"], renamed["id"]);
    assert_eq!(answer["checkpoints"][0]["standing"], "stored");
    assert_eq!(answer["checkpoints"][0]["tag"], renamed["etag"]);
    assert_eq!(answer["checkpoints"][1]["standing"], Value::Null);
    assert_eq!(status(folder.path())["listed"], 1);
}
