//! The commands, one file each: parse arguments, compute, print results.

pub(crate) mod asked;
pub(crate) mod catalog;
pub(crate) mod claims;
pub(crate) mod cluster;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod design;
pub(crate) mod device;
pub(crate) mod findings;
pub(crate) mod hub;
pub(crate) mod import;
pub(crate) mod man;
pub(crate) mod mcp;
pub(crate) mod predict;
pub(crate) mod probe;
pub(crate) mod query;
pub(crate) mod recommend;
pub(crate) mod report;
pub(crate) mod scaling;
pub(crate) mod serve;
pub(crate) mod study;
mod study_rows;
mod verify;

use std::path::Path;

use anyhow::{Context, Result};

/// The catalog in a folder, or the compiled-in one.
fn open_catalog(folder: Option<&Path>) -> Result<::catalog::Catalog> {
    match folder {
        Some(folder) => ::catalog::Catalog::open(folder)
            .with_context(|| format!("cannot read the catalog {}", folder.display())),
        None => ::catalog::Catalog::snapshot().context("cannot read the compiled-in catalog"),
    }
}

/// The identity (SHA-256) of the catalog in a folder, or of the compiled-in one.
fn catalog_hash(folder: Option<&Path>) -> Result<String> {
    match folder {
        Some(folder) => Ok(open_catalog(Some(folder))?.manifest.catalog_sha256),
        None => Ok(::catalog::catalog::snapshot_identity()?),
    }
}
