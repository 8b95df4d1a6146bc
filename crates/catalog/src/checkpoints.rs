//! The rows of `checkpoints`: everything known of a checkpoint that is neither structure nor score, and its labels.

use std::collections::BTreeSet;

use crate::gather::{Gathered, Known};
use crate::resolve::lineage::declared;
use crate::resolve::words::{Stated, sizes, words};
use crate::sources::organisation;
use crate::tables::{Checkpoint, Conflict};

/// Steps of a chain of bases that a flag is followed.
const LONGEST: usize = 32;

/// The row of checkpoint number `at`.
pub(crate) fn checkpoint(gathered: &Gathered, at: usize) -> Checkpoint {
    let known = &gathered.known[at];
    let flagged_by = if known.flagged == Some(true) {
        None
    } else {
        flagged_ancestor(gathered, known)
    };
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
        is_moe: known.is_moe.or_else(|| named_mixture(&known.id)),
        is_multimodal: known.is_multimodal,
        has_chat_template: known.has_chat_template,
        merged: known.merged,
        flagged: if flagged_by.is_some() {
            Some(true)
        } else {
            known.flagged
        },
        flagged_by,
        base: known.base.as_deref().and_then(declared).map(str::to_owned),
        base_relation: relation(known),
        parameters_total: known.parameters_total,
        parameters_active: known.parameters_active,
    }
}

/// How a checkpoint was made from its base: as declared, else by what its name and the leaderboards say.
fn relation(known: &Known) -> Option<String> {
    let declared = known.base_relation.as_deref();
    if let Some(told @ ("finetune" | "merge" | "quantized" | "adapter")) = declared {
        return Some(told.to_owned());
    }
    known.base.as_ref()?;
    let name = known.id.to_ascii_lowercase();
    let says = |marks: &[&str]| marks.iter().any(|mark| name.contains(mark));
    Some(
        if known.adapter {
            "adapter"
        } else if says(&[
            "gptq", "awq", "gguf", "4bit", "8bit", "int4", "int8", "fp8", "nvfp4", "exl2", "-mlx",
        ]) {
            "quantized"
        } else if known.merged == Some(true) {
            "merge"
        } else {
            declared.unwrap_or("declared")
        }
        .to_owned(),
    )
}

/// A mixture by its name: `8x7b`, `moe`.
fn named_mixture(id: &str) -> Option<bool> {
    let stated = sizes(id)
        .iter()
        .any(|stated| matches!(stated, Stated::Mixture(..)));
    (stated || words(id).iter().any(|word| word == "moe")).then_some(true)
}

/// The nearest ancestor that a leaderboard flagged.
fn flagged_ancestor(gathered: &Gathered, known: &Known) -> Option<String> {
    let mut seen = BTreeSet::from([known.id.as_str()]);
    let mut current = known;
    for _ in 0..LONGEST {
        let base = declared(current.base.as_deref()?)?;
        if !seen.insert(base) {
            return None;
        }
        current = gathered.known.get(*gathered.index.get(base)? as usize)?;
        if current.flagged == Some(true) {
            return Some(current.id.clone());
        }
    }
    None
}

/// Labels on which a name and a column disagree.
pub(crate) fn conflicts(gathered: &Gathered) -> impl Iterator<Item = Conflict> + '_ {
    gathered
        .known
        .iter()
        .filter(|known| known.is_moe == Some(false) && named_mixture(&known.id) == Some(true))
        .map(|known| Conflict {
            id: known.id.clone(),
            field: "is_moe".to_owned(),
            kept: "false".to_owned(),
            kept_source: gathered
                .sources
                .get(usize::from(known.moe_source))
                .cloned()
                .unwrap_or_default(),
            other: "true".to_owned(),
            other_source: "name".to_owned(),
            rule: "column_over_name".to_owned(),
        })
}
