//! A folder of answers to items as the table `items`, with the views over it.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::AggregateUDF;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use futures::StreamExt;

use super::bootstrap::Bootstrap;
use super::mcnemar;
use crate::error::Error;
use crate::items::{ItemRow, PARTITION, VIEWS, entries};
use crate::manifest::sha256;
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
    for folder in entries(items)? {
        if folder.is_dir() && is_part(&folder) {
            let files = entries(&folder)?;
            if files
                .iter()
                .any(|path| path.extension().is_some_and(|ending| ending == "parquet"))
            {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// One answer, as a study of items takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

impl Engine {
    /// The benchmarks of the table `items` for which the SQL `condition` holds somewhere, in order of name.
    ///
    /// # Errors
    /// As [`Engine::query`].
    pub fn benchmarks_of_items(&self, condition: &str) -> Result<Vec<String>, Error> {
        let sql = format!(
            "select distinct benchmark from items where correct is not null and ({condition}) order by 1"
        );
        let mut names = Vec::new();
        for batch in self.query(&sql)?.batches {
            let column =
                cast(batch.column(0), &DataType::Utf8).map_err(|error| self.refused(&error.into()))?;
            names.extend(column.as_string::<i32>().iter().flatten().map(str::to_owned));
        }
        Ok(names)
    }

    /// Gives every answer of a benchmark that is right or wrong, and for which the SQL `condition` holds, to `each`, in no order
    /// and a batch in memory at a time.
    ///
    /// # Errors
    /// As [`Engine::query`].
    pub fn each_answer(
        &self,
        benchmark: &str,
        condition: &str,
        each: &mut dyn FnMut(AnswerRow<'_>),
    ) -> Result<(), Error> {
        let sql = format!(
            "select id, item, correct, prediction from items \
             where benchmark = '{}' and correct is not null and ({condition})",
            benchmark.replace('\'', "''")
        );
        let done: Result<(), DataFusionError> = self.runtime.block_on(async {
            let mut stream = self.context.sql(&sql).await?.execute_stream().await?;
            while let Some(batch) = stream.next().await {
                let batch = batch?;
                let text = |place: usize| cast(batch.column(place), &DataType::Utf8View);
                let (ids, items, predictions) = (text(0)?, text(1)?, text(3)?);
                let (ids, items, predictions) = (
                    ids.as_string_view(),
                    items.as_string_view(),
                    predictions.as_string_view(),
                );
                let correct = batch.column(2).as_boolean();
                for row in 0..batch.num_rows() {
                    each(AnswerRow {
                        id: ids.value(row),
                        item: items.value(row),
                        correct: correct.value(row),
                        prediction: predictions.is_valid(row).then(|| predictions.value(row)),
                    });
                }
            }
            Ok(())
        });
        done.map_err(|error| self.refused(&error))
    }
}

/// The identity of a table of items: SHA-256 over the names of its files, which hold the hashes of what they were made from.
///
/// # Errors
/// [`Error::Io`].
pub fn identity_of_items(items: &Path) -> Result<String, Error> {
    let mut names = String::new();
    for folder in entries(items)? {
        if !folder.is_dir() || !is_part(&folder) {
            continue;
        }
        for path in entries(&folder)? {
            if path.extension().is_some_and(|ending| ending == "parquet") {
                for part in [&folder, &path] {
                    names.push_str(&part.file_name().unwrap_or_default().to_string_lossy());
                    names.push('\n');
                }
            }
        }
    }
    Ok(sha256(names.as_bytes()))
}

fn is_part(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with(&format!("{PARTITION}="))
}
