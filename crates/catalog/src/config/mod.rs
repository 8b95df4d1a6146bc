//! `config.json` of any architecture to one set of dimensions.

pub(crate) mod count;
pub(crate) mod family;
pub(crate) mod fields;
pub mod json;
pub(crate) mod layers;
mod names;
pub(crate) mod read;
pub(crate) mod recipe;

pub use family::family;
pub use read::{Config, read};

#[cfg(test)]
mod tests;
