//! Commands answered in this process, on a thread of their own, so that Ctrl-C is heard and progress is shown meanwhile.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use ::anatomy::{Answer, Failure, Watcher};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Between two looks at signals and progress.
const LOOK: Duration = Duration::from_millis(100);

/// What a command gave: its output, what it said besides, and whether it found anything.
type Told<'py> = (Bound<'py, PyBytes>, Vec<String>, bool);

/// Answers the command that `words` would type. `progress` is called with what is worked on, steps done and steps in all.
///
/// Other Python threads run meanwhile. Ctrl-C raises `KeyboardInterrupt` at once; what is being worked on ends in the background (a
/// study with its current section), and a report is not written.
#[expect(clippy::needless_pass_by_value, reason = "Python hands over values")]
#[pyfunction]
#[pyo3(signature = (words, progress=None))]
pub(crate) fn ask<'py>(
    py: Python<'py>,
    words: Vec<String>,
    progress: Option<Bound<'py, PyAny>>,
) -> PyResult<Told<'py>> {
    let watcher = Watcher::default();
    let answer = waited(py, &watcher, progress.as_ref(), {
        let watcher = watcher.clone();
        move || ::anatomy::ask(&words, &watcher)
    })?;
    match answer {
        Ok(Answer { results, said, found }) => Ok((PyBytes::new(py, &results), said, found)),
        Err(Failure { message, hint }) => Err(failure(py, message, hint)),
    }
}

/// Runs `work` on a thread of its own and waits for it without holding the interpreter.
pub(crate) fn waited<T: Send + 'static>(
    py: Python<'_>,
    watcher: &Watcher,
    progress: Option<&Bound<'_, PyAny>>,
    work: impl FnOnce() -> T + Send + 'static,
) -> PyResult<T> {
    let (sender, receiver) = channel();
    // Statements nest deeply, and are read by recursion.
    let thread = std::thread::Builder::new()
        .name("anatomy".into())
        .stack_size(16 << 20);
    thread.spawn(move || {
        // Nobody listens after Ctrl-C.
        let _ = sender.send(work());
    })?;
    let receiver = std::sync::Mutex::new(receiver);
    loop {
        let heard = py.detach(|| match receiver.lock() {
            Ok(receiver) => receiver.recv_timeout(LOOK),
            Err(_) => Err(RecvTimeoutError::Disconnected),
        });
        match heard {
            Ok(done) => return Ok(done),
            Err(RecvTimeoutError::Timeout) => {
                py.check_signals().inspect_err(|_| watcher.stop())?;
                if let (Some(progress), Some(now)) = (progress, watcher.now()) {
                    progress.call1(now)?;
                }
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(PyRuntimeError::new_err(
                    "this question met a fault of the program",
                ));
            }
        }
    }
}

/// `anatomy.AnatomyError`, with what to do about it.
pub(crate) fn failure(py: Python<'_>, message: String, hint: Option<String>) -> PyErr {
    let made = py
        .import("anatomy._errors")
        .and_then(|module| module.getattr("AnatomyError"))
        .and_then(|class| class.call1((message, hint)));
    match made {
        Ok(error) => PyErr::from_value(error),
        Err(other) => other,
    }
}

/// The command line itself: `words` begin with the program's name, and `program` starts it again. Returns the exit status.
#[expect(clippy::needless_pass_by_value, reason = "Python hands over values")]
#[pyfunction]
pub(crate) fn main(py: Python<'_>, words: Vec<String>, program: PathBuf) -> u8 {
    let ended = py.detach(|| ::anatomy::main_as(&words, program));
    [ExitCode::SUCCESS, ExitCode::from(1)]
        .iter()
        .position(|known| *known == ended)
        .map_or(2, |status| status as u8)
}
