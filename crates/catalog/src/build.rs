//! Builds the tables from the sources: reads the sources twice, so that evaluations need not be held in memory, and
//! moves the tables into place only once they are complete.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::rc::Rc;

use crate::catalog::{Catalog, MANIFEST};
use crate::checkpoints;
use crate::discover::{Root, SourceFile, SourceKind, discover};
use crate::duplicates::Duplicates;
use crate::error::Error;
use crate::gather::Gathered;
use crate::identity::Identities;
use crate::interventions::Interventions;
use crate::known::Known;
use crate::labels;
use crate::making;
use crate::manifest;
use crate::observed::{Fact, Place};
use crate::reading::{Context, Surveys, read, survey};
use crate::resolve::Resolver;
use crate::schema::{Row, SCHEMA_VERSION};
use crate::tables::{
    Accuracy, Checkpoint, Conflict, Days, Duplicate, Evaluation, Intervention, Item, Manifest, Provenance,
    Reject, Score, Source, Structure, TableFile,
};
use crate::training::Trainings;
use crate::writing::{Ended, Writing};

/// How far a build has got; passed to the caller's progress function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A source is being read.
    Reading {
        /// Path under the sources folder.
        source: String,
        /// Index of this source, from 0.
        number: usize,
        /// Number of sources in all.
        of: usize,
    },
    /// Structures are being resolved.
    Resolving {
        /// Number of checkpoints.
        checkpoints: usize,
    },
    /// A table is being written.
    Writing {
        /// Name of the table.
        table: &'static str,
    },
}

/// zstd level of the catalog's tables: high, since they ship with the program, are built seldom and read often.
const COMPRESSION: i32 = 19;

/// Tables being written to a folder.
struct Writers<'a> {
    dir: &'a Path,
    ended: Vec<(&'static str, Ended)>,
}

impl<'a> Writers<'a> {
    /// Writes to folder `dir`.
    fn new(dir: &'a Path) -> Self {
        Self {
            dir,
            ended: Vec::new(),
        }
    }

    /// Writes and returns the manifest of the tables that were written and of the sources they were made from.
    fn manifest(self, sources: Vec<Source>) -> Result<Manifest, Error> {
        let mut tables = BTreeMap::new();
        for (table, ended) in self.ended {
            let rows = ended.rows()?;
            let file = format!("{table}.parquet");
            let sha256 = crate::hash::sha256_of(&self.dir.join(&file))?;
            tables.insert(table.to_owned(), TableFile { file, rows, sha256 });
        }
        let mut manifest = Manifest {
            schema_version: SCHEMA_VERSION,
            catalog_sha256: String::new(),
            sources,
            tables,
        };
        manifest.catalog_sha256 = manifest::identity(&manifest);
        let path = self.dir.join(MANIFEST);
        let mut text =
            serde_json::to_vec_pretty(&manifest).expect("a manifest of strings and numbers serialises");
        text.push(b'\n');
        fs::write(&path, text).map_err(Error::io(&path))?;
        Ok(manifest)
    }

    fn start<R: Row>(&self) -> Result<Writing<R>, Error> {
        Writing::start(self.dir.join(format!("{}.parquet", R::TABLE)), COMPRESSION)
    }

    /// Ends a table; what is still pending is compressed while the next tables are written.
    fn finish<R: Row>(&mut self, table: Writing<R>) -> Result<(), Error> {
        self.ended.push((R::TABLE, table.end()?));
        Ok(())
    }

    /// Writes a whole table.
    fn all<R: Row>(&mut self, rows: impl IntoIterator<Item = R>) -> Result<(), Error> {
        let mut writer = self.start::<R>()?;
        rows.into_iter().try_for_each(|row| writer.push(row))?;
        self.finish(writer)
    }
}

/// Reads every known source under `sources` and writes Parquet tables and `manifest.json` to `out`: first to a
/// temporary sibling folder, which is then renamed, so that an error leaves nothing half-written.
///
/// # Errors
/// [`Error::NoSources`], [`Error::NotACatalog`] where `out` exists and is neither a catalog nor an empty folder,
/// [`Error::Io`], and the readers' errors, which name file, row and column.
pub fn build(sources: &Path, out: &Path, progress: &mut dyn FnMut(Progress)) -> Result<Manifest, Error> {
    let root = Root {
        path: sources,
        name: "",
    };
    build_from(&[root], false, out, progress)
}

/// As [`build`], from several folders together; with `licensed_only`, only from sources whose licence is known.
///
/// # Errors
/// As [`build`]; [`Error::NoLicensedSources`] where no source has a known licence.
pub fn build_from(
    roots: &[Root<'_>],
    licensed_only: bool,
    out: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Manifest, Error> {
    let folder = folder_beside(out)?;
    let manifest = build_into(roots, licensed_only, folder.path(), progress)?;
    put_in_place(folder, out)?;
    Ok(manifest)
}

/// Writes all tables of a catalog to `dir`; `cells` says where each cell of its structures comes from.
pub(crate) fn write(dir: &Path, all: Catalog, cells: Vec<Provenance>) -> Result<Manifest, Error> {
    let mut writers = Writers::new(dir);
    writers.all(all.evaluations)?;
    writers.all(all.scores)?;
    writers.all(all.duplicates)?;
    writers.all(all.structures)?;
    writers.all(cells)?;
    writers.all(all.checkpoints)?;
    writers.all(all.conflicts)?;
    writers.all(all.resolution)?;
    writers.all(all.rejects)?;
    writers.all(all.items)?;
    writers.all(all.interventions)?;
    writers.manifest(all.manifest.sources)
}

/// A temporary folder beside `out`, provided that `out` does not exist, is an empty folder or holds a catalog.
pub(crate) fn folder_beside(out: &Path) -> Result<tempfile::TempDir, Error> {
    let replaceable = !out.exists() || out.join(MANIFEST).is_file() || is_empty_folder(out)?;
    if !replaceable {
        return Err(Error::NotACatalog { path: out.to_owned() });
    }
    beside(out, ".catalog-")
}

/// A temporary folder in the parent folder of `out`, which is created if missing; the temporary folder's name begins
/// with `prefix`.
pub(crate) fn beside(out: &Path, prefix: &str) -> Result<tempfile::TempDir, Error> {
    let parent = out
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(Error::io(parent))?;
    let folder = tempfile::Builder::new()
        .prefix(prefix)
        .tempdir_in(parent)
        .map_err(Error::io(parent))?;
    making::begin(folder.path());
    Ok(folder)
}

fn is_empty_folder(path: &Path) -> Result<bool, Error> {
    Ok(path.is_dir() && fs::read_dir(path).map_err(Error::io(path))?.next().is_none())
}

pub(crate) fn put_in_place(folder: tempfile::TempDir, out: &Path) -> Result<(), Error> {
    // A temporary folder is private to its owner; a catalog is for everyone who may read its parent folder.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))
            .map_err(Error::io(folder.path()))?;
    }
    making::whole(folder.path());
    let complete = folder.keep();
    let moved = if out.exists() {
        let old = complete.with_extension("old");
        fs::rename(out, &old)
            .and_then(|()| fs::rename(&complete, out))
            .and_then(|()| fs::remove_dir_all(&old))
    } else {
        fs::rename(&complete, out)
    };
    moved.map_err(Error::io(out))
}

pub(crate) fn build_into(
    roots: &[Root<'_>],
    licensed_only: bool,
    dir: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Manifest, Error> {
    let mut found = discover(roots)?;
    if licensed_only {
        let all = found.len();
        found.retain(|source| manifest::is_licensed(&source.file));
        if found.is_empty() {
            return Err(Error::NoLicensedSources { found: all });
        }
    }
    build_found(&found, dir, progress)
}

/// Builds the tables in `dir` from files already found, which must be in the order of trust.
pub(crate) fn build_found(
    found: &[SourceFile],
    dir: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Manifest, Error> {
    let surveys = survey(found)?;
    let mut writers = Writers::new(dir);
    let gathered = RefCell::new(Gathered {
        sources: found.iter().map(|found| found.file.clone()).collect(),
        configs: (0_u16..)
            .zip(found)
            .filter_map(|(number, found)| (found.kind == SourceKind::ConfigFile).then_some(number))
            .collect(),
        leaderboards: (0_u16..)
            .zip(found)
            .filter_map(|(number, found)| found.kind.is_leaderboard().then_some(number))
            .collect(),
        ..Gathered::default()
    });
    let mut duplicates = Duplicates::default();
    let mut listed = Vec::new();
    let mut joins: Vec<Rc<Identities>> = Vec::with_capacity(found.len());
    let mut rejects = writers.start::<Reject>()?;
    let mut items = writers.start::<Item>()?;
    let mut interventions = Interventions::default();
    for (number, found_source) in found.iter().enumerate() {
        progress(Progress::Reading {
            source: found_source.file.clone(),
            number,
            of: found.len(),
        });
        let role = found_source.kind.role();
        joins.push(identities(found, number, &joins, &gathered.borrow()));
        let known = |id: &str| gathered.borrow().find(id).is_some();
        let mut last_day: Option<Days> = None;
        let mut sink = |fact| match fact {
            Fact::Observed(row, observed) => {
                let place = Place::new(number as u16, row);
                gathered.borrow_mut().add_all(*observed, place, role);
                Ok(())
            }
            Fact::Evaluation(evaluation, scores) => {
                last_day = last_day.max(evaluation.submitted.or(evaluation.uploaded));
                let checkpoint = gathered
                    .borrow()
                    .find(&evaluation.id)
                    .expect("a reader tells of a checkpoint before its evaluation");
                duplicates.note(&evaluation, &scores, checkpoint);
                gathered.borrow_mut().known[checkpoint as usize].says(&evaluation);
                Ok(())
            }
            Fact::Outside(outside, row) => {
                let place = Place::new(number as u16, row);
                gathered.borrow_mut().note_outside(&outside, place);
                Ok(())
            }
            Fact::Item(item) => items.push(*item),
            Fact::Intervention(row) => {
                interventions.note(*row);
                Ok(())
            }
            Fact::Reject(reject) => rejects.push(reject),
        };
        let context = Context {
            surveys: &surveys,
            snapshot: "",
            version: "",
            known: &known,
            identities: &joins[number],
        };
        let mut source = read(found_source, &context, &mut sink)?;
        last_day = last_day.or(manifest::state(&found_source.file));
        manifest::provenance(&mut source);
        listed.push((source, last_day));
    }
    let mut gathered = gathered.into_inner();
    duplicates.settle();
    let versions: Vec<(String, String)> = listed
        .iter()
        .map(|(source, day)| {
            (
                source.sha256.chars().take(16).collect(),
                day.map(crate::calendar::text).unwrap_or_default(),
            )
        })
        .collect();
    write_evaluations(
        found,
        &surveys,
        &versions,
        (duplicates, &gathered.known, &joins),
        &mut listed,
        &mut writers,
        progress,
    )?;
    progress(Progress::Resolving {
        checkpoints: gathered.known.len(),
    });
    gathered.settle_patterns();
    crate::refute::refute(&mut gathered);
    let resolver = Resolver::new(&gathered);
    let (accuracy, off) = resolver.accuracy();
    progress(Progress::Writing {
        table: Structure::TABLE,
    });
    let mut order: Vec<u32> = (0..gathered.known.len() as u32).collect();
    order.sort_unstable_by(|&a, &b| gathered.known[a as usize].id.cmp(&gathered.known[b as usize].id));
    let wanted = |&at: &u32| gathered.known[at as usize].evaluated || gathered.known[at as usize].structured;
    let mut trainings = Trainings::of(&gathered);
    let (mut structures, mut provenance) = (writers.start::<Structure>()?, writers.start::<Provenance>()?);
    for at in order.iter().copied().filter(wanted) {
        let (structure, cells) = resolver.structure(at);
        trainings.note(&gathered, at, &structure);
        structures.push(structure)?;
        cells.into_iter().try_for_each(|cell| provenance.push(cell))?;
    }
    writers.finish(structures)?;
    writers.finish(provenance)?;
    drop(resolver);
    writers.all::<Checkpoint>(
        order
            .iter()
            .map(|&at| checkpoints::checkpoint(&gathered, &trainings, at as usize)),
    )?;
    gathered.clashes.sort_by_key(|clash| clash.at);
    writers.all::<Conflict>(
        order
            .iter()
            .flat_map(|&at| conflicts(&gathered, &trainings, &off, at)),
    )?;
    writers.all::<Accuracy>(accuracy)?;
    writers.finish(rejects)?;
    writers.finish(items)?;
    writers.all::<Intervention>(interventions.rows()?)?;
    writers.manifest(listed.into_iter().map(|(source, _)| source).collect())
}

/// The checkpoints to which names in source `number` are matched: all that sources of other kinds named before it.
/// Files of one kind share the same set.
fn identities(
    found: &[SourceFile],
    number: usize,
    before: &[Rc<Identities>],
    gathered: &Gathered,
) -> Rc<Identities> {
    let same = number
        .checked_sub(1)
        .filter(|&last| found[last].kind == found[number].kind || !found[number].kind.joins());
    match same.and_then(|last| before.get(last)) {
        Some(same) => same.clone(),
        None if found[number].kind.joins() => {
            Rc::new(Identities::of(gathered.known.iter().map(|known| &*known.id)))
        }
        None => Rc::default(),
    }
}

/// The conflicts of one checkpoint, sorted by field: those between sources, between labels, and with counts from
/// outside boards. Relies on the clashes being sorted by checkpoint.
fn conflicts(gathered: &Gathered, trainings: &Trainings, off: &[Conflict], at: u32) -> Vec<Conflict> {
    let first = gathered.clashes.partition_point(|clash| clash.at < at);
    let own = gathered.clashes[first..]
        .iter()
        .take_while(|clash| clash.at == at);
    let mut conflicts: Vec<Conflict> = own.map(|clash| gathered.conflict(clash)).collect();
    let known = &gathered.known[at as usize];
    conflicts.extend(labels::conflicts(gathered, known));
    conflicts.extend(trainings.conflict(gathered, at));
    conflicts.extend(off.iter().filter(|conflict| *conflict.id == *known.id).cloned());
    conflicts.sort_by(|a, b| a.field.cmp(&b.field));
    conflicts
}

fn write_evaluations(
    found: &[SourceFile],
    surveys: &Surveys,
    versions: &[(String, String)],
    (mut duplicates, known, joins): (Duplicates, &[Known], &[Rc<Identities>]),
    listed: &mut [(Source, Option<Days>)],
    writers: &mut Writers<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), Error> {
    progress(Progress::Writing {
        table: Evaluation::TABLE,
    });
    let mut evaluations = writers.start::<Evaluation>()?;
    let mut scores_file = writers.start::<Score>()?;
    let mut repeats = writers.start::<Duplicate>()?;
    for (number, source) in found.iter().enumerate() {
        if !source.kind.is_leaderboard() {
            continue;
        }
        let mut count = 0;
        let mut sink = |fact| {
            let Fact::Evaluation(mut evaluation, scores) = fact else {
                return Ok(());
            };
            if let Some(duplicate) = duplicates.next(&evaluation, known) {
                evaluation.duplicate_of = Some(duplicate.kept.clone());
                repeats.push(duplicate)?;
                count += 1;
            }
            evaluations.push(*evaluation)?;
            scores.into_iter().try_for_each(|score| scores_file.push(score))
        };
        let context = Context {
            surveys,
            snapshot: &versions[number].0,
            version: &versions[number].1,
            known: &|_| false,
            identities: &joins[number],
        };
        read(source, &context, &mut sink)?;
        listed[number].0.duplicates = count;
    }
    writers.finish(evaluations)?;
    writers.finish(scores_file)?;
    writers.finish(repeats)
}
