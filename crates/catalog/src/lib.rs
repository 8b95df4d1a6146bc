//! The data of the study: public sources, cleaned, and resolved into tables of checkpoints, their structures and
//! scores.
//!
//! [`build()`] turns a folder of public files into Parquet tables and a manifest; [`Catalog`] holds them in memory, from a
//! folder or from the snapshot compiled into the program.

pub mod answer;
mod bindings;
pub mod build;
mod calendar;
pub mod catalog;
pub mod check;
mod checkpoints;
pub mod clean;
mod columns;
pub mod config;
pub mod cost;
pub mod credits;
pub mod describe;
mod discover;
mod duplicates;
pub mod error;
pub mod export;
mod gather;
mod hash;
mod identity;
pub mod importing;
mod interventions;
pub mod items;
mod known;
mod labels;
pub mod making;
mod manifest;
mod moments;
mod observed;
mod origins;
pub mod parquet_file;
mod pattern;
pub mod plausible;
#[cfg(feature = "sql")]
pub mod query;
#[cfg(not(feature = "sql"))]
#[path = "query_absent.rs"]
pub mod query;
mod reading;
mod refute;
mod resolve;
mod rule;
pub mod schema;
mod snapshot;
mod sources;
pub mod stores;
pub mod tables;
mod training;
mod types;
mod upon;
mod words;
mod writing;

pub use build::{Progress, build, build_from};
pub use calendar::{day as day_of_text, text as day_text};
pub use catalog::Catalog;
pub use check::{CheckReport, check};
pub use discover::Root;
pub use error::{Error, NotNumbers};
pub use export::{export, export_records, import};
pub use hash::{hex, sha256};
pub use upon::build_upon;
