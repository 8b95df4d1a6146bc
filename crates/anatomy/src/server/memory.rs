//! Answers kept as bytes.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::http::{Response, response::Parts};

/// Bytes of all answers kept; when they are more, all are forgotten.
const ROOM: usize = 64 << 20;
#[derive(Default)]
struct Kept {
    answers: BTreeMap<(bool, String), (Parts, Bytes)>,
    bytes: usize,
}

/// The answers kept.
#[derive(Default)]
pub(crate) struct Memory {
    kept: Mutex<Kept>,
}

/// Put on an answer that a later request may get too.
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

    /// Bytes kept.
    pub(crate) fn bytes(&self) -> usize {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }

    /// Forgets everything: what answers say has changed.
    pub(crate) fn forget(&self) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Kept::default();
    }
}
