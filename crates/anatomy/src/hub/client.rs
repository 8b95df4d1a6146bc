//! HTTP client for the Hub: repeats a request until it is answered completely, refused, or given up.
//!
//! Every hop of a redirect waits for its own turn in its own quota, since the Hub counts every hop. The token is only
//! sent to the endpoint's own origin (scheme, host and port). A body is complete when it has the announced length and,
//! where its tag is a hash, that hash.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::{self, HeaderValue};
use reqwest::{Response, Url};
use tokio::sync::Semaphore;

use crate::hub::answer::{HubResponse, Linked, body, broken, innermost, message, text};
use crate::hub::error::{Error, Permanent, RequestFailure, Transient};
use crate::hub::headers;
use crate::hub::limiter::{Class, Limiter};
use crate::hub::retry;
use crate::hub::settings::CrawlSettings;
use crate::hub::window::Refused;

/// More redirects than this count as a loop.
const HOPS: usize = 8;
/// Maximum waiting time for a Hub that has never answered.
const FIRST_CONTACT: Duration = Duration::from_secs(15);
/// How long a request may be retried beyond the configured number of tries, while the Hub answers nothing at all.
const GRACE: Duration = Duration::from_mins(1);

fn millis(counter: &AtomicU64) -> Duration {
    Duration::from_millis(counter.load(Ordering::Relaxed))
}

/// Counters over a run.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Requests sent, redirects and retries included.
    pub(crate) requests: AtomicU64,
    /// Bytes of response bodies.
    pub(crate) bytes: AtomicU64,
    retries: Mutex<BTreeMap<&'static str, u64>>,
}

impl Tally {
    /// Retries by kind of failure.
    pub(crate) fn retries(&self) -> BTreeMap<&'static str, u64> {
        self.retries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn retry(&self, kind: &'static str) {
        *self
            .retries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(kind)
            .or_default() += 1;
    }
}

/// A client for one Hub.
#[derive(Debug)]
pub(crate) struct Client {
    /// Endpoint, token and timeouts.
    pub(crate) settings: CrawlSettings,
    /// Rate limiter.
    pub(crate) limiter: Arc<Limiter>,
    /// Counters.
    pub(crate) tally: Tally,
    http: reqwest::Client,
    /// Limits concurrent requests. A request that waits before a retry holds no permit.
    slots: Semaphore,
    start: Instant,
    /// Time of the last response other than a transient failure, milliseconds after `start`; 0 before the first.
    answered: AtomicU64,
}

impl Client {
    /// A client that pools as many idle connections as there may be concurrent requests.
    ///
    /// # Errors
    /// [`Error::Client`] where the HTTP client cannot be made.
    pub(crate) fn new(settings: CrawlSettings) -> Result<Arc<Self>, Error> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("anatomy/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(settings.stall)
            .read_timeout(settings.stall)
            .pool_max_idle_per_host(settings.concurrency)
            .build()
            .map_err(|error| Error::Client {
                message: innermost(&error),
            })?;
        Ok(Arc::new(Self {
            slots: Semaphore::new(settings.concurrency),
            limiter: Limiter::new(),
            tally: Tally::default(),
            settings,
            http,
            start: Instant::now(),
            answered: AtomicU64::new(0),
        }))
    }

    /// Requests `url`, repeatedly, until `read` accepts a response of at most `limit` bytes.
    ///
    /// # Errors
    /// The last [`RequestFailure`]: [`RequestFailure::Away`] when no connection could be made for longer than the
    /// configured outage, any other after the configured number of tries. Time spent waiting for a turn does not count.
    pub(crate) async fn get<T>(
        &self,
        url: &Url,
        limit: u64,
        read: impl Fn(HubResponse) -> Result<T, RequestFailure>,
    ) -> Result<T, RequestFailure> {
        self.ask(url, None, limit, read).await
    }

    /// The bytes `part` of a file, requested like [`Self::get`].
    ///
    /// # Errors
    /// As [`Self::get`]; [`RequestFailure::Ours`] where the server ignores byte ranges.
    pub(crate) async fn part(&self, url: &Url, part: Range<u64>) -> Result<Vec<u8>, RequestFailure> {
        let wanted = part.end - part.start;
        self.ask(url, Some(part), wanted, |answer| {
            let got = answer.body.len() as u64;
            if got == wanted {
                return Ok(answer.body);
            }
            Err(Transient::Length { said: wanted, got }.into())
        })
        .await
    }

    async fn ask<T>(
        &self,
        url: &Url,
        part: Option<Range<u64>>,
        limit: u64,
        read: impl Fn(HubResponse) -> Result<T, RequestFailure>,
    ) -> Result<T, RequestFailure> {
        let (mut tries, mut in_a_row, mut trouble) = (0, 0, Duration::ZERO);
        let sent = AtomicU64::new(0);
        loop {
            let transient = match self.once(url, part.as_ref(), limit, &sent).await.and_then(&read) {
                Err(RequestFailure::Transient(transient)) => transient,
                done => {
                    self.alive();
                    return done;
                }
            };
            self.tally.retry(transient.kind());
            if matches!(transient, Transient::Limited { .. }) {
                // The limiter enforces the wait.
                self.alive();
                continue;
            }
            in_a_row += 1;
            let wait = retry::wait(in_a_row, &transient, retry::jitter());
            let (sent, answered) = (millis(&sent), millis(&self.answered));
            // No response to any request since this one was sent: the Hub has a problem, and not this request.
            let silent = answered <= sent;
            trouble = if silent {
                trouble + self.start.elapsed().saturating_sub(sent) + wait
            } else {
                Duration::ZERO
            };
            let patience = if answered.is_zero() {
                FIRST_CONTACT.min(self.settings.outage)
            } else {
                self.settings.outage
            };
            if silent && matches!(transient, Transient::Connection(_)) {
                if trouble > patience {
                    return Err(RequestFailure::Away(transient));
                }
            } else {
                tries += 1;
                if tries >= self.settings.tries && !(silent && trouble < patience.min(GRACE)) {
                    return Err(transient.into());
                }
            }
            tokio::time::sleep(wait).await;
        }
    }

    fn alive(&self) {
        let now = (self.start.elapsed().as_millis() as u64).max(1);
        self.answered.fetch_max(now, Ordering::Relaxed);
    }

    /// A single try: follows redirects, reads the body and checks that it is complete.
    async fn once(
        &self,
        url: &Url,
        part: Option<&Range<u64>>,
        limit: u64,
        sent: &AtomicU64,
    ) -> Result<HubResponse, RequestFailure> {
        let _slot = self.slots.acquire().await;
        let mut url = url.clone();
        let mut linked = Linked::default();
        for _ in 0..=HOPS {
            let response = self.send(&url, part, sent).await?;
            let status = response.status().as_u16();
            let headers = response.headers().clone();
            linked.note(&headers);
            if let (301..=303 | 307 | 308, Some(place)) = (status, text(&headers, "location")) {
                let next = url
                    .join(place)
                    .ok()
                    .filter(|next| matches!(next.scheme(), "http" | "https"));
                let Some(next) = next else {
                    return Err(RequestFailure::Ours {
                        status,
                        message: format!("redirects to `{place}`"),
                    });
                };
                // A connection is only reusable once the body was read to its end.
                let _ = body(response, 1 << 16).await?;
                url = next;
                continue;
            }
            if part.is_some() && status == 200 {
                return Err(RequestFailure::Ours {
                    status,
                    message: "the whole file instead of the part asked for".into(),
                });
            }
            let answer = body(response, if status < 300 { limit } else { 1 << 16 }).await;
            if !(200..300).contains(&status) {
                let body = answer.unwrap_or_default();
                let said = message(&headers, &body);
                let wait = text(&headers, "retry-after")
                    .and_then(|after| headers::retry_after(after, text(&headers, "date")));
                return Err(retry::classify(
                    status,
                    text(&headers, "x-error-code"),
                    &said,
                    wait,
                ));
            }
            let body = answer?;
            if part.is_none() {
                linked.check(&headers, &body)?;
            }
            self.tally.bytes.fetch_add(body.len() as u64, Ordering::Relaxed);
            return Ok(HubResponse {
                url,
                media: text(&headers, "content-type").unwrap_or_default().to_owned(),
                next: text(&headers, "link")
                    .and_then(headers::next_page)
                    .map(str::to_owned),
                commit: linked.commit,
                tag: linked.tag,
                body,
            });
        }
        Err(Transient::Loop(HOPS).into())
    }

    /// Sends one request in its turn and passes the rate-limit headers to the limiter.
    async fn send(
        &self,
        url: &Url,
        part: Option<&Range<u64>>,
        sent: &AtomicU64,
    ) -> Result<Response, RequestFailure> {
        let class = self.class(url);
        let permit = self.limiter.turn(class).await;
        sent.store(self.start.elapsed().as_millis() as u64, Ordering::Relaxed);
        self.tally.requests.fetch_add(1, Ordering::Relaxed);
        let mut request = self.http.get(url.clone());
        if let Some(part) = part {
            request = request.header(header::RANGE, format!("bytes={}-{}", part.start, part.end - 1));
        }
        if let Some(token) = &self.settings.token
            && url.origin() == self.settings.endpoint.origin()
            && let Ok(mut value) = HeaderValue::from_str(&token.header())
        {
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        // On an error the permit is dropped and counts as lost.
        let response = request.send().await.map_err(|error| broken(&error))?;
        let headers = response.headers();
        let left = text(headers, "ratelimit").and_then(headers::rate_limit);
        let policy = text(headers, "ratelimit-policy").and_then(headers::rate_policy);
        let after =
            text(headers, "retry-after").and_then(|after| headers::retry_after(after, text(headers, "date")));
        let refused = (response.status().as_u16() == 429).then_some(Refused { wait: after });
        permit.answered(left.as_ref(), policy, refused);
        if let Some(Refused { wait }) = refused {
            let wait = wait.or(left.map(|left| left.reset)).unwrap_or_default();
            return Err(Transient::Limited { wait }.into());
        }
        Ok(response)
    }

    /// The rate-limit class of an address.
    pub(crate) fn class(&self, url: &Url) -> Class {
        if url.origin() != self.settings.endpoint.origin() {
            return Class::Files;
        }
        let base = self.settings.endpoint.path().trim_end_matches('/');
        let path = url.path().strip_prefix(base).unwrap_or(url.path());
        if path.starts_with("/api/resolve-cache/") {
            Class::Files
        } else if path.starts_with("/api/") {
            Class::Api
        } else if path.contains("/resolve/") {
            Class::Resolvers
        } else {
            Class::Pages
        }
    }

    /// Converts the failure of an indispensable request into the error that stops the run.
    pub(crate) fn stop(&self, url: &Url, failure: RequestFailure) -> Error {
        let url = url.to_string();
        match failure {
            RequestFailure::Transient(last) | RequestFailure::Away(last) => Error::Unreachable {
                url,
                tries: self.tally.retries().values().sum::<u64>() as u32,
                seconds: self
                    .start
                    .elapsed()
                    .saturating_sub(millis(&self.answered))
                    .as_secs_f64(),
                last,
            },
            RequestFailure::Tls(message) => Error::Tls { url, message },
            RequestFailure::Permanent(Permanent::BadToken { message }) => Error::BadToken {
                url,
                from: self
                    .settings
                    .token
                    .as_ref()
                    .map_or_else(|| "nobody".to_owned(), |token| token.from.clone()),
                message,
            },
            RequestFailure::Permanent(reason) => Error::Refused { url, reason },
            RequestFailure::Ours { status, message } => Error::Ours { url, status, message },
        }
    }
}
