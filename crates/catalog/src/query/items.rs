//! Registers a folder of answers to items as the table `items`, with the views over it.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{ParquetReadOptions, SessionConfig};
use futures::StreamExt;

use crate::error::Error;
use crate::hash::sha256;
use crate::items::{Answers, BUILTIN, BUILTIN_BENCHMARK, ItemRow, PACKED, PARTITION, VIEWS, parts};
use crate::parquet_file::{data_type, to_batch};
use crate::query::{Engine, Functions, functions};
use crate::schema::Row;
use crate::stores::Registry;

/// Number of rows per batch of the built-in answers.
const PIECE: usize = 8_192;

impl Engine {
    /// An engine over the catalog in folder `dir` (the compiled-in one if `None`) and the table of items in folder
    /// `items`, which replaces the catalog's own. Operators together use at most `memory` bytes, then spill to disk, on
    /// `threads` threads (0: one per core). `seed` is the seed of random draws.
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
        has_items(items)?;
        // One side of each join is small (totals per checkpoint, answers of one checkpoint): it is collected once, and
        // the large side need not be repartitioned by key.
        let mut config = SessionConfig::new()
            .with_information_schema(true)
            .with_repartition_joins(false);
        if threads > 0 {
            config = config.with_target_partitions(threads);
        }
        let limits = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(memory)))
            .with_object_store_registry(Arc::new(Registry::default()));
        let engine = Self::with_files(config, limits)?.with_catalog(dir)?;
        engine.register_functions(seed);
        // Text columns as string views, which are cheapest to read and to group by.
        engine.register_items(items, &DataType::Utf8View)?;
        Ok(engine)
    }

    /// Registers the built-in answers as the table `items`, in memory.
    fn register_builtin(&self, text: &DataType) -> Result<(), Error> {
        let rows: Vec<ItemRow> = Answers::unpack(PACKED)?.rows().collect();
        let batch = to_batch(&rows)?;
        let refused = |error: arrow::error::ArrowError| self.refused(error.into());
        let mut fields: Vec<Field> = Vec::new();
        let mut columns: Vec<ArrayRef> = Vec::new();
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            let column = if *field.data_type() == DataType::Utf8 {
                cast(column, text).map_err(refused)?
            } else {
                column.clone()
            };
            fields.push(Field::new(field.name(), column.data_type().clone(), true));
            columns.push(column);
        }
        let name = StringArray::from(vec![BUILTIN_BENCHMARK; rows.len()]);
        fields.push(Field::new(PARTITION, text.clone(), false));
        columns.push(cast(&name, text).map_err(refused)?);
        let schema = Arc::new(Schema::new(fields));
        let batch = RecordBatch::try_new(schema.clone(), columns).map_err(refused)?;
        // In batches, so that the work is spread over all threads.
        let pieces: Vec<RecordBatch> = (0..batch.num_rows())
            .step_by(PIECE)
            .map(|from| batch.slice(from, PIECE.min(batch.num_rows() - from)))
            .collect();
        let table = MemTable::try_new(schema, vec![pieces]).map_err(|error| self.refused(error))?;
        self.context
            .deregister_table(ItemRow::TABLE)
            .map_err(|error| self.refused(error))?;
        self.context
            .register_table(ItemRow::TABLE, Arc::new(table))
            .map_err(|error| self.refused(error))?;
        Ok(())
    }

    pub(super) fn register_functions(&self, seed: u64) {
        let Functions { aggregates, scalars } = functions(seed);
        for aggregate in aggregates {
            self.context.register_udaf(aggregate);
        }
        for scalar in scalars {
            self.context.register_udf(scalar);
        }
    }

    /// Registers the table `items`, with text columns of type `text`, and the views.
    pub(super) fn register_items(&self, items: &Path, text: &DataType) -> Result<(), Error> {
        if is_builtin(items) {
            self.register_builtin(text)?;
            return VIEWS
                .iter()
                .try_for_each(|(_, statement)| self.query(statement).map(|_| ()));
        }
        let fields: Vec<Field> = ItemRow::columns()
            .iter()
            .map(|column| {
                let kind = match data_type(column.kind) {
                    DataType::Utf8 => text.clone(),
                    other => other,
                };
                Field::new(column.name, kind, true)
            })
            .collect();
        let schema = Schema::new(fields);
        let options = ParquetReadOptions::new()
            .schema(&schema)
            .table_partition_cols(vec![(PARTITION.to_owned(), text.clone())]);
        // The trailing slash marks a folder, so that it is not first looked up as a file.
        let place = format!("{}/", items.to_string_lossy().trim_end_matches('/'));
        self.context
            .deregister_table(ItemRow::TABLE)
            .map_err(|error| self.refused(error))?;
        self.runtime
            .block_on(self.context.register_parquet(ItemRow::TABLE, &place, options))
            .map_err(|error| self.refused(error))?;
        for (_, statement) in VIEWS {
            self.query(statement)?;
        }
        Ok(())
    }
}

/// Whether the built-in answers are meant: by their name, unless there is a local folder with that name.
fn is_builtin(items: &Path) -> bool {
    items == Path::new(BUILTIN) && !items.is_dir()
}

/// Checks that the folder holds a file of the table.
pub(super) fn has_items(items: &Path) -> Result<(), Error> {
    if is_builtin(items) {
        return Ok(());
    }
    if parts(items)?.is_empty() {
        return Err(Error::NoItems {
            path: items.to_owned(),
            message: format!("looked for {PARTITION}=NAME/*.parquet"),
        });
    }
    Ok(())
}

/// One answer of one checkpoint to one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerRow<'a> {
    /// The checkpoint.
    pub id: &'a str,
    /// The checkpoint.
    pub item: &'a str,
    /// Whether the answer is correct.
    pub correct: bool,
    /// The answer given, where it is known.
    pub prediction: Option<&'a str>,
}

impl Engine {
    /// The benchmarks in table `items` for which the SQL `condition` holds in some row with a known `correct`, sorted
    /// by name.
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
                cast(batch.column(0), &DataType::Utf8).map_err(|error| self.refused(error.into()))?;
            names.extend(column.as_string::<i32>().iter().flatten().map(str::to_owned));
        }
        Ok(names)
    }

    /// Calls `each` with every answer to a benchmark's items that is known to be right or wrong and satisfies the SQL
    /// `condition`, in no particular order, with one batch in memory at a time.
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
        done.map_err(|error| self.refused(error))
    }
}

/// The identity of a table of items: SHA-256 over the names of its files, which contain hashes of what they were made
/// from.
///
/// # Errors
/// [`Error::Io`].
pub fn identity_of_items(items: &Path) -> Result<String, Error> {
    if is_builtin(items) {
        return Ok(sha256(PACKED));
    }
    let mut names = String::new();
    for (folder, file) in parts(items)? {
        for part in [folder, file] {
            names.push_str(&part);
            names.push('\n');
        }
    }
    Ok(sha256(names.as_bytes()))
}
