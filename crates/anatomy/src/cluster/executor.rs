//! The executor: a process that runs tasks and stores the data passed between stages.

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

/// Settings of an executor.
pub(crate) struct ExecutorSettings {
    /// Host and port of the scheduler.
    pub(crate) scheduler: (String, u16),
    /// Number of concurrent tasks; 0 uses all cores.
    pub(crate) slots: usize,
    /// Host on which it listens for other executors and clients.
    pub(crate) host: String,
    /// Port on which it listens; 0 chooses a free one.
    pub(crate) port: u16,
    /// Host name under which others reach it; `None`: the address from which it contacts the scheduler.
    pub(crate) advertise: Option<String>,
    /// Bytes that all its tasks may hold before they spill to disk.
    pub(crate) memory: u64,
    /// Folder for data passed between stages and for spilled data.
    pub(crate) work: PathBuf,
}

/// Connects to the scheduler and runs tasks until told to end.
///
/// # Errors
/// [`Error::NoScheduler`], [`Error::Versions`]; [`Error::Process`] if it cannot start or continue.
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
        // Data of clients that vanished are removed after an hour.
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

/// A port that is currently free. The executor binds it again later and fails if it was taken meanwhile.
fn free(host: &str, port: u16) -> std::io::Result<u16> {
    if port != 0 {
        return Ok(port);
    }
    Ok(TcpListener::bind((host, 0))?.local_addr()?.port())
}
