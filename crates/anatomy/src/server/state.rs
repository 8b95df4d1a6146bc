//! The state shared by all requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::answering::Answers;
use super::checkpoints::Checkpoints;
use super::connection::Open;
use super::memory::Memory;
use super::metrics::Metrics;
use super::sql::Pool;
use super::study::Slot;
use crate::answers::Predictor;
use crate::probes::Probes;

/// Handle of the shared state.
pub(crate) type Shared = Arc<Site>;

/// The server's state; mutable parts use interior mutability.
pub(crate) struct Site {
    pub(crate) checkpoints: Checkpoints,
    pub(crate) study: Slot,
    pub(crate) answers: Answers,
    pub(crate) sql: Pool,
    pub(crate) probes: Probes,
    pub(crate) memory: Memory,
    pub(crate) metrics: Metrics,
    pub(crate) open: Arc<Open>,
    pub(crate) started: Instant,
    /// Seed of random computations.
    pub(crate) seed: u64,
    rounds: AtomicU64,
}

impl Site {
    pub(crate) fn new(checkpoints: Checkpoints, study: Slot, sql: Pool, probes: Probes, seed: u64) -> Self {
        let fits = crate::kept::fits(study.plan().dir.as_deref());
        Self {
            answers: Answers::new(Predictor::new(Arc::clone(&checkpoints.catalog), seed, fits)),
            checkpoints,
            study,
            sql,
            probes,
            memory: Memory::default(),
            metrics: Metrics::default(),
            open: Arc::default(),
            started: Instant::now(),
            seed,
            rounds: AtomicU64::default(),
        }
    }

    /// Version of the data behind responses; increases with every change.
    pub(crate) fn round(&self) -> u64 {
        self.rounds.load(Ordering::Acquire)
    }

    /// Notes that responses have changed, and clears the cache.
    pub(crate) fn changed(&self) {
        self.rounds.fetch_add(1, Ordering::AcqRel);
        self.memory.forget();
    }
}
