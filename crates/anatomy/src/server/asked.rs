//! Questions of `predict`, `recommend` and `compare` as addresses ask them: the same questions as on the command line.

use catalog::cost::{Device, Dimensions, Precision, device};

use super::params::Params;
use super::problem::Problem;
use crate::answers::predict::{Question, Subject};
use crate::answers::recommend::Budget;
use crate::commands::asked::{day, quantity};

/// Names that [`question`] knows.
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
/// Names that [`budget`] knows.
pub(crate) const RECOMMEND: [&str; 8] = [
    "memory",
    "device",
    "context",
    "task",
    "license",
    "min_speed",
    "precision",
    "top",
];
/// Names that [`comparison`] knows.
pub(crate) const COMPARE: [&str; 3] = ["id", "context", "device"];

/// Checkpoints compared at most.
const MOST: usize = 8;

fn asked<T>(read: anyhow::Result<T>) -> Result<T, Problem> {
    read.map_err(|error| Problem::bad(crate::explain::explain(&error)))
}

fn whole(params: &Params, name: &str) -> Result<Option<i64>, Problem> {
    Ok(params.count(name, 1, 1_000_000_000)?.map(|value| value as i64))
}

fn contexts(params: &Params, default: &[i64]) -> Result<Vec<i64>, Problem> {
    let given = params.list("context");
    if given.is_empty() {
        return Ok(default.to_vec());
    }
    given
        .iter()
        .take(8)
        .map(|text| match text.parse::<i64>() {
            Ok(tokens @ 1..=100_000_000) => Ok(tokens),
            _ => Err(Problem::bad(format!(
                "`context` is {text:?}, which is no whole number from 1 to 100000000"
            ))),
        })
        .collect()
}

fn one_device(params: &Params) -> Result<Option<Device>, Problem> {
    let Some(name) = params.one("device")? else {
        return Ok(None);
    };
    device::device(name).map(Some).ok_or_else(|| {
        let names: Vec<String> = device::devices().into_iter().map(|one| one.name).collect();
        Problem::bad(format!("no device named `{name}`")).with_hint(format!("there are {}", names.join(", ")))
    })
}

/// What `predict` is asked.
pub(crate) fn question(params: &Params) -> Result<Question, Problem> {
    let id = params.one("id")?;
    let (layers, d_model) = (whole(params, "layers")?, whole(params, "d_model")?);
    let config = params.one("config")?;
    let subject = match (id, config, layers, d_model) {
        (Some(id), None, None, None) => Subject::Id(id.to_owned()),
        (None, Some(text), None, None) => {
            let config = catalog::config::json::parse(text.as_bytes(), "config")
                .map_err(|error| Problem::bad(format!("`config` is no config.json: {error}")))?;
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
            return Err(Problem::bad(
                "give either `id`, or `config`, or `layers` and `d_model` (and what else is known)",
            ));
        }
    };
    let mut question = Question::about(subject);
    question.date = params.one("date")?.map(|text| asked(day(text))).transpose()?;
    question.pretrained = params.flag("pretrained")?;
    question.merged = params.flag("merged")?;
    question.benchmarks = params.list("benchmarks");
    question.contexts = contexts(params, &question.contexts)?;
    question.devices = one_device(params)?.into_iter().collect();
    question.sweep = match params.one("sweep")? {
        None => None,
        Some(text) => Some(text.parse().map_err(|error: String| Problem::bad(error))?),
    };
    if question.sweep.is_some() && question.benchmarks.is_empty() {
        question.benchmarks = study::dimensions::BENCHMARKS.map(String::from).to_vec();
    }
    Ok(question)
}

/// What `recommend` is asked.
pub(crate) fn budget(params: &Params) -> Result<Budget, Problem> {
    let device = one_device(params)?;
    let memory = params
        .one("memory")?
        .map(|text| asked(quantity(text)))
        .transpose()?
        .or_else(|| device.as_ref().and_then(|device| device.memory_bytes))
        .ok_or_else(|| {
            Problem::bad("no budget: give `memory`, as 24GB, or a `device` whose memory is known")
        })?;
    let min_speed = params.number("min_speed")?;
    if min_speed.is_some() && device.is_none() {
        return Err(Problem::bad("`min_speed` needs a `device`"));
    }
    let names = params.list("precision");
    let precisions = names
        .iter()
        .map(|name| {
            Precision::from_name(name).ok_or_else(|| {
                let all = Precision::ALL.map(Precision::as_str);
                Problem::bad(format!("no precision named `{name}`"))
                    .with_hint(format!("there are {}", all.join(", ")))
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Budget {
        memory_bytes: memory,
        device,
        context: contexts(params, &[8192])?[0],
        precisions: if precisions.is_empty() {
            vec![Precision::Half]
        } else {
            precisions
        },
        tasks: params.list("task"),
        licenses: params.list("license"),
        min_speed,
        only: None,
        condition: None,
        limit: params.count("top", 1, 200)?.unwrap_or(20),
    })
}

/// Checkpoints side by side.
#[derive(Debug)]
pub(crate) struct Comparison {
    pub(crate) ids: Vec<String>,
    pub(crate) contexts: Vec<i64>,
    pub(crate) devices: Vec<Device>,
}

/// What `compare` is asked.
pub(crate) fn comparison(params: &Params) -> Result<Comparison, Problem> {
    let ids = params.list("id");
    if !(2..=MOST).contains(&ids.len()) {
        return Err(Problem::bad(format!(
            "`id` names {} checkpoints; 2 to {MOST} can be compared (id=A&id=B)",
            ids.len()
        )));
    }
    Ok(Comparison {
        ids,
        contexts: contexts(params, &[8192])?,
        devices: one_device(params)?.into_iter().collect(),
    })
}
