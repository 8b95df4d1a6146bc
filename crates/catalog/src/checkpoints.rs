//! The rows of `checkpoints`: everything known of a checkpoint that is neither structure nor score.

use crate::gather::Gathered;
use crate::sources::organisation;
use crate::tables::Checkpoint;

/// The row of checkpoint number `at`.
pub(crate) fn checkpoint(gathered: &Gathered, at: usize) -> Checkpoint {
    let known = &gathered.known[at];
    Checkpoint {
        id: known.id.clone(),
        revision: known.revision.clone(),
        organisation: organisation(&known.id).map(str::to_owned),
        architecture: known.architecture.clone(),
        model_type: known.model_type.clone(),
        created_at: known.created_at,
        last_modified: known.last_modified,
        likes: known.likes,
        downloads: known.downloads,
        license: known.license.clone(),
        is_moe: known.is_moe,
        is_multimodal: known.is_multimodal,
        has_chat_template: known.has_chat_template,
        merged: known.merged,
        flagged: known.flagged,
        flagged_by: None,
        base: known.base.clone(),
        base_relation: known
            .base_relation
            .clone()
            .or_else(|| known.base.as_ref().map(|_| "declared".to_owned())),
        parameters_total: known.parameters_total,
        parameters_active: known.parameters_active,
    }
}
