//! Parses questions to `predict`, `recommend` and `compare` from query strings, as the command line takes them.

use catalog::cost::{CacheType, Device, Dimensions, InferenceEngine, Quant, Rig, device};

use super::params::Params;
use super::problem::Problem;
use crate::answers::question::{Question, Subject};
use crate::answers::recommend::{Budget, Mode};
use crate::answers::sweep::OVER;
use crate::answers::{Predictor, tasks};
use crate::units::{day, memory};

/// Parameters of [`question`].
pub(crate) const PREDICT: [&str; 20] = [
    "id",
    "layers",
    "d_model",
    "d_ffn",
    "heads",
    "kv_heads",
    "head_dim",
    "vocab_size",
    "sliding_window",
    "experts",
    "experts_per_token",
    "family",
    "date",
    "pretrained",
    "merged",
    "benchmarks",
    "context",
    "device",
    "sweep",
    "config",
];
/// Parameters of [`budget`].
pub(crate) const RECOMMEND: [&str; 13] = [
    "memory",
    "device",
    "gpus",
    "context",
    "task",
    "license",
    "family",
    "since",
    "mode",
    "min_speed",
    "engine",
    "quant",
    "top",
];
/// Reasoning modes that `mode` accepts.
pub(crate) const MODES: [&str; 2] = ["thinking", "plain"];
/// Parameters of [`comparison`].
pub(crate) const COMPARE: [&str; 3] = ["id", "context", "device"];

/// Optional parameters that describe a structure, besides the two required ones.
const DESCRIBING: [&str; 9] = [
    "d_ffn",
    "heads",
    "kv_heads",
    "head_dim",
    "vocab_size",
    "sliding_window",
    "experts",
    "experts_per_token",
    "family",
];

/// Maximum number of licences in a question.
const LICENSES: usize = 6;
/// Maximum number of checkpoints in a comparison, and of contexts in an answer.
const MOST: usize = 8;

fn asked<T>(read: anyhow::Result<T>) -> Result<T, Problem> {
    read.map_err(|error| Problem::bad(crate::explain::explain(&error)))
}

fn whole(params: &Params, name: &str) -> Result<Option<i64>, Problem> {
    Ok(params.count(name, 1, 1_000_000)?.map(|value| value as i64))
}

fn contexts(params: &Params, default: &[i64]) -> Result<Vec<i64>, Problem> {
    let given = params.list("context");
    if given.is_empty() {
        return Ok(default.to_vec());
    }
    if given.len() > MOST {
        return Err(Problem::bad(format!(
            "`context` has {} items; {MOST} are the most",
            given.len()
        )));
    }
    given
        .iter()
        .map(|text| match text.parse::<i64>() {
            Ok(tokens @ 1..=100_000_000) => Ok(tokens),
            _ => Err(Problem::bad(format!(
                "`context` must be an integer between 1 and 100000000, got {text:?}"
            ))),
        })
        .collect()
}

fn one_device(params: &Params) -> Result<Option<Device>, Problem> {
    let Some(name) = params.one("device")? else {
        return Ok(None);
    };
    // Accepts the same names as the command line, in any spelling: `a100` for `A100 80GB`.
    if let Some(found) = device::device(name) {
        return Ok(Some(found));
    }
    let names: Vec<String> = device::devices().into_iter().map(|one| one.name).collect();
    Err(Problem::bad(format!(
        "no device named `{name}`{}",
        crate::near::device(name, &names)
    ))
    .with_hint(format!("there are {}", names.join(", "))))
}

/// The single value of a parameter; fails if it is not in `known`.
fn one_of(params: &Params, name: &str, known: &[&str]) -> Result<Option<String>, Problem> {
    match params.one(name)? {
        Some(value) if !known.contains(&value) => {
            Err(Problem::bad(format!("unknown value `{value}` of `{name}`"))
                .with_hint(format!("there are {}", known.join(", "))))
        }
        found => Ok(found.map(str::to_owned)),
    }
}

/// The values of a list parameter; fails if one is not in `known`.
fn named(params: &Params, name: &str, known: &[&str]) -> Result<Vec<String>, Problem> {
    let given = params.list(name);
    match given.iter().find(|one| !known.contains(&one.as_str())) {
        None => Ok(given),
        Some(one) => Err(Problem::bad(format!("unknown value `{one}` in `{name}`"))
            .with_hint(format!("there are {}", known.join(", ")))),
    }
}

/// Every name that `task` accepts: tasks and benchmarks.
pub(crate) fn task_names(predictor: &Predictor) -> Vec<&str> {
    let mut all: Vec<&str> = tasks::names().collect();
    all.extend(predictor.names());
    all
}

/// Whether a text has the form that the API's document specifies for `memory`: `24GB`, `7.5 GiB`, `0.5TB`.
fn is_memory(text: &str) -> bool {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.'));
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let unit = unit.strip_prefix(' ').unwrap_or(unit).to_ascii_lowercase();
    let (whole, part) = match number.split_once('.') {
        Some((whole, part)) => (whole, Some(part)),
        None => (number, None),
    };
    let digits =
        |text: &str, most| (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    ["mb", "gb", "tb", "mib", "gib", "tib"].contains(&unit.as_str())
        && digits(whole, 4)
        && part.is_none_or(|part| digits(part, 3))
        && match (whole.starts_with('0'), part) {
            (false, _) => true,
            (true, part) => whole == "0" && part.is_some_and(|part| !part.starts_with('0')),
        }
}

/// Whether a text has the form that the API's document specifies for `sweep`: `layers=16..64:8`.
fn is_sweep(text: &str) -> bool {
    let number = |text: &str| (1..=7).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('=').is_some_and(|(over, range)| {
        let (ends, step) = range.split_once(':').unwrap_or((range, "1"));
        let ends = ends.split_once("..");
        OVER.contains(&over) && number(step) && ends.is_some_and(|(from, to)| number(from) && number(to))
    })
}

/// Parses the question to `predict`.
///
/// # Errors
/// 400 for a value that the API's document does not allow; 422 for values that are invalid in combination.
pub(crate) fn question(params: &Params, predictor: &Predictor) -> Result<Question, Problem> {
    let id = params.one("id")?;
    let (layers, d_model) = (whole(params, "layers")?, whole(params, "d_model")?);
    let config = params.one("config")?;
    if layers.is_none()
        && let Some(name) = DESCRIBING.iter().find(|name| params.get(name).is_some())
    {
        return Err(Problem::beyond(format!(
            "`{name}` describes a structure, and that needs `layers` and `d_model` and neither `id` nor `config`"
        )));
    }
    let subject = match (id, config, layers, d_model) {
        (Some(id), None, None, None) => Subject::Id(id.to_owned()),
        (None, Some(text), None, None) => {
            let config = catalog::config::json::parse(text.as_bytes(), "config")
                .map_err(|error| Problem::beyond(format!("`config` is not a valid config.json: {error}")))?;
            Subject::Config {
                name: "config".into(),
                config,
            }
        }
        (None, None, Some(_), Some(_)) => Subject::Dimensions(Dimensions {
            family: params.one("family")?.map(str::to_owned),
            layers,
            d_model,
            d_ffn: whole(params, "d_ffn")?,
            heads: whole(params, "heads")?,
            kv_heads: whole(params, "kv_heads")?,
            head_dim: whole(params, "head_dim")?,
            vocab_size: whole(params, "vocab_size")?,
            pos: None,
            sliding_window: whole(params, "sliding_window")?,
            experts: whole(params, "experts")?,
            experts_per_token: whole(params, "experts_per_token")?,
            tied: None,
        }),
        _ => {
            return Err(Problem::beyond(
                "give either `id`, or `config`, or `layers` and `d_model` (and what else is known)",
            ));
        }
    };
    let mut question = Question::about(subject);
    question.date = params.one("date")?.map(|text| asked(day(text))).transpose()?;
    question.pretrained = params.flag("pretrained")?;
    question.merged = params.flag("merged")?;
    let known: Vec<&str> = predictor.names().collect();
    question.benchmarks = named(params, "benchmarks", &known)?;
    question.contexts = contexts(params, &question.contexts)?;
    question.devices = one_device(params)?.into_iter().collect();
    question.sweep = match params.one("sweep")? {
        None => None,
        Some(text) if is_sweep(text) => Some(text.parse().map_err(|error: String| Problem::beyond(error))?),
        Some(text) => {
            return Err(Problem::bad(format!(
                "`sweep` must have the form layers=16..64:8, got {text:?}"
            ))
            .with_hint(format!("{} can be swept", OVER.join(", "))));
        }
    };
    if question.sweep.is_some() && question.benchmarks.is_empty() {
        question.benchmarks = study::dimensions::BENCHMARKS.map(String::from).to_vec();
    }
    Ok(question)
}

/// Parses types of stored weights under the names of the command line; `4bit` stands for the engine's own 4-bit type.
fn quants(params: &Params, engine: InferenceEngine) -> Result<Vec<Quant>, Problem> {
    let read = |name: &String| {
        engine.quant_of(name).ok_or_else(|| {
            Problem::bad(format!("unknown value `{name}` in `quant`"))
                .with_hint(format!("there are {}", Quant::names().join(", ")))
        })
    };
    params.list("quant").iter().map(read).collect()
}

/// Problem for an engine that does not run such weights, naming those that do.
fn not_run(engine: InferenceEngine, quant: Quant, is_default: bool) -> Problem {
    let others: Vec<String> = InferenceEngine::ALL
        .into_iter()
        .filter(|other| other.loads(quant))
        .map(|other| format!("`engine={}`", other.as_str()))
        .collect();
    let (engine, others) = (engine.as_str(), others.join(" or "));
    let default = if is_default {
        format!("{engine} is taken where no engine is named; ")
    } else {
        String::new()
    };
    Problem::beyond(format!(
        "{engine} does not run weights stored as {}",
        quant.name()
    ))
    .with_hint(format!("{default}{others} runs them"))
}

/// Parses the question to `recommend`.
///
/// # Errors
/// 400 for a value that the API's document does not allow; 422 for values that are invalid in combination.
pub(crate) fn budget(params: &Params, predictor: &Predictor) -> Result<Budget, Problem> {
    let device = one_device(params)?;
    let memory = match params.one("memory")? {
        None => None,
        Some(text) if is_memory(text) => Some(asked(memory(text))?),
        Some(text) => {
            return Err(Problem::bad(format!(
                "`memory` must be a size like 24GB, 7.5GiB or 0.5TB, got {text:?}"
            )));
        }
    };
    let min_speed = params.number("min_speed")?;
    if let Some(speed) = min_speed.filter(|speed| *speed < 0.0) {
        return Err(Problem::bad(format!("`min_speed` is {speed}, below zero")));
    }
    let tasks = named(params, "task", &task_names(predictor))?;
    let licenses = params.list("license");
    if licenses.len() > LICENSES {
        return Err(Problem::bad(format!(
            "`license` has {} items; {LICENSES} are the most",
            licenses.len()
        )));
    }
    let in_a_name = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    let is_license = |text: &str| (1..=30).contains(&text.len()) && text.chars().all(in_a_name);
    let given = params
        .one("license")?
        .into_iter()
        .flat_map(|value| value.split(','));
    if let Some(text) = given.map(str::trim).find(|text| !is_license(text)) {
        return Err(Problem::bad(format!(
            "`license` must be a licence as the Hub writes it (apache-2.0), got {text:?}"
        )));
    }
    let context = params.count("context", 1, 100_000_000)?.unwrap_or(8192) as i64;
    let limit = params.count("top", 1, 200)?.unwrap_or(20);
    let engine = match one_of(
        params,
        "engine",
        &InferenceEngine::ALL.map(InferenceEngine::as_str),
    )? {
        Some(name) => InferenceEngine::from_name(&name).unwrap_or_default(),
        None => InferenceEngine::default(),
    };
    let quants = quants(params, engine)?;
    let mode = one_of(params, "mode", &MODES)?.map(|name| {
        if name == "plain" {
            Mode::Plain
        } else {
            Mode::Thinking
        }
    });
    let family = params.one("family")?.map(str::to_owned);
    if let Some(text) = family.as_deref().filter(|text| !is_license(text)) {
        return Err(Problem::bad(format!(
            "`family` must be the name of a family (qwen2, gemma), got {text:?}"
        )));
    }
    let since = params.one("since")?.map(|text| asked(day(text))).transpose()?;
    let gpus = params.count("gpus", 1, 64)?.unwrap_or(1);
    // The single values are valid; now check their combination.
    if min_speed.is_some() && device.is_none() {
        return Err(Problem::beyond("`min_speed` needs a `device`"));
    }
    if gpus > 1 && device.is_none() {
        return Err(Problem::beyond("`gpus` needs a `device`"));
    }
    if let Some(quant) = quants.iter().find(|quant| !engine.loads(**quant)) {
        return Err(not_run(engine, *quant, params.get("engine").is_none()));
    }
    let rig = device.map(|mut device| {
        device.memory_bytes = memory.map(|bytes| bytes / gpus as f64).or(device.memory_bytes);
        Rig {
            cards: gpus,
            ..Rig::of(device)
        }
    });
    let memory = memory
        .or_else(|| rig.as_ref().and_then(Rig::card_bytes))
        .ok_or_else(|| {
            Problem::beyond("no budget: give `memory`, as 24GB, or a `device` whose memory is known")
        })?;
    Ok(Budget {
        memory_bytes: memory,
        rig,
        engine,
        quants: if quants.is_empty() {
            engine.usual_quants()
        } else {
            quants
        },
        cache: CacheType::default(),
        context,
        family,
        since,
        mode,
        why: None,
        upgrade: false,
        tasks,
        licenses,
        min_speed,
        only: None,
        condition: None,
        limit,
    })
}

/// A question to `compare`.
#[derive(Debug)]
pub(crate) struct Comparison {
    pub(crate) ids: Vec<String>,
    pub(crate) contexts: Vec<i64>,
    pub(crate) devices: Vec<Device>,
}

/// Parses the question to `compare`.
pub(crate) fn comparison(params: &Params) -> Result<Comparison, Problem> {
    // Not a comma-separated list, since some ids contain a comma.
    let ids: Vec<String> = params.all("id").map(str::to_owned).collect();
    if let Some(id) = ids
        .iter()
        .enumerate()
        .find_map(|(place, id)| ids[..place].contains(id).then_some(id))
    {
        return Err(Problem::bad(format!("`id` names `{id}` more than once")));
    }
    if !(2..=MOST).contains(&ids.len()) {
        return Err(Problem::bad(format!(
            "`id` names {}; 2 to {MOST} can be compared (id=A&id=B)",
            crate::output::plural(ids.len(), "checkpoint")
        )));
    }
    Ok(Comparison {
        ids,
        contexts: contexts(params, &[8192])?,
        devices: one_device(params)?.into_iter().collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_those_of_the_document() {
        for text in ["24GB", "7.5 GiB", "0.5TB", "9999.999 mib", "80gib"] {
            assert!(is_memory(text) && memory(text).is_ok(), "{text}");
        }
        for text in [
            "", "24", "GB", "0GB", "0.05TB", "024GB", "12345GB", "1.GB", ".5GB", "1.2.3GB", "24  GB",
            "24GB/s", "24GB\n", "²4GB",
        ] {
            assert!(!is_memory(text), "{text}");
        }
        for text in ["layers=16..64:8", "kv_heads=1..8", "d_ffn=0..0:0"] {
            assert!(is_sweep(text), "{text}");
        }
        for text in [
            "",
            "layers",
            "layers=",
            "layers=1..",
            "layers=1...2",
            "heads=1..2",
            "layers=1..2:",
            "layers=1..12345678",
        ] {
            assert!(!is_sweep(text), "{text}");
        }
    }
}
