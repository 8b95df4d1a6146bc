//! Progress on standard error: a bar with rate and time left where a person looks on, nothing elsewhere.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar over `steps` steps, hidden when quiet or when standard error is no terminal.
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
    let style = ProgressStyle::with_template("{msg:<28} {bar:30} {pos}/{len}  {per_sec}  {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style);
    bar.set_message(what.to_string());
    if let Some(Watcher(place)) = watched {
        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
    } else {
        bar.enable_steady_tick(Duration::from_millis(200));
    }
    bar
}

/// Sees from another thread how far an answer is.
#[derive(Debug, Clone, Default)]
pub struct Watcher(Arc<Mutex<Option<ProgressBar>>>);

impl Watcher {
    /// What is worked on, steps done, and steps in all (0 where that is not known); nothing before the first step or after the
    /// last.
    pub fn now(&self) -> Option<(String, u64, u64)> {
        let place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = place.as_ref().filter(|bar| !bar.is_finished())?;
        Some((bar.message(), bar.position(), bar.length().unwrap_or_default()))
    }
}

thread_local! {
    static WATCHED: RefCell<Option<Watcher>> = const { RefCell::new(None) };
}

/// Works on this thread; bars are shown to the watcher and to no terminal.
pub(crate) fn watched<T>(watcher: &Watcher, work: impl FnOnce() -> T) -> T {
    let outer = WATCHED.replace(Some(watcher.clone()));
    let done = work();
    WATCHED.set(outer);
    done
}
