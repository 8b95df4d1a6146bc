//! The tables in a session of the caller's, whose statements may run in other processes.

use std::path::Path;

use arrow::datatypes::DataType;
use datafusion::error::DataFusionError;
use datafusion::prelude::{ParquetReadOptions, SessionContext};

use super::items::has_items;
use super::{Engine, OBSERVATIONS};
use crate::catalog::{MANIFEST, read_manifest};
use crate::error::Error;
use crate::snapshot::SNAPSHOT;
use crate::stores::{self, COMPILED_IN};

impl Engine {
    /// Over the catalog in folder `dir` (the compiled-in one where `None`) and the table of items in folder `items`, in the
    /// session that `session` makes; what that starts lives as long as the engine. Tables are files by address, which whoever
    /// runs a statement reads himself with the stores of [`crate::stores::Registry`]; the table `sources`, which is in no
    /// file, is left out. What is drawn at random is drawn from `seed`.
    ///
    /// # Errors
    /// As [`Engine::open`] and [`Engine::with_items`], and what `session` gives.
    pub fn over<F>(session: F, dir: Option<&Path>, items: Option<&Path>, seed: u64) -> Result<Self, Error>
    where
        F: Future<Output = Result<SessionContext, DataFusionError>>,
    {
        let mut engine = Self::empty()?;
        engine.context = engine
            .runtime
            .block_on(session)
            .map_err(|error| engine.refused(error))?;
        engine.register_functions(seed);
        let tables: Vec<(String, String)> = match dir {
            None => SNAPSHOT
                .iter()
                .filter_map(|(file, _)| {
                    let table = file.strip_suffix(".parquet")?;
                    Some((table.to_owned(), format!("{COMPILED_IN}/{file}")))
                })
                .collect(),
            Some(dir) => {
                let manifest = read_manifest(&stores::read(&dir.join(MANIFEST))?)?;
                let place = |file: &str| dir.join(file).to_string_lossy().into_owned();
                let tables = manifest.tables.iter();
                tables
                    .map(|(table, file)| (table.clone(), place(&file.file)))
                    .collect()
            }
        };
        for (table, place) in tables {
            let options = ParquetReadOptions::new();
            let done = engine
                .runtime
                .block_on(engine.context.register_parquet(table, place, options));
            done.map_err(|error| engine.refused(error))?;
        }
        engine.query(OBSERVATIONS)?;
        if let Some(items) = items {
            has_items(items)?;
            engine.register_items(items, &DataType::Utf8)?;
        }
        Ok(engine)
    }

    /// The session.
    pub fn session(&self) -> &SessionContext {
        &self.context
    }

    /// Runs something of the session's to its end.
    ///
    /// # Errors
    /// As [`Engine::query`].
    pub fn run<T>(&self, future: impl Future<Output = Result<T, DataFusionError>>) -> Result<T, Error> {
        self.runtime.block_on(future).map_err(|error| self.refused(error))
    }
}
