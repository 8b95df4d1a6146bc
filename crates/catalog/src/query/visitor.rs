//! SQL from untrusted users: read-only statements over the catalog's tables alone, with limited resources.
//!
//! Guaranteed here: no statement changes, writes or sets anything; no file, folder or address is a table; there are no
//! table functions; operators that collect rows are limited by a memory pool and cannot spill to disk. What cannot be
//! limited within one process (a scalar function that doubles its argument thirty times, a plan deep enough to overflow
//! the stack) is left to whoever runs the engine: it needs a process of its own with limits of its own.

use std::path::Path;
use std::sync::Arc;

use datafusion::execution::SessionStateBuilder;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::error::Error;
use crate::query::{Answer, Engine, aggregates, headers, sound};

impl Engine {
    /// An engine for statements of untrusted users, over the catalog in folder `dir` or the compiled-in snapshot;
    /// operators together may use `memory` bytes. Each statement runs on one core.
    ///
    /// # Errors
    /// As for [`Engine::open`].
    pub fn for_visitors(dir: Option<&Path>, memory: usize) -> Result<Self, Error> {
        let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
        let limits = RuntimeEnvBuilder::new()
            .with_memory_limit(memory, 1.0)
            .with_disk_manager_builder(disk)
            .build()
            .map_err(|error| plain(&error))?;
        let config = SessionConfig::new()
            .with_information_schema(true)
            .with_target_partitions(1);
        let state = SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(Arc::new(limits))
            .with_default_features()
            .build();
        let functions: Vec<String> = state.table_functions().keys().cloned().collect();
        let context = SessionContext::new_with_state(state);
        for function in functions {
            context.deregister_udtf(&function);
        }
        for aggregate in aggregates() {
            context.register_udaf(aggregate);
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .map_err(|source| Error::Io {
                path: "async runtime".into(),
                source,
            })?;
        Self {
            context,
            runtime,
            reads_files: false,
        }
        .with_catalog(dir)
    }

    /// Runs one read-only statement and returns at most `rows` rows of its answer, and whether there are more.
    ///
    /// # Errors
    /// [`Error::Query`] for a statement that would change or write something, and as for [`Engine::query`].
    pub fn query_within(&self, sql: &str, rows: usize) -> Result<(Answer, bool), Error> {
        let reads = SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false);
        let done = self.runtime.block_on(async {
            let frame = self.context.sql_with_options(sql, reads).await?;
            sound(&frame)?;
            let schema = Arc::new(frame.schema().as_arrow().clone());
            // A limit can only be added to a query, not to a statement that explains or describes.
            let frame = match frame.logical_plan() {
                LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) | LogicalPlan::DescribeTable(_) => frame,
                _ => frame.limit(0, Some(rows + 1))?,
            };
            let mut answer = Answer {
                schema,
                batches: frame.collect().await?,
            };
            let more = answer.cut(rows);
            Ok((headers::plain(sql, answer)?, more))
        });
        done.map_err(|error| self.about(sql, error))
    }
}

impl Answer {
    /// Keeps the first `rows` rows; returns whether there were more.
    fn cut(&mut self, rows: usize) -> bool {
        let mut left = rows;
        let more = self.rows() > rows;
        for batch in &mut self.batches {
            let take = left.min(batch.num_rows());
            *batch = batch.slice(0, take);
            left -= take;
        }
        more
    }
}

fn plain(error: &datafusion::error::DataFusionError) -> Error {
    Error::Query {
        message: super::plain::words(&error.strip_backtrace()),
        suggestions: Vec::new(),
    }
}
