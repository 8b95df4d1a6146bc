//! `config.json` of any architecture to one set of dimensions.

mod count;
pub(crate) mod family;
pub(crate) mod fields;
pub mod json;
mod layers;
mod names;
pub(crate) mod read;
pub(crate) mod recipe;

pub use family::family;
pub use read::{Config, read};

#[cfg(test)]
mod tests;
