//! Writes files atomically: they appear complete or not at all.

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::hub::error::Error;

/// Writes to a temporary file in the same folder, which is created if necessary, and renames it.
///
/// # Errors
/// [`Error::Io`].
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(Error::io("make the folder", folder))?;
    let mut file = beside(path)?;
    file.write_all(bytes).map_err(Error::io("write", path))?;
    file.persist(path)
        .map_err(|error| Error::io("write", path)(error.error))?;
    Ok(())
}

/// A temporary file next to `path`, to be renamed to it; its permissions follow the user's umask.
///
/// # Errors
/// [`Error::Io`].
pub(crate) fn beside(path: &Path) -> Result<tempfile::NamedTempFile, Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder
        .tempfile_in(folder)
        .map_err(Error::io("write to the folder", folder))
}
