//! Section on evaluations in the results format of lm-evaluation-harness.

use std::collections::BTreeMap;

use mechanism::evaluate::metrics::Mean;
use mechanism::evaluate::results::interval;
use serde::Deserialize;
use serde_json::Value;
use study::finding::{Finding, Interval};
use study::section::{Axis, Bar, Drawing, Figure, Section, Table};

use super::{Named, slug, source};

/// The fields used of a results file.
#[derive(Debug, Deserialize)]
pub(super) struct Results {
    #[serde(rename = "results")]
    tasks: BTreeMap<String, BTreeMap<String, Value>>,
    #[serde(default, rename = "n-shot")]
    shots: BTreeMap<String, Value>,
    #[serde(default, rename = "n-samples")]
    samples: BTreeMap<String, Value>,
    #[serde(default)]
    groups: BTreeMap<String, Value>,
}

/// The value of one metric of one task.
struct Score<'a> {
    task: &'a str,
    /// Name of the metric, e.g. `acc_norm`, followed by its filter unless that is `none`.
    metric: String,
    value: f64,
    error: Option<f64>,
    /// Whether each item is simply right or wrong.
    yes_or_no: bool,
    n: usize,
    shots: Option<u64>,
}

impl Results {
    fn scores(&self) -> Vec<Score<'_>> {
        let mut scores = Vec::new();
        for (task, entry) in &self.tasks {
            for (key, value) in entry {
                let Some((metric, filter)) = key.split_once(',') else {
                    continue;
                };
                let Some(value) = value.as_f64().filter(|_| !metric.ends_with("_stderr")) else {
                    continue;
                };
                let error = entry.get(&format!("{metric}_stderr,{filter}"));
                let samples = self.samples.get(task).and_then(|n| n.get("effective"));
                let n = samples
                    .or_else(|| entry.get("sample_len"))
                    .and_then(Value::as_u64);
                let error = error.and_then(Value::as_f64);
                let n = usize::try_from(n.unwrap_or(0)).unwrap_or(0);
                scores.push(Score {
                    task,
                    yes_or_no: yes_or_no(value, n, error.filter(|_| !self.groups.contains_key(task)))
                        && matches!(metric, "acc" | "acc_norm" | "exact_match")
                        && task != "truthfulqa_mc2",
                    metric: if filter == "none" {
                        metric.to_owned()
                    } else {
                        format!("{metric} ({filter})")
                    },
                    value,
                    error,
                    n,
                    shots: self.shots.get(task).and_then(Value::as_u64),
                });
            }
        }
        scores
    }
}

/// Builds the section.
pub(super) fn section(all: &[Named<Results>]) -> Section {
    let mut section = Section {
        id: "evaluation".into(),
        title: "Inside checkpoints: scores of our own runs".into(),
        ..Section::default()
    };
    let (mut bars, mut rows) = (Vec::new(), Vec::new());
    for named in all {
        for score in named.result.scores() {
            let found = finding(named, &score);
            let ends = found.interval.as_ref();
            rows.push(vec![
                named.name.clone().into(),
                score.task.into(),
                score.metric.as_str().into(),
                score.shots.map(|shots| shots as f64).into(),
                found.value.into(),
                ends.map(|ends| ends.low).into(),
                ends.map(|ends| ends.high).into(),
                found.n.into(),
            ]);
            bars.push(Bar {
                group: format!("{}, {}", score.task, score.metric),
                series: named.name.clone(),
                value: 100.0 * score.value,
                interval: ends.map(|ends| (ends.low, ends.high)),
            });
            section.findings.push(found);
        }
    }
    section.text.push(format!(
        "{} scores of {} runs, in the tasks and with the prompts of lm-evaluation-harness.",
        rows.len(),
        all.len()
    ));
    let n = section.findings.iter().map(|finding| finding.n).sum();
    section.figures.push(Figure {
        id: "evaluation-scores".into(),
        title: "Scores of our own runs".into(),
        caption: format!("Scores with 95 % intervals over items; n = {n} items asked in all."),
        n,
        x: Axis::linear("score (points)"),
        y: Axis::default(),
        drawing: Drawing::Intervals {
            rows: bars,
            reference: f64::NAN,
        },
    });
    section.tables.push(Table {
        id: "evaluation-scores".into(),
        caption: "Scores in points with 95 % intervals over items.".into(),
        columns: [
            "result", "task", "metric", "shots", "score", "low", "high", "items",
        ]
        .map(String::from)
        .to_vec(),
        rows,
        shown: true,
    });
    section
}

fn finding(named: &Named<Results>, score: &Score<'_>) -> Finding {
    let value = 100.0 * score.value;
    let mean = Mean {
        value: score.value,
        standard_error: score.error,
        n: score.n,
    };
    let ends = interval(&mean, score.yes_or_no);
    Finding::new(
        format!(
            "evaluation.{}.{}.{}",
            slug(&named.name),
            slug(score.task),
            slug(&score.metric)
        ),
        format!(
            "What does the checkpoint score on {} ({})?",
            score.task, score.metric
        ),
        &source(&named.name, "evaluate"),
    )
    .with_value(value, "points", score.n, "mean over items")
    .with_interval(ends.map(|(low, high)| Interval {
        low: 100.0 * low,
        high: 100.0 * high,
        level: 0.95,
        method: if score.yes_or_no {
            "Wilson, over items".into()
        } else {
            "mean over items, on the scale of log-odds".into()
        },
    }))
    .with_figure("evaluation-scores")
}

/// Whether a mean and its standard error are those of `n` zeros and ones: among values in [0, 1] with this mean, these
/// have the largest error.
fn yes_or_no(value: f64, n: usize, error: Option<f64>) -> bool {
    let size = n as f64;
    let whole =
        n > 0 && (0.0..=1.0).contains(&value) && (value * size - (value * size).round()).abs() < 1e-6 * size;
    let variance = value * (1.0 - value) / (size - 1.0);
    whole
        && error
            .is_none_or(|error| n < 2 || (error - variance.max(0.0).sqrt()).abs() < 1e-3 * error.max(1e-6))
}
