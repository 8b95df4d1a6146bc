//! A structure in the form in which answers show it.

use catalog::day_text;
use catalog::tables::{Checkpoint, Structure, Training};
use serde::Serialize;

/// A structure as answers show it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct StructureOf {
    pub(crate) family: Option<String>,
    pub(crate) layers: Option<i64>,
    pub(crate) d_model: Option<i64>,
    pub(crate) d_ffn: Option<i64>,
    pub(crate) heads: Option<i64>,
    pub(crate) kv_heads: Option<i64>,
    pub(crate) vocab_size: Option<i64>,
    pub(crate) pos: Option<i64>,
    /// Billions of parameters.
    pub(crate) size: Option<f64>,
    /// Date of publication, `2024-05-31`.
    pub(crate) date: Option<String>,
    /// Whether the date is unknown, so that the latest known date is used instead.
    pub(crate) date_assumed: bool,
    /// How it was trained: `pretrained`, `continued`, `fine-tuned`, `chat`, `merge`, `surgery`, `quantized`, `adapter`.
    pub(crate) training: Option<String>,
    pub(crate) pretrained: Option<bool>,
    pub(crate) merged: Option<bool>,
    /// How the structure was resolved: `exact`, `lineage`, `name`, `size`; `given` where the user gave it.
    pub(crate) resolved_by: String,
    pub(crate) source: Option<String>,
}

/// The structure of a checkpoint in the catalog.
pub(crate) fn structure_of(structure: &Structure, checkpoint: Option<&Checkpoint>) -> StructureOf {
    StructureOf {
        family: checkpoint.and_then(|c| c.model_type.clone().or_else(|| c.architecture.clone())),
        layers: structure.layers,
        d_model: structure.d_model,
        d_ffn: structure.d_ffn,
        heads: structure.heads,
        kv_heads: structure.kv_heads,
        vocab_size: structure.vocab_size,
        pos: structure.pos,
        size: structure.size,
        date: structure.date.map(day_text),
        date_assumed: false,
        training: checkpoint
            .and_then(|c| c.training)
            .map(|label| label.as_str().to_owned()),
        pretrained: checkpoint.and_then(|c| c.training).map(Training::is_pretrained),
        merged: checkpoint.and_then(|c| c.merged),
        resolved_by: structure.resolved_by.as_str().into(),
        source: structure.source.clone(),
    }
}
