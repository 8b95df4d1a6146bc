//! `anatomy probe device`: the card that `--device cuda` runs on, and whether it computes what is right.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, ValueEnum};
use mechanism::Checkpoint;
use mechanism::decoder::Device;

use crate::global::Global;

/// How exactly a card multiplies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Exactness {
    /// Three bf16 terms, as exact as f32
    Exact,
    /// One bf16 term, by cuBLAS where one is found and agrees
    Fast,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy probe device                          which card there is, after the sums of each start
  anatomy probe device --check                  every operation against sums in f64: a report to send
  anatomy probe device --check --precision fast

The code for cards has not yet been run on one: it was checked on a driver that emulates one, and is compared with the processor at each
start. It needs NVIDIA's driver 550 or newer and a card of compute capability 8.0 or newer, and nothing else of CUDA.
Exit status: 0 done, 1 an operation is wrong, 2 could not run")]
pub(crate) struct CardArgs {
    /// Compare every operation with sums in f64, on odd shapes
    #[arg(long)]
    check: bool,
    /// How exactly it multiplies
    #[arg(long, value_enum, default_value_t = Exactness::Exact)]
    precision: Exactness,
}

#[cfg(feature = "cuda")]
mod with {
    use std::sync::Arc;

    use anyhow::Context;
    use mechanism::decoder::cuda::{Cuda, Terms};
    use mechanism::decoder::suite::{Extent, Measured};
    use mechanism::run::check_first_layer;
    use study::section::Table;

    use super::{CardArgs, Checkpoint, Device, Exactness, ExitCode, Global, Result};
    use crate::global::Format;
    use crate::output;
    use crate::provenance::{Envelope, Provenance};

    fn terms(precision: Exactness) -> Terms {
        match precision {
            Exactness::Exact => Terms::Exact,
            Exactness::Fast => Terms::Fast,
        }
    }

    fn said(card: &Cuda) -> Result<String> {
        let (name, free, total) = card.described()?;
        let precision = match card.terms() {
            Terms::Exact => "exact (products of three bf16 terms)",
            Terms::Fast => "fast (products of one bf16 term)",
        };
        Ok(format!(
            "{name}, {} of {} MB free, precision {precision}, by {}",
            free >> 20,
            total >> 20,
            card.multiplied_by()
        ))
    }

    pub(in super::super) fn card(global: &Global, precision: Exactness) -> Result<Device> {
        let card = Cuda::open(terms(precision)).context("--device cuda")?;
        output::say(global.quiet, &format!("on the card {}", said(&card)?));
        Ok(Device::Card(Arc::new(card)))
    }

    pub(in super::super) fn check(checkpoint: &Checkpoint) -> Result<()> {
        if let Device::Card(card) = &checkpoint.device {
            check_first_layer(checkpoint, card.allowed_of_a_layer()).context("--device cuda")?;
        }
        Ok(())
    }

    /// Whether another library multiplies there.
    pub(in super::super) fn has_library(device: &Device) -> bool {
        matches!(device, Device::Card(card) if card.has_library())
    }

    pub(in super::super) fn run(global: &Global, args: &CardArgs) -> Result<ExitCode> {
        let terms = terms(args.precision);
        if !args.check {
            let card = Cuda::open(terms).context("--device cuda")?;
            output::result(&format!("{}\n", said(&card)?))?;
            return Ok(ExitCode::SUCCESS);
        }
        // What is wrong is listed here, not refused.
        let card = Cuda::unchecked(terms).context("--device cuda")?;
        let mut found = card.suite(Extent::Whole)?;
        let card = card.with_library()?;
        output::say(global.quiet, &said(&card)?);
        if card.has_library() {
            let again = card.suite(Extent::Whole)?.into_iter();
            found.extend(
                again
                    .filter(|one| one.what.starts_with("product"))
                    .map(|one| Measured {
                        what: format!("{}, by cuBLAS", one.what),
                        ..one
                    }),
            );
        }
        let wrong = found.iter().filter(|one| !one.is_right()).count();
        let table = Table {
            id: "device".into(),
            columns: ["operation", "error", "allowed", "right", "gave", "right is"]
                .map(String::from)
                .to_vec(),
            rows: found
                .iter()
                .map(|one| {
                    let right = if one.is_right() { "yes" } else { "NO" };
                    vec![
                        one.what.clone().into(),
                        one.error.into(),
                        one.allowed.into(),
                        right.to_owned().into(),
                        one.worst.0.into(),
                        one.worst.1.into(),
                    ]
                })
                .collect(),
            ..Table::default()
        };
        match global.format() {
            Format::Json => {
                let operations: Vec<_> = found
                    .iter()
                    .map(|one| {
                        serde_json::json!({
                            "operation": one.what, "error": one.error, "allowed": one.allowed, "right": one.is_right(),
                            "gave": one.worst.0, "right_is": one.worst.1,
                        })
                    })
                    .collect();
                let answer = serde_json::json!({
                    "card": said(&card)?, "products_by": card.multiplied_by(), "operations": operations, "wrong": wrong,
                });
                let made_from = Provenance::of("", global.seed);
                output::result(&Envelope::of("device", &answer, made_from).to_json()?)?;
            }
            Format::Csv => output::result_bytes(&output::csv(&table)?)?,
            Format::Table => output::result(&output::table(&table))?,
        }
        output::say(
            global.quiet,
            &format!("{} operations, {wrong} wrong", found.len()),
        );
        Ok(if wrong == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

#[cfg(not(feature = "cuda"))]
mod with {
    use super::{CardArgs, Checkpoint, Device, Exactness, ExitCode, Global, Result};

    pub(in super::super) fn card(_: &Global, _: Exactness) -> Result<Device> {
        Err(crate::explain::not_built_in("--device cuda", "cuda"))
    }

    #[expect(clippy::unnecessary_wraps, reason = "as where there is a card")]
    pub(in super::super) fn check(_: &Checkpoint) -> Result<()> {
        Ok(())
    }

    pub(in super::super) fn has_library(_: &Device) -> bool {
        false
    }

    pub(in super::super) fn run(_: &Global, args: &CardArgs) -> Result<ExitCode> {
        let _ = (args.check, args.precision);
        Err(crate::explain::not_built_in("`probe device`", "cuda"))
    }
}

pub(super) use with::{card, check, has_library, run};
