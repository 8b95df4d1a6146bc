//! Cache of complete responses.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::http::{Response, response::Parts};

/// Total size of the cache in bytes; when exceeded, it is cleared.
const ROOM: usize = 64 << 20;
#[derive(Default)]
struct Kept {
    answers: BTreeMap<(bool, String), (Parts, Bytes)>,
    bytes: usize,
}

/// The cache.
#[derive(Default)]
pub(crate) struct Memory {
    kept: Mutex<Kept>,
}

/// Response extension that marks a response as cacheable.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keep;

impl Memory {
    pub(super) fn get(&self, key: &(bool, String)) -> Option<Response<Body>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.answers
            .get(key)
            .map(|(parts, bytes)| Response::from_parts(parts.clone(), Body::from(bytes.clone())))
    }

    pub(super) fn put(&self, key: (bool, String), parts: Parts, bytes: Bytes) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let size = bytes.len() + key.1.len() + 512;
        if kept.bytes + size > ROOM {
            *kept = Kept::default();
        }
        if kept.answers.insert(key, (parts, bytes)).is_none() {
            kept.bytes += size;
        }
    }

    /// Size of the cached responses in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }

    /// Clears the cache, because the data behind responses have changed.
    pub(crate) fn forget(&self) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Kept::default();
    }
}
