//! Results of lm-evaluation-harness (`results_*.json`), of version 0.4 and of the first leaderboard's runs.

use serde_json::Value;

use crate::calendar;
use crate::config::fields::{self, Fields};
use crate::error::Error;
use crate::observed::{Observed, Out};
use crate::sources::metrics::{self, RAW, Scale};
use crate::tables::{Days, Evaluation, Score};

/// Name of the leaderboard its scores are listed under.
pub(crate) const NAME: &str = "lm-evaluation-harness";

/// Task, metric, and the benchmark of a leaderboard that this is.
const CANONICAL: [(&str, &str, &str); 13] = [
    ("arc_challenge", "acc_norm", "arc"),
    ("hellaswag", "acc_norm", "hellaswag"),
    ("mmlu", "acc", "mmlu"),
    ("truthfulqa_mc2", "acc", "truthfulqa"),
    ("winogrande", "acc", "winogrande"),
    ("gsm8k", "exact_match", "gsm8k"),
    ("gsm8k", "acc", "gsm8k"),
    ("leaderboard_bbh", "acc_norm", "bbh"),
    ("leaderboard_gpqa", "acc_norm", "gpqa"),
    ("leaderboard_math_hard", "exact_match", "math"),
    ("leaderboard_musr", "acc_norm", "musr"),
    ("leaderboard_mmlu_pro", "acc", "mmlu_pro"),
    ("leaderboard_ifeval", "prompt_level_strict_acc", "ifeval"),
];

/// Whether a JSON value is a file of results.
pub(crate) fn recognises(value: &Value) -> bool {
    let has = |names: &[&str]| names.iter().any(|name| value.get(*name).is_some());
    value.get("results").is_some_and(Value::is_object)
        && has(&["versions", "config", "configs", "config_general", "n-shot"])
}

/// Reads one file into `out`; returns the number of rows: tasks.
pub(crate) fn read(value: &Value, file: &str, snapshot: &str, out: &mut Out<'_>) -> Result<u64, Error> {
    let empty = Fields::new();
    let whole = value.as_object().unwrap_or(&empty);
    let config = fields::object(whole, &["config", "config_general"]).unwrap_or(&empty);
    let Some(id) = checkpoint(whole, config) else {
        return Err(Error::Shape {
            file: file.to_owned(),
            message: "neither model_name nor config.model_args names a checkpoint".to_owned(),
        });
    };
    let date = date(whole);
    let template = whole.get("chat_template").map(|template| !template.is_null());
    let evaluation = Evaluation {
        evaluation: format!("{NAME}/{id}/{}", file.rsplit('/').next().unwrap_or(file)),
        leaderboard: NAME.to_owned(),
        id: id.clone(),
        revision: fields::text(config, &["model_sha", "model_revision"]).map(str::to_owned),
        precision: fields::text(config, &["model_dtype", "dtype"])
            .map(|kind| kind.trim_start_matches("torch.").to_owned()),
        chat_template: template,
        submitted: date,
        ..Evaluation::default()
    };
    let (mut row, mut scores) = (0, Vec::new());
    let limit = config
        .get("limit")
        .filter(|limit| !limit.is_null())
        .map(ToString::to_string);
    let shots = fields::object(whole, &["n-shot"]);
    let results = fields::object(whole, &["results"]).unwrap_or(&empty);
    let percent = metrics::contradicted(results.iter().flat_map(|(task, values)| {
        let values = values.as_object().into_iter().flatten();
        values.filter_map(move |(name, value)| {
            let metric = name.split_once(',').map_or(name.as_str(), |(metric, _)| metric);
            Some((task.as_str(), metric, value.as_f64()?))
        })
    }));
    for (task, values) in results {
        let (task, stated) = plain_task(task);
        let shots = shots.and_then(|shots| fields::count(shots, &[&task])).or(stated);
        let before = scores.len();
        for (name, value) in values.as_object().unwrap_or(&empty) {
            let (metric, filter) = name.split_once(',').unwrap_or((name, "none"));
            let Some((number, declared)) = value
                .as_f64()
                .filter(|value| value.is_finite())
                .and_then(|value| Some((value, metrics::declared(&task, metric)?)))
            else {
                continue;
            };
            let scale = if declared == Scale::Fraction && percent.contains(metric) {
                Scale::Own
            } else {
                declared
            };
            let (value, unit) = scale.read(number);
            let known = CANONICAL
                .iter()
                .find(|(t, m, _)| *t == task && *m == metric)
                .map(|(.., benchmark)| *benchmark);
            scores.push(Score {
                evaluation: evaluation.evaluation.clone(),
                id: id.clone(),
                leaderboard: NAME.to_owned(),
                version: date.map(calendar::text).unwrap_or_default(),
                benchmark: known.map_or_else(|| task.clone(), str::to_owned),
                value,
                unit: unit.to_owned(),
                metric: Some(metric.to_owned()),
                scale: Some(RAW.to_owned()),
                precision: evaluation.precision.clone(),
                shots,
                chat_template: template,
                setting: setting(filter, limit.as_deref()),
                date,
                snapshot: snapshot.to_owned(),
                ..Score::default()
            });
        }
        if scores.len() == before {
            out.reject_row(row, &task, &values.to_string(), "no_metric_of_a_known_kind")?;
        } else {
            out.observe(
                row,
                Observed {
                    id: id.clone(),
                    revision: evaluation.revision.clone(),
                    ..Observed::default()
                },
            )?;
        }
        row += 1;
    }
    if !scores.is_empty() {
        out.evaluation(row - 1, evaluation, scores)?;
    }
    Ok(row)
}

/// `harness|arc:challenge|25` is `arc_challenge`, 25 shots.
fn plain_task(task: &str) -> (String, Option<i64>) {
    let mut parts = task.split('|');
    match (parts.next(), parts.next(), parts.next()) {
        (Some("harness" | "leaderboard" | "lighteval" | "custom"), Some(name), shots) => {
            (name.replace(':', "_"), shots.and_then(|shots| shots.parse().ok()))
        }
        _ => (task.to_owned(), None),
    }
}

/// What else tells runs apart: the filter of answers, and how many items were answered where not all.
fn setting(filter: &str, limit: Option<&str>) -> Option<String> {
    let filter = (filter != "none").then(|| format!("filter {filter}"));
    let limit = limit.map(|limit| format!("limit {limit}"));
    let parts: Vec<String> = filter.into_iter().chain(limit).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn checkpoint(whole: &Fields, config: &Fields) -> Option<String> {
    let arguments = config.get("model_args");
    let pretrained = match arguments {
        Some(Value::String(text)) => text
            .split(',')
            .find_map(|part| part.trim().strip_prefix("pretrained=")),
        Some(Value::Object(fields)) => fields.get("pretrained").and_then(Value::as_str),
        _ => None,
    };
    let named = fields::text(whole, &["model_name"]).or_else(|| fields::text(config, &["model_name"]));
    named
        .or(pretrained)
        .map(str::to_owned)
        .filter(|id| !id.is_empty())
}

fn date(whole: &Fields) -> Option<Days> {
    match whole.get("date")? {
        Value::Number(seconds) => Days::try_from((seconds.as_f64()? / 86_400.0).floor() as i64).ok(),
        Value::String(text) => calendar::day(text),
        _ => None,
    }
}
