//! Sources: each module turns one kind of file into facts and rejects. Nothing is dropped without a row saying why.

pub(crate) mod architectures;
pub(crate) mod archive;
pub(crate) mod bases;
pub(crate) mod community_evals;
pub(crate) mod config_files;
pub(crate) mod epoch_models;
pub(crate) mod epoch_scores;
pub(crate) mod euroeval;
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
pub(crate) mod proteus;
pub(crate) mod samples;
pub(crate) mod scaling;
pub(crate) mod structures;
pub(crate) mod swallow;
pub(crate) mod table;
pub(crate) mod task_tables;

use crate::calendar;
use crate::config::fields::{self, Fields};
use crate::error::Error;
use crate::identity::Joined;
use crate::observed::Out;
use crate::tables::{Days, Evaluation, Score};

/// A day from seconds since 1970, as number or text, or from a date.
pub(crate) fn moment(of: &Fields, names: &[&str]) -> Option<Days> {
    if let Some(seconds) = fields::float(of, names) {
        let days = (seconds / 86_400.0).floor();
        return (0.0..1e6).contains(&days).then_some(days as Days);
    }
    calendar::day(fields::text(of, names)?)
}

/// A score of an evaluation, in points, with what the evaluation knows of it; the rest is the reader's.
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

/// The id that a row of a board of Hub checkpoints is kept under: the one it was joined to, else its own. A row that two
/// checkpoints fit is left out, and a spelling that gave way is written down.
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
