//! Memory-mapped access to parts of a file.

use std::fs::File;
use std::path::Path;

use crate::error::{Error, Result};

/// Maps `n_bytes` of a file from offset `start`, passes them to `read`, and unmaps them.
#[expect(
    unsafe_code,
    reason = "memory-mapping weights: read-only, its range checked against the file's length"
)]
pub(crate) fn with_bytes(
    file: &File,
    path: &Path,
    start: u64,
    n_bytes: usize,
    read: impl FnOnce(&[u8]),
) -> Result<()> {
    let failed = |source| Error::Read {
        path: path.to_path_buf(),
        source,
    };
    // The file may have been truncated since its header was read; a mapping beyond its end would kill the process.
    let length = file.metadata().map_err(failed)?.len();
    if start.checked_add(n_bytes as u64).is_none_or(|end| end > length) {
        return Err(Error::Malformed {
            path: path.to_path_buf(),
            what: format!("{n_bytes} bytes wanted of a file of {length}"),
            at: start,
        });
    }
    // SAFETY: the mapping is read-only, inside the file, and lives only for this call.
    let map = unsafe { memmap2::MmapOptions::new().offset(start).len(n_bytes).map(file) }.map_err(failed)?;
    read(&map);
    Ok(())
}

/// The error message for a file that begins like a Git LFS pointer.
pub(crate) const POINTER: &str =
    "a Git LFS pointer, not the file it stands for: `git lfs pull` in its folder fetches that";
