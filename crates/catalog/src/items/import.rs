//! Imports files of answers into the table of items: whole files, each only once, with every row accounted for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::dialects::{self, Dialect};
use super::found::{FileRow, PathFields, folder_name};
use super::imported::{Imported, ImportedBenchmark};
use super::kept::{Kept, Novelty};
use super::store::{ItemWriter, Store, entries};
use crate::error::Error;
use crate::hash::{sha256, sha256_of};
use crate::schema::SCHEMA_VERSION;
use crate::stores;

/// Greatest number of checkpoints whose names are kept in a file's record; where there are more, the file itself is
/// searched.
const NAMED: usize = 4_096;

/// Files with answers to items, for messages.
const LOOKED_FOR: &str = "looked for samples_*.jsonl, item tables of `probe evaluate`, *.parquet, instances of Every Eval Ever, \
                          logs of Inspect, details of lighteval";

/// How files are imported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportSettings {
    /// Name of the checkpoint, overriding what the files say.
    pub id: Option<String>,
    /// The filter of lm-evaluation-harness whose answers count; by default the first that a file names.
    pub filter: Option<String>,
}

/// A file with answers to items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFile {
    path: PathBuf,
    dialect: Dialect,
    place: PathFields,
}

impl FoundFile {
    /// Kind of the file, as shown to users.
    pub(crate) fn what(&self) -> &'static str {
        self.dialect.name()
    }

    /// The file at `path`, whose name in messages is `file`; `None` where it holds no answers to items.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn of(path: &Path, file: &str) -> Result<Option<Self>, Error> {
        let told = dialects::tell(path, file)?;
        Ok(told.map(|(dialect, place)| Self {
            path: path.to_owned(),
            dialect,
            place,
        }))
    }
}

/// The files with answers to items among `paths` and in folders among them, in the order of names. In a folder, files
/// of other kinds and files whose name begins with a dot are skipped; a path that names a file must be one with
/// answers.
///
/// # Errors
/// [`Error::Io`]; [`Error::NoItems`] for a path that has none.
pub fn files(paths: &[PathBuf]) -> Result<Vec<FoundFile>, Error> {
    let mut found = Vec::new();
    for path in paths {
        let before = found.len();
        gather(&stores::local(path)?, true, &mut found)?;
        if found.len() == before {
            return Err(Error::NoItems {
                path: path.clone(),
                message: LOOKED_FOR.to_owned(),
            });
        }
    }
    found.dedup();
    Ok(found)
}

fn gather(path: &Path, named: bool, found: &mut Vec<FoundFile>) -> Result<(), Error> {
    let hidden = path
        .file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'));
    if hidden && !named {
        return Ok(());
    }
    if stores::is_remote(path) && named {
        // A folder in an object store is a prefix of names: an address that ends like a file is looked up as a file.
        let is_file = path.extension().is_some() && stores::is_file(path)?;
        if !is_file {
            let within = |file: &PathBuf| {
                let inside = file.strip_prefix(path).unwrap_or(file);
                !inside.iter().any(|part| part.to_string_lossy().starts_with('.'))
            };
            let files = stores::list(path)?;
            return files
                .iter()
                .filter(|file| within(file))
                .try_for_each(|file| gather(file, false, found));
        }
    } else if path.is_dir() {
        return entries(path)?
            .iter()
            .try_for_each(|entry| gather(entry, false, found));
    }
    let file = path.to_string_lossy().replace('\\', "/");
    if let Some((dialect, place)) = dialects::tell(path, &file)? {
        found.push(FoundFile {
            path: path.to_owned(),
            dialect,
            place,
        });
    }
    Ok(())
}

/// Appends `files` one by one to the table in folder `into`; `each` is called for every file that is done.
///
/// A file that was imported before is skipped. Rows that the table already has are counted as repeats, so a file that
/// has grown may be imported again. A row whose answer differs from the table's ends the import: nothing of that file
/// is added, and the files before it stay.
///
/// # Errors
/// [`Error::ItemClash`], [`Error::NoCheckpoint`], [`Error::BenchmarkName`], [`Error::WrongColumn`] and errors of
/// reading and writing, each naming the file.
pub fn import(
    files: &[FoundFile],
    into: &Path,
    settings: &ImportSettings,
    each: &mut dyn FnMut(&Imported),
) -> Result<Vec<Imported>, Error> {
    let mut store = Store::open(into)?;
    let mut all = Vec::with_capacity(files.len());
    for file in files {
        let imported = one(&mut store, file, settings, &|id| id, None)?;
        each(&imported);
        all.push(imported);
    }
    Ok(all)
}

/// Imports one file; `named` translates its names of checkpoints to the catalog's. Where these checkpoints answered its
/// items differently before, its benchmarks are named `NAME-run2` and so on, and the number of the run is returned.
pub(crate) fn import_one(
    file: &FoundFile,
    into: &Path,
    named: &dyn Fn(String) -> String,
) -> Result<(Imported, Option<u32>), Error> {
    let store = &mut Store::open(into)?;
    let settings = &ImportSettings::default();
    let first = one(store, file, settings, named, None);
    if !matches!(first, Err(Error::ItemClash(_))) {
        return first.map(|done| (done, None));
    }
    // The same checkpoint gave other answers to the same items: another run, kept beside the first.
    for run in 2..RUNS {
        match one(store, file, settings, named, Some(run)) {
            Err(Error::ItemClash(_)) => {}
            done => return done.map(|done| (done, Some(run))),
        }
    }
    first.map(|done| (done, None))
}

/// Exclusive upper limit of the run number.
const RUNS: u32 = 100;

fn one(
    store: &mut Store,
    found: &FoundFile,
    settings: &ImportSettings,
    named: &dyn Fn(String) -> String,
    run: Option<u32>,
) -> Result<Imported, Error> {
    let file = found.path.to_string_lossy().replace('\\', "/");
    let here = stores::fetch(&found.path)?;
    let sha256 = sha256_of(here.path())?;
    let name = name(&sha256, &found.place, settings);
    if let Some(record) = store.record(&name)? {
        return Ok(Imported {
            file,
            already: true,
            ..record.clone()
        });
    }
    let (mut rows_in, mut kept, mut repeats) = (0, 0, 0);
    let mut left_out: BTreeMap<String, u64> = BTreeMap::new();
    let mut known = Kept::new(store, &file);
    let mut writing = ItemWriter::begin(store)?;
    let filter = settings.filter.as_deref();
    dialects::read(
        here.path(),
        &file,
        found.dialect,
        &found.place,
        filter,
        &mut |number, row| {
            rows_in = number + 1;
            let (benchmark, mut row) = match row {
                FileRow::Answer(benchmark, row) => match run {
                    Some(run) => (folder_name(&format!("{benchmark}-run{run}")), row),
                    None => (benchmark, row),
                },
                FileRow::LeftOut(reason) => {
                    *left_out.entry(reason.to_owned()).or_insert(0) += 1;
                    return Ok(());
                }
            };
            if let Some(id) = &settings.id {
                row.id.clone_from(id);
            }
            row.id = named(row.id);
            if row.id.is_empty() {
                return Err(Error::NoCheckpoint {
                    file: file.clone(),
                    row: number,
                });
            }
            if !names_a_folder(&benchmark) {
                return Err(Error::BenchmarkName {
                    file: file.clone(),
                    benchmark,
                });
            }
            if known.meet(&benchmark, &row)? == Novelty::Repeat {
                repeats += 1;
                return Ok(());
            }
            kept += 1;
            writing.add(&benchmark, row)
        },
    )?;
    drop(known);
    let parts = writing.finish(store, &name)?;
    let benchmarks = parts
        .into_iter()
        .map(|(benchmark, (rows, ids))| {
            let checkpoints = ids.len();
            let ids = Some(ids).filter(|ids| ids.len() <= NAMED);
            let told = ImportedBenchmark {
                rows,
                checkpoints,
                ids,
            };
            (benchmark, told)
        })
        .collect();
    let imported = Imported {
        name,
        file,
        sha256,
        rows_in,
        kept,
        repeats,
        left_out,
        benchmarks,
        already: false,
    };
    store.add(imported.clone())?;
    Ok(imported)
}

/// Different checkpoints may have given the same answers, so the path matters as well as the bytes.
fn name(content: &str, place: &PathFields, settings: &ImportSettings) -> String {
    let all = [
        Some(content),
        place.id.as_deref(),
        place.benchmark.as_deref(),
        settings.id.as_deref(),
        settings.filter.as_deref(),
    ];
    let all = format!("{SCHEMA_VERSION} {all:?}");
    sha256(all.as_bytes())[..16].to_owned()
}

fn names_a_folder(benchmark: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (1..=100).contains(&benchmark.len()) && benchmark.chars().all(plain) && !benchmark.starts_with('.')
}
