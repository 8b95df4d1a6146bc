//! Reads benchmarks from local folders: JSON lines, plain or gzipped, one folder per benchmark, one file per split.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// Longest permitted line, bytes; longer ones are refused, because no benchmark has such items.
const LONGEST_LINE: u64 = 1 << 24;

/// One document of a benchmark, with its file and line.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its fields.
    pub fields: Map<String, Value>,
    path: PathBuf,
    line: usize,
}

impl PartialEq for Document {
    /// Documents are equal if their fields are, wherever they come from.
    fn eq(&self, other: &Self) -> bool {
        self.fields == other.fields
    }
}

impl Document {
    /// An error with this document's file and line.
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

    /// A non-negative integer, which may be given as text.
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

/// The documents of a split: of the file in `folder` that is named as one of `splits`, or of its shards
/// (`test-00000-of-00002`) in order, or else of the only file whose name begins with the split's; all names end in
/// `.jsonl` or `.jsonl.gz`.
///
/// # Errors
/// [`Error::NoBenchmark`] without such a file, [`Error::BenchmarkFiles`] if the folder cannot be read, a shard is
/// missing or several files qualify, [`Error::BenchmarkLine`] for a line that is not an object, [`Error::Read`].
pub fn documents(folder: &Path, task: &str, splits: &[&'static str]) -> Result<Vec<Document>> {
    let split = splits.first().copied().unwrap_or("split");
    let entries = std::fs::read_dir(folder).map_err(|error| Error::BenchmarkFiles {
        folder: folder.to_path_buf(),
        what: format!(
            "cannot be read ({error}); {task} is read from {split}*.jsonl or {split}*.jsonl.gz in it"
        ),
    })?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .collect();
    files.sort();
    for split in splits {
        let found = files_of(folder, split, &files)?;
        if !found.is_empty() {
            let read: Result<Vec<Vec<Document>>> = found.into_iter().map(read).collect();
            return Ok(read?.concat());
        }
    }
    Err(Error::NoBenchmark {
        folder: folder.to_path_buf(),
        task: task.to_owned(),
        split,
    })
}

/// The file name without the extensions of JSON lines; `None` if it has others.
fn stem(path: &Path) -> Option<&str> {
    let name = path.file_name()?.to_str()?;
    name.strip_suffix(".gz").unwrap_or(name).strip_suffix(".jsonl")
}

/// Splits `test-00001-of-00003`, which may continue after another dash, into `test`, 1 and 3.
fn shard(stem: &str) -> Option<(&str, usize, usize)> {
    let (before, after) = stem.split_once("-of-")?;
    let (name, index) = before.rsplit_once('-')?;
    let count = after.split('-').next()?;
    Some((name, index.parse().ok()?, count.parse().ok()?))
}

/// The file or the shards of a split.
fn files_of<'a>(folder: &Path, split: &str, files: &'a [PathBuf]) -> Result<Vec<&'a Path>> {
    let wrong = |what| Error::BenchmarkFiles {
        folder: folder.to_path_buf(),
        what,
    };
    let named = files
        .iter()
        .filter_map(|path| Some((stem(path)?, path.as_path())));
    let begun: Vec<(&str, &Path)> = named.filter(|(stem, _)| stem.starts_with(split)).collect();
    let is_whole = |stem: &str| stem == split || shard(stem).is_some_and(|(name, ..)| name == split);
    let mut own: Vec<(&str, &Path)> = begun.iter().filter(|(stem, _)| is_whole(stem)).copied().collect();
    if own.is_empty() {
        own = begun;
    }
    let Some((first, _)) = own.first().copied() else {
        return Ok(Vec::new());
    };
    let several = || {
        let names = own.iter().filter_map(|(_, path)| path.file_name()?.to_str());
        let names: Vec<&str> = names.collect();
        wrong(format!(
            "has several files for {split} ({}): leave one, or the shards of one set, as in {split}-00000-of-00002",
            names.join(", ")
        ))
    };
    let Some((name, _, count)) = shard(first) else {
        return match own.as_slice() {
            [(_, only)] => Ok(vec![only]),
            _ => Err(several()),
        };
    };
    let mut found: Vec<(usize, &Path)> = Vec::new();
    for (stem, path) in &own {
        match shard(stem) {
            Some((other, index, of)) if other == name && of == count && index < count => {
                found.push((index, path));
            }
            _ => return Err(several()),
        }
    }
    found.sort_unstable();
    if found.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(several());
    }
    if let Some(missing) = (0..found.len().saturating_add(1).min(count))
        .find(|i| found.get(*i).is_none_or(|shard| shard.0 != *i))
    {
        return Err(wrong(format!(
            "has {} of the {count} shards of {name}: {name}-{missing:05}-of-{count:05} is missing",
            found.len()
        )));
    }
    Ok(found.into_iter().map(|(_, path)| path).collect())
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn all_shards_are_read_in_order_and_a_missing_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, id: usize| {
            std::fs::write(
                folder.path().join(name),
                format!("{{\"id\": {id}}}\n{{\"id\": {}}}\n", id + 1),
            )
            .unwrap();
        };
        let ids = || -> std::result::Result<Vec<u64>, String> {
            let found = documents(folder.path(), "some", &["test"]).map_err(|error| error.to_string())?;
            Ok(found
                .iter()
                .map(|document| document.fields["id"].as_u64().unwrap())
                .collect())
        };
        write("test-00002-of-00003.jsonl", 4);
        write("test-00000-of-00003.jsonl", 0);
        let error = ids().unwrap_err();
        assert!(error.contains("test-00001-of-00003 is missing"), "{error}");
        write("test-00001-of-00003.jsonl", 2);
        assert_eq!(ids().unwrap(), [0, 1, 2, 3, 4, 5]);
        // A file beside the shards makes the choice ambiguous.
        write("test.jsonl", 9);
        let error = ids().unwrap_err();
        assert!(
            error.contains("several files") && error.contains("test.jsonl"),
            "{error}"
        );
        for shard in 0..3 {
            std::fs::remove_file(folder.path().join(format!("test-0000{shard}-of-00003.jsonl"))).unwrap();
        }
        write("test_other.jsonl", 7);
        assert_eq!(ids().unwrap(), [9, 10], "the file of the split's own name");
        std::fs::remove_file(folder.path().join("test.jsonl")).unwrap();
        assert_eq!(ids().unwrap(), [7, 8]);
        write("test_more.jsonl", 7);
        assert!(ids().unwrap_err().contains("test_more.jsonl, test_other.jsonl"));
        let absent = documents(&folder.path().join("no"), "some", &["test"])
            .unwrap_err()
            .to_string();
        assert!(absent.contains("cannot be read"), "{absent}");
    }
}
