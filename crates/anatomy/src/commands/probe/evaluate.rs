//! `anatomy probe evaluate`: the six benchmarks of Open LLM Leaderboard v1 as lm-evaluation-harness asks them.

mod exactly;
mod many;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use mechanism::evaluate::answer::{Answer, AnswerSettings, answer};
use mechanism::evaluate::paired::paired;
use mechanism::evaluate::results::{Ran, TaskResult, harness_json, results};
use mechanism::evaluate::table::{Table as ItemTable, shard};
use mechanism::evaluate::tasks::{FEW_SHOT_SEED, HARNESS_VERSION, Item, Task, TaskItems};
use mechanism::prune::{Choice, choose};
use serde_json::Value;
use study::section::{Cell, Table};

use super::benchmarks::Benchmarks;
use super::made_from::{Hashing, of_file, of_tasks, provenance};
use super::model::{Follow, MachineArgs, ModelArgs, lines};
use super::tasks;
use crate::global::{Format, Global};
use crate::output;
use crate::provenance::{Opened, Provenance, SCHEMA_VERSION};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy probe evaluate --model FILE.gguf --tasks arc_challenge,mmlu_anatomy --shots 5 --limit 50 --data DIR
  anatomy probe evaluate --model FOLDER --tasks mmlu --data DIR --items items.jsonl --format json > results.json
  anatomy probe evaluate --model FOLDER --tasks mmlu --data DIR --shard 0/4 --items items-0.jsonl
  anatomy probe evaluate --models models.txt --tasks mmlu --data DIR --shard 3/16 --items answers/     every 16th checkpoint of a list
  anatomy probe evaluate --model SMALLER --tasks winogrande --data DIR --against items.jsonl

Tasks: arc_challenge, hellaswag, mmlu, mmlu_SUBJECT, mmlu_GROUP, truthfulqa (mc1 and mc2), winogrande, gsm8k. DIR holds a folder
for each benchmark (arc_challenge, hellaswag, mmlu, truthfulqa, winogrande, gsm8k) with train, dev, validation or test as
JSON lines, plain or gzipped, or Parquet. Run again with the same --items to resume. With --format json the results
are in the form lm-evaluation-harness writes them. Item tables go together with `anatomy catalog import-items`.
Exit status: 0 done, 2 could not run")]
pub(crate) struct EvaluateArgs {
    /// A GGUF file, a safetensors file, or a folder with config.json, tokenizer.json and safetensors
    #[arg(long, value_name = "PATH", required_unless_present = "models")]
    model: Option<PathBuf>,
    /// Checkpoints to evaluate one after the other, one a line: a path, and after a tab what it is called; --shard then divides
    /// the list, and --items is a folder with an item table for each
    #[arg(long, value_name = "FILE", requires = "items", conflicts_with_all = ["model", "against", "id"])]
    models: Option<PathBuf>,
    /// Keep the residual stream of all texts in a file in this folder instead of memory
    #[arg(long, value_name = "DIR")]
    spill: Option<PathBuf>,
    #[command(flatten)]
    machine: MachineArgs,
    /// Tasks, separated by commas
    #[arg(long, value_name = "NAMES")]
    tasks: String,
    /// Folder of the benchmarks
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Examples before each question; without it as on Open LLM Leaderboard v1 (25, 10, 5, 0, 5, 5)
    #[arg(long, value_name = "NUM")]
    shots: Option<usize>,
    /// Only the first documents of each task
    #[arg(long, value_name = "NUM")]
    limit: Option<usize>,
    /// Seed from which examples are drawn; the harness's by default
    #[arg(long, default_value_t = FEW_SHOT_SEED, value_name = "NUM")]
    few_shot_seed: u64,
    /// Only every n-th item from the i-th on, counted from 0: one piece of n that together are all
    #[arg(long, value_name = "I/N", requires = "items")]
    shard: Option<String>,
    /// Write one JSON line per item; an incomplete file is resumed
    #[arg(long, value_name = "FILE")]
    items: Option<PathBuf>,
    /// Name of the checkpoint in the item table [default: the name of its file or folder, and what was changed in it]
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Item table of another checkpoint on the same items, to compare with
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Leave out these layers, counted from 0, separated by commas
    #[arg(long, value_name = "LIST")]
    without_layers: Option<String>,
}

pub(super) fn run(global: &Global, args: &EvaluateArgs) -> Result<ExitCode> {
    let data = Benchmarks::open(&args.data)?;
    let asked = data.naming(asked(args, data.folder()))?;
    let all: Vec<Item> = asked.iter().flat_map(|task| task.items.iter().cloned()).collect();
    if let Some(list) = &args.models {
        return many::run(global, args, list, &asked, &all);
    }
    let (part, all) = match &args.shard {
        None => (None, all),
        Some(text) => {
            let (index, count) = divided(text)?;
            (Some(text.as_str()), shard(all, index, count))
        }
    };
    let others: Option<Vec<Answer>> = args.against.as_deref().map(rows).transpose()?;
    let path = args.model.clone().unwrap_or_default();
    let args_of_model = ModelArgs::of(path.clone(), args.spill.clone(), args.machine);
    let (answers, opened) = answered(
        global,
        args,
        &args_of_model,
        args.id.as_deref(),
        args.items.as_deref(),
        &all,
    )?;
    let mut apart = None;
    if args.machine.fast().is_some() {
        let exact = ModelArgs::of(path.clone(), args.spill.clone(), args.machine.exactly());
        let first = &all[..all.len().min(exactly::ITEMS)];
        let (exact, _) = answered(global, args, &exact, Some("exact"), None, first)?;
        apart = Some(exactly::Apart::of(&answers, &exact));
    }
    let found = results(&ran(&asked, &answers));
    match global.format() {
        Format::Json => {
            let model = path.display().to_string();
            let mut inputs = of_tasks(&asked)?;
            if let (Some(path), Some(others)) = (&args.against, &others) {
                inputs.push(of_file("against", path, others.len())?);
            }
            let made_from = provenance(global, &args_of_model, &without(args)?, opened, inputs);
            let mut json = harness_json(&found, &model, args.few_shot_seed, args.limit);
            tell(&mut json, &made_from)?;
            if let Some(apart) = &apart {
                json["fast_against_exact"] = serde_json::to_value(apart)?;
            }
            if let (Some(others), Some(object)) = (&others, json.as_object_mut()) {
                object.insert("comparison".to_owned(), comparison(global, &answers, others)?);
            }
            output::result(&(serde_json::to_string_pretty(&json)? + "\n"))?;
        }
        Format::Csv => output::result_bytes(&output::csv(&scores(&found))?)?,
        Format::Table => output::result(&output::table(&scores(&found)))?,
    }
    if let (Some(others), true) = (&others, global.format() != Format::Json) {
        output::say(
            global.quiet,
            &serde_json::to_string_pretty(&comparison(global, &answers, others)?)?,
        );
    }
    if let Some(apart) = &apart {
        output::say(global.quiet, &apart.in_words());
    }
    let part = part.map(|part| format!(", shard {part}")).unwrap_or_default();
    output::say(
        global.quiet,
        &format!(
            "{} items{part}; tasks of lm-evaluation-harness {HARNESS_VERSION}, few-shot seed {}; intervals: Wilson, of probabilities (mc2) on the scale of log-odds, 95 %",
            answers.len(),
            args.few_shot_seed
        ),
    );
    Ok(ExitCode::SUCCESS)
}

/// The layers left out, in order.
fn without(args: &EvaluateArgs) -> Result<Vec<usize>> {
    let mut layers = args.without_layers.as_deref().map_or(Ok(Vec::new()), numbers)?;
    layers.sort_unstable();
    layers.dedup();
    Ok(layers)
}

/// Adds where results come from, in its own block and where the harness writes such things: `model_args`, `model_dtype`,
/// `model_sha`.
fn tell(json: &mut Value, made_from: &Provenance) -> Result<()> {
    json["kind"] = "evaluation".into();
    json["schema_version"] = SCHEMA_VERSION.into();
    json["provenance"] = serde_json::to_value(made_from)?;
    let Some(model) = &made_from.model else {
        return Ok(());
    };
    let dtype = match model.weights_as {
        "bf16" => "bfloat16",
        "f16" => "float16",
        _ => "float32",
    };
    let config = &mut json["config"];
    config["model_args"]["dtype"] = dtype.into();
    if !model.without_layers.is_empty() {
        config["model_args"]["without_layers"] = serde_json::to_value(&model.without_layers)?;
    }
    config["model_dtype"] = dtype.into();
    config["model_sha"] = model.opened.as_ref().map(|opened| opened.sha256.as_str()).into();
    Ok(())
}

/// One checkpoint's answers to `all`, those of its item table first; and what was opened, where the answer will tell it.
fn answered(
    global: &Global,
    args: &EvaluateArgs,
    model: &ModelArgs,
    id: Option<&str>,
    items: Option<&Path>,
    all: &[Item],
) -> Result<(Vec<Answer>, Option<Opened>)> {
    let checkpoint = model.open(global)?;
    let hashing = Hashing::begin(global, &checkpoint);
    let mut settings = AnswerSettings {
        run: model.settings(),
        ..AnswerSettings::usual(&checkpoint)
    };
    match id {
        Some(id) => id.clone_into(&mut settings.id),
        None => settings.id.push_str(&changed(args)),
    }
    if args.without_layers.is_some() {
        let choice = Choice::List(without(args)?);
        settings.layers = choose(&choice, checkpoint.config.n_layers)?.kept_layers;
    }
    let (mut table, mut answers) = match items {
        None => (None, Vec::new()),
        Some(path) => {
            let (table, rows) = ItemTable::open(path, &settings.id, all)?;
            (Some(table), rows)
        }
    };
    let done = answers.len();
    if done > 0 {
        output::say(
            global.quiet,
            &format!("{done} of {} items are there already", all.len()),
        );
    }
    let follow = Follow::new(global, "items");
    answer(
        &checkpoint,
        all,
        done,
        &settings,
        &mut |progress| follow.hear(&progress),
        &mut |row| {
            if let Some(table) = &mut table {
                table.add(&row)?;
            }
            answers.push(row);
            Ok(())
        },
    )?;
    follow.done();
    Ok((answers, hashing.map(Hashing::end).transpose()?))
}

/// What sets this run apart from one of the checkpoint as it is: part of its name, so that their tables are not mixed.
fn changed(args: &EvaluateArgs) -> String {
    let rounded = args.machine.rounded().map(|dtype| format!(" in {dtype}"));
    let fast = args.machine.fast().map(|fast| format!(" on {fast}"));
    let without = args.without_layers.as_ref();
    let without = without.map(|list| format!(" without layers {list}"));
    [rounded, fast, without].into_iter().flatten().collect()
}

/// Answers by task, those without one left out.
fn ran(asked: &[TaskItems], answers: &[Answer]) -> Vec<Ran> {
    asked
        .iter()
        .map(|task| Ran {
            task: task.task,
            shots: task.shots,
            documents: task.documents,
            answers: of_task(answers, &task.task.to_string()),
        })
        .filter(|ran| !ran.answers.is_empty())
        .collect()
}

/// The items of every task asked for.
fn asked(args: &EvaluateArgs, data: &Path) -> Result<Vec<TaskItems>> {
    let mut tasks: Vec<Task> = Vec::new();
    for name in args.tasks.split(',') {
        for task in Task::named(name.trim())? {
            if !tasks.contains(&task) {
                tasks.push(task);
            }
        }
    }
    let shots = |task: Task| args.shots.unwrap_or_else(|| task.leaderboard_shots());
    tasks::asked(&tasks, data, shots, args.limit, args.few_shot_seed)
}

/// `i/n`.
fn divided(text: &str) -> Result<(usize, usize)> {
    let parsed = text
        .split_once('/')
        .and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
    match parsed {
        Some((index, count)) if index < count => Ok((index, count)),
        _ => bail!("`{text}` is not a shard: write I/N with I below N, as in 0/4"),
    }
}

fn numbers(list: &str) -> Result<Vec<usize>> {
    list.split(',')
        .map(|layer| {
            layer
                .trim()
                .parse()
                .with_context(|| format!("`{layer}` is not a layer number"))
        })
        .collect()
}

fn rows(path: &Path) -> Result<Vec<Answer>> {
    lines(path)?
        .iter()
        .enumerate()
        .map(|(number, line)| {
            serde_json::from_str(line)
                .with_context(|| format!("{}, line {}: no row of an item table", path.display(), number + 1))
        })
        .collect()
}

fn of_task(answers: &[Answer], task: &str) -> Vec<Answer> {
    answers
        .iter()
        .filter(|answer| answer.task == task)
        .cloned()
        .collect()
}

/// One row a task and metric.
fn scores(found: &[TaskResult]) -> Table {
    let mut rows = Vec::new();
    for result in found {
        for (metric, score) in &result.scores {
            let cells: [Cell; 8] = [
                result.name.as_str().into(),
                metric.as_str().into(),
                result.shots.into(),
                score.mean.n.into(),
                score.mean.value.into(),
                score.mean.standard_error.into(),
                score.interval.map(|(low, _)| low).into(),
                score.interval.map(|(_, high)| high).into(),
            ];
            rows.push(cells.to_vec());
        }
    }
    Table {
        id: "evaluate".into(),
        columns: [
            "task",
            "metric",
            "shots",
            "items",
            "value",
            "standard error",
            "low",
            "high",
        ]
        .map(String::from)
        .to_vec(),
        rows,
        ..Table::default()
    }
}

/// Each task and metric on the items both tables have: the other checkpoint is `a`, this one `b`.
fn comparison(global: &Global, ours: &[Answer], theirs: &[Answer]) -> Result<serde_json::Value> {
    let mut all = serde_json::Map::new();
    for found in paired(theirs, ours, global.seed) {
        let of_task = all.entry(found.task).or_insert_with(|| serde_json::json!({}));
        of_task[found.metric] = serde_json::to_value(found.comparison)?;
    }
    Ok(serde_json::Value::Object(all))
}
