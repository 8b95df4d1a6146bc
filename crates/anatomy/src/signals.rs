//! What the system asks of a program that runs on.

use std::path::PathBuf;

/// Removes the folders that are only in the making, and ends the program, when it is interrupted before it is done: `folders`
/// says which those are then. What was there before stays whole.
pub(crate) fn remove_when_interrupted(folders: impl FnOnce() -> Vec<PathBuf> + Send + 'static) {
    let (ready, is_ready) = std::sync::mpsc::channel();
    // Without a thread to wait on the folders stay where they are, as before.
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
    // It listens before the first folder is begun.
    let _ = is_ready.recv();
}

/// What shells call the end of an interrupted program.
const INTERRUPTED: i32 = 130;

/// Waits for an interrupt (SIGINT), or for being asked to end (SIGTERM). It is listened for from this call on, not only from when
/// it is waited for: whoever hears of this program after it may ask it to end at once.
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
