//! Applies the writer's messages to the store's tables.

use std::path::Path;

use redb::{ReadableTable, Table};

use crate::hub::error::Error;
use crate::hub::listing::Entry;
use crate::hub::message::{MARK, Message, Outcome};
use crate::hub::state::{Counts, Standing, State};
use crate::hub::store::{CONFIGS, Change, ENTRIES, FILES, QUEUE, STATES, failed, parse, row};

/// The open tables of one transaction.
pub(crate) struct Tables<'t> {
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
    /// Opens the tables.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn open(change: &'t Change<'t>) -> Result<Self, Error> {
        let path = change.1;
        let open = |definition| change.0.open_table(definition).map_err(failed(path));
        let queue = change.0.open_table(QUEUE).map_err(failed(path))?;
        let last = queue
            .last()
            .map_err(failed(path))?
            .map(|(place, _)| place.value());
        // The queue's last position decreases when its last entry is removed, but a position must not be used twice.
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

    /// Applies a message. Replies are appended to `answers`, to be sent once the transaction is on disk.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Row`].
    pub(crate) fn take(
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

    /// Records a listed checkpoint; returns whether this run lists it for the first time.
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
        // Shifted pages can contain the same entry again.
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

    /// The checkpoint's queue position for the same commit, else 0. A position for another commit is given up, so that
    /// a late result for that commit can be recognised.
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

    /// Records the outcome of a fetch.
    fn settle(&mut self, outcome: Outcome, with_token: bool, counts: &mut Counts) -> Result<(), Error> {
        let id = outcome.queued.id.as_str();
        let Some(old) = self.state(id)? else {
            return Ok(());
        };
        // The checkpoint was listed with another commit meanwhile: this result is outdated.
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
            // This commit has no config, so the one of an older commit is removed.
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
