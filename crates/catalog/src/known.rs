//! What the sources say of one checkpoint, and the index from names to checkpoints.
//!
//! Kept small because a catalog may hold millions: recurring text is shared, and what only sources of structures state
//! is allocated separately, so that a checkpoint known from a leaderboard takes some 240 bytes beside its name and
//! commit.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::config::stated::Makeup;
use crate::observed::{DimensionValues, Place};
use crate::tables::{Days, Millis};
use crate::types::Types;

/// Everything known of one checkpoint.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says one thing of a checkpoint"
)]
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub(crate) id: Box<str>,
    pub(crate) details: Details,
    pub(crate) listed_size: Option<f64>,
    pub(crate) architecture: Option<Arc<str>>,
    pub(crate) revision: Option<Box<str>>,
    pub(crate) likes: Option<i64>,
    pub(crate) downloads: Option<i64>,
    pub(crate) license: Option<Arc<str>>,
    pub(crate) base: Option<Arc<str>>,
    pub(crate) base_relation: Option<Arc<str>>,
    pub(crate) date: Option<Days>,
    pub(crate) uploaded: Option<Days>,
    pub(crate) submitted: Option<Days>,
    pub(crate) uploaded_place: Place,
    pub(crate) submitted_place: Place,
    pub(crate) listed_place: Place,
    pub(crate) architecture_source: u16,
    pub(crate) base_source: u16,
    pub(crate) moe_source: u16,
    pub(crate) merged_source: u16,
    pub(crate) quantized_source: u16,
    pub(crate) kind_source: u16,
    pub(crate) multimodal_source: u16,
    /// The leaderboard that states whether it is an adapter.
    pub(crate) adapter_source: Option<u16>,
    pub(crate) is_moe: Option<bool>,
    pub(crate) is_multimodal: Option<bool>,
    pub(crate) has_chat_template: Option<bool>,
    pub(crate) merged: Option<bool>,
    pub(crate) flagged: Option<bool>,
    /// Whether a leaderboard's type of checkpoint is the one for merges.
    pub(crate) kind_merged: Option<bool>,
    /// Whether the listed size is that of packed weights or of an adapter.
    pub(crate) packed: bool,
    /// Whether a board counted the listed size, if only in whole billions, instead of copying it from the name.
    pub(crate) measured: bool,
    /// Whether a source says of the weights themselves that they are quantized.
    pub(crate) quantized: bool,
    pub(crate) adapter: bool,
    /// The types that leaderboards give it.
    pub(crate) types: Types,
    /// Whether one of a leaderboard's official providers published it.
    pub(crate) official: bool,
    /// Whether a leaderboard names it.
    pub(crate) evaluated: bool,
    /// Whether a source of structures names it.
    pub(crate) structured: bool,
}

/// What sources other than leaderboards say of a checkpoint.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Detail {
    pub(crate) dimensions: DimensionValues,
    /// Position in the sources of each dimension.
    pub(crate) dimension_places: [Place; 7],
    pub(crate) head_dim: Option<i64>,
    /// What its layers consist of beside the dimensions, and the position in the sources of each value.
    pub(crate) makeup: Makeup,
    pub(crate) makeup_places: [Place; 8],
    pub(crate) parameters_total: Option<i64>,
    pub(crate) parameters_place: Place,
    pub(crate) parameters_active: Option<i64>,
    pub(crate) training_tokens: Option<i64>,
    /// Whether a study of checkpoints trained from scratch lists it.
    pub(crate) from_scratch: bool,
    pub(crate) training_flop: Option<f64>,
    /// Source number of tokens and of operations, and the confidence that the source states.
    pub(crate) tokens_by: Option<(u16, Option<Arc<str>>)>,
    pub(crate) flop_by: Option<(u16, Option<Arc<str>>)>,
    /// Day of release, and its position in the sources.
    pub(crate) released: Option<(Days, Place)>,
    pub(crate) model_type: Option<Arc<str>>,
    pub(crate) created_at: Option<Millis>,
    pub(crate) last_modified: Option<Millis>,
    pub(crate) date_place: Place,
    pub(crate) created_place: Place,
}

const NOTHING: &Detail = &Detail {
    dimensions: [None; 7],
    dimension_places: [Place::NONE; 7],
    head_dim: None,
    makeup: Makeup::NONE,
    makeup_places: [Place::NONE; 8],
    parameters_total: None,
    parameters_place: Place::NONE,
    parameters_active: None,
    training_tokens: None,
    from_scratch: false,
    training_flop: None,
    tokens_by: None,
    flop_by: None,
    released: None,
    model_type: None,
    created_at: None,
    last_modified: None,
    date_place: Place::NONE,
    created_place: Place::NONE,
};

/// A [`Detail`], allocated only where some source states any of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Details(Option<Box<Detail>>);

impl From<Detail> for Details {
    fn from(detail: Detail) -> Self {
        Self((detail != *NOTHING).then(|| Box::new(detail)))
    }
}

impl std::ops::Deref for Details {
    type Target = Detail;

    fn deref(&self) -> &Detail {
        self.0.as_deref().unwrap_or(NOTHING)
    }
}

impl std::ops::DerefMut for Details {
    fn deref_mut(&mut self) -> &mut Detail {
        self.0.get_or_insert_default()
    }
}

impl Known {
    /// Layers, `d_model`, `d_ffn` and heads; `None` unless all four are known.
    pub(crate) fn shape(&self) -> Option<[i64; 4]> {
        let [layers, d_model, d_ffn, heads, ..] = self.details.dimensions;
        Some([layers?, d_model?, d_ffn?, heads?])
    }

    /// Day of publication: the first known of the upload noted by a leaderboard, the day stated by another source, the
    /// creation on the Hub, and the submission.
    pub(crate) fn published(&self) -> Option<Days> {
        self.published_by().map(|(day, ..)| day)
    }

    /// As [`Self::published`], with the word for the kind of date and its position in the sources.
    pub(crate) fn published_by(&self) -> Option<(Days, &'static str, Place)> {
        let details = &self.details;
        let created = details
            .created_at
            .map(|millis| millis.div_euclid(86_400_000) as Days);
        [
            (self.uploaded, "upload", self.uploaded_place),
            (self.date, "stated", details.date_place),
            (
                details.released.map(|(day, _)| day),
                "stated",
                details.released.map_or(Place::NONE, |(_, place)| place),
            ),
            (created, "created", details.created_place),
            (self.submitted, "submitted", self.submitted_place),
        ]
        .into_iter()
        .find_map(|(day, by, place)| Some((day?, by, place)))
    }
}

/// Interned strings: equal texts share one allocation.
#[derive(Debug, Default)]
pub(crate) struct Shared(HashSet<Arc<str>>);

impl Shared {
    /// The shared copy of `text`.
    pub(crate) fn of(&mut self, text: &str) -> Arc<str> {
        if let Some(held) = self.0.get(text) {
            return held.clone();
        }
        let held: Arc<str> = text.into();
        self.0.insert(held.clone());
        held
    }
}

/// Hash index from names to checkpoints: open addressing over their indices, four bytes a slot; the names themselves
/// are stored only in the checkpoints.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    /// Index plus one of a checkpoint; 0 where the slot is free. The length is a power of two.
    places: Vec<u32>,
    held: usize,
}

impl Index {
    /// The index of the checkpoint with name `id`.
    pub(crate) fn find(&self, known: &[Known], id: &str) -> Option<u32> {
        self.probe(known, id).ok()
    }

    /// The index of the checkpoint, or the free slot where it belongs.
    fn probe(&self, known: &[Known], id: &str) -> Result<u32, usize> {
        let mask = self.places.len().wrapping_sub(1);
        if self.places.is_empty() {
            return Err(0);
        }
        let mut place = hash(id) as usize & mask;
        loop {
            match self.places[place].checked_sub(1) {
                None => return Err(place),
                Some(at) if &*known[at as usize].id == id => return Ok(at),
                Some(_) => place = (place + 1) & mask,
            }
        }
    }

    /// Adds the checkpoint with index `at`, which must be in `known` and not yet here.
    pub(crate) fn add(&mut self, known: &[Known], at: u32) {
        if (self.held + 1) * 4 > self.places.len() * 3 {
            let all: Vec<u32> = self.places.iter().copied().filter(|&at| at > 0).collect();
            self.places = vec![0; (self.places.len() * 2).max(1 << 10)];
            for at in all {
                self.put(known, at - 1);
            }
        }
        self.put(known, at);
        self.held += 1;
    }

    fn put(&mut self, known: &[Known], at: u32) {
        if let Err(place) = self.probe(known, &known[at as usize].id) {
            self.places[place] = at + 1;
        }
    }
}

fn hash(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

/// Whether a size has at most one decimal: such sizes come from names or were rounded, others were counted.
pub(crate) fn is_rough(size: f64) -> bool {
    ((size * 10.0).round() - size * 10.0).abs() < 1e-9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_and_no_other() {
        let (mut known, mut index) = (Vec::new(), Index::default());
        assert_eq!(index.find(&known, "a/b"), None);
        for at in 0..5_000_u32 {
            known.push(Known {
                id: format!("org/{at}").into(),
                ..Known::default()
            });
            index.add(&known, at);
        }
        for at in 0..5_000_u32 {
            assert_eq!(index.find(&known, &format!("org/{at}")), Some(at));
        }
        assert_eq!(index.find(&known, "org/5000"), None);
    }

    #[test]
    fn a_leaderboards_checkpoint_is_small() {
        assert!(
            std::mem::size_of::<Known>() <= 240,
            "{}",
            std::mem::size_of::<Known>()
        );
        let mut known = Known::default();
        assert_eq!(known.shape(), None);
        known.details.dimensions = [Some(2), Some(8), Some(16), Some(4), None, None, None];
        assert_eq!(known.shape(), Some([2, 8, 16, 4]));
    }
}
