//! GGUF files: header, metadata and tensor table, validated against the file's length before anything is allocated.
//!
//! Layout: `magic, version, n_tensors, n_values, (key, type, value)*, (name, dims, type, offset)*`, then tensor data
//! aligned to `general.alignment`. Source: ggml's `docs/gguf.md`, versions 2 and 3, little endian.

mod blocks;
mod k_quants;
mod quantization;
mod rows;
mod value;

pub(crate) use blocks::half;
pub(crate) use rows::{read_whole, rows_of, stored_rows_of};

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

pub use quantization::GgmlType;
pub use value::Value;

use crate::error::{Error, Result};
use value::Cursor;

/// One tensor's entry in the table.
#[derive(Debug, Clone)]
pub struct TensorEntry {
    /// Shape, outermost first (the file stores it innermost first).
    pub shape: Vec<usize>,
    /// Storage type.
    pub dtype: GgmlType,
    /// Index of the file that holds it; other than 0 only in a checkpoint split into several files.
    pub file: usize,
    /// Offset of its first byte in the file.
    pub start: u64,
    /// Its size in bytes.
    pub n_bytes: u64,
}

/// An open GGUF file: metadata in memory, tensors on disk.
#[derive(Debug)]
pub struct Gguf {
    /// Path of the file; of a split checkpoint, of the first part.
    pub path: PathBuf,
    /// The open file at `path`.
    pub file: File,
    /// The other parts of a split checkpoint, in order.
    pub others: Vec<(PathBuf, File)>,
    /// Metadata by key.
    pub metadata: BTreeMap<String, Value>,
    /// Tensors by name.
    pub tensors: BTreeMap<String, TensorEntry>,
}

impl Gguf {
    /// Opens a file, with all parts of a split checkpoint, and reads the headers.
    ///
    /// # Errors
    /// [`Error::Read`] if a file cannot be read, [`Error::Malformed`] if a length, type or offset in a header does not
    /// fit its file, or if a part is missing.
    pub fn open(path: &Path) -> Result<Self> {
        let (file, (metadata, tensors)) = open_one(path)?;
        let count = metadata.get("split.count").and_then(Value::as_u64).unwrap_or(1);
        let whole = Self {
            path: path.to_path_buf(),
            file,
            others: Vec::new(),
            metadata,
            tensors,
        };
        if count > 1 {
            whole.with_parts(count)
        } else {
            Ok(whole)
        }
    }

    /// Opens all parts of a split checkpoint, whichever part was opened first: `name-00002-of-00003.gguf`.
    fn with_parts(self, count: u64) -> Result<Self> {
        let wrong = |what: String| Error::Malformed {
            path: self.path.clone(),
            what,
            at: 0,
        };
        let own = self.number("split.no").unwrap_or(0);
        let ending = |number: u64| format!("-{:05}-of-{count:05}.gguf", number + 1);
        let name = self
            .path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let Some(before) = name.strip_suffix(&ending(own)) else {
            return Err(wrong(format!(
                "part {} of {count} of a checkpoint that was cut (split.count); its name must end in {} for the others to be found",
                own + 1,
                ending(own)
            )));
        };
        let (mut metadata, mut tensors) = (BTreeMap::new(), BTreeMap::new());
        let mut files = Vec::new();
        for number in 0..count {
            let path = self.path.with_file_name(format!("{before}{}", ending(number)));
            if !path.is_file() {
                return Err(wrong(format!(
                    "part {} of {count} of a checkpoint that was cut (split.count); part {} is not beside it: {}",
                    own + 1,
                    number + 1,
                    path.display()
                )));
            }
            let (file, (own_metadata, own_tensors)) = open_one(&path)?;
            for (key, value) in own_metadata {
                metadata.entry(key).or_insert(value);
            }
            for (name, entry) in own_tensors {
                let entry = TensorEntry {
                    file: files.len(),
                    ..entry
                };
                if tensors.insert(name.clone(), entry).is_some() {
                    return Err(wrong(format!("tensor `{name}` occurs in two parts")));
                }
            }
            files.push((path, file));
        }
        let mut files = files.into_iter();
        let Some((path, file)) = files.next() else {
            return Err(wrong("no parts".to_owned()));
        };
        Ok(Self {
            path,
            file,
            others: files.collect(),
            metadata,
            tensors,
        })
    }

    /// Path and file with the given index, as in [`TensorEntry::file`].
    pub(crate) fn part(&self, number: usize) -> (&Path, &File) {
        match number.checked_sub(1).and_then(|other| self.others.get(other)) {
            Some((path, file)) => (path, file),
            None => (&self.path, &self.file),
        }
    }

    /// The value of a metadata key as an unsigned integer; `None` if it is absent or not one.
    pub fn number(&self, key: &str) -> Option<u64> {
        self.metadata.get(key).and_then(Value::as_u64)
    }

    /// The value of a metadata key as text; `None` if it is absent or not text.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.metadata.get(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }
}

/// Opens one file and reads its header.
fn open_one(path: &Path) -> Result<(File, Header)> {
    let read_error = |source| Error::Read {
        path: path.to_path_buf(),
        source,
    };
    let file = File::open(path).map_err(read_error)?;
    let length = file.metadata().map_err(read_error)?.len();
    let mut cursor = Cursor::new(path, &file, length);
    let header = read_header(&mut cursor)?;
    Ok((file, header))
}

type Header = (BTreeMap<String, Value>, BTreeMap<String, TensorEntry>);

fn read_header(cursor: &mut Cursor<'_>) -> Result<Header> {
    if cursor.bytes(4)? != *b"GGUF" {
        return Err(cursor.malformed("no GGUF magic"));
    }
    let version = cursor.u32()?;
    if !(2..=3).contains(&version) {
        return Err(cursor.malformed(&format!(
            "GGUF version {version}, only 2 and 3 little endian are read"
        )));
    }
    let n_tensors = cursor.count(24, "tensors")?;
    let n_values = cursor.count(13, "metadata values")?;
    let mut metadata = BTreeMap::new();
    for _ in 0..n_values {
        let key = cursor.text()?;
        let value = cursor.value()?;
        metadata.insert(key, value);
    }
    let alignment = match metadata.get("general.alignment") {
        None => 32,
        Some(value) => match value.as_u64() {
            Some(a) if a > 0 && a <= 1 << 20 => a,
            _ => return Err(cursor.malformed("general.alignment is not between 1 and 1048576")),
        },
    };
    let mut tensors = BTreeMap::new();
    for _ in 0..n_tensors {
        let (name, entry) = read_entry(cursor)?;
        if tensors.insert(name.clone(), entry).is_some() {
            return Err(cursor.malformed(&format!("tensor `{name}` occurs twice")));
        }
    }
    let data = cursor
        .position()
        .checked_next_multiple_of(alignment)
        .ok_or_else(|| cursor.malformed("header longer than any file"))?;
    for (name, entry) in &mut tensors {
        entry.start = match entry.start.checked_add(data) {
            Some(start)
                if start
                    .checked_add(entry.n_bytes)
                    .is_some_and(|end| end <= cursor.length()) =>
            {
                start
            }
            _ => {
                return Err(cursor.malformed(&format!(
                    "tensor `{name}` of {} bytes at offset {} ends beyond the file of {} bytes",
                    entry.n_bytes,
                    entry.start,
                    cursor.length()
                )));
            }
        };
    }
    Ok((metadata, tensors))
}

fn read_entry(cursor: &mut Cursor<'_>) -> Result<(String, TensorEntry)> {
    let name = cursor.text()?;
    let n_dims = cursor.u32()?;
    if n_dims > 4 {
        return Err(cursor.malformed(&format!("tensor `{name}` has {n_dims} dimensions")));
    }
    let mut shape = Vec::with_capacity(n_dims as usize);
    let mut n_elements = 1_u64;
    for _ in 0..n_dims {
        let dim = cursor.u64()?;
        n_elements = n_elements
            .checked_mul(dim.max(1))
            .ok_or_else(|| cursor.malformed(&format!("tensor `{name}` has an absurd shape")))?;
        shape.push(
            usize::try_from(dim).map_err(|_| cursor.malformed("a dimension beyond the address space"))?,
        );
    }
    // The product above counts zeros as ones, so whether it overflows does not depend on the order of dimensions.
    if shape.contains(&0) {
        n_elements = 0;
    }
    let inner = shape.first().copied().unwrap_or(1) as u64;
    shape.reverse();
    let code = cursor.u32()?;
    let dtype = GgmlType::from_code(code);
    let (per_block, block_bytes) = dtype.block();
    if !inner.is_multiple_of(per_block) {
        return Err(cursor.malformed(&format!(
            "tensor `{name}`: rows of {inner} do not divide into {dtype} blocks"
        )));
    }
    let n_bytes = (n_elements / per_block)
        .checked_mul(block_bytes)
        .ok_or_else(|| cursor.malformed(&format!("tensor `{name}` has an absurd shape")))?;
    let start = cursor.u64()?;
    Ok((
        name,
        TensorEntry {
            shape,
            dtype,
            file: 0,
            start,
            n_bytes,
        },
    ))
}
