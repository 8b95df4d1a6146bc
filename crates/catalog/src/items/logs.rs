//! Reads the samples of an Inspect log: from an archive its summaries, or else the samples one by one; from JSON the
//! list of samples.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::ItemRow;
use super::found::{FileRow, Sink, folder_name};
use super::instances::{Times, plain};
use crate::config::fields::{self, Fields};
use crate::config::json;
use crate::error::{Error, cut};
use crate::sources::archive::{Archive, MAGIC};
use crate::sources::inspect;

/// Greatest size in bytes of all summaries, or of one sample, after decompression.
const LONGEST: u64 = 512 << 20;

/// Whether a file with this beginning is a log: a log's parts come in a fixed order, with the samples last.
pub(super) fn recognises(start: &[u8]) -> bool {
    let text = String::from_utf8_lossy(start);
    let has = |name: &str| text.contains(name);
    text.trim_start_matches('\u{feff}').trim_start().starts_with('{')
        && has("\"status\"")
        && has("\"eval\"")
        && has("\"task\"")
        && has("\"model\"")
}

/// Passes every sample and score to `sink`.
pub(super) fn read(path: &Path, file: &str, sink: Sink<'_>) -> Result<(), Error> {
    let mut start = [0; 4];
    let is_archive = {
        use std::io::Read as _;
        let mut source = fs::File::open(path).map_err(Error::io(path))?;
        source.read_exact(&mut start).is_ok() && start == *MAGIC
    };
    if !is_archive {
        let bytes = fs::read(path).map_err(Error::io(path))?;
        let log = json::parse(&bytes, file)?;
        drop(bytes);
        let mut rows = Rows::of(&log, file)?;
        let samples = log.get("samples").and_then(Value::as_array);
        return samples
            .into_iter()
            .flatten()
            .try_for_each(|sample| rows.sample(sample, sink));
    }
    let mut rows = Rows::of(&inspect::header(path, file)?, file)?;
    let mut archive = Archive::open(path, file)?;
    if let Some(bytes) = archive.read("summaries.json", LONGEST)? {
        let summaries = json::parse(&bytes, &format!("{file}: summaries.json"))?;
        let samples = summaries.as_array();
        return samples
            .into_iter()
            .flatten()
            .try_for_each(|sample| rows.sample(sample, sink));
    }
    let names: Vec<String> = archive
        .names()
        .filter(|name| name.starts_with("samples/"))
        .map(str::to_owned)
        .collect();
    for name in names {
        let bytes = archive.read(&name, LONGEST)?.unwrap_or_default();
        rows.sample(&json::parse(&bytes, &format!("{file}: {name}"))?, sink)?;
    }
    Ok(())
}

struct Rows {
    id: String,
    task: String,
    times: Times,
    row: u64,
}

impl Rows {
    fn of(log: &Value, file: &str) -> Result<Self, Error> {
        match (inspect::model_of(log), inspect::task_of(log)) {
            (Some(id), Some(task)) => Ok(Self {
                id,
                task: folder_name(&task),
                times: Times::default(),
                row: 0,
            }),
            _ => Err(Error::Shape {
                file: file.to_owned(),
                message: "eval.model or eval.task is not text".to_owned(),
            }),
        }
    }

    fn give(&mut self, found: FileRow, sink: Sink<'_>) -> Result<(), Error> {
        self.row += 1;
        sink(self.row - 1, found)
    }

    /// Passes on the scores of one sample: the first scorer's under the task's name, others with the scorer's name
    /// appended.
    fn sample(&mut self, sample: &Value, sink: Sink<'_>) -> Result<(), Error> {
        let empty = Fields::new();
        let sample = sample.as_object().unwrap_or(&empty);
        let Some(item) = sample.get("id").and_then(plain) else {
            return self.give(FileRow::LeftOut("no_item"), sink);
        };
        let scores = fields::object(sample, &["scores"]).unwrap_or(&empty);
        if scores.is_empty() {
            return self.give(FileRow::LeftOut("no_answer"), sink);
        }
        for (place, (scorer, told)) in scores.iter().enumerate() {
            let Some(score) = told.get("value").and_then(number) else {
                self.give(FileRow::LeftOut("score_is_no_number"), sink)?;
                continue;
            };
            let benchmark = if place == 0 {
                self.task.clone()
            } else {
                folder_name(&format!("{}.{scorer}", self.task))
            };
            let answer = told.get("answer").and_then(Value::as_str);
            let row = ItemRow {
                id: self.id.clone(),
                item: self.times.item(&benchmark, &self.id, item.clone()),
                correct: (score == 0.0 || score == 1.0).then_some(score == 1.0),
                score: Some(score),
                metric: Some(scorer.clone()),
                loglikelihood: None,
                prediction: answer.map(|text| cut(text.trim())),
            };
            self.give(FileRow::Answer(benchmark, row), sink)?;
        }
        Ok(())
    }
}

/// A score's value as Inspect itself converts it: C is right (1), P half, I and N (no answer) wrong (0).
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(right) => Some(f64::from(u8::from(*right))),
        Value::Number(number) => number.as_f64().filter(|number| number.is_finite()),
        Value::String(text) => match text.as_str() {
            "C" | "yes" | "true" => Some(1.0),
            "P" => Some(0.5),
            "I" | "N" | "no" | "false" => Some(0.0),
            other => other
                .trim()
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite()),
        },
        _ => None,
    }
}
