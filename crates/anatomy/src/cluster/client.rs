//! The asking side: a session whose statements run on the cluster, and a limit on how long that may take.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ballista::prelude::SessionContextExt;
use ballista_core::execution_plans::DistributedQueryExec;
use ballista_core::serde::protobuf::CancelJobParams;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::utils::create_grpc_client_endpoint;
use catalog::query::{Answer, Engine};
use catalog::stores::with_files;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::SessionContext;
use datafusion_proto::protobuf::LogicalPlanNode;

use super::error::Error;
use super::{SEED, agreement, config, state};

/// Where statements run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cluster {
    /// On the scheduler of this `http://` address and its executors.
    At(String),
    /// On a scheduler and an executor inside this process.
    InProcess,
}

impl Cluster {
    /// Reads `df://HOST:PORT` or `in-process`.
    ///
    /// # Errors
    /// [`Error::Address`].
    pub(crate) fn of(text: &str) -> Result<Self, Error> {
        let wrong = |message: &str| Error::Address {
            text: text.to_owned(),
            message: message.to_owned(),
        };
        if text == "in-process" {
            return Ok(Self::InProcess);
        }
        let place = text
            .strip_prefix("df://")
            .ok_or_else(|| wrong("it must begin with df://"))?
            .trim_end_matches('/');
        let (host, port) = place.rsplit_once(':').ok_or_else(|| wrong("it names no port"))?;
        if host.is_empty() || host.contains(['/', '@', '?']) || port.parse::<u16>().is_err() {
            return Err(wrong("it is no HOST:PORT"));
        }
        Ok(Self::At(format!("http://{place}")))
    }

    fn address(&self) -> &str {
        match self {
            Self::At(url) => url,
            Self::InProcess => "in-process",
        }
    }
}

/// The tables, in a session whose statements run on the cluster.
///
/// # Errors
/// [`Error`] where there is no such cluster, and as [`Engine::over`].
pub(crate) fn engine(
    cluster: &Cluster,
    catalog: Option<&Path>,
    items: Option<&Path>,
    seed: u64,
) -> anyhow::Result<Engine> {
    if seed != SEED {
        return Err(Error::Seed {
            found: seed,
            wanted: SEED,
        }
        .into());
    }
    let mut refused = None;
    let engine = Engine::over(
        async {
            match session(cluster).await {
                Ok(context) => Ok(context),
                Err(error) => {
                    let told = error.to_string();
                    refused = Some(error);
                    Err(DataFusionError::Configuration(told))
                }
            }
        },
        catalog,
        items,
        SEED,
    );
    match refused {
        Some(error) => Err(error.into()),
        None => Ok(engine?),
    }
}

async fn session(cluster: &Cluster) -> Result<SessionContext, Error> {
    let failed = |error: &DataFusionError| Error::Process {
        what: format!("the session at {}", cluster.address()),
        message: error.strip_backtrace(),
    };
    let mut config = config();
    if let Some(agreement) = config.options_mut().extensions.get_mut::<agreement::Agreement>() {
        agreement.version = agreement::version().to_owned();
    }
    let state = state(config).map_err(|error| failed(&error))?;
    let context = match cluster {
        Cluster::At(url) => {
            agreement::shake_hands(url, agreement::version()).await?;
            let url = url.replacen("http://", "df://", 1);
            SessionContext::remote_with_state(&url, state).await
        }
        Cluster::InProcess => SessionContext::standalone_with_state(state).await,
    };
    Ok(with_files(context.map_err(|error| failed(&error))?))
}

/// The whole answer to a statement, or none.
///
/// # Errors
/// [`Error::Late`] where it is not whole within `limit`, and the statement is cancelled; [`Error::Versions`] where an executor
/// is of another; else what the engine says.
pub(crate) fn ask(engine: &Engine, cluster: &Cluster, sql: &str, limit: Duration) -> anyhow::Result<Answer> {
    let mut plan: Option<Arc<dyn ExecutionPlan>> = None;
    let asked = engine.run(async {
        let work = async {
            let frame = engine.session().sql(sql).await?;
            let planned = SchemaRef::new(frame.schema().as_arrow().clone());
            let task = Arc::new(frame.task_ctx());
            let made = frame.create_physical_plan().await?;
            plan = Some(made.clone());
            let batches = collect(made, task).await?;
            let schema = batches.first().map_or(planned, |batch| batch.schema());
            Ok(Answer { schema, batches })
        };
        match tokio::time::timeout(limit, work).await {
            Ok(done) => done.map(Some),
            Err(_) => Ok(None),
        }
    });
    match asked {
        Ok(Some(answer)) => Ok(answer),
        Ok(None) => {
            let cancelled = engine.run(async {
                tokio::time::timeout(Duration::from_secs(2), cancel(cluster, plan.as_ref()))
                    .await
                    .ok();
                Ok(())
            });
            cancelled.ok();
            Err(Error::Late {
                address: cluster.address().to_owned(),
                seconds: limit.as_secs(),
            }
            .into())
        }
        Err(error) => match agreement::differ(&error.to_string()) {
            Some(versions) => Err(versions.into()),
            None => Err(error.into()),
        },
    }
}

/// Tells the scheduler that nobody waits any longer; where it is gone, there is nobody to tell.
async fn cancel(cluster: &Cluster, plan: Option<&Arc<dyn ExecutionPlan>>) {
    let Cluster::At(url) = cluster else { return };
    let job = plan.and_then(|plan| {
        let plan = plan.downcast_ref::<DistributedQueryExec<LogicalPlanNode>>()?;
        plan.job_id()
    });
    let (Some(job), Ok(endpoint)) = (job, create_grpc_client_endpoint(url.clone(), None)) else {
        return;
    };
    if let Ok(channel) = endpoint.connect().await {
        let job_id = job.to_string();
        SchedulerGrpcClient::new(channel)
            .cancel_job(CancelJobParams { job_id })
            .await
            .ok();
    }
}
