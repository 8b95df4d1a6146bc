//! Replaces object stores where they are not built in: any attempt to use one returns an error that says how to build
//! with them.

use std::convert::Infallible;
use std::io::Write;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::Source;
use crate::error::Error;

/// An object in a store; never created in this build.
#[derive(Debug, Clone)]
pub(super) struct Remote(Infallible);

impl Remote {
    pub(super) fn of(path: &Path) -> Result<Self, Error> {
        Err(Error::NotBuiltIn {
            what: format!("reading and writing {}", path.display()),
            feature: "sql",
        })
    }

    pub(super) fn read(&self, _length: Option<u64>) -> Result<Bytes, Error> {
        match self.0 {}
    }

    pub(super) fn copy(&self, _sink: &mut (dyn Write + Send)) -> Result<(), Error> {
        match self.0 {}
    }

    pub(super) fn exists(&self) -> Result<bool, Error> {
        match self.0 {}
    }

    pub(super) fn list(&self) -> Result<Vec<PathBuf>, Error> {
        match self.0 {}
    }

    pub(super) fn write(&self, _source: Source<'_>) -> Result<(), Error> {
        match self.0 {}
    }
}
