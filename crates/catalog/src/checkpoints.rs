//! Makes the rows of table `checkpoints`: all that is known of a checkpoint apart from structure and scores, and its
//! labels.

use std::collections::BTreeSet;

use crate::gather::Gathered;
use crate::known::Known;
use crate::labels::labels;
use crate::observed::organisation;
use crate::resolve::lineage::declared;
use crate::tables::Checkpoint;
use crate::training::Trainings;

/// Greatest number of bases that are followed in search of a flagged ancestor.
const LONGEST: usize = 32;

/// The row of the checkpoint with index `at`.
pub(crate) fn checkpoint(gathered: &Gathered, trainings: &Trainings, at: usize) -> Checkpoint {
    let known = &gathered.known[at];
    let [is_moe, is_multimodal, merged, quantized, adapter] =
        labels(gathered, known).map(|label| label.value);
    let label = trainings.label(gathered, at as u32);
    let flagged_by = if known.flagged == Some(true) {
        None
    } else {
        flagged_ancestor(gathered, known)
    };
    Checkpoint {
        id: known.id.to_string(),
        revision: text(known.revision.as_deref()),
        organisation: organisation(&known.id).map(str::to_owned),
        architecture: text(known.architecture.as_deref()),
        model_type: text(known.details.model_type.as_deref()),
        created_at: known.details.created_at,
        last_modified: known.details.last_modified,
        likes: known.likes,
        downloads: known.downloads,
        license: text(known.license.as_deref()),
        is_moe,
        is_multimodal,
        has_chat_template: known.has_chat_template,
        merged,
        quantized,
        adapter,
        flagged: if flagged_by.is_some() {
            Some(true)
        } else {
            known.flagged
        },
        flagged_by,
        base: known.base.as_deref().and_then(declared).map(str::to_owned),
        base_relation: relation(known, quantized, merged),
        parameters_total: known.details.parameters_total,
        parameters_active: known.details.parameters_active,
        training_tokens: known.details.training_tokens,
        training_tokens_by: stated_by(gathered, known.details.tokens_by.as_ref()),
        training_flop: known.details.training_flop,
        training_flop_by: stated_by(gathered, known.details.flop_by.as_ref()),
        released: known.details.released.map(|(day, _)| day),
        released_by: known
            .details
            .released
            .map(|(_, place)| gathered.source(place.source)),
        training: label.value,
        training_by: label.by,
    }
}

/// A source's path, followed by the confidence it states, if any: `epoch/models.csv (Confident)`.
fn stated_by(gathered: &Gathered, by: Option<&(u16, Option<std::sync::Arc<str>>)>) -> Option<String> {
    let (source, sure) = by?;
    let path = gathered.source(*source);
    Some(match sure {
        Some(sure) => format!("{path} ({sure})"),
        None => path,
    })
}

fn text(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

/// How a checkpoint was made from its base: as declared, else as its name and the leaderboards suggest.
fn relation(known: &Known, quantized: Option<bool>, merged: Option<bool>) -> Option<String> {
    let declared = known.base_relation.as_deref();
    if let Some(told @ ("finetune" | "merge" | "quantized" | "adapter")) = declared {
        return Some(told.to_owned());
    }
    known.base.as_ref()?;
    Some(
        if known.adapter {
            "adapter"
        } else if quantized == Some(true) {
            "quantized"
        } else if merged == Some(true) {
            "merge"
        } else {
            declared.unwrap_or("declared")
        }
        .to_owned(),
    )
}

/// The nearest ancestor that a leaderboard flagged; `None` if there is none.
fn flagged_ancestor(gathered: &Gathered, known: &Known) -> Option<String> {
    let mut seen = BTreeSet::from([&*known.id]);
    let mut current = known;
    for _ in 0..LONGEST {
        let base = declared(current.base.as_deref()?)?;
        if !seen.insert(base) {
            return None;
        }
        current = &gathered.known[gathered.find(base)? as usize];
        if current.flagged == Some(true) {
            return Some(current.id.to_string());
        }
    }
    None
}
