//! Replaces the query engine where SQL is not built in: no engine can be created, and the error says how to build with
//! one.

use std::convert::Infallible;
use std::path::Path;

pub use crate::answer::{Answer, Format, Values};
use crate::error::Error;
pub use crate::schema::TABLES;

/// Views over the tables.
pub const VIEWS: [&str; 1] = ["observations"];

/// A session with the catalog's tables; never created in this build.
pub struct Engine(Infallible);

/// One answer of one checkpoint to one item.
#[derive(Debug, Clone, Copy)]
pub struct AnswerRow<'a> {
    /// The checkpoint.
    pub id: &'a str,
    /// The item.
    pub item: &'a str,
    /// Whether the answer is correct.
    pub correct: bool,
    /// The answer given, where it is known.
    pub prediction: Option<&'a str>,
}

/// Does nothing where the SQL engine is built in; here it is not.
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
    /// An engine over a catalog.
    ///
    /// # Errors
    /// Always [`Error::NotBuiltIn`].
    pub fn open(_dir: Option<&Path>) -> Result<Self, Error> {
        Err(absent())
    }

    /// An engine without a catalog.
    ///
    /// # Errors
    /// Always [`Error::NotBuiltIn`].
    pub fn empty() -> Result<Self, Error> {
        Err(absent())
    }

    /// An engine for statements of untrusted users.
    ///
    /// # Errors
    /// Always [`Error::NotBuiltIn`].
    pub fn for_visitors(_dir: Option<&Path>, _memory: usize) -> Result<Self, Error> {
        Err(absent())
    }

    /// An engine with a table of items.
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

    /// Runs one statement of an untrusted user.
    ///
    /// # Errors
    /// None: there is no engine.
    pub fn query_within(&self, _sql: &str, _rows: usize) -> Result<(Answer, bool), Error> {
        match self.0 {}
    }

    /// Registers rows in memory as a table.
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

    /// Registers columns as a table.
    ///
    /// # Errors
    /// None: there is no engine.
    pub fn register_columns(&self, _table: &str, _columns: &[(String, Values)]) -> Result<(), Error> {
        match self.0 {}
    }

    /// Never called: there is no engine.
    pub fn keep_whole(&self, _rows: usize) {
        match self.0 {}
    }

    /// Registers a file as a table.
    ///
    /// # Errors
    /// None: there is no engine.
    pub fn register_file(&self, _table: &str, _path: &Path) -> Result<(), Error> {
        match self.0 {}
    }

    /// The benchmarks of a table of items.
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
