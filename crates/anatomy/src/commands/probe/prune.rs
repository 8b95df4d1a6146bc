//! `anatomy probe prune`: remove layers, and say or write what is left.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use mechanism::Checkpoint;
use mechanism::corpora::{CALIBRATION_TEXTS, CORPORA};
use mechanism::evaluate::Request;
use mechanism::evaluate::paired::{LEVEL, RESAMPLES};
use mechanism::evaluate::tasks::{Item, Task};
use mechanism::influence::{InfluenceSettings, block_influence};
use mechanism::prune::{Choice, PruningEffect, choose, prune, write_pruned};
use study::section::{Cell, Table};

use super::corpus::CorpusArgs;
use super::made_from::{Hashing, of_file, of_tasks, of_values, provenance};
use super::model::{Follow, ModelArgs, json_lines, lines};
use super::tasks::TaskArgs;
use crate::global::{Format, Global};
use crate::output;
use crate::provenance::{Envelope, Provenance};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy probe prune --model FILE.gguf --count 3 --texts texts.txt --out smaller/
  anatomy probe prune --model FOLDER --layers 21,22,23 --requests requests.jsonl --format json
  anatomy probe prune --model FOLDER --count 4 --by random --requests requests.jsonl
  anatomy probe prune --model FOLDER --count 4 --by last --tasks arc_challenge,winogrande --data DIR --shots 0 --limit 200

A line of the requests is {\"context\": \"…\", \"continuation\": \" …\"}: its log-likelihood is given before and after. Of benchmarks, scores before
and after, with intervals over paired items.
Exit status: 0 done, 2 could not run")]
pub(crate) struct PruneArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// Layers to remove, counted from 0, separated by commas
    #[arg(long, value_name = "LIST", conflicts_with_all = ["count", "by"])]
    layers: Option<String>,
    /// How many layers to remove
    #[arg(long, value_name = "NUM", required_unless_present = "layers")]
    count: Option<usize>,
    /// Which ones
    #[arg(long, value_enum, default_value_t = By::Influence)]
    by: By,
    /// First layer of the block, with --by block
    #[arg(long, value_name = "NUM")]
    first: Option<usize>,
    /// One text a line, on which influence is measured [default: --corpus, else the items of --tasks, else twelve texts of each
    /// corpus that comes along]
    #[arg(long, value_name = "FILE", conflicts_with = "corpus")]
    texts: Option<PathBuf>,
    #[command(flatten)]
    corpora: CorpusArgs,
    /// JSON lines with `context` and `continuation`
    #[arg(long, value_name = "FILE", required_unless_present_any = ["out", "tasks"])]
    requests: Option<PathBuf>,
    #[command(flatten)]
    items: TaskArgs,
    /// Write the smaller checkpoint here, as safetensors with config.json
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// How layers are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// The least influential on --texts
    Influence,
    /// At random, from --seed
    Random,
    /// The first ones
    First,
    /// The last ones
    Last,
    /// A block from --first on
    Block,
}

pub(super) fn run(global: &Global, args: &PruneArgs) -> Result<ExitCode> {
    let read = |path| json_lines::<Request>(path, "`context` and `continuation`");
    let requests = args
        .requests
        .as_deref()
        .map(read)
        .transpose()?
        .unwrap_or_default();
    let mut items: Vec<Item> = Vec::new();
    let mut inputs = Vec::new();
    if let Some(path) = &args.requests {
        inputs.push(of_file("requests", path, requests.len())?);
    }
    let is_measured = args.layers.is_none() && args.by == By::Influence;
    if args.corpora.is_named() && !is_measured {
        bail!(
            "--corpus: influence is measured on it, which --layers and --by other than influence do not ask for"
        );
    }
    let mut texts = Vec::new();
    if let Some(path) = args.texts.as_ref().filter(|_| is_measured) {
        texts = lines(path)?;
        inputs.push(of_file("texts", path, texts.len())?);
    }
    for (name, own) in args.corpora.texts()? {
        inputs.push(of_values("corpus", &name, &own)?);
        texts.extend(own);
    }
    for (_, tasks) in args.items.read(Task::leaderboard_shots)? {
        inputs.extend(of_tasks(&tasks)?);
        items.extend(tasks.into_iter().flat_map(|task| task.items));
    }
    if global.format() == Format::Csv && !requests.is_empty() && !items.is_empty() {
        bail!("--format csv holds one table: ask --requests and --tasks one after the other");
    }
    if is_measured && texts.is_empty() {
        // The items asked with their right answers, else those that come along.
        texts = items.iter().map(Item::text).collect();
        for corpus in CORPORA.iter().filter(|_| items.is_empty()) {
            let own = corpus.some(CALIBRATION_TEXTS);
            inputs.push(of_values("corpus", corpus.name, &own)?);
            texts.extend(own);
        }
    }
    let checkpoint = args.model.open(global)?;
    let hashing = Hashing::begin(global, &checkpoint);
    let choice = choice(global, args, &checkpoint, &texts)?;
    let pruning = choose(&choice, checkpoint.config.n_layers)?;
    let removed: Vec<String> = pruning.removed_layers.iter().map(ToString::to_string).collect();
    output::say(
        global.quiet,
        &format!(
            "without layers {} of {}",
            removed.join(", "),
            checkpoint.config.n_layers
        ),
    );
    if !(requests.is_empty() && items.is_empty()) {
        let follow = Follow::new(global, "before and after");
        let effect = prune(
            &checkpoint,
            &pruning,
            &requests,
            &items,
            &args.model.settings(),
            global.seed,
            &mut |progress| follow.hear(&progress),
        )?;
        follow.done();
        let opened = hashing.map(Hashing::end).transpose()?;
        let made_from = provenance(global, &args.model, &pruning.removed_layers, opened, inputs);
        print(global, &effect, made_from)?;
        if !items.is_empty() {
            output::say(
                global.quiet,
                &format!(
                    "{} items; {} % intervals of items in pairs: Tango's score interval with the exact conditional one, of probabilities (mc2) \
                     a bootstrap of {RESAMPLES} resamples; seed {}",
                    items.len(),
                    100.0 * LEVEL,
                    global.seed
                ),
            );
        }
    }
    if let Some(out) = &args.out {
        write_pruned(&checkpoint, &pruning, out)?;
    }
    let place = args
        .out
        .as_ref()
        .map(|out| format!(", written to {}", out.display()))
        .unwrap_or_default();
    output::say(
        global.quiet,
        &format!(
            "removed layers {} of {}{place}",
            removed.join(", "),
            checkpoint.config.n_layers
        ),
    );
    Ok(ExitCode::SUCCESS)
}

fn print(global: &Global, effect: &PruningEffect, made_from: Provenance) -> Result<()> {
    let tables = [requests_table(effect), benchmarks_table(effect)];
    let mut filled = tables.iter().filter(|table| !table.rows.is_empty());
    match global.format() {
        Format::Json => output::result(&Envelope::of("pruning", effect, made_from).to_json()?),
        Format::Csv => filled.try_for_each(|table| output::result_bytes(&output::csv(table)?)),
        Format::Table => filled.try_for_each(|table| output::result(&output::table(table))),
    }
}

fn requests_table(effect: &PruningEffect) -> Table {
    let pairs = effect.before.iter().zip(&effect.after);
    let rows = pairs.enumerate().map(|(number, (before, after))| {
        let cells: [Cell; 5] = [
            number.into(),
            before.sum.into(),
            after.sum.into(),
            (after.sum - before.sum).into(),
            before.tokens.into(),
        ];
        cells.to_vec()
    });
    Table {
        id: "prune".into(),
        columns: ["request", "before (nats)", "after (nats)", "difference", "tokens"]
            .map(String::from)
            .to_vec(),
        rows: rows.collect(),
        ..Table::default()
    }
}

fn benchmarks_table(effect: &PruningEffect) -> Table {
    let rows = effect.benchmarks.iter().map(|found| {
        let cells: [Cell; 9] = [
            found.task.as_str().into(),
            found.metric.as_str().into(),
            found.before.into(),
            found.after.into(),
            found.comparison.difference.into(),
            found.comparison.low.into(),
            found.comparison.high.into(),
            found.comparison.mcnemar_p.into(),
            found.comparison.n.into(),
        ];
        cells.to_vec()
    });
    Table {
        id: "prune-benchmarks".into(),
        columns: [
            "task",
            "metric",
            "before",
            "after",
            "difference",
            "low",
            "high",
            "McNemar p",
            "items",
        ]
        .map(String::from)
        .to_vec(),
        rows: rows.collect(),
        ..Table::default()
    }
}

fn choice(global: &Global, args: &PruneArgs, checkpoint: &Checkpoint, texts: &[String]) -> Result<Choice> {
    if let Some(list) = &args.layers {
        let layers = list
            .split(',')
            .map(|layer| {
                layer
                    .trim()
                    .parse()
                    .with_context(|| format!("`{layer}` is not a layer number"))
            })
            .collect::<Result<_>>()?;
        return Ok(Choice::List(layers));
    }
    let count = args.count.unwrap_or_default();
    Ok(match args.by {
        By::Random => Choice::Random {
            count,
            seed: global.seed,
        },
        By::First => Choice::First(count),
        By::Last => Choice::Last(count),
        By::Block => {
            let first = args.first.context("--by block needs --first")?;
            Choice::Block { first, count }
        }
        By::Influence => {
            let follow = Follow::new(global, "influence");
            let settings = InfluenceSettings {
                run: args.model.settings(),
                resamples: 0,
                seed: global.seed,
                ..InfluenceSettings::usual()
            };
            let result = block_influence(checkpoint, texts, &settings, &mut |progress| {
                follow.hear(&progress);
            })?;
            follow.done();
            Choice::LeastInfluential {
                order: result.order_least_important_first,
                count,
            }
        }
    })
}
