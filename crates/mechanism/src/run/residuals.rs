//! Residual streams of all groups, in the memory of the device that computes or in a file.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::decoder::{Cpu, Machine};
use crate::error::{Error, Result};

/// Counts the files created by this process, so that two runs do not share one.
static OPENED: AtomicUsize = AtomicUsize::new(0);

/// One residual stream for each group.
#[derive(Debug)]
pub enum Residuals<M: Machine = Cpu> {
    /// In memory.
    Memory(Vec<M::Rows>),
    /// In a file that is deleted when the value is dropped.
    Disk(Spilled),
}

/// Streams in a file, each group's at a fixed offset.
#[derive(Debug)]
pub struct Spilled {
    file: File,
    path: PathBuf,
    /// For each group, the offset in bytes and the number of values.
    places: Vec<(u64, usize)>,
}

impl Spilled {
    fn new(folder: &Path, lengths: impl ExactSizeIterator<Item = usize>) -> Result<Self> {
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
        Ok(Self { file, path, places })
    }

    fn take(&mut self, group: usize) -> Result<Vec<f32>> {
        let (at, length) = self.places[group];
        let mut bytes = vec![0; 4 * length];
        self.file
            .seek(SeekFrom::Start(at))
            .and_then(|_| self.file.read_exact(&mut bytes))
            .map_err(|source| Error::Read {
                path: self.path.clone(),
                source,
            })?;
        Ok(bytes
            .as_chunks::<4>()
            .0
            .iter()
            .map(|b| f32::from_le_bytes(*b))
            .collect())
    }

    fn store(&mut self, group: usize, stream: &[f32]) -> Result<()> {
        let bytes: Vec<u8> = stream.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.file
            .seek(SeekFrom::Start(self.places[group].0))
            .and_then(|_| self.file.write_all(&bytes))
            .map_err(|source| Error::Write {
                path: self.path.clone(),
                source,
            })
    }

    fn again(&mut self) -> Result<Self> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let mut other = Self::new(folder, self.places.iter().map(|(_, length)| *length))?;
        for group in 0..self.places.len() {
            other.store(group, &self.take(group)?)?;
        }
        Ok(other)
    }
}

impl Drop for Spilled {
    fn drop(&mut self) {
        // Nothing sensible can be done if the file has gone already.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl<M: Machine> Residuals<M> {
    /// Space for groups of `lengths` values each. A GPU keeps streams in its own memory even if `spill` is given.
    pub(crate) fn new(spill: Option<&Path>, lengths: impl ExactSizeIterator<Item = usize>) -> Result<Self> {
        match spill.filter(|_| M::IS_PROCESSOR) {
            Some(folder) => Ok(Self::Disk(Spilled::new(folder, lengths)?)),
            None => Ok(Self::Memory(lengths.map(|_| M::Rows::default()).collect())),
        }
    }

    /// A copy of the streams, in memory or in another file in the same folder.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Write`].
    pub(crate) fn again(&mut self, machine: &M) -> Result<Self> {
        let copied = |stream: &M::Rows| {
            let mut copy = M::Rows::default();
            machine.copy(stream, &mut copy);
            copy
        };
        Ok(match self {
            Self::Memory(streams) => Self::Memory(streams.iter().map(copied).collect()),
            Self::Disk(file) => Self::Disk(file.again()?),
        })
    }

    /// Takes out a group's stream.
    ///
    /// # Errors
    /// [`Error::Read`]; those of [`Machine::rows`].
    pub(crate) fn get(&mut self, machine: &M, group: usize) -> Result<M::Rows> {
        match self {
            Self::Memory(streams) => Ok(std::mem::take(&mut streams[group])),
            Self::Disk(file) => machine.rows(file.take(group)?),
        }
    }

    /// Stores a group's stream.
    ///
    /// # Errors
    /// [`Error::Write`]; those of [`Machine::read`].
    pub(crate) fn put(&mut self, machine: &M, group: usize, stream: M::Rows) -> Result<()> {
        match self {
            Self::Memory(streams) => streams[group] = stream,
            Self::Disk(file) => file.store(group, &machine.taken(stream)?)?,
        }
        Ok(())
    }

    /// Transfers the streams to CPU memory.
    ///
    /// # Errors
    /// Those of [`Machine::read`].
    pub(crate) fn here(self, machine: &M) -> Result<Residuals> {
        Ok(match self {
            Self::Memory(streams) => {
                let streams = streams.into_iter().map(|stream| machine.taken(stream));
                Residuals::Memory(streams.collect::<Result<_>>()?)
            }
            Self::Disk(file) => Residuals::Disk(file),
        })
    }
}

impl Residuals {
    /// Takes out a group's stream.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn take(&mut self, group: usize) -> Result<Vec<f32>> {
        self.get(&Cpu, group)
    }

    /// Stores a group's stream.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn store(&mut self, group: usize, stream: Vec<f32>) -> Result<()> {
        self.put(&Cpu, group, stream)
    }
}
