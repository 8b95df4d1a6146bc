//! What people want done, and the benchmarks that ask for it.

use anyhow::{Result, bail};

use super::Predictor;
use super::known::near;

/// A task, its other names, its benchmarks. One leaderboard a task where one has it: means over two leaderboards'
/// scales would compare checkpoints by which of them they were entered in.
const TASKS: [(&str, &[&str], &[&str]); 10] = [
    ("math", &["mathematics", "maths"], &["math"]),
    ("arithmetic", &["grade-school", "word-problems"], &["gsm8k"]),
    (
        "instructions",
        &["instruction-following", "instruct", "chat"],
        &["ifeval"],
    ),
    ("knowledge", &["facts"], &["mmlu_pro"]),
    ("science", &["graduate-science"], &["gpqa"]),
    ("reasoning", &["logic"], &["bbh", "musr"]),
    ("commonsense", &["common-sense"], &["hellaswag", "winogrande"]),
    ("truthfulness", &["truth"], &["truthfulqa"]),
    ("code", &["coding", "programming"], &["bigcodebench_complete"]),
    ("long-context", &["long_context"], &["longbench_v2"]),
];

/// The six of leaderboard v2: what is asked where no task is.
const ALL: [&str; 6] = study::dimensions::BENCHMARKS;

/// Every name of every task.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    TASKS
        .iter()
        .flat_map(|(task, others, _)| std::iter::once(*task).chain(others.iter().copied()))
}

/// The benchmarks of tasks or benchmarks named, each once, in the order named.
///
/// # Errors
/// A name that is neither, with what there is.
pub(crate) fn benchmarks(predictor: &Predictor, asked: &[String]) -> Result<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    let mut add = |name: &str| {
        if !found.iter().any(|known| known == name) {
            found.push(name.to_owned());
        }
    };
    if asked.is_empty() {
        for name in ALL {
            add(name);
        }
    }
    for name in asked {
        let name = name.trim().to_ascii_lowercase();
        let task = TASKS
            .iter()
            .find(|(task, others, _)| *task == name || others.contains(&name.as_str()));
        match (task, predictor.benchmark(&name)) {
            (Some((_, _, benchmarks)), _) => {
                for benchmark in *benchmarks {
                    add(benchmark);
                }
            }
            (None, Some(benchmark)) => add(&benchmark.name),
            (None, None) => {
                let tasks: Vec<&str> = TASKS.iter().map(|(task, ..)| *task).collect();
                let benchmarks: Vec<&str> = predictor
                    .benchmarks
                    .iter()
                    .map(|benchmark| benchmark.name.as_str())
                    .collect();
                let like = near(&name, tasks.iter().chain(&benchmarks).copied());
                let hint = like
                    .first()
                    .map_or(String::new(), |like| format!(" (did you mean {like}?)"));
                bail!(
                    "no task or benchmark named `{name}`{hint}; tasks: {}; benchmarks: {}",
                    tasks.join(", "),
                    benchmarks.join(", ")
                );
            }
        }
    }
    Ok(found)
}
