//! One quota with fixed windows: may another request be sent, and if not, when?
//!
//! Pure: the time is an argument, measured on a monotonic clock. The state is learnt from response headers
//! ([`crate::hub::headers`]). A response counts the requests that the Hub had seen when it was made, so pending
//! requests are subtracted from the remaining quota it states; a request that ended without a response counts until a
//! later one shows.
//!
//! After a window's end nothing is known: one request is sent to learn the new window, and the others wait for its
//! response. Within a window, requests are spread over its first part if more are needed than are left (as the Hub's
//! documentation asks), so that the quota is used in full without a burst at the start.

use std::time::Duration;

use crate::hub::headers::{Left, Policy};

/// If the request that is to learn the window gets no response within this time, another is sent.
const PROBE_PATIENCE: Duration = Duration::from_secs(1);
/// Fraction of a window over which requests are spread; the rest makes up for slow responses.
const SPREAD: f64 = 0.75;
/// A response that took longer than this is too imprecise about the window's end.
const PROMPT: Duration = Duration::from_millis(1500);
/// Safety margin after a window's end.
const GUARD: Duration = Duration::from_millis(20);

/// One bucket of the Hub's rate limits.
#[derive(Debug, Default)]
pub(crate) struct Bucket {
    known: Known,
    /// Requests sent and not yet answered.
    under_way: u64,
    /// Times at which requests ended without a response, until a later response accounts for them.
    lost: Vec<Duration>,
    /// No request is sent before this time.
    blocked_until: Duration,
    /// Number of requests still needed, as far as known.
    wanted: u64,
    /// Added to a window's end once the Hub was found to round down.
    slack: Duration,
    /// End of the last window.
    last_end: Duration,
}

#[derive(Debug, Default)]
enum Known {
    /// Nothing is known, or the window has ended; requests are sent one by one to learn the next.
    #[default]
    Nothing,
    /// Nothing is known; a request to learn the window was sent at this time.
    Asked(Duration),
    /// The Hub announces no limit.
    NoLimit,
    /// A window is open.
    Window(Window),
}

#[derive(Debug, Clone, Copy)]
struct Window {
    left: u64,
    left_at_start: u64,
    start: Duration,
    /// Earliest and latest possible end of the window.
    ends: (Duration, Duration),
    quota: u64,
    length: Duration,
}

/// The Hub refused a request (429).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused {
    /// The requested wait, if stated.
    pub(crate) wait: Option<Duration>,
}

/// A known quota, for display.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Quota {
    /// Requests left in the open window.
    pub(crate) left: u64,
    /// Requests per window.
    pub(crate) of: u64,
    /// Time until the window ends.
    pub(crate) reset: Duration,
    /// Length of a window.
    pub(crate) window: Duration,
}

impl Bucket {
    /// Takes one request from the quota, or returns the time until which to wait (a response may free one earlier).
    pub(crate) fn take(&mut self, now: Duration) -> Result<(), Duration> {
        if now < self.blocked_until {
            return Err(self.blocked_until);
        }
        if let Known::Window(window) = &self.known {
            let end = window.ends.1 + self.slack + GUARD;
            if now >= end {
                self.last_end = end;
                self.known = Known::Nothing;
            }
        }
        match &self.known {
            Known::NoLimit => {}
            Known::Nothing => self.known = Known::Asked(now),
            Known::Asked(at) if now >= *at + PROBE_PATIENCE => self.known = Known::Asked(now),
            Known::Asked(at) => return Err(*at + PROBE_PATIENCE),
            Known::Window(window) => {
                if self.free(window) == 0 {
                    return Err(window.ends.1 + self.slack + GUARD);
                }
                let at = self.turn(window);
                if now < at {
                    return Err(at);
                }
            }
        }
        self.under_way += 1;
        Ok(())
    }

    fn free(&self, window: &Window) -> u64 {
        window
            .left
            .saturating_sub(self.under_way + self.lost.len() as u64)
    }

    /// Time of the next request if requests are spread evenly.
    fn turn(&self, window: &Window) -> Duration {
        let free = self.free(window);
        if self.wanted <= free {
            return window.start;
        }
        let burst = (window.quota / 20).max(16);
        let used = window.left_at_start.saturating_sub(free);
        let ahead = used.saturating_sub(burst) as f64 / window.left_at_start.max(1) as f64;
        let length = window.ends.1.saturating_sub(window.start).as_secs_f64() * SPREAD;
        window.start + Duration::from_secs_f64(length * ahead)
    }

    /// Sets the number of requests still needed; they are spread only if the window has fewer.
    pub(crate) fn want(&mut self, requests: u64) {
        self.wanted = requests;
    }

    /// Records the response to a request sent at `sent`: its rate-limit headers, and whether it was refused.
    pub(crate) fn answered(
        &mut self,
        now: Duration,
        sent: Duration,
        left: Option<&Left>,
        policy: Option<Policy>,
        refused: Option<Refused>,
    ) {
        self.under_way = self.under_way.saturating_sub(1);
        match left {
            Some(left) => self.learn(now, sent, left, policy),
            None if matches!(self.known, Known::Nothing | Known::Asked(_)) && refused.is_none() => {
                self.known = Known::NoLimit;
            }
            // A limit was announced before, so an intermediary sent this response; the request may have been counted.
            None if matches!(self.known, Known::Window(_)) => self.lost.push(now),
            None => {}
        }
        if let Some(Refused { wait }) = refused {
            if now < self.last_end + Duration::from_secs(2) {
                self.slack = Duration::from_secs(1);
            }
            let wait = wait
                .or(left.map(|left| left.reset))
                .unwrap_or(Duration::from_secs(10))
                .max(Duration::from_secs(1));
            self.blocked_until = self.blocked_until.max(now + wait);
        }
    }

    /// Records a response that names this quota although the request was counted in another bucket.
    pub(crate) fn heard(&mut self, now: Duration, sent: Duration, left: &Left, policy: Option<Policy>) {
        self.learn(now, sent, left, policy);
    }

    fn learn(&mut self, now: Duration, sent: Duration, left: &Left, policy: Option<Policy>) {
        let prompt = now.saturating_sub(sent) <= PROMPT;
        // `reset` is rounded up, so the end lies within the second before; another half second allows for clock drift.
        let ends = (
            (sent + left.reset).saturating_sub(Duration::from_millis(1500)),
            now + left.reset,
        );
        let quota = policy.map_or(left.requests, |policy| policy.quota);
        let fresh = Window {
            left: left.requests,
            left_at_start: left.requests,
            start: now,
            ends,
            quota,
            length: policy.map_or(left.reset, |policy| policy.window),
        };
        match &mut self.known {
            Known::Window(window) if ends.1 < window.ends.0 => {} // belongs to the previous window
            Known::Window(window) if ends.0 <= window.ends.1 => {
                if prompt {
                    window.ends = (window.ends.0.max(ends.0), window.ends.1.min(ends.1));
                }
                window.left = window.left.min(left.requests);
                window.quota = quota;
                self.lost.retain(|&lost| lost > sent);
            }
            _ if prompt => {
                self.known = Known::Window(fresh);
                self.lost.retain(|&lost| lost > sent);
            }
            // Too late to tell which window it refers to.
            _ => self.lost.push(now),
        }
    }

    /// Whether a request may be sent without waiting for a response.
    pub(crate) fn open(&self) -> bool {
        match &self.known {
            Known::NoLimit => true,
            Known::Window(window) => self.free(window) > 0,
            Known::Nothing | Known::Asked(_) => false,
        }
    }

    /// Records a request that ended without a response: the Hub may have counted it.
    pub(crate) fn lost(&mut self, now: Duration) {
        self.under_way = self.under_way.saturating_sub(1);
        if matches!(self.known, Known::Window(_)) {
            self.lost.push(now);
        }
    }

    /// The remaining quota, where a limit is known.
    pub(crate) fn quota(&self, now: Duration) -> Option<Quota> {
        match &self.known {
            Known::Window(window) => Some(Quota {
                left: self.free(window),
                of: window.quota,
                reset: window.ends.1.saturating_sub(now),
                window: window.length,
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
