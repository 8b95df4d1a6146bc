//! Shows progress on standard error: a bar with the time left on a terminal, else a line every ten seconds.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle, WeakProgressBar};

/// Interval between lines where standard error is not a terminal.
const LINE: Duration = Duration::from_secs(10);

/// A progress bar over `steps` steps, hidden when quiet; lines where standard error is not a terminal.
pub(crate) fn bar(quiet: bool, steps: u64, what: &str) -> ProgressBar {
    let watched = WATCHED.with_borrow(Clone::clone);
    let bar = ProgressBar::with_draw_target(
        Some(steps),
        if quiet || watched.is_some() {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        },
    );
    let style = ProgressStyle::with_template("{msg:<28} {bar:30} {pos}/{len}  {left}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("left", |state: &ProgressState, text: &mut dyn std::fmt::Write| {
            let left = left(state.pos(), state.len(), state.elapsed());
            let _ = text.write_str(&left);
        });
    bar.set_style(style);
    bar.set_message(what.to_string());
    if let Some(Watcher { bar: place, .. }) = watched {
        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
        return bar;
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    if !quiet && !std::io::stderr().is_terminal() && steps > 0 {
        tell(bar.downgrade());
    }
    bar
}

/// Prints a line of progress at intervals, until the bar is finished or dropped.
fn tell(bar: WeakProgressBar) {
    let _ = std::thread::Builder::new()
        .name("progress".into())
        .spawn(move || {
            loop {
                std::thread::sleep(LINE);
                let Some(bar) = bar.upgrade().filter(|bar| !bar.is_finished()) else {
                    return;
                };
                crate::output::say(
                    false,
                    &line(&bar.message(), bar.position(), bar.length(), bar.elapsed()),
                );
            }
        });
}

/// `scale: 3 of 70 steps, 40s so far, about 14m left`.
fn line(what: &str, done: u64, all: Option<u64>, elapsed: Duration) -> String {
    let mut text = format!("{what}: {done}");
    if let Some(all) = all {
        let _ = write!(text, " of {all}");
    }
    let _ = write!(text, " steps, {} so far", in_words(elapsed));
    let left = left(done, all, elapsed);
    if !left.is_empty() {
        let _ = write!(text, ", {left}");
    }
    text
}

/// Estimated time left; empty before the first step, when there is nothing to estimate it from.
fn left(done: u64, all: Option<u64>, elapsed: Duration) -> String {
    match all {
        Some(all) if done > 0 && all > done => {
            let each = elapsed.as_secs_f64() / done as f64;
            format!(
                "about {} left",
                in_words(Duration::from_secs_f64(each * (all - done) as f64))
            )
        }
        _ => String::new(),
    }
}

fn in_words(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m {seconds}s"),
        (hours, minutes, _) => format!("{hours}h {minutes}m"),
    }
}

/// Lets another thread observe the progress of a command, and stop it.
#[derive(Debug, Clone, Default)]
pub struct Watcher {
    bar: Arc<Mutex<Option<ProgressBar>>>,
    is_stopped: Arc<AtomicBool>,
    making: Arc<Mutex<Option<PathBuf>>>,
}

impl Watcher {
    /// Stops the command: a study ends after its current section and writes nothing. A folder being written is removed
    /// at once, since the process may end before the command does.
    pub fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
        let making = self.making.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(folder) = making {
            // The folder is gone if the command has just finished.
            let _ = std::fs::remove_dir_all(folder);
        }
    }

    /// Current activity, steps done, total steps (0 where unknown); `None` before the first and after the last step.
    pub fn now(&self) -> Option<(String, u64, u64)> {
        let place = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = place.as_ref().filter(|bar| !bar.is_finished())?;
        Some((bar.message(), bar.position(), bar.length().unwrap_or_default()))
    }
}

thread_local! {
    static WATCHED: RefCell<Option<Watcher>> = const { RefCell::new(None) };
}

/// Whether this thread runs a command for another program, which handles signals and the terminal itself.
pub(crate) fn is_watched() -> bool {
    WATCHED.with_borrow(Option::is_some)
}

/// Registers the folder being written, for [`Watcher::stop`]. Returns false where this thread has no watcher.
pub(crate) fn making(folder: &Path) -> bool {
    WATCHED.with_borrow(|watcher| {
        let Some(watcher) = watcher else { return false };
        *watcher.making.lock().unwrap_or_else(PoisonError::into_inner) = Some(folder.to_path_buf());
        true
    })
}

/// Fails if the command was stopped.
///
/// # Errors
/// [`Watcher::stop`] was called.
pub(crate) fn go_on() -> anyhow::Result<()> {
    let is_stopped = WATCHED.with_borrow(|watcher| {
        watcher
            .as_ref()
            .is_some_and(|watcher| watcher.is_stopped.load(Ordering::Relaxed))
    });
    anyhow::ensure!(!is_stopped, "stopped, since nobody waits for the answer");
    Ok(())
}

/// Runs `work` on this thread with progress reported to the watcher instead of the terminal.
pub(crate) fn watched<T>(watcher: &Watcher, work: impl FnOnce() -> T) -> T {
    let outer = WATCHED.replace(Some(watcher.clone()));
    let done = work();
    WATCHED.set(outer);
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_answer_goes_no_further() {
        let watcher = Watcher::default();
        assert!(!is_watched() && go_on().is_ok());
        watched(&watcher, || {
            assert!(is_watched() && go_on().is_ok());
            watcher.stop();
            assert!(go_on().is_err());
        });
        assert!(go_on().is_ok());
    }

    #[test]
    fn the_time_left_is_not_told_before_the_first_step() {
        let forty = Duration::from_secs(40);
        assert_eq!(
            line("scale", 0, Some(70), forty),
            "scale: 0 of 70 steps, 40s so far"
        );
        assert_eq!(
            line("scale", 10, Some(70), forty),
            "scale: 10 of 70 steps, 40s so far, about 4m 0s left"
        );
        assert_eq!(line("reading", 7, None, forty), "reading: 7 steps, 40s so far");
    }
}
