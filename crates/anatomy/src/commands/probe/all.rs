//! `anatomy probe all`: influence, evaluation, ablation, pruning and gradients of one checkpoint, one result a step, in a folder
//! that the report reads; run again it goes on where it ended.
//!
//! Each step is a run of its own of this program, so that a step that fails or is interrupted takes nothing else with it. A
//! result is written whole or not at all; a step whose result is there is not run again, and steps that ask items keep a table
//! of answers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Args;
use mechanism::Checkpoint;
use mechanism::evaluate::answer::MAX_NEW_TOKENS;
use mechanism::evaluate::log_likelihoods;
use mechanism::evaluate::tasks::{Gold, Item, Task, TaskItems};

use super::benchmarks::Benchmarks;
use super::model::ModelArgs;
use super::tasks;
use crate::global::Global;
use crate::output;
use crate::report::write_whole;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy probe all --model FILE.gguf --data DIR --out probes/
  anatomy probe all --model FOLDER --data DIR --limit 40 --parts layers,d_ffn --shares 10,20 --out probes/
  anatomy probe all --model FOLDER --data DIR --out probes/ --plan      say what would be run and how long, and run nothing
  anatomy report --probe probes/ --out report/

Steps: influence, evaluate, mmlu, ablate, prune, gradients, styles; --steps chooses among them. Each writes OUT/STEP.json; OUT/settings.txt
keeps the command of each, and other settings in the same folder are refused. Items are asked without examples; answers to gsm8k are
generated, which takes longest.
Exit status: 0 done, 2 could not run")]
pub(crate) struct AllArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// Folder of the benchmarks, as for `anatomy probe evaluate`
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Benchmarks, separated by commas
    #[arg(
        long,
        value_name = "NAMES",
        default_value = "arc_challenge,hellaswag,winogrande,mmlu,truthfulqa_mc2,gsm8k"
    )]
    tasks: String,
    /// Items of each benchmark, of mmlu over all its subjects
    #[arg(long, value_name = "NUM", default_value_t = 100)]
    limit: usize,
    /// Parts to remove from, as for `anatomy probe ablate` [default: all that the checkpoint has]
    #[arg(long, value_name = "LIST")]
    parts: Option<String>,
    /// Shares of the parameters to remove, percent
    #[arg(long, value_name = "LIST", default_value = "5,10,20,30")]
    shares: String,
    /// How units are chosen
    #[arg(long, value_name = "LIST", default_value = "importance")]
    how: String,
    /// Steps to run, separated by commas [default: all]
    #[arg(long, value_name = "LIST")]
    steps: Option<String>,
    /// Folder for the results
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Print the plan with time estimates, and run nothing
    #[arg(long)]
    plan: bool,
}

/// One run.
struct Step {
    name: &'static str,
    /// What follows `anatomy probe`, but for checkpoint, format and seed.
    words: Vec<String>,
    /// Tokens that go through a whole network, about.
    tokens: f64,
}

/// Items whose gradients are asked for at most: each has a spectrum of every matrix.
const GRADIENT_ITEMS: usize = 20;

pub(super) fn run(global: &Global, args: &AllArgs) -> Result<ExitCode> {
    let begun = Instant::now();
    let data = Benchmarks::open(&args.data)?;
    let mut named: Vec<(String, Vec<TaskItems>)> = Vec::new();
    for name in args.tasks.split(',').map(str::trim) {
        let found = Task::named(name)?;
        let limit = args.limit;
        let mut items = data.naming(tasks::asked(
            &found,
            data.folder(),
            |_| 0,
            Some(limit),
            tasks::FEW_SHOTS,
        ))?;
        tasks::spread(&mut items, limit);
        items.retain(|task| !task.items.is_empty());
        named.push((name.to_owned(), items));
    }
    let checkpoint = args.model.open(global)?;
    let steps = steps(args, &named, &checkpoint)?;
    let speed = seconds_a_token(&checkpoint, &named)?;
    let mut total = 0.0;
    for step in &steps {
        let there = if result(args, step).is_file() {
            ", there already"
        } else {
            ""
        };
        let seconds = speed * step.tokens;
        total += if there.is_empty() { seconds } else { 0.0 };
        output::say(
            global.quiet,
            &format!("{:<10} about {}{there}", step.name, in_words(seconds)),
        );
    }
    output::say(global.quiet, &format!("together about {}", in_words(total)));
    if args.plan {
        return Ok(ExitCode::SUCCESS);
    }
    fs::create_dir_all(&args.out)
        .with_context(|| format!("cannot make the folder {}", args.out.display()))?;
    settle(args, &steps)?;
    samples(args, &named)?;
    drop(checkpoint);
    for (number, step) in steps.iter().enumerate() {
        if result(args, step).is_file() {
            continue;
        }
        let elapsed = in_words(begun.elapsed().as_secs_f64());
        output::say(
            global.quiet,
            &format!(
                "step {} of {}: {}, after {elapsed}",
                number + 1,
                steps.len(),
                step.name
            ),
        );
        one(global, args, step)?;
    }
    output::say(
        global.quiet,
        &format!(
            "all is in {}; `anatomy report --probe {} --out report/` shows it",
            args.out.display(),
            args.out.display()
        ),
    );
    Ok(ExitCode::SUCCESS)
}

fn result(args: &AllArgs, step: &Step) -> PathBuf {
    args.out.join(format!("{}.json", step.name))
}

/// `3 min`, `45 s`, `2.5 h`.
fn in_words(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

/// Tokens of a text that is read, which cost as much as one that is written.
const A_NEW_TOKEN: usize = 2;

fn tokens(items: &[TaskItems]) -> f64 {
    let of = |item: &Item| -> usize {
        if matches!(item.gold, Gold::Answer(_)) {
            return item.requests[0].context.len() / 4 + A_NEW_TOKEN * MAX_NEW_TOKENS;
        }
        let own: usize = item
            .requests
            .iter()
            .map(|request| request.continuation.len())
            .sum();
        (item.requests[0].context.len() + own) / 4 + 1
    };
    items.iter().flat_map(|task| &task.items).map(of).sum::<usize>() as f64
}

fn steps(args: &AllArgs, named: &[(String, Vec<TaskItems>)], checkpoint: &Checkpoint) -> Result<Vec<Step>> {
    let data = absolute(&args.data)?.display().to_string();
    let words = |list: &[&str]| -> Vec<String> { list.iter().map(|word| (*word).to_owned()).collect() };
    let names = |wanted: &dyn Fn(usize) -> bool| -> String {
        let of = named
            .iter()
            .filter(|(_, tasks)| wanted(tasks.len()))
            .map(|(name, _)| name.as_str());
        of.collect::<Vec<_>>().join(",")
    };
    let choices = |(_, tasks): &&(String, Vec<TaskItems>)| tasks.iter().all(|task| task.task != Task::Gsm8k);
    let all: f64 = named.iter().map(|(_, tasks)| tokens(tasks)).sum();
    let limit = args.limit.to_string();
    let mut steps = Vec::new();
    let of_choices: Vec<&str> = named
        .iter()
        .filter(choices)
        .map(|(name, _)| name.as_str())
        .collect();
    if !of_choices.is_empty() {
        let few = args.limit.min(GRADIENT_ITEMS).to_string();
        steps.push(Step {
            name: "influence",
            words: words(&[
                "influence",
                "--tasks",
                &of_choices.join(","),
                "--data",
                &data,
                "--limit",
                &few,
            ]),
            tokens: all * args.limit.min(GRADIENT_ITEMS) as f64 / args.limit.max(1) as f64,
        });
    }
    // The harness counts a limit by subject.
    let (single, groups) = (names(&|n| n <= 2), names(&|n| n > 2));
    for (name, list, each) in [
        ("evaluate", single, args.limit),
        ("mmlu", groups, args.limit.div_ceil(57)),
    ] {
        if !list.is_empty() {
            let own = named
                .iter()
                .filter(|(_, tasks)| (tasks.len() <= 2) == (name == "evaluate"));
            steps.push(Step {
                name,
                words: words(&[
                    "evaluate",
                    "--tasks",
                    &list,
                    "--data",
                    &data,
                    "--shots",
                    "0",
                    "--limit",
                    &each.to_string(),
                    "--items",
                    &format!("answers-{name}.jsonl"),
                ]),
                tokens: own.map(|(_, tasks)| tokens(tasks)).sum(),
            });
        }
    }
    let mut ablate = words(&[
        "ablate",
        "--tasks",
        &args.tasks,
        "--data",
        &data,
        "--limit",
        &limit,
        "--shares",
        &args.shares,
        "--how",
        &args.how,
        "--items",
        "answers",
    ]);
    if let Some(parts) = &args.parts {
        ablate.extend(words(&["--parts", parts]));
    }
    let parts = args.parts.as_ref().map_or(5, |parts| parts.split(',').count());
    let networks = 1 + parts * args.shares.split(',').count() * args.how.split(',').count();
    steps.push(Step {
        name: "ablate",
        words: ablate,
        tokens: all * networks as f64,
    });
    // A quarter of the layers, as the paper removed nine of 32.
    let count = (checkpoint.config.n_layers / 4).max(1).to_string();
    if checkpoint.config.n_layers > 1 {
        steps.push(Step {
            name: "prune",
            words: words(&[
                "prune",
                "--count",
                &count,
                "--tasks",
                &args.tasks,
                "--data",
                &data,
                "--shots",
                "0",
                "--limit",
                &limit,
            ]),
            tokens: 3.0 * all,
        });
    }
    let files: Vec<&(String, Vec<TaskItems>)> = named.iter().filter(|(_, tasks)| sampled(tasks)).collect();
    if !files.is_empty() {
        let mut gradients = words(&["gradients"]);
        for (name, _) in &files {
            gradients.extend(words(&["--data", &format!("samples/{name}.jsonl")]));
        }
        // Backwards costs twice what forwards does, and the spectra as much again, about.
        let few: f64 = files.iter().map(|(_, tasks)| tokens(tasks)).sum::<f64>() / args.limit.max(1) as f64;
        steps.push(Step {
            name: "gradients",
            words: gradients,
            tokens: 6.0 * few * args.limit.min(GRADIENT_ITEMS) as f64,
        });
    }
    steps.push(Step {
        name: "styles",
        words: words(&[
            "gradients",
            "--corpus",
            "plain,mathematical,archaic,code,legal,dialogue",
            "--corpus-texts",
            "8",
        ]),
        tokens: 6.0 * 5500.0,
    });
    let Some(list) = &args.steps else {
        return Ok(steps);
    };
    let known: Vec<&str> = steps.iter().map(|step| step.name).collect();
    let wanted: Vec<&str> = list.split(',').map(str::trim).collect();
    if let Some(other) = wanted.iter().find(|name| !known.contains(name)) {
        bail!(
            "unknown step `{other}`; for these benchmarks there are {}",
            known.join(", ")
        );
    }
    Ok(steps
        .into_iter()
        .filter(|step| wanted.contains(&step.name))
        .collect())
}

/// Whether a question and its right answer can be learned from: one choice is right, and there are few tasks.
fn sampled(tasks: &[TaskItems]) -> bool {
    let items = || tasks.iter().flat_map(|task| &task.items);
    tasks.len() == 1 && items().next().is_some() && items().all(|item| !matches!(item.gold, Gold::Answer(_)))
}

/// Questions with their right answers, for gradients.
fn samples(args: &AllArgs, named: &[(String, Vec<TaskItems>)]) -> Result<()> {
    let folder = args.out.join("samples");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    for (name, tasks) in named.iter().filter(|(_, tasks)| sampled(tasks)) {
        let mut lines = String::new();
        for item in tasks.iter().flat_map(|task| &task.items).take(GRADIENT_ITEMS) {
            let right = match &item.gold {
                Gold::Choice(right) => *right,
                Gold::Labels(labels) => labels.iter().position(|label| *label).unwrap_or(0),
                Gold::Answer(_) => continue,
            };
            let request = &item.requests[right];
            let line = serde_json::json!({"prompt": request.context, "response": request.continuation});
            lines.push_str(&(line.to_string() + "\n"));
        }
        write_whole(&folder.join(format!("{name}.jsonl")), lines.as_bytes())?;
    }
    Ok(())
}

/// Seconds that a token takes through the whole network, from a few items: an estimate needs no more.
fn seconds_a_token(checkpoint: &Checkpoint, named: &[(String, Vec<TaskItems>)]) -> Result<f64> {
    let items = named
        .iter()
        .flat_map(|(_, tasks)| tasks)
        .flat_map(|task| &task.items);
    let choices = items.filter(|item| !matches!(item.gold, Gold::Answer(_)));
    let requests: Vec<_> = choices.take(6).flat_map(|item| item.requests.clone()).collect();
    if requests.is_empty() {
        return Ok(0.0);
    }
    let layers: Vec<usize> = (0..checkpoint.config.n_layers).collect();
    let begun = Instant::now();
    log_likelihoods(
        checkpoint,
        &requests,
        &layers,
        true,
        &mechanism::run::RunSettings::in_memory(),
        &mut |_| (),
    )?;
    let characters: usize = requests
        .iter()
        .map(|request| request.context.len() / 4 + request.continuation.len())
        .sum();
    Ok(begun.elapsed().as_secs_f64() / (characters as f64 / 4.0).max(1.0))
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("cannot find {}", path.display()))
}

/// The commands of all steps, one a line; another list in the same folder is refused.
fn settle(args: &AllArgs, steps: &[Step]) -> Result<()> {
    let path = args.out.join("settings.txt");
    let before = fs::read_to_string(&path).unwrap_or_default();
    let mut lines: Vec<String> = before.lines().map(str::to_owned).collect();
    for step in steps {
        let line = format!(
            "{}: anatomy probe {} --model {}",
            step.name,
            step.words.join(" "),
            args.model.model.display()
        );
        let same = |other: &&String| other.starts_with(&format!("{}: ", step.name));
        match lines.iter().find(same) {
            Some(other) if *other != line => bail!(
                "{} holds results of other settings: `{other}`, not `{line}`; name another folder with --out, or remove {}.json and the \
                 line from {}",
                args.out.display(),
                step.name,
                path.display()
            ),
            Some(_) => {}
            None => lines.push(line),
        }
    }
    write_whole(&path, (lines.join("\n") + "\n").as_bytes())
}

/// Runs a step and keeps its result.
fn one(global: &Global, args: &AllArgs, step: &Step) -> Result<()> {
    let program = crate::provenance::program().context("cannot find this program")?;
    let mut command = Command::new(program);
    command
        .current_dir(&args.out)
        .arg("probe")
        .args(&step.words)
        .args(["--format", "json"]);
    let model = &args.model.model;
    // A name on the Hub is no path.
    let place = if model.exists() {
        absolute(model)?
    } else {
        model.clone()
    };
    command.arg("--model").arg(place).args(args.model.words());
    command.args([
        "--seed",
        &global.seed.to_string(),
        "--threads",
        &global.threads.to_string(),
    ]);
    if global.quiet {
        command.arg("--quiet");
    }
    let done = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run the step {}", step.name))?;
    if !done.status.success() {
        bail!(
            "step {} ended with {}; earlier results are kept in {}, and the same command resumes from there",
            step.name,
            done.status,
            args.out.display()
        );
    }
    write_whole(&result(args, step), &done.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_roughly() {
        assert_eq!(
            [in_words(44.6), in_words(600.0), in_words(9000.0)],
            ["45 s", "10 min", "2.5 h"]
        );
    }
}
