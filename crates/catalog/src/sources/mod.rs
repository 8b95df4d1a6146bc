//! The sources: each module turns one kind of file into facts and rejects. Nothing is dropped without a reject that
//! gives the reason.
//!
//! A reader that is in no list would never be used; this is a compile error.
#![deny(dead_code)]

pub(crate) mod architectures;
pub(crate) mod archive;
pub(crate) mod bases;
pub(crate) mod community_evals;
pub(crate) mod config_files;
pub(crate) mod epoch_models;
mod epoch_scores;
mod euroeval;
pub(crate) mod every_eval_ever;
pub(crate) mod gemstones;
pub(crate) mod harness;
pub(crate) mod hub_configs;
pub(crate) mod hub_leaderboard;
pub(crate) mod hub_listing;
pub(crate) mod hub_models;
pub(crate) mod inspect;
pub(crate) mod interventions;
pub(crate) mod leaderboard_v1;
pub(crate) mod leaderboard_v2;
pub(crate) mod listings;
pub(crate) mod llm_perf;
pub(crate) mod metrics;
pub(crate) mod model_info;
pub(crate) mod opencompass;
mod parquet_rows;
mod proteus;
pub(crate) mod samples;
pub(crate) mod scaling;
pub(crate) mod structures;
mod swallow;
pub(crate) mod table;
pub(crate) mod task_tables;

use crate::calendar;
use crate::config::fields::{self, Fields};
use crate::error::Error;
use crate::identity::{Identities, Joined};
use crate::observed::Out;
use crate::sources::table::Table;
use crate::tables::{Days, Evaluation, Score};

/// Boards in the order in which they are read, most trusted first. Kinds, readers and licences are taken from here.
pub(crate) static BOARDS: &[Board] = &[
    proteus::BOARD,
    euroeval::BOARD,
    swallow::BOARD,
    epoch_scores::BOARD,
];

/// A board of scores whose rows are matched to checkpoints that other sources name.
pub(crate) struct Board {
    /// Name in the manifest, and prefix of the names of its leaderboards and benchmarks.
    pub(crate) name: &'static str,
    pub(crate) reads: Reads,
    /// Provenance of the copies that ship with the program.
    pub(crate) published: &'static [Published],
}

/// First digits of a source's SHA-256, and its version; both are stored with the scores.
pub(crate) type State<'a> = (&'a str, &'a str);

/// Reads a table into facts and rejects.
type TableReader = fn(&mut Table, State<'_>, &Identities, &mut Out<'_>) -> Result<(), Error>;
/// Reads the bytes of a file with the given name into facts and rejects; returns the number of rows.
type BytesReader = fn(&[u8], &str, State<'_>, &Identities, &mut Out<'_>) -> Result<u64, Error>;

/// How a board's files are recognised and read.
pub(crate) enum Reads {
    /// A table (CSV or Parquet), recognised by its header.
    Table(fn(&Table) -> bool, TableReader),
    /// YAML, recognised by its name and first bytes.
    Yaml(fn(&str, &[u8]) -> bool, BytesReader),
}

/// Provenance of a file: where it was published, its revision, licence (empty if there is none), whom to credit, and
/// the day of its state (empty if its rows state it).
pub(crate) struct Published {
    /// Path of a file under the sources or, with a trailing slash, of a folder from one repository.
    pub(crate) path: &'static str,
    pub(crate) address: &'static str,
    pub(crate) revision: &'static str,
    pub(crate) license: &'static str,
    pub(crate) attribution: &'static str,
    pub(crate) state: &'static str,
}

/// A day from seconds since 1970, as a number or text, or from a date.
pub(crate) fn moment(of: &Fields, names: &[&str]) -> Option<Days> {
    if let Some(seconds) = fields::float(of, names) {
        let days = (seconds / 86_400.0).floor();
        return (0.0..1e6).contains(&days).then_some(days as Days);
    }
    calendar::day(fields::text(of, names)?)
}

/// A score of an evaluation in points, with the fields that follow from the evaluation filled in; the reader sets the
/// rest.
pub(crate) fn score(evaluation: &Evaluation, snapshot: &str, version: &str) -> Score {
    Score {
        evaluation: evaluation.evaluation.clone(),
        id: evaluation.id.clone(),
        leaderboard: evaluation.leaderboard.clone(),
        version: version.to_owned(),
        unit: "points".to_owned(),
        precision: evaluation.precision.clone(),
        chat_template: evaluation.chat_template,
        date: evaluation.submitted,
        snapshot: snapshot.to_owned(),
        ..Score::default()
    }
}

/// The id under which a row of a board is stored: that of the matched checkpoint, else its own. A row that fits several
/// checkpoints is left out, and a replaced spelling is recorded as a reject of the field.
pub(crate) fn joined(found: Joined, own: &str, row: u64, out: &mut Out<'_>) -> Result<Option<String>, Error> {
    match found {
        Joined::To(id, rule) => {
            if id != own {
                out.reject_field(row, "id", own, &format!("joined_by_{rule}: {id}"))?;
            }
            Ok(Some(id))
        }
        Joined::Unknown => Ok(Some(own.to_owned())),
        Joined::Several(ids) => {
            let raw = format!("{own}: {}", ids.join(", "));
            out.reject_row(row, "id", &raw, "several_checkpoints_of_that_name")?;
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::BOARDS;

    #[test]
    fn every_board_says_whose_it_is_under_a_name_of_its_own() {
        let mut names = BTreeSet::new();
        for board in BOARDS {
            assert!(names.insert(board.name), "two boards are named {}", board.name);
            assert!(
                !board.published.is_empty(),
                "{} was published nowhere",
                board.name
            );
            for copy in board.published {
                for (what, text) in [("address", copy.address), ("attribution", copy.attribution)] {
                    assert!(!text.is_empty(), "{}: {} has no {what}", board.name, copy.path);
                }
            }
        }
    }
}
