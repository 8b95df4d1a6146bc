//! Benchmarks from local folders: JSON lines, plain or gzipped, one folder a benchmark, one file a split.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// A line longer than this is refused rather than read: no benchmark has such items.
const LONGEST_LINE: u64 = 1 << 24;

/// One document of a benchmark, and where it stands.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its fields.
    pub fields: Map<String, Value>,
    path: PathBuf,
    line: usize,
}

impl PartialEq for Document {
    /// Documents are equal when their fields are, wherever they stand.
    fn eq(&self, other: &Self) -> bool {
        self.fields == other.fields
    }
}

impl Document {
    /// An error at this document's place.
    pub(super) fn wrong(&self, what: impl Into<String>) -> Error {
        Error::BenchmarkLine {
            path: self.path.clone(),
            line: self.line,
            what: what.into(),
        }
    }

    /// A text field.
    pub(super) fn text(&self, key: &str) -> Result<&str> {
        self.fields
            .get(key)
            .and_then(Value::as_str)
            .ok_or_else(|| self.wrong(format!("no text `{key}`")))
    }

    /// A list of texts at `key`, or at `key.inner`.
    pub(super) fn texts(&self, key: &str, inner: Option<&str>) -> Result<Vec<String>> {
        let missing = || self.wrong(format!("no list of texts `{key}{}`", dotted(inner)));
        let list = self.list(key, inner)?;
        list.iter()
            .map(|v| v.as_str().map(str::to_owned).ok_or_else(missing))
            .collect()
    }

    /// A list at `key`, or at `key.inner`.
    pub(super) fn list(&self, key: &str, inner: Option<&str>) -> Result<&Vec<Value>> {
        let value = self.fields.get(key);
        inner
            .map_or(value, |inner| value.and_then(|value| value.get(inner)))
            .and_then(Value::as_array)
            .ok_or_else(|| self.wrong(format!("no list `{key}{}`", dotted(inner))))
    }

    /// A whole number, which may be written as text.
    pub(super) fn index(&self, key: &str) -> Result<usize> {
        let value = self.fields.get(key);
        value
            .and_then(Value::as_u64)
            .or_else(|| {
                value
                    .and_then(Value::as_str)
                    .and_then(|text| text.trim().parse().ok())
            })
            .and_then(|number| usize::try_from(number).ok())
            .ok_or_else(|| self.wrong(format!("no number `{key}`")))
    }
}

fn dotted(inner: Option<&str>) -> String {
    inner.map(|inner| format!(".{inner}")).unwrap_or_default()
}

/// The documents of a split: the file in `folder` whose name begins with one of `splits` and ends in `.jsonl` or
/// `.jsonl.gz`; of several, the first in order of name.
///
/// # Errors
/// [`Error::NoBenchmark`] without such a file, [`Error::BenchmarkLine`] for a line that is no object, [`Error::Read`].
pub fn documents(folder: &Path, task: &str, splits: &[&'static str]) -> Result<Vec<Document>> {
    let missing = || Error::NoBenchmark {
        folder: folder.to_path_buf(),
        task: task.to_owned(),
        split: splits.first().copied().unwrap_or("split"),
    };
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(|_| missing())?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .collect();
    files.sort();
    let found = splits.iter().find_map(|split| {
        files.iter().find(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
            let plain = name.strip_suffix(".gz").unwrap_or(name);
            plain.starts_with(split) && plain.strip_suffix(".jsonl").is_some()
        })
    });
    read(found.ok_or_else(missing)?)
}

/// All documents of one file.
fn read(path: &Path) -> Result<Vec<Document>> {
    let failed = |source| Error::Read {
        path: path.to_path_buf(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    let packed = path.extension().is_some_and(|e| e == "gz");
    let reader: Box<dyn Read> = if packed {
        Box::new(MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    };
    let mut reader = BufReader::new(reader);
    let mut documents = Vec::new();
    for line in 1.. {
        let mut bytes = Vec::new();
        let n = (&mut reader)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut bytes)
            .map_err(failed)?;
        if n == 0 {
            break;
        }
        if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let fields = serde_json::from_slice(&bytes).map_err(|error| Error::BenchmarkLine {
            path: path.to_path_buf(),
            line,
            what: error.to_string(),
        })?;
        documents.push(Document {
            fields,
            path: path.to_path_buf(),
            line,
        });
    }
    Ok(documents)
}
