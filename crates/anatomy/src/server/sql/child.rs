//! A child process that runs SQL: driven over standard input, killed on timeout.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use super::Said;

/// Address space beyond the engine's pool: for the program, stacks of its threads, the catalog and the answer.
const ROOM: usize = 1 << 30;

/// Timeout for the start of a child, until it reports that it is ready.
const START: Duration = Duration::from_secs(15);

/// Why a child gave no answer.
#[derive(Debug)]
pub(super) enum Gone {
    /// The child was dead before it received the statement, or could not be started.
    Before,
    /// The child died while running the statement.
    During,
    /// The child was killed after the time limit.
    Late,
    /// The answer of this many bytes exceeds the limit.
    Large(usize),
}

/// A running child.
pub(super) struct Child {
    process: std::process::Child,
    pipes: Option<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Child {
    /// Starts this program with `arguments`, on Unix with a limited address space (`memory` and `ROOM`), and waits
    /// until it is ready.
    pub(super) async fn start(arguments: &[String], memory: usize) -> Result<Self, Gone> {
        let program = crate::provenance::program().map_err(|_| Gone::Before)?;
        let mut command = if cfg!(unix) {
            let kilobytes = (memory + ROOM) / 1024;
            let mut shell = Command::new("/bin/sh");
            // With lower priority than the server, where `nice` is installed.
            shell.arg("-c").arg(format!(
                "ulimit -v {kilobytes} 2>/dev/null; ulimit -c 0 2>/dev/null; \
                 if command -v nice >/dev/null 2>&1; then exec nice -n 5 \"$0\" \"$@\"; else exec \"$0\" \"$@\"; fi"
            ));
            shell.arg(program);
            shell
        } else {
            Command::new(program)
        };
        command
            .args(arguments)
            .env("RUST_BACKTRACE", "0")
            // Allocators reserve the limited address space by arenas: those of C code by 64 MiB a thread, the program's own by
            // 1 GiB if not told otherwise.
            .env("MALLOC_ARENA_MAX", "2")
            .env("MIMALLOC_ARENA_RESERVE", "64MiB")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let started = tokio::task::spawn_blocking(move || command.spawn()).await;
        let mut process = started.map_err(|_| Gone::Before)?.map_err(|_| Gone::Before)?;
        let (to, from) = process
            .stdin
            .take()
            .zip(process.stdout.take())
            .ok_or(Gone::Before)?;
        let mut child = Self { process, pipes: None };
        // It prints a line once its tables are loaded; this does not count towards a statement's time.
        let ready = tokio::task::spawn_blocking(move || {
            let mut from = BufReader::new(from);
            let mut line = String::new();
            let said = from.read_line(&mut line);
            (said.is_ok_and(|read| read > 0), to, from)
        });
        match tokio::time::timeout(START, ready).await {
            Ok(Ok((true, to, from))) => {
                child.pipes = Some((to, from));
                Ok(child)
            }
            _ => Err(Gone::Before),
        }
    }

    /// Sends one line and waits for the answer, at most for `time`.
    pub(super) async fn ask(
        &mut self,
        line: String,
        time: Duration,
        most: usize,
    ) -> Result<(Said, Vec<u8>), Gone> {
        let (mut to, mut from) = self.pipes.take().ok_or(Gone::Before)?;
        let talk = tokio::task::spawn_blocking(move || {
            let answer = exchange(&mut to, &mut from, &line, most);
            (answer, to, from)
        });
        match tokio::time::timeout(time, talk).await {
            // The thread ends when the killed child's pipes close.
            Err(_) => Err(Gone::Late),
            Ok(Err(_)) => Err(Gone::During),
            Ok(Ok((answer, to, from))) => {
                self.pipes = Some((to, from));
                answer
            }
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // The process may have ended already; make sure that nothing is left.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn exchange(
    to: &mut ChildStdin,
    from: &mut BufReader<ChildStdout>,
    line: &str,
    most: usize,
) -> Result<(Said, Vec<u8>), Gone> {
    writeln!(to, "{line}").map_err(|_| Gone::Before)?;
    to.flush().map_err(|_| Gone::Before)?;
    let mut head = String::new();
    from.take(1 << 16)
        .read_line(&mut head)
        .map_err(|_| Gone::During)?;
    let said: Said = serde_json::from_str(&head).map_err(|_| Gone::During)?;
    if said.bytes > most {
        return Err(Gone::Large(said.bytes));
    }
    let mut body = vec![0; said.bytes];
    from.read_exact(&mut body).map_err(|_| Gone::During)?;
    Ok((said, body))
}
