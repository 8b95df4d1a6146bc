//! A leaderboard as the trend and correlation analyses read it: one row per checkpoint, with benchmark scores and
//! average.

use crate::abilities::{LISTED, Listed};
use crate::dimensions::LeaderboardRow;
use crate::features::{COLUMNS, StructureValues};
use crate::finding::SourceOf;
use crate::leaderboard_v1::StructureRow;
use crate::section::{Cell, Table};
use crate::statistics::mean;

/// One checkpoint with its scores on one board; repeated runs are already left out.
#[derive(Debug, Clone, Default)]
pub struct ScoredCheckpoint {
    /// `org/name`.
    pub id: String,
    /// Shape identifier; bootstrap intervals resample whole shapes.
    pub shape: u32,
    /// True if the checkpoint was trained from scratch, false if it was fine-tuned, chat-tuned or merged; `None` for
    /// any other kind.
    pub pretrained: Option<bool>,
    /// Day of publication, days since 1970-01-01.
    pub date: Option<f64>,
    /// Billions of parameters.
    pub size: Option<f64>,
    /// Structure columns.
    pub structure: StructureValues,
    /// Scores in points: one per benchmark, then Average; `None` where missing.
    pub scores: Vec<Option<f64>>,
}

/// A leaderboard.
#[derive(Debug, Clone)]
pub struct Board {
    /// Name in ids: `v1`, `v2`.
    pub name: &'static str,
    /// Title shown to readers.
    pub title: &'static str,
    /// Identifier of the leaderboard in the tables.
    pub leaderboard: &'static str,
    /// Short name and title of each outcome: the benchmarks, then Average.
    pub outcomes: Vec<(&'static str, String)>,
    /// One row per checkpoint.
    pub rows: Vec<ScoredCheckpoint>,
    /// Rows of the table left out as repeats.
    pub n_repeats: usize,
}

/// The Hub's earliest creation date, 2022-03-02: a model with this date or an earlier one counts as undated.
const FLOOR: f64 = common::calendar::HUB_FLOOR as f64;

/// The date, unless it is the Hub's earliest creation date or before it.
pub(crate) fn known_date(date: Option<f64>) -> Option<f64> {
    date.filter(|&date| date > FLOOR)
}

impl Board {
    /// Builds leaderboard v1; Average is the mean of the six benchmarks, for rows that have all six.
    pub fn v1(rows: &[StructureRow], n_repeats: usize) -> Self {
        let scored = |row: &StructureRow| {
            let all: Option<Vec<f64>> = row.scores.iter().copied().collect();
            ScoredCheckpoint {
                id: row.id.clone(),
                shape: row.shape,
                pretrained: row.post_trained.map(|is| !is),
                date: known_date(row.structure.date),
                size: row.structure.size.filter(|&size| size > 0.0),
                structure: row.structure,
                scores: with_average(&row.scores, all.map(|all| mean(&all))),
            }
        };
        Self {
            name: LISTED[0].name,
            title: LISTED[0].title,
            leaderboard: LISTED[0].leaderboard,
            outcomes: outcomes(&LISTED[0]),
            rows: rows.iter().map(scored).collect(),
            n_repeats,
        }
    }

    /// Builds leaderboard v2 without repeats; Average is the one that the leaderboard itself publishes.
    pub fn v2(rows: &[LeaderboardRow]) -> Self {
        let scored = |row: &LeaderboardRow| ScoredCheckpoint {
            id: row.id.clone(),
            shape: row.shape,
            pretrained: row.post_trained.map(|is| !is),
            date: known_date(row.date),
            size: row.best_size(),
            structure: row.structure,
            scores: with_average(&row.scores, Some(row.average)),
        };
        let first: Vec<&LeaderboardRow> = rows.iter().filter(|row| !row.repeat).collect();
        Self {
            name: LISTED[1].name,
            title: LISTED[1].title,
            leaderboard: LISTED[1].leaderboard,
            outcomes: outcomes(&LISTED[1]),
            n_repeats: rows.len() - first.len(),
            rows: first.into_iter().map(scored).collect(),
        }
    }

    /// Builds one of the [`LISTED`] boards from rows whose scores are in the order of the board's benchmarks. Average
    /// is the plain mean of the scores, for rows that have all of them, so it is comparable within this board only.
    pub fn listed(board: &'static Listed, rows: Vec<ScoredCheckpoint>, n_repeats: usize) -> Self {
        let scored = |row: ScoredCheckpoint| {
            let all: Option<Vec<f64>> = row.scores.iter().copied().collect();
            ScoredCheckpoint {
                date: known_date(row.date),
                size: row.size.filter(|&size| size > 0.0),
                scores: with_average(&row.scores, all.map(|all| mean(&all))),
                ..row
            }
        };
        Self {
            name: board.name,
            title: board.title,
            leaderboard: board.leaderboard,
            outcomes: outcomes(board),
            rows: rows.into_iter().map(scored).collect(),
            n_repeats,
        }
    }

    /// Index of Average among the outcomes: the last.
    pub fn average(&self) -> usize {
        self.outcomes.len() - 1
    }

    /// Where the rows come from.
    pub fn source(&self) -> SourceOf {
        SourceOf {
            work: self.leaderboard.into(),
            place: "checkpoints, repeats left out".into(),
        }
    }

    /// The rows as a table, so that anyone can recompute the numbers.
    pub fn table(&self) -> Table {
        let columns = ["id", "shape", "pretrained", "day"]
            .into_iter()
            .chain(COLUMNS)
            .chain(self.outcomes.iter().map(|(name, _)| *name))
            .map(String::from)
            .collect();
        let cells = |row: &ScoredCheckpoint| {
            let pretrained = row.pretrained.map(|is| if is { "true" } else { "false" });
            let mut cells: Vec<Cell> = vec![
                row.id.as_str().into(),
                (row.shape as usize).into(),
                pretrained.map_or(Cell::Missing, Cell::from),
                row.date.into(),
                row.size.into(),
            ];
            cells.extend(row.structure.dimensions().map(Cell::from));
            cells.push(row.structure.date.into());
            cells.extend(row.scores.iter().map(|score| Cell::from(*score)));
            cells
        };
        Table {
            id: format!("checkpoints-{}", self.name),
            caption: format!(
                "The {} checkpoints of {} ({} repeats left out) as trends and correlations read them; `day` is the date where it \
                 is not the Hub's floor, in days since 1970-01-01.",
                self.rows.len(),
                self.title,
                self.n_repeats
            ),
            columns,
            rows: self.rows.iter().map(cells).collect(),
            shown: false,
        }
    }
}

fn with_average(scores: &[Option<f64>], average: Option<f64>) -> Vec<Option<f64>> {
    scores.iter().copied().chain([average]).collect()
}

fn outcomes(board: &Listed) -> Vec<(&'static str, String)> {
    let titles = board.titles().into_iter();
    let own = board.benchmarks.iter().copied().zip(titles);
    own.chain([("average", "Average".to_owned())]).collect()
}
