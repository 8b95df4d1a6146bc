//! Which files under a folder are sources, told by their contents, in the order of trust.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::config::json;
use crate::error::Error;
use crate::gather::Role;
use crate::sources::table::Table;
use crate::sources::{
    architectures, bases, config_files, hub_configs, hub_models, leaderboard_v1, leaderboard_v2, listings,
    structures, task_tables,
};

/// Kinds of sources, the most trusted first: the order in which they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    ConfigFile,
    HubConfigs,
    HubModels,
    Structures,
    Architectures,
    Bases,
    Parameters,
    LeaderboardV2,
    LeaderboardV1,
    /// One of [`task_tables::SPECS`], by its place there.
    Task(usize),
    Listing,
}

impl Kind {
    /// Name in the manifest.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ConfigFile => config_files::NAME,
            Self::Parameters => listings::PARAMETERS,
            Self::Listing => listings::LISTING,
            Self::Task(at) => task_tables::SPECS.get(at).map_or("task", |spec| spec.name),
            Self::HubConfigs => hub_configs::NAME,
            Self::HubModels => hub_models::NAME,
            Self::Structures => structures::NAME,
            Self::Architectures => architectures::NAME,
            Self::Bases => bases::NAME,
            Self::LeaderboardV2 => leaderboard_v2::NAME,
            Self::LeaderboardV1 => leaderboard_v1::NAME,
        }
    }

    /// Whether its rows are evaluations.
    pub(crate) fn is_leaderboard(self) -> bool {
        self.role() == Role::Leaderboard
    }

    /// What a source of this kind is to the checkpoints it names.
    pub(crate) fn role(self) -> Role {
        match self {
            Self::ConfigFile | Self::HubConfigs | Self::HubModels | Self::Structures => Role::Structure,
            Self::LeaderboardV1 | Self::LeaderboardV2 | Self::Task(_) => Role::Leaderboard,
            Self::Architectures | Self::Bases | Self::Parameters | Self::Listing => Role::Other,
        }
    }
}

/// One file to read.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    /// Path under the sources folder, with `/`.
    pub(crate) file: String,
    pub(crate) kind: Kind,
}

/// All sources under `folder` (or the one file it is), in the order of trust, then by name.
///
/// # Errors
/// [`Error::NoSources`] where there is none; the readers' errors where a file that must be one cannot be read.
pub(crate) fn discover(folder: &Path) -> Result<Vec<Found>, Error> {
    let mut files = Vec::new();
    walk(folder, &mut files)?;
    let mut found = Vec::new();
    for path in files {
        let file = path
            .strip_prefix(folder)
            .unwrap_or(&path)
            .to_string_lossy()
            .replace('\\', "/");
        let file = if file.is_empty() {
            path.to_string_lossy().into_owned()
        } else {
            file
        };
        if let Some(kind) = kind(&path, &file)? {
            found.push(Found { path, file, kind });
        }
    }
    if found.is_empty() {
        return Err(Error::NoSources {
            path: folder.to_owned(),
        });
    }
    found.sort_by(|a, b| (a.kind, &a.file).cmp(&(b.kind, &b.file)));
    Ok(found)
}

fn walk(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    if path.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    let mut entries = Vec::new();
    for entry in fs::read_dir(path).map_err(Error::io(path))? {
        entries.push(entry.map_err(Error::io(path))?.path());
    }
    entries.sort();
    entries.iter().try_for_each(|entry| walk(entry, files))
}

fn kind(path: &Path, file: &str) -> Result<Option<Kind>, Error> {
    let name = file.rsplit('/').next().unwrap_or(file).to_ascii_lowercase();
    if name.ends_with(".csv") || name.ends_with(".csv.gz") || name.ends_with(".parquet") {
        return csv_kind(path, file);
    }
    if name.ends_with(".json") {
        return json_kind(path, file);
    }
    Ok(None)
}

fn csv_kind(path: &Path, file: &str) -> Result<Option<Kind>, Error> {
    let table = Table::open(path, file)?;
    let kinds: [(Kind, fn(&Table) -> bool); 7] = [
        (Kind::LeaderboardV1, leaderboard_v1::recognises),
        (Kind::LeaderboardV2, leaderboard_v2::recognises),
        (Kind::Structures, structures::recognises),
        (Kind::Architectures, architectures::recognises),
        (Kind::Bases, bases::recognises),
        (Kind::Parameters, listings::is_parameters),
        (Kind::Listing, listings::is_listing),
    ];
    let told = kinds
        .into_iter()
        .find(|(_, recognises)| recognises(&table))
        .map(|(kind, _)| kind);
    Ok(told.or_else(|| {
        let spec = task_tables::recognise(&table)?;
        let at = task_tables::SPECS
            .iter()
            .position(|other| other.name == spec.name)?;
        Some(Kind::Task(at))
    }))
}

fn json_kind(path: &Path, file: &str) -> Result<Option<Kind>, Error> {
    let value = json_file(path, file)?;
    let kinds: [(Kind, fn(&Value) -> bool); 3] = [
        (Kind::HubModels, hub_models::recognises),
        (Kind::ConfigFile, config_files::recognises),
        (Kind::HubConfigs, hub_configs::recognises),
    ];
    Ok(kinds
        .into_iter()
        .find(|(_, recognises)| recognises(&value))
        .map(|(kind, _)| kind))
}

/// The JSON of a file.
pub(crate) fn json_file(path: &Path, file: &str) -> Result<Value, Error> {
    json::parse(&fs::read(path).map_err(Error::io(path))?, file)
}
