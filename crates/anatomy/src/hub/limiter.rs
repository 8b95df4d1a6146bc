//! Waiting for one's turn: the buckets of the Hub's rate limits, shared by all requests of a run.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::hub::headers::{Left, Policy};
use crate::hub::window::{Bucket, Quota};

/// What a request counts as (Hub documentation, `rate-limits.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// `/api/…`
    Api,
    /// `/{id}/resolve/…`, with the largest quota.
    Resolvers,
    /// Everything else on the Hub.
    Pages,
    /// What the Hub redirects files to: no quota is documented; one is heeded if announced.
    Files,
}

/// The buckets of one run. The clock is [`Instant`], which no change of the wall clock moves.
#[derive(Debug)]
pub(crate) struct Limiter {
    start: Instant,
    buckets: Mutex<BTreeMap<Class, Bucket>>,
    changed: Notify,
}

impl Limiter {
    /// Nothing is known yet.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            buckets: Mutex::default(),
            changed: Notify::new(),
        })
    }

    fn buckets(&self) -> MutexGuard<'_, BTreeMap<Class, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Waits for a turn. The permit must be settled with the answer; dropped, it counts as lost.
    pub(crate) async fn turn(self: &Arc<Self>, class: Class) -> Permit {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let now = self.now();
            let taken = self.buckets().entry(class).or_default().take(now);
            match taken {
                Ok(()) => {
                    return Permit {
                        limiter: Arc::clone(self),
                        class,
                        sent: now,
                        settled: false,
                    };
                }
                Err(until) => {
                    let wait = until.saturating_sub(now).max(Duration::from_millis(1));
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = changed => {}
                    }
                }
            }
        }
    }

    /// How many requests of this class are still wanted.
    pub(crate) fn want(&self, class: Class, requests: u64) {
        self.buckets().entry(class).or_default().want(requests);
    }

    /// What is left of a quota, where one is known.
    pub(crate) fn quota(&self, class: Class) -> Option<Quota> {
        let now = self.now();
        self.buckets().get(&class)?.quota(now)
    }

    fn settle(&self, class: Class, change: impl FnOnce(&mut Bucket, Duration)) {
        let now = self.now();
        let waiting_helps = {
            let mut buckets = self.buckets();
            let bucket = buckets.entry(class).or_default();
            let before = bucket.open();
            change(bucket, now);
            !before
        };
        if waiting_helps {
            self.changed.notify_waiters();
        }
    }
}

/// One request of a quota.
#[derive(Debug)]
pub(crate) struct Permit {
    limiter: Arc<Limiter>,
    class: Class,
    sent: Duration,
    settled: bool,
}

impl Permit {
    /// The answer came: what it says of the quota, and for a refusal (429) the wait it asks for.
    pub(crate) fn answered(
        mut self,
        left: Option<&Left>,
        policy: Option<Policy>,
        limited: Option<Option<Duration>>,
    ) {
        self.settled = true;
        let sent = self.sent;
        self.limiter.settle(self.class, |bucket, now| {
            bucket.answered(now, sent, left, policy, limited);
        });
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.settled {
            self.limiter.settle(self.class, Bucket::lost);
        }
    }
}
