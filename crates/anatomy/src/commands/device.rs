//! `anatomy device`: the machine that would run a checkpoint.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use study::section::{Cell, Table};

use crate::global::{Format, Global};
use crate::machine::Machine;
use crate::output;
use crate::provenance::Provenance;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy device
  anatomy device --format json | jq '.cards[] | {name, memory_bytes}'
  anatomy predict --device list                     bandwidths and products of known devices

Cards are asked of nvidia-smi, the kernel (AMD) and macOS; bandwidths come from the table of known devices.
Exit status: 0 done, 2 could not run")]
pub(crate) struct DeviceArgs {}

pub(crate) fn run(global: &Global, _: &DeviceArgs) -> Result<ExitCode> {
    let machine = Machine::here();
    match global.format() {
        Format::Json => output::json("device", &machine, Provenance::bare())?,
        Format::Csv => output::result_bytes(&output::csv(&table(&machine))?)?,
        Format::Table => {
            output::result(&output::table(&table(&machine)))?;
            for note in &machine.notes {
                output::result(&format!("{note}\n"))?;
            }
            if machine.cards.is_empty() {
                output::result("no graphics card found: checkpoints run on the processor, in its memory\n")?;
            } else if machine.cards.len() > 1 {
                output::result(
                    "several cards: `recommend` takes the one with most memory; an engine that divides a checkpoint over all has \
                     their sum (--memory)\n",
                )?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn table(machine: &Machine) -> Table {
    let giga = |bytes: Option<f64>| Cell::from(bytes.map(|bytes| bytes / 1e9));
    let mut rows = vec![vec![
        machine.processor.as_deref().unwrap_or("processor").into(),
        giga(machine.memory_bytes),
        giga(machine.free_bytes),
        Cell::Missing,
        format!("{} threads", machine.threads).into(),
    ]];
    rows.extend(machine.cards.iter().map(|card| {
        vec![
            card.name.as_str().into(),
            giga(Some(card.memory_bytes)),
            giga(card.free_bytes),
            Cell::from(card.figures.as_ref().map(|figures| figures.bandwidth / 1e9)),
            match &card.figures {
                Some(figures) => format!("{}; bandwidth: {}", card.told_by, figures.source).into(),
                None => format!("{}; bandwidth not known: give --bandwidth", card.told_by).into(),
            },
        ]
    }));
    Table {
        id: "device".into(),
        columns: [
            "device",
            "memory (GB)",
            "free (GB)",
            "bandwidth (GB/s)",
            "told by",
        ]
        .map(String::from)
        .to_vec(),
        rows,
        ..Table::default()
    }
}
