//! Imports files from disk into a catalog: determines the format of each file, reads what it can and reports on every
//! file.
//!
//! Scores go through the same readers, cleaning and rules as the sources of [`crate::build()`]; the names of
//! checkpoints that the catalog knows are matched by `identity`. Answers to items go to the table in the catalog's
//! folder `items`.

mod merge;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::catalog::{Catalog, MANIFEST};
use crate::discover::{self, ResultsKind, SourceFile, SourceKind};
use crate::error::Error;
use crate::hash::sha256_of;
use crate::identity::{ANY, Identities, Joined, without_engine};
use crate::items::{FoundFile, import_one};
use crate::tables::{Manifest, Source};
use crate::{build, stores};

/// Folder, within a catalog that was imported to, of the table of items.
pub const ITEMS: &str = "items";

/// The formats that are read, for messages about files that are not.
pub const EXPECTED: &str = "Every Eval Ever records (.json) and instances (.jsonl), Inspect logs (.eval, .json), lighteval results \
    (.json) and details (details/OWNER/NAME/TIME/details_*.parquet), OpenCompass summaries (.csv, .txt), lm-evaluation-harness \
    results (results_*.json) and samples (samples_*.jsonl), Community Evals (.eval_results/*.yaml), item tables of `probe evaluate` and \
    Parquet with the columns id, benchmark, item, correct or score, config.json, and the tables of leaderboards";

/// The outcome for one file, or for one of its two parts (scores, items).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ImportedFile {
    /// Path of the file, as given or as found under what was given.
    pub file: String,
    /// Its format; `None` where it is unknown.
    pub what: Option<String>,
    /// Rows read, results or answers: the sum of `added`, `repeats` and `left_out`.
    pub rows_in: u64,
    /// Rows from which something was added.
    pub added: u64,
    /// Rows that the table of items already had.
    pub repeats: u64,
    /// Rows left out, by reason.
    pub left_out: BTreeMap<String, u64>,
    /// Why nothing of it was read; `None` where something was.
    pub problem: Option<String>,
    /// Whether it had been imported before, so that nothing was done.
    pub already: bool,
    /// A further remark, if any.
    pub note: Option<String>,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImportReport {
    /// Every file under the given paths.
    pub files: Vec<ImportedFile>,
    /// Number of evaluations that were added.
    pub evaluations: usize,
    /// Number of scores that were added.
    pub scores: usize,
    /// Names matched to checkpoints of the catalog: the name as written, the checkpoint's id, and the rule.
    pub joined: Vec<(String, String, String)>,
    /// Ids of the checkpoints that the catalog did not know.
    pub new: Vec<String>,
    /// Identity of the catalog that was written.
    pub catalog_sha256: String,
}

/// Adds everything under `paths` to a catalog and writes it to `out`. The catalog added to is `out` itself where it is
/// one already, else the one in folder `base` (the compiled-in one if `None`). `each` is called with every file's name
/// before it is read.
///
/// # Errors
/// [`Error::Io`] where a path does not exist; [`Error::NotACatalog`] where `out` is a non-empty folder that is no
/// catalog. A file that cannot be read is not an error: the report says so.
pub fn import(
    paths: &[PathBuf],
    base: Option<&Path>,
    out: &Path,
    each: &mut dyn FnMut(&str),
) -> Result<ImportReport, Error> {
    let is_catalog = out.join(MANIFEST).is_file();
    if !is_catalog && out.exists() && fs::read_dir(out).map_err(Error::io(out))?.next().is_some() {
        return Err(Error::NotACatalog { path: out.to_owned() });
    }
    let base = if is_catalog { Some(out) } else { base };
    let catalog = base.map_or_else(Catalog::snapshot, Catalog::open)?;
    let folder = build::beside(out, ".import-")?;
    let items = folder.path().join(ITEMS);
    if is_catalog && out.join(ITEMS).is_dir() {
        link_all(&out.join(ITEMS), &items)?;
    }
    let identities = Identities::of(catalog.checkpoints.iter().map(|row| row.id.as_str()));
    let before: BTreeSet<String> = catalog
        .manifest
        .sources
        .iter()
        .map(|source| source.sha256.clone())
        .collect();
    let mut report = ImportReport {
        files: Vec::new(),
        evaluations: 0,
        scores: 0,
        joined: Vec::new(),
        new: Vec::new(),
        catalog_sha256: String::new(),
    };
    let mut sources: Vec<SourceFile> = Vec::new();
    let mut shown: BTreeMap<String, String> = BTreeMap::new();
    for given in files_under(paths)? {
        each(&given.shown);
        shown.insert(given.file.clone(), given.shown.clone());
        given.told(&before, &mut sources, &items, &identities, &mut report.files);
    }
    if sources.is_empty() {
        merge::copy(catalog, base, folder.path(), &mut report)?;
    } else {
        sources.sort_by(|a, b| (a.kind, &a.file).cmp(&(b.kind, &b.file)));
        let own = tempfile::tempdir().map_err(Error::io(&std::env::temp_dir()))?;
        let manifest = build::build_found(&sources, own.path(), &mut |_| {})?;
        merge::merge(catalog, base, own.path(), &identities, folder.path(), &mut report)?;
        report.files.extend(
            manifest
                .sources
                .iter()
                .map(|source| scores_of(source, &sources, &shown)),
        );
    }
    report
        .files
        .sort_by(|a, b| (&a.file, &a.what).cmp(&(&b.file, &b.what)));
    build::put_in_place(folder, out)?;
    Ok(report)
}

/// The outcome for the scores of one file.
fn scores_of(source: &Source, found: &[SourceFile], shown: &BTreeMap<String, String>) -> ImportedFile {
    let what = found
        .iter()
        .find(|found| found.file == source.path)
        .map(|found| found.kind);
    let unreadable = source.rejected_by_reason.contains_key("not_readable") && source.kept == 0;
    ImportedFile {
        file: shown.get(&source.path).unwrap_or(&source.path).clone(),
        what: what
            .filter(|&kind| kind != SourceKind::Unreadable)
            .map(|kind| kind.title().to_owned()),
        rows_in: source.rows_in,
        added: source.kept,
        left_out: source.rejected_by_reason.clone(),
        problem: unreadable.then(|| "it cannot be read: its row in `rejects` says why".to_owned()),
        ..ImportedFile::default()
    }
}

/// A file to import.
struct Given {
    path: PathBuf,
    /// Path for messages: as given, followed by the part below it.
    shown: String,
    /// Path from at most three folders above the given path downwards, for readers that go by folder names.
    file: String,
    /// Whether it was given by its own name rather than found in a folder.
    named: bool,
}

impl Given {
    /// Determines the format: sources are collected in `sources`, items are imported, anything else is reported in
    /// `files`.
    fn told(
        &self,
        before: &BTreeSet<String>,
        sources: &mut Vec<SourceFile>,
        items: &Path,
        identities: &Identities,
        files: &mut Vec<ImportedFile>,
    ) {
        let blank = |what: Option<String>| ImportedFile {
            file: self.shown.clone(),
            what,
            ..ImportedFile::default()
        };
        let problem = |what: Option<&str>, problem: String| ImportedFile {
            problem: Some(problem),
            ..blank(what.map(str::to_owned))
        };
        let kind = match discover::kind(&self.path, &self.file) {
            Ok(kind) => kind,
            // Details of lighteval are Parquet files with nested columns, which the table reader refuses.
            Err(error) => match FoundFile::of(&self.path, &self.file) {
                Ok(Some(_)) => None,
                _ => return files.push(problem(None, error.to_string())),
            },
        };
        let answers = match kind {
            None | Some(SourceKind::Results(ResultsKind::Inspect) | SourceKind::Samples) => {
                FoundFile::of(&self.path, &self.file)
            }
            Some(_) => Ok(None),
        };
        let answers = match answers {
            Ok(answers) => answers,
            Err(error) => return files.push(problem(None, error.to_string())),
        };
        if kind.is_none() && answers.is_none() {
            let why = if self.named {
                format!("unknown format; known are: {EXPECTED}")
            } else {
                "unknown format".to_owned()
            };
            return files.push(problem(None, why));
        }
        if let Some(answers) = answers {
            let named = |id: String| match joined(identities, &id) {
                Some((known, _)) => known,
                None => id,
            };
            let what = answers.what();
            files.push(match import_one(&answers, items, &named) {
                Ok((done, run)) => ImportedFile {
                    note: run.map(|run| {
                        let names: Vec<&str> = done.benchmarks.keys().map(String::as_str).collect();
                        format!("run {run} of the same items: {}", names.join(", "))
                    }),
                    rows_in: if done.already { 0 } else { done.rows_in },
                    added: if done.already { 0 } else { done.kept },
                    repeats: if done.already { 0 } else { done.repeats },
                    left_out: if done.already {
                        BTreeMap::new()
                    } else {
                        done.left_out
                    },
                    already: done.already,
                    ..blank(Some(what.to_owned()))
                },
                // A Parquet file without the columns of an item table is not one, and so of unknown format.
                Err(Error::WrongColumn { column, wanted, .. }) if kind.is_none() => problem(
                    None,
                    format!(
                        "a table without what is needed: as answers to items the column `{column}` ({wanted})"
                    ),
                ),
                Err(error) => problem(Some(what), error.to_string()),
            });
        }
        // Samples have no scores of their own: the scores are in the results file beside them.
        let Some(kind) = kind.filter(|&kind| kind != SourceKind::Samples) else {
            return;
        };
        match sha256_of(&self.path) {
            Ok(sha256) if before.contains(&sha256) => files.push(ImportedFile {
                already: true,
                ..blank(Some(kind.title().to_owned()))
            }),
            Ok(_) => sources.push(SourceFile {
                path: self.path.clone(),
                file: self.file.clone(),
                kind,
            }),
            Err(error) => files.push(problem(Some(kind.title()), error.to_string())),
        }
    }
}

/// The checkpoint of the catalog that a name refers to, and the rule by which it was matched.
fn joined(identities: &Identities, id: &str) -> Option<(String, &'static str)> {
    match identities.of_id(id) {
        Joined::To(known, rule) => Some((known, rule)),
        Joined::Unknown if !id.contains('/') => match identities.of_name(without_engine(id), ANY) {
            Joined::To(known, rule) => Some((known, rule)),
            _ => None,
        },
        _ => None,
    }
}

/// Every file under the paths, in the order of names; hidden files and folders are skipped unless given by name, except
/// `.eval_results`.
fn files_under(paths: &[PathBuf]) -> Result<Vec<Given>, Error> {
    let mut files = Vec::new();
    let mut seen = BTreeSet::new();
    for path in paths {
        let path = stores::local(path)?;
        let whole = fs::canonicalize(&path).map_err(Error::io(&path))?;
        // Readers that go by folder names need the last three.
        let parts: Vec<String> = whole
            .iter()
            .map(|part| part.to_string_lossy().into_owned())
            .collect();
        let from = parts.len().saturating_sub(4);
        let before = parts[from..].join("/").trim_start_matches('/').to_owned();
        walk(&path, &before, &path.to_string_lossy(), true, &mut files)?;
    }
    files.retain(|given: &Given| {
        seen.insert(fs::canonicalize(&given.path).unwrap_or_else(|_| given.path.clone()))
    });
    Ok(files)
}

fn walk(path: &Path, file: &str, shown: &str, named: bool, files: &mut Vec<Given>) -> Result<(), Error> {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    if !named && name.starts_with('.') && name != ".eval_results" {
        return Ok(());
    }
    if !path.is_dir() {
        // A dangling link is reported by whoever opens it.
        files.push(Given {
            path: path.to_owned(),
            shown: shown.to_owned(),
            file: file.to_owned(),
            named,
        });
        return Ok(());
    }
    let mut entries = Vec::new();
    for entry in fs::read_dir(path).map_err(Error::io(path))? {
        entries.push(entry.map_err(Error::io(path))?.path());
    }
    entries.sort();
    entries.iter().try_for_each(|entry| {
        let name = entry
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        walk(
            entry,
            &format!("{file}/{name}"),
            &format!("{shown}/{name}"),
            false,
            files,
        )
    })
}

/// Reproduces a folder's files in another, as hard links where the file system supports them.
fn link_all(from: &Path, to: &Path) -> Result<(), Error> {
    fs::create_dir_all(to).map_err(Error::io(to))?;
    for entry in fs::read_dir(from).map_err(Error::io(from))? {
        let path = entry.map_err(Error::io(from))?.path();
        let place = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            link_all(&path, &place)?;
        } else if fs::hard_link(&path, &place).is_err() {
            fs::copy(&path, &place).map_err(Error::io(&path))?;
        }
    }
    Ok(())
}

/// What a report says in one line.
impl ImportReport {
    /// Number of files, or parts of files, of which nothing could be read.
    pub fn problems(&self) -> usize {
        self.files.iter().filter(|file| file.problem.is_some()).count()
    }

    /// Number of rows added, scores and items together.
    pub fn added(&self) -> u64 {
        self.files.iter().map(|file| file.added).sum()
    }
}

/// The catalog's manifest with the imported sources appended.
pub(crate) fn manifest_of(base: Manifest, own: &Manifest) -> Manifest {
    let mut manifest = base;
    manifest.sources.extend(own.sources.iter().cloned());
    manifest
}
