//! How a checkpoint was made: one label for the last step that produced its weights, and the evidence for it.
//!
//! A leaderboard's type is a user's own statement: what two leaderboards call pretrained includes merges, chat models,
//! pruned networks and plain copies. So a type of `pretrained` counts only where nothing else contradicts it:
//!
//! | step | says | label |
//! | --- | --- | --- |
//! | 1 | weight type or name | `adapter` |
//! | 2 | config and base, or name | `quantized` |
//! | 3 | a word of the name: `pruned`, `sheared`, `upscaled` … | `surgery` |
//! | 4 | the label `merged`, or a small mixture of whole models by its name | `merge` |
//! | 5 | a leaderboard's type, the one furthest from `pretrained` where they differ, but of an official provider's checkpoint `pretrained` where any says so | `chat`, `fine-tuned` |
//! | 6 | a word of the name: `instruct`, `chat`, `sft` … | `chat`, `fine-tuned` |
//! | 7 | a leaderboard's type | `continued` |
//! | 8 | a base that is not younger and no copy under another name; one that only a name tells must have the same network | as declared, else `continued` |
//! | 9 | an older checkpoint of the same name | the label of that one |
//! | 10 | an older checkpoint, or one of the same day, of another organisation with the same architecture, shape and vocabulary, and nothing that says it was trained from scratch (an official provider, a count of tokens, words as `steps` or `pile`) | none |
//! | 11 | a leaderboard's type, a count of tokens, or the word `base` | `pretrained` |

mod words;

use std::collections::HashMap;

use common::calendar::HUB_FLOOR;

use crate::gather::Gathered;
use crate::known::Known;
use crate::labels::labels;
use crate::observed::organisation;
use crate::resolve::lineage::declared;
use crate::resolve::template::family_of;
use crate::tables::{Conflict, Days, Evaluation, Structure, Training};
use crate::words::{Stated, sizes, words};

use words::{CHAT, SCRATCH, SURGERY, TUNED, UPLOAD};

impl Known {
    /// Records what a leaderboard's row says about the checkpoint's training.
    pub(crate) fn says(&mut self, evaluation: &Evaluation) {
        if let Some(kind) = &evaluation.kind {
            self.types.add(kind);
        }
        self.official |= evaluation.official_provider == Some(true);
    }
}

/// A label and the evidence for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TrainingLabel {
    pub(crate) value: Option<Training>,
    pub(crate) by: Option<String>,
}

impl TrainingLabel {
    fn new(value: Training, by: impl Into<String>) -> Self {
        Self {
            value: Some(value),
            by: Some(by.into()),
        }
    }
}

/// What makes two networks the same: architecture, layers, `d_model`, `d_ffn`, heads, key and value heads,
/// vocabulary.
type Network = (Option<String>, [i64; 4], Option<i64>, Option<i64>);

/// What labels need in addition to the checkpoint itself: the oldest checkpoint with each name and with each network.
#[derive(Debug, Default)]
pub(crate) struct Trainings {
    /// The oldest checkpoint of each name: its day and its index.
    names: HashMap<String, (Days, u32)>,
    /// The oldest checkpoint of each network: its day and its index.
    networks: HashMap<Network, (Days, u32)>,
    of: HashMap<u32, Network>,
}

impl Trainings {
    /// Collects the names of all checkpoints that a leaderboard or a source of structures names.
    pub(crate) fn of(gathered: &Gathered) -> Self {
        let mut names = HashMap::new();
        for (at, known) in (0..).zip(&gathered.known) {
            if let (true, Some(day)) = (known.evaluated || known.structured, day(known)) {
                oldest(&mut names, name(&known.id), gathered, (day, at));
            }
        }
        Self {
            names,
            ..Self::default()
        }
    }

    /// Records the structure of a checkpoint as it was resolved.
    pub(crate) fn note(&mut self, gathered: &Gathered, at: u32, structure: &Structure) {
        let known = &gathered.known[at as usize];
        let (Some(layers), Some(d_model), Some(d_ffn), Some(heads)) = (
            structure.layers,
            structure.d_model,
            structure.d_ffn,
            structure.heads,
        ) else {
            return;
        };
        let network = (
            family_of(known),
            [layers, d_model, d_ffn, heads],
            structure.kv_heads,
            structure.vocab_size,
        );
        if let Some(day) = day(known) {
            oldest(&mut self.networks, network.clone(), gathered, (day, at));
        }
        self.of.insert(at, network);
    }

    /// The label from a checkpoint's own labels, name, types and base (steps 1 to 8 and 11).
    fn own(&self, gathered: &Gathered, at: u32) -> TrainingLabel {
        let known = &gathered.known[at as usize];
        let [_, _, merged, quantized, adapter] = labels(gathered, known);
        let words = words(&known.id);
        let named = |marks: &[&str]| {
            words
                .iter()
                .find(|word| marks.contains(&word.as_str()))
                .map(|word| format!("name: {word}"))
        };
        if adapter.value == Some(true) {
            return TrainingLabel::new(Training::Adapter, "weight type or name");
        }
        // Some checkpoints were trained in the format they are stored in: a config without a base does not prove later
        // quantization.
        if quantized.value == Some(true) && (known.base.is_some() || !known.quantized) {
            return TrainingLabel::new(Training::Quantized, "config or name");
        }
        if let Some(by) = named(&SURGERY) {
            return TrainingLabel::new(Training::Surgery, by);
        }
        if merged.value == Some(true) {
            return TrainingLabel::new(Training::Merge, "a leaderboard's type or flag, or the name");
        }
        if !known.official && sizes(&known.id).iter().any(|size| is_merged_mixture(*size)) {
            return TrainingLabel::new(Training::Merge, "name: a mixture of few experts");
        }
        let mut types = known.types.labels();
        let typed = if known.official && known.types.labels().any(Training::is_pretrained) {
            types.find(|label| matches!(label, Training::Continued | Training::Pretrained))
        } else {
            types.next()
        };
        if let Some(value @ (Training::Merge | Training::Chat | Training::FineTuned)) = typed {
            return TrainingLabel::new(value, "a leaderboard's type");
        }
        if let Some(by) = named(&CHAT) {
            return TrainingLabel::new(Training::Chat, by);
        }
        if let Some(by) = named(&TUNED) {
            return TrainingLabel::new(Training::FineTuned, by);
        }
        if typed == Some(Training::Continued) {
            return TrainingLabel::new(Training::Continued, "a leaderboard's type");
        }
        if let Some(label) = self.by_base(gathered, at) {
            return label;
        }
        if typed == Some(Training::Pretrained) {
            return TrainingLabel::new(Training::Pretrained, "a leaderboard's type");
        }
        if known.details.from_scratch {
            return TrainingLabel::new(Training::Pretrained, "a count of tokens in pre-training");
        }
        if typed.is_none() && known.base.is_none() && words.iter().any(|word| word == "base") {
            return TrainingLabel::new(Training::Pretrained, "name: base");
        }
        TrainingLabel::default()
    }

    /// The label that follows from a base, provided that the base is not younger and not a copy under another name.
    fn by_base(&self, gathered: &Gathered, at: u32) -> Option<TrainingLabel> {
        let known = &gathered.known[at as usize];
        let base = declared(known.base.as_deref()?)?;
        if base == &*known.id || name(base) == name(&known.id) {
            return None;
        }
        let found = gathered.find(base);
        let of_base = found.and_then(|at| gathered.known[at as usize].published());
        if let (Some(older), Some(day)) = (of_base, known.published())
            && older > day
        {
            return None;
        }
        if known.base_relation.as_deref() == Some("named") {
            let (one, two) = (self.of.get(&at)?, self.of.get(&found?)?);
            if (&one.0, one.1) != (&two.0, two.1) {
                return None;
            }
        }
        let value = match known.base_relation.as_deref() {
            Some("merge") => Training::Merge,
            Some("quantized") => Training::Quantized,
            Some("adapter") => Training::Adapter,
            Some("finetune") => Training::FineTuned,
            _ => Training::Continued,
        };
        Some(TrainingLabel::new(value, format!("base: {base}")))
    }

    /// The label of the checkpoint with index `at`.
    pub(crate) fn label(&self, gathered: &Gathered, at: u32) -> TrainingLabel {
        let known = &gathered.known[at as usize];
        let own = self.own(gathered, at);
        let is_open = own.value.is_none_or(Training::is_pretrained);
        if !is_open {
            return own;
        }
        if let Some(&(first, of)) = self.names.get(&name(&known.id))
            && of != at
            && !known.official
            && day(known).is_some_and(|day| first <= day)
        {
            let original = &gathered.known[of as usize];
            let told = self.own(gathered, of);
            if let Some(value) = told.value {
                return TrainingLabel::new(value, format!("copy of {}", original.id));
            }
        }
        if own.value.is_some()
            && !from_scratch(known)
            && let Some(&(first, of)) = self.of.get(&at).and_then(|network| self.networks.get(network))
            && of != at
            // With equal days the other counts as first too, except on the Hub's earliest day, which only means that
            // the date is unknown.
            && day(known).is_some_and(|day| first < day || first == day && day > HUB_FLOOR)
        {
            let older = &gathered.known[of as usize];
            if organisation(&older.id) != organisation(&known.id) {
                return TrainingLabel {
                    value: None,
                    by: Some(format!(
                        "doubted: same architecture, dimensions and vocabulary as {}, which {}",
                        older.id,
                        if day(known) == Some(first) {
                            "is of the same day"
                        } else {
                            "is older"
                        }
                    )),
                };
            }
        }
        own
    }

    /// The conflict where a leaderboard's type differs from the label, if any.
    pub(crate) fn conflict(&self, gathered: &Gathered, at: u32) -> Option<Conflict> {
        let known = &gathered.known[at as usize];
        let label = self.label(gathered, at);
        let other = known.types.labels().find(|other| Some(*other) != label.value)?;
        Some(Conflict {
            id: known.id.to_string(),
            field: "training".to_owned(),
            kept: label.value.map_or("", Training::as_str).to_owned(),
            kept_source: label.by.unwrap_or_default(),
            other: other.as_str().to_owned(),
            other_source: "a leaderboard's type".to_owned(),
            rule: "pretrained_needs_no_objection".to_owned(),
        })
    }
}

/// Keeps the older of two; of equal days the one of an official provider, then the first alphabetically.
fn oldest<K: std::hash::Hash + Eq>(
    kept: &mut HashMap<K, (Days, u32)>,
    key: K,
    gathered: &Gathered,
    new: (Days, u32),
) {
    let rank = |(day, at): (Days, u32)| {
        let known = &gathered.known[at as usize];
        (day, !known.official, known.id.clone())
    };
    let held = kept.entry(key).or_insert(new);
    if rank(new) < rank(*held) {
        *held = new;
    }
}

fn day(known: &Known) -> Option<Days> {
    known.published().map(|day| day.max(HUB_FLOOR))
}

/// The name without organisation and without words that only distinguish uploads.
fn name(id: &str) -> String {
    let name = id.rsplit('/').next().unwrap_or(id).to_ascii_lowercase();
    let parts = name.split(|c: char| !c.is_alphanumeric() && c != '.');
    let kept: Vec<&str> = parts
        .filter(|part| !part.is_empty() && !UPLOAD.contains(part))
        .collect();
    kept.join("-")
}

/// Whether anything besides a leaderboard's type indicates training from scratch.
fn from_scratch(known: &Known) -> bool {
    known.official
        || known.details.from_scratch
        || words(&known.id)
            .iter()
            .any(|word| SCRATCH.contains(&word.as_str()))
}

/// Whether a mixture has whole models as experts, that is, was merged: the known mixtures trained as such are 8x7B and
/// 8x22B, all others are merges.
fn is_merged_mixture(size: Stated) -> bool {
    match size {
        Stated::Mixture(experts, one) => {
            experts != 8 || (one - 7.0).abs() > 0.01 && (one - 22.0).abs() > 0.01
        }
        Stated::Dense(_) => false,
    }
}

#[cfg(test)]
mod tests;
