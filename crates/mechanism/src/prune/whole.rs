//! Writes files so that they appear completely or not at all.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use crate::error::{Error, Result};

/// Writes to a temporary file in the same folder, then renames it to `path`.
pub(crate) fn write_then_rename(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<()> {
    let failed = |source| Error::Write {
        path: path.to_path_buf(),
        source,
    };
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    let result = (|| {
        let mut file = BufWriter::new(File::create(&temporary)?);
        write(&mut file)?;
        file.into_inner()
            .map_err(std::io::IntoInnerError::into_error)?
            .sync_all()?;
        std::fs::rename(&temporary, path)
    })();
    if result.is_err() {
        // The incomplete file is useless; it does not matter if it is already gone.
        let _ = std::fs::remove_file(&temporary);
    }
    result.map_err(failed)
}
