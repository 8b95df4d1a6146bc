//! Sections on trends: new checkpoints over time, likes, progress of scores, and the size needed for a score.
//!
//! The catalog is a sample: checkpoints that reached a leaderboard or a list, not all of the Hub. Counts refer to this
//! sample and reflect the periods in which the leaderboards accepted submissions.

mod architectures;
mod likes;
mod monthly;
mod post_training;
mod progress;
mod size_bins;
#[cfg(test)]
mod tests;

use crate::board::Board;
use crate::finding::SourceOf;
use crate::section::{Cell, Section, Table};
use crate::statistics::GroupBootstrap;

/// One checkpoint of the catalog, with or without scores.
#[derive(Debug, Clone, Default)]
pub struct CheckpointRow {
    /// `org/name`.
    pub id: String,
    /// Day of publication, days since 1970-01-01.
    pub date: Option<f64>,
    /// Whether it is a mixture of experts.
    pub moe: Option<bool>,
    /// Whether it takes other input than text.
    pub multimodal: Option<bool>,
    /// Its architecture, or else that of the checkpoint it was derived from.
    pub architecture: Option<String>,
    /// Whether it was derived from another checkpoint.
    pub derivative: bool,
    /// Likes on the Hub.
    pub likes: Option<f64>,
    /// Billions of parameters.
    pub size: Option<f64>,
}

/// Input of the sections.
#[derive(Debug, Clone, Copy)]
pub struct Trends<'a> {
    /// All checkpoints.
    pub checkpoints: &'a [CheckpointRow],
    /// The leaderboards.
    pub boards: &'a [Board],
    /// Number of resamples and seed of the intervals.
    pub bootstrap: GroupBootstrap,
}

/// Builds the sections on new checkpoints and on the progress of scores.
pub fn sections(trends: &Trends<'_>) -> Vec<Section> {
    let mut appeared = Section {
        id: "trends".into(),
        title: "Timeline".into(),
        ..Section::default()
    };
    monthly::add(trends, &mut appeared);
    architectures::add(trends, &mut appeared);
    likes::add(trends, &mut appeared);
    appeared.text.push(
        "What would change the answer: the Hub itself. These are the checkpoints of two leaderboards and some lists; both \
         leaderboards opened, closed and slowed down on days of their own, what was never submitted is not here, and the first \
         stamps the day of its own table on checkpoints whose day it did not keep."
            .into(),
    );
    let mut moved = Section {
        id: "progress".into(),
        title: "Scores over time and by size".into(),
        ..Section::default()
    };
    progress::add(trends, &mut moved);
    size_bins::add(trends, &mut moved);
    post_training::add(trends, &mut moved);
    moved.text.push(
        "What would change the answer: tests that nobody could train on. A score that rises at equal size is better training, or \
         training nearer to the test; the rows cannot tell. Frontiers are made of maxima and grow with the number of checkpoints \
         tried; the two leaderboards have different tests and are never mixed."
            .into(),
    );
    vec![appeared, moved]
}

fn catalog() -> SourceOf {
    SourceOf {
        work: "catalog".into(),
        place: "checkpoints".into(),
    }
}

/// The checkpoints as a table, so that anyone can recompute the numbers.
pub fn rows_table(checkpoints: &[CheckpointRow]) -> Table {
    let flag =
        |flag: Option<bool>| flag.map_or(Cell::Missing, |is| Cell::from(if is { "true" } else { "false" }));
    Table {
        id: "checkpoints".into(),
        caption: format!(
            "The {} checkpoints of the catalog as the trends read them (`date` in days since 1970-01-01; 19053 is the Hub's floor \
             and means unknown; `architecture` is the base's where its own is not known).",
            checkpoints.len()
        ),
        columns: [
            "id",
            "date",
            "moe",
            "multimodal",
            "architecture",
            "derivative",
            "likes",
            "size",
        ]
        .map(String::from)
        .to_vec(),
        rows: checkpoints
            .iter()
            .map(|row| {
                vec![
                    row.id.as_str().into(),
                    row.date.into(),
                    flag(row.moe),
                    flag(row.multimodal),
                    row.architecture.as_deref().map_or(Cell::Missing, Cell::from),
                    flag(Some(row.derivative)),
                    row.likes.into(),
                    row.size.into(),
                ]
            })
            .collect(),
        shown: false,
    }
}
