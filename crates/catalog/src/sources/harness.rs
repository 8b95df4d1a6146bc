//! Reads results of lm-evaluation-harness (`results_*.json`; version 0.4 and the first leaderboard's runs) and of
//! lighteval.
//!
//! Lighteval names a task `suite|task|shots` (later `task|shots`), and a part of one `task:part`; its `all` and
//! `task:_average` are means of the other rows and are left out. A run of an adapter or a delta counts for that
//! checkpoint, never for its base.

use serde_json::Value;

use crate::calendar;
use crate::config::fields::{self, Fields};
use crate::error::Error;
use crate::observed::{Observed, Out};
use crate::sources::metrics::{self, RAW, Scale};
use crate::tables::{Days, Evaluation, Score};

/// Name of the leaderboard its scores are listed under.
pub(crate) const NAME: &str = "lm-evaluation-harness";
/// Name of the leaderboard that lighteval's scores are listed under.
pub(crate) const LIGHTEVAL: &str = "lighteval";

/// Task, metric, and the leaderboard benchmark that they correspond to.
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

/// The leaderboard benchmark that a task and metric correspond to; `None` if there is none.
pub(crate) fn canonical(task: &str, metric: &str) -> Option<&'static str> {
    let known = CANONICAL.iter().find(|(t, m, _)| *t == task && *m == metric);
    known.map(|(.., benchmark)| *benchmark)
}

/// The checkpoint named in a file of results.
pub(crate) fn named(value: &Value) -> Option<String> {
    let whole = value.as_object().filter(|_| recognises(value))?;
    let config = fields::object(whole, &["config", "config_general"])?;
    checkpoint(whole, config).map(|(id, _)| id)
}

/// Whether a JSON value is a file of results.
pub(crate) fn recognises(value: &Value) -> bool {
    let has = |names: &[&str]| names.iter().any(|name| value.get(*name).is_some());
    value.get("results").is_some_and(Value::is_object)
        && has(&["versions", "config", "configs", "config_general", "n-shot"])
}

/// Reads one file into `out`; returns the number of rows, that is, tasks.
pub(crate) fn read(value: &Value, file: &str, snapshot: &str, out: &mut Out<'_>) -> Result<u64, Error> {
    let empty = Fields::new();
    let whole = value.as_object().unwrap_or(&empty);
    let config = fields::object(whole, &["config", "config_general"]).unwrap_or(&empty);
    let Some((id, weight_type)) = checkpoint(whole, config) else {
        return Err(Error::Shape {
            file: file.to_owned(),
            message: "it names no checkpoint: neither model_name nor config.model_args (pretrained, peft, delta) does".to_owned(),
        });
    };
    let date = date(whole);
    let template = whole.get("chat_template").map(|template| !template.is_null());
    let is_lighteval = whole
        .get("config_general")
        .is_some_and(|config| config.get("lighteval_sha").is_some())
        && !fields::object(whole, &["results"])
            .is_some_and(|results| results.keys().any(|task| task.starts_with("harness|")));
    let board = if is_lighteval { LIGHTEVAL } else { NAME };
    let version = fields::text(whole, &["lm_eval_version"])
        .or_else(|| fields::text(config, &["lighteval_sha"]))
        .filter(|version| *version != "?");
    let harness = if is_lighteval { LIGHTEVAL } else { "lm_eval" };
    let harness = version.map(|version| format!("{harness} {version}"));
    let evaluation = Evaluation {
        evaluation: format!("{board}/{id}/{}", file.rsplit('/').next().unwrap_or(file)),
        leaderboard: board.to_owned(),
        weight_type: weight_type.map(str::to_owned),
        id: id.clone(),
        revision: fields::text(config, &["model_sha", "model_revision"]).map(str::to_owned),
        precision: fields::text(config, &["model_dtype", "dtype"])
            .map(|kind| kind.trim_start_matches("torch.").to_owned()),
        chat_template: template,
        submitted: date,
        ..Evaluation::default()
    };
    let (mut row, mut last, mut scores) = (0, 0, Vec::new());
    let limit = config
        .get("limit")
        .or_else(|| config.get("max_samples"))
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
    for (named, values) in results {
        let (task, stated) = plain_task(named);
        if is_lighteval && (named == "all" || task.ends_with("__average")) {
            out.reject_row(row, named, "", "a_mean_of_other_rows")?;
            row += 1;
            continue;
        }
        let shots = shots.and_then(|shots| fields::count(shots, &[&task])).or(stated);
        let answered = whole
            .get("n-samples")
            .and_then(|of| of.get(named)?.get("effective")?.as_i64());
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
            let known = canonical(&task, metric);
            let error = [format!("{metric}_stderr,{filter}"), format!("{metric}_stderr")]
                .iter()
                .find_map(|name| values.get(name)?.as_f64())
                .filter(|error| error.is_finite() && *error >= 0.0);
            scores.push(Score {
                evaluation: evaluation.evaluation.clone(),
                id: id.clone(),
                leaderboard: board.to_owned(),
                version: date.map(calendar::text).unwrap_or_default(),
                benchmark: known.map_or_else(|| task.clone(), str::to_owned),
                value,
                unit: unit.to_owned(),
                metric: Some(metric.to_owned()),
                scale: Some(RAW.to_owned()),
                precision: evaluation.precision.clone(),
                shots,
                chat_template: template,
                setting: setting(filter, limit.as_deref(), answered),
                error: error.map(|error| scale.width(error)),
                harness: harness.clone(),
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
            last = row;
        }
        row += 1;
    }
    if !scores.is_empty() {
        out.evaluation(last, evaluation, scores)?;
    }
    Ok(row)
}

/// The plain name and the shots of a task: `harness|arc:challenge|25` and `arc:challenge|25` are `arc_challenge` with
/// 25 shots.
pub(crate) fn plain_task(task: &str) -> (String, Option<i64>) {
    let mut parts: Vec<&str> = task.split('|').collect();
    if parts.len() == 1 {
        return (task.to_owned(), None);
    }
    // Before version 0.11 lighteval has a fourth part, whether examples may be truncated.
    if parts.len() == 4 {
        parts.pop();
    }
    let shots = parts.last().and_then(|shots| shots.parse().ok());
    if shots.is_some() {
        parts.pop();
    }
    let name = parts.last().copied().unwrap_or(task);
    (name.replace(':', "_"), shots)
}

/// Further settings that distinguish runs: the filter of answers, the limit of a run restricted to some items, and, if
/// stated, the number of items answered.
fn setting(filter: &str, limit: Option<&str>, answered: Option<i64>) -> Option<String> {
    let filter = (filter != "none").then(|| format!("filter {filter}"));
    let limit = limit.map(|limit| format!("limit {limit}"));
    let answered = answered.map(|items| format!("items {items}"));
    let parts: Vec<String> = filter.into_iter().chain(limit).chain(answered).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// The checkpoint that was run, and `Adapter` or `Delta` if it is one relative to a base.
fn checkpoint(whole: &Fields, config: &Fields) -> Option<(String, Option<&'static str>)> {
    let arguments = config.get("model_args");
    let argument = |name: &str| match arguments {
        Some(Value::String(text)) => text
            .split(',')
            .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('=')),
        Some(Value::Object(fields)) => fields.get(name).and_then(Value::as_str),
        _ => None,
    };
    let own = |text: &&str| !text.is_empty() && !matches!(*text, "None" | "none" | "null");
    let model = fields::object(config, &["model_config"]);
    let changed = [
        ("peft", "Adapter"),
        ("adapter_weights", "Adapter"),
        ("delta", "Delta"),
        ("delta_weights", "Delta"),
    ]
    .into_iter()
    .find_map(|(name, kind)| Some((argument(name).filter(own)?.to_owned(), Some(kind))));
    let named = fields::text(whole, &["model_name"])
        .or_else(|| fields::text(config, &["model_name"]))
        .or_else(|| fields::text(model?, &["model_name", "pretrained"]))
        .or_else(|| argument("pretrained").or_else(|| argument("model")))
        .filter(own)
        .map(|id| (id.to_owned(), None));
    changed.or(named)
}

fn date(whole: &Fields) -> Option<Days> {
    let ended = |config: &Fields| fields::text(config, &["start_date"]).and_then(calendar::day);
    let Some(date) = whole.get("date") else {
        return ended(fields::object(whole, &["config_general"])?);
    };
    match date {
        Value::Number(seconds) => Days::try_from((seconds.as_f64()? / 86_400.0).floor() as i64).ok(),
        Value::String(text) => calendar::day(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_of_tasks_lose_suite_and_shots() {
        for (named, task, shots) in [
            ("harness|arc:challenge|25", "arc_challenge", Some(25)),
            ("extended|ifeval|0", "ifeval", Some(0)),
            ("lighteval|gsm8k|5|1", "gsm8k", Some(5)),
            ("gsm8k|8", "gsm8k", Some(8)),
            ("arc_challenge", "arc_challenge", None),
        ] {
            assert_eq!(plain_task(named), (task.to_owned(), shots), "{named}");
        }
    }

    #[test]
    fn a_run_of_an_adapter_or_a_delta_is_never_its_bases() {
        let of = |arguments: &str| {
            let whole = json!({"config": {"model_args": arguments}});
            let whole = whole.as_object().expect("an object").clone();
            checkpoint(&whole, whole["config"].as_object().expect("an object"))
        };
        let own = |id: &str, kind| Some((id.to_owned(), kind));
        assert_eq!(
            of("pretrained=org/base-7b,dtype=float16"),
            own("org/base-7b", None)
        );
        assert_eq!(
            of("pretrained=org/base-7b,peft=org/base-7b-lora"),
            own("org/base-7b-lora", Some("Adapter"))
        );
        assert_eq!(
            of("pretrained=org/base-7b,delta=org/d"),
            own("org/d", Some("Delta"))
        );
        assert_eq!(of("pretrained=org/base-7b,peft=None"), own("org/base-7b", None));
        assert_eq!(of("dtype=float16"), None);
    }
}
