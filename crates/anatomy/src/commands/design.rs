//! `anatomy design`: which shape to train at a given size.

use std::fmt::Write;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use study::abilities::{ABILITIES, ability_of};
use study::section::{Cell, Table};

use super::asked::{Common, list_devices};
use crate::answers::design::{DesignAnswer, DesignQuestion, design};
use crate::global::{Format, Global};
use crate::output;
use crate::provenance::{Envelope, Provenance};
use crate::units::quantity;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy design --params 1.5B --tokens 300B
  anatomy design --params 1.5B --ability commonsense --device \"RTX 4090\" --min-speed 150
  anatomy design --params 7B --format json | jq '.experiments[0]'

Shapes of about this many parameters, each set against the best by what controlled runs say of depth at fixed parameters: no
worse where it surely lacks less than a tenth more size buys, worse where it surely lacks more. Cost is arithmetic. What is not
known is said, and by how much two runs would narrow it.
Exit status: 0 done, 2 could not run")]
pub(crate) struct DesignArgs {
    /// Total parameters, e.g. 1.5B or 350M
    #[arg(long, value_name = "NUM")]
    params: String,
    /// Training tokens, e.g. 300B
    #[arg(long, value_name = "NUM")]
    tokens: Option<String>,
    /// Ability to optimise for, e.g. commonsense [default: all tests]
    #[arg(long, value_name = "NAME")]
    ability: Option<String>,
    /// Minimum decoding speed that the device's bound must allow (tokens/s at 16 bits)
    #[arg(long, value_name = "RATE")]
    min_speed: Option<f64>,
    /// Cached positions while decoding, tokens
    #[arg(long, default_value_t = 8192, value_name = "NUM", value_parser = clap::value_parser!(i64).range(1..=100_000_000))]
    context: i64,
    /// Entries of the vocabulary
    #[arg(long, default_value_t = 50_304, value_name = "NUM", value_parser = clap::value_parser!(i64).range(256..=1_000_000))]
    vocab_size: i64,
    #[command(flatten)]
    common: Common,
}

/// A count as people write it: 1.5B is one and a half billion.
fn count(text: &str, option: &str) -> Result<f64> {
    let plain = text.trim();
    let billions = plain.strip_suffix(['B', 'b']).filter(|rest| {
        rest.chars()
            .last()
            .is_some_and(|last| last.is_ascii_digit() || last == '.' || last == ' ')
    });
    let value = match billions {
        Some(rest) => quantity(rest).map(|value| value * 1e9),
        None => quantity(plain),
    };
    match value {
        Ok(value) if value >= 1e6 => Ok(value),
        Ok(value) => bail!("{option} must be at least one million, like 350M or 1.5B, got {value}"),
        Err(_) => bail!("{option} must be a count like 350M, 1.5B or 300B, got `{text}`"),
    }
}

pub(crate) fn run(global: &Global, args: &DesignArgs) -> Result<ExitCode> {
    if args.common.lists_devices() {
        list_devices(global)?;
        return Ok(ExitCode::SUCCESS);
    }
    let ability = match args.ability.as_deref() {
        None => None,
        Some(name) => {
            if let Some(ability) = ability_of(name) {
                Some(ability.name)
            } else {
                let all: Vec<&str> = ABILITIES.iter().map(|own| own.name).collect();
                bail!("no ability named `{name}`; there are {}", all.join(", "));
            }
        }
    };
    let device = args.common.device()?;
    if args.min_speed.is_some() && device.is_none() {
        bail!("--min-speed needs a device: name one with --device, or describe one with --bandwidth");
    }
    let asked = DesignQuestion {
        parameters: count(&args.params, "--params")?,
        tokens: args
            .tokens
            .as_deref()
            .map(|text| count(text, "--tokens"))
            .transpose()?,
        ability,
        device,
        min_speed: args.min_speed,
        context: args.context,
        vocabulary: args.vocab_size,
        seed: global.seed,
    };
    let catalog = super::open_catalog(args.common.catalog.as_deref())?;
    let answer = design(&catalog, &asked)?;
    match global.format() {
        Format::Json => {
            let provenance = Provenance::of(&catalog.manifest.catalog_sha256, global.seed);
            output::result(&Envelope::of("design", &answer, provenance).to_json()?)?;
        }
        Format::Csv => output::result_bytes(&output::csv(&shapes(&answer))?)?,
        Format::Table => output::result(&page(&answer))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn shapes(answer: &DesignAnswer) -> Table {
    let rows = answer.shapes.iter().map(|own| -> Vec<Cell> {
        let shape = &own.judged.shape;
        let ends = &own.judged.interval;
        let difference = if own.judged.difference.is_finite() {
            format!(
                "{:+.2} [{:+.2}, {:+.2}]",
                own.judged.difference, ends.low, ends.high
            )
            .into()
        } else {
            Cell::Missing
        };
        vec![
            (shape.layers as f64).into(),
            (shape.d_model as f64).into(),
            (shape.d_ffn as f64).into(),
            (shape.heads as f64).into(),
            (shape.kv_heads as f64).into(),
            (shape.parameters / 1e9).into(),
            difference,
            own.judged.standing.words().into(),
            (own.flops_per_token / 1e9).into(),
            (own.weight_bytes / 1e9).into(),
            (own.cache_bytes_per_token / 1e3).into(),
            own.tokens_per_second.into(),
            own.training_operations.map(|count| count / 1e21).into(),
        ]
    });
    Table {
        id: "design".into(),
        caption: "Shapes of one size beside the best.".into(),
        columns: [
            "layers",
            "d_model",
            "d_ffn",
            "heads",
            "kv_heads",
            "parameters (1e9)",
            "points less best's",
            "standing",
            "Gflop a token",
            "weights (GB)",
            "cache (kB a token)",
            "tokens/s, at most",
            "training (1e21 flop)",
        ]
        .map(String::from)
        .to_vec(),
        rows: rows.collect(),
        shown: true,
    }
}

fn experiments(answer: &DesignAnswer) -> Table {
    let rows = answer.experiments.iter().map(|own| -> Vec<Cell> {
        vec![
            own.part.clone().into(),
            own.from.into(),
            own.to.into(),
            own.now.into(),
            own.after.into(),
            own.operations.map(|count| count / 1e21).into(),
        ]
    });
    Table {
        id: "experiments".into(),
        caption: "Two runs each, and how far they would narrow what a doubling is worth.".into(),
        columns: [
            "part",
            "from",
            "to",
            "± now [points]",
            "± after [points]",
            "both runs (1e21 flop)",
        ]
        .map(String::from)
        .to_vec(),
        rows: rows.collect(),
        shown: true,
    }
}

fn page(answer: &DesignAnswer) -> String {
    let mut text = String::new();
    let on = if answer.benchmarks.is_empty() {
        "no controlled runs ask for this".to_owned()
    } else {
        format!("the mean of {}", answer.benchmarks.join(", "))
    };
    let _ = writeln!(
        text,
        "Shapes beside the best, on {on}{}:\n",
        answer.margin.map_or_else(String::new, |margin| format!(
            "; no worse: surely lacks less than {margin:.2} points, what a tenth more size buys"
        ))
    );
    text += &output::table(&shapes(answer));
    if answer.too_slow > 0 {
        let _ = writeln!(
            text,
            "\n{} shapes are too slow on this device and left out.",
            answer.too_slow
        );
    }
    let _ = writeln!(
        text,
        "\nWhat two runs would tell, the most first (half of a 95 % interval, per doubling):\n"
    );
    text += &output::table(&experiments(answer));
    for own in &answer.not_known {
        let _ = write!(text, "\nnot known: {own}");
    }
    text.push('\n');
    text
}
