//! Crawls the Hub: lists checkpoints, fetches the configs that are new or changed, and stores them.
//!
//! Three parts run concurrently: the listing, page by page; the fetches, up to the configured number at a time, in
//! queue order; and the [writer](crate::hub::writer). The queue is on disk: memory holds only a page, some queued names
//! and pending requests, however large the Hub.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use reqwest::Url;
use tokio::sync::{Notify, Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinSet;

use crate::hub::client::Client;
use crate::hub::error::{Error, Permanent, RequestFailure, Transient};
use crate::hub::fetch;
use crate::hub::limiter::Class;
use crate::hub::listing::{self, ListingQuery, PAGE_BYTES, Page};
use crate::hub::message::{MARK, Mark, Message};
use crate::hub::progress::{Meter, Progress, seconds_left};
use crate::hub::store::Store;
use crate::hub::writer::Writer;

/// Number of names read from the queue at a time.
const HANDFUL: usize = 512;
/// An interrupted listing older than this starts again from its first page, seconds.
const GOES_ON: u64 = 3600;
/// Number of fetches started per concurrent request; those beyond wait before a retry.
const WAITING: usize = 4;
/// Number of passes over the queue, including those that repeat temporary failures.
const ROUNDS: u32 = 2;

/// State shared between the parts of a run.
#[derive(Debug, Default)]
struct Shared {
    listed: AtomicU64,
    nameless: AtomicU64,
    settled: AtomicU64,
    listing_complete: AtomicBool,
    more: Notify,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Everything was fetched.
    Complete,
    /// It was stopped by the user.
    Stopped,
}

/// Runs a crawl. `tell` receives progress several times a second; setting `stop` ends the crawl early.
///
/// # Errors
/// The error that stopped it. The store stays consistent, and another run continues from there.
pub(crate) async fn crawl(
    client: &Arc<Client>,
    store: &Arc<Store>,
    writer: &Writer,
    question: &ListingQuery,
    tell: &(dyn Fn(&Progress) + Sync),
    stop: watch::Receiver<bool>,
) -> Result<Ending, Error> {
    let shared = Arc::new(Shared::default());
    let work = async {
        tokio::try_join!(
            list(client, store, writer.inbox.clone(), question, &shared),
            fetch_queue(client, store, writer, &shared),
        )?;
        writer.flush().await
    };
    let mut stopped = stop;
    let stopped = async move { stopped.wait_for(|stop| *stop).await.is_ok() };
    let mut meter = Meter::new();
    let mut report = || tell(&progress(client, writer, &shared, &mut meter));
    let watch = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(250));
        loop {
            ticks.tick().await;
            report();
        }
    };
    let ending = tokio::select! {
        done = work => done.map(|()| Ending::Complete),
        true = stopped => Ok(Ending::Stopped),
        () = watch => Ok(Ending::Stopped),
    };
    report();
    ending
}

fn progress(client: &Client, writer: &Writer, shared: &Shared, meter: &mut Meter) -> Progress {
    let (now, counts) = (meter.elapsed(), writer.counts());
    let settled_now = shared.settled.load(Ordering::Relaxed);
    client.limiter.want(Class::Resolvers, counts.to_fetch);
    let quota = client.limiter.quota(Class::Resolvers);
    let rate = meter.rate(now, settled_now);
    let complete = shared.listing_complete.load(Ordering::Relaxed);
    Progress {
        seconds: now.as_secs_f64(),
        listed_now: shared.listed.load(Ordering::Relaxed),
        nameless: shared.nameless.load(Ordering::Relaxed),
        listing_complete: complete,
        settled_now,
        counts,
        rate,
        requests: client.tally.requests.load(Ordering::Relaxed),
        retries: client.tally.retries(),
        quota_left: quota.map(|quota| quota.left),
        quota: quota.map(|quota| quota.of),
        quota_reset: quota.map(|quota| quota.reset.as_secs_f64()),
        seconds_left: complete
            .then(|| seconds_left(counts.to_fetch, rate, quota))
            .flatten(),
    }
}

async fn send(inbox: &mpsc::Sender<Message>, message: Message) -> Result<(), Error> {
    inbox
        .send(message)
        .await
        .map_err(|_| Error::Gone { part: "store" })
}

fn seconds_since_1970() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// Whether an interrupted listing belongs to the same query and is recent enough to continue. If the clock was set
/// back, it starts again, which costs a few pages and loses nothing.
fn goes_on(old: &Mark, first: &Url, now: u64) -> bool {
    old.first == first.as_str()
        && old.next.is_some()
        && now.checked_sub(old.began).is_some_and(|age| age < GOES_ON)
}

/// The starting point of the listing: where an interrupted run of the same query stopped, else the first page.
fn begin(store: &Store, first: &Url) -> Result<Mark, Error> {
    let old: Option<Mark> = store
        .meta(MARK)?
        .and_then(|mark| serde_json::from_str(&mark).ok());
    let now = seconds_since_1970();
    let run = old.as_ref().map_or(0, |old| old.run) + 1;
    Ok(old.filter(|old| goes_on(old, first, now)).unwrap_or(Mark {
        first: first.to_string(),
        next: Some(first.to_string()),
        run,
        listed: 0,
        began: now,
    }))
}

/// Fetches the listing page by page and sends the pages to the writer.
async fn list(
    client: &Client,
    store: &Store,
    inbox: mpsc::Sender<Message>,
    question: &ListingQuery,
    shared: &Shared,
) -> Result<(), Error> {
    let first = question.url(client)?;
    let mut mark = begin(store, &first)?;
    shared.listed.store(mark.listed, Ordering::Relaxed);
    while let Some(next) = &mark.next {
        let url = client.settings.endpoint.join(next).unwrap_or(first.clone());
        let page = match client
            .get(&url, PAGE_BYTES, |answer| listing::page(&answer))
            .await
        {
            Ok(page) => page,
            // The Hub no longer accepts the cursor of an old listing.
            Err(RequestFailure::Ours { status: 400, .. }) if url != first => {
                mark.next = Some(first.to_string());
                mark.listed = 0;
                mark.run += 1;
                continue;
            }
            Err(failure) => return Err(no_listing(client, &url, failure)),
        };
        let Page {
            mut entries,
            nameless,
            next,
        } = page;
        shared.nameless.fetch_add(nameless, Ordering::Relaxed);
        mark.next = next.map(|next| next.to_string());
        if let Some(limit) = question.limit {
            let left = limit.saturating_sub(mark.listed) as usize;
            if entries.len() >= left {
                entries.truncate(left);
                mark.next = None;
            }
        }
        let (answer, done) = oneshot::channel();
        send(&inbox, Message::Page(entries, Some(mark.clone()), answer)).await?;
        let new = done.await.map_err(|_| Error::Gone { part: "store" })?;
        mark.listed += new;
        shared.listed.store(mark.listed, Ordering::Relaxed);
        shared.more.notify_one();
    }
    shared.listing_complete.store(true, Ordering::Relaxed);
    shared.more.notify_one();
    Ok(())
}

/// The error for a failed listing; some failures mean that the address is not a Hub.
fn no_listing(client: &Client, url: &Url, failure: RequestFailure) -> Error {
    let not_a_hub = |message: String| Error::NotAHub {
        url: client.settings.endpoint.to_string(),
        message,
    };
    match failure {
        RequestFailure::Ours { status: 200, message }
        | RequestFailure::Transient(Transient::Json(message)) => not_a_hub(message),
        RequestFailure::Ours {
            status: 404 | 405, ..
        }
        | RequestFailure::Permanent(Permanent::Deleted { .. }) => not_a_hub("it has no /api/models".into()),
        failure => client.stop(url, failure),
    }
}

/// Fetches everything in the queue, including what the listing adds meanwhile.
async fn fetch_queue(
    client: &Arc<Client>,
    store: &Arc<Store>,
    writer: &Writer,
    shared: &Arc<Shared>,
) -> Result<(), Error> {
    let places = Arc::new(Semaphore::new(client.settings.concurrency * WAITING));
    let mut under_way: JoinSet<Result<(), Error>> = JoinSet::new();
    let (mut after, mut round) = (0, 0);
    loop {
        // Must be read before the queue: otherwise entries added in between could be missed.
        let complete = shared.listing_complete.load(Ordering::Relaxed);
        let handful = store.view()?.queued(after, HANDFUL)?;
        if handful.is_empty() {
            if !complete {
                let more = shared.more.notified();
                tokio::select! {
                    () = more => {}
                    Some(done) = under_way.join_next() => joined(done)?,
                }
                continue;
            }
            while let Some(done) = under_way.join_next().await {
                joined(done)?;
            }
            writer.flush().await?;
            if store.view()?.queued(after, 1)?.is_empty() {
                round += 1;
                if round >= ROUNDS || again(store, writer).await? == 0 {
                    return Ok(());
                }
            }
            continue;
        }
        for queued in handful {
            after = queued.place;
            let place = Arc::clone(&places)
                .acquire_owned()
                .await
                .map_err(|_| Error::Gone { part: "fetching" })?;
            while let Some(done) = under_way.try_join_next() {
                joined(done)?;
            }
            let (client, shared) = (Arc::clone(client), Arc::clone(shared));
            let inbox = writer.inbox.clone();
            under_way.spawn(async move {
                let outcome = fetch::config(&client, queued).await?;
                drop(place);
                shared.settled.fetch_add(1, Ordering::Relaxed);
                send(&inbox, Message::Done(Box::new(outcome))).await
            });
        }
        if !writer.lives() {
            return Err(Error::Gone { part: "store" });
        }
    }
}

fn joined(done: Result<Result<(), Error>, tokio::task::JoinError>) -> Result<(), Error> {
    done.unwrap_or(Err(Error::Gone { part: "fetching" }))
}

/// Puts temporary failures back into the queue; returns their number.
async fn again(store: &Store, writer: &Writer) -> Result<u64, Error> {
    let mut ids = Vec::new();
    store.view()?.each_state(|id, state| {
        if state.may_pass() {
            ids.push(id.to_owned());
        }
        Ok(())
    })?;
    if ids.is_empty() {
        return Ok(0);
    }
    let (answer, done) = oneshot::channel();
    send(&writer.inbox, Message::Again(ids, answer)).await?;
    done.await.map_err(|_| Error::Gone { part: "store" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_goes_on_only_if_it_is_the_same_and_young() {
        let first = Url::parse("http://h/api/models?sort=createdAt").expect("an address");
        let mark = Mark {
            first: first.to_string(),
            next: Some("http://h/api/models?cursor=x".into()),
            run: 3,
            listed: 1000,
            began: 1_000_000,
        };
        assert!(goes_on(&mark, &first, 1_000_100));
        assert!(!goes_on(&mark, &first, 1_000_000 + GOES_ON));
        assert!(!goes_on(&mark, &first, 999_999), "the clock was set back");
        let other = Url::parse("http://h/api/models?sort=likes").expect("an address");
        assert!(!goes_on(&mark, &other, 1_000_100));
        let complete = Mark { next: None, ..mark };
        assert!(!goes_on(&complete, &first, 1_000_100));
    }
}
