//! Temporary folders that are being written, so that a program asked to terminate can remove them.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

static MAKING: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn making() -> MutexGuard<'static, Vec<PathBuf>> {
    MAKING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Registers a folder that is being written; folders that no longer exist are dropped from the list.
pub(crate) fn begin(folder: &Path) {
    let mut all = making();
    all.retain(|known| known.exists());
    all.push(folder.to_owned());
}

/// Unregisters a folder that is complete and about to be renamed.
pub(crate) fn whole(folder: &Path) {
    making().retain(|known| known != folder);
}

/// The folders that are being written.
pub fn folders() -> Vec<PathBuf> {
    making().clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_named_until_it_is_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("out");
        let made = crate::build::beside(&out, ".catalog-").expect("a folder beside");
        let place = made.path().to_owned();
        assert!(folders().contains(&place));
        crate::build::put_in_place(made, &out).expect("moved");
        assert!(!folders().contains(&place) && out.is_dir());
    }
}
