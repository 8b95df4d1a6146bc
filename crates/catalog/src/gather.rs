//! What all sources together say of each checkpoint. The first source to say a thing is kept (sources are read in the
//! order of trust); what a later one says differently becomes a conflict, not a silent choice.

use std::collections::{BTreeSet, HashMap};

use crate::sources::{DIMENSIONS, Dimensions, Observed};
use crate::tables::{Conflict, Days, Millis};

/// Everything known of one checkpoint.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says one thing of a checkpoint"
)]
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub(crate) id: String,
    pub(crate) dimensions: Dimensions,
    /// The source of each dimension, by number.
    pub(crate) dimension_sources: [u16; 7],
    pub(crate) head_dim: Option<i64>,
    pub(crate) parameters_total: Option<i64>,
    pub(crate) parameters_source: u16,
    pub(crate) parameters_active: Option<i64>,
    pub(crate) listed_size: Option<f64>,
    pub(crate) architecture: Option<String>,
    pub(crate) architecture_source: u16,
    pub(crate) model_type: Option<String>,
    pub(crate) revision: Option<String>,
    pub(crate) created_at: Option<Millis>,
    pub(crate) last_modified: Option<Millis>,
    pub(crate) date: Option<Days>,
    pub(crate) uploaded: Option<Days>,
    pub(crate) submitted: Option<Days>,
    pub(crate) likes: Option<i64>,
    pub(crate) downloads: Option<i64>,
    pub(crate) license: Option<String>,
    pub(crate) base: Option<String>,
    pub(crate) base_relation: Option<String>,
    pub(crate) base_source: u16,
    pub(crate) is_moe: Option<bool>,
    pub(crate) moe_source: u16,
    pub(crate) is_multimodal: Option<bool>,
    pub(crate) has_chat_template: Option<bool>,
    pub(crate) merged: Option<bool>,
    pub(crate) merged_source: u16,
    pub(crate) flagged: Option<bool>,
    /// The listed size is of packed weights or of an adapter.
    pub(crate) packed: bool,
    /// A source says of the weights themselves that they are packed.
    pub(crate) quantized: bool,
    pub(crate) quantized_source: u16,
    pub(crate) adapter: bool,
    /// The leaderboard that tells whether it is one.
    pub(crate) adapter_source: Option<u16>,
    /// A leaderboard's type of checkpoint is one of merges.
    pub(crate) kind_merged: Option<bool>,
    pub(crate) kind_source: u16,
    pub(crate) multimodal_source: u16,
    pub(crate) training_tokens: Option<i64>,
    /// Named by a leaderboard.
    pub(crate) evaluated: bool,
    /// Named by a source of structures.
    pub(crate) structured: bool,
    /// The shape that its other dimensions and its exact count admit, where its sources leave one dimension out.
    pub(crate) computed: Option<[i64; 4]>,
}

/// All checkpoints, in the order in which they were first named.
#[derive(Default)]
pub(crate) struct Gathered {
    pub(crate) known: Vec<Known>,
    pub(crate) index: HashMap<String, u32>,
    pub(crate) conflicts: Vec<Conflict>,
    /// Paths of the sources, by number.
    pub(crate) sources: Vec<String>,
    /// Numbers of the sources that are leaderboards.
    pub(crate) leaderboards: BTreeSet<u16>,
}

/// What a source is to a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Structure,
    Leaderboard,
    Other,
}

impl Gathered {
    /// Adds what source number `source` says.
    pub(crate) fn add(&mut self, observed: &Observed, source: u16, role: Role) {
        let at = if let Some(&at) = self.index.get(&observed.id) {
            at as usize
        } else {
            let at = self.known.len();
            self.index.insert(observed.id.clone(), at as u32);
            self.known.push(Known {
                id: observed.id.clone(),
                ..Known::default()
            });
            at
        };
        let Self {
            known,
            conflicts,
            sources,
            ..
        } = self;
        let Some(entry) = known.get_mut(at) else { return };
        let mut disagree = Disagreements {
            id: &observed.id,
            sources,
            source,
            conflicts,
        };
        entry.merge(observed, source, role, &mut disagree);
    }
}

struct Disagreements<'a> {
    id: &'a str,
    sources: &'a [String],
    source: u16,
    conflicts: &'a mut Vec<Conflict>,
}

impl Disagreements<'_> {
    fn note(&mut self, field: &str, kept: &str, kept_source: u16, other: &str, rule: &str) {
        let name = |source: u16| self.sources.get(usize::from(source)).cloned().unwrap_or_default();
        let conflict = Conflict {
            id: self.id.to_owned(),
            field: field.to_owned(),
            kept: kept.to_owned(),
            kept_source: name(kept_source),
            other: other.to_owned(),
            other_source: name(self.source),
            rule: rule.to_owned(),
        };
        if !self
            .conflicts
            .iter()
            .rev()
            .take(64)
            .any(|earlier| *earlier == conflict)
        {
            self.conflicts.push(conflict);
        }
    }

    fn keep<T: PartialEq + Clone + std::fmt::Display>(
        &mut self,
        field: &str,
        kept: &mut Option<T>,
        kept_source: &mut u16,
        new: Option<&T>,
    ) {
        match (kept.as_ref(), new) {
            (None, Some(new)) => {
                *kept = Some(new.clone());
                *kept_source = self.source;
            }
            (Some(old), Some(new)) if old != new => {
                self.note(
                    field,
                    &old.to_string(),
                    *kept_source,
                    &new.to_string(),
                    "earlier_source_wins",
                );
            }
            _ => {}
        }
    }
}

fn first<T: Clone>(kept: &mut Option<T>, new: Option<&T>) {
    if kept.is_none() {
        *kept = new.cloned();
    }
}

impl Known {
    fn merge(&mut self, new: &Observed, source: u16, role: Role, disagree: &mut Disagreements<'_>) {
        self.evaluated |= role == Role::Leaderboard;
        self.structured |= role == Role::Structure;
        for (index, name) in DIMENSIONS.iter().enumerate() {
            disagree.keep(
                name,
                &mut self.dimensions[index],
                &mut self.dimension_sources[index],
                new.dimensions[index].as_ref(),
            );
        }
        first(&mut self.head_dim, new.head_dim.as_ref());
        match (self.parameters_total, new.parameters_total) {
            (None, Some(_)) => {
                self.parameters_total = new.parameters_total;
                self.parameters_source = source;
            }
            // Counts with and without buffers, or rounded ones, differ by little.
            (Some(old), Some(other)) if (old - other).abs() * 50 > old => {
                disagree.note(
                    "parameters_total",
                    &old.to_string(),
                    self.parameters_source,
                    &other.to_string(),
                    "earlier_source_wins",
                );
            }
            _ => {}
        }
        first(&mut self.parameters_active, new.parameters_active.as_ref());
        // A counted size says more than whole billions, and either more than that of packed weights.
        let tells = |size: Option<f64>, packed: bool| match size {
            None => 0,
            Some(_) if packed => 1,
            Some(size) if is_rough(size) => 2,
            Some(_) => 3,
        };
        if tells(new.listed_size, new.packed) > tells(self.listed_size, self.packed) {
            self.listed_size = new.listed_size;
            self.packed = new.packed;
        }
        disagree.keep(
            "architecture",
            &mut self.architecture,
            &mut self.architecture_source,
            new.architecture.as_ref(),
        );
        first(&mut self.model_type, new.model_type.as_ref());
        first(&mut self.revision, new.revision.as_ref());
        first(&mut self.created_at, new.created_at.as_ref());
        first(&mut self.last_modified, new.last_modified.as_ref());
        if role == Role::Leaderboard {
            first(&mut self.uploaded, new.date.as_ref());
        } else {
            first(&mut self.date, new.date.as_ref());
        }
        first(&mut self.submitted, new.submitted.as_ref());
        first(&mut self.likes, new.likes.as_ref());
        first(&mut self.downloads, new.downloads.as_ref());
        first(&mut self.license, new.license.as_ref());
        let declared = new
            .base
            .as_ref()
            .filter(|base| base.as_str() != "Removed" && **base != self.id);
        disagree.keep("base", &mut self.base, &mut self.base_source, declared);
        first(&mut self.base_relation, new.base_relation.as_ref());
        disagree.keep(
            "is_moe",
            &mut self.is_moe,
            &mut self.moe_source,
            new.is_moe.as_ref(),
        );
        disagree.keep(
            "is_multimodal",
            &mut self.is_multimodal,
            &mut self.multimodal_source,
            new.is_multimodal.as_ref(),
        );
        disagree.keep(
            "type_merged",
            &mut self.kind_merged,
            &mut self.kind_source,
            new.kind_merged.as_ref(),
        );
        first(&mut self.training_tokens, new.training_tokens.as_ref());
        if new.has_chat_template == Some(true) || self.has_chat_template.is_none() {
            first(&mut self.has_chat_template, new.has_chat_template.as_ref());
        }
        disagree.keep(
            "merged",
            &mut self.merged,
            &mut self.merged_source,
            new.merged.as_ref(),
        );
        self.flagged = match (self.flagged, new.flagged) {
            (Some(one), Some(two)) => Some(one || two),
            (one, two) => one.or(two),
        };
        if new.packed && new.listed_size.is_none() && role != Role::Leaderboard && !self.quantized {
            self.quantized = true;
            self.quantized_source = source;
        }
        if role == Role::Leaderboard && new.weight_type {
            self.adapter_source.get_or_insert(source);
        }
        self.adapter |= new.adapter;
    }

    /// Layers, `d_model`, `d_ffn` and heads, where all four are known.
    pub(crate) fn shape(&self) -> Option<[i64; 4]> {
        let [layers, d_model, d_ffn, heads, ..] = self.dimensions;
        Some([layers?, d_model?, d_ffn?, heads?])
    }

    /// Its own shape, or the one computed from its own dimensions and count.
    pub(crate) fn settled(&self) -> Option<[i64; 4]> {
        self.shape().or(self.computed)
    }

    /// Day of publication: as the leaderboard knows the upload, else as another source, else the submission.
    pub(crate) fn published(&self) -> Option<Days> {
        let created = self
            .created_at
            .map(|millis| millis.div_euclid(86_400_000) as Days);
        self.uploaded.or(self.date).or(created).or(self.submitted)
    }
}

/// Sizes with at most one decimal come from names or were cut; others were counted.
pub(crate) fn is_rough(size: f64) -> bool {
    ((size * 10.0).round() - size * 10.0).abs() < 1e-9
}
