//! Reads instances of Every Eval Ever (schema 0.3 and earlier): JSON lines, one per item and metric.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;

use super::ItemRow;
use super::found::{FileRow, Sink, folder_name};
use crate::config::fields;
use crate::config::json;
use crate::error::{Error, cut};
use crate::sources::samples;

/// Whether a line is an instance.
pub(super) fn recognises(first: &[u8]) -> bool {
    let Ok(value) = json::parse(first, "") else {
        return false;
    };
    ["evaluation_id", "sample_id", "evaluation"]
        .iter()
        .all(|name| value.get(*name).is_some())
}

/// Passes every row to `sink`. Where a benchmark has several metrics, the first is stored under the benchmark's name,
/// the others with the metric's name appended; a repetition of an item within a run is stored as another item.
pub(super) fn read(path: &Path, file: &str, sink: Sink<'_>) -> Result<(), Error> {
    let mut first: HashMap<String, String> = HashMap::new();
    let mut times = Times::default();
    samples::each_line(path, file, &mut |row, value| {
        let Some(line) = value.as_object() else {
            return sink(row, FileRow::LeftOut("not_json"));
        };
        let (Some(id), Some(benchmark), Some(item)) = (
            fields::text(line, &["model_id"]),
            fields::text(line, &["evaluation_name"]),
            line.get("sample_id").and_then(plain),
        ) else {
            return sink(row, FileRow::LeftOut("no_item"));
        };
        let told = fields::object(line, &["evaluation"]);
        let score = told
            .and_then(|told| told.get("score")?.as_f64())
            .filter(|score| score.is_finite());
        let correct = told.and_then(|told| told.get("is_correct")?.as_bool());
        if score.is_none() && correct.is_none() {
            return sink(row, FileRow::LeftOut("no_answer"));
        }
        let metric = fields::text(line, &["evaluation_result_id"]);
        let mut name = folder_name(benchmark);
        let counts = first
            .entry(name.clone())
            .or_insert_with(|| metric.unwrap_or_default().to_owned());
        if let Some(metric) = metric
            && counts != metric
        {
            name = folder_name(&format!("{name}.{metric}"));
        }
        let answers = fields::list(line, &["answer_attribution"]).unwrap_or_default();
        let prediction = answers
            .last()
            .and_then(|answer| answer.get("extracted_value")?.as_str());
        let row_of = ItemRow {
            id: id.to_owned(),
            item: times.item(&name, id, item),
            correct,
            score: score.or_else(|| Some(f64::from(u8::from(correct?)))),
            metric: metric.map(str::to_owned),
            loglikelihood: None,
            prediction: prediction.map(|text| cut(text.trim())),
        };
        sink(row, FileRow::Answer(name, row_of))
    })
}

/// A number or text as text; `None` for anything else or empty text.
pub(super) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Counts how often each item of a file occurred.
#[derive(Debug, Default)]
pub(super) struct Times {
    seen: HashMap<(String, String, String), u32>,
}

impl Times {
    /// The item's name, with `#2` and so on appended from its second occurrence.
    pub(super) fn item(&mut self, benchmark: &str, id: &str, item: String) -> String {
        let seen = self
            .seen
            .entry((benchmark.to_owned(), id.to_owned(), item.clone()))
            .or_insert(0);
        *seen += 1;
        if *seen == 1 {
            item
        } else {
            format!("{item}#{seen}")
        }
    }
}
