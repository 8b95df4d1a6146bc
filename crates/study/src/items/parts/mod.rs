//! The parts of the section on items, one question each.

pub(super) mod contamination;
pub(super) mod copies;
pub(super) mod difficulty;
pub(super) mod pair;
pub(super) mod scores;
