//! The item table as JSON lines, written row by row so that an interrupted evaluation can be resumed.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::answer::Answer;
use super::tasks::Item;
use crate::error::{Error, Result};

/// The items of shard `index` of `count`: every `count`-th item from index `index` on.
pub fn shard(items: Vec<Item>, index: usize, count: usize) -> Vec<Item> {
    items.into_iter().skip(index).step_by(count.max(1)).collect()
}

/// An item table on disk, open for appending.
#[derive(Debug)]
pub struct Table {
    path: PathBuf,
    file: File,
}

impl Table {
    /// Opens or creates a table for the answers of checkpoint `id` to `items`, and returns the rows it already has; an
    /// incomplete last line is removed.
    ///
    /// # Errors
    /// [`Error::OtherItems`] if a row does not match the item at its index, or belongs to another checkpoint;
    /// [`Error::Malformed`] for a complete line that is not a row; [`Error::Read`], [`Error::Write`].
    pub fn open(path: &Path, id: &str, items: &[Item]) -> Result<(Self, Vec<Answer>)> {
        let unreadable = |source| Error::Read {
            path: path.to_path_buf(),
            source,
        };
        let mut options = OpenOptions::new();
        let mut file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(unreadable)?;
        let mut rows: Vec<Answer> = Vec::new();
        let mut end = 0;
        let mut reader = BufReader::new(&file);
        loop {
            let mut line = Vec::new();
            let n = reader.read_until(b'\n', &mut line).map_err(unreadable)?;
            if n == 0 || line.last() != Some(&b'\n') {
                break;
            }
            let row: Answer = serde_json::from_slice(&line).map_err(|error| Error::Malformed {
                path: path.to_path_buf(),
                what: format!("line {}: {error}", rows.len() + 1),
                at: end,
            })?;
            let expected = items
                .get(rows.len())
                .map(|item| (item.task.to_string(), item.doc_id));
            if expected.as_ref() != Some(&(row.task.clone(), row.doc_id)) {
                let none = ("the end".to_owned(), items.len());
                let (task, doc_id) = expected.unwrap_or(none);
                return Err(Error::OtherItems {
                    path: path.to_path_buf(),
                    line: rows.len() + 1,
                    found: format!("{} {}", row.task, row.doc_id),
                    expected: format!("{task} {doc_id}"),
                });
            }
            if !row.id.is_empty() && row.id != id {
                return Err(Error::OtherItems {
                    path: path.to_path_buf(),
                    line: rows.len() + 1,
                    found: format!("checkpoint {}", row.id),
                    expected: format!("checkpoint {id}"),
                });
            }
            rows.push(row);
            end += n as u64;
        }
        drop(reader);
        let failed = |source| Error::Write {
            path: path.to_path_buf(),
            source,
        };
        file.set_len(end).map_err(failed)?;
        file.seek(SeekFrom::Start(end)).map_err(failed)?;
        let path = path.to_path_buf();
        Ok((Self { path, file }, rows))
    }

    /// Appends a row.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn add(&mut self, row: &Answer) -> Result<()> {
        let failed = |source| Error::Write {
            path: self.path.clone(),
            source,
        };
        let mut line = serde_json::to_vec(row).map_err(|e| failed(std::io::Error::other(e)))?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(failed)
    }
}
