//! Progress on standard error: a bar with rate and time left where a person looks on, nothing elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar over `steps` steps, hidden when quiet or when standard error is no terminal.
pub(crate) fn bar(quiet: bool, steps: u64, what: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(
        Some(steps),
        if quiet {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        },
    );
    let style = ProgressStyle::with_template("{msg:<28} {bar:30} {pos}/{len}  {per_sec}  {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style);
    bar.set_message(what.to_string());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
