//! Writes a folder of files that appear together or not at all.
//!
//! Everything is written to a temporary folder inside the target folder and moved at the end, so that an interrupted
//! run leaves the previous report intact. Other files in the folder are not touched.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

/// Files and folders that belong to the report.
const OWNED: [&str; 4] = ["figures", "tables", "findings.json", "report.html"];

/// A report being written.
pub(crate) struct Files {
    out: PathBuf,
    work: TempDir,
}

impl Files {
    /// Creates the folder where necessary and checks that it is writable.
    pub(crate) fn begin(out: &Path) -> Result<Self> {
        fs::create_dir_all(out).with_context(|| format!("cannot make the folder {}", out.display()))?;
        let work = tempfile::Builder::new()
            .prefix(".anatomy-report-")
            .tempdir_in(out)
            .with_context(|| format!("cannot write to the folder {}", out.display()))?;
        // An embedding program handles signals itself.
        if !crate::progress::making(work.path()) {
            let folder = work.path().to_path_buf();
            crate::signals::remove_when_interrupted(move || vec![folder]);
        }
        Ok(Self {
            out: out.to_path_buf(),
            work,
        })
    }

    /// Writes one file; `/` in its name separates folders.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        crate::progress::go_on()?;
        let path = self.work.path().join("new").join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Moves the new files to their final names.
    pub(crate) fn finish(self) -> Result<()> {
        crate::progress::go_on()?;
        let old = self.work.path().join("old");
        fs::create_dir_all(&old)?;
        for name in OWNED {
            let (new, place) = (self.work.path().join("new").join(name), self.out.join(name));
            if !new.exists() {
                continue;
            }
            if place.is_dir() {
                fs::rename(&place, old.join(name))
                    .with_context(|| format!("cannot replace {}", place.display()))?;
            }
            fs::rename(&new, &place).with_context(|| format!("cannot write {}", place.display()))?;
        }
        Ok(())
    }
}

/// Builder of temporary files that get the permissions of ordinary new files.
fn with_usual_modes() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The system applies the umask.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder
}

/// Writes a file under a temporary name in the same folder, and renames it.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut file = with_usual_modes()
        .tempfile_in(folder)
        .with_context(|| format!("cannot write to the folder {}", folder.display()))?;
    std::io::Write::write_all(&mut file, bytes)?;
    file.persist(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(())
}
