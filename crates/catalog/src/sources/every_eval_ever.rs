//! Reads Every Eval Ever records (schema 0.3 and earlier): one JSON file per run, whose scores are in
//! `evaluation_results`.
//!
//! The meaning of a number follows from its `metric_config`: its unit if given, else its bounds. If neither is
//! conclusive, the number stays as reported. For runs of harnesses that are read directly the leaderboard is the
//! harness; otherwise it is named after the record's source.

use serde_json::Value;

use crate::config::fields::{self, Fields};
use crate::error::Error;
use crate::observed::{Observed, Out};
use crate::sources::metrics::{RAW, Scale};
use crate::sources::{harness, inspect, moment, score};
use crate::tables::{Evaluation, Score};

/// Name of this kind of source, and prefix of the leaderboards that are named after a record's source.
pub(crate) const NAME: &str = "every-eval-ever";

/// Whether a JSON value is a record.
pub(crate) fn recognises(value: &Value) -> bool {
    value.get("evaluation_results").is_some_and(Value::is_array)
        && value.get("model_info").is_some_and(Value::is_object)
        && value.get("schema_version").is_some()
}

/// Reads one record into `out`; returns the number of rows, that is, results.
pub(crate) fn read(
    value: &Value,
    file: &str,
    snapshot: &str,
    version: &str,
    out: &mut Out<'_>,
) -> Result<u64, Error> {
    let empty = Fields::new();
    let part = |of: &'_ Fields, name: &str| of.get(name).and_then(Value::as_object).cloned();
    let whole = value.as_object().unwrap_or(&empty);
    let model = part(whole, "model_info").unwrap_or_default();
    let details = part(&model, "additional_details").unwrap_or_default();
    let Some(id) = fields::text(&model, &["id", "name"]).map(str::to_owned) else {
        return Err(Error::Shape {
            file: file.to_owned(),
            message: "model_info names no checkpoint: neither `id` nor `name` is a text".to_owned(),
        });
    };
    let library = part(whole, "eval_library").unwrap_or_default();
    let source = part(whole, "source_metadata").unwrap_or_default();
    let date = moment(whole, &["evaluation_timestamp"]);
    let evaluation = Evaluation {
        evaluation: format!(
            "{NAME}/{}",
            fields::text(whole, &["evaluation_id"]).unwrap_or(file)
        ),
        leaderboard: leaderboard(&library, &source),
        id: id.clone(),
        revision: fields::text(&details, &["sha", "revision"]).map(str::to_owned),
        precision: fields::text(&details, &["precision", "dtype"])
            .map(|kind| kind.trim_start_matches("torch.").to_owned()),
        chat_template: fields::flag(&details, &["chat_template"]),
        submitted: date,
        ..Evaluation::default()
    };
    let harness = fields::text(&library, &["name"]).map(|name| {
        // Some converters write the version as `name:version`.
        let version = fields::text(&library, &["version"]).filter(|version| *version != "unknown");
        let version = version.map(|version| {
            let own = version.strip_prefix(name).and_then(|rest| rest.strip_prefix(':'));
            own.unwrap_or(version)
        });
        [Some(name), version]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" ")
    });
    let results = fields::list(whole, &["evaluation_results"]).unwrap_or_default();
    let (mut scores, mut last) = (Vec::new(), 0);
    for (row, result) in (0_u64..).zip(results) {
        let result = result.as_object().unwrap_or(&empty);
        let read = one(result, &evaluation, (snapshot, version));
        match read {
            Ok(score) => {
                out.observe(
                    row,
                    Observed {
                        id: id.clone(),
                        revision: evaluation.revision.clone(),
                        ..Observed::default()
                    },
                )?;
                last = row;
                scores.push(Score {
                    harness: harness.clone(),
                    ..score
                });
            }
            Err(reason) => {
                let name = fields::text(result, &["evaluation_name"]).unwrap_or_default();
                out.reject_row(row, "score", name, reason)?;
            }
        }
    }
    if !scores.is_empty() {
        let newest = scores.iter().filter_map(|score| score.date).max();
        let evaluation = Evaluation {
            submitted: evaluation.submitted.or(newest),
            ..evaluation
        };
        out.evaluation(last, evaluation, scores)?;
    }
    Ok(results.len() as u64)
}

/// The score of one result, or the reason why there is none.
fn one(
    result: &Fields,
    evaluation: &Evaluation,
    (snapshot, version): (&str, &str),
) -> Result<Score, &'static str> {
    let part = |of: &'_ Fields, name: &str| of.get(name).and_then(Value::as_object).cloned();
    let name = fields::text(result, &["evaluation_name"]).ok_or("no_name_of_a_benchmark")?;
    let told = part(result, "score_details").unwrap_or_default();
    let number = told
        .get("score")
        .and_then(Value::as_f64)
        .filter(|score| score.is_finite())
        .ok_or("not_a_number")?;
    let metric = part(result, "metric_config").unwrap_or_default();
    let is_lower = fields::flag(&metric, &["lower_is_better"]) == Some(true);
    let (scale, unit) = scale(&metric, number, is_lower);
    let (value, points) = scale.read(number);
    let unit = unit.unwrap_or_else(|| points.to_owned());
    let wide = |width: f64| scale.width(width);
    let unsure = part(&told, "uncertainty").unwrap_or_default();
    let error = part(&unsure, "standard_error")
        .and_then(|error| error.get("value")?.as_f64())
        .filter(|error| error.is_finite() && *error >= 0.0)
        .map(wide);
    let half_width = part(&unsure, "confidence_interval").and_then(|interval| {
        let end = |name: &str| interval.get(name)?.as_f64().filter(|end: &f64| end.is_finite());
        let level = end("confidence_level")?;
        ((level - 0.95).abs() < 1e-9).then_some(wide((end("upper")? - end("lower")?) / 2.0))
    });
    let source = part(result, "source_data").unwrap_or_default();
    let run = part(result, "generation_config").unwrap_or_default();
    let arguments = part(&run, "generation_args").unwrap_or_default();
    let beside = part(&run, "additional_details").unwrap_or_default();
    let named = fields::text(&metric, &["metric_name", "metric_id"]);
    let (task, filter) = name.split_once('/').unwrap_or((name, ""));
    let known = named.and_then(|metric| harness::canonical(task, metric));
    let is_harness = evaluation.leaderboard == harness::NAME;
    let benchmark = match known.filter(|_| is_harness) {
        Some(known) => known,
        None if is_harness => task,
        None => name,
    };
    let mut setting: Vec<String> = Vec::new();
    if is_harness && !filter.is_empty() {
        setting.push(format!("filter {filter}"));
    }
    for name in ["temperature", "top_p", "top_k", "max_tokens"] {
        if let Some(value) = arguments.get(name).filter(|value| value.is_number()) {
            setting.push(format!("{} {value}", name.replace('_', " ")));
        }
    }
    if is_lower {
        setting.push("lower is better".to_owned());
    }
    setting.extend(fields::text(&beside, &["setting"]).map(str::to_owned));
    let mode = fields::text(&beside, &["mode"]).map(str::to_owned);
    let reasons = fields::flag(&arguments, &["reasoning"])
        .filter(|is| *is)
        .map(|_| "reasoning");
    Ok(Score {
        benchmark: benchmark.to_owned(),
        value,
        unit,
        metric: named.map(str::to_owned),
        scale: Some(fields::text(&beside, &["scale"]).unwrap_or(RAW).to_owned()),
        shots: fields::count(&beside, &["num_fewshot", "n_shot", "shots"]),
        chat_template: fields::flag(&beside, &["chat_template"]).or(evaluation.chat_template),
        setting: Some(setting.join("; ")).filter(|text| !text.is_empty()),
        mode: mode.or_else(|| reasons.map(str::to_owned)),
        split: fields::text(&source, &["hf_split"])
            .or_else(|| fields::text(fields::object(&source, &["additional_details"])?, &["split"]))
            .map(str::to_owned),
        error,
        half_width,
        date: moment(result, &["evaluation_timestamp"]).or(evaluation.submitted),
        ..score(evaluation, snapshot, version)
    })
}

/// The scale of a metric, and its unit where that is neither a share nor points.
fn scale(metric: &Fields, number: f64, is_lower: bool) -> (Scale, Option<String>) {
    let unit = fields::text(metric, &["metric_unit"]).map(str::to_ascii_lowercase);
    let bound = |name: &str| fields::float(metric, &[name]).filter(|bound| bound.is_finite());
    let bounds = (bound("min_score"), bound("max_score"));
    let told = match (unit.as_deref(), bounds) {
        (Some("proportion" | "fraction" | "ratio" | "probability"), _) | (None, (Some(0.0), Some(1.0))) => {
            Scale::Fraction
        }
        (Some("percent" | "percentage" | "%" | "points"), _) | (None, (_, Some(100.0))) => Scale::Percent,
        (Some(other), _) => return (Scale::Own, Some(other.to_owned())),
        _ => Scale::Own,
    };
    let is_share = told != Scale::Fraction || (0.0..=1.0).contains(&number);
    (if is_share && !is_lower { told } else { Scale::Own }, None)
}

/// The leaderboard's name: the harness if its runs are also read directly, else the source's name.
fn leaderboard(library: &Fields, source: &Fields) -> String {
    match fields::text(library, &["name"]) {
        Some("lm_eval" | "lm-eval" | "lm_evaluation_harness" | "lm-evaluation-harness") => {
            harness::NAME.to_owned()
        }
        Some("inspect_ai" | "inspect") => inspect::NAME.to_owned(),
        Some("lighteval") => harness::LIGHTEVAL.to_owned(),
        name => {
            let name = fields::text(source, &["source_name"])
                .or(name)
                .unwrap_or("unknown");
            format!("{NAME}-{}", plain(name))
        }
    }
}

/// A name in lower case, with `-` for anything that is not a letter, digit, dot or underscore.
fn plain(name: &str) -> String {
    let mut plain = String::new();
    for letter in name.to_lowercase().chars() {
        if letter.is_alphanumeric() || matches!(letter, '.' | '_') {
            plain.push(letter);
        } else if !plain.ends_with('-') {
            plain.push('-');
        }
    }
    plain.trim_matches('-').to_owned()
}
