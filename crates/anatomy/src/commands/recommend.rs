//! `anatomy recommend`: which checkpoint to take under a budget.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use catalog::cost::{Device, Precision};
use clap::Args;

use super::asked::{Common, ids_where, list_devices};
use crate::answers::recommend::{Budget, Choice, RecommendAnswer, recommend};
use crate::answers::tables::recommend::{board_table, heading, table};
use crate::global::{Format, Global};
use crate::machine::Machine;
use crate::output;
use crate::provenance::{Envelope, Provenance};
use crate::units::memory;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy recommend --memory 24GB
  anatomy recommend --device \"RTX 4090\" --context 8192 --task math,instructions --license apache-2.0 --min-speed 20
  anatomy recommend --memory 12GB --precision bf16,int8,4bit --where \"architecture = 'Qwen2ForCausalLM'\"
  anatomy recommend --memory 80GB --task code --out front.svg --format json

Measured checkpoints come first; predicted ones are marked and stand apart. Rows of one group cannot be told apart.
After the first leaderboard's ranking each newer board ranks what it measured itself, one board at a time.
Tasks: math, arithmetic, instructions, knowledge, science, reasoning, commonsense, truthfulness, code, long-context, reading,
grammar, sentiment, extraction, summarization, simplification, translation, conversation, agents; or benchmarks by name.
Exit status: 0 done, 1 nothing fits, 2 could not run")]
pub(crate) struct RecommendArgs {
    /// Memory there is, as 24GB or 80GiB [default: the device's, else this machine's]
    #[arg(long, value_name = "SIZE")]
    memory: Option<String>,
    /// Tokens in the cache
    #[arg(long, value_name = "NUM", default_value_t = 8192, value_parser = clap::value_parser!(i64).range(1..=100_000_000))]
    context: i64,
    /// Tasks or benchmarks, separated by commas [default: the six of leaderboard v2]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    task: Vec<String>,
    /// Licences, any of which will do, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    license: Vec<String>,
    /// Tokens per second that the device's bound must allow
    #[arg(long, value_name = "NUM")]
    min_speed: Option<f64>,
    /// Number formats of the weights, the preferred first: f32, bf16, int8, 4bit
    #[arg(long, value_name = "NAMES", default_value = "bf16", value_delimiter = ',')]
    precision: Vec<String>,
    /// Only checkpoints for which this SQL condition holds, over the columns of `checkpoints` and `structures`
    #[arg(long = "where", value_name = "SQL")]
    condition: Option<String>,
    /// Rows of each list
    #[arg(long, value_name = "NUM", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    top: u32,
    /// Where the drawing of score against memory with its Pareto front goes, as SVG, PNG or PDF by the end of its name
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

pub(crate) fn run(global: &Global, args: &RecommendArgs) -> Result<ExitCode> {
    if args.common.lists_devices() {
        list_devices(global)?;
        return Ok(ExitCode::SUCCESS);
    }
    let budget = budget(global, args)?;
    let predictor = args.common.predictor(global)?;
    let answer = recommend(&predictor, &budget)?;
    if let Some(path) = &args.out {
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
        Format::Csv => {
            let all: Vec<&Choice> = answer.measured.iter().chain(&answer.predicted).collect();
            output::result_bytes(&output::csv(&table(&answer, &all))?)?;
        }
        Format::Table => output::result(&page(&answer))?,
    }
    Ok(if answer.measured.is_empty() && answer.predicted.is_empty() {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    })
}

/// The memory of the largest graphics card here, and the card where its bandwidth is known; without a card the memory that is
/// free. Says which.
fn of_this_machine(global: &Global) -> Result<(f64, Option<Device>)> {
    let machine = Machine::here();
    let gigabytes = |bytes: f64| bytes / 1e9;
    if let Some(card) = machine.largest() {
        let more = match machine.cards.len() {
            1 => String::new(),
            n => format!("; it is one of {n} cards, which are not added up (--memory for their sum)"),
        };
        output::say(
            global.quiet,
            &format!(
                "Budget: the {:.1} GB of {} here{more}",
                gigabytes(card.memory_bytes),
                card.name
            ),
        );
        return Ok((card.memory_bytes, card.figures.clone()));
    }
    let free = machine.free_bytes.context(
        "no budget, and this system does not tell its memory: give --memory 24GB or --device \"RTX 4090\"",
    )?;
    output::say(
        global.quiet,
        &format!(
            "Budget: the {:.1} GB of memory that are free here; no graphics card was found (--memory, --device for another \
             machine)",
            gigabytes(free)
        ),
    );
    Ok((free, None))
}

fn budget(global: &Global, args: &RecommendArgs) -> Result<Budget> {
    let mut device = args.common.device()?;
    let memory_bytes = match (&args.memory, &device) {
        (Some(text), _) => memory(text)?,
        (None, Some(device)) => device.memory_bytes.with_context(|| {
            format!(
                "{} comes with several sizes of memory: say which with --memory",
                device.name
            )
        })?,
        (None, None) => {
            let (bytes, card) = of_this_machine(global)?;
            device = card;
            bytes
        }
    };
    if args.min_speed.is_some() && device.is_none() {
        bail!("--min-speed needs a device: --device \"RTX 4090\", or --bandwidth 936GB/s");
    }
    let precisions = args
        .precision
        .iter()
        .map(|name| {
            Precision::from_name(name.trim()).with_context(|| {
                let all = Precision::ALL.map(Precision::as_str);
                format!("no precision named `{name}`; there are {}", all.join(", "))
            })
        })
        .collect::<Result<_>>()?;
    Ok(Budget {
        memory_bytes,
        device,
        context: args.context,
        precisions,
        tasks: args.task.clone(),
        licenses: args.license.iter().map(|name| name.trim().to_owned()).collect(),
        min_speed: args.min_speed,
        only: args
            .condition
            .as_deref()
            .map(|condition| ids_where(args.common.catalog.as_deref(), condition))
            .transpose()?,
        condition: args.condition.clone(),
        limit: args.top as usize,
    })
}

fn page(answer: &RecommendAnswer) -> String {
    let mut text = format!(
        "Ranked by the mean of {}; {:.1} GB, {} tokens\n\n",
        answer.benchmarks.join(", "),
        answer.budget.memory_bytes / 1e9,
        answer.budget.context
    );
    let lists = [
        ("Measured", &answer.measured, answer.n_measured),
        (
            "Predicted (marked ~; never measured on at least one of these)",
            &answer.predicted,
            answer.n_predicted,
        ),
    ];
    for (title, choices, n) in lists {
        if choices.is_empty() {
            let _ = write!(text, "{title}: none fits\n\n");
            continue;
        }
        let all: Vec<&Choice> = choices.iter().collect();
        let _ = writeln!(text, "{title}: {} of {n} that fit", choices.len());
        text.push_str(&output::table(&table(answer, &all)));
        text.push('\n');
    }
    if !answer.pareto.is_empty() {
        text.push_str("Pareto front of what was measured (nothing scores as high in less memory):\n");
        text.push_str(&front(answer));
        text.push('\n');
    }
    for ranking in &answer.boards {
        let _ = writeln!(text, "{}", heading(ranking));
        text.push_str(&output::table(&board_table(ranking)));
        text.push('\n');
    }
    let left_out: usize = answer.excluded.iter().map(|excluded| excluded.n).sum();
    let _ = writeln!(
        text,
        "{} of {} checkpoints left out:",
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

/// Bars as long as scores, by rising memory.
fn front(answer: &RecommendAnswer) -> String {
    let widest = answer
        .pareto
        .iter()
        .map(|point| point.id.chars().count())
        .max()
        .unwrap_or(0);
    let best = answer.pareto.iter().map(|point| point.score).fold(1.0, f64::max);
    let mut text = String::new();
    for point in &answer.pareto {
        let bar = "█".repeat((point.score / best * 40.0).round().max(0.0) as usize);
        let gap = " ".repeat(widest - point.id.chars().count());
        let _ = writeln!(
            text,
            "  {:>7.2} GB  {}{gap}  {:>5.1} {bar}",
            point.memory_bytes / 1e9,
            point.id,
            point.score
        );
    }
    text
}
