//! Exports the store to files: the sources that `anatomy catalog build` reads, or the configs byte for byte.
//!
//! `hub-listing.jsonl` has the Hub's entry of every checkpoint, one per line; `hub-configs-00000.json` and its siblings
//! have the configs by id: those that are JSON objects, and of invalid ones the first bytes as a string, which the
//! catalog reports as rejects. Files appear complete or not at all.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use redb::ReadableTable;
use serde_json::Value;

use crate::hub::config;
use crate::hub::error::Error;
use crate::hub::files::{beside, write_whole};
use crate::hub::listing::is_id;
use crate::hub::state::Standing;
use crate::hub::store::{CONFIGS, ENTRIES, STATES, Store, View, failed, parse};

/// Maximum number of configs per file, so that a file can be parsed in one go.
const SHARD: usize = 4000;
/// Maximum number of bytes per file.
const SHARD_BYTES: usize = 24 << 20;

/// Counts of what was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Exported {
    /// Number of entries in the listing.
    pub(crate) entries: u64,
    /// Number of configs that are JSON objects.
    pub(crate) configs: u64,
}

/// Writes the sources into `folder`.
///
/// # Errors
/// [`Error::Io`], [`Error::Store`], [`Error::Row`].
pub(crate) fn sources(store: &Store, folder: &Path) -> Result<Exported, Error> {
    fs::create_dir_all(folder).map_err(Error::io("make the folder", folder))?;
    let view = store.view()?;
    let entries = listing(&view, &folder.join("hub-listing.jsonl"))?;
    let (configs, shards) = configs(&view, folder)?;
    remove_old(folder, shards)?;
    Ok(Exported { entries, configs })
}

fn listing(view: &View, path: &Path) -> Result<u64, Error> {
    let mut out = BufWriter::with_capacity(1 << 18, beside(path)?);
    let table = view.0.open_table(ENTRIES).map_err(failed(&view.1))?;
    let mut many = 0;
    for found in table.iter().map_err(failed(&view.1))? {
        let (_, entry) = found.map_err(failed(&view.1))?;
        out.write_all(entry.value()).map_err(Error::io("write", path))?;
        out.write_all(b"\n").map_err(Error::io("write", path))?;
        many += 1;
    }
    let file = out
        .into_inner()
        .map_err(|error| Error::io("write", path)(error.into_error()))?;
    file.persist(path)
        .map_err(|error| Error::io("write", path)(error.error))?;
    Ok(many)
}

/// A file of configs being assembled.
#[derive(Default)]
struct Shard {
    /// Configs by which a reader recognises the file come first, since it only examines the first few entries.
    telling: Vec<String>,
    others: Vec<String>,
    bytes: usize,
}

impl Shard {
    fn add(&mut self, id: &str, config: &Value) {
        let told = ["architectures", "hidden_size", "n_embd", "d_model"]
            .iter()
            .any(|field| config.get(field).is_some_and(|value| !value.is_null()));
        let line = format!("{}: {config}", Value::from(id));
        self.bytes += line.len();
        if told { &mut self.telling } else { &mut self.others }.push(line);
    }

    fn len(&self) -> usize {
        self.telling.len() + self.others.len()
    }

    fn write(self, path: &Path) -> Result<(), Error> {
        let lines: Vec<String> = self.telling.into_iter().chain(self.others).collect();
        write_whole(path, format!("{{\n{}\n}}\n", lines.join(",\n")).as_bytes())
    }
}

fn shard_name(number: usize) -> String {
    format!("hub-configs-{number:05}.json")
}

/// Writes the configs; returns their number and the number of files.
fn configs(view: &View, folder: &Path) -> Result<(u64, usize), Error> {
    let (mut many, mut shards, mut shard) = (0, 0, Shard::default());
    each_config(view, |id, standing, bytes| {
        let config = match standing {
            Standing::Stored => config::read(bytes).ok(),
            // As a string, so that the catalog has a row that reports the reject.
            Standing::Broken => {
                let start = &bytes[..bytes.len().min(800)];
                Some(Value::from(String::from_utf8_lossy(start)))
            }
            _ => None,
        };
        let Some(config) = config else { return Ok(()) };
        shard.add(id, &config);
        many += u64::from(config.is_object());
        if shard.len() >= SHARD || shard.bytes >= SHARD_BYTES {
            std::mem::take(&mut shard).write(&folder.join(shard_name(shards)))?;
            shards += 1;
        }
        Ok(())
    })?;
    if shard.len() > 0 {
        shard.write(&folder.join(shard_name(shards)))?;
        shards += 1;
    }
    Ok((many, shards))
}

fn each_config(
    view: &View,
    mut look: impl FnMut(&str, Standing, &[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let configs = view.0.open_table(CONFIGS).map_err(failed(&view.1))?;
    let states = view.0.open_table(STATES).map_err(failed(&view.1))?;
    for found in configs.iter().map_err(failed(&view.1))? {
        let (id, bytes) = found.map_err(failed(&view.1))?;
        let state = states.get(id.value()).map_err(failed(&view.1))?;
        let Some(state) = state else { continue };
        let state: crate::hub::state::State = parse(&view.1, id.value(), state.value())?;
        look(id.value(), state.standing, bytes.value())?;
    }
    Ok(())
}

/// Removes the surplus files of an earlier, larger export.
fn remove_old(folder: &Path, shards: usize) -> Result<(), Error> {
    let names = fs::read_dir(folder).map_err(Error::io("read the folder", folder))?;
    for entry in names {
        let path = entry.map_err(Error::io("read the folder", folder))?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let number = name
            .strip_prefix("hub-configs-")
            .and_then(|rest| rest.strip_suffix(".json"))
            .and_then(|number| number.parse::<usize>().ok());
        if number.is_some_and(|number| number >= shards) {
            fs::remove_file(&path).map_err(Error::io("remove", &path))?;
        }
    }
    Ok(())
}

/// Writes every config, valid or not, byte for byte to `folder/org/name/config.json`; returns their number.
///
/// # Errors
/// [`Error::Io`], [`Error::Store`], [`Error::Row`].
pub(crate) fn verbatim(store: &Store, folder: &Path) -> Result<u64, Error> {
    let mut many = 0;
    each_config(&store.view()?, |id, standing, bytes| {
        if matches!(standing, Standing::Stored | Standing::Broken) && is_id(id) {
            write_whole(
                &id.split('/')
                    .fold(PathBuf::from(folder), |path, part| path.join(part))
                    .join("config.json"),
                bytes,
            )?;
            many += 1;
        }
        Ok(())
    })?;
    Ok(many)
}
