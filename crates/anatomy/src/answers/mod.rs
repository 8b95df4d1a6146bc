//! Answers as plain structs, which commands print and the dashboard serves.
//!
//! A function here takes a [`Predictor`], which holds the catalog and caches the fits with their accuracy on unseen
//! shapes (each computed when first needed), and returns a serialisable value. Nothing here prints.

pub(crate) mod compare;
pub(crate) mod cost;
pub(crate) mod design;
pub(crate) mod folders;
pub(crate) mod gguf_file;
pub(crate) mod keeping;
pub(crate) mod kept;
pub(crate) mod known;
pub(crate) mod measured;
pub(crate) mod predict;
pub(crate) mod predictor;
pub(crate) mod question;
pub(crate) mod recommend;
pub(crate) mod saved;
pub(crate) mod score;
pub(crate) mod structure;
pub(crate) mod subject;
pub(crate) mod sweep;
pub(crate) mod tables;
pub(crate) mod tasks;

pub(crate) use predictor::Predictor;
