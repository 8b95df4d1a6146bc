//! Statements on many machines: a Ballista scheduler, its executors, and a client that returns the same answer as a
//! single process, or an error.
//!
//! All three share the program's SQL functions, its object stores (with the credentials of each process's own
//! environment), and one version, which is compared before anything runs ([`agreement`]).

pub(crate) mod agreement;
pub(crate) mod client;
pub(crate) mod error;
pub(crate) mod executor;
pub(crate) mod scheduler;
#[cfg(test)]
mod tests;
pub(crate) mod wanted;

use std::sync::Arc;
use std::time::Duration;

use ballista_core::config::{
    BALLISTA_CLIENT_GRPC_CONNECT_TIMEOUT_SECONDS, BALLISTA_CLIENT_GRPC_HTTP2_KEEPALIVE_INTERVAL_SECONDS,
    BALLISTA_CLIENT_IO_RETRY_WAIT_TIME_MS,
};
use ballista_core::extension::{
    SessionConfigExt, ballista_aggregate_functions, ballista_scalar_functions, ballista_window_functions,
};
use catalog::query::{Functions, functions};
use catalog::stores::Registry;
use datafusion::error::DataFusionError;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{FunctionRegistry, SessionState, SessionStateBuilder};
use datafusion::prelude::SessionConfig;

use agreement::Agreement;

/// Fixed seed of random functions on a cluster: functions are sent by name only, so no seed can be sent with them.
pub(crate) const SEED: u64 = 42;

/// An executor not heard from for this many seconds counts as lost. A busy one reports every five.
const LOST: u64 = 15;
/// Interval between checks for lost executors, seconds.
const LOOK: u64 = 2;

/// Timeout for connecting.
const CONNECT: Duration = Duration::from_secs(5);
/// Interval of keep-alive pings to a silent peer, and the timeout for their answer.
const PING: Duration = Duration::from_secs(8);

/// Settings of client, scheduler and executors. A statement carries the client's settings.
fn config() -> SessionConfig {
    SessionConfig::new_with_ballista()
        .with_option_extension(Agreement::default())
        // Detects a vanished peer within half a minute instead of minutes, also on the connections that fetch results.
        .with_ballista_override_create_grpc_client_endpoint(Arc::new(|endpoint| {
            Ok(endpoint
                .connect_timeout(CONNECT)
                .tcp_nodelay(true)
                .http2_keep_alive_interval(PING)
                .keep_alive_timeout(PING)
                .keep_alive_while_idle(true))
        }))
        .set_str(BALLISTA_CLIENT_GRPC_CONNECT_TIMEOUT_SECONDS, "5")
        .set_str(BALLISTA_CLIENT_GRPC_HTTP2_KEEPALIVE_INTERVAL_SECONDS, "10")
        .set_str(BALLISTA_CLIENT_IO_RETRY_WAIT_TIME_MS, "500")
}

/// Runtime of the operators: the program's object stores; data spill to `folder`, or to the system's temporary folder.
fn runtime(folder: Option<&std::path::Path>) -> Result<Arc<RuntimeEnv>, DataFusionError> {
    let mut builder = RuntimeEnvBuilder::new().with_object_store_registry(Arc::new(Registry::default()));
    if let Some(folder) = folder {
        builder = builder.with_temp_file_path(folder);
    }
    builder.build_arc()
}

/// A session state with the program's functions registered beside the engine's.
fn state(config: SessionConfig) -> Result<SessionState, DataFusionError> {
    let mut state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime(None)?)
        .with_default_features()
        .with_scalar_functions(ballista_scalar_functions())
        .with_aggregate_functions(ballista_aggregate_functions())
        .with_window_functions(ballista_window_functions())
        .build();
    register(&mut state)?;
    Ok(state)
}

fn register(registry: &mut dyn FunctionRegistry) -> Result<(), DataFusionError> {
    let Functions { aggregates, scalars } = functions(SEED);
    for aggregate in aggregates {
        registry.register_udaf(Arc::new(aggregate))?;
    }
    for scalar in scalars {
        registry.register_udf(Arc::new(scalar))?;
    }
    Ok(())
}
