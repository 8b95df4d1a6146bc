//! A folder of answers to items as the table `items`, with the views over it.

use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::AggregateUDF;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};

use super::bootstrap::Bootstrap;
use super::mcnemar;
use crate::error::Error;
use crate::items::{ItemRow, PARTITION, VIEWS};
use crate::parquet_file::data_type;
use crate::query::{Engine, aggregates};
use crate::schema::Row;

impl Engine {
    /// Over the catalog in folder `dir` (the compiled-in one where `None`) and the table of items in folder `items`, which
    /// stands in the place of the catalog's own. Operators together hold at most `memory` bytes and then spill to disk, on
    /// `threads` threads (0: all cores). What is drawn at random is drawn from `seed`.
    ///
    /// # Errors
    /// As [`Engine::open`]; [`Error::NoItems`] where the folder holds no file of the table.
    pub fn with_items(
        dir: Option<&Path>,
        items: &Path,
        memory: usize,
        threads: usize,
        seed: u64,
    ) -> Result<Self, Error> {
        if !holds_items(items)? {
            return Err(Error::NoItems {
                path: items.to_owned(),
                message: format!("looked for {PARTITION}=NAME/*.parquet"),
            });
        }
        let mut config = SessionConfig::new().with_information_schema(true);
        if threads > 0 {
            config = config.with_target_partitions(threads);
        }
        let limits = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(memory)))
            .build()
            .map_err(|error| Error::Query {
                message: error.strip_backtrace(),
                suggestions: Vec::new(),
            })?;
        let context = SessionContext::new_with_config_rt(config, Arc::new(limits)).enable_url_table();
        for aggregate in aggregates() {
            context.register_udaf(aggregate);
        }
        let engine = Self::of(context)?.with_catalog(dir)?;
        engine.register_items(items, seed)?;
        Ok(engine)
    }

    fn register_items(&self, items: &Path, seed: u64) -> Result<(), Error> {
        self.context
            .register_udaf(AggregateUDF::from(Bootstrap::new(seed)));
        self.context.register_udf(mcnemar::function());
        let fields: Vec<Field> = ItemRow::columns()
            .iter()
            .map(|column| {
                // Views of text: what reading and grouping by it costs least with.
                let kind = match data_type(column.kind) {
                    DataType::Utf8 => DataType::Utf8View,
                    other => other,
                };
                Field::new(column.name, kind, true)
            })
            .collect();
        let schema = Schema::new(fields);
        let options = ParquetReadOptions::new()
            .schema(&schema)
            .table_partition_cols(vec![(PARTITION.to_owned(), DataType::Utf8)]);
        let place = items.to_string_lossy();
        self.context
            .deregister_table(ItemRow::TABLE)
            .map_err(|error| self.refused(&error))?;
        self.runtime
            .block_on(
                self.context
                    .register_parquet(ItemRow::TABLE, place.as_ref(), options),
            )
            .map_err(|error| self.refused(&error))?;
        for (_, statement) in VIEWS {
            self.query(statement)?;
        }
        Ok(())
    }
}

/// Whether a file of the table stands in the folder.
fn holds_items(items: &Path) -> Result<bool, Error> {
    for entry in std::fs::read_dir(items).map_err(Error::io(items))? {
        let folder = entry.map_err(Error::io(items))?.path();
        let is_part = folder
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(&format!("{PARTITION}=")));
        if !is_part || !folder.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(&folder).map_err(Error::io(&folder))? {
            let path = file.map_err(Error::io(&folder))?.path();
            if path.extension().is_some_and(|ending| ending == "parquet") {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
