//! The crawl's store: a single file, changed only in complete transactions, so that it survives a kill at any moment.
//!
//! | table | key | value |
//! | --- | --- | --- |
//! | `entries` | id | the entry of the Hub's listing, JSON |
//! | `states` | id | [`State`], JSON |
//! | `configs` | id | `config.json`, byte for byte |
//! | `queue` | position | id of each checkpoint still to be fetched |
//! | `files` | path | origin and hashes of a downloaded file of a leaderboard's dataset, JSON |
//! | `meta` | name | layout version, last queue position, state of the listing |

use std::path::{Path, PathBuf};

use redb::{
    Builder, ConcurrencyMode, Database, DatabaseError, ReadOnlyDatabase, ReadTransaction, ReadableDatabase,
    ReadableTable, TableDefinition, WriteTransaction,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::hub::error::Error;
use crate::hub::state::{Counts, State};

/// Version of the tables' layout; increased when their meaning changes.
const LAYOUT: u32 = 1;
/// Cache size of the store's engine, bytes.
const CACHE: usize = 48 << 20;
/// Name of the store's file in its folder.
const FILE: &str = "crawl.redb";

pub(crate) const ENTRIES: TableDefinition<&str, &[u8]> = TableDefinition::new("entries");
pub(crate) const STATES: TableDefinition<&str, &[u8]> = TableDefinition::new("states");
pub(crate) const CONFIGS: TableDefinition<&str, &[u8]> = TableDefinition::new("configs");
pub(crate) const QUEUE: TableDefinition<u64, &str> = TableDefinition::new("queue");
pub(crate) const FILES: TableDefinition<&str, &[u8]> = TableDefinition::new("files");
pub(crate) const META: TableDefinition<&str, &str> = TableDefinition::new("meta");

/// An open store.
pub(crate) struct Store {
    path: PathBuf,
    handle: Handle,
}

enum Handle {
    Writing(Database),
    Reading(ReadOnlyDatabase),
}

impl Store {
    /// Opens the store in `folder` for writing, creating both where necessary.
    ///
    /// # Errors
    /// [`Error::Busy`] where another process has it open, [`Error::Io`] where the folder cannot be created,
    /// [`Error::Store`] and [`Error::Layout`] where the file is not a store of this version.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        std::fs::create_dir_all(folder).map_err(Error::io("make the folder", folder))?;
        let path = folder.join(FILE);
        let database = Builder::new()
            .set_cache_size(CACHE)
            .set_concurrency_mode(ConcurrencyMode::SingleWriter)
            .create(&path)
            .map_err(|error| match error {
                DatabaseError::DatabaseAlreadyOpen => Error::Busy {
                    folder: folder.to_owned(),
                },
                error => failed(&path)(error),
            })?;
        let store = Self {
            path,
            handle: Handle::Writing(database),
        };
        store.write(|change| {
            for table in [ENTRIES, STATES, CONFIGS, FILES] {
                change.0.open_table(table).map_err(failed(change.1))?;
            }
            change.0.open_table(QUEUE).map_err(failed(change.1))?;
            if change.meta("layout")?.is_none() {
                change.set_meta("layout", &LAYOUT.to_string())?;
            }
            Ok(())
        })?;
        store.check_layout()?;
        Ok(store)
    }

    /// Opens the store in `folder` for reading, even while a run is writing.
    ///
    /// # Errors
    /// As [`Store::open`], and [`Error::NoStore`] where there is none.
    pub(crate) fn open_to_read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(FILE);
        if !path.is_file() {
            return Err(Error::NoStore {
                folder: folder.to_owned(),
            });
        }
        let mut builder = Builder::new();
        builder
            .set_cache_size(CACHE)
            .set_concurrency_mode(ConcurrencyMode::SingleWriter);
        let handle = match builder.open_read_only(&path) {
            Ok(database) => Handle::Reading(database),
            // A store left by a crash is repaired by opening it for writing.
            Err(DatabaseError::RepairAborted) => return Self::open(folder),
            Err(error) => return Err(failed(&path)(error)),
        };
        let store = Self { path, handle };
        store.check_layout()?;
        Ok(store)
    }

    fn check_layout(&self) -> Result<(), Error> {
        let found = self.meta("layout")?.unwrap_or_else(|| "unknown".into());
        if found == LAYOUT.to_string() {
            return Ok(());
        }
        Err(Error::Layout {
            path: self.path.clone(),
            found,
            known: LAYOUT,
        })
    }

    /// A snapshot of the store.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn view(&self) -> Result<View, Error> {
        let view = match &self.handle {
            Handle::Writing(database) => database.begin_read(),
            Handle::Reading(database) => database.begin_read(),
        };
        Ok(View(view.map_err(failed(&self.path))?, self.path.clone()))
    }

    /// Applies `change` in one transaction, completely or not at all; on disk when this returns.
    ///
    /// # Errors
    /// [`Error::Store`], for instance where the disk is full; and those of `change`.
    pub(crate) fn write<T>(&self, change: impl FnOnce(&Change<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let Handle::Writing(database) = &self.handle else {
            return Err(Error::Gone {
                part: "right to write",
            });
        };
        let transaction = database.begin_write().map_err(failed(&self.path))?;
        let change_set = Change(transaction, &self.path);
        let done = change(&change_set)?;
        change_set.0.commit().map_err(failed(&self.path))?;
        Ok(done)
    }

    /// A value in table `meta`.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn meta(&self, name: &str) -> Result<Option<String>, Error> {
        let view = self.view()?;
        let table = view.0.open_table(META).map_err(failed(&self.path))?;
        let value = table.get(name).map_err(failed(&self.path))?;
        Ok(value.map(|value| value.value().to_owned()))
    }
}

/// Converts an error of the store's engine to [`Error::Store`].
pub(crate) fn failed<E: Into<redb::Error>>(path: &Path) -> impl FnOnce(E) -> Error {
    move |source| Error::Store {
        path: path.to_owned(),
        source: Box::new(source.into()),
    }
}

/// An open write transaction, and the store's path.
pub(crate) struct Change<'a>(pub(crate) WriteTransaction, pub(crate) &'a Path);

impl Change<'_> {
    /// A value in table `meta`.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn meta(&self, name: &str) -> Result<Option<String>, Error> {
        let table = self.0.open_table(META).map_err(failed(self.1))?;
        let value = table.get(name).map_err(failed(self.1))?;
        Ok(value.map(|value| value.value().to_owned()))
    }

    /// Sets a value in table `meta`.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn set_meta(&self, name: &str, value: &str) -> Result<(), Error> {
        let mut table = self.0.open_table(META).map_err(failed(self.1))?;
        table.insert(name, value).map_err(failed(self.1))?;
        Ok(())
    }
}

/// A snapshot of the store, and the store's path.
pub(crate) struct View(pub(crate) ReadTransaction, pub(crate) PathBuf);

impl View {
    /// Number of checkpoints by standing, counted over all rows.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Row`].
    pub(crate) fn counts(&self) -> Result<Counts, Error> {
        let mut counts = Counts::default();
        self.each_state(|_, state| {
            counts.moved(None, state.standing);
            Ok(())
        })?;
        Ok(counts)
    }

    /// The state of one checkpoint.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Row`].
    pub(crate) fn state(&self, id: &str) -> Result<Option<State>, Error> {
        let table = self.0.open_table(STATES).map_err(failed(&self.1))?;
        let state = table.get(id).map_err(failed(&self.1))?;
        state.map(|state| parse(&self.1, id, state.value())).transpose()
    }

    /// Calls `look` with every state, ordered by id.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Row`], and those of `look`.
    pub(crate) fn each_state(
        &self,
        mut look: impl FnMut(&str, State) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let table = self.0.open_table(STATES).map_err(failed(&self.1))?;
        for row in table.iter().map_err(failed(&self.1))? {
            let (id, state) = row.map_err(failed(&self.1))?;
            look(id.value(), parse(&self.1, id.value(), state.value())?)?;
        }
        Ok(())
    }

    /// Up to `many` entries of the queue after position `after`, with position and listed commit.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Row`].
    pub(crate) fn queued(&self, after: u64, many: usize) -> Result<Vec<Queued>, Error> {
        let queue = self.0.open_table(QUEUE).map_err(failed(&self.1))?;
        let states = self.0.open_table(STATES).map_err(failed(&self.1))?;
        let mut found = Vec::new();
        for row in queue.range(after + 1..).map_err(failed(&self.1))?.take(many) {
            let (place, id) = row.map_err(failed(&self.1))?;
            let state = states.get(id.value()).map_err(failed(&self.1))?;
            let state: Option<State> = state
                .map(|state| parse(&self.1, id.value(), state.value()))
                .transpose()?;
            found.push(Queued {
                id: id.value().to_owned(),
                place: place.value(),
                sha: state.and_then(|state| state.sha),
            });
        }
        Ok(found)
    }
}

/// A checkpoint whose config is to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Queued {
    /// `org/name`.
    pub(crate) id: String,
    /// Position in the queue.
    pub(crate) place: u64,
    /// The listed commit.
    pub(crate) sha: Option<String>,
}

/// Parses a row.
///
/// # Errors
/// [`Error::Row`].
pub(crate) fn parse<T: DeserializeOwned>(path: &Path, key: &str, bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|error| Error::Row {
        path: path.to_owned(),
        key: key.to_owned(),
        message: error.to_string(),
    })
}

/// Serialises a row.
///
/// # Errors
/// [`Error::Row`] for values that JSON cannot represent.
pub(crate) fn row<T: Serialize>(path: &Path, key: &str, value: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|error| Error::Row {
        path: path.to_owned(),
        key: key.to_owned(),
        message: error.to_string(),
    })
}
