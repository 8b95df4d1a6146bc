//! Tests the limiter against a simulated Hub with fixed windows, on a clock controlled by the test.

use std::collections::BinaryHeap;
use std::time::Duration;

use super::{Bucket, Refused};
use crate::hub::headers::{Left, Policy};

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A quota in fixed windows, whose boundaries are shifted by `offset`.
struct Server {
    quota: u64,
    window: Duration,
    offset: Duration,
    current: u128,
    used: u64,
    refused: u64,
    served: Vec<u64>,
    rounds_down: bool,
}

impl Server {
    fn new(quota: u64, window: Duration, offset: Duration) -> Self {
        Self {
            quota,
            window,
            offset,
            current: u128::MAX,
            used: 0,
            refused: 0,
            served: Vec::new(),
            rounds_down: false,
        }
    }

    fn ask(&mut self, now: Duration) -> (Left, Policy, bool) {
        let at = now + self.offset;
        let window = at.as_nanos() / self.window.as_nanos();
        if window != self.current {
            self.current = window;
            if self.used > 0 {
                self.served.push(self.used.min(self.quota));
            }
            self.used = 0;
        }
        self.used += 1;
        let over = self.used > self.quota;
        self.refused += u64::from(over);
        let left = self.window.as_nanos() - at.as_nanos() % self.window.as_nanos();
        let seconds = if self.rounds_down {
            left / 1_000_000_000
        } else {
            left.div_ceil(1_000_000_000)
        };
        let reset = Duration::from_secs(seconds as u64);
        let policy = Policy {
            quota: self.quota,
            window: self.window,
        };
        let left = Left {
            bucket: "resolvers".into(),
            requests: self.quota.saturating_sub(self.used),
            reset,
        };
        (left, policy, over)
    }
}

/// A response due at a given time: the request it answers, and the response (`None`: the connection broke).
struct Coming {
    at: Duration,
    sent: Duration,
    answer: Option<(Left, Policy, bool)>,
}
impl PartialEq for Coming {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}
impl Eq for Coming {}
impl PartialOrd for Coming {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Coming {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.at.cmp(&self.at)
    }
}

/// Sends `wanted` requests, `wide` at a time; every `breaks`-th gets no response, every `stalls`-th a late one.
fn run(server: &mut Server, wanted: u64, wide: usize, breaks: u64, stalls: u64) -> Duration {
    let mut bucket = Bucket::default();
    let (mut now, mut done, mut sent) = (Duration::ZERO, 0, 0);
    let mut coming: BinaryHeap<Coming> = BinaryHeap::new();
    while done < wanted {
        bucket.want(wanted - done);
        let wait = if coming.len() < wide && sent - done < wanted {
            match bucket.take(now) {
                Ok(()) => {
                    sent += 1;
                    let answer = server.ask(now + ms(20));
                    let broken = breaks > 0 && sent % breaks == 0;
                    let late = stalls > 0 && sent % stalls == 0;
                    coming.push(Coming {
                        at: now + ms(if late { 4000 } else { 35 + sent % 17 }),
                        sent: now,
                        answer: (!broken).then_some(answer),
                    });
                    continue;
                }
                Err(until) => {
                    assert!(until > now, "waits forward");
                    until
                }
            }
        } else {
            Duration::MAX
        };
        if let Some(next) = coming.peek().filter(|next| next.at <= wait) {
            now = next.at;
            let next = coming.pop().expect("peeked");
            match next.answer {
                Some((left, policy, over)) => {
                    bucket.answered(
                        now,
                        next.sent,
                        Some(&left),
                        Some(policy),
                        over.then_some(Refused { wait: None }),
                    );
                    done += u64::from(!over);
                }
                None => bucket.lost(now),
            }
        } else {
            now = wait;
        }
    }
    now
}

#[test]
fn uses_the_whole_quota_and_is_never_refused() {
    for offset in [0, 170, 4_321, 9_990] {
        let mut server = Server::new(300, ms(10_000), ms(offset));
        let took = run(&mut server, 3_000, 32, 0, 0);
        assert_eq!(server.refused, 0, "offset {offset}");
        // The first window may be cut short by the offset; all others are full.
        assert!(
            server.served[1..].iter().all(|&used| used == 300),
            "{:?}",
            server.served
        );
        assert!(took < ms(103_000), "{took:?}");
    }
}

#[test]
fn the_hubs_own_window_of_five_minutes() {
    let mut server = Server::new(3_000, ms(300_000), ms(123_456));
    let took = run(&mut server, 30_000, 32, 0, 0);
    assert_eq!(server.refused, 0);
    assert!(server.served[1..].iter().all(|&used| used == 3_000));
    assert!(took < ms(2_980_000), "{took:?}");
}

#[test]
fn broken_connections_cost_little_and_bring_no_refusal() {
    let mut server = Server::new(300, ms(10_000), ms(2_500));
    run(&mut server, 3_000, 32, 23, 0);
    assert_eq!(server.refused, 0);
    let full: u64 = server.served[1..].iter().sum();
    let windows = server.served.len() as u64 - 1;
    assert!(full * 100 >= windows * 300 * 99, "{:?}", server.served);
}

#[test]
fn late_answers_do_not_confuse_windows() {
    let mut server = Server::new(300, ms(10_000), ms(2_500));
    run(&mut server, 3_000, 32, 0, 97);
    assert_eq!(server.refused, 0);
    let full: u64 = server.served[1..].iter().sum();
    let windows = server.served.len() as u64 - 1;
    assert!(full * 100 >= windows * 300 * 95, "{:?}", server.served);
}

#[test]
fn a_hub_that_rounds_down_refuses_once_at_most() {
    let mut server = Server::new(300, ms(10_000), ms(2_500));
    server.rounds_down = true;
    run(&mut server, 3_000, 32, 0, 0);
    assert!(server.refused <= 1, "{}", server.refused);
}

#[test]
fn spreads_what_does_not_fit_and_hurries_what_does() {
    let mut bucket = Bucket::default();
    bucket.take(ms(0)).expect("the first goes");
    assert_eq!(bucket.take(ms(10)), Err(ms(1000)));
    let left = Left {
        bucket: "api".into(),
        requests: 1000,
        reset: Duration::from_secs(100),
    };
    bucket.answered(ms(50), ms(0), Some(&left), None, None);
    bucket.want(100_000);
    let mut sent = 0;
    while bucket.take(ms(60)).is_ok() {
        sent += 1;
    }
    assert_eq!(sent, 50 + 1, "a burst of a twentieth");
    bucket.want(900);
    assert!(bucket.take(ms(60)).is_ok());
}

#[test]
fn no_header_means_no_limit() {
    let mut bucket = Bucket::default();
    bucket.take(ms(0)).expect("the first goes");
    bucket.answered(ms(50), ms(0), None, None, None);
    for _ in 0..10_000 {
        bucket.take(ms(60)).expect("no limit");
    }
}

#[test]
fn a_refusal_is_obeyed_for_as_long_as_it_says() {
    let mut bucket = Bucket::default();
    bucket.take(ms(0)).expect("the first goes");
    bucket.answered(
        ms(50),
        ms(0),
        None,
        None,
        Some(Refused {
            wait: Some(Duration::from_secs(30)),
        }),
    );
    assert_eq!(bucket.take(ms(60)), Err(ms(30_050)));
    assert!(bucket.take(ms(30_050)).is_ok());
}
