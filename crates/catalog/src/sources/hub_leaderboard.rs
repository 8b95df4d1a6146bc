//! Reads a benchmark's leaderboard as the Hub's API returns it (`/api/datasets/OWNER/NAME/leaderboard`), stored by
//! `hub crawl --successors`: Community Evals results of many repositories on one data set, as reported there.

use serde_json::Value;

use crate::config::fields::{self, Fields};
use crate::error::Error;
use crate::observed::{Observed, Out};
use crate::sources::{community_evals, score};
use crate::tables::{Evaluation, Score};

/// Name of this kind of source.
pub(crate) const NAME: &str = "hub-leaderboard";

/// Whether a JSON value is such a leaderboard.
pub(crate) fn recognises(value: &Value) -> bool {
    value.get("dataset").is_some_and(Value::is_string)
        && value.get("leaderboard").is_some_and(Value::is_array)
}

/// Reads one leaderboard into `out`; returns the number of rows.
pub(crate) fn read(value: &Value, snapshot: &str, version: &str, out: &mut Out<'_>) -> Result<u64, Error> {
    let empty = Fields::new();
    let dataset = value.get("dataset").and_then(Value::as_str).unwrap_or_default();
    let entries = value.get("leaderboard").and_then(Value::as_array);
    let mut row = 0;
    for entry in entries.into_iter().flatten() {
        let entry = entry.as_object().unwrap_or(&empty);
        let id = fields::text(entry, &["modelId"]);
        let number = entry
            .get("value")
            .and_then(Value::as_f64)
            .filter(|value| value.is_finite());
        let (Some(id), Some(number)) = (id, number) else {
            let raw = entry.get("value").map(ToString::to_string).unwrap_or_default();
            let reason = if id.is_none() {
                "no_checkpoint"
            } else {
                "not_a_number"
            };
            out.reject_row(row, "value", &raw, reason)?;
            row += 1;
            continue;
        };
        let evaluation = Evaluation {
            evaluation: format!("{}/{id}/{dataset}", community_evals::NAME),
            leaderboard: community_evals::NAME.to_owned(),
            id: id.to_owned(),
            ..Evaluation::default()
        };
        let source = entry.get("source").and_then(Value::as_object).unwrap_or(&empty);
        let verified =
            fields::flag(entry, &["verified"]).map(|is| if is { "verified" } else { "not verified" });
        let setting: Vec<&str> = [
            verified,
            fields::text(source, &["name", "url"]),
            fields::text(entry, &["notes"]),
        ]
        .into_iter()
        .flatten()
        .collect();
        let told = Score {
            benchmark: dataset.to_owned(),
            value: number,
            unit: "as reported".to_owned(),
            setting: Some(setting.join("; ")).filter(|text| !text.is_empty()),
            ..score(&evaluation, snapshot, version)
        };
        out.observe(
            row,
            Observed {
                id: id.to_owned(),
                ..Observed::default()
            },
        )?;
        out.evaluation(row, evaluation, vec![told])?;
        row += 1;
    }
    Ok(row)
}
