//! Reads community evaluations: `.eval_results/*.yaml` in a checkpoint's repository, one list of results per file
//! (<https://huggingface.co/docs/hub/eval-results>).

use serde::Deserialize;

use crate::calendar;
use crate::error::Error;
use crate::observed::{Observed, Out};
use crate::tables::{Evaluation, Score};

/// Name of the leaderboard its scores are listed under.
pub(crate) const NAME: &str = "community-evals";
/// Greatest size in bytes of a list of results.
const LONGEST: usize = 4 << 20;

#[derive(Deserialize)]
struct Entry {
    dataset: Dataset,
    /// May be of any type, by the Hub's own definition.
    value: serde_json::Value,
    date: Option<String>,
    notes: Option<String>,
    source: Option<Origin>,
}

#[derive(Deserialize)]
struct Dataset {
    id: String,
    task_id: Option<String>,
    revision: Option<String>,
}

#[derive(Deserialize)]
struct Origin {
    name: Option<String>,
    url: Option<String>,
}

/// The checkpoint that a file belongs to, from the folders before `.eval_results`.
pub(crate) fn id_of(file: &str) -> Option<String> {
    let (before, _) = file.split_once(".eval_results/")?;
    let parts: Vec<&str> = before.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [.., joined] if joined.contains("--") => {
            Some(joined.trim_start_matches("models--").replacen("--", "/", 1))
        }
        [.., organisation, name] => Some(format!("{organisation}/{name}")),
        _ => None,
    }
}

/// Reads one file into `out`; returns the number of rows.
pub(crate) fn read(bytes: &[u8], file: &str, snapshot: &str, out: &mut Out<'_>) -> Result<u64, Error> {
    let shape = |message: String| Error::Shape {
        file: file.to_owned(),
        message,
    };
    if bytes.len() > LONGEST {
        return Err(shape(format!(
            "{} bytes, a list of results has at most {LONGEST}",
            bytes.len()
        )));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| shape(format!("not UTF-8 after byte {}", error.valid_up_to())))?;
    let entries: Vec<Entry> = serde_saphyr::from_str(text).map_err(|error| shape(error.to_string()))?;
    let id = id_of(file).ok_or_else(|| shape("no folders org/name before .eval_results".to_owned()))?;
    let mut row = 0;
    for entry in entries {
        if let Some(value) = entry.value.as_f64().filter(|value| value.is_finite()) {
            let date = entry.date.as_deref().and_then(calendar::day);
            let evaluation = Evaluation {
                evaluation: format!("{NAME}/{id}/{}/{row}", file.rsplit('/').next().unwrap_or(file)),
                leaderboard: NAME.to_owned(),
                id: id.clone(),
                submitted: date,
                ..Evaluation::default()
            };
            let Dataset {
                id: dataset,
                task_id,
                revision,
            } = entry.dataset;
            let setting = [
                revision,
                entry.source.and_then(|source| source.name.or(source.url)),
                entry.notes,
            ];
            let score = Score {
                evaluation: evaluation.evaluation.clone(),
                id: id.clone(),
                leaderboard: NAME.to_owned(),
                version: date.map(calendar::text).unwrap_or_default(),
                benchmark: task_id
                    .filter(|task| task != "default")
                    .map_or(dataset.clone(), |task| format!("{dataset}:{task}")),
                value,
                unit: "as reported".to_owned(),
                setting: Some(setting.into_iter().flatten().collect::<Vec<_>>().join("; "))
                    .filter(|text| !text.is_empty()),
                date,
                snapshot: snapshot.to_owned(),
                ..Score::default()
            };
            out.observe(
                row,
                Observed {
                    id: id.clone(),
                    ..Observed::default()
                },
            )?;
            out.evaluation(row, evaluation, vec![score])?;
        } else {
            out.reject_row(row, "value", &entry.value.to_string(), "not_a_number")?;
        }
        row += 1;
    }
    Ok(row)
}
