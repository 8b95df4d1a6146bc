//! `anatomy cluster`: the two kinds of process that `query --cluster` runs statements on.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::global::Global;
use crate::units::quantity;

#[derive(Debug, Subcommand)]
pub(crate) enum ClusterCommand {
    /// Accept statements, plan them and distribute their tasks to executors
    Scheduler(SchedulerArgs),
    /// Join a scheduler and run its tasks
    Executor(ExecutorArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy cluster scheduler --port 50050
  anatomy cluster scheduler --port 50050 --host 0.0.0.0       for other machines, on a network you trust

Whoever reaches the port can run statements and read what the executors can read: there are no passwords. Credentials of stores are
those of each process's own environment; none is sent. An executor that is not heard for 15 s is lost, and with it
the statements that run: their clients ask them anew, up to three times within their limits.
Exit status: 0 told to end, 2 could not run")]
pub(crate) struct SchedulerArgs {
    /// Port to listen on; 0 picks a free one and prints it
    #[arg(long, value_name = "PORT", default_value_t = 50050)]
    port: u16,
    /// Address to listen on
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1")]
    host: String,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy cluster executor --scheduler 127.0.0.1:50050
  anatomy cluster executor --scheduler head:50050 --slots 8 --host 0.0.0.0 --memory 16GB --work /scratch

Files by path must be there under the same path as for the client; stores (s3:// …) need no more than credentials in the environment.
Clients and executors fetch results from each other: --port says where, a free port by default.
Exit status: 0 told to end, 2 could not run")]
#[cfg_attr(
    not(feature = "cluster"),
    allow(dead_code, reason = "read where clusters are built in")
)]
pub(crate) struct ExecutorArgs {
    /// The scheduler
    #[arg(long, value_name = "HOST:PORT")]
    scheduler: String,
    /// Concurrent tasks; 0 uses all cores
    #[arg(long, value_name = "NUM", default_value_t = 0)]
    slots: usize,
    /// Address to listen on
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1")]
    host: String,
    /// Port to listen on; 0 picks a free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,
    /// Address at which the others reach this machine [default: the one it reaches the scheduler from]
    #[arg(long, value_name = "HOST")]
    advertise: Option<String>,
    /// Memory for its tasks together, before they spill to disk
    #[arg(long, value_name = "SIZE", default_value = "2GiB", value_parser = memory)]
    memory: u64,
    /// Folder for data between stages [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
}

/// Bytes, as 2GiB.
fn memory(text: &str) -> Result<u64> {
    Ok(quantity(text)? as u64)
}

#[cfg(not(feature = "cluster"))]
pub(crate) fn run(_: &Global, command: &ClusterCommand) -> Result<ExitCode> {
    let what = match command {
        ClusterCommand::Scheduler(args) => format!("a scheduler at {}:{}", args.host, args.port),
        ClusterCommand::Executor(args) => format!("an executor of {}", args.scheduler),
    };
    Err(crate::explain::not_built_in(&what, "cluster"))
}

#[cfg(feature = "cluster")]
pub(crate) fn run(global: &Global, command: &ClusterCommand) -> Result<ExitCode> {
    use crate::cluster::{executor, scheduler};
    use crate::output;
    use anyhow::Context;

    // Plans nest deeply, and are read by recursion.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(32 << 20)
        .build()
        .context("cannot start the threads")?;
    match command {
        ClusterCommand::Scheduler(args) => runtime.block_on(async {
            let served = scheduler::serve(&args.host, args.port, |address| {
                output::say(global.quiet, &format!("df://{address}"));
            });
            tokio::select! {
                done = served => done,
                _ = tokio::signal::ctrl_c() => Ok(()),
            }
        })?,
        ClusterCommand::Executor(args) => {
            let wrong = || crate::cluster::error::Error::Address {
                text: args.scheduler.clone(),
                message: "expected HOST:PORT".to_owned(),
            };
            let (host, port) = args
                .scheduler
                .trim_start_matches("df://")
                .rsplit_once(':')
                .ok_or_else(wrong)?;
            let port = port.trim_end_matches('/').parse().map_err(|_| wrong())?;
            let temporary = tempfile::Builder::new()
                .prefix("anatomy-executor-")
                .tempdir()
                .context("cannot make a folder to work in")?;
            runtime.block_on(executor::work(executor::ExecutorSettings {
                scheduler: (host.to_owned(), port),
                slots: args.slots,
                host: args.host.clone(),
                port: args.port,
                advertise: args.advertise.clone(),
                memory: args.memory,
                work: args.work.clone().unwrap_or_else(|| temporary.path().to_owned()),
            }))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
