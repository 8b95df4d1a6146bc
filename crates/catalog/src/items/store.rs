//! The folder of a table of items: the files' paths, how files are added atomically, and the records of imports.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::imported::Imported;
use super::{ItemRow, PARTITION, RECORDS};
use crate::error::Error;
use crate::making;
use crate::parquet_file::TableWriter;
use crate::stores;

/// zstd level of item files, which may have millions of rows: chosen to write fast.
const COMPRESSION: i32 = 9;

/// A table of items.
#[derive(Debug)]
pub(super) struct Store {
    dir: PathBuf,
    records: BTreeMap<String, Imported>,
}

impl Store {
    /// Opens the table in `dir`, which is created where it does not exist.
    pub(super) fn open(dir: &Path) -> Result<Self, Error> {
        let dir = &stores::local(dir)?;
        let folder = dir.join(RECORDS);
        if !stores::is_remote(dir) {
            fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
        }
        let mut records = BTreeMap::new();
        for path in stores::list(&folder)? {
            if path.extension().is_some_and(|ending| ending == "json") {
                let bytes = stores::read(&path)?;
                let record: Imported = serde_json::from_slice(&bytes).map_err(|error| Error::Json {
                    file: path.display().to_string(),
                    line: error.line(),
                    column: error.column(),
                    message: error.to_string(),
                })?;
                records.insert(record.name.clone(), record);
            }
        }
        Ok(Self {
            dir: dir.to_owned(),
            records,
        })
    }

    /// The record of the import with this name; `None` where there is none or one of its files is missing.
    pub(super) fn record(&self, name: &str) -> Result<Option<&Imported>, Error> {
        let Some(record) = self.records.get(name) else {
            return Ok(None);
        };
        for (benchmark, part) in &record.benchmarks {
            if part.rows > 0 && !stores::is_file(&self.place(benchmark, name))? {
                return Ok(None);
            }
        }
        Ok(Some(record))
    }

    fn place(&self, benchmark: &str, name: &str) -> PathBuf {
        let folder = self.dir.join(format!("{PARTITION}={benchmark}"));
        folder.join(format!("{name}.parquet"))
    }

    /// The files of a benchmark that hold, or may hold, answers of checkpoint `id`.
    pub(super) fn files_with(&self, benchmark: &str, id: &str) -> Result<Vec<PathBuf>, Error> {
        let folder = self.dir.join(format!("{PARTITION}={benchmark}"));
        if !stores::is_remote(&folder) && !folder.is_dir() {
            return Ok(Vec::new());
        }
        let may_hold = |path: &PathBuf| {
            let name = path.file_stem().map(|name| name.to_string_lossy().into_owned());
            let part = name
                .and_then(|name| self.records.get(&name))
                .and_then(|record| record.benchmarks.get(benchmark));
            let ids = part.and_then(|part| part.ids.as_ref());
            path.extension().is_some_and(|ending| ending == "parquet")
                && ids.is_none_or(|ids| ids.contains(id))
        };
        Ok(stores::list(&folder)?.into_iter().filter(may_hold).collect())
    }

    /// Adds a record, written atomically.
    pub(super) fn add(&mut self, record: Imported) -> Result<(), Error> {
        let folder = self.dir.join(RECORDS);
        let path = folder.join(format!("{}.json", record.name));
        let text = serde_json::to_string_pretty(&record).map_err(|error| Error::Shape {
            file: path.display().to_string(),
            message: error.to_string(),
        })?;
        stores::write(&path, text.as_bytes())?;
        self.records.insert(record.name.clone(), record);
        Ok(())
    }
}

/// The files of one import while they are written, one per benchmark; nothing is added to the table before
/// [`ItemWriter::finish`].
pub(super) struct ItemWriter {
    work: TempDir,
    parts: BTreeMap<String, (TableWriter<ItemRow, File>, BTreeSet<String>)>,
}

impl ItemWriter {
    pub(super) fn begin(store: &Store) -> Result<Self, Error> {
        // In the table's folder, so that a rename suffices; what goes to an object store is first written locally.
        let beside = if stores::is_remote(&store.dir) {
            &std::env::temp_dir()
        } else {
            &store.dir
        };
        let work = tempfile::Builder::new()
            .prefix(".import-")
            .tempdir_in(beside)
            .map_err(Error::io(beside))?;
        making::begin(work.path());
        Ok(Self {
            work,
            parts: BTreeMap::new(),
        })
    }

    pub(super) fn add(&mut self, benchmark: &str, row: ItemRow) -> Result<(), Error> {
        if !self.parts.contains_key(benchmark) {
            let path = self.work.path().join(benchmark);
            let file = File::create_new(&path).map_err(Error::io(&path))?;
            let part = (TableWriter::new(file, COMPRESSION)?, BTreeSet::new());
            self.parts.insert(benchmark.to_owned(), part);
        }
        let (writer, ids) = self.parts.get_mut(benchmark).expect("it was made above");
        if !ids.contains(&row.id) {
            ids.insert(row.id.clone());
        }
        writer.push(row)
    }

    /// Moves the files to their final paths under `name`; returns the number of rows and the checkpoints, by benchmark.
    pub(super) fn finish(
        self,
        store: &Store,
        name: &str,
    ) -> Result<BTreeMap<String, (u64, BTreeSet<String>)>, Error> {
        let mut done = BTreeMap::new();
        let mut moves = Vec::new();
        for (benchmark, (writer, ids)) in self.parts {
            let (rows, file) = writer.finish()?;
            let written = self.work.path().join(&benchmark);
            file.sync_all().map_err(Error::io(&written))?;
            moves.push((written, store.place(&benchmark, name)));
            done.insert(benchmark, (rows, ids));
        }
        for (written, place) in moves {
            if stores::is_remote(&place) {
                stores::upload(&written, &place)?;
                continue;
            }
            let folder = place.parent().unwrap_or(&store.dir);
            fs::create_dir_all(folder).map_err(Error::io(folder))?;
            fs::rename(&written, &place).map_err(Error::io(&place))?;
        }
        Ok(done)
    }
}

#[cfg(feature = "sql")]
/// The files of a table as pairs of folder and file name, sorted.
pub(crate) fn parts(items: &Path) -> Result<Vec<(String, String)>, Error> {
    let name = |path: Option<&Path>| {
        let name = path.and_then(Path::file_name).unwrap_or_default();
        name.to_string_lossy().into_owned()
    };
    let hive = format!("{PARTITION}=");
    let mut found = Vec::new();
    for path in stores::list(items)? {
        let (folder, file) = (name(path.parent()), name(Some(&path)));
        if folder.starts_with(&hive) && file.ends_with(".parquet") {
            found.push((folder, file));
        }
    }
    Ok(found)
}

/// The entries of a folder, sorted by name.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io(folder))? {
        found.push(entry.map_err(Error::io(folder))?.path());
    }
    found.sort();
    Ok(found)
}
