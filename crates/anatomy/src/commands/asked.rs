//! What predict, recommend and compare are told alike: quantities with units, devices, dates, the catalog.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use catalog::cost::{Device, device};
use clap::Args;

use crate::answers::Predictor;
use crate::global::Global;
use crate::output;
use crate::provenance::Provenance;
use crate::units::quantity;

/// A device by name or by figures, and the catalog.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// A device by name ("RTX 4090", A100, "M4 Max" …); `--device list` lists them
    #[arg(long, value_name = "NAME")]
    pub(crate) device: Option<String>,
    /// Memory bandwidth of a device of your own, as 936GB/s
    #[arg(long, value_name = "RATE", conflicts_with = "device")]
    pub(crate) bandwidth: Option<String>,
    /// Its 16-bit floating-point operations per second, as 142T
    #[arg(long, value_name = "RATE", requires = "bandwidth")]
    pub(crate) flops: Option<String>,
    /// Catalog made by `anatomy catalog build` [default: the one compiled in]
    #[arg(long, value_name = "DIR")]
    pub(crate) catalog: Option<PathBuf>,
}

impl Common {
    /// The device named or described, if any.
    pub(crate) fn device(&self) -> Result<Option<Device>> {
        if let Some(name) = &self.device {
            return match device::device(name) {
                Some(found) => Ok(Some(found)),
                None => bail!(
                    "no device named `{name}`; there are {}; or describe one with --bandwidth 936GB/s --flops 142T",
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

    /// Whether the table of devices is asked for.
    pub(crate) fn lists_devices(&self) -> bool {
        self.device.as_deref() == Some("list")
    }

    /// The catalog with its fits: those that are kept, the others not made yet.
    pub(crate) fn predictor(&self, global: &Global) -> Result<Predictor> {
        let dir = self.catalog.as_deref();
        let catalog = crate::commands::open_catalog(dir)?;
        Ok(Predictor::new(
            Arc::new(catalog),
            global.seed,
            crate::kept::fits(dir),
        ))
    }
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
    let sql = format!("select id from ({CHECKPOINTS}) where ({condition})");
    let answer = Engine::open(catalog)?
        .query(&sql)
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
