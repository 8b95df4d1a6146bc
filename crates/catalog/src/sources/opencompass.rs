//! Reads summaries of `OpenCompass`: a table with a row per data set and a column per checkpoint, as CSV or within a
//! text file.
//!
//! Accuracies and scores are already in points from 0 to 100. The column `version` is a hash of the prompt, `mode` says
//! how answers were obtained (`gen`, `ppl`); both are part of the setting. Lines whose version and metric are `-` are
//! headings.

use crate::calendar;
use crate::error::Error;
use crate::identity::{ANY, Identities, Joined, without_engine};
use crate::observed::{Observed, Out};
use crate::sources::metrics::{RAW, Scale};
use crate::sources::score;
use crate::tables::{Days, Evaluation, Score};

/// Name of this kind of source, and of the leaderboard that its scores are listed under.
pub(crate) const NAME: &str = "opencompass";
/// The beginning of the table.
const HEADER: &str = "dataset,version,metric,mode,";

/// Whether a text is a summary, or contains one.
pub(crate) fn recognises(start: &[u8]) -> bool {
    let text = String::from_utf8_lossy(start);
    text.lines()
        .any(|line| line.trim_start_matches('\u{feff}').starts_with(HEADER))
        || text.contains("tabulate format") && text.contains("dataset")
}

/// Reads one summary into `out`; returns the number of rows, that is, lines of the table below its header.
pub(crate) fn read(
    bytes: &[u8],
    file: &str,
    (snapshot, version): (&str, &str),
    identities: &Identities,
    out: &mut Out<'_>,
) -> Result<u64, Error> {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text
        .lines()
        .skip_while(|line| !line.trim_start_matches('\u{feff}').starts_with(HEADER));
    let header = lines.next().ok_or_else(|| Error::Shape {
        file: file.to_owned(),
        message: format!("no line begins with `{HEADER}`: the summary was cut before its table"),
    })?;
    let table: Vec<&str> = lines
        .take_while(|line| !line.trim().is_empty() && !line.starts_with("$$$"))
        .collect();
    let models: Vec<String> = cells(header).into_iter().skip(4).collect();
    let rows: Vec<Vec<String>> = table.iter().map(|line| cells(line)).collect();
    let date = day(file);
    let stem = file.rsplit('/').next().unwrap_or(file);
    let mut runs: Vec<Option<(Evaluation, Vec<Score>)>> = Vec::new();
    for model in &models {
        let id = match identities.of_name(without_engine(model), ANY) {
            Joined::To(id, _) => id,
            Joined::Unknown => model.clone(),
            Joined::Several(ids) => {
                let raw = format!("{model}: {}", ids.join(", "));
                out.reject_field(0, "id", &raw, "several_checkpoints_of_that_name")?;
                model.clone()
            }
        };
        let evaluation = Evaluation {
            evaluation: format!("{NAME}/{stem}/{model}"),
            leaderboard: NAME.to_owned(),
            id,
            submitted: date,
            ..Evaluation::default()
        };
        runs.push((!model.is_empty()).then_some((evaluation, Vec::new())));
    }
    let mut last = 0;
    for (row, cells) in (0_u64..).zip(&rows) {
        let cell = |at: usize| {
            let cell = cells.get(at).map(|cell| cell.trim());
            cell.filter(|cell| !matches!(*cell, "" | "-"))
        };
        if cells.len() != models.len() + 4 {
            out.reject_row(row, "dataset", table[row as usize], "other_number_of_cells")?;
            continue;
        }
        let (Some(dataset), Some(metric)) = (cell(0), cell(2)) else {
            out.reject_row(row, "metric", cell(0).unwrap_or_default(), "a_heading")?;
            continue;
        };
        let setting = [
            cell(3).map(|mode| format!("answers {mode}")),
            cell(1).map(|prompt| format!("prompt {prompt}")),
        ];
        let setting = setting.into_iter().flatten().collect::<Vec<_>>().join("; ");
        let mut is_kept = false;
        for (at, run) in runs.iter_mut().enumerate() {
            let number = cell(at + 4).and_then(|cell| cell.parse::<f64>().ok());
            let (Some(number), Some((evaluation, scores))) =
                (number.filter(|number| number.is_finite()), run)
            else {
                continue;
            };
            let (value, unit) = scale(metric).read(number);
            is_kept = true;
            out.observe(
                row,
                Observed {
                    id: evaluation.id.clone(),
                    ..Observed::default()
                },
            )?;
            scores.push(Score {
                benchmark: dataset.to_owned(),
                value,
                unit: unit.to_owned(),
                metric: Some(metric.to_owned()),
                scale: Some(RAW.to_owned()),
                setting: Some(setting.clone()).filter(|text| !text.is_empty()),
                harness: Some(NAME.to_owned()),
                ..score(evaluation, snapshot, version)
            });
        }
        if is_kept {
            last = row;
        } else {
            out.reject_row(row, "dataset", dataset, "no_checkpoint_has_a_number")?;
        }
    }
    for (evaluation, scores) in runs
        .into_iter()
        .flatten()
        .filter(|(_, scores)| !scores.is_empty())
    {
        out.evaluation(last, evaluation, scores)?;
    }
    Ok(rows.len() as u64)
}

/// Accuracies, exact matches and pass rates are percentages; for other metrics the summary does not state the scale.
fn scale(metric: &str) -> Scale {
    let known = ["acc", "score", "exact", "pass", "em", "f1", "match"];
    let metric = metric.to_ascii_lowercase();
    if known.iter().any(|kind| metric.contains(kind)) {
        Scale::Percent
    } else {
        Scale::Own
    }
}

/// Cells of a line; `OpenCompass` writes them unquoted.
fn cells(line: &str) -> Vec<String> {
    line.trim_start_matches('\u{feff}')
        .trim_end()
        .split(',')
        .map(|cell| cell.trim().to_owned())
        .collect()
}

/// The day in a file name such as `summary_20250118_120000.csv`.
fn day(file: &str) -> Option<Days> {
    let name = file.rsplit('/').next()?;
    let digits = name
        .split(|letter: char| !letter.is_ascii_digit())
        .find(|part| part.len() == 8)?;
    calendar::day(&format!("{}-{}-{}", &digits[..4], &digits[4..6], &digits[6..]))
}
