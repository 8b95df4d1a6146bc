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

impl Server {
    /// Starts `anatomy serve --port 0` with `arguments`, as a shell reads them.
    pub(crate) fn start(arguments: &str) -> Self {
        let mut shell = Command::new("/bin/sh")
            .arg("-c")
            .arg(format!(
                "\"$0\" serve --port 0 {arguments} & pid=$!; read line; kill $pid; wait $pid"
            ))
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
        Self {
            address,
            hold: shell.stdin.take().expect("piped"),
            shell,
        }
    }

    /// Waits until `what` of the server's health is ready: the study, or the fits behind predictions.
    pub(crate) fn ready(&self, what: &str) -> &str {
        let started = Instant::now();
        loop {
            let health = get(&self.address, "/api/v1/health").json();
            if health[what] == "ready" {
                return &self.address;
            }
            assert_eq!(health[what], "computing", "{health}");
            assert!(
                started.elapsed() < Duration::from_mins(10),
                "still computing: {health}"
            );
            std::thread::sleep(Duration::from_millis(500));
        }
    }
}

/// One server for all tests that do not end it.
pub(crate) fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        Server::start("--resamples 100 --only dimensions,correlations,trends --sql-seconds 6")
    })
}

/// Waits until the study is computed.
pub(crate) fn studied() -> &'static str {
    server().ready("study")
}

/// Waits until the fits behind predictions are made too.
pub(crate) fn fitted() -> &'static str {
    studied();
    server().ready("fits")
}
