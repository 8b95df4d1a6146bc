//! Progress of a run, for display.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::hub::state::Counts;
use crate::hub::window::Quota;

/// A snapshot of a run's progress.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Progress {
    /// Seconds since its start.
    pub(crate) seconds: f64,
    /// Checkpoints listed by this run so far.
    pub(crate) listed_now: u64,
    /// Entries of the listing that name no checkpoint.
    pub(crate) nameless: u64,
    /// Whether the listing is complete.
    pub(crate) listing_complete: bool,
    /// Checkpoints settled by this run: stored, or known to have no config, gated, broken or failed.
    pub(crate) settled_now: u64,
    /// Counts over the whole folder.
    pub(crate) counts: Counts,
    /// Checkpoints settled per second, over the last half minute.
    pub(crate) rate: f64,
    /// Requests sent.
    pub(crate) requests: u64,
    /// Retries by kind of failure.
    pub(crate) retries: BTreeMap<&'static str, u64>,
    /// Requests for files left in the current window; `None` where no quota is known.
    pub(crate) quota_left: Option<u64>,
    /// Requests for files per window.
    pub(crate) quota: Option<u64>,
    /// Seconds until the window ends.
    pub(crate) quota_reset: Option<f64>,
    /// Estimated seconds left, from rate and quota; `None` until the listing is complete or while no rate is known.
    pub(crate) seconds_left: Option<f64>,
}

/// Measures the rate over the last half minute.
#[derive(Debug)]
pub(crate) struct Meter {
    start: Instant,
    points: VecDeque<(Duration, u64)>,
}

impl Meter {
    /// Starts the clock.
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            points: VecDeque::from([(Duration::ZERO, 0)]),
        }
    }

    /// Time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Rate per second; `done` is the number done since the start.
    pub(crate) fn rate(&mut self, now: Duration, done: u64) -> f64 {
        while self.points.len() > 1 && self.points[1].0 + Duration::from_secs(30) <= now {
            self.points.pop_front();
        }
        let (at, before) = self.points[0];
        if self
            .points
            .back()
            .is_none_or(|(last, _)| *last + Duration::from_millis(200) <= now)
        {
            self.points.push_back((now, done));
        }
        done.saturating_sub(before) as f64 / (now.saturating_sub(at)).as_secs_f64().max(1e-3)
    }
}

/// Estimated seconds until `todo` requests are done: by the quota's windows where it limits, else at this rate.
pub(crate) fn seconds_left(todo: u64, rate: f64, quota: Option<Quota>) -> Option<f64> {
    if todo == 0 {
        return Some(0.0);
    }
    let by_quota = quota
        .filter(|quota| todo > quota.left && quota.of > 0)
        .map(|quota| {
            let windows = (todo - quota.left) as f64 / quota.of as f64;
            quota.reset.as_secs_f64() + (windows - 1.0).max(0.0) * quota.window.as_secs_f64()
        });
    let by_rate = (rate > 0.0).then(|| todo as f64 / rate);
    match (by_quota, by_rate) {
        (Some(by_quota), _) => Some(by_quota),
        (None, by_rate) => by_rate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_by_quota_where_there_is_one() {
        let quota = Quota {
            left: 1000,
            of: 3000,
            reset: Duration::from_secs(100),
            window: Duration::from_mins(5),
        };
        assert_eq!(
            seconds_left(160_000, 10.0, Some(quota)),
            Some(100.0 + 52.0 * 300.0)
        );
        assert_eq!(seconds_left(500, 10.0, Some(quota)), Some(50.0));
        assert_eq!(seconds_left(500, 0.0, None), None);
        assert_eq!(seconds_left(0, 0.0, None), Some(0.0));
    }

    #[test]
    fn rate_of_the_last_half_minute() {
        let mut meter = Meter::new();
        for second in 1..=100 {
            let rate = meter.rate(Duration::from_secs(second), second * 7);
            assert!((rate - 7.0).abs() < 1e-9, "{second}: {rate}");
        }
        assert!(meter.points.len() < 40);
    }
}
