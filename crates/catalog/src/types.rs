//! The types that leaderboards give a checkpoint.

use crate::tables::Training;

/// A set of the types that leaderboards give a checkpoint, one bit each in the order of [`TYPES`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Types(u8);

/// A word that a leaderboard's type contains, and the label it stands for; the first word that matches counts.
const TYPES: [(&str, Training); 5] = [
    ("merge", Training::Merge),
    ("chat", Training::Chat),
    ("fine-tuned", Training::FineTuned),
    ("continuously pretrained", Training::Continued),
    ("pretrained", Training::Pretrained),
];

impl Types {
    pub(crate) fn add(&mut self, kind: &str) {
        if let Some(place) = TYPES.iter().position(|(word, _)| kind.contains(word)) {
            self.0 |= 1 << place;
        }
    }

    /// The labels in the set, the one furthest from `pretrained` first.
    pub(crate) fn labels(self) -> impl Iterator<Item = Training> {
        TYPES
            .iter()
            .enumerate()
            .filter(move |(place, _)| self.0 & (1 << place) != 0)
            .map(|(_, (_, label))| *label)
    }
}
