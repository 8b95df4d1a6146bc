//! Errors between this process and a cluster.

/// A failure of the cluster rather than of a statement.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The address is not valid.
    #[error("`{text}` is not the address of a scheduler: {message}")]
    Address {
        /// The given text.
        text: String,
        /// What is wrong with it.
        message: String,
    },
    /// Nothing answers at the address, or something that is not a scheduler.
    #[error("no scheduler at {address}: {message}")]
    NoScheduler {
        /// The address that was tried.
        address: String,
        /// What was received or went wrong instead.
        message: String,
    },
    /// Two builds whose versions differ, which may compute different results.
    #[error("version mismatch: client {found}, scheduler {wanted}")]
    Versions {
        /// Version of the connecting side.
        found: String,
        /// Version of the scheduler or executor.
        wanted: String,
    },
    /// The complete answer did not arrive in time.
    #[error("the cluster at {address} did not respond within {seconds} s; no partial result is shown")]
    Late {
        /// Address of the scheduler.
        address: String,
        /// The time limit.
        seconds: u64,
    },
    /// Scheduler or executors vanished during the statement, on every attempt.
    #[error(
        "the cluster at {address} lost executors or its scheduler {times} times during the statement; last: {message}"
    )]
    Lost {
        /// Address of the scheduler.
        address: String,
        /// Number of attempts.
        times: usize,
        /// Message of the last attempt.
        message: String,
    },
    /// A process of the cluster could not start or continue.
    #[error("{what}: {message}")]
    Process {
        /// The process, in words.
        what: String,
        /// The underlying error.
        message: String,
    },
    /// Random functions on a cluster use one fixed seed.
    #[error("on a cluster the seed is {wanted}, not {found}")]
    Seed {
        /// The requested seed.
        found: u64,
        /// The fixed seed.
        wanted: u64,
    },
}

impl Error {
    /// Advice for the user.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Address { .. } => "an address is df://HOST:PORT, as `anatomy cluster scheduler` prints it",
            Self::NoScheduler { .. } => {
                "start one with `anatomy cluster scheduler --port 50050`, or check the address and the network"
            }
            Self::Versions { .. } => "run the same build of `anatomy` as client, scheduler and executors",
            Self::Late { .. } => {
                "are executors running (`anatomy cluster executor --scheduler HOST:PORT`)? A longer limit: --timeout"
            }
            Self::Lost { .. } => {
                "are scheduler and executors running, and is there memory and disk for them? Start them anew and ask again"
            }
            Self::Process { .. } => {
                "`anatomy cluster --help` has examples; a port that is taken can be chosen anew with --port"
            }
            Self::Seed { .. } => "leave --seed out, or leave --cluster out",
        }
    }
}
