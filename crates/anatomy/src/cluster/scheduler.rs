//! The process that divides statements into stages and hands their tasks out.

use std::net::SocketAddr;
use std::sync::Arc;

use ballista_core::config::TaskSchedulingPolicy;
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::{create_scheduler, start_grpc_service_with_listener};
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use tokio::net::TcpListener;

use super::error::Error;
use super::{LOOK, LOST, agreement, config, state};

/// What a scheduler is.
pub(crate) fn settings(host: &str, port: u16) -> SchedulerConfig {
    SchedulerConfig {
        external_host: host.to_owned(),
        bind_host: host.to_owned(),
        bind_port: port,
        scheduling_policy: TaskSchedulingPolicy::PullStaged,
        executor_timeout_seconds: LOST,
        expire_dead_executor_interval_seconds: LOOK,
        no_executors_grace_period_seconds: LOST,
        override_config_producer: Some(Arc::new(config)),
        override_session_builder: Some(Arc::new(|config| {
            agreement::check(&config)?;
            state(config)
        })),
        ..SchedulerConfig::default()
    }
}

/// Listens at `host` and `port` (0: a free one), tells where, and serves until the process ends.
///
/// # Errors
/// [`Error::Process`].
pub(crate) async fn serve(host: &str, port: u16, tell: impl FnOnce(SocketAddr)) -> Result<(), Error> {
    let failed = |error: &dyn std::fmt::Display| Error::Process {
        what: format!("the scheduler at {host}:{port}"),
        message: error.to_string(),
    };
    let listener = TcpListener::bind((host, port))
        .await
        .map_err(|error| failed(&error))?;
    let address = listener.local_addr().map_err(|error| failed(&error))?;
    let settings = settings(host, address.port());
    settings.validate().map_err(|error| failed(&error))?;
    let cluster = BallistaCluster::new_from_config(&settings)
        .await
        .map_err(|error| failed(&error))?;
    let scheduler = create_scheduler::<LogicalPlanNode, PhysicalPlanNode>(cluster, Arc::new(settings))
        .await
        .map_err(|error| failed(&error))?;
    tell(address);
    start_grpc_service_with_listener(listener, scheduler)
        .await
        .map_err(|error| failed(&error))
}
