//! Reads logs of Inspect: `.json`, and `.eval`, a ZIP archive whose `header.json` has everything except the samples.
//!
//! A score's metrics are named by its scorers. `accuracy` is a share by definition, and the standard error beside it
//! was computed by Inspect. Other metrics have the scale of their scorer's values, which a log does not state, so they
//! stay as reported.

use std::path::Path;

use serde_json::Value;

use crate::config::fields::{self, Fields};
use crate::config::json;
use crate::error::Error;
use crate::observed::{Observed, Out};
use crate::sources::archive::Archive;
use crate::sources::metrics::{RAW, Scale};
use crate::sources::{moment, score};
use crate::tables::{Evaluation, Score};

/// Name of this kind of source, and of the leaderboard that its scores are listed under.
pub(crate) const NAME: &str = "inspect";
/// Greatest size in bytes of a header.
const HEADER: u64 = 32 << 20;

/// Metrics that are shares from 0 to 1, whatever the scorer.
const SHARES: [&str; 2] = ["accuracy", "acc"];
/// Metrics that are standard errors of others.
const ERRORS: [&str; 2] = ["stderr", "bootstrap_stderr"];
/// Engines whose name may precede the name of a checkpoint without an owner.
const ENGINES: [&str; 6] = [
    "hf",
    "vllm",
    "sglang",
    "transformer_lens",
    "llama-cpp-python",
    "ollama",
];

/// Whether a JSON value is a log.
pub(crate) fn recognises(value: &Value) -> bool {
    value
        .get("eval")
        .is_some_and(|eval| eval.get("task").is_some() && eval.get("model").is_some())
        && value.get("status").is_some()
}

/// The header of the archive at `path`.
pub(crate) fn header(path: &Path, file: &str) -> Result<Value, Error> {
    let mut archive = Archive::open(path, file)?;
    let bytes = archive.read("header.json", HEADER)?.ok_or_else(|| Error::Shape {
        file: file.to_owned(),
        message: "an archive without header.json: the run did not end, or this is not a log of Inspect"
            .to_owned(),
    })?;
    json::parse(&bytes, &format!("{file}: header.json"))
}

/// The checkpoint named in a log, without the engine that ran it.
pub(crate) fn model_of(log: &Value) -> Option<String> {
    let named = log.get("eval")?.get("model")?.as_str()?.trim();
    // `engine/owner/name`; with only two parts the first is the owner, unless it is an engine.
    let bare = named
        .split_once('/')
        .filter(|(engine, rest)| rest.contains('/') || ENGINES.contains(engine) && !rest.is_empty())
        .map_or(named, |(_, rest)| rest);
    (!bare.is_empty()).then(|| bare.to_owned())
}

/// The benchmark of a log's task, without the package that it is from.
pub(crate) fn task_of(log: &Value) -> Option<String> {
    let named = log.get("eval")?.get("task")?.as_str()?.trim();
    let bare = named.rsplit('/').next().unwrap_or(named);
    (!bare.is_empty()).then(|| bare.to_owned())
}

/// Reads one log into `out`; returns the number of rows, that is, metrics of scores.
pub(crate) fn read(
    value: &Value,
    file: &str,
    snapshot: &str,
    version: &str,
    out: &mut Out<'_>,
) -> Result<u64, Error> {
    let empty = Fields::new();
    let (Some(id), Some(task)) = (model_of(value), task_of(value)) else {
        return Err(Error::Shape {
            file: file.to_owned(),
            message: "eval.model or eval.task is not text".to_owned(),
        });
    };
    let object = |of: &'_ Value, name: &str| {
        of.get(name)
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default()
    };
    let eval = object(value, "eval");
    let config = fields::object(&eval, &["config"]).unwrap_or(&empty);
    let key = fields::text(&eval, &["eval_id", "run_id", "task_id"]).unwrap_or(file);
    let evaluation = Evaluation {
        evaluation: format!("{NAME}/{key}"),
        leaderboard: NAME.to_owned(),
        id: id.clone(),
        submitted: moment(&eval, &["created"]),
        ..Evaluation::default()
    };
    let status = value.get("status").and_then(Value::as_str).unwrap_or_default();
    if status != "success" {
        out.reject_row(0, "status", status, "run_not_finished")?;
        return Ok(1);
    }
    let generate = fields::object(&eval, &["model_generate_config"])
        .cloned()
        .unwrap_or_default();
    let plan = object(value, "plan");
    let planned = fields::object(&plan, &["config"]).cloned().unwrap_or_default();
    let told = |name: &str| {
        let own = planned.get(name).or_else(|| generate.get(name));
        own.filter(|value| !value.is_null()).cloned()
    };
    let arguments = fields::object(&eval, &["task_args"]).unwrap_or(&empty);
    let mut settings: Vec<String> = Vec::new();
    for name in ["temperature", "top_p", "top_k", "max_tokens", "seed"] {
        settings.extend(told(name).map(|value| format!("{} {value}", name.replace('_', " "))));
    }
    settings.extend(
        fields::count(config, &["epochs"])
            .filter(|&epochs| epochs > 1)
            .map(|epochs| format!("epochs {epochs}")),
    );
    settings.extend(
        config
            .get("limit")
            .filter(|limit| !limit.is_null())
            .map(|limit| format!("limit {limit}")),
    );
    let mode =
        told("reasoning_effort").and_then(|effort| effort.as_str().map(|effort| format!("effort {effort}")));
    let harness = fields::object(&eval, &["packages"])
        .and_then(|packages| fields::text(packages, &["inspect_ai"]))
        .map_or_else(
            || "inspect_ai".to_owned(),
            |version| format!("inspect_ai {version}"),
        );
    let results = object(value, "results");
    let listed = fields::list(&results, &["scores"]).unwrap_or_default();
    let several = listed.len() > 1;
    let (mut row, mut last, mut scores) = (0, 0, Vec::new());
    for told in listed {
        let told = told.as_object().unwrap_or(&empty);
        let scorer = fields::text(told, &["name"]).unwrap_or("score");
        let metrics = fields::object(told, &["metrics"]).unwrap_or(&empty);
        let number = |name: &str| {
            let value = metrics.get(name)?.get("value")?.as_f64()?;
            value.is_finite().then_some(value)
        };
        let error = ERRORS.iter().find_map(|name| number(name));
        for name in metrics.keys() {
            let bare = name.rsplit('/').next().unwrap_or(name);
            if ERRORS.contains(&bare) {
                // It is stored with the other metric, as its standard error.
                continue;
            }
            let Some(value) = number(name) else {
                out.reject_row(row, name, scorer, "not_a_number")?;
                row += 1;
                continue;
            };
            let is_share = SHARES.contains(&bare) && (0.0..=1.0).contains(&value);
            let scale = if is_share { Scale::Fraction } else { Scale::Own };
            let (value, unit) = scale.read(value);
            let mut setting = settings.clone();
            setting.insert(0, format!("scorer {scorer}"));
            scores.push(Score {
                benchmark: if several {
                    format!("{task}:{scorer}")
                } else {
                    task.clone()
                },
                value,
                unit: unit.to_owned(),
                metric: Some(bare.to_owned()),
                scale: Some(RAW.to_owned()),
                shots: fields::count(arguments, &["fewshot", "num_fewshot", "shots", "n_shots"]),
                setting: Some(setting.join("; ")),
                mode: mode.clone(),
                split: fields::text(arguments, &["split"]).map(str::to_owned),
                error: error.map(|error| scale.width(error)),
                harness: Some(harness.clone()),
                ..score(&evaluation, snapshot, version)
            });
            out.observe(
                row,
                Observed {
                    id: id.clone(),
                    ..Observed::default()
                },
            )?;
            last = row;
            row += 1;
        }
    }
    if scores.is_empty() {
        if row == 0 {
            out.reject_row(0, "results", "", "no_scores")?;
            row = 1;
        }
    } else {
        out.evaluation(last, evaluation, scores)?;
    }
    Ok(row)
}
