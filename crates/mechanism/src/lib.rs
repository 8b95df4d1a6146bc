//! What the network does: decoders that are run layer by layer, and the measurements made on them.
//!
//! A [`Checkpoint`] is a configuration, a tokenizer and weights on disk. [`run`] passes all texts through one layer at
//! a time; each method ([`influence`], [`gradients`], [`prune`], [`ablate`], [`evaluate`], [`tune`]) is one module with
//! one entry function and one result struct.

pub mod ablate;
pub mod checkpoint;
pub mod config;
pub mod corpora;
pub mod decoder;
pub mod error;
pub mod evaluate;
pub mod gguf;
pub mod gradients;
pub mod influence;
mod layout;
mod mapped;
pub mod prune;
pub mod run;
mod segment;
pub mod site;
pub mod spectrum;
pub mod tokenizer;
pub mod tune;
pub mod weights;
mod wide;

pub use checkpoint::Checkpoint;
pub use config::DecoderConfig;
pub use error::{Error, Result};
