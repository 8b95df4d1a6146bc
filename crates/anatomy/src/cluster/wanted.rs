//! Ends an executor's tasks when their job was cancelled or failed, so that its slots are free for the next statement.
//!
//! Executors fetch their work from the scheduler and cannot be told to drop it, so each task polls its job's state.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ballista_core::JobId;
use ballista_core::extension::SessionConfigExt;
use ballista_core::serde::protobuf::job_status::Status;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::protobuf::{
    GetJobStatusParams, RuntimeStatsReport, ShuffleWritePartition, TaskColumnStats, WindowStateReport,
};
use ballista_core::utils::{GrpcClientConfig, create_grpc_client_endpoint};
use ballista_executor::execution_engine::{DefaultExecutionEngine, ExecutionEngine, QueryStageExecutor};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::prelude::SessionConfig;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::{LOOK, config};

/// Execution engine whose tasks end with their job.
pub(crate) struct WhileWanted {
    inner: DefaultExecutionEngine,
    scheduler: String,
    runtime: Handle,
}

impl WhileWanted {
    /// For tasks of the scheduler at this `http://` address; it is polled on `runtime`, as the tasks' threads are busy.
    pub(crate) fn by(scheduler: String, runtime: Handle) -> Self {
        Self {
            inner: DefaultExecutionEngine::new(),
            scheduler,
            runtime,
        }
    }
}

impl ExecutionEngine for WhileWanted {
    fn create_query_stage_exec(
        &self,
        job_id: JobId,
        stage_id: usize,
        task_id: usize,
        global_output_partition_ids: Vec<usize>,
        plan: Arc<dyn ExecutionPlan>,
        work_dir: &str,
        config: &SessionConfig,
    ) -> Result<Arc<dyn QueryStageExecutor>> {
        let inner = self.inner.create_query_stage_exec(
            job_id.clone(),
            stage_id,
            task_id,
            global_output_partition_ids,
            pausing(plan)?,
            work_dir,
            config,
        )?;
        Ok(Arc::new(Task {
            inner,
            job: job_id,
            scheduler: self.scheduler.clone(),
            runtime: self.runtime.clone(),
        }))
    }
}

/// Makes every join yield after some batches; otherwise a large join could neither be cancelled nor report until done.
fn pausing(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let done = plan.transform_up(|node| {
        Ok(if node.name().ends_with("JoinExec") {
            Transformed::yes(Arc::new(CooperativeExec::new(node)) as Arc<dyn ExecutionPlan>)
        } else {
            Transformed::no(node)
        })
    })?;
    Ok(done.data)
}

#[derive(Debug)]
struct Task {
    inner: Arc<dyn QueryStageExecutor>,
    job: JobId,
    scheduler: String,
    runtime: Handle,
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

type Written<'a> = Pin<Box<dyn Future<Output = Result<Vec<ShuffleWritePartition>>> + Send + 'a>>;

impl QueryStageExecutor for Task {
    fn execute_query_stage<'life, 'task>(
        &'life self,
        task_id: usize,
        context: Arc<TaskContext>,
    ) -> Written<'task>
    where
        'life: 'task,
        Self: 'task,
    {
        let (mut tell, told) = oneshot::channel::<()>();
        let (scheduler, job) = (self.scheduler.clone(), self.job.clone());
        self.runtime.spawn(async move {
            tokio::select! {
                () = unwanted(&scheduler, &job) => { tell.send(()).ok(); }
                () = tell.closed() => {}
            }
        });
        Box::pin(async move {
            tokio::select! {
                biased;
                _ = told => Err(DataFusionError::Execution(format!("nobody waits for job {} any longer", self.job))),
                done = self.inner.execute_query_stage(task_id, context) => done,
            }
        })
    }

    fn collect_plan_metrics(&self) -> Vec<MetricsSet> {
        self.inner.collect_plan_metrics()
    }

    fn collect_runtime_stats_reports(&self) -> Vec<RuntimeStatsReport> {
        self.inner.collect_runtime_stats_reports()
    }

    fn collect_window_state_reports(&self) -> Result<Vec<WindowStateReport>> {
        self.inner.collect_window_state_reports()
    }

    fn collect_column_stats(&self) -> Vec<TaskColumnStats> {
        self.inner.collect_column_stats()
    }
}

/// Returns once the scheduler reports the job as failed, or twice as unknown; waits on while the scheduler is silent.
async fn unwanted(scheduler: &str, job: &JobId) {
    let settings = GrpcClientConfig::from(&config().ballista_config());
    let mut connected = None;
    let mut unknown = 0;
    loop {
        tokio::time::sleep(Duration::from_secs(LOOK)).await;
        if connected.is_none() {
            let Ok(endpoint) = create_grpc_client_endpoint(scheduler.to_owned(), Some(&settings)) else {
                continue;
            };
            connected = endpoint.connect().await.ok().map(SchedulerGrpcClient::new);
        }
        let Some(asked) = connected.as_mut() else { continue };
        let job_id = job.to_string();
        match asked.get_job_status(GetJobStatusParams { job_id }).await {
            Ok(answer) => match answer.into_inner().status.and_then(|status| status.status) {
                Some(Status::Failed(_)) => return,
                Some(_) => unknown = 0,
                None if unknown > 0 => return,
                None => unknown += 1,
            },
            Err(_) => connected = None,
        }
    }
}
