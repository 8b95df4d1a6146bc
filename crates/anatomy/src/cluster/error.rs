//! What can go wrong between this process and a cluster.

/// Every failure of a cluster that is no failure of a statement.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The address is none.
    #[error("`{text}` is not the address of a scheduler: {message}")]
    Address {
        /// What was given.
        text: String,
        /// What is wrong with it.
        message: String,
    },
    /// Nothing answers there, or something else does.
    #[error("no scheduler at {address}: {message}")]
    NoScheduler {
        /// Where one was looked for.
        address: String,
        /// What came instead.
        message: String,
    },
    /// Two builds that may count differently.
    #[error("version mismatch: client {found}, scheduler {wanted}")]
    Versions {
        /// Of whoever connects.
        found: String,
        /// Of the scheduler or executor.
        wanted: String,
    },
    /// No whole answer came in time.
    #[error("the cluster at {address} did not respond within {seconds} s; no partial result is shown")]
    Late {
        /// The scheduler.
        address: String,
        /// The limit.
        seconds: u64,
    },
    /// Scheduler or executors vanished under way, each time.
    #[error(
        "the cluster at {address} lost executors or its scheduler {times} times during the statement; last: {message}"
    )]
    Lost {
        /// The scheduler.
        address: String,
        /// How often the statement was sent.
        times: usize,
        /// What was said last.
        message: String,
    },
    /// A process of the cluster that could not start or go on.
    #[error("{what}: {message}")]
    Process {
        /// The process.
        what: String,
        /// What it says.
        message: String,
    },
    /// Draws on a cluster have one seed.
    #[error("on a cluster the seed is {wanted}, not {found}")]
    Seed {
        /// What was asked for.
        found: u64,
        /// The seed of a cluster.
        wanted: u64,
    },
}

impl Error {
    /// What a person can do about it.
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
