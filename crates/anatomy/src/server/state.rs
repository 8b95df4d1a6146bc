//! What all requests share.

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

/// Shared by all requests.
pub(crate) type Shared = Arc<Site>;

/// The site's whole state; what changes in it changes inside.
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
    /// Seed of what is random in answers.
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

    /// Grows when what answers say has changed.
    pub(crate) fn round(&self) -> u64 {
        self.rounds.load(Ordering::Acquire)
    }

    /// Says that answers have changed.
    pub(crate) fn changed(&self) {
        self.rounds.fetch_add(1, Ordering::AcqRel);
        self.memory.forget();
    }
}
