//! The client: a session whose statements run on the cluster, with a time limit.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use ballista::prelude::SessionContextExt;
use ballista_core::execution_plans::DistributedQueryExec;
use ballista_core::serde::protobuf::CancelJobParams;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::utils::create_grpc_client_endpoint;
use catalog::query::{Answer, Engine};
use catalog::stores::with_files;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::error::DataFusionError;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::SessionContext;
use datafusion_proto::protobuf::LogicalPlanNode;

use super::error::Error;
use super::{SEED, agreement, config, state};

/// Where statements run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cluster {
    /// On the scheduler at this `http://` address, with its executors.
    At(String),
    /// On a scheduler and an executor inside this process.
    InProcess,
}

impl Cluster {
    /// Reads `df://HOST:PORT` or `in-process`.
    ///
    /// # Errors
    /// [`Error::Address`] for anything else.
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
            return Err(wrong("expected HOST:PORT"));
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

/// A statement, its tables, and where it runs.
#[derive(Debug, Clone)]
pub(crate) struct ClusterStatement {
    /// Where it runs.
    pub(crate) cluster: Cluster,
    /// Folder of a catalog; `None`: the compiled-in one.
    pub(crate) catalog: Option<PathBuf>,
    /// Folder of a table of items, where one is used.
    pub(crate) items: Option<PathBuf>,
    /// Seed of random functions; must be [`SEED`].
    pub(crate) seed: u64,
    /// The SQL text.
    pub(crate) sql: String,
}

/// State shared between the waiting thread and the thread that runs the statement.
#[derive(Default)]
struct Sent {
    /// The plan sent last, which holds the id of its job.
    plan: Mutex<Option<Arc<dyn ExecutionPlan>>>,
    /// Whether the waiting side has given up.
    is_over: AtomicBool,
}

/// How often a statement is sent if executors are lost while it runs.
const TIMES: usize = 3;
/// Timeout for cancelling a job.
const FAREWELL: Duration = Duration::from_secs(2);

/// Runs a statement and returns its complete answer.
///
/// Everything (connecting, reading the tables' schemas, planning, waiting, fetching) is done on a separate thread, so
/// that this call returns within the limit; a thread that does not end is abandoned.
///
/// # Errors
/// [`Error::Late`] if the answer is not complete within `limit`, and the statement is cancelled; [`Error::Seed`];
/// [`Error::NoScheduler`]; [`Error::Versions`] if scheduler or executors have another version; [`Error::Lost`]; else
/// the engine's error.
pub(crate) fn answer(question: ClusterStatement, limit: Duration) -> anyhow::Result<Answer> {
    if question.seed != SEED {
        return Err(Error::Seed {
            found: question.seed,
            wanted: SEED,
        }
        .into());
    }
    let sent = Arc::new(Sent::default());
    let cluster = question.cluster.clone();
    let failed = |message: String| Error::Process {
        what: format!("the client of {}", cluster.address()),
        message,
    };
    let (tell, told) = channel();
    let shared = Arc::clone(&sent);
    thread::Builder::new()
        .name("cluster".to_owned())
        // Plans are deeply nested and serialised recursively.
        .stack_size(32 << 20)
        .spawn(move || match engine(&question) {
            Ok(engine) => {
                tell.send(ask(&engine, &question, &shared)).ok();
                drop(engine);
            }
            Err(error) => {
                tell.send(Err(error)).ok();
            }
        })
        .map_err(|error| failed(error.to_string()))?;
    match told.recv_timeout(limit) {
        Ok(done) => done,
        Err(RecvTimeoutError::Timeout) => {
            sent.is_over.store(true, Ordering::SeqCst);
            cancel(&cluster, &sent);
            Err(Error::Late {
                address: cluster.address().to_owned(),
                seconds: limit.as_secs(),
            }
            .into())
        }
        Err(RecvTimeoutError::Disconnected) => Err(failed("it ended without an answer".to_owned()).into()),
    }
}

/// An engine over the tables, in a session whose statements run on the cluster.
fn engine(question: &ClusterStatement) -> anyhow::Result<Engine> {
    let mut refused = None;
    let engine = Engine::over(
        async {
            match session(&question.cluster).await {
                Ok(context) => Ok(context),
                Err(error) => {
                    let told = error.to_string();
                    refused = Some(error);
                    Err(DataFusionError::Configuration(told))
                }
            }
        },
        question.catalog.as_deref(),
        question.items.as_deref(),
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
        agreement::version().clone_into(&mut agreement.version);
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

/// Runs the statement, repeating it if executors are lost meanwhile. That is safe: statements only read, and an answer
/// is accepted only when complete.
fn ask(engine: &Engine, question: &ClusterStatement, sent: &Sent) -> anyhow::Result<Answer> {
    let mut time = 1;
    loop {
        let asked = engine.run(once(engine, &question.sql, sent));
        let error = match asked {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let told = error.to_string();
        if let Some(versions) = agreement::differ(&told) {
            return Err(versions.into());
        }
        if !is_loss(&told) {
            return Err(error.into());
        }
        if time == TIMES {
            return Err(Error::Lost {
                address: question.cluster.address().to_owned(),
                times: TIMES,
                message: told,
            }
            .into());
        }
        cancel(&question.cluster, sent);
        thread::sleep(Duration::from_secs(1));
        if let Cluster::At(url) = &question.cluster {
            // Report a scheduler that is gone as such.
            engine.run(async { Ok(agreement::shake_hands(url, agreement::version()).await) })??;
        }
        if sent.is_over.load(Ordering::SeqCst) {
            return Err(error.into());
        }
        time += 1;
    }
}

async fn once(engine: &Engine, sql: &str, sent: &Sent) -> Result<Answer, DataFusionError> {
    let frame = engine.session().sql(sql).await?;
    catalog::query::sound(&frame)?;
    let planned = SchemaRef::new(frame.schema().as_arrow().clone());
    let task = Arc::new(frame.task_ctx());
    let made = frame.create_physical_plan().await?;
    if let Ok(mut plan) = sent.plan.lock() {
        *plan = Some(made.clone());
    }
    let batches = collect(made, task).await?;
    let schema = batches.first().map_or(planned, RecordBatch::schema);
    Ok(Answer { schema, batches })
}

/// Whether an error is about a vanished peer, or a job given up because of one, and not about the statement itself.
pub(crate) fn is_loss(told: &str) -> bool {
    // Ballista's messages about stages whose input could not be fetched, failed tasks, connections, and cancelled jobs.
    const SIGNS: [&str; 9] = [
        "has failed 1 times, most recent failure reason",
        "due to io error",
        "fetch partition error",
        "grpc",
        "transport",
        "timeout expired",
        "h2 protocol",
        "stream closed",
        "failed: cancelled",
    ];
    let told = told.to_ascii_lowercase();
    SIGNS.iter().any(|sign| told.contains(sign))
}

/// Cancels the job of the plan sent last. Failures are ignored: the scheduler may be gone or silent.
fn cancel(cluster: &Cluster, sent: &Sent) {
    let job = sent.plan.lock().ok().and_then(|plan| {
        let plan = plan
            .as_ref()?
            .downcast_ref::<DistributedQueryExec<LogicalPlanNode>>()?;
        plan.job_id()
    });
    let (Cluster::At(url), Some(job)) = (cluster, job) else {
        return;
    };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return;
    };
    let told = async {
        let endpoint = create_grpc_client_endpoint(url.clone(), None).ok()?;
        let channel = endpoint.connect().await.ok()?;
        let job_id = job.to_string();
        SchedulerGrpcClient::new(channel)
            .cancel_job(CancelJobParams { job_id })
            .await
            .ok()
    };
    runtime.block_on(async { tokio::time::timeout(FAREWELL, told).await.ok() });
    // Do not wait for a pending name lookup.
    runtime.shutdown_background();
}
