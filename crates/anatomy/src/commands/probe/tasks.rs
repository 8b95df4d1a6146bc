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
    /// Only the first documents of each task
    #[arg(long, value_name = "NUM", requires = "tasks")]
    limit: Option<usize>,
}

impl TaskArgs {
    /// The most documents of each task.
    pub(super) fn limit(&self) -> Option<usize> {
        self.limit
    }

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
                let found = data.naming(asked(&tasks, data.folder(), shots, self.limit, FEW_SHOT_SEED))?;
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
