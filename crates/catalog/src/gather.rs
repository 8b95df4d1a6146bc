//! Collects what all sources say of each checkpoint. The value of the first source is kept (sources are read in the
//! order of trust); where a later source differs, a conflict is recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::config::stated::{self, Makeup};
use crate::known::{Detail, Index, Known, Shared, is_rough};
use crate::observed::{DIMENSIONS, Observed, Outside, Place};
use crate::pattern::{self, Pattern};
use crate::tables::Conflict;

/// All checkpoints, in the order in which they were first named.
#[derive(Default)]
pub(crate) struct Gathered {
    pub(crate) known: Vec<Known>,
    pub(crate) index: Index,
    pub(crate) clashes: Vec<Clash>,
    pub(crate) shared: Shared,
    /// Rows that stand for several checkpoints (`org/name-{}`), with their positions and roles.
    pub(crate) patterns: Vec<(Observed, Place, Role)>,
    /// What outside boards say of each checkpoint, for comparison, with its position.
    pub(crate) outside: BTreeMap<String, (Outside, Place)>,
    /// Paths of the sources; the index is the source number used everywhere else.
    pub(crate) sources: Vec<String>,
    /// Numbers of the sources that are a whole `config.json` of one checkpoint.
    pub(crate) configs: BTreeSet<u16>,
    /// Numbers of the sources that are leaderboards.
    pub(crate) leaderboards: BTreeSet<u16>,
}

/// What kind of facts a source gives about a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Structure,
    Leaderboard,
    Other,
}

/// Two sources that differ on one checkpoint; becomes a row of `conflicts`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Clash {
    /// Index of the checkpoint.
    pub(crate) at: u32,
    pub(crate) field: &'static str,
    pub(crate) kept: Arc<str>,
    pub(crate) other: Arc<str>,
    pub(crate) kept_source: u16,
    pub(crate) other_source: u16,
    /// The rule that decided.
    pub(crate) rule: &'static str,
}

/// An identical clash is not recorded again if it is among the last this many.
const SAME_AGAIN: usize = 64;

impl Gathered {
    /// The index of the checkpoint with name `id`.
    pub(crate) fn find(&self, id: &str) -> Option<u32> {
        self.index.find(&self.known, id)
    }

    /// The path of the source with this number.
    pub(crate) fn source(&self, number: u16) -> String {
        self.sources.get(usize::from(number)).cloned().unwrap_or_default()
    }

    /// Adds the facts found at `place`; returns the index of the checkpoint.
    pub(crate) fn add(&mut self, observed: &Observed, place: Place, role: Role) -> u32 {
        let at = self.find(&observed.id).unwrap_or_else(|| {
            let at = self.known.len() as u32;
            self.known.push(Known {
                id: observed.id.as_str().into(),
                ..Known::default()
            });
            self.index.add(&self.known, at);
            at
        });
        let Self {
            known,
            clashes,
            shared,
            ..
        } = self;
        let mut merge = Merge {
            at,
            place,
            role,
            shared,
            clashes,
        };
        merge.put_into(&mut known[at as usize], observed);
        at
    }

    /// Adds the facts found at `place`: to the checkpoint that they name or, for a pattern, later to all that match it.
    pub(crate) fn add_all(&mut self, observed: Observed, place: Place, role: Role) {
        if observed.id.contains(pattern::PLACEHOLDER) {
            self.patterns.push((observed, place, role));
        } else {
            self.add(&observed, place, role);
        }
    }

    /// Gives the facts stated for patterns to the checkpoints that match, once all checkpoints are known.
    pub(crate) fn settle_patterns(&mut self) {
        for (observed, place, role) in std::mem::take(&mut self.patterns) {
            let Some(pattern) = Pattern::of(&observed.id) else {
                continue;
            };
            let meant: Vec<Box<str>> = self
                .known
                .iter()
                .filter(|known| pattern.means(&known.id))
                .map(|known| known.id.clone())
                .collect();
            for id in meant {
                let id = id.into_string();
                self.add(
                    &Observed {
                        id,
                        ..observed.clone()
                    },
                    place,
                    role,
                );
            }
        }
    }

    /// Records what an outside board says; of several, the first counts.
    pub(crate) fn note_outside(&mut self, outside: &Outside, place: Place) {
        let (held, _) = self
            .outside
            .entry(outside.id.clone())
            .or_insert_with(|| (outside.clone(), place));
        held.parameters = held.parameters.or(outside.parameters);
        held.vocabulary = held.vocabulary.or(outside.vocabulary);
    }

    /// The row of `conflicts` for a clash.
    pub(crate) fn conflict(&self, clash: &Clash) -> Conflict {
        Conflict {
            id: self.known[clash.at as usize].id.to_string(),
            field: clash.field.to_owned(),
            kept: clash.kept.to_string(),
            kept_source: self.source(clash.kept_source),
            other: clash.other.to_string(),
            other_source: self.source(clash.other_source),
            rule: clash.rule.to_owned(),
        }
    }
}

/// The facts of one source about one checkpoint, being merged into what is known.
struct Merge<'a> {
    at: u32,
    place: Place,
    role: Role,
    shared: &'a mut Shared,
    clashes: &'a mut Vec<Clash>,
}

impl Merge<'_> {
    fn note(&mut self, field: &'static str, kept: &str, kept_source: u16, other: &str) {
        let clash = Clash {
            at: self.at,
            field,
            kept: self.shared.of(kept),
            other: self.shared.of(other),
            kept_source,
            other_source: self.place.source,
            rule: "earlier_source_wins",
        };
        let mut before = self.clashes.iter().rev().take(SAME_AGAIN);
        if !before.any(|earlier| *earlier == clash) {
            self.clashes.push(clash);
        }
    }

    fn keep<T: PartialEq + Copy + std::fmt::Display>(
        &mut self,
        field: &'static str,
        kept: &mut Option<T>,
        kept_source: &mut u16,
        new: Option<T>,
    ) {
        match (*kept, new) {
            (None, Some(new)) => {
                *kept = Some(new);
                *kept_source = self.place.source;
            }
            (Some(old), Some(new)) if old != new => {
                self.note(field, &old.to_string(), *kept_source, &new.to_string());
            }
            _ => {}
        }
    }

    /// As `keep`, for values whose position in the source is kept as well.
    fn keep_at<T: PartialEq + Clone + std::fmt::Display>(
        &mut self,
        field: &'static str,
        kept: &mut Option<T>,
        place: &mut Place,
        new: Option<&T>,
    ) {
        match (&*kept, new) {
            (None, Some(new)) => {
                *kept = Some(new.clone());
                *place = self.place;
            }
            (Some(old), Some(new)) if old != new => {
                self.note(field, &old.to_string(), place.source, &new.to_string());
            }
            _ => {}
        }
    }

    fn keep_text(
        &mut self,
        field: &'static str,
        kept: &mut Option<Arc<str>>,
        kept_source: &mut u16,
        new: Option<&str>,
    ) {
        match (kept.as_ref(), new) {
            (None, Some(new)) => {
                *kept = Some(self.shared.of(new));
                *kept_source = self.place.source;
            }
            (Some(old), Some(new)) if **old != *new => {
                let old = old.clone();
                self.note(field, &old, *kept_source, new);
            }
            _ => {}
        }
    }

    fn first_text(&mut self, kept: &mut Option<Arc<str>>, new: Option<&String>) {
        if kept.is_none() {
            *kept = new.map(|text| self.shared.of(text));
        }
    }

    /// Keeps the first value stated, and its position; later ones that differ are no conflict.
    fn first_at<T: Copy>(&self, kept: &mut Option<T>, place: &mut Place, new: Option<T>) {
        if kept.is_none() && new.is_some() {
            *kept = new;
            *place = self.place;
        }
    }

    /// Merges the make-up of the layers; each column is kept from the first source that states it.
    fn makeup(&mut self, entry: &mut Known, new: &Makeup) {
        let Detail {
            makeup: kept,
            makeup_places: places,
            ..
        } = &mut *entry.details;
        let numbers = [
            (&mut kept.experts, new.experts),
            (&mut kept.experts_per_token, new.experts_per_token),
            (&mut kept.shared_experts, new.shared_experts),
            (&mut kept.d_ffn_dense, new.d_ffn_dense),
            (&mut kept.d_ffn_total_active, new.d_ffn_total_active),
            (&mut kept.head_dim, new.head_dim),
        ];
        for ((place, name), (kept, new)) in places.iter_mut().zip(stated::COLUMNS).zip(numbers) {
            self.keep_at(name, kept, place, new.as_ref());
        }
        let [.., tied, attention] = places;
        self.keep_at(stated::COLUMNS[6], &mut kept.tied, tied, new.tied.as_ref());
        self.keep_at(
            stated::COLUMNS[7],
            &mut kept.attention,
            attention,
            new.attention.as_ref(),
        );
        if kept.counts.is_none() {
            kept.counts = new.counts;
        }
    }

    fn put_into(&mut self, entry: &mut Known, new: &Observed) {
        entry.evaluated |= self.role == Role::Leaderboard;
        entry.structured |= self.role == Role::Structure;
        self.details(entry, new);
        // A counted size is more precise than whole billions, and both are better than the size of packed weights.
        let tells = |size: Option<f64>, packed: bool| match size {
            None => 0,
            Some(_) if packed => 1,
            Some(size) if is_rough(size) => 2,
            Some(_) => 3,
        };
        let listed = new.listed_size.or(new.parameters_total.and_then(named));
        if tells(listed, new.packed) > tells(entry.listed_size, entry.packed) {
            entry.listed_size = listed;
            entry.listed_place = self.place;
            entry.packed = new.packed;
            entry.measured = new.measured;
        }
        self.keep_text(
            "architecture",
            &mut entry.architecture,
            &mut entry.architecture_source,
            new.architecture.as_deref(),
        );
        if entry.revision.is_none() {
            entry.revision = new.revision.as_deref().map(Into::into);
        }
        if self.role == Role::Leaderboard {
            self.first_at(&mut entry.uploaded, &mut entry.uploaded_place, new.date);
        } else if new.date.is_some() && entry.date.is_none() {
            entry.date = new.date;
            entry.details.date_place = self.place;
        }
        self.first_at(&mut entry.submitted, &mut entry.submitted_place, new.submitted);
        first(&mut entry.likes, new.likes);
        first(&mut entry.downloads, new.downloads);
        self.first_text(&mut entry.license, new.license.as_ref());
        let declared = new
            .base
            .as_deref()
            .filter(|base| *base != "Removed" && *base != &*entry.id);
        self.keep_text("base", &mut entry.base, &mut entry.base_source, declared);
        self.first_text(&mut entry.base_relation, new.base_relation.as_ref());
        self.keep("is_moe", &mut entry.is_moe, &mut entry.moe_source, new.is_moe);
        self.keep(
            "is_multimodal",
            &mut entry.is_multimodal,
            &mut entry.multimodal_source,
            new.is_multimodal,
        );
        self.keep(
            "type_merged",
            &mut entry.kind_merged,
            &mut entry.kind_source,
            new.kind_merged,
        );
        first(&mut entry.has_chat_template, new.has_chat_template);
        self.keep("merged", &mut entry.merged, &mut entry.merged_source, new.merged);
        entry.flagged = match (entry.flagged, new.flagged) {
            (Some(one), Some(two)) => Some(one || two),
            (one, two) => one.or(two),
        };
        let quantized = new.packed && new.listed_size.is_none() && self.role != Role::Leaderboard;
        if quantized && !entry.quantized {
            entry.quantized = true;
            entry.quantized_source = self.place.source;
        }
        if self.role == Role::Leaderboard && new.weight_type {
            entry.adapter_source.get_or_insert(self.place.source);
        }
        entry.adapter |= new.adapter;
    }

    /// Merges the facts that are allocated separately (`Detail`), touching them only where the source states any.
    fn details(&mut self, entry: &mut Known, new: &Observed) {
        if new.dimensions.iter().any(Option::is_some) {
            let details = &mut *entry.details;
            for (index, name) in DIMENSIONS.into_iter().enumerate() {
                self.keep_at(
                    name,
                    &mut details.dimensions[index],
                    &mut details.dimension_places[index],
                    new.dimensions[index].as_ref(),
                );
            }
        }
        if new.makeup != Makeup::NONE {
            self.makeup(entry, &new.makeup);
        }
        let counted = new.parameters_total.filter(|&count| named(count).is_none());
        match (entry.details.parameters_total, counted) {
            (None, Some(_)) => {
                entry.details.parameters_total = counted;
                entry.details.parameters_place = self.place;
            }
            // Counts differ slightly with and without buffers or when rounded: only a difference of more than 2 % is a
            // conflict.
            (Some(old), Some(other)) if (old - other).abs() * 50 > old => {
                let source = entry.details.parameters_place.source;
                self.note("parameters_total", &old.to_string(), source, &other.to_string());
            }
            _ => {}
        }
        self.origin(entry, new);
        let numbers = [
            new.head_dim,
            new.parameters_active,
            new.created_at,
            new.last_modified,
        ];
        if numbers.iter().any(Option::is_some) || new.model_type.is_some() {
            let details = &mut *entry.details;
            first(&mut details.head_dim, new.head_dim);
            first(&mut details.parameters_active, new.parameters_active);
            self.first_at(
                &mut details.created_at,
                &mut details.created_place,
                new.created_at,
            );
            first(&mut details.last_modified, new.last_modified);
            self.first_text(&mut details.model_type, new.model_type.as_ref());
        }
    }
}

impl Merge<'_> {
    /// Training tokens, training operations and day of release: each is kept from the first source that states it,
    /// together with the source.
    fn origin(&mut self, entry: &mut Known, new: &Observed) {
        if new.training_tokens.is_none() && new.training_flop.is_none() && new.released.is_none() {
            return;
        }
        let place = self.place;
        let sure = new.confidence.as_deref().map(|word| self.shared.of(word));
        let details = &mut *entry.details;
        details.from_scratch |= new.from_scratch;
        if details.training_tokens.is_none() && new.training_tokens.is_some() {
            details.training_tokens = new.training_tokens;
            details.tokens_by = Some((place.source, sure.clone()));
        }
        if details.training_flop.is_none() && new.training_flop.is_some() {
            details.training_flop = new.training_flop;
            details.flop_by = Some((place.source, sure));
        }
        if let (None, Some(day)) = (details.released, new.released) {
            details.released = Some((day, place));
        }
    }
}

fn first<T>(kept: &mut Option<T>, new: Option<T>) {
    if kept.is_none() {
        *kept = new;
    }
}

/// The size in billions where a "count" is really the rounded size from a name: no model has exactly 14 000 000 000
/// parameters.
fn named(count: i64) -> Option<f64> {
    Some(count as f64 / 1e9).filter(|&size| size >= 0.1 && is_rough(size))
}
