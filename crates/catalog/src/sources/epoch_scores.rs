//! Reads the tables of Epoch AI's benchmarking hub: one per benchmark, with one row per model version.
//!
//! Each table is a board of its own. Runs by Epoch have a standard error and a day. Collected tables (`*_external`)
//! hold figures from papers, several per model, with various numbers of examples and sources, which are recorded. A
//! model version is matched to a checkpoint by `identity`; rows that match none or several are left out: closed models,
//! names whose model a service changes (`deepseek-chat`), names without the size that identifies a checkpoint.

use crate::calendar;
use crate::error::Error;
use crate::identity::{Identities, Joined, mode_of};
use crate::observed::{Observed, Out};
use crate::sources::metrics::{RAW, Scale};
use crate::sources::table::{Cells, Table};
use crate::sources::{Board, Published, Reads, State, score};
use crate::tables::{Evaluation, Score};

/// Name of this kind of source, and prefix of its boards' names.
const NAME: &str = "epoch";

/// The board, and where it was published.
pub(super) const BOARD: Board = Board {
    name: NAME,
    reads: Reads::Table(recognises, read),
    published: &[Published {
        path: "epoch/benchmark_data/",
        address: "https://epoch.ai/benchmarks, by https://github.com/feruiloba/miri-fellowship-inference-scaling",
        revision: "69eb0692",
        license: "CC-BY-4.0",
        attribution: "Epoch AI, AI Benchmarking Hub",
        state: "2026-05-01",
    }],
};

/// Columns of scores, the metric, and its scale; the first column that a table has is used.
const COLUMNS: [(&str, &str, Scale); 27] = [
    ("mean_score", "mean score", Scale::Fraction),
    ("EM", "exact_match", Scale::Fraction),
    ("Challenge score", "accuracy", Scale::Fraction),
    ("Overall accuracy", "accuracy", Scale::Fraction),
    ("Accuracy mean", "accuracy", Scale::Fraction),
    ("Accuracy", "accuracy", Scale::Fraction),
    ("Average", "mean score", Scale::Fraction),
    ("Percent correct", "accuracy", Scale::Percent),
    ("Global average", "mean score", Scale::Percent),
    ("Average progress", "mean progress", Scale::Fraction),
    ("Score (AVG@5)", "mean of 5", Scale::Fraction),
    ("Score OPT@1", "opt@1", Scale::Fraction),
    ("120k token score", "accuracy", Scale::Fraction),
    ("Pass@1 score", "pass@1", Scale::Fraction),
    ("% Resolved", "resolved", Scale::Fraction),
    ("% Score", "mean score", Scale::Fraction),
    ("Unguided % Solved", "solved", Scale::Fraction),
    ("Average (%)", "mean score", Scale::Fraction),
    ("Overall pass (%)", "passed", Scale::Fraction),
    ("Win Rate (%)", "won", Scale::Fraction),
    ("Overall (no subtitles)", "accuracy", Scale::Fraction),
    ("Correct", "accuracy", Scale::Fraction),
    ("Average score", "mean score", Scale::Fraction),
    ("Mean score", "mean grade of 10", Scale::Own),
    ("Arena Score", "Elo", Scale::Own),
    ("Time horizon", "minutes", Scale::Own),
    ("ECI Score", "index", Scale::Own),
];
/// The column of all other tables, and the one table in which it is in percent.
const SCORE: (&str, &str) = ("Score", "os_world");
/// Columns of standard errors, which are in the score's unit.
const ERRORS: [&str; 4] = [
    "stderr",
    "Accuracy Standard Error",
    "Accuracy SE",
    "Average Standard error",
];
/// Columns of the day of the run.
const DAYS: [&str; 6] = [
    "Started at",
    "Date of evaluation",
    "Evaluation date",
    "Date run",
    "Run date",
    "Date",
];
/// Columns that distinguish runs, and the text put before their cells.
const SETTINGS: [(&str, &str); 4] = [
    ("Agent", "agent "),
    ("Scaffold", "scaffold "),
    ("LiveBench Version", ""),
    ("Source", "source "),
];

/// Whether a table is of this kind, by its header.
fn recognises(table: &Table) -> bool {
    [
        "Model version",
        "Training compute (FLOP)",
        "Release date",
        "Organization",
    ]
    .iter()
    .all(|name| table.find(name).is_some())
}

/// The benchmark of a table, from its file's name.
fn stem(file: &str) -> String {
    let name = file.rsplit('/').next().unwrap_or(file);
    let name = name.split('.').next().unwrap_or(name);
    let name = name.trim_end_matches("_external");
    name.strip_prefix("epoch_").unwrap_or(name).to_owned()
}

/// Reads the table into `out`.
fn read(
    table: &mut Table,
    (snapshot, version): State<'_>,
    identities: &Identities,
    out: &mut Out<'_>,
) -> Result<(), Error> {
    let benchmark = stem(&table.file);
    let is_gathered = table.file.contains("_external");
    let model = table.need(&["Model version"])?;
    let organisation = table.find("Organization");
    let (flop, confidence) = (table.find("Training compute (FLOP)"), table.find("Confidence"));
    let (released, shots) = (table.find("Release date"), table.find("Shots"));
    let find_any = |names: &[&str]| names.iter().find_map(|name| table.find(name));
    let (error, day) = (find_any(&ERRORS), find_any(&DAYS));
    let settings = SETTINGS.map(|(name, before)| (table.find(name), before));
    let scored = COLUMNS
        .iter()
        .find_map(|&(name, metric, scale)| Some((table.find(name)?, metric, scale)))
        .or_else(|| {
            let scale = if benchmark == SCORE.1 {
                Scale::Percent
            } else {
                Scale::Fraction
            };
            Some((table.find(SCORE.0)?, "score", scale))
        });
    let board = format!("{NAME}-{}", benchmark.replace('_', "-"));
    while let Some(cells) = table.next()? {
        let Some(printed) = cells.text(Some(model))? else {
            out.reject_row(cells.row, "Model version", "", "no_name")?;
            continue;
        };
        let (bare, mode) = mode_of(printed);
        let id = match identities.of_name(bare, cells.text(organisation)?.unwrap_or_default()) {
            Joined::To(id, rule) => {
                out.reject_field(
                    cells.row,
                    "Model version",
                    printed,
                    &format!("joined_by_{rule}: {id}"),
                )?;
                id
            }
            Joined::Unknown => {
                out.reject_row(
                    cells.row,
                    "Model version",
                    printed,
                    "no_open_checkpoint_of_that_name",
                )?;
                continue;
            }
            Joined::Several(ids) => {
                let raw = format!("{printed}: {}", ids.join(", "));
                out.reject_row(
                    cells.row,
                    "Model version",
                    &raw,
                    "several_checkpoints_of_that_name",
                )?;
                continue;
            }
        };
        let Some((column, metric, scale)) = scored else {
            out.reject_row(cells.row, "", printed, "no_score_in_table")?;
            continue;
        };
        let Some(value) = cells.float(Some(column))? else {
            out.reject_row(cells.row, "Score", printed, "no_score")?;
            continue;
        };
        if scale == Scale::Fraction && !(0.0..=1.0).contains(&value) {
            out.reject_row(cells.row, "Score", &value.to_string(), "score_out_of_range")?;
            continue;
        }
        let (points, unit) = scale.read(value);
        let error = cells
            .float(error)?
            .filter(|&error| error >= 0.0)
            .map(|error| scale.read(error).0);
        let evaluation = Evaluation {
            evaluation: format!("{board}/{}", cells.row),
            leaderboard: board.clone(),
            id: id.clone(),
            submitted: cells.text(day)?.and_then(calendar::day),
            ..Evaluation::default()
        };
        let stated = cells.text(released)?.and_then(calendar::day);
        out.observe(
            cells.row,
            Observed {
                id,
                released: stated,
                training_flop: count(&cells, flop, confidence)?,
                confidence: cells.text(confidence)?.map(str::to_owned),
                ..Observed::default()
            },
        )?;
        let row = Score {
            benchmark: format!("{NAME}_{benchmark}"),
            value: (points * 1e6).round() / 1e6,
            unit: unit.to_owned(),
            metric: Some(metric.to_owned()),
            scale: Some(RAW.to_owned()),
            shots: cells.text(shots)?.and_then(examples),
            setting: setting(&cells, &settings, is_gathered)?,
            mode,
            error,
            harness: (!is_gathered && day.is_some()).then(|| "Epoch AI, Inspect".to_owned()),
            ..score(&evaluation, snapshot, version)
        };
        out.evaluation(cells.row, evaluation, vec![row])?;
    }
    Ok(())
}

/// Training operations, where the table states its confidence in them.
fn count(cells: &Cells<'_>, flop: Option<usize>, confidence: Option<usize>) -> Result<Option<f64>, Error> {
    Ok(match confidence {
        Some(_) => cells.float(flop)?.filter(|&count| count > 0.0),
        None => None,
    })
}

/// The number of few-shot examples in `5`, `5-shot`, `0-shot CoT`.
fn examples(text: &str) -> Option<i64> {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let rest = &text[digits.len()..];
    let is_count = rest.is_empty() || rest.starts_with(['-', '.', ' ']);
    digits.parse().ok().filter(|_| is_count)
}

fn setting(
    cells: &Cells<'_>,
    columns: &[(Option<usize>, &str)],
    is_gathered: bool,
) -> Result<Option<String>, Error> {
    let mut parts = Vec::new();
    if is_gathered {
        parts.push("gathered".to_owned());
    }
    for &(column, before) in columns {
        if let Some(text) = cells.text(column)? {
            parts.push(format!("{before}{text}"));
        }
    }
    Ok((!parts.is_empty()).then(|| parts.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::{examples, stem};

    #[test]
    fn shots_and_names_of_benchmarks() {
        assert_eq!(
            [examples("5"), examples("25-shot"), examples("few")],
            [Some(5), Some(25), None]
        );
        assert_eq!(examples("5.0"), Some(5));
        assert_eq!(stem("epoch/benchmark_data/hella_swag_external.csv"), "hella_swag");
    }
}
