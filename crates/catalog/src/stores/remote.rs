//! An object, or a prefix of objects, in a store; it is read, listed and written by blocking requests.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path as Key;
use object_store::{GetOptions, GetRange, MultipartUpload, ObjectStore, ObjectStoreExt};

use super::client::environment;
use super::open;
use super::{Source, hide, patient};
use crate::error::Error;

/// Size in bytes of a part of a multipart upload; smaller objects are written in a single request.
const PART: usize = 8 << 20;
/// Number of parts uploaded concurrently.
const PARTS: usize = 4;
/// Number of attempts at an upload.
const UPLOADS: u32 = 4;

/// An object or prefix; see the module documentation.
#[derive(Debug, Clone)]
pub(super) struct Remote {
    store: Arc<dyn ObjectStore>,
    key: Key,
    /// Its address, for errors.
    place: PathBuf,
}

impl Remote {
    /// The object or prefix with this address.
    pub(super) fn of(path: &Path) -> Result<Self, Error> {
        static STORES: Mutex<BTreeMap<String, Arc<dyn ObjectStore>>> = Mutex::new(BTreeMap::new());
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
        Ok(Self {
            store,
            key: open::key(&url)?,
            place: path.to_owned(),
        })
    }

    /// The bytes of the object, or the first `length` of them.
    pub(super) fn read(&self, length: Option<u64>) -> Result<Bytes, Error> {
        let range = length.map(|length| GetRange::Bounded(0..length));
        run(self.bytes(range)).map_err(|error| self.failed(&error))
    }

    /// Writes the bytes of the object to `sink` as they arrive.
    pub(super) fn copy(&self, sink: &mut (dyn Write + Send)) -> Result<(), Error> {
        let done: Result<(), object_store::Error> = run(async {
            let mut stream = self.store.get(&self.key).await?.into_stream();
            while let Some(bytes) = stream.try_next().await? {
                sink.write_all(&bytes)
                    .map_err(|source| object_store::Error::Generic {
                        store: "temporary file",
                        source: Box::new(source),
                    })?;
            }
            Ok(())
        });
        done.map_err(|error| self.failed(&error))
    }

    /// Whether the object exists.
    pub(super) fn exists(&self) -> Result<bool, Error> {
        match run(self.store.head(&self.key)) {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// The objects under the prefix.
    pub(super) fn list(&self) -> Result<Vec<PathBuf>, Error> {
        let all = run(self.store.list(Some(&self.key)).try_collect::<Vec<_>>());
        let mut found = Vec::new();
        for meta in all.map_err(|error| self.failed(&error))? {
            if let Some(parts) = meta.location.prefix_match(&self.key) {
                let parts: Vec<String> = parts.map(|part| part.as_ref().to_owned()).collect();
                found.push(self.place.join(parts.join("/")));
            }
        }
        Ok(found)
    }

    /// Writes the object atomically.
    pub(super) fn write(&self, source: Source<'_>) -> Result<(), Error> {
        put(self, source)
    }
}

/// Writes an object. A multipart upload whose final response is lost is repeated, since there is no way to find out
/// whether it succeeded.
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

/// One attempt to write an object, which appears only when complete: in one request, or with the last request of a
/// multipart upload. A failed upload is aborted, so that its parts incur no costs.
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
                // Parts that cannot be removed are left to the store to clean up; they do not show up in listings.
                upload.abort().await.ok();
                Err(error)
            }
        }
    })
}

/// Uploads all parts, several at a time.
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

/// Runs requests to completion, on a dedicated runtime that lives as long as the program.
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
