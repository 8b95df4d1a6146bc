//! Reads the Swallow leaderboard: one YAML list of checkpoints per dated state, each with suites of tasks in Japanese
//! and English.
//!
//! Each suite of each state is a board: tasks were revised between states, so states are never mixed. A file with a
//! date in its name is the state of that day; the newest has none. Scores are fractions. The mean of a suite is listed
//! among its tasks and stored as the evaluation's average. Metrics and few-shot examples are known for the suites that
//! the newest state defines; for the older `basic` ones they are not stated anywhere.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::calendar;
use crate::error::Error;
use crate::identity::Identities;
use crate::observed::{Observed, Out};
use crate::sources::metrics::RAW;
use crate::sources::{Board, Published, Reads, State, joined, score};
use crate::tables::Evaluation;

/// Name of this kind of source, and prefix of its boards' names.
const NAME: &str = "swallow";

/// The board, and where it was published.
pub(super) const BOARD: Board = Board {
    name: NAME,
    reads: Reads::Yaml(recognises, read),
    published: &[
        Published {
            path: "swallow/model-2025-06-26.yml",
            address: "https://github.com/swallow-llm/leaderboard",
            revision: "7b515e6",
            license: "CC-BY-4.0",
            attribution: "Swallow LLM team",
            state: "2025-06-26",
        },
        Published {
            path: "swallow/model-2026-02-20.yml",
            address: "https://github.com/swallow-llm/leaderboard",
            revision: "2e1f710",
            license: "CC-BY-4.0",
            attribution: "Swallow LLM team",
            state: "2026-02-20",
        },
        Published {
            path: "swallow/model.yml",
            address: "https://github.com/swallow-llm/leaderboard",
            revision: "ed3805c3",
            license: "CC-BY-4.0",
            attribution: "Swallow LLM team",
            state: "2026-06-24",
        },
    ],
};

/// Greatest size in bytes of a list of checkpoints.
const LONGEST: usize = 16 << 20;

#[derive(Deserialize)]
struct Entry {
    id: String,
    date: Option<String>,
    params: Option<Value>,
    active_params: Option<Value>,
    reasoning: Option<Value>,
    url: Option<String>,
    results: BTreeMap<String, BTreeMap<String, Value>>,
}

/// Task, metric, few-shot examples; for the tasks of suites for checkpoints before post-training (`task_pre.yml`).
const BEFORE: [(&str, &str, i64); 20] = [
    ("JComQA", "accuracy", 4),
    ("JEMHopQA", "character_f1", 4),
    ("NIILC", "character_f1", 4),
    ("JSQuAD", "character_f1", 4),
    ("XLSum", "rouge_2", 1),
    ("MGSM", "exact_match", 4),
    ("WMT20enja", "bleu", 4),
    ("WMT20jaen", "bleu", 4),
    ("JMMLU", "accuracy", 5),
    ("JHumanEval", "pass@1", 0),
    ("OpenBookQA", "accuracy", 4),
    ("TriviaQA", "exact_match", 4),
    ("HellaSwag", "accuracy", 4),
    ("SQuAD2", "exact_match", 4),
    ("XWINO", "accuracy", 4),
    ("MMLU", "accuracy", 5),
    ("GSM8K", "exact_match", 4),
    ("MATH", "exact_match", 4),
    ("BBH", "exact_match", 3),
    ("HumanEval", "pass@1", 0),
];

/// Whether a file may be a state of this board, by its name and first bytes.
fn recognises(file: &str, start: &[u8]) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.starts_with("model") && String::from_utf8_lossy(start).contains("Swallow LLM Leaderboard")
}

/// The date in a file's name: `model-2025-06-26.yml`.
fn state_of(file: &str) -> Option<&str> {
    let stem = file.rsplit('/').next().unwrap_or(file).split('.').next()?;
    let date = stem.strip_prefix("model-")?;
    calendar::day(date).map(|_| date)
}

/// A suite's metric for a task, and its number of few-shot examples.
fn counted(suite: &str, task: &str) -> (Option<&'static str>, Option<i64>) {
    if suite.ends_with("_pre") {
        let found = BEFORE.iter().find(|(known, ..)| *known == task);
        return (
            found.map(|(_, metric, _)| *metric),
            found.map(|(.., shots)| *shots),
        );
    }
    if suite.ends_with("_post") {
        let metric = if task.starts_with("WMT") {
            "bleu"
        } else {
            "accuracy"
        };
        return (Some(metric), Some(0));
    }
    if suite.ends_with("_mtb") {
        return (Some("reference-guided grading by a model"), None);
    }
    (None, None)
}

/// Reads one state into `out`; returns the number of rows.
fn read(
    bytes: &[u8],
    file: &str,
    (snapshot, version): State<'_>,
    identities: &Identities,
    out: &mut Out<'_>,
) -> Result<u64, Error> {
    let shape = |message: String| Error::Shape {
        file: file.to_owned(),
        message,
    };
    if bytes.len() > LONGEST {
        return Err(shape(format!(
            "{} bytes, a list of checkpoints has at most {LONGEST}",
            bytes.len()
        )));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| shape(format!("not UTF-8 after byte {}", error.valid_up_to())))?;
    let entries: Vec<Entry> = serde_saphyr::from_str(text).map_err(|error| shape(error.to_string()))?;
    let state = state_of(file);
    let version = state.unwrap_or(version);
    let prefix = state.map_or_else(|| NAME.to_owned(), |state| format!("{NAME}-{state}"));
    let rows = entries.len() as u64;
    for (row, entry) in (0_u64..).zip(entries) {
        let is_on_hub = entry
            .url
            .as_deref()
            .is_some_and(|url| url.contains("huggingface.co/"));
        // Two closed models have an invalid link to the Hub; the parameters of closed models are not known.
        let is_sized = entry
            .params
            .as_ref()
            .and_then(Value::as_f64)
            .is_some_and(|count| count > 0.0);
        if !is_on_hub || !is_sized || entry.id.split('/').count() != 2 {
            out.reject_row(row, "id", &entry.id, "not_a_checkpoint")?;
            continue;
        }
        if let Some(id) = joined(identities.of_id(&entry.id), &entry.id, row, out)? {
            one(&entry, &id, (row, &prefix), (snapshot, version), out)?;
        }
    }
    Ok(rows)
}

/// Reads the suites of one checkpoint.
fn one(
    entry: &Entry,
    id: &str,
    (row, prefix): (u64, &str),
    (snapshot, version): State<'_>,
    out: &mut Out<'_>,
) -> Result<(), Error> {
    let mode = entry.reasoning.as_ref().and_then(Value::as_str).and_then(mode_of);
    let number = |value: &Option<Value>| value.as_ref().and_then(Value::as_f64);
    out.observe(
        row,
        Observed {
            id: id.to_owned(),
            released: entry.date.as_deref().and_then(calendar::day),
            ..Observed::default()
        },
    )?;
    for (suite, tasks) in &entry.results {
        let board = format!("{prefix}-{}", suite.replace('_', "-"));
        let mut evaluation = Evaluation {
            evaluation: format!("{board}/{row}"),
            leaderboard: board,
            id: id.to_owned(),
            listed_size: number(&entry.params),
            moe: match (number(&entry.params), number(&entry.active_params)) {
                (Some(all), Some(active)) => Some(active < all),
                _ => None,
            },
            ..Evaluation::default()
        };
        let mut scores = Vec::new();
        for (task, value) in tasks {
            let Some(value) = value.as_f64().filter(|value| value.is_finite()) else {
                if !value.is_null() {
                    out.reject_field(
                        row,
                        &format!("{suite}.{task}"),
                        &value.to_string(),
                        "not_a_number",
                    )?;
                }
                continue;
            };
            if task.starts_with("__") {
                out.reject_field(
                    row,
                    &format!("{suite}.{task}"),
                    &value.to_string(),
                    "task_hidden_by_the_board",
                )?;
                continue;
            }
            if !(0.0..=1.0).contains(&value) {
                out.reject_field(
                    row,
                    &format!("{suite}.{task}"),
                    &value.to_string(),
                    "score_out_of_range",
                )?;
                continue;
            }
            // Fractions have three decimals, so points have one.
            let points = (value * 1e5).round() / 1e3;
            if task.to_ascii_lowercase().ends_with("avg") {
                evaluation.average = Some(points);
                continue;
            }
            let (metric, shots) = counted(suite, task);
            scores.push((task, points, metric, shots));
        }
        let scores = scores
            .into_iter()
            .map(|(task, value, metric, shots)| crate::tables::Score {
                benchmark: benchmark(&evaluation.leaderboard, task),
                value,
                metric: metric.map(str::to_owned),
                scale: metric.map(|_| RAW.to_owned()),
                shots,
                setting: suite.ends_with("_post").then(|| "chain of thought".to_owned()),
                mode: mode.clone(),
                ..score(&evaluation, snapshot, version)
            })
            .collect();
        out.evaluation(row, evaluation, scores)?;
    }
    Ok(())
}

/// Board and task as one name: `swallow_en_post_mmlu_pro`.
fn benchmark(board: &str, task: &str) -> String {
    let task = task.to_ascii_lowercase().replace(['-', ' '], "_");
    format!("{}_{task}", board.replace('-', "_"))
}

/// The reasoning mode from `on`, `on (medium)` or `off`; models without such a switch have `N/A`.
fn mode_of(printed: &str) -> Option<String> {
    let inside = printed
        .split_once('(')
        .map(|(_, inside)| inside.trim_end_matches(')'));
    match (printed.split(' ').next()?, inside) {
        ("on", Some(effort)) => Some(format!("effort {effort}")),
        ("on", None) => Some("thinking".to_owned()),
        ("off", _) => Some("no-thinking".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_states_and_names() {
        assert_eq!(mode_of("on (high)").as_deref(), Some("effort high"));
        assert_eq!(mode_of("on").as_deref(), Some("thinking"));
        assert_eq!(mode_of("N/A"), None);
        assert_eq!(state_of("swallow/model-2025-06-26.yml"), Some("2025-06-26"));
        assert_eq!(state_of("swallow/model.yml"), None);
        assert_eq!(
            benchmark("swallow-en-post", "MMLU-Pro"),
            "swallow_en_post_mmlu_pro"
        );
    }
}
