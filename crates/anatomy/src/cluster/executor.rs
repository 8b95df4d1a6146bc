//! The process that runs tasks and keeps what passes between stages.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;

use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use tokio::runtime::Handle;

use super::error::Error;
use super::wanted::WhileWanted;
use super::{agreement, config, runtime, state};

/// What an executor is started with.
pub(crate) struct ExecutorSettings {
    /// The scheduler's host and port.
    pub(crate) scheduler: (String, u16),
    /// Concurrent tasks; 0 uses all cores.
    pub(crate) slots: usize,
    /// Where it listens for other executors and clients.
    pub(crate) host: String,
    /// Its port; 0 takes a free one.
    pub(crate) port: u16,
    /// What the others call its host; `None`: the address it calls the scheduler from.
    pub(crate) advertise: Option<String>,
    /// Bytes its tasks may hold together before they spill.
    pub(crate) memory: u64,
    /// Folder for what passes between stages and for what is spilled.
    pub(crate) work: PathBuf,
}

/// Joins the scheduler and works until it is told to end.
///
/// # Errors
/// [`Error::NoScheduler`], [`Error::Versions`]; [`Error::Process`] for what ends it.
pub(crate) async fn work(settings: ExecutorSettings) -> Result<(), Error> {
    let (host, port) = &settings.scheduler;
    let scheduler = format!("http://{host}:{port}");
    agreement::shake_hands(&scheduler, agreement::version()).await?;
    let failed = |error: &dyn std::fmt::Display| Error::Process {
        what: format!("the executor of {host}:{port}"),
        message: error.to_string(),
    };
    let folder = settings.work.clone();
    let known = state(config()).map_err(|error| failed(&error))?;
    let process = ExecutorProcessConfig {
        bind_host: settings.host.clone(),
        external_host: settings.advertise.clone(),
        port: free(&settings.host, settings.port).map_err(|error| failed(&error))?,
        grpc_port: 0,
        scheduler_host: host.clone(),
        scheduler_port: *port,
        vcores: settings.slots,
        task_scheduling_policy: TaskSchedulingPolicy::PullStaged,
        work_dir: Some(settings.work.to_string_lossy().into_owned()),
        // What a lost client leaves behind goes after an hour.
        job_data_ttl_seconds: 3_600,
        job_data_clean_up_interval_seconds: 300,
        memory_pool_size: Some(settings.memory),
        override_function_registry: Some(Arc::new(BallistaFunctionRegistry::from(&known))),
        override_config_producer: Some(Arc::new(config)),
        override_execution_engine: Some(Arc::new(WhileWanted::by(scheduler, Handle::current()))),
        override_runtime_producer: Some(Arc::new(move |config| {
            agreement::check(config)?;
            runtime(Some(&folder))
        })),
        ..ExecutorProcessConfig::default()
    };
    start_executor_process(Arc::new(process))
        .await
        .map_err(|error| failed(&error))
}

/// A port that was free a moment ago; the process binds it itself and ends where it was taken meanwhile.
fn free(host: &str, port: u16) -> std::io::Result<u16> {
    if port != 0 {
        return Ok(port);
    }
    Ok(TcpListener::bind((host, 0))?.local_addr()?.port())
}
