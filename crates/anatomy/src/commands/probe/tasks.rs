//! Benchmarks' items, as probes are asked for them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use mechanism::evaluate::tasks::{FEW_SHOT_SEED, Task, TaskItems, items};

use super::benchmarks::Benchmarks;

/// Seed from which examples are drawn, where none are.
pub(super) const FEW_SHOTS: u64 = FEW_SHOT_SEED;

/// Items of benchmarks, where a probe may be run on others too.
#[derive(Debug, Args)]
pub(super) struct TaskArgs {
    /// Items of these benchmarks, separated by commas: the tasks of `anatomy probe evaluate`
    #[arg(long, value_name = "NAMES", requires = "data")]
    tasks: Option<String>,
    /// Folder of the benchmarks, as for `anatomy probe evaluate`
    #[arg(long, value_name = "DIR", requires = "tasks")]
    data: Option<PathBuf>,
    /// Examples before each item
    #[arg(long, value_name = "NUM", requires = "tasks")]
    shots: Option<usize>,
    /// Only the first documents of each benchmark; of mmlu so many over all its subjects
    #[arg(long, value_name = "NUM", requires = "tasks")]
    limit: Option<usize>,
}

impl TaskArgs {
    /// What was asked for by each name, in its order; nothing where no name was given. `usual` are the shots of a task where
    /// none are given.
    pub(super) fn read(&self, usual: impl Fn(Task) -> usize) -> Result<Vec<(String, Vec<TaskItems>)>> {
        let (Some(names), Some(data)) = (&self.tasks, &self.data) else {
            return Ok(Vec::new());
        };
        let data = Benchmarks::open(data)?;
        let shots = |task| self.shots.unwrap_or_else(|| usual(task));
        names
            .split(',')
            .map(|name| {
                let tasks = Task::named(name.trim())?;
                let mut found =
                    data.naming(asked(&tasks, data.folder(), shots, self.limit, FEW_SHOT_SEED))?;
                if let Some(limit) = self.limit {
                    spread(&mut found, limit);
                }
                Ok((name.trim().to_owned(), found))
            })
            .collect()
    }
}

/// The items of tasks.
pub(super) fn asked(
    tasks: &[Task],
    data: &Path,
    shots: impl Fn(Task) -> usize,
    limit: Option<usize>,
    seed: u64,
) -> Result<Vec<TaskItems>> {
    tasks
        .iter()
        .map(|&task| {
            let shots = shots(task);
            items(task, data, shots, limit, seed)
                .with_context(|| format!("cannot ask {task} with {shots} shots"))
        })
        .collect()
}

/// Leaves `limit` items of all subjects together, equally many of each where there are enough.
pub(super) fn spread(tasks: &mut [TaskItems], limit: usize) {
    if tasks
        .iter()
        .any(|task| !task.task.to_string().starts_with("mmlu_"))
    {
        return;
    }
    let mut keep = vec![0; tasks.len()];
    let mut left = limit;
    while left > 0 {
        let mut more = false;
        for (task, keep) in tasks.iter().zip(&mut keep) {
            if left > 0 && *keep < task.items.len() {
                *keep += 1;
                left -= 1;
                more = true;
            }
        }
        if !more {
            break;
        }
    }
    for (task, keep) in tasks.iter_mut().zip(keep) {
        task.items.truncate(keep);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_of_mmlu_is_spread_over_its_subjects() {
        let of = |subject: usize, n: usize| TaskItems {
            task: Task::Mmlu(subject),
            shots: 0,
            documents: n,
            items: (0..n)
                .map(|doc_id| mechanism::evaluate::tasks::Item {
                    task: Task::Mmlu(subject),
                    doc_id,
                    requests: Vec::new(),
                    choice_chars: Vec::new(),
                    gold: mechanism::evaluate::tasks::Gold::Choice(0),
                })
                .collect(),
        };
        let mut tasks = vec![of(0, 4), of(1, 1), of(2, 4)];
        spread(&mut tasks, 6);
        let kept: Vec<usize> = tasks.iter().map(|task| task.items.len()).collect();
        assert_eq!(kept, [3, 1, 2]);
        spread(&mut tasks, 100);
        assert_eq!(tasks.iter().map(|task| task.items.len()).sum::<usize>(), 6);
    }
}
