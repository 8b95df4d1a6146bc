//! The one place that changes the store while a crawl runs: a thread that takes what comes, many at a time, into one
//! transaction each.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use redb::{ReadableTable, Table};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use crate::hub::error::Error;
use crate::hub::listing::Entry;
use crate::hub::state::{Counts, Standing, State};
use crate::hub::store::{CONFIGS, Change, ENTRIES, FILES, QUEUE, Queued, STATES, Store, failed, parse, row};

/// A transaction takes what comes within this time …
const GATHER: Duration = Duration::from_millis(150);
/// … or up to so many bytes.
const BATCH_BYTES: usize = 8 << 20;

/// How far the listing came: one value of `meta`, written with the page it speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// Address of the first page: what was asked.
    pub(crate) first: String,
    /// Address of the next page; `None` when the listing is complete.
    pub(crate) next: Option<String>,
    /// Number of the run.
    pub(crate) run: u64,
    /// Checkpoints listed by this run.
    pub(crate) listed: u64,
    /// When it began, in seconds since 1970: only tells whether to go on or to begin anew.
    pub(crate) began: u64,
}

/// Name of the mark in `meta`.
pub(crate) const MARK: &str = "listing";

/// What became of one fetch.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Of what.
    pub(crate) queued: Queued,
    /// Where it stands now.
    pub(crate) standing: Standing,
    /// One word for why.
    pub(crate) reason: Option<String>,
    /// The same in the Hub's words.
    pub(crate) message: Option<String>,
    /// The config and its hash.
    pub(crate) config: Option<(Vec<u8>, Option<String>)>,
    /// The commit that answered, where it said so.
    pub(crate) commit: Option<String>,
}

/// What the writer is told.
pub(crate) enum Message {
    /// Checkpoints were listed, as a page of a listing or (without a mark) by name; answers how many of them this run had not
    /// listed before.
    Page(Vec<Entry>, Option<Mark>, oneshot::Sender<u64>),
    /// A fetch ended.
    Done(Box<Outcome>),
    /// A file of a dataset was written.
    File(String, Vec<u8>),
    /// Failures that may pass go back into the queue; answers how many.
    Again(Vec<String>, oneshot::Sender<u64>),
    /// Everything told before is on disk when this is answered.
    Flush(oneshot::Sender<()>),
}

/// The writer does not answer any more.
const GONE: Error = Error::Gone { part: "store" };

/// The running writer.
pub(crate) struct Writer {
    /// Where to tell it.
    pub(crate) inbox: mpsc::Sender<Message>,
    counts: Arc<Mutex<Counts>>,
    thread: JoinHandle<Result<(), Error>>,
}

impl Writer {
    /// Starts it.
    ///
    /// # Errors
    /// [`Error::Store`] where the counts cannot be taken.
    pub(crate) fn start(store: Arc<Store>, with_token: bool) -> Result<Self, Error> {
        let counts = Arc::new(Mutex::new(store.view()?.counts()?));
        let (inbox, outbox) = mpsc::channel(512);
        let shared = Arc::clone(&counts);
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || write_all(&store, outbox, with_token, &shared))
            .map_err(Error::io("start a thread for", Path::new("the store")))?;
        Ok(Self {
            inbox,
            counts,
            thread,
        })
    }

    /// Counts as of the last transaction.
    pub(crate) fn counts(&self) -> Counts {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it still takes messages.
    pub(crate) fn lives(&self) -> bool {
        !self.inbox.is_closed()
    }

    /// Tells it of one checkpoint asked for by name, and waits until that is on disk.
    ///
    /// # Errors
    /// [`Error::Gone`] where it stopped.
    pub(crate) async fn named(&self, entry: Entry) -> Result<(), Error> {
        let (answer, done) = oneshot::channel();
        self.tell(Message::Page(vec![entry], None, answer)).await?;
        done.await.map(drop).map_err(|_| GONE)
    }

    /// Tells it what became of one fetch, and waits until that is on disk.
    ///
    /// # Errors
    /// [`Error::Gone`] where it stopped.
    pub(crate) async fn done(&self, outcome: Outcome) -> Result<(), Error> {
        self.tell(Message::Done(Box::new(outcome))).await?;
        self.flush().await
    }

    /// Waits until everything told so far is on disk.
    ///
    /// # Errors
    /// [`Error::Gone`] where it stopped; its own error says why.
    pub(crate) async fn flush(&self) -> Result<(), Error> {
        let (answer, done) = oneshot::channel();
        self.tell(Message::Flush(answer)).await?;
        done.await.map_err(|_| GONE)
    }

    /// Tells it something.
    ///
    /// # Errors
    /// [`Error::Gone`] where it stopped.
    pub(crate) async fn tell(&self, message: Message) -> Result<(), Error> {
        self.inbox.send(message).await.map_err(|_| GONE)
    }

    /// Lets it finish what it was told. All other senders must be gone.
    ///
    /// # Errors
    /// What stopped it.
    pub(crate) fn finish(self) -> Result<(), Error> {
        drop(self.inbox);
        self.thread.join().unwrap_or(Err(Error::Gone {
            part: "store's thread",
        }))
    }
}

fn write_all(
    store: &Store,
    mut outbox: mpsc::Receiver<Message>,
    with_token: bool,
    shared: &Mutex<Counts>,
) -> Result<(), Error> {
    while let Some(first) = outbox.blocking_recv() {
        let (began, mut bytes) = (Instant::now(), 0);
        let mut batch = vec![first];
        loop {
            let urgent = match batch.last() {
                Some(Message::Done(outcome)) => {
                    bytes += outcome.config.as_ref().map_or(64, |(config, _)| config.len());
                    false
                }
                Some(Message::File(..)) | None => false,
                Some(Message::Page(..) | Message::Again(..) | Message::Flush(_)) => true,
            };
            if urgent || bytes >= BATCH_BYTES || began.elapsed() >= GATHER {
                break;
            }
            match outbox.try_recv() {
                Ok(next) => batch.push(next),
                Err(mpsc::error::TryRecvError::Disconnected) => break,
                Err(mpsc::error::TryRecvError::Empty) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
        let mut counts = *shared.lock().unwrap_or_else(PoisonError::into_inner);
        let mut answers = Vec::new();
        store.write(|change| {
            let mut tables = Tables::open(change)?;
            for message in batch {
                tables.take(message, with_token, &mut counts, &mut answers)?;
            }
            Ok(())
        })?;
        *shared.lock().unwrap_or_else(PoisonError::into_inner) = counts;
        for answer in answers {
            answer();
        }
    }
    Ok(())
}

/// The tables of one transaction.
struct Tables<'t> {
    change: &'t Change<'t>,
    path: &'t Path,
    entries: Table<'t, &'static str, &'static [u8]>,
    states: Table<'t, &'static str, &'static [u8]>,
    configs: Table<'t, &'static str, &'static [u8]>,
    files: Table<'t, &'static str, &'static [u8]>,
    queue: Table<'t, u64, &'static str>,
    place: u64,
}

impl<'t> Tables<'t> {
    fn open(change: &'t Change<'t>) -> Result<Self, Error> {
        let path = change.1;
        let open = |definition| change.0.open_table(definition).map_err(failed(path));
        let queue = change.0.open_table(QUEUE).map_err(failed(path))?;
        let last = queue
            .last()
            .map_err(failed(path))?
            .map(|(place, _)| place.value());
        // The queue's end moves back when its last is done; a place must not be given twice.
        let given: u64 = change
            .meta("places")?
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        Ok(Self {
            change,
            path,
            entries: open(ENTRIES)?,
            states: open(STATES)?,
            configs: open(CONFIGS)?,
            files: open(FILES)?,
            place: last.unwrap_or(0).max(given),
            queue,
        })
    }

    fn take(
        &mut self,
        message: Message,
        with_token: bool,
        counts: &mut Counts,
        answers: &mut Vec<Box<dyn FnOnce()>>,
    ) -> Result<(), Error> {
        match message {
            Message::Page(entries, mut mark, answer) => {
                let (mut new, run) = (0, mark.as_ref().map(|mark| mark.run));
                for entry in entries {
                    new += u64::from(self.list(&entry, run, with_token, counts)?);
                }
                if let Some(mark) = &mut mark {
                    mark.listed += new;
                    let mark = row(self.path, MARK, &mark)?;
                    self.change.set_meta(MARK, &String::from_utf8_lossy(&mark))?;
                }
                self.change.set_meta("places", &self.place.to_string())?;
                answers.push(Box::new(move || {
                    let _ = answer.send(new);
                }));
            }
            Message::Done(outcome) => self.settle(*outcome, with_token, counts)?,
            Message::File(path, file) => {
                self.files
                    .insert(path.as_str(), file.as_slice())
                    .map_err(failed(self.path))?;
            }
            Message::Again(ids, answer) => {
                let many = ids.len() as u64;
                for id in ids {
                    self.again(&id, counts)?;
                }
                self.change.set_meta("places", &self.place.to_string())?;
                answers.push(Box::new(move || {
                    let _ = answer.send(many);
                }));
            }
            Message::Flush(answer) => answers.push(Box::new(move || {
                let _ = answer.send(());
            })),
        }
        Ok(())
    }

    fn state(&self, id: &str) -> Result<Option<State>, Error> {
        let state = self.states.get(id).map_err(failed(self.path))?;
        state.map(|state| parse(self.path, id, state.value())).transpose()
    }

    fn put(&mut self, id: &str, state: &State) -> Result<(), Error> {
        let bytes = row(self.path, id, state)?;
        self.states
            .insert(id, bytes.as_slice())
            .map_err(failed(self.path))?;
        Ok(())
    }

    /// A checkpoint was listed; whether this run lists it for the first time.
    fn list(
        &mut self,
        entry: &Entry,
        run: Option<u64>,
        with_token: bool,
        counts: &mut Counts,
    ) -> Result<bool, Error> {
        let old = self.state(&entry.id)?;
        let run = run.or(old.as_ref().map(|old| old.run)).unwrap_or(0);
        let first = old.as_ref().is_none_or(|old| old.run != run);
        let (sha, modified) = (entry.sha.as_deref(), entry.modified.as_deref());
        let settled = old.as_ref().filter(|old| old.settles(sha, modified, with_token));
        // Shifted pages bring the same entry again.
        if !first && (settled.is_some() || old.as_ref().is_some_and(|old| old.sha == entry.sha)) {
            return Ok(false);
        }
        self.entries
            .insert(entry.id.as_str(), entry.json.as_slice())
            .map_err(failed(self.path))?;
        let mut state = match settled {
            Some(settled) => settled.clone(),
            None => State {
                standing: Standing::InFlight,
                place: self.kept_place(old.as_ref(), entry)?,
                reason: None,
                message: None,
                tag: old.as_ref().and_then(|old| old.tag.clone()),
                commit: old.as_ref().and_then(|old| old.commit.clone()),
                with_token,
                sha: None,
                modified: None,
                run,
            },
        };
        state.run = run;
        state.sha.clone_from(&entry.sha);
        state.modified.clone_from(&entry.modified);
        if state.standing == Standing::InFlight && state.place == 0 {
            self.place += 1;
            state.place = self.place;
            self.queue
                .insert(state.place, entry.id.as_str())
                .map_err(failed(self.path))?;
        }
        counts.moved(old.map(|old| old.standing), state.standing);
        self.put(&entry.id, &state)?;
        Ok(first)
    }

    fn again(&mut self, id: &str, counts: &mut Counts) -> Result<(), Error> {
        let Some(mut state) = self.state(id)?.filter(State::may_pass) else {
            return Ok(());
        };
        counts.moved(Some(state.standing), Standing::InFlight);
        self.place += 1;
        self.queue.insert(self.place, id).map_err(failed(self.path))?;
        state.standing = Standing::InFlight;
        state.place = self.place;
        self.put(id, &state)
    }

    /// The place in the queue that a checkpoint has already for the same commit, else 0. A place for another commit is
    /// given up, so that what comes back for it is told from what is wanted.
    fn kept_place(&mut self, old: Option<&State>, entry: &Entry) -> Result<u64, Error> {
        match old {
            Some(old) if old.place > 0 && old.sha == entry.sha => Ok(old.place),
            Some(old) if old.place > 0 => {
                self.queue.remove(old.place).map_err(failed(self.path))?;
                Ok(0)
            }
            _ => Ok(0),
        }
    }

    /// A fetch ended.
    fn settle(&mut self, outcome: Outcome, with_token: bool, counts: &mut Counts) -> Result<(), Error> {
        let id = outcome.queued.id.as_str();
        let Some(old) = self.state(id)? else {
            return Ok(());
        };
        // Listed with another commit meanwhile: what came is of the one before.
        if old.place != outcome.queued.place {
            return Ok(());
        }
        self.queue.remove(old.place).map_err(failed(self.path))?;
        let mut tag = None;
        match outcome.config {
            Some((config, of)) => {
                self.configs
                    .insert(id, config.as_slice())
                    .map_err(failed(self.path))?;
                tag = of;
            }
            // The config of an older commit is not that of this one.
            None if outcome.standing == Standing::WithoutConfig => {
                self.configs.remove(id).map_err(failed(self.path))?;
            }
            None => {}
        }
        counts.moved(Some(old.standing), outcome.standing);
        let state = State {
            standing: outcome.standing,
            reason: outcome.reason,
            message: outcome.message,
            commit: outcome.commit,
            tag,
            with_token,
            place: 0,
            ..old
        };
        self.put(id, &state)
    }
}
