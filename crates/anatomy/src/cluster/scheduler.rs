//! The scheduler: a process that divides statements into stages and hands out their tasks.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ballista_core::config::TaskSchedulingPolicy;
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::{create_scheduler, start_grpc_service_with_listener};
use ballista_scheduler::scheduler_server::SchedulerServer;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use tokio::net::TcpListener;

use super::error::Error;
use super::{LOOK, LOST, agreement, config, state};

/// Effectively infinite timeout, seconds.
const NEVER: u64 = 100 * 365 * 86_400;

/// Settings of a scheduler. It never resumes a damaged job, since that has been seen to give a wrong answer: the first
/// failed task ends its job, [`watch`] removes lost executors, and the client sends the statement again.
pub(crate) fn settings(host: &str, port: u16) -> SchedulerConfig {
    SchedulerConfig {
        external_host: host.to_owned(),
        bind_host: host.to_owned(),
        bind_port: port,
        scheduling_policy: TaskSchedulingPolicy::PullStaged,
        executor_timeout_seconds: NEVER,
        no_executors_grace_period_seconds: NEVER,
        task_max_failures: 1,
        stage_max_failures: 1,
        override_config_producer: Some(Arc::new(config)),
        override_session_builder: Some(Arc::new(|config| {
            agreement::check(&config)?;
            state(config)
        })),
        ..SchedulerConfig::default()
    }
}

/// Listens at `host` and `port` (0: a free one), passes the address to `tell`, and serves until the process ends.
///
/// # Errors
/// [`Error::Process`] if it cannot start or continue.
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
    tokio::spawn(watch(scheduler.clone()));
    start_grpc_service_with_listener(listener, scheduler)
        .await
        .map_err(|error| failed(&error))
}

/// Removes executors that are no longer heard from and cancels all running jobs, any of which may need their results.
/// While no executor is left, later jobs are cancelled too.
async fn watch(scheduler: SchedulerServer<LogicalPlanNode, PhysicalPlanNode>) {
    let executors = &scheduler.state.executor_manager;
    let mut lost: HashMap<String, Duration> = HashMap::new();
    loop {
        tokio::time::sleep(Duration::from_secs(LOOK)).await;
        let Ok(known) = executors.get_executors_state().await else {
            continue;
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let silent = |heard: &Duration| now.saturating_sub(*heard) > Duration::from_secs(LOST);
        let mut heard = 0;
        let mut anew = Vec::new();
        for (executor, last, _) in known {
            match last.filter(silent) {
                Some(last) => anew.push((executor.id, last)),
                None => heard += 1,
            }
        }
        lost.retain(|_, last| now.saturating_sub(*last) < Duration::from_secs(LOST * 8));
        let none_left = heard == 0 && !lost.is_empty();
        if anew.is_empty() && !none_left {
            continue;
        }
        // Jobs first: with its executor removed, a running job would be partly rescheduled.
        for job in scheduler.state.task_manager.get_running_job_cache().keys() {
            scheduler.cancel_job(job.clone()).await.ok();
        }
        for (executor, last) in anew {
            let reason = format!("not heard for {LOST} s");
            executors.remove_executor(&executor, Some(reason)).await.ok();
            lost.insert(executor, last);
        }
    }
}
