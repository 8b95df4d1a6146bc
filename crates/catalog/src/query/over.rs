//! An engine in a session that the caller creates, whose statements may run in other processes.

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
    /// An engine over the catalog in folder `dir` (the compiled-in one if `None`) and the table of items in folder
    /// `items`, in the session that `session` creates; anything started by `session` lives as long as the engine.
    /// Tables are files by address, which the process that runs a statement reads itself through the stores of
    /// [`crate::stores::Registry`]; the table `sources`, which is not a file, is left out. `seed` is the seed of random
    /// draws.
    ///
    /// # Errors
    /// As for [`Engine::open`] and [`Engine::with_items`], and the errors of `session`.
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

    /// Runs a future of the session to completion.
    ///
    /// # Errors
    /// As for [`Engine::query`].
    pub fn run<T>(&self, future: impl Future<Output = Result<T, DataFusionError>>) -> Result<T, Error> {
        self.runtime.block_on(future).map_err(|error| self.refused(error))
    }
}
