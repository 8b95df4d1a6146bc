//! One quota with a fixed window: may another request go, and if not, when?
//!
//! Pure: the time comes as an argument, measured on a clock that never jumps. What is known comes from the headers of
//! answers ([`crate::hub::headers`]). An answer counts what the Hub had seen when it was made, so requests still under way are
//! taken off what it says is left; a request that ended without an answer counts as seen until a later answer tells.
//!
//! After a window's end nothing is known: one request goes ahead to learn the new window, the others wait for its answer.
//! Within a window requests are spread over its first part when more are wanted than are left (the Hub's documentation
//! asks to spread them out); so the quota is used in full, without a burst at its start.

use std::time::Duration;

use crate::hub::headers::{Left, Policy};

/// A second try to learn the window is made when the first got no answer for so long.
const PROBE_PATIENCE: Duration = Duration::from_secs(1);
/// Requests are spread over this part of a window; the rest makes good what was slow.
const SPREAD: f64 = 0.75;
/// An answer that took longer than this says little of when its window ends.
const PROMPT: Duration = Duration::from_millis(1500);
/// Kept clear after a window's end.
const GUARD: Duration = Duration::from_millis(20);

/// One bucket of the Hub's rate limits.
#[derive(Debug, Default)]
pub(crate) struct Bucket {
    known: Known,
    /// Requests sent and not yet answered.
    under_way: u64,
    /// When requests were given up without an answer that an answer has not yet accounted for.
    lost: Vec<Duration>,
    /// Nothing goes before this.
    blocked_until: Duration,
    /// Requests still wanted, as far as is known.
    wanted: u64,
    /// Added to a window's end after the Hub was found to round down.
    slack: Duration,
    /// When the last window ended.
    last_end: Duration,
}

#[derive(Debug, Default)]
enum Known {
    /// Nothing yet, or the window ended; requests are sent one by one to learn.
    #[default]
    Nothing,
    /// Nothing yet, asked at this time.
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
    /// The window ends no earlier and no later than these.
    ends: (Duration, Duration),
    quota: u64,
    length: Duration,
}

/// The Hub refused a request (429).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused {
    /// The wait it asks for.
    pub(crate) wait: Option<Duration>,
}

/// What is known of a quota, for showing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Quota {
    /// Requests left in the open window.
    pub(crate) left: u64,
    /// Requests a window.
    pub(crate) of: u64,
    /// Until it ends.
    pub(crate) reset: Duration,
    /// Length of a window.
    pub(crate) window: Duration,
}

impl Bucket {
    /// Takes one request of the quota, or says until when to wait (an answer may free one earlier).
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

    /// When the next request has its turn under even spreading.
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

    /// How many requests are still wanted; they are spread only when the window has fewer.
    pub(crate) fn want(&mut self, requests: u64) {
        self.wanted = requests;
    }

    /// A request sent at `sent` was answered with these headers, or refused.
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
            // A limit was announced before: the answer is from somewhere in between, and may have counted.
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

    /// An answer to a request that took its turn elsewhere speaks of this quota.
    pub(crate) fn heard(&mut self, now: Duration, sent: Duration, left: &Left, policy: Option<Policy>) {
        self.learn(now, sent, left, policy);
    }

    fn learn(&mut self, now: Duration, sent: Duration, left: &Left, policy: Option<Policy>) {
        let prompt = now.saturating_sub(sent) <= PROMPT;
        // Rounded up: the end lies in the second before; half a second more for clocks of another pace.
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
            Known::Window(window) if ends.1 < window.ends.0 => {} // of the window before
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
            // Too late to tell which window it speaks of.
            _ => self.lost.push(now),
        }
    }

    /// Whether requests go without waiting for an answer.
    pub(crate) fn open(&self) -> bool {
        match &self.known {
            Known::NoLimit => true,
            Known::Window(window) => self.free(window) > 0,
            Known::Nothing | Known::Asked(_) => false,
        }
    }

    /// A request ended without an answer: the Hub may have counted it.
    pub(crate) fn lost(&mut self, now: Duration) {
        self.under_way = self.under_way.saturating_sub(1);
        if matches!(self.known, Known::Window(_)) {
            self.lost.push(now);
        }
    }

    /// What is left, where a limit is known.
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
