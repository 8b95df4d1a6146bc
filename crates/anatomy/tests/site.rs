//! The server that tests share.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::http::get;

/// A server of this test run. A shell stands between: it ends the server when this process is gone, however it goes.
pub(crate) struct Server {
    pub(crate) address: String,
    #[expect(dead_code, reason = "closing it ends the server")]
    hold: ChildStdin,
    #[expect(dead_code, reason = "the shell between")]
    shell: Child,
}

/// One server for all tests that do not end it.
pub(crate) fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let mut shell = Command::new("/bin/sh")
            .arg("-c")
            .arg("\"$0\" serve --port 0 --resamples 100 --only dimensions,correlations,trends --sql-seconds 6 & pid=$!; read line; kill $pid; wait $pid")
            .arg(env!("CARGO_BIN_EXE_anatomy"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut line = String::new();
        let mut out = BufReader::new(shell.stdout.take().expect("piped"));
        out.read_line(&mut line).expect("an address");
        let address = line
            .trim()
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .to_owned();
        Server {
            address,
            hold: shell.stdin.take().expect("piped"),
            shell,
        }
    })
}

/// Waits until the study is computed.
pub(crate) fn studied() -> &'static str {
    ready("study")
}

/// Waits until the fits behind predictions are made too.
pub(crate) fn fitted() -> &'static str {
    ready("study");
    ready("fits")
}

fn ready(what: &str) -> &'static str {
    let address = server().address.as_str();
    let started = Instant::now();
    loop {
        let health = get(address, "/api/v1/health").json();
        if health[what] == "ready" {
            return address;
        }
        assert_eq!(health[what], "computing", "{health}");
        assert!(
            started.elapsed() < Duration::from_mins(10),
            "still computing: {health}"
        );
        std::thread::sleep(Duration::from_millis(500));
    }
}
