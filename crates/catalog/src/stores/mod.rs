//! Where tables stand: folders of this machine, object stores and the Hub, told apart by how a path begins.
//!
//! ```text
//! s3://BUCKET/PATH     AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL …
//! gs://BUCKET/PATH     GOOGLE_APPLICATION_CREDENTIALS, GOOGLE_SERVICE_ACCOUNT_KEY …
//! az://CONTAINER/PATH  AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ACCOUNT_KEY, AZURE_STORAGE_SAS_TOKEN …
//! hf://datasets/OWNER/NAME[@REVISION]/PATH   HF_TOKEN, HF_ENDPOINT …; read only
//! file:///PATH, PATH
//! ```
//!
//! The functions here read, list and write whole objects and wait for it; [`Registry`] gives the same stores to the engine,
//! which reads parts. What a store says is shown without credentials ([`hide`]).

pub(crate) mod csv;
mod hub;
mod open;
mod patient;
mod registry;
mod secret;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path as Key;
use object_store::{GetOptions, GetRange, MultipartUpload, ObjectStore, ObjectStoreExt};
use tempfile::NamedTempFile;

use crate::error::Error;
use open::environment;
pub(crate) use registry::COMPILED_IN;
pub use registry::{Registry, with_files};
pub use secret::hide;

/// Bytes of one part of an upload, and below which an object is put at once.
const PART: usize = 8 << 20;
/// Parts under way at a time.
const PARTS: usize = 4;
/// Times an upload is made before it is given up.
const UPLOADS: u32 = 4;

/// An object, or a prefix of objects, in a store.
#[derive(Debug, Clone)]
struct Remote {
    store: Arc<dyn ObjectStore>,
    key: Key,
    /// As errors name it.
    place: PathBuf,
}

enum Place {
    Local(PathBuf),
    Remote(Remote),
}

/// Whether the path names a place that is no folder or file of this machine.
pub fn is_remote(path: &Path) -> bool {
    let text = path.to_string_lossy();
    text.contains("://") && !text.starts_with("file://")
}

/// The path of a `file://` address, and any other path as it is.
///
/// # Errors
/// [`Error::Address`] for a `file://` address of another machine.
pub fn local(path: &Path) -> Result<PathBuf, Error> {
    let text = path.to_string_lossy();
    if !text.starts_with("file://") {
        return Ok(path.to_owned());
    }
    let url = open::address(&text)?;
    url.to_file_path().map_err(|()| Error::Address {
        text: text.into_owned(),
        message: "it names another machine".to_owned(),
    })
}

/// A file's bytes.
///
/// # Errors
/// [`Error::Io`] for a file, [`Error::Store`] for an object, [`Error::Address`] for an address of no known kind.
pub fn read(path: &Path) -> Result<Bytes, Error> {
    match of(path)? {
        Place::Local(path) => fs::read(&path).map(Bytes::from).map_err(Error::io(&path)),
        Place::Remote(remote) => run(remote.bytes(None)).map_err(|error| remote.failed(&error)),
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
        Place::Remote(remote) => {
            let range = Some(GetRange::Bounded(0..length));
            run(remote.bytes(range)).map_err(|error| remote.failed(&error))
        }
    }
}

/// A file to read from: the file itself, or a copy of an object that is deleted when this goes.
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

/// The file at `path`, copied to this machine where it stands elsewhere.
pub(crate) fn fetch(path: &Path) -> Result<Fetched, Error> {
    let remote = match of(path)? {
        Place::Local(path) => return Ok(Fetched { path, _copy: None }),
        Place::Remote(remote) => remote,
    };
    let mut copy = NamedTempFile::new().map_err(Error::io(&std::env::temp_dir()))?;
    let done: Result<(), object_store::Error> = run(async {
        let mut stream = remote.store.get(&remote.key).await?.into_stream();
        while let Some(bytes) = stream.try_next().await? {
            copy.write_all(&bytes)
                .map_err(|source| object_store::Error::Generic {
                    store: "temporary file",
                    source: Box::new(source),
                })?;
        }
        Ok(())
    });
    done.map_err(|error| remote.failed(&error))?;
    Ok(Fetched {
        path: copy.path().to_owned(),
        _copy: Some(copy),
    })
}

/// Whether there is a file of that name.
pub(crate) fn is_file(path: &Path) -> Result<bool, Error> {
    match of(path)? {
        Place::Local(path) => Ok(path.is_file()),
        Place::Remote(remote) => match run(remote.store.head(&remote.key)) {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(remote.failed(&error)),
        },
    }
}

/// The files under a folder, however deep, in order of name. A folder of a store that holds nothing is empty, and none of this
/// machine is an error.
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
        Place::Remote(remote) => {
            let all = run(remote.store.list(Some(&remote.key)).try_collect::<Vec<_>>());
            for meta in all.map_err(|error| remote.failed(&error))? {
                if let Some(parts) = meta.location.prefix_match(&remote.key) {
                    let parts: Vec<String> = parts.map(|part| part.as_ref().to_owned()).collect();
                    found.push(remote.place.join(parts.join("/")));
                }
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Writes a file whole or not at all.
///
/// # Errors
/// As [`read`].
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
        Place::Remote(remote) => put(&remote, &mut || Ok(Box::new(bytes))),
    }
}

/// Copies a file of this machine to `path` of a store, whole or not at all.
pub(crate) fn upload(from: &Path, path: &Path) -> Result<(), Error> {
    match of(path)? {
        Place::Local(path) => fs::copy(from, &path).map(|_| ()).map_err(Error::io(&path)),
        Place::Remote(remote) => put(&remote, &mut || {
            let file = File::open(from).map_err(Error::io(from))?;
            Ok(Box::new(file))
        }),
    }
}

/// Whatever is to be written, from its start.
type Source<'a> = &'a mut dyn FnMut() -> Result<Box<dyn Read + Send + 'a>, Error>;

/// Writes an object; an upload in parts whose last word is lost is made again, for it cannot be asked whether it was heard.
fn put(remote: &Remote, source: Source<'_>) -> Result<(), Error> {
    for _ in 1..UPLOADS {
        let mut may_pass = false;
        let done = put_once(remote, &mut *source()?, &mut may_pass);
        if done.is_ok() || !may_pass {
            return done;
        }
    }
    put_once(remote, &mut *source()?, &mut false)
}

/// An object appears when all of it has arrived: in one request, or with the last of a multipart upload. One that fails is taken
/// back, so that its parts cost nothing.
fn put_once(remote: &Remote, source: &mut (dyn Read + Send), may_pass: &mut bool) -> Result<(), Error> {
    let mut next = || -> Result<Vec<u8>, Error> {
        let mut part = Vec::new();
        (&mut *source)
            .take(PART as u64)
            .read_to_end(&mut part)
            .map_err(Error::io(&remote.place))?;
        Ok(part)
    };
    let mut failed = |error: object_store::Error| {
        *may_pass = patient::may_pass(&error);
        remote.failed(&error)
    };
    let first = next()?;
    if first.len() < PART {
        let done = run(remote.store.put(&remote.key, first.into()));
        return done.map(|_| ()).map_err(failed);
    }
    run(async {
        let mut upload = remote
            .store
            .put_multipart(&remote.key)
            .await
            .map_err(&mut failed)?;
        match parts(upload.as_mut(), first, &mut next, &mut failed).await {
            Ok(()) => upload.complete().await.map(|_| ()).map_err(failed),
            Err(error) => {
                // Parts that cannot be taken back are the store's to clean; they are in no listing.
                upload.abort().await.ok();
                Err(error)
            }
        }
    })
}

/// Sends all parts, some at a time.
async fn parts(
    upload: &mut dyn MultipartUpload,
    first: Vec<u8>,
    next: &mut (dyn FnMut() -> Result<Vec<u8>, Error> + Send),
    failed: &mut (dyn FnMut(object_store::Error) -> Error + Send),
) -> Result<(), Error> {
    let mut part = first;
    while !part.is_empty() {
        let mut under_way = Vec::with_capacity(PARTS);
        while under_way.len() < PARTS && !part.is_empty() {
            under_way.push(upload.put_part(part.into()));
            part = next()?;
        }
        futures::future::try_join_all(under_way)
            .await
            .map_err(&mut *failed)?;
    }
    Ok(())
}

impl Remote {
    async fn bytes(&self, range: Option<GetRange>) -> Result<Bytes, object_store::Error> {
        let options = GetOptions {
            range,
            ..GetOptions::default()
        };
        self.store.get_opts(&self.key, options).await?.bytes().await
    }

    fn failed(&self, error: &object_store::Error) -> Error {
        Error::Store {
            place: self.place.clone(),
            message: hide(&error.to_string()),
        }
    }
}

/// Runs requests to their end, on a runtime of their own that lives as long as the program.
fn run<T>(future: impl Future<Output = T>) -> T {
    static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("the system gives a thread")
    });
    RUNTIME.block_on(future)
}

fn of(path: &Path) -> Result<Place, Error> {
    static STORES: Mutex<BTreeMap<String, Arc<dyn ObjectStore>>> = Mutex::new(BTreeMap::new());
    if !is_remote(path) {
        return local(path).map(Place::Local);
    }
    let text = path.to_string_lossy();
    let url = open::address(&text)?;
    let mut stores = STORES.lock().expect("no thread died here");
    let store = if let Some(store) = stores.get(open::root(&url)) {
        store.clone()
    } else {
        let store = open::open(&url, &environment())?;
        stores.insert(open::root(&url).to_owned(), store.clone());
        store
    };
    Ok(Place::Remote(Remote {
        store,
        key: open::key(&url)?,
        place: path.to_owned(),
    }))
}
