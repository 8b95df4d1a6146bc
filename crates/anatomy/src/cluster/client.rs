//! The asking side: a session whose statements run on the cluster, and a limit on how long that may take.

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

/// A statement, the tables it is over, and where it runs.
#[derive(Debug, Clone)]
pub(crate) struct ClusterStatement {
    /// Where it runs.
    pub(crate) cluster: Cluster,
    /// Folder of a catalog; the compiled-in one where `None`.
    pub(crate) catalog: Option<PathBuf>,
    /// Folder of a table of items.
    pub(crate) items: Option<PathBuf>,
    /// What is drawn at random is drawn from it.
    pub(crate) seed: u64,
    /// The statement.
    pub(crate) sql: String,
}

/// What the one who waits and the one who asks know of each other.
#[derive(Default)]
struct Sent {
    /// The plan that was sent last, which knows its job.
    plan: Mutex<Option<Arc<dyn ExecutionPlan>>>,
    /// Nobody waits any longer.
    is_over: AtomicBool,
}

/// How often a statement is sent whose executors were lost under way.
const TIMES: usize = 3;
/// How long a cluster may take to hear that nobody waits any longer.
const FAREWELL: Duration = Duration::from_secs(2);

/// The whole answer to a statement, or none.
///
/// All of it (connecting, reading the tables' schemas, planning, waiting, fetching) is done on a thread of its own, so that
/// nothing in it can outlive the limit; where it does not end it is left behind.
///
/// # Errors
/// [`Error::Late`] where the answer is not whole within `limit`, and the statement is cancelled; [`Error`] where there is
/// no such
/// cluster; [`Error::Versions`] where an executor is of another; else what the engine says.
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
        // Plans nest deeply, and are written by recursion.
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

/// The tables, in a session whose statements run on the cluster.
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

/// Sends the statement, and again where its executors were lost under way: statements change nothing, and an answer is
/// taken whole or
/// not at all.
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
            // A scheduler that is gone is told as such.
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

/// That what is said is of a peer that vanished, or of a job that was given up with it, and not of the statement.
pub(crate) fn is_loss(told: &str) -> bool {
    // What Ballista says of stages whose input could not be fetched, of tasks, of its connections; of jobs that the scheduler gave up.
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

/// Tells the scheduler that nobody waits any longer; where it is gone or silent, there is nobody to tell.
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
    // A name that is still being looked up is not waited for.
    runtime.shutdown_background();
}
