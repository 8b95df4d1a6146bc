//! Which files under a folder are sources, told by their contents, in the order of trust.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::config::json;
use crate::error::Error;
use crate::gather::Role;
use crate::sources::table::Table;
use crate::sources::{architectures, hub_configs, hub_models, leaderboard_v1, leaderboard_v2, structures};

/// Kinds of sources, the most trusted first: the order in which they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    HubConfigs,
    HubModels,
    Structures,
    Architectures,
    LeaderboardV2,
    LeaderboardV1,
}

impl Kind {
    /// Name in the manifest.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::HubConfigs => hub_configs::NAME,
            Self::HubModels => hub_models::NAME,
            Self::Structures => structures::NAME,
            Self::Architectures => architectures::NAME,
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
            Self::HubConfigs | Self::HubModels | Self::Structures => Role::Structure,
            Self::LeaderboardV1 | Self::LeaderboardV2 => Role::Leaderboard,
            Self::Architectures => Role::Other,
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
    if name.ends_with(".csv") || name.ends_with(".csv.gz") {
        return csv_kind(path, file);
    }
    if name.ends_with(".json") {
        return json_kind(path, file);
    }
    Ok(None)
}

fn csv_kind(path: &Path, file: &str) -> Result<Option<Kind>, Error> {
    let table = Table::open(path, file)?;
    let kinds: [(Kind, fn(&Table) -> bool); 4] = [
        (Kind::LeaderboardV1, leaderboard_v1::recognises),
        (Kind::LeaderboardV2, leaderboard_v2::recognises),
        (Kind::Structures, structures::recognises),
        (Kind::Architectures, architectures::recognises),
    ];
    Ok(kinds
        .into_iter()
        .find(|(_, recognises)| recognises(&table))
        .map(|(kind, _)| kind))
}

fn json_kind(path: &Path, file: &str) -> Result<Option<Kind>, Error> {
    let value = json_file(path, file)?;
    let kinds: [(Kind, fn(&Value) -> bool); 2] = [
        (Kind::HubModels, hub_models::recognises),
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
