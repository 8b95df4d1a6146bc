//! Where SQL is not built in: no engine can be made, and whoever asks for one is told how to get it.

use std::convert::Infallible;
use std::path::Path;

pub use crate::answer::{Answer, Format, Values};
use crate::error::Error;
pub use crate::schema::TABLES;

/// Views over the tables.
pub const VIEWS: [&str; 1] = ["observations"];

/// A session with the catalog's tables: none can be made.
pub struct Engine(Infallible);

/// One answer to one item.
#[derive(Debug, Clone, Copy)]
pub struct AnswerRow<'a> {
    /// The checkpoint.
    pub id: &'a str,
    /// The item.
    pub item: &'a str,
    /// Whether it is right.
    pub correct: bool,
    /// What was answered, where that is known.
    pub prediction: Option<&'a str>,
}

/// Nothing where this program has the engine; it has not.
///
/// # Errors
/// Always [`Error::NotBuiltIn`].
pub fn needed() -> Result<(), Error> {
    Err(absent())
}

fn absent() -> Error {
    Error::NotBuiltIn {
        what: "SQL (`query`, `--where`, the SQL page, tables of items)".to_owned(),
        feature: "sql",
    }
}

/// SHA-256 over the files of a table of items.
///
/// # Errors
/// Always [`Error::NotBuiltIn`].
pub fn identity_of_items(_items: &Path) -> Result<String, Error> {
    Err(absent())
}

impl Engine {
    /// Over a catalog.
    ///
    /// # Errors
    /// Always [`Error::NotBuiltIn`].
    pub fn open(_dir: Option<&Path>) -> Result<Self, Error> {
        Err(absent())
    }

    /// Over no catalog.
    ///
    /// # Errors
    /// Always [`Error::NotBuiltIn`].
    pub fn empty() -> Result<Self, Error> {
        Err(absent())
    }

    /// For statements of strangers.
    ///
    /// # Errors
    /// Always [`Error::NotBuiltIn`].
    pub fn for_visitors(_dir: Option<&Path>, _memory: usize) -> Result<Self, Error> {
        Err(absent())
    }

    /// With a table of items.
    ///
    /// # Errors
    /// Always [`Error::NotBuiltIn`].
    pub fn with_items(
        _dir: Option<&Path>,
        _items: &Path,
        _memory: usize,
        _threads: usize,
        _seed: u64,
    ) -> Result<Self, Error> {
        Err(absent())
    }

    /// Runs one statement.
    ///
    /// # Errors
    /// None: there is no engine.
    pub fn query(&self, _sql: &str) -> Result<Answer, Error> {
        match self.0 {}
    }

    /// Runs one statement of a stranger.
    ///
    /// # Errors
    /// None: there is no engine.
    pub fn query_within(&self, _sql: &str, _rows: usize) -> Result<(Answer, bool), Error> {
        match self.0 {}
    }

    /// Makes rows in memory a table.
    ///
    /// # Errors
    /// None: there is no engine.
    pub fn register_batches(
        &self,
        _table: &str,
        _schema: arrow::datatypes::SchemaRef,
        _batches: Vec<arrow::array::RecordBatch>,
    ) -> Result<(), Error> {
        match self.0 {}
    }

    /// Makes columns a table.
    ///
    /// # Errors
    /// None: there is no engine.
    pub fn register_columns(&self, _table: &str, _columns: &[(String, Values)]) -> Result<(), Error> {
        match self.0 {}
    }

    /// There is nothing to pass on.
    pub fn keep_whole(&self, _rows: usize) {
        match self.0 {}
    }

    /// Makes a file a table.
    ///
    /// # Errors
    /// None: there is no engine.
    pub fn register_file(&self, _table: &str, _path: &Path) -> Result<(), Error> {
        match self.0 {}
    }

    /// Benchmarks of a table of items.
    ///
    /// # Errors
    /// None: there is no engine.
    pub fn benchmarks_of_items(&self, _condition: &str) -> Result<Vec<String>, Error> {
        match self.0 {}
    }

    /// Every answer to one benchmark's items.
    ///
    /// # Errors
    /// None: there is no engine.
    pub fn each_answer(
        &self,
        _benchmark: &str,
        _condition: &str,
        _each: &mut dyn FnMut(AnswerRow<'_>),
    ) -> Result<(), Error> {
        match self.0 {}
    }
}
