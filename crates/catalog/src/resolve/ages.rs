//! First publication dates of structures and vocabularies: a checkpoint cannot have one that is younger than itself.

use std::collections::BTreeMap;

use crate::known::Known;
use crate::resolve::template::{Shape, block, family_of};
use crate::tables::Days;

/// The first day of each structure by block, shape and vocabulary; with vocabulary `None`, the first over all
/// vocabularies.
#[derive(Debug, Default)]
pub(crate) struct Firsts(BTreeMap<(String, Shape, Option<i64>), Option<Days>>);

impl Firsts {
    /// Collects when each structure was first published, from its checkpoints with known dates.
    pub(super) fn of(known: &[Known]) -> Self {
        let mut first = BTreeMap::new();
        for entry in known {
            let (Some(shape), Some(family)) = (entry.shape(), family_of(entry)) else {
                continue;
            };
            let family = block(&family).to_owned();
            let day = entry.published();
            let own = entry.details.dimensions[5].map(|vocab| (family.clone(), shape, Some(vocab)));
            for key in own.into_iter().chain([(family, shape, None)]) {
                let held: &mut Option<Days> = first.entry(key).or_default();
                *held = [*held, day].into_iter().flatten().min();
            }
        }
        Self(first)
    }

    /// Whether the shape of `of` (with its vocabulary, where known) was first published more than `before` days after
    /// `published`.
    pub(crate) fn is_younger(&self, of: &Known, shape: Shape, published: Option<Days>, before: Days) -> bool {
        let (Some(family), Some(published)) = (family_of(of), published) else {
            return false;
        };
        self.is_newer(&family, shape, of.details.dimensions[5], published + before)
    }

    /// Whether this structure of a family was first published after `day`.
    pub(crate) fn is_newer(&self, family: &str, shape: Shape, vocab: Option<i64>, day: Days) -> bool {
        let first = |vocab| {
            let key = (block(family).to_owned(), shape, vocab);
            self.0.get(&key).copied().flatten()
        };
        first(vocab)
            .or_else(|| first(None))
            .is_some_and(|first| first > day)
    }

    /// The vocabulary sizes that checkpoints with these blocks and this shape state.
    pub(crate) fn vocabularies(&self, family: &str, shape: Shape) -> Vec<i64> {
        let block = block(family).to_owned();
        self.0
            .range((block.clone(), shape, Some(0))..=(block, shape, Some(i64::MAX)))
            .filter_map(|((.., vocab), _)| *vocab)
            .collect()
    }
}
