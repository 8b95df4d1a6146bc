//! Rate limiter: the buckets of the Hub's rate limits, shared by all requests of a run.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::hub::headers::{Left, Policy};
use crate::hub::window::{Bucket, Quota, Refused};

/// Rate-limit class of a request (Hub documentation, `rate-limits.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// `/api/…`
    Api,
    /// `/{id}/resolve/…`, with the largest quota.
    Resolvers,
    /// Everything else on the Hub.
    Pages,
    /// Targets of the Hub's file redirects: no quota is documented, but an announced one is respected.
    Files,
}

impl Class {
    /// The documented bucket of the class.
    fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Resolvers => "resolvers",
            Self::Pages => "pages",
            Self::Files => "files",
        }
    }
}

/// The buckets of one run. Time is measured by [`Instant`], which is independent of changes to the wall clock.
#[derive(Debug)]
pub(crate) struct Limiter {
    start: Instant,
    buckets: Mutex<Buckets>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Buckets {
    /// Buckets of classes for which responses named another than the documented one.
    told: BTreeMap<Class, String>,
    all: BTreeMap<String, Bucket>,
}

impl Buckets {
    fn name(&self, class: Class) -> String {
        self.told
            .get(&class)
            .cloned()
            .unwrap_or_else(|| class.name().to_owned())
    }

    fn of(&mut self, class: Class) -> &mut Bucket {
        self.all.entry(self.name(class)).or_default()
    }
}

impl Limiter {
    /// A limiter that knows no quota yet.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            buckets: Mutex::default(),
            changed: Notify::new(),
        })
    }

    fn buckets(&self) -> MutexGuard<'_, Buckets> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Waits until a request may be sent. The permit must be settled with the response; dropped, it counts as lost.
    pub(crate) async fn turn(self: &Arc<Self>, class: Class) -> Permit {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let now = self.now();
            let (name, taken) = {
                let mut buckets = self.buckets();
                (buckets.name(class), buckets.of(class).take(now))
            };
            match taken {
                Ok(()) => {
                    return Permit {
                        limiter: Arc::clone(self),
                        class,
                        bucket: name,
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

    /// Sets the number of requests of this class that are still needed.
    pub(crate) fn want(&self, class: Class, requests: u64) {
        self.buckets().of(class).want(requests);
    }

    /// The remaining quota, where one is known.
    pub(crate) fn quota(&self, class: Class) -> Option<Quota> {
        let now = self.now();
        self.buckets().of(class).quota(now)
    }

    fn settle(&self, bucket: &str, change: impl FnOnce(&mut Bucket, Duration)) {
        let now = self.now();
        let waiting_helps = {
            let mut buckets = self.buckets();
            let bucket = buckets.all.entry(bucket.to_owned()).or_default();
            let before = bucket.open();
            change(bucket, now);
            !before
        };
        if waiting_helps {
            self.changed.notify_waiters();
        }
    }
}

/// Permission for one request.
#[derive(Debug)]
pub(crate) struct Permit {
    limiter: Arc<Limiter>,
    class: Class,
    bucket: String,
    sent: Duration,
    settled: bool,
}

impl Permit {
    /// Settles the permit with the response: the quota it announces, and whether it refuses the request.
    pub(crate) fn answered(mut self, left: Option<&Left>, policy: Option<Policy>, refused: Option<Refused>) {
        let sent = self.sent;
        if let Some(left) = left.filter(|left| left.bucket != self.bucket) {
            // The request counted in another bucket than expected; use that one for this class from now on.
            let told = left.bucket.clone();
            self.limiter.buckets().told.insert(self.class, told.clone());
            self.limiter.settle(&told, |bucket, now| {
                bucket.heard(now, sent, left, policy);
            });
        }
        self.settled = true;
        self.limiter.settle(&self.bucket, |bucket, now| {
            let left = left.filter(|left| left.bucket == self.bucket);
            bucket.answered(now, sent, left, policy, refused);
        });
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.settled {
            self.limiter.settle(&self.bucket, Bucket::lost);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_class_moves_to_the_bucket_that_its_answers_name() {
        let limiter = Limiter::new();
        let left = Left {
            bucket: "resolvers".into(),
            requests: 0,
            reset: Duration::from_mins(1),
        };
        let policy = Policy {
            quota: 10,
            window: Duration::from_mins(1),
        };
        limiter
            .turn(Class::Files)
            .await
            .answered(Some(&left), Some(policy), None);
        // Both classes are now known to have an exhausted quota.
        for class in [Class::Files, Class::Resolvers] {
            assert_eq!(limiter.quota(class).expect("known").left, 0);
            let turn = tokio::time::timeout(Duration::from_millis(50), limiter.turn(class)).await;
            assert!(turn.is_err(), "{class:?}");
        }
        assert!(limiter.quota(Class::Api).is_none());
    }

    #[tokio::test]
    async fn a_turn_is_freed_by_the_answer_before() {
        let limiter = Limiter::new();
        let left = |requests| Left {
            bucket: "api".into(),
            requests,
            reset: Duration::from_mins(1),
        };
        limiter
            .turn(Class::Api)
            .await
            .answered(Some(&left(1)), None, None);
        let first = limiter.turn(Class::Api).await;
        let waiting = tokio::spawn({
            let limiter = Arc::clone(&limiter);
            async move { limiter.turn(Class::Api).await.sent }
        });
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!waiting.is_finished());
        // The response shows that the first request was not counted after all.
        first.answered(Some(&left(1)), None, None);
        assert!(
            tokio::time::timeout(Duration::from_secs(5), waiting)
                .await
                .is_ok()
        );
    }
}
