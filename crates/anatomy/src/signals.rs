//! Handles termination signals.

use std::path::PathBuf;

/// On a termination signal, removes the incomplete folders that `folders` returns at that time, and ends the program.
/// Earlier content stays intact.
pub(crate) fn remove_when_interrupted(folders: impl FnOnce() -> Vec<PathBuf> + Send + 'static) {
    let (ready, is_ready) = std::sync::mpsc::channel();
    // If the thread cannot be started, incomplete folders are simply left behind.
    let _ = std::thread::Builder::new()
        .name("interrupt".into())
        .spawn(move || {
            let Ok(waiting) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
                return;
            };
            waiting.block_on(async {
                let heard = interrupted();
                let _ = ready.send(());
                heard.await;
            });
            for folder in folders().iter().filter(|folder| folder.exists()) {
                let _ = std::fs::remove_dir_all(folder);
            }
            std::process::exit(INTERRUPTED);
        });
    // Wait until the thread listens, before the first folder is created.
    let _ = is_ready.recv();
}

/// Exit status of an interrupted program, by shell convention.
const INTERRUPTED: i32 = 130;

/// Waits for SIGINT or SIGTERM. Signals are caught from this call on, not only once the future is polled, since another
/// process may send one as soon as it knows of this program.
pub(crate) fn interrupted() -> impl Future<Output = ()> {
    #[cfg(unix)]
    let heard = {
        use tokio::signal::unix::{SignalKind, signal};
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    };
    async move {
        #[cfg(unix)]
        if let (Ok(mut interrupt), Ok(mut terminate)) = heard {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
        let _ = tokio::signal::ctrl_c().await;
    }
}
