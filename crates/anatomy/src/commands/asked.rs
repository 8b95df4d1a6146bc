//! What predict, recommend and compare are told alike: quantities with units, devices, dates, the catalog.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use catalog::cost::{CacheType, Device, Host, InferenceEngine, Quant, Rig, device};
use clap::Args;

use crate::answers::Predictor;
use crate::aside::Aside;
use crate::global::Global;
use crate::machine::Machine;
use crate::output;
use crate::provenance::Provenance;
use crate::units::{memory, quantity};

/// A device by name or by figures, and the catalog.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// A device by name ("RTX 4090", A100, "M4 Max", cpu …); `--device list` lists them
    #[arg(long, value_name = "NAME")]
    pub(crate) device: Option<String>,
    /// Memory bandwidth of a device that is not listed, e.g. 936GB/s
    #[arg(long, value_name = "RATE", conflicts_with = "device")]
    pub(crate) bandwidth: Option<String>,
    /// Its 16-bit floating-point operations per second, e.g. 142T
    #[arg(long, value_name = "RATE", requires = "bandwidth")]
    pub(crate) flops: Option<String>,
    /// Catalog made by `anatomy catalog build` [default: the one compiled in]
    #[arg(long, value_name = "DIR")]
    pub(crate) catalog: Option<PathBuf>,
}

impl Common {
    /// The device named or described, if any.
    pub(crate) fn device(&self) -> Result<Option<Device>> {
        if self.is_processor() {
            return Ok(None);
        }
        if let Some(name) = &self.device {
            return match device::device(name) {
                Some(found) => Ok(Some(found)),
                None => bail!(
                    "no device named `{name}`{}; there are {}; or describe one with --bandwidth 936GB/s --flops 142T",
                    crate::near::device(name, &names()),
                    names().join(", ")
                ),
            };
        }
        let Some(bandwidth) = &self.bandwidth else {
            return Ok(None);
        };
        let flops = self.flops.as_deref().map(quantity).transpose()?;
        Ok(Some(Device {
            name: "described".into(),
            memory_bytes: None,
            bandwidth: quantity(bandwidth)?,
            flops_16: flops,
            flops_32: None,
            source: "given on the command line".into(),
        }))
    }

    /// Whether the processor is meant, not a card.
    pub(crate) fn is_processor(&self) -> bool {
        matches!(self.device.as_deref(), Some("cpu" | "CPU" | "processor"))
    }

    /// Whether the table of devices is asked for.
    pub(crate) fn lists_devices(&self) -> bool {
        self.device.as_deref() == Some("list")
    }

    /// The catalog with its fits: those that are kept, the others not made yet.
    pub(crate) fn predictor(&self, global: &Global) -> Result<Aside<Predictor>> {
        let dir = self.catalog.as_deref();
        let (catalog, fits) = rayon::join(|| crate::commands::open_catalog(dir), || crate::kept::fits(dir));
        Ok(Aside::new(Predictor::new(Arc::new(catalog?), global.seed, fits)))
    }
}

/// How many cards there are, and the memory beside them.
#[derive(Debug, Args)]
pub(crate) struct RigArgs {
    /// Number of such cards; their memory is added up
    #[arg(long, value_name = "NUM", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) gpus: u32,
    /// Allow layers in main memory (llama.cpp), up to this much [default: what is free here]
    #[arg(long, value_name = "SIZE", num_args = 0..=1, require_equals = true, default_missing_value = "free")]
    pub(crate) offload: Option<String>,
    /// Bandwidth of main memory, e.g. 60GB/s [default: unknown; 26 to 102 GB/s is assumed]
    #[arg(long, value_name = "RATE")]
    pub(crate) ram_bandwidth: Option<String>,
}

/// What it must fit into, and what runs it where that is known.
pub(crate) struct RunArgs {
    /// Memory of the cards, or what is free without any, bytes.
    pub(crate) memory_bytes: Option<f64>,
    pub(crate) rig: Option<Rig>,
}

impl RigArgs {
    /// By the device and the memory given, else by this machine. Says what was found.
    pub(crate) fn runs(
        &self,
        global: &Global,
        common: &Common,
        memory_bytes: Option<f64>,
    ) -> Result<RunArgs> {
        let cards = self.gpus as usize;
        if common.is_processor() {
            let free = memory_bytes
                .or_else(|| Machine::here().free_bytes)
                .context("cannot read how much memory this machine has: give it with --memory 16GB")?;
            let rig = Rig::of_processor("the processor", self.host(free)?);
            return Ok(RunArgs {
                memory_bytes: Some(free),
                rig: Some(rig),
            });
        }
        let Some(mut device) = common.device()? else {
            if memory_bytes.is_none() {
                return self.found(global);
            }
            if cards > 1 || self.offload.is_some() {
                bail!(
                    "--gpus and --offload need a device: --device \"RTX 4090\", or --bandwidth 936GB/s; for what fits into \
                     several cards, without its speed, give the memory of all of them: --memory {}GB",
                    cards as f64 * memory_bytes.unwrap_or_default() / 1e9
                );
            }
            return Ok(RunArgs {
                memory_bytes,
                rig: None,
            });
        };
        if let Some(bytes) = memory_bytes {
            device.memory_bytes = Some(bytes / cards as f64);
        }
        let rig = Rig {
            cards,
            host: self.beside()?,
            ..Rig::of(device)
        };
        Ok(RunArgs {
            memory_bytes: rig.card_bytes(),
            rig: Some(rig),
        })
    }

    fn host(&self, bytes: f64) -> Result<Host> {
        Ok(match &self.ram_bandwidth {
            Some(rate) => Host::of_bandwidth(bytes, quantity(rate)?),
            None => Host::of_unknown_bandwidth(bytes),
        })
    }

    /// The memory beside the card, where layers may lie there.
    fn beside(&self) -> Result<Option<Host>> {
        let Some(size) = &self.offload else {
            return Ok(None);
        };
        let bytes = if size == "free" {
            Machine::here()
                .free_bytes
                .context("cannot read how much memory this machine has: give it with --offload=32GB")?
        } else {
            memory(size)?
        };
        self.host(bytes).map(Some)
    }

    /// The machine here: its largest card, or the processor with the memory that is free.
    fn found(&self, global: &Global) -> Result<RunArgs> {
        let machine = Machine::here();
        let gigabytes = |bytes: f64| bytes / 1e9;
        let cards = self.gpus as usize;
        if let Some(card) = machine.largest() {
            let alike = machine.cards.iter().filter(|one| one.name == card.name).count();
            if cards > alike {
                bail!(
                    "--gpus {cards}: {alike} {} were found here; name others with --device",
                    card.name
                );
            }
            let more = match (machine.cards.len(), cards) {
                (1, _) => String::new(),
                (n, 1) => format!(
                    "; it is one of {n} cards, which are not added up (--gpus {alike} adds those alike)"
                ),
                (n, cards) => format!("; {cards} of {n} cards are added up"),
            };
            let bytes = card.memory_bytes * cards as f64;
            output::say(
                global.quiet,
                &format!(
                    "Machine: the {:.1} GB of {} here{more}",
                    gigabytes(bytes),
                    card.name
                ),
            );
            let host = self.beside()?;
            let rig = card.figures.clone().map(|device| Rig {
                cards,
                host,
                ..Rig::of(device)
            });
            if rig.is_none() {
                output::say(
                    global.quiet,
                    "Its bandwidth is not known, so no speed: give --bandwidth",
                );
            }
            return Ok(RunArgs {
                memory_bytes: Some(bytes),
                rig,
            });
        }
        let Some(free) = machine.free_bytes else {
            return Ok(RunArgs {
                memory_bytes: None,
                rig: None,
            });
        };
        output::say(
            global.quiet,
            &format!(
                "Machine: the {:.1} GB of memory that are free here; no graphics card was found (--device for another \
                 machine)",
                gigabytes(free)
            ),
        );
        let name = machine.processor.as_deref().unwrap_or("the processor");
        Ok(RunArgs {
            memory_bytes: Some(free),
            rig: Some(Rig::of_processor(name, self.host(free)?)),
        })
    }
}

/// The engine of that name.
pub(crate) fn engine(name: &str) -> Result<InferenceEngine, String> {
    let all = InferenceEngine::ALL.map(InferenceEngine::as_str);
    InferenceEngine::from_name(name).ok_or_else(|| {
        format!(
            "no engine of that name is known here; there are {}",
            all.join(", ")
        )
    })
}

/// The type of weights of that name.
pub(crate) fn quant(name: &str) -> Result<Quant, String> {
    Quant::from_name(name).ok_or_else(|| {
        format!(
            "no type of weights of that name is known here; there are {}",
            Quant::names().join(", ")
        )
    })
}

/// The type of keys and values of that name.
pub(crate) fn cache_type(name: &str) -> Result<CacheType, String> {
    let all = CacheType::NAMES.join(", ");
    CacheType::from_name(name)
        .ok_or_else(|| format!("no type of keys and values of that name is known here; there are {all}"))
}

/// Refuses a type of weights that the engine does not load.
pub(crate) fn loadable(engine: InferenceEngine, quant: Quant) -> Result<()> {
    if !engine.loads(quant) {
        let instead = match engine {
            InferenceEngine::LlamaCpp => "a GGUF type (--quant Q4_K_M), or --engine vllm",
            _ => "bf16 or a packed type (--quant awq), or --engine llama.cpp",
        };
        bail!(
            "{} does not run weights stored as {}: give {instead}",
            engine.as_str(),
            quant.name()
        );
    }
    Ok(())
}

/// Prints the table of devices.
pub(crate) fn list_devices(global: &Global) -> Result<()> {
    use study::section::{Cell, Table};
    let giga = |value: Option<f64>, unit: f64| Cell::from(value.map(|value| value / unit));
    let table = Table {
        id: "devices".into(),
        columns: [
            "device",
            "memory (GB)",
            "bandwidth (GB/s)",
            "16 bits (Tflop/s)",
            "32 bits (Tflop/s)",
            "source",
        ]
        .map(String::from)
        .to_vec(),
        rows: device::devices()
            .into_iter()
            .map(|one| {
                vec![
                    one.name.as_str().into(),
                    giga(one.memory_bytes, 1e9),
                    giga(Some(one.bandwidth), 1e9),
                    giga(one.flops_16, 1e12),
                    giga(one.flops_32, 1e12),
                    one.source.into(),
                ]
            })
            .collect(),
        ..Table::default()
    };
    match global.format() {
        crate::global::Format::Json => output::json(
            "devices",
            &serde_json::json!({ "devices": device::devices() }),
            Provenance::bare(),
        ),
        crate::global::Format::Csv => output::result_bytes(&output::csv(&table)?),
        crate::global::Format::Table => output::result(&output::table(&table)),
    }
}

fn names() -> Vec<String> {
    device::devices().into_iter().map(|one| one.name).collect()
}

/// The ids of checkpoints for which a SQL condition holds, over the columns of `checkpoints` and `structures`.
pub(crate) fn ids_where(
    catalog: Option<&Path>,
    condition: &str,
) -> Result<std::collections::BTreeSet<String>> {
    use catalog::query::{Engine, Values};
    let sql = format!("select id from ({CHECKPOINTS}) as checkpoints where (\n{condition}\n)");
    let answer = Engine::open(catalog)?
        .query(&sql)
        .map_err(|error| error.in_condition(condition))
        .with_context(|| format!("--where `{condition}`"))?;
    match answer.columns()?.into_iter().next() {
        Some((_, Values::Text(ids))) => Ok(ids.into_iter().flatten().collect()),
        _ => Ok(std::collections::BTreeSet::new()),
    }
}

/// One row a checkpoint: what it is, and its structure.
const CHECKPOINTS: &str = "\
select c.*, s.size, s.layers, s.d_model, s.d_ffn, s.heads, s.kv_heads, s.vocab_size, s.pos, s.date, s.resolved_by \
from checkpoints c left join structures s on c.id = s.id";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_have_prefixes() {
        for (text, value) in [
            ("24GB", 24e9),
            ("24 gb", 24e9),
            ("80GiB", 80.0 * 1_073_741_824.0),
            ("936GB/s", 936e9),
            ("142T", 142e12),
            ("82.6 Tflop/s", 82.6e12),
            ("8k", 8000.0),
            ("16000000000", 16e9),
        ] {
            assert_eq!(quantity(text).expect("a quantity"), value, "{text}");
        }
        for text in ["", "GB", "-3GB", "24 apples", "1e400", "0"] {
            assert!(quantity(text).is_err(), "{text}");
        }
    }
}
