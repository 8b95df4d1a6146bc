//! `anatomy recommend`: which checkpoint to take under a budget.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use catalog::cost::{CacheType, InferenceEngine, Quant};
use clap::{Args, ValueEnum};

use super::asked::{Common, RigArgs, cache_type, engine, ids_where, list_devices, loadable};
use crate::answers::recommend::{Budget, Mode, RecommendAnswer, recommend};
use crate::answers::tables::recommend::{
    board_table, heading, lines, predicted_lines, ranking_table, upgrade_lines, why_lines,
};
use crate::global::{Format, Global};
use crate::output;
use crate::provenance::{Envelope, Provenance};
use crate::units::{day, memory};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy recommend --memory 24GB --task code
  anatomy recommend --device \"RTX 4090\" --context 32768 --task math,instructions --license apache-2.0 --min-speed 20
  anatomy recommend --device cpu --memory 16GB --ram-bandwidth 60GB/s
  anatomy recommend --device \"A100 80GB\" --gpus 2 --engine vllm --task reasoning --mode thinking
  anatomy recommend --device \"RTX 3060\" --offload=32GB --upgrade --chart front.svg
  anatomy recommend --memory 24GB --why Qwen/Qwen2.5-32B-Instruct

What boards measured comes first, all boards on one scale through the checkpoints they share; rows of one bracket cannot be told
apart. What was only predicted stands apart, marked ~. --by-board ranks by each board alone.
Tasks: math, arithmetic, instructions, knowledge, science, reasoning, commonsense, truthfulness, code, long-context, reading,
grammar, sentiment, extraction, summarization, simplification, translation, conversation, agents; or benchmarks by name.
Exit status: 0 done, 1 nothing fits, 2 could not run")]
pub(crate) struct RecommendArgs {
    /// Memory budget, e.g. 24GB or 80GiB [default: the device's, else this machine's]
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true)]
    memory: Option<String>,
    /// Context length, tokens
    #[arg(long, value_name = "NUM", default_value_t = 8192, value_parser = clap::value_parser!(i64).range(1..=100_000_000))]
    context: i64,
    /// Tasks or benchmarks that matter, separated by commas [default: all abilities together]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    task: Vec<String>,
    /// Accepted licences, separated by commas
    #[arg(long, alias = "licence", value_name = "NAMES", value_delimiter = ',')]
    license: Vec<String>,
    /// Minimum expected decoding speed, tokens/s
    #[arg(long, value_name = "NUM")]
    min_speed: Option<f64>,
    /// Inference engine: llama.cpp, vllm, transformers
    #[arg(long, value_name = "NAME", default_value = "llama.cpp", value_parser = engine)]
    engine: InferenceEngine,
    /// Weight types in order of preference; each checkpoint takes the first that fits [default: by engine, from 16
    /// bits to 4]
    #[arg(long, value_name = "TYPES", value_delimiter = ',', alias = "precision")]
    quant: Vec<String>,
    /// Type of cached keys and values: f16, q8_0, fp8, q4_0, f32
    #[arg(long, value_name = "TYPE", default_value = "f16", value_parser = cache_type)]
    cache_type: CacheType,
    /// Only of this family: qwen, llama, gemma …
    #[arg(long, value_name = "NAME")]
    family: Option<String>,
    /// Only published on this day or later, e.g. 2025-01-31
    #[arg(long, value_name = "DAY")]
    since: Option<String>,
    /// Only scores of runs with, or without, thinking before the answer
    #[arg(long, value_name = "MODE")]
    mode: Option<ModeName>,
    /// Only checkpoints that match this SQL condition over the columns of `checkpoints` and `structures`
    #[arg(long = "where", value_name = "SQL")]
    condition: Option<String>,
    /// Explain why this checkpoint is in or out, condition by condition
    #[arg(long, value_name = "ID")]
    why: Option<String>,
    /// Show what more memory would buy
    #[arg(long)]
    upgrade: bool,
    /// Also rank by each board alone
    #[arg(long)]
    by_board: bool,
    /// Rows of each list
    #[arg(long, value_name = "NUM", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    top: u32,
    /// Write a plot of score against memory with the Pareto front; format by file extension (.svg, .png, .pdf)
    #[arg(long, value_name = "FILE", visible_alias = "out")]
    chart: Option<PathBuf>,
    #[command(flatten)]
    rig: RigArgs,
    #[command(flatten)]
    common: Common,
}

/// How a checkpoint was made to think.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum ModeName {
    /// Thinking before it answers.
    Thinking,
    /// Not, or nothing was set.
    Plain,
}

/// Rows of what is only predicted.
const PREDICTED: usize = 5;

pub(crate) fn run(global: &Global, args: &RecommendArgs) -> Result<ExitCode> {
    if args.common.lists_devices() {
        list_devices(global)?;
        return Ok(ExitCode::SUCCESS);
    }
    let budget = budget(global, args)?;
    let predictor = args.common.predictor(global)?;
    let answer = recommend(&predictor, &budget)?;
    if let Some(path) = &args.chart {
        let svg = crate::draw::svg(&answer.figure());
        crate::report::write_whole(path, &crate::draw::Form::of_path(path)?.of_svg(&svg)?)?;
        output::say(global.quiet, &format!("Written: {}", path.display()));
    }
    match global.format() {
        Format::Json => {
            output::result(
                &Envelope::of(
                    "recommendation",
                    &answer,
                    Provenance::of(&answer.catalog_sha256, answer.seed),
                )
                .to_json()?,
            )?;
        }
        Format::Csv => output::result_bytes(&output::csv(&ranking_table(&answer))?)?,
        Format::Table => output::result(&output::wrapped(&page(&answer, args.by_board)))?,
    }
    let nothing = answer.ranking.is_empty() && answer.measured.is_empty() && answer.predicted.is_empty();
    Ok(if nothing {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    })
}

/// The types asked for, or the usual ones of the engine. `int8` and `4bit` are what the engine has of so many bits.
fn quants(engine: InferenceEngine, asked: &[String]) -> Result<Vec<Quant>> {
    if asked.is_empty() {
        return Ok(engine.usual_quants());
    }
    asked
        .iter()
        .map(|name| {
            let found = engine.quant_of(name.trim()).with_context(|| {
                format!(
                    "unknown weight type `{name}`; known are {}",
                    Quant::names().join(", ")
                )
            })?;
            loadable(engine, found)?;
            Ok(found)
        })
        .collect()
}

fn budget(global: &Global, args: &RecommendArgs) -> Result<Budget> {
    let given = args.memory.as_deref().map(memory).transpose()?;
    let runs = args.rig.runs(global, &args.common, given)?;
    let memory_bytes = runs.memory_bytes.with_context(|| match &runs.rig {
        Some(rig) => format!(
            "{} is sold with several sizes of memory, or its size is unknown: give it with --memory",
            rig.device.name
        ),
        None => {
            "no budget, and this system does not tell its memory: give --memory 24GB or --device \"RTX 4090\""
                .to_owned()
        }
    })?;
    if args.min_speed.is_some() && runs.rig.is_none() {
        bail!("--min-speed needs a device: --device \"RTX 4090\", or --bandwidth 936GB/s");
    }
    Ok(Budget {
        memory_bytes,
        rig: runs.rig,
        engine: args.engine,
        quants: quants(args.engine, &args.quant)?,
        cache: args.cache_type,
        context: args.context,
        tasks: args.task.clone(),
        licenses: args.license.iter().map(|name| name.trim().to_owned()).collect(),
        family: args.family.clone(),
        since: args.since.as_deref().map(day).transpose()?,
        mode: args.mode.map(|mode| match mode {
            ModeName::Thinking => Mode::Thinking,
            ModeName::Plain => Mode::Plain,
        }),
        min_speed: args.min_speed,
        why: args.why.clone(),
        upgrade: args.upgrade,
        only: args
            .condition
            .as_deref()
            .map(|condition| ids_where(args.common.catalog.as_deref(), condition))
            .transpose()?,
        condition: args.condition.clone(),
        limit: args.top as usize,
    })
}

fn page(answer: &RecommendAnswer, by_board: bool) -> String {
    let mut text = String::new();
    if let Some(why) = &answer.why {
        text.push_str(&why_lines(why));
        text.push('\n');
    }
    for sentence in &answer.answer {
        let _ = writeln!(text, "{sentence}");
    }
    if answer.answer.is_empty() {
        text.push_str("Nothing that fits was measured by a board that asks for this.\n");
    }
    text.push('\n');
    text.push_str(&lines(answer));
    if !answer.upgrade.is_empty() {
        text.push('\n');
        text.push_str(&upgrade_lines(answer));
    }
    text.push('\n');
    text.push_str(&predicted_lines(answer, PREDICTED));
    if by_board {
        for ranking in &answer.boards {
            let _ = writeln!(text, "\n{}", heading(ranking));
            text.push_str(&output::table(&board_table(ranking)));
        }
    }
    let left_out: usize = answer.excluded.iter().map(|excluded| excluded.n).sum();
    let _ = writeln!(
        text,
        "\n{} of {} checkpoints left out:",
        left_out, answer.n_checkpoints
    );
    for excluded in &answer.excluded {
        let _ = writeln!(text, "  {:>6}  {}", excluded.n, excluded.words);
        for left_out in excluded.examples.iter().take(3) {
            let _ = writeln!(text, "          {}: {}", left_out.id, left_out.why);
        }
    }
    for note in &answer.notes {
        let _ = writeln!(text, "note: {note}");
    }
    text
}
