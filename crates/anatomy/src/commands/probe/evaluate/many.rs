//! `anatomy probe evaluate --models`: evaluates a list of checkpoints, or every n-th of them, each into an item table.
//!
//! Shards are independent and can be run again: a complete table is read without opening its checkpoint. A checkpoint
//! that fails does not stop the others and is reported at the end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use mechanism::evaluate::answer::Answer;
use mechanism::evaluate::results::{TaskResult, harness_json, results};
use mechanism::evaluate::table::Table as ItemTable;
use mechanism::evaluate::tasks::{Item, TaskItems};
use serde_json::{Map, Value};
use study::section::{Cell, Table};

use super::super::made_from::{of_tasks, provenance};
use super::super::model::{ModelArgs, lines};
use super::{EvaluateArgs, answered, divided, ran, scores, tell, without};
use crate::global::{Format, Global};
use crate::output;
use crate::provenance::Opened;

/// One line of the list.
#[derive(Debug, PartialEq, Eq)]
struct Listed {
    path: PathBuf,
    id: String,
}

/// A checkpoint, its run settings, its results, and what was found on opening it; `None` where it was not opened or the
/// output does not report it.
type Done<'a> = (&'a Listed, ModelArgs, Vec<TaskResult>, Option<Opened>);

impl Listed {
    fn model(&self, args: &EvaluateArgs) -> ModelArgs {
        ModelArgs::of(self.path.clone(), args.spill.clone(), args.machine)
    }
}

pub(super) fn run(
    global: &Global,
    args: &EvaluateArgs,
    list: &Path,
    asked: &[TaskItems],
    all: &[Item],
) -> Result<ExitCode> {
    let folder = args
        .items
        .as_deref()
        .context("--models needs --items, a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let listed = listed(&lines(list)?)?;
    let (index, count) = args.shard.as_deref().map_or(Ok((0, 1)), divided)?;
    let own: Vec<&Listed> = listed.iter().skip(index).step_by(count).collect();
    let (mut done, mut failed): (Vec<Done<'_>>, Vec<String>) = Default::default();
    for (number, one) in own.iter().enumerate() {
        output::say(
            global.quiet,
            &format!("{} of {}: {}", number + 1, own.len(), one.id),
        );
        let table = folder.join(format!("{}.jsonl", one.id.replace('/', "__")));
        let model = one.model(args);
        match evaluated(global, args, (one, &model), &table, all) {
            Ok((answers, opened)) => done.push((*one, model, results(&ran(asked, &answers)), opened)),
            Err(error) => {
                output::say(global.quiet, &format!("{}: {error:#}", one.id));
                failed.push(format!("{} ({error:#})", one.id));
            }
        }
    }
    match global.format() {
        Format::Json => {
            let (inputs, without) = (of_tasks(asked)?, without(args)?);
            let mut json = Map::new();
            for (one, model, found, opened) in &done {
                let path = one.path.display().to_string();
                let mut result = harness_json(found, &path, args.few_shot_seed, args.limit);
                let made_from = provenance(global, model, &without, opened.clone(), inputs.clone());
                tell(&mut result, &made_from)?;
                json.insert(one.id.clone(), result);
            }
            output::result(&(serde_json::to_string_pretty(&Value::Object(json))? + "\n"))?;
        }
        Format::Csv => output::result_bytes(&output::csv(&beside(&done))?)?,
        Format::Table => output::result(&output::table(&beside(&done)))?,
    }
    if !failed.is_empty() {
        bail!(
            "{} of {} checkpoints could not be evaluated: {}",
            failed.len(),
            own.len(),
            failed.join("; ")
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads the answers from the table if it is complete, else evaluates the checkpoint.
fn evaluated(
    global: &Global,
    args: &EvaluateArgs,
    (one, model): (&Listed, &ModelArgs),
    table: &Path,
    all: &[Item],
) -> Result<(Vec<Answer>, Option<Opened>)> {
    if table.is_file() {
        let (_, rows) = ItemTable::open(table, &one.id, all)?;
        if rows.len() == all.len() {
            return Ok((rows, None));
        }
    }
    answered(global, args, model, Some(&one.id), Some(table), all)
}

/// Parses the lines that are neither empty nor comments (`#`): a path, optionally followed by a tab and an id.
fn listed(lines: &[String]) -> Result<Vec<Listed>> {
    let mut all: Vec<Listed> = Vec::new();
    for line in lines {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (path, id) = line.split_once('\t').unwrap_or((line, ""));
        let path = PathBuf::from(path.trim());
        let id = match id.trim() {
            "" => path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
            id => id.to_owned(),
        };
        if let Some(other) = all.iter().find(|other| other.id == id) {
            bail!(
                "{} and {} are both called `{id}`; name them apart after a tab",
                other.path.display(),
                path.display()
            );
        }
        all.push(Listed { path, id });
    }
    if all.is_empty() {
        bail!("the list has no checkpoint");
    }
    Ok(all)
}

/// The scores of all checkpoints, with a column `checkpoint` in front.
fn beside(done: &[Done<'_>]) -> Table {
    let mut table = scores(&[]);
    table.columns.insert(0, "checkpoint".into());
    for (one, _, found, _) in done {
        for mut row in scores(found).rows {
            row.insert(0, Cell::from(one.id.as_str()));
            table.rows.push(row);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_paths_and_names() {
        let lines = ["# mine", "", "a/b.gguf", "c/d\torg/d"].map(str::to_owned);
        let found = listed(&lines).expect("a list");
        assert_eq!((found[0].id.as_str(), found[1].id.as_str()), ("b.gguf", "org/d"));
        assert!(listed(&["x/a".to_owned(), "y/a".to_owned()]).is_err());
        assert!(listed(&["#".to_owned()]).is_err());
    }
}
