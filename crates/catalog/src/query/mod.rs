//! SQL over the catalog's tables, run in this process by `DataFusion`.

mod bootstrap;
mod compared;
mod days;
mod files;
mod headers;
mod holds;
mod items;
mod mixed;
mod mode;
mod moments;
mod over;
mod paired;
mod plain;
mod readings;
mod refusal;
mod spearman;
mod suggest;
mod ternary;
mod text;
mod threads;
mod visitor;

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Float64Type, SchemaRef};
use bytes::Bytes;
use datafusion::common::config::ConfigNonZeroUsize;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF, Volatility, create_udaf};
use datafusion::prelude::{DataFrame, ParquetReadOptions, SessionConfig, SessionContext};

pub use crate::answer::{Answer, Format, Values};
use crate::answer::{batch, read_parquet};
use crate::catalog::{MANIFEST, read_manifest};
use crate::error::Error;
use crate::parquet_file::to_batch;
use crate::schema::Row;
pub use crate::schema::TABLES;
use crate::snapshot::SNAPSHOT;
use crate::stores::{self, Registry, csv, with_files};
use crate::tables::Source;
use bootstrap::Bootstrap;
pub use items::{AnswerRow, identity_of_items};
use mode::Mode;
use moments::{MomentsAccumulator, Order};
use spearman::SpearmanAccumulator;

/// One row per score, with the structure and the facts of its checkpoint: the join that most questions start from.
const OBSERVATIONS: &str = include_str!("observations.sql");

/// Checks that the SQL engine is built in, as it is here.
///
/// # Errors
/// None here; where SQL is not built in, the error that says so.
pub fn needed() -> Result<(), Error> {
    Ok(())
}

/// Views over the tables.
pub const VIEWS: [&str; 1] = ["observations"];

/// The additional aggregates: `skewness(x)`, `kurtosis(x)`, `mode(x)`, `spearman(x, y)`. Any `DataFusion` session can
/// register them, including a distributed one.
pub fn aggregates() -> Vec<AggregateUDF> {
    let float = || Arc::new(DataType::Float64);
    let list = DataType::List(Arc::new(Field::new("item", DataType::Float64, true)));
    let moments = |name: &str, order| {
        let state = Arc::new(vec![DataType::Float64; 5]);
        create_udaf(
            name,
            vec![DataType::Float64],
            float(),
            Volatility::Immutable,
            Arc::new(move |_| Ok(Box::new(MomentsAccumulator::new(order)))),
            state,
        )
    };
    vec![
        moments("skewness", Order::Skewness),
        moments("kurtosis", Order::Kurtosis),
        AggregateUDF::from(Mode::new()),
        create_udaf(
            "spearman",
            vec![DataType::Float64, DataType::Float64],
            float(),
            Volatility::Immutable,
            Arc::new(|_| Ok(Box::<SpearmanAccumulator>::default())),
            Arc::new(vec![list.clone(), list]),
        ),
    ]
}

/// All additional functions, for sessions or processes that run this program's statements.
#[derive(Debug)]
pub struct Functions {
    /// Aggregates: [`aggregates`] and `bootstrap(x)`.
    pub aggregates: Vec<AggregateUDF>,
    /// Functions of single rows: `mcnemar_p(b, c)`, `paired_interval(b, c, n)`.
    pub scalars: Vec<ScalarUDF>,
}

/// All additional functions; `seed` is the seed of random draws.
pub fn functions(seed: u64) -> Functions {
    let mut all = aggregates();
    all.push(AggregateUDF::from(Bootstrap::new(seed)));
    Functions {
        aggregates: all,
        scalars: vec![paired::p(), paired::interval()],
    }
}

/// The 64-bit floats in column `index` of an aggregate's input.
pub(crate) fn numbers(values: &[ArrayRef], index: usize) -> Result<&Float64Array, DataFusionError> {
    values
        .get(index)
        .and_then(|array| array.as_primitive_opt::<Float64Type>())
        .ok_or_else(|| DataFusionError::Internal(format!("aggregate input {index} is not a 64-bit float")))
}

/// A session with the catalog's tables, the additional functions, and files by path (`select … from 'file.csv'`).
pub struct Engine {
    context: SessionContext,
    runtime: tokio::runtime::Runtime,
    /// Whether statements may name files.
    reads_files: bool,
}

/// Rejects a statement that would run and give a wrong result, because it compares a day with a number. For callers who
/// run statements in an engine's session themselves; [`Engine::query`] includes this check.
///
/// # Errors
/// [`Error::Query`], as [`DataFusionError::External`].
pub fn sound(statement: &DataFrame) -> Result<(), DataFusionError> {
    compared::check(statement.logical_plan())
}

async fn answer(context: &SessionContext, sql: &str) -> Result<Answer, DataFusionError> {
    let frame = context.sql(sql).await?;
    sound(&frame)?;
    let frame = threads::fewest(context, frame);
    let planned = SchemaRef::new(frame.schema().as_arrow().clone());
    let batches = frame.collect().await?;
    // The planned schema may differ from the actual one, since types are unified later.
    let schema = batches.first().map_or(planned, RecordBatch::schema);
    Ok(headers::plain(sql, Answer { schema, batches })?)
}

impl Engine {
    /// An engine over the catalog in folder `dir`, or over the compiled-in snapshot if `None`.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Json`], [`Error::SchemaVersion`] where the folder is not a catalog with this schema;
    /// [`Error::Query`] where the engine rejects a table.
    pub fn open(dir: Option<&Path>) -> Result<Self, Error> {
        Self::empty()?.with_catalog(dir)
    }

    /// Registers the tables of the catalog in folder `dir`, or of the compiled-in snapshot.
    fn with_catalog(self, dir: Option<&Path>) -> Result<Self, Error> {
        match dir {
            None => self.register_snapshot()?,
            Some(dir) => self.register_folder(dir)?,
        }
        self.query(OBSERVATIONS)?;
        Ok(self)
    }

    /// An engine without a catalog: only the additional functions, files by path, and what is registered.
    ///
    /// # Errors
    /// [`Error::Io`] where threads cannot be started.
    pub fn empty() -> Result<Self, Error> {
        let config = SessionConfig::new().with_information_schema(true);
        let runtime = RuntimeEnvBuilder::new().with_object_store_registry(Arc::new(Registry::default()));
        Self::with_files(config, runtime)
    }

    /// A session with the additional aggregates, and files by path and address.
    fn with_files(config: SessionConfig, runtime: RuntimeEnvBuilder) -> Result<Self, Error> {
        let runtime = runtime.build().map_err(|error| Error::Query {
            message: plain::words(&error.strip_backtrace()),
            suggestions: Vec::new(),
        })?;
        let context = with_files(SessionContext::new_with_config_rt(config, Arc::new(runtime)));
        for aggregate in aggregates() {
            context.register_udaf(aggregate);
        }
        Self::of(context)
    }

    fn of(context: SessionContext) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|source| Error::Io {
                path: "async runtime".into(),
                source,
            })?;
        Ok(Self {
            context,
            runtime,
            reads_files: true,
        })
    }

    fn register_snapshot(&self) -> Result<(), Error> {
        for &(file, bytes) in SNAPSHOT {
            match file.strip_suffix(".parquet") {
                Some(table) => {
                    let Answer { schema, batches } = read_parquet(file, Bytes::from_static(bytes))?;
                    self.register_batches(table, schema, batches)?;
                }
                None => self.register_sources(&read_manifest(bytes)?.sources)?,
            }
        }
        Ok(())
    }

    fn register_folder(&self, dir: &Path) -> Result<(), Error> {
        let path = dir.join(MANIFEST);
        let manifest = read_manifest(&stores::read(&path)?)?;
        self.register_sources(&manifest.sources)?;
        for (table, file) in &manifest.tables {
            self.register_file(table, &dir.join(&file.file))?;
        }
        Ok(())
    }

    fn register_sources(&self, sources: &[Source]) -> Result<(), Error> {
        let batch = to_batch(sources)?;
        self.register_batches(Source::TABLE, batch.schema(), vec![batch])
    }

    /// Registers columns, all with the same length, as a table with this name.
    ///
    /// # Errors
    /// [`Error::Query`] where lengths differ or two columns have the same name.
    pub fn register_columns(&self, table: &str, columns: &[(String, Values)]) -> Result<(), Error> {
        let batch = batch(columns)?;
        self.register_batches(table, batch.schema(), vec![batch])
    }

    /// Registers rows in memory as a table with this name, without copying them.
    ///
    /// # Errors
    /// [`Error::Query`] where a batch has another schema, or the name is in use.
    pub fn register_batches(
        &self,
        table: &str,
        schema: SchemaRef,
        batches: Vec<RecordBatch>,
    ) -> Result<(), Error> {
        let memory = MemTable::try_new(schema, vec![batches]).map_err(|error| self.refused(error))?;
        self.context
            .register_table(table, Arc::new(memory))
            .map_err(|error| self.refused(error))?;
        Ok(())
    }

    /// Allows batches of at least `rows` rows, so that code which needs a column in one piece does not have to
    /// concatenate it.
    pub fn keep_whole(&self, rows: usize) {
        let state = self.context.state_ref();
        let mut state = state.write();
        let options = state.config_mut().options_mut();
        let most = options.execution.batch_size.get().max(rows);
        if let Ok(most) = ConfigNonZeroUsize::try_new(most) {
            options.execution.batch_size = most;
        }
    }

    /// Registers a file or a folder of files (Parquet, or CSV if the name says so), local or in an object store, as a
    /// table with this name.
    ///
    /// # Errors
    /// [`Error::Query`] where the engine cannot read it; for CSV, whatever is wrong with the first file that is not a
    /// table.
    pub fn register_file(&self, table: &str, path: &Path) -> Result<(), Error> {
        let place = path.to_string_lossy();
        let done = self.runtime.block_on(async {
            let state = self.context.state();
            if let Some(csv) = csv::table(&state, &place).await? {
                return self.context.register_table(table, csv).map(|_| ());
            }
            self.context
                .register_parquet(table, place.as_ref(), ParquetReadOptions::new())
                .await
        });
        done.map_err(|error| self.refused(error))
    }

    /// Runs one statement.
    ///
    /// # Errors
    /// [`Error::Query`] with the engine's message and existing names similar to the one it does not know;
    /// [`Error::NotNumbers`] where a numeric function is applied to a column that a cell made text.
    pub fn query(&self, sql: &str) -> Result<Answer, Error> {
        let done = self.runtime.block_on(async {
            match answer(&self.context, sql).await {
                // The engine's own check of its plan fails: it loses an ordering by an expression when several threads
                // are used. With one thread there is no such ordering to lose.
                Err(error) if error.strip_backtrace().contains("SanityCheckPlan") => {
                    answer(&SessionContext::new_with_state(threads::one(&self.context)), sql).await
                }
                done => done,
            }
        });
        done.map_err(|error| self.about(sql, error))
    }

    /// The error for a statement: explained by the values in it where possible, else the engine's message.
    fn about(&self, sql: &str, error: DataFusionError) -> Error {
        let message = error.strip_backtrace();
        if let Some(own) = own(error) {
            return own;
        }
        if let Some(told) = self.runtime.block_on(text::told(&self.context, sql, &message)) {
            return told;
        }
        if let Some(message) = self.about_file(sql, &message) {
            return Error::Query {
                message,
                suggestions: Vec::new(),
            };
        }
        if let Some(function) = suggest::unknown_function(&message) {
            return self.about_function(sql, function, &message);
        }
        self.in_words(&message)
    }

    /// The message where the cause is a file that is not a table or is not in quotes; `None` otherwise.
    fn about_file(&self, sql: &str, message: &str) -> Option<String> {
        let table = plain::table(message);
        if !self.reads_files {
            let name = table.filter(|name| name.contains(['/', '.']))?;
            return Some(format!(
                "`{name}` is no table: files are not read here; `show tables` lists the tables"
            ));
        }
        match table {
            Some(name) => files::why(&name, sql),
            None if message.contains("ParserError") => files::unquoted(sql),
            None => None,
        }
    }

    /// The error for an unknown function: its name in this dialect, with the arguments it was given.
    fn about_function(&self, sql: &str, function: &str, message: &str) -> Error {
        let known = if plain::OF_ITEMS.contains(&function) {
            Vec::new()
        } else {
            let state = self.context.state();
            let values = text::arguments(&state, sql, function);
            let scalars = state.scalar_functions().keys();
            let groups = state.aggregate_functions().keys();
            let all = scalars.chain(groups).chain(state.window_functions().keys());
            suggest::functions(function, values.as_deref(), &all.cloned().collect::<Vec<_>>())
        };
        Error::Query {
            message: stores::hide(&plain::words(message)),
            suggestions: known,
        }
    }

    fn refused(&self, error: DataFusionError) -> Error {
        let engine = error.strip_backtrace();
        own(error).unwrap_or_else(|| self.in_words(&engine))
    }

    /// The engine's message in plain words, with names similar to the one it does not know.
    fn in_words(&self, engine: &str) -> Error {
        let suggestions = suggest::names(engine, &self.names());
        Error::Query {
            message: stores::hide(&plain::words(engine)),
            suggestions,
        }
    }

    /// `table` and `table.column` for all registered tables.
    fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        let tables: Vec<String> = self
            .context
            .catalog("datafusion")
            .and_then(|catalog| catalog.schema("public"))
            .map(|schema| schema.table_names())
            .unwrap_or_default();
        for table in tables {
            if let Ok(provider) = self.runtime.block_on(self.context.table_provider(table.as_str())) {
                names.extend(
                    provider
                        .schema()
                        .fields()
                        .iter()
                        .map(|field| format!("{table}.{}", field.name())),
                );
            }
            names.push(table);
        }
        // Of equally similar names, a table's own comes before a view's.
        let is_of_view = |name: &str| VIEWS.contains(&name.split('.').next().unwrap_or(name));
        names.sort_by(|a, b| (is_of_view(a), a).cmp(&(is_of_view(b), b)));
        names
    }
}

/// An error of this crate that was passed through the engine.
fn own(error: DataFusionError) -> Option<Error> {
    match error {
        DataFusionError::External(error) => error.downcast::<Error>().ok().map(|error| *error),
        DataFusionError::Context(_, error) | DataFusionError::Diagnostic(_, error) => own(*error),
        _ => None,
    }
}
