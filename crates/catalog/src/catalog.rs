//! A catalog in memory: read from a folder, or from the snapshot compiled into the program.

use std::path::Path;
use std::thread::ScopedJoinHandle;

use bytes::Bytes;

use crate::error::Error;
use crate::parquet_file::read_rows;
use crate::schema::{Row, SCHEMA_VERSION};
use crate::snapshot::SNAPSHOT;
use crate::stores;
use crate::tables::{
    Accuracy, Checkpoint, Conflict, Duplicate, Evaluation, Intervention, Item, Manifest, Provenance, Reject,
    Score, Structure,
};

/// All tables in memory, except `provenance` (see [`provenance`]).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Catalog {
    /// The sources it was made from, and the hashes of its tables.
    pub manifest: Manifest,
    /// One row per checkpoint.
    pub checkpoints: Vec<Checkpoint>,
    /// One row per checkpoint of a leaderboard or a source of structures.
    pub structures: Vec<Structure>,
    /// One row per row of a leaderboard.
    pub evaluations: Vec<Evaluation>,
    /// One row per score.
    pub scores: Vec<Score>,
    /// One row per item answered; empty unless sample files were read.
    pub items: Vec<Item>,
    /// One row per score of a run whose structure was changed on purpose.
    pub interventions: Vec<Intervention>,
    /// Rows and fields that were left out, and why.
    pub rejects: Vec<Reject>,
    /// Values on which sources disagree.
    pub conflicts: Vec<Conflict>,
    /// Evaluations that repeat another.
    pub duplicates: Vec<Duplicate>,
    /// Accuracy of each way of resolving structures.
    pub resolution: Vec<Accuracy>,
}

/// Name of the file that lists a catalog's sources and the hashes of its tables.
pub const MANIFEST: &str = "manifest.json";

/// The identity (a SHA-256) of the snapshot compiled into the program.
///
/// # Errors
/// [`Error::Json`] where the compiled-in manifest is damaged, which the tests rule out.
pub fn snapshot_identity() -> Result<String, Error> {
    let manifest = SNAPSHOT.iter().find(|(file, _)| *file == MANIFEST);
    Ok(read_manifest(manifest.map_or(b"", |(_, bytes)| bytes))?.catalog_sha256)
}

impl Catalog {
    /// The snapshot compiled into the program, made by [`crate::build()`].
    ///
    /// # Errors
    /// The errors of [`Catalog::open`] where the snapshot is damaged, which the tests rule out.
    pub fn snapshot() -> Result<Self, Error> {
        read(&compiled_in)
    }

    /// The catalog in folder `dir`, local or in an object store; its hashes are checked against its manifest.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Store`] where a file cannot be read, [`Error::HashMismatch`] where a table changed,
    /// [`Error::SchemaVersion`] for a catalog with another schema, and the errors of the Parquet reader.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        read(&|file| stores::read(&dir.join(file)))
    }
}

/// Where each cell of `structures` comes from, for the catalog in folder `dir` or, if `None`, the compiled-in snapshot.
/// Not part of [`Catalog`]: it is the largest table, and most questions do not need it.
///
/// # Errors
/// As of [`Catalog::open`].
pub fn provenance(dir: Option<&Path>) -> Result<Vec<Provenance>, Error> {
    let fetch: Fetch<'_> = match dir {
        Some(dir) => &|file: &str| stores::read(&dir.join(file)),
        None => &compiled_in,
    };
    table(&read_manifest(&fetch(MANIFEST)?)?, fetch)
}

/// A file of the compiled-in snapshot.
fn compiled_in(file: &str) -> Result<Bytes, Error> {
    let found = SNAPSHOT.iter().find(|(name, _)| *name == file);
    found
        .map(|(_, bytes)| Bytes::from_static(bytes))
        .ok_or_else(|| Error::Io {
            path: file.into(),
            source: std::io::ErrorKind::NotFound.into(),
        })
}

type Fetch<'a> = &'a (dyn Fn(&str) -> Result<Bytes, Error> + Sync);

pub(crate) fn read_manifest(bytes: &[u8]) -> Result<Manifest, Error> {
    let manifest: Manifest = serde_json::from_slice(bytes).map_err(|error| Error::Json {
        file: MANIFEST.to_owned(),
        line: error.line(),
        column: error.column(),
        message: error.to_string(),
    })?;
    if manifest.schema_version == SCHEMA_VERSION {
        Ok(manifest)
    } else {
        Err(Error::SchemaVersion {
            file: MANIFEST.to_owned(),
            found: manifest.schema_version,
            wanted: SCHEMA_VERSION,
        })
    }
}

/// Reads the large tables in parallel; where several cannot be read, the error is that of the first in the order below.
fn read(fetch: Fetch<'_>) -> Result<Catalog, Error> {
    let manifest = read_manifest(&fetch(MANIFEST)?)?;
    let manifest = &manifest;
    std::thread::scope(|scope| {
        let checkpoints = scope.spawn(|| table(manifest, fetch));
        let structures = scope.spawn(|| table(manifest, fetch));
        let evaluations = scope.spawn(|| table(manifest, fetch));
        let scores = scope.spawn(|| table(manifest, fetch));
        let conflicts = scope.spawn(|| table(manifest, fetch));
        Ok(Catalog {
            checkpoints: joined(checkpoints)?,
            structures: joined(structures)?,
            evaluations: joined(evaluations)?,
            scores: joined(scores)?,
            items: table(manifest, fetch)?,
            interventions: later_table(manifest, fetch)?,
            rejects: table(manifest, fetch)?,
            conflicts: joined(conflicts)?,
            duplicates: table(manifest, fetch)?,
            resolution: table(manifest, fetch)?,
            manifest: manifest.clone(),
        })
    })
}

fn joined<T>(thread: ScopedJoinHandle<'_, Result<T, Error>>) -> Result<T, Error> {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn table<R: Row>(manifest: &Manifest, fetch: Fetch<'_>) -> Result<Vec<R>, Error> {
    let file = format!("{}.parquet", R::TABLE);
    let bytes = fetch(&file)?;
    let found = crate::hash::sha256(&bytes);
    let wanted = manifest
        .tables
        .get(R::TABLE)
        .map_or("", |table| table.sha256.as_str());
    if found != wanted {
        return Err(Error::HashMismatch {
            file,
            found,
            wanted: wanted.to_owned(),
        });
    }
    read_rows(bytes, &file)
}

/// A table that was introduced later than others: empty for catalogs made before it existed.
fn later_table<R: Row>(manifest: &Manifest, fetch: Fetch<'_>) -> Result<Vec<R>, Error> {
    if manifest.tables.contains_key(R::TABLE) {
        table(manifest, fetch)
    } else {
        Ok(Vec::new())
    }
}
