//! The catalog's checkpoints as rows for the trends.

use catalog::Catalog;
use study::trends::CheckpointRow;

use super::{Shapes, by_id};

/// One row per checkpoint; an unknown architecture is taken from its base.
pub(crate) fn checkpoints(catalog: &Catalog, shapes: &Shapes<'_>) -> Vec<CheckpointRow> {
    let known = by_id(catalog);
    catalog
        .checkpoints
        .iter()
        .map(|checkpoint| {
            let base = checkpoint.base.as_deref().filter(|base| *base != checkpoint.id);
            let of_base = base
                .and_then(|base| known.get(base))
                .and_then(|base| base.architecture.clone());
            let structure = shapes.columns(&checkpoint.id);
            let day = checkpoint
                .created_at
                .map(|millis| (millis as f64 / 86_400_000.0).floor());
            CheckpointRow {
                id: checkpoint.id.clone(),
                date: day.or(structure.date),
                moe: checkpoint.is_moe,
                multimodal: checkpoint.is_multimodal,
                architecture: checkpoint.architecture.clone().or(of_base),
                derivative: base.is_some(),
                likes: checkpoint.likes.map(|likes| likes as f64),
                size: structure.size,
            }
        })
        .collect()
}
