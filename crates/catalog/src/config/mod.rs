//! `config.json` of any architecture to one set of dimensions.

pub(crate) mod fields;
pub mod json;
pub(crate) mod read;

pub use read::{Config, read};
