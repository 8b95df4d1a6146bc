//! Reads the `config.json` of any architecture into one set of dimensions, and counts its parameters.

pub(crate) mod attention;
mod blocks;
pub(crate) mod count;
pub(crate) mod decoders;
pub(crate) mod defaults;
pub(crate) mod dimensions;
mod experts;
pub(crate) mod family;
pub(crate) mod fields;
pub mod json;
mod keys;
mod known_keys;
mod lacking;
pub(crate) mod layers;
pub(crate) mod layouts;
pub(crate) mod makeup;
pub(crate) mod matrices;
mod mixing;
mod names;
pub(crate) mod parts;
pub(crate) mod plan;
pub(crate) mod read;
pub(crate) mod recipe;
pub(crate) mod stated;
mod switches;

pub use family::family;
pub(crate) use lacking::lacking;
pub use read::read;
pub use stated::Config;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod understood_tests;
