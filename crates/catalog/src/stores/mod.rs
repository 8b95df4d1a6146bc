//! Storage of tables: local folders, object stores and the Hub, distinguished by the prefix of a path.
//!
//! ```text
//! s3://BUCKET/PATH     AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL …
//! gs://BUCKET/PATH     GOOGLE_APPLICATION_CREDENTIALS, GOOGLE_SERVICE_ACCOUNT_KEY …
//! az://CONTAINER/PATH  AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ACCOUNT_KEY, AZURE_STORAGE_SAS_TOKEN …
//! hf://datasets/OWNER/NAME[@REVISION]/PATH   HF_TOKEN, HF_ENDPOINT …; read only
//! file:///PATH, PATH
//! ```
//!
//! The functions here read, list and write whole objects and block until done; [`Registry`] gives the SQL engine the
//! same stores, from which it reads ranges. Messages of a store are shown without credentials ([`hide`]).

#[cfg(not(feature = "sql"))]
mod absent;
#[cfg(feature = "sql")]
mod client;
#[cfg(feature = "sql")]
pub(crate) mod csv;
#[cfg(feature = "sql")]
mod hub;
#[cfg(feature = "sql")]
mod open;
#[cfg(feature = "sql")]
mod patient;
#[cfg(feature = "sql")]
mod registry;
#[cfg(feature = "sql")]
mod remote;
#[cfg(feature = "sql")]
mod secret;
#[cfg(all(test, feature = "sql"))]
mod tests;

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tempfile::NamedTempFile;

use crate::error::Error;
#[cfg(not(feature = "sql"))]
use absent::Remote;
#[cfg(feature = "sql")]
pub(crate) use registry::COMPILED_IN;
#[cfg(feature = "sql")]
pub use registry::{Registry, with_files};
#[cfg(feature = "sql")]
use remote::Remote;
#[cfg(feature = "sql")]
pub use secret::hide;

/// Opens what is to be written, from its beginning; called again for every attempt.
type Source<'a> = &'a mut dyn FnMut() -> Result<Box<dyn Read + Send + 'a>, Error>;

enum Place {
    Local(PathBuf),
    Remote(Remote),
}

/// Whether a path is an address rather than a local file or folder.
pub fn is_remote(path: &Path) -> bool {
    let text = path.to_string_lossy();
    text.contains("://") && !text.starts_with("file://")
}

/// The local path of a `file://` address; any other path is returned unchanged.
///
/// # Errors
/// [`Error::Address`] for a `file://` address on another machine.
pub fn local(path: &Path) -> Result<PathBuf, Error> {
    let text = path.to_string_lossy();
    if !text.starts_with("file://") {
        return Ok(path.to_owned());
    }
    let other = |message: &str| Error::Address {
        text: text.clone().into_owned(),
        message: message.to_owned(),
    };
    let rest = &text["file://".len()..];
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') {
        return Err(other("it names another machine"));
    }
    unescaped(path)
        .map(PathBuf::from)
        .ok_or_else(|| other("its % escapes are not UTF-8"))
}

/// A path with its percent-escapes decoded; `None` if the result is not UTF-8.
fn unescaped(path: &str) -> Option<String> {
    let bytes = path.as_bytes();
    let mut found = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = path.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            found.push(byte);
            at += 3;
        } else {
            found.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(found).ok()
}

/// The bytes of a file or object.
///
/// # Errors
/// [`Error::Io`] for a file, [`Error::Store`] for an object, [`Error::Address`] for an address of an unknown kind.
pub fn read(path: &Path) -> Result<Bytes, Error> {
    match of(path)? {
        Place::Local(path) => fs::read(&path).map(Bytes::from).map_err(Error::io(&path)),
        Place::Remote(remote) => remote.read(None),
    }
}

/// The first `length` bytes of a file, or all where there are fewer.
pub(crate) fn start(path: &Path, length: u64) -> Result<Bytes, Error> {
    match of(path)? {
        Place::Local(path) => {
            let mut bytes = Vec::new();
            File::open(&path)
                .and_then(|file| file.take(length).read_to_end(&mut bytes))
                .map_err(Error::io(&path))?;
            Ok(bytes.into())
        }
        Place::Remote(remote) => remote.read(Some(length)),
    }
}

/// A local file to read from: the file itself, or a copy of an object that is deleted when this is dropped.
#[derive(Debug)]
pub(crate) struct Fetched {
    path: PathBuf,
    _copy: Option<NamedTempFile>,
}

impl Fetched {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// The file at `path`, copied to this machine if it is an object in a store.
pub(crate) fn fetch(path: &Path) -> Result<Fetched, Error> {
    let remote = match of(path)? {
        Place::Local(path) => return Ok(Fetched { path, _copy: None }),
        Place::Remote(remote) => remote,
    };
    let mut copy = NamedTempFile::new().map_err(Error::io(&std::env::temp_dir()))?;
    remote.copy(&mut copy)?;
    Ok(Fetched {
        path: copy.path().to_owned(),
        _copy: Some(copy),
    })
}

/// Whether there is a file or object at `path`.
pub(crate) fn is_file(path: &Path) -> Result<bool, Error> {
    match of(path)? {
        Place::Local(path) => Ok(path.is_file()),
        Place::Remote(remote) => remote.exists(),
    }
}

/// The files under a folder at any depth, sorted by name. A folder of a store without objects is empty; a local folder
/// that does not exist is an error.
pub(crate) fn list(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    match of(folder)? {
        Place::Local(folder) => {
            for entry in fs::read_dir(&folder).map_err(Error::io(&folder))? {
                let path = entry.map_err(Error::io(&folder))?.path();
                if path.is_dir() {
                    found.extend(list(&path)?);
                } else {
                    found.push(path);
                }
            }
        }
        Place::Remote(remote) => found.extend(remote.list()?),
    }
    found.sort();
    Ok(found)
}

/// Writes a file or object atomically.
///
/// # Errors
/// As for [`read`].
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    match of(path)? {
        Place::Local(path) => {
            let folder = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty())
                .unwrap_or(Path::new("."));
            fs::create_dir_all(folder).map_err(Error::io(folder))?;
            let mut file = NamedTempFile::new_in(folder).map_err(Error::io(folder))?;
            file.write_all(bytes).map_err(Error::io(&path))?;
            file.as_file().sync_all().map_err(Error::io(&path))?;
            file.persist(&path)
                .map_err(|error| Error::io(&path)(error.error))?;
            Ok(())
        }
        Place::Remote(remote) => remote.write(&mut || Ok(Box::new(bytes))),
    }
}

/// Copies a local file to `path`; to an object store atomically.
pub(crate) fn upload(from: &Path, path: &Path) -> Result<(), Error> {
    match of(path)? {
        Place::Local(path) => fs::copy(from, &path).map(|_| ()).map_err(Error::io(&path)),
        Place::Remote(remote) => remote.write(&mut || {
            let file = File::open(from).map_err(Error::io(from))?;
            Ok(Box::new(file))
        }),
    }
}

fn of(path: &Path) -> Result<Place, Error> {
    if is_remote(path) {
        Remote::of(path).map(Place::Remote)
    } else {
        local(path).map(Place::Local)
    }
}

#[cfg(test)]
mod local_tests {
    use super::*;

    #[test]
    fn addresses_of_files_are_paths() {
        let of = |text: &str| local(Path::new(text)).ok();
        assert_eq!(of("a/b.csv"), Some("a/b.csv".into()));
        assert_eq!(of("file:///a/b%20c%C3%A9.csv"), Some("/a/b cé.csv".into()));
        assert_eq!(of("file://localhost/a"), Some("/a".into()));
        assert_eq!(of("file:///100%"), Some("/100%".into()));
        assert_eq!(of("file://other/a"), None);
        assert_eq!(of("file:///%FF"), None);
    }
}
