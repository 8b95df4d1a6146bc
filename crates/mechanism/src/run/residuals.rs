//! Residual streams of all groups, in memory or in one file.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Error, Result};

/// Files opened by this process, so that two runs do not share one.
static OPENED: AtomicUsize = AtomicUsize::new(0);

/// Streams by group.
#[derive(Debug)]
pub enum Residuals {
    /// In memory.
    Memory(Vec<Vec<f32>>),
    /// In a file that is removed at the end; each group at its offset.
    Disk {
        /// The file.
        file: File,
        /// Its name.
        path: PathBuf,
        /// Offset in bytes and values of each group.
        places: Vec<(u64, usize)>,
    },
}

impl Residuals {
    /// Room for groups of `lengths` values.
    pub(crate) fn new(spill: Option<&Path>, lengths: impl ExactSizeIterator<Item = usize>) -> Result<Self> {
        let Some(folder) = spill else {
            return Ok(Self::Memory(vec![Vec::new(); lengths.len()]));
        };
        let number = OPENED.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("residuals-{}-{number}.f32", std::process::id()));
        let failed = |source| Error::Write {
            path: path.clone(),
            source,
        };
        let mut options = std::fs::OpenOptions::new();
        let file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .map_err(failed)?;
        let mut at = 0;
        let places = lengths
            .map(|length| {
                let place = (at, length);
                at += 4 * length as u64;
                place
            })
            .collect();
        Ok(Self::Disk { file, path, places })
    }

    /// The same streams once more, in memory or in a file beside the other.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Write`].
    pub(crate) fn again(&mut self) -> Result<Self> {
        let (path, places) = match self {
            Self::Memory(streams) => return Ok(Self::Memory(streams.clone())),
            Self::Disk { path, places, .. } => (path.clone(), places.clone()),
        };
        let mut other = Self::new(path.parent(), places.iter().map(|(_, length)| *length))?;
        for group in 0..places.len() {
            other.store(group, self.take(group)?)?;
        }
        Ok(other)
    }

    /// Takes a group's stream out.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn take(&mut self, group: usize) -> Result<Vec<f32>> {
        match self {
            Self::Memory(streams) => Ok(std::mem::take(&mut streams[group])),
            Self::Disk { file, path, places } => {
                let (at, length) = places[group];
                let mut bytes = vec![0; 4 * length];
                file.seek(SeekFrom::Start(at))
                    .and_then(|_| file.read_exact(&mut bytes))
                    .map_err(|source| Error::Read {
                        path: path.clone(),
                        source,
                    })?;
                Ok(bytes
                    .as_chunks::<4>()
                    .0
                    .iter()
                    .map(|b| f32::from_le_bytes(*b))
                    .collect())
            }
        }
    }

    /// Puts a group's stream in.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn store(&mut self, group: usize, stream: Vec<f32>) -> Result<()> {
        match self {
            Self::Memory(streams) => streams[group] = stream,
            Self::Disk { file, path, places } => {
                let bytes: Vec<u8> = stream.iter().flat_map(|v| v.to_le_bytes()).collect();
                file.seek(SeekFrom::Start(places[group].0))
                    .and_then(|_| file.write_all(&bytes))
                    .map_err(|source| Error::Write {
                        path: path.clone(),
                        source,
                    })?;
            }
        }
        Ok(())
    }
}

impl Drop for Residuals {
    fn drop(&mut self) {
        if let Self::Disk { path, .. } = self {
            // Nothing sensible can be done if the file has gone already.
            let _ = std::fs::remove_file(path);
        }
    }
}
