//! Exports evaluations as Every Eval Ever records (schema 0.3): one JSON file per run,
//! `data/BOARD/OWNER/NAME/UUID.json`.
//!
//! File names derive from the evaluation's key, so the same catalog gives the same files. What the schema has no field
//! for (mode, scale, setting, examples, template) is written to `generation_config.additional_details`, where this
//! crate's own reader finds it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::catalog::Catalog;
use crate::error::Error;
use crate::hash::hex;
use crate::sources::{every_eval_ever, harness, inspect};
use crate::tables::{Days, Evaluation, Score, Source};

/// Version of the schema that is written.
const SCHEMA: &str = "0.3.0";
/// Units for which lower is better.
const COSTS: [&str; 8] = ["MB", "GB", "s", "ms", "kWh", "J", "W", "kg"];

/// The records that were written, and the evaluations left out, with reasons.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Records {
    /// Paths of the files, relative to the folder.
    pub files: Vec<String>,
    /// Number of evaluations left out, by reason.
    pub left_out: BTreeMap<&'static str, usize>,
}

/// Writes the evaluations of `boards` (of all boards if empty) to folder `out`.
pub(super) fn write(catalog: &Catalog, boards: &[String], out: &Path) -> Result<Records, Error> {
    let mut scores: BTreeMap<&str, Vec<&Score>> = BTreeMap::new();
    for score in &catalog.scores {
        scores.entry(&score.evaluation).or_default().push(score);
    }
    let newest = catalog
        .scores
        .iter()
        .filter_map(|score| score.date)
        .max()
        .unwrap_or_default();
    let mut records = Records::default();
    let mut left_out = |reason| *records.left_out.entry(reason).or_insert(0) += 1;
    for evaluation in &catalog.evaluations {
        let board = &evaluation.leaderboard;
        if !boards.is_empty() && !boards.contains(board) {
            continue;
        }
        let Some(scores) = scores.get(evaluation.evaluation.as_str()) else {
            left_out("no_score");
            continue;
        };
        let Some(place) = place(&evaluation.id) else {
            left_out("name_that_is_no_path_of_the_datastore");
            continue;
        };
        let source =
            catalog.manifest.sources.iter().find(|source| {
                source.sha256.starts_with(&scores[0].snapshot) && !scores[0].snapshot.is_empty()
            });
        let folder = format!("data/{}/{place}", board.replace('/', "_"));
        let file = format!("{folder}/{}.json", uuid(&evaluation.evaluation));
        let record = record(evaluation, scores, source, newest);
        let path = out.join(&folder);
        fs::create_dir_all(&path).map_err(Error::io(&path))?;
        let path = out.join(&file);
        let mut text = serde_json::to_vec_pretty(&record).expect("a record of texts and numbers serialises");
        text.push(b'\n');
        fs::write(&path, text).map_err(Error::io(&path))?;
        records.files.push(file);
    }
    Ok(records)
}

/// `owner/name` as folders in the datastore; `None` where a part is not a valid folder name on every system.
fn place(id: &str) -> Option<String> {
    let (owner, name) = id.split_once('/').unwrap_or((id, id));
    let is_plain = |part: &str| {
        let odd = |letter: char| letter.is_control() || "<>:\"\\|?*/".contains(letter);
        !part.is_empty()
            && !part.contains(odd)
            && !part.ends_with(['.', ' '])
            && !matches!(part, "data" | "unknown")
    };
    (is_plain(owner) && is_plain(name)).then(|| format!("{owner}/{name}"))
}

/// A UUID in the form of version 4, made from the key's SHA-256.
fn uuid(key: &str) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&Sha256::digest(key.as_bytes())[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let text = hex(&bytes);
    format!(
        "{}-{}-{}-{}-{}",
        &text[..8],
        &text[8..12],
        &text[12..16],
        &text[16..20],
        &text[20..]
    )
}

/// Seconds since 1970-01-01, as text.
fn seconds(day: Days) -> String {
    (i64::from(day) * 86_400).to_string()
}

/// The fields that are known, with their values as text.
fn details<const N: usize>(fields: [(&str, Option<String>); N]) -> Map<String, Value> {
    let known = fields.into_iter();
    known
        .filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?))))
        .collect()
}

fn record(evaluation: &Evaluation, scores: &[&Score], source: Option<&Source>, newest: Days) -> Value {
    let board = evaluation.leaderboard.as_str();
    let is_run = [harness::NAME, harness::LIGHTEVAL, inspect::NAME].contains(&board)
        || board.starts_with(every_eval_ever::NAME);
    let (library, version) = match scores.iter().find_map(|score| score.harness.as_deref()) {
        Some(harness) => harness.rsplit_once(' ').unwrap_or((harness, "unknown")),
        None => ("unknown", "unknown"),
    };
    let organisation = source.and_then(|source| {
        source
            .attribution
            .clone()
            .or_else(|| Some(source.address.clone()).filter(|address| !address.is_empty()))
    });
    let mut model = details([
        ("precision", evaluation.precision.clone()),
        ("revision", evaluation.revision.clone()),
        ("weight_type", evaluation.weight_type.clone()),
    ]);
    model.insert("deployment_type".into(), "unknown".into());
    let availability = if evaluation.id.contains('/') {
        "open_weights"
    } else {
        "unknown"
    };
    model.insert("model_availability".into(), availability.into());
    let owner = evaluation.id.split('/').next().unwrap_or_default();
    let results: Vec<Value> = scores.iter().map(|score| result(score)).collect();
    let mut record = json!({
        "schema_version": SCHEMA,
        "evaluation_id": evaluation.evaluation,
        "retrieved_timestamp": seconds(newest),
        "source_metadata": {
            "source_name": board.strip_prefix(every_eval_ever::NAME).map_or(board, |rest| rest.trim_start_matches('-')),
            "source_type": if is_run { "evaluation_run" } else { "documentation" },
            "source_organization_name": organisation.unwrap_or_else(|| "unknown".to_owned()),
            "evaluator_relationship": if is_run { "other" } else { "third_party" },
            "additional_details": details([
                ("license", source.and_then(|source| source.license.clone())),
                ("address", source.map(|source| source.address.clone()).filter(|text| !text.is_empty())),
                ("sha256", source.map(|source| source.sha256.clone())),
            ]),
        },
        "eval_library": { "name": library, "version": version },
        "model_info": {
            "name": evaluation.id,
            "id": evaluation.id,
            "developer": owner,
            "additional_details": model,
        },
        "evaluation_results": results,
    });
    if let Some(day) = evaluation.submitted {
        record["evaluation_timestamp"] = seconds(day).into();
    }
    record
}

fn result(score: &Score) -> Value {
    let mut metric = json!({
        "lower_is_better": COSTS.contains(&score.unit.as_str()),
    });
    if let Some(name) = &score.metric {
        metric["metric_name"] = name.as_str().into();
    }
    if score.unit != "as reported" {
        metric["metric_unit"] = score.unit.as_str().into();
    }
    if score.unit == "points" {
        metric["score_type"] = "continuous".into();
        // Scores on a scale where 0 is chance level can be negative.
        metric["min_score"] = if score.value < 0.0 || score.scale.as_deref() == Some("normalised") {
            -100.0
        } else {
            0.0
        }
        .into();
        metric["max_score"] = 100.0.into();
    }
    let mut told = json!({ "score": score.value });
    let mut unsure = Map::new();
    if let Some(error) = score.error {
        unsure.insert("standard_error".into(), json!({ "value": error }));
    }
    if let Some(half) = score.half_width {
        let interval = json!({
            "lower": score.value - half,
            "upper": score.value + half,
            "confidence_level": 0.95,
        });
        unsure.insert("confidence_interval".into(), interval);
    }
    if !unsure.is_empty() {
        told["uncertainty"] = Value::Object(unsure);
    }
    let run = details([
        ("num_fewshot", score.shots.map(|shots| shots.to_string())),
        ("chat_template", score.chat_template.map(|is| is.to_string())),
        ("mode", score.mode.clone()),
        ("scale", score.scale.clone()),
        ("setting", score.setting.clone()),
    ]);
    let mut data = json!({ "dataset_name": score.benchmark, "source_type": "other" });
    if let Some(split) = &score.split {
        data["additional_details"] = json!({ "split": split });
    }
    let mut result = json!({
        "evaluation_name": score.benchmark,
        "source_data": data,
        "metric_config": metric,
        "score_details": told,
    });
    if !run.is_empty() {
        result["generation_config"] = json!({ "additional_details": run });
    }
    if let Some(day) = score.date {
        result["evaluation_timestamp"] = seconds(day).into();
    }
    result
}
