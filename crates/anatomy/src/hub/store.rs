//! The crawl on disk: one file, changed only in whole transactions, so that a process killed at any moment leaves it whole.
//!
//! | table | key | value |
//! | --- | --- | --- |
//! | `entries` | id | the entry of the Hub's listing, JSON |
//! | `states` | id | [`State`], JSON |
//! | `configs` | id | `config.json`, byte for byte |
//! | `queue` | place | id, of everything in flight |
//! | `files` | path | a file of a leaderboard's dataset: where it is from and what it hashes to, JSON |
//! | `meta` | name | layout, number of runs, how far the listing came |

use std::path::{Path, PathBuf};

use redb::{
    Builder, ConcurrencyMode, Database, DatabaseError, ReadOnlyDatabase, ReadTransaction, ReadableDatabase,
    ReadableTable, TableDefinition, WriteTransaction,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::hub::error::Error;
use crate::hub::state::{Counts, State};

/// Layout of the tables; raised when their meaning changes.
const LAYOUT: u32 = 1;
/// Memory the store may use for pages.
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
    /// Opens the store in `folder` for writing, and makes both where they are not there.
    ///
    /// # Errors
    /// [`Error::Busy`] where another process has it, [`Error::Io`] where the folder cannot be made, [`Error::Store`] and
    /// [`Error::Layout`] where the file is none of ours.
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

    /// Opens the store in `folder` for reading, also while a run writes it.
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
            // After a crash the file is put in order by who may write.
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

    /// A view of the store as it is now.
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

    /// Changes the store: all that `change` does, or nothing. On disk when this returns.
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

    /// One value of `meta`.
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

/// Turns an error of the store's engine into one of ours.
pub(crate) fn failed<E: Into<redb::Error>>(path: &Path) -> impl FnOnce(E) -> Error {
    move |source| Error::Store {
        path: path.to_owned(),
        source: Box::new(source.into()),
    }
}

/// A change under way.
pub(crate) struct Change<'a>(pub(crate) WriteTransaction, pub(crate) &'a Path);

impl Change<'_> {
    /// One value of `meta`.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn meta(&self, name: &str) -> Result<Option<String>, Error> {
        let table = self.0.open_table(META).map_err(failed(self.1))?;
        let value = table.get(name).map_err(failed(self.1))?;
        Ok(value.map(|value| value.value().to_owned()))
    }

    /// Sets one value of `meta`.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn set_meta(&self, name: &str, value: &str) -> Result<(), Error> {
        let mut table = self.0.open_table(META).map_err(failed(self.1))?;
        table.insert(name, value).map_err(failed(self.1))?;
        Ok(())
    }
}

/// The store as it was at one moment.
pub(crate) struct View(pub(crate) ReadTransaction, pub(crate) PathBuf);

impl View {
    /// Counts of all standings, by looking at every row.
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

    /// One state.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Row`].
    pub(crate) fn state(&self, id: &str) -> Result<Option<State>, Error> {
        let table = self.0.open_table(STATES).map_err(failed(&self.1))?;
        let state = table.get(id).map_err(failed(&self.1))?;
        state.map(|state| parse(&self.1, id, state.value())).transpose()
    }

    /// Calls `look` with every state, in the order of ids.
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

    /// Up to `many` ids after place `after` in the queue, with place and listed commit.
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
    /// Place in the queue.
    pub(crate) place: u64,
    /// Commit that was listed.
    pub(crate) sha: Option<String>,
}

/// Reads a row.
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

/// Writes a row.
///
/// # Errors
/// [`Error::Row`], for values that JSON cannot hold.
pub(crate) fn row<T: Serialize>(path: &Path, key: &str, value: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|error| Error::Row {
        path: path.to_owned(),
        key: key.to_owned(),
        message: error.to_string(),
    })
}
