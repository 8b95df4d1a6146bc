//! Recognises the kinds of files with answers to items, and reads them row by row.
//!
//! A dialect that no file is recognised as would never be read; this is a compile error.
#![deny(dead_code)]

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::found::{FileRow, PathFields, Sink};
use super::{ItemRow, PARTITION, details, foreign, instances, logs};
use crate::error::{Error, cut};
use crate::sources::{archive, samples};
use crate::stores;

/// Kind of a file with answers to items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `samples_TASK_TIME.jsonl` of lm-evaluation-harness.
    Samples,
    /// Items written by `anatomy probe evaluate --items`.
    Answers,
    /// Parquet with the columns of an item table.
    Parquet,
    /// Instances of Every Eval Ever, as JSON lines.
    Instances,
    /// A log of Inspect with its samples, as `.eval` or `.json`.
    Inspect,
    /// Details of lighteval, as Parquet.
    Details,
}

impl Dialect {
    /// Name shown to users.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Samples => "lm-evaluation-harness samples",
            Self::Answers => "items of probe evaluate",
            Self::Parquet => "item table",
            Self::Instances => "Every Eval Ever instances",
            Self::Inspect => "Inspect samples",
            Self::Details => "lighteval details",
        }
    }
}

/// The dialect of the file at `path`, and what its path states; `None` for a file of another kind.
pub(super) fn tell(path: &Path, file: &str) -> Result<Option<(Dialect, PathFields)>, Error> {
    let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    match ending.as_deref() {
        Some("parquet") if details::told_by(file).is_some() => {
            Ok(details::told_by(file).map(|place| (Dialect::Details, place)))
        }
        Some("eval") => {
            let start = stores::start(path, archive::MAGIC.len() as u64)?;
            Ok((start == archive::MAGIC).then(|| (Dialect::Inspect, PathFields::default())))
        }
        Some("parquet") => {
            let hive = format!("{PARTITION}=");
            let benchmark = file.rsplit('/').skip(1).find_map(|part| part.strip_prefix(&hive));
            let place = PathFields {
                id: None,
                benchmark: benchmark.map(str::to_owned),
            };
            Ok(Some((Dialect::Parquet, place)))
        }
        Some("jsonl" | "json") => {
            if let Some((benchmark, id)) = samples::told_at(path, file) {
                let place = PathFields {
                    id: Some(id).filter(|id| id != "unknown"),
                    benchmark: Some(benchmark),
                };
                return Ok(Some((Dialect::Samples, place)));
            }
            let start = stores::start(path, 1 << 20)?;
            let first = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
            let dialect = if serde_json::from_slice::<Answer>(first).is_ok() {
                Dialect::Answers
            } else if instances::recognises(first) {
                Dialect::Instances
            } else if ending.as_deref() == Some("json") && logs::recognises(&start) {
                Dialect::Inspect
            } else {
                return Ok(None);
            };
            Ok(Some((dialect, PathFields::default())))
        }
        _ => Ok(None),
    }
}

/// Passes every row of a file to `sink`. `filter` names the lm-evaluation-harness filter whose answers count where
/// there are several; if `None`, the first that the file names.
pub(super) fn read(
    path: &Path,
    file: &str,
    dialect: Dialect,
    place: &PathFields,
    filter: Option<&str>,
    sink: Sink<'_>,
) -> Result<(), Error> {
    match dialect {
        Dialect::Samples => read_samples(path, file, place, filter, sink),
        Dialect::Answers => samples::each_line(path, file, &mut |row, value| {
            if value.is_null() {
                return sink(row, FileRow::LeftOut("not_json"));
            }
            let answer = Answer::deserialize(&value).map_err(|error| Error::Shape {
                file: format!("{file}, row {row}"),
                message: error.to_string(),
            })?;
            sink(row, answer.found(filter))
        }),
        Dialect::Parquet => foreign::read(path, file, place, sink),
        Dialect::Instances => instances::read(path, file, sink),
        Dialect::Inspect => logs::read(path, file, sink),
        Dialect::Details => details::read(path, file, place, sink),
    }
}

fn read_samples(
    path: &Path,
    file: &str,
    place: &PathFields,
    filter: Option<&str>,
    sink: Sink<'_>,
) -> Result<(), Error> {
    let benchmark = place.benchmark.clone().unwrap_or_default();
    let id = place.id.clone().unwrap_or_default();
    let mut counts = filter.map(str::to_owned);
    samples::each_line(path, file, &mut |row, value| {
        if value.is_null() {
            return sink(row, FileRow::LeftOut("not_json"));
        }
        let Some(item) = samples::item(&value, &benchmark, &id, file) else {
            return sink(row, FileRow::LeftOut("no_item"));
        };
        let named = value.get("filter").and_then(Value::as_str);
        if let Some(named) = named
            && counts.get_or_insert_with(|| named.to_owned()) != named
        {
            return sink(row, FileRow::LeftOut("other_filter"));
        }
        let metric = item.metric.map(|metric| match named {
            Some(filter) => format!("{metric},{filter}"),
            None => metric,
        });
        let answered = ItemRow {
            id: item.id,
            item: item.item,
            correct: item.correct,
            score: item.score,
            metric,
            loglikelihood: item.loglikelihood,
            prediction: prediction(&value),
        };
        sink(row, FileRow::Answer(benchmark.clone(), answered))
    })
}

/// The index of the most likely choice, or the text that a filter extracted from the generated output.
fn prediction(sample: &Value) -> Option<String> {
    let answers = sample.get("filtered_resps")?.as_array()?;
    if let Some(text) = answers.first()?.as_str() {
        return Some(cut(text.trim()));
    }
    let scores: Option<Vec<f64>> = answers
        .iter()
        .map(|answer| answer.get(0).and_then(samples::number_or_text))
        .collect();
    Some(likeliest(&scores?)?.to_string())
}

/// Index of the greatest value, the first on ties; `None` for no values.
fn likeliest(values: &[f64]) -> Option<usize> {
    let first = (0, *values.first()?);
    let best = values.iter().enumerate().fold(
        first,
        |best, (place, &value)| {
            if value > best.1 { (place, value) } else { best }
        },
    );
    Some(best.0)
}

/// One line of an item table written by `anatomy probe evaluate`.
#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(default)]
    id: String,
    task: String,
    doc_id: u64,
    log_likelihoods: Vec<f64>,
    prediction: Option<usize>,
    gold: Option<usize>,
    correct: Option<bool>,
    #[serde(default)]
    generated: Option<String>,
    metrics: BTreeMap<String, f64>,
}

impl Answer {
    fn found(self, filter: Option<&str>) -> FileRow {
        let named = |name: &&str| {
            let full = self
                .metrics
                .keys()
                .find(|key| match (key.split_once(','), filter) {
                    (Some((metric, of)), Some(filter)) => metric == *name && (of == filter || of == "none"),
                    (Some((metric, _)), None) => metric == *name,
                    (None, _) => key == name,
                });
            full.cloned()
        };
        let metric = samples::METRICS.iter().find_map(named);
        let score = metric
            .as_ref()
            .and_then(|metric| self.metrics.get(metric).copied());
        let right = self.gold.and_then(|gold| self.log_likelihoods.get(gold).copied());
        let row = ItemRow {
            id: self.id,
            item: self.doc_id.to_string(),
            correct: score
                .filter(|&score| score == 0.0 || score == 1.0)
                .map_or(self.correct, |score| Some(score == 1.0)),
            score,
            metric,
            loglikelihood: right.filter(|value| value.is_finite()),
            prediction: self
                .prediction
                .map(|choice| choice.to_string())
                .or_else(|| self.generated.as_deref().map(|text| cut(text.trim()))),
        };
        FileRow::Answer(self.task, row)
    }
}
