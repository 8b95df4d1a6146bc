//! A store that repeats listings whose responses are cut short.
//!
//! The clients of `object_store` retry requests and resume an interrupted download of an object, but give up on a
//! listing whose response ends early. Here listings are collected whole, so a listing is either complete or an error.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use super::client::retries;

/// The store whose listings are repeated.
#[derive(Debug)]
pub(super) struct Patient(pub(super) Arc<dyn ObjectStore>);

impl fmt::Display for Patient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether a retry may help: not where the store refused, nor where the client has already retried.
pub(super) fn may_pass(error: &Error) -> bool {
    matches!(error, Error::Generic { .. }) && !error.to_string().contains("retries, max_retries")
}

/// Retries until success, or until an error that a retry cannot fix.
async fn again<T, F: Future<Output = Result<T>>>(mut attempt: impl FnMut() -> F) -> Result<T> {
    let limit = retries();
    let mut wait = limit.backoff.init_backoff;
    for _ in 0..limit.max_retries {
        match attempt().await {
            Err(error) if may_pass(&error) => tokio::time::sleep(wait).await,
            done => return done,
        }
        wait = (wait * 2).min(limit.backoff.max_backoff);
    }
    attempt().await
}

#[async_trait]
impl ObjectStore for Patient {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.0.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.0.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.0.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.0.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.0.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (store, prefix) = (self.0.clone(), prefix.cloned());
        futures::stream::once(async move {
            let all: Vec<ObjectMeta> = again(|| store.list(prefix.as_ref()).try_collect()).await?;
            Ok::<_, Error>(futures::stream::iter(all.into_iter().map(Ok)))
        })
        .try_flatten()
        .boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        again(|| self.0.list_with_delimiter(prefix)).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.0.copy_opts(from, to, options).await
    }
}
