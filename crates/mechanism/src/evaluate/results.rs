//! Results of tasks, and their JSON in the format of lm-evaluation-harness, so that tools for the harness can read it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::metrics::{Mean, mean, pooled};
use super::tasks::{GROUPS, HARNESS_VERSION, Task, group_of};
use common::proportions::{on_log_odds, wilson};

/// Standard normal quantile for 95 % intervals.
const Z: f64 = 1.959_963_984_540_054;

/// One metric of a task or group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// Mean over items and its standard error.
    #[serde(flatten)]
    pub mean: Mean,
    /// 95 % interval: Wilson's if every item is right or wrong, else an interval for the mean on the log-odds scale.
    pub interval: Option<(f64, f64)>,
}

/// All metrics of a task or group, by the harness's names.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaskResult {
    /// `arc_challenge`, `mmlu_anatomy`, or the name of a group: `mmlu`, `mmlu_stem`.
    pub name: String,
    /// Whether it combines several tasks.
    pub is_group: bool,
    /// Number of few-shot examples.
    pub shots: usize,
    /// Number of documents in the split.
    pub documents: usize,
    /// Scores by metric and filter, `metric,filter`.
    pub scores: BTreeMap<String, Score>,
}

/// A task that was run, with its answers.
#[derive(Debug, Clone)]
pub struct Ran {
    /// Task.
    pub task: Task,
    /// Number of few-shot examples.
    pub shots: usize,
    /// Number of documents in the split, whether answered or not.
    pub documents: usize,
    /// Rows of the item table.
    pub answers: Vec<Answer>,
}

fn scored(values: &[f64], mean: Mean) -> Score {
    let yes_or_no = values.iter().all(|v| *v == 0.0 || *v == 1.0);
    Score {
        interval: interval(&mean, yes_or_no),
        mean,
    }
}

/// The 95 % interval of a mean of scores between 0 and 1: Wilson's if all scores are 0 or 1 (`yes_or_no`), else on the
/// log-odds scale. `None` without a standard error.
pub fn interval(mean: &Mean, yes_or_no: bool) -> Option<(f64, f64)> {
    if yes_or_no {
        return wilson((mean.value * mean.n as f64).round() as usize, mean.n, Z);
    }
    on_log_odds(mean.value, mean.standard_error?, Z)
}

/// Results of tasks in order, followed by those of MMLU's groups and of MMLU as a whole, weighted by size; a group is
/// included only if all its subjects were run.
pub fn results(ran: &[Ran]) -> Vec<TaskResult> {
    let values = |of: &Ran, metric: &str| -> Vec<f64> {
        of.answers
            .iter()
            .filter_map(|answer| answer.metrics.get(metric))
            .copied()
            .collect()
    };
    let mut all: Vec<TaskResult> = ran
        .iter()
        .map(|of| {
            let names: Vec<&String> = of
                .answers
                .first()
                .map_or(Vec::new(), |a| a.metrics.keys().collect());
            let scores = names
                .into_iter()
                .filter_map(|name| {
                    let values = values(of, name);
                    Some((name.clone(), scored(&values, mean(&values)?)))
                })
                .collect();
            TaskResult {
                name: of.task.to_string(),
                is_group: false,
                shots: of.shots,
                documents: of.documents,
                scores,
            }
        })
        .collect();
    for group in GROUPS.iter().copied().chain([""]) {
        let of_group = |task: Task| matches!(task, Task::Mmlu(s) if group.is_empty() || group_of(s) == group);
        let subjects: Vec<&Ran> = ran.iter().filter(|of| of_group(of.task)).collect();
        let whole = (0..super::tasks::SUBJECTS.len())
            .filter(|s| of_group(Task::Mmlu(*s)))
            .count();
        let means: Option<Vec<Mean>> = subjects.iter().map(|of| mean(&values(of, "acc,none"))).collect();
        if let Some(joint) = means
            .filter(|_| subjects.len() == whole)
            .and_then(|means| pooled(&means))
        {
            let values: Vec<f64> = subjects.iter().flat_map(|of| values(of, "acc,none")).collect();
            all.push(TaskResult {
                name: if group.is_empty() {
                    "mmlu".to_owned()
                } else {
                    format!("mmlu_{group}")
                },
                is_group: true,
                shots: subjects.first().map_or(0, |of| of.shots),
                documents: subjects.iter().map(|of| of.documents).sum(),
                scores: BTreeMap::from([("acc,none".to_owned(), scored(&values, joint))]),
            });
        }
    }
    all
}

/// The harness's results file: `results`, `groups`, `versions`, `n-shot`, `n-samples`, `higher_is_better`, `config`.
pub fn harness_json(results: &[TaskResult], model: &str, seed: u64, limit: Option<usize>) -> Value {
    let (mut tasks, mut groups, mut shots, mut samples, mut higher, mut versions) = (
        Map::new(),
        Map::new(),
        Map::new(),
        Map::new(),
        Map::new(),
        Map::new(),
    );
    for result in results {
        let mut entry = Map::new();
        entry.insert("alias".to_owned(), json!(result.name));
        let n = result
            .scores
            .values()
            .map(|score| score.mean.n)
            .max()
            .unwrap_or(0);
        entry.insert("sample_len".to_owned(), json!(n));
        let mut better = Map::new();
        for (name, score) in &result.scores {
            let (metric, filter) = name.split_once(',').unwrap_or((name, "none"));
            entry.insert(name.clone(), json!(score.mean.value));
            let error = score
                .mean
                .standard_error
                .map_or(json!("N/A"), |error| json!(error));
            entry.insert(format!("{metric}_stderr,{filter}"), error);
            better.insert(metric.to_owned(), json!(true));
        }
        tasks.insert(result.name.clone(), Value::Object(entry.clone()));
        higher.insert(result.name.clone(), Value::Object(better));
        if result.is_group {
            groups.insert(result.name.clone(), Value::Object(entry));
            versions.insert(result.name.clone(), json!(2));
            continue;
        }
        shots.insert(result.name.clone(), json!(result.shots));
        samples.insert(
            result.name.clone(),
            json!({"original": result.documents, "effective": n}),
        );
        let version = Task::named(&result.name)
            .ok()
            .and_then(|tasks| tasks.first().map(|t| t.version()));
        versions.insert(result.name.clone(), json!(version));
    }
    let mut all = json!({
        "results": tasks, "group_subtasks": subtasks(results), "configs": {}, "versions": versions, "n-shot": shots,
        "higher_is_better": higher, "n-samples": samples,
        "config": {
            "model": "anatomy", "model_args": {"pretrained": model}, "batch_size": "auto", "limit": limit,
            "bootstrap_iters": 0, "random_seed": 0, "numpy_seed": 1234, "torch_seed": 1234, "fewshot_seed": seed,
        },
        "lm_eval_version": HARNESS_VERSION,
    });
    if let (false, Some(object)) = (groups.is_empty(), all.as_object_mut()) {
        object.insert("groups".to_owned(), Value::Object(groups));
    }
    all
}

/// The members of each group; empty for a single task.
fn subtasks(results: &[TaskResult]) -> Map<String, Value> {
    let subject = |name: &str| match Task::named(name).as_deref() {
        Ok([Task::Mmlu(subject)]) => Some(*subject),
        _ => None,
    };
    results
        .iter()
        .map(|result| {
            let parts: Vec<String> = if !result.is_group {
                Vec::new()
            } else if result.name == "mmlu" {
                GROUPS.iter().map(|group| format!("mmlu_{group}")).collect()
            } else {
                let group = result.name.trim_start_matches("mmlu_");
                let own = results.iter().filter(|r| !r.is_group);
                own.filter(|r| subject(&r.name).is_some_and(|s| group_of(s) == group))
                    .map(|r| r.name.clone())
                    .collect()
            };
            (result.name.clone(), json!(parts))
        })
        .collect()
}
