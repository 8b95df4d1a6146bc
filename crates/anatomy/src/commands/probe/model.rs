//! What every probe takes: a checkpoint, and how it is run.

use std::cell::Cell;
use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use mechanism::Checkpoint;
use mechanism::run::{Progress, RunSettings};
use mechanism::weights::Precision;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::device::{self, Exactness};
use crate::global::Global;
#[cfg(feature = "hub")]
use crate::hub::checkpoint::{self, Wanted};
#[cfg(feature = "hub")]
use crate::hub::client::Client;
#[cfg(feature = "hub")]
use crate::hub::settings::{self, CrawlSettings};
use crate::{output, progress};

#[derive(Debug, Args)]
pub(super) struct ModelArgs {
    /// A GGUF file, a safetensors file, or a folder with config.json, tokenizer.json and safetensors; or a name on the
    /// Hub (organisation/name, organisation/name@revision, organisation/name/file.gguf), kept in the Hugging Face cache
    #[arg(long, value_name = "PATH|ID")]
    pub(super) model: PathBuf,
    /// Keep the residual stream of all texts in a file in this folder instead of memory
    #[arg(long, value_name = "DIR")]
    spill: Option<PathBuf>,
    #[command(flatten)]
    machine: MachineArgs,
    /// Whether cuBLAS multiplied, once that is known.
    #[arg(skip)]
    by_library: AtomicBool,
}

/// What the checkpoint is run on, and in which precision.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct MachineArgs {
    /// Round weights to this type as they are read; activations and sums stay f32
    #[arg(long, value_enum, default_value_t = Dtype::F32)]
    dtype: Dtype,
    /// What computes
    #[arg(long, value_enum, default_value_t = Device::Cpu)]
    device: Device,
    /// Precision of products on a card; sums, norms, attention and the residual stream are always f32, as everything is on
    /// the processor
    #[arg(long, value_enum, default_value_t = Exactness::Exact)]
    precision: Exactness,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Dtype {
    /// As they are in the file
    F32,
    Bf16,
    F16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Device {
    /// The processor
    Cpu,
    /// An NVIDIA card; needs its driver alone. Not yet run on one: it is compared with the processor at each start
    Cuda,
}

impl MachineArgs {
    /// The type weights are rounded to, where they are.
    pub(super) fn rounded(self) -> Option<&'static str> {
        match self.dtype {
            Dtype::F32 => None,
            Dtype::Bf16 => Some("bf16"),
            Dtype::F16 => Some("f16"),
        }
    }

    /// What computed, where that changes numbers by more than their last digits.
    pub(super) fn fast(self) -> Option<&'static str> {
        (self.device == Device::Cuda && self.precision == Exactness::Fast).then_some("cuda fast")
    }

    /// The same with exact products.
    pub(super) fn exactly(self) -> Self {
        Self {
            precision: Exactness::Exact,
            ..self
        }
    }

    /// What activations and sums are.
    pub(super) fn computed_as(self) -> &'static str {
        match (self.device, self.precision) {
            (Device::Cpu, _) => "f32",
            (Device::Cuda, Exactness::Exact) => "f32 on a card, products exact",
            (Device::Cuda, Exactness::Fast) => "f32 on a card, products of one bf16 term",
        }
    }

    /// The card, where one was asked for.
    fn card(self, global: &Global) -> Result<Option<mechanism::decoder::Device>> {
        match self.device {
            Device::Cpu => Ok(None),
            Device::Cuda => device::card(global, self.precision).map(Some),
        }
    }
}

impl ModelArgs {
    /// The type weights are rounded to.
    pub(super) fn weights_as(&self) -> &'static str {
        self.machine.rounded().unwrap_or("f32")
    }

    /// What activations and sums are.
    pub(super) fn computed_as(&self) -> &'static str {
        if self.by_library.load(Ordering::Relaxed) {
            return "f32 on a card, products of one bf16 term by cuBLAS";
        }
        self.machine.computed_as()
    }

    /// The same settings as words of a command line, but for the checkpoint itself.
    pub(super) fn words(&self) -> Vec<std::ffi::OsString> {
        let mut words: Vec<std::ffi::OsString> = vec!["--dtype".into(), self.weights_as().into()];
        if self.machine.device == Device::Cuda {
            let precision = match self.machine.precision {
                Exactness::Exact => "exact",
                Exactness::Fast => "fast",
            };
            words.extend(["--device", "cuda", "--precision", precision].map(Into::into));
        }
        if let Some(spill) = &self.spill {
            let place = std::path::absolute(spill).unwrap_or_else(|_| spill.clone());
            words.extend(["--spill".into(), place.into()]);
        }
        words
    }

    /// One checkpoint of several.
    pub(super) fn of(model: PathBuf, spill: Option<PathBuf>, machine: MachineArgs) -> Self {
        Self {
            model,
            spill,
            machine,
            by_library: AtomicBool::new(false),
        }
    }

    pub(super) fn open(&self, global: &Global) -> Result<Checkpoint> {
        let card = self.machine.card(global)?;
        let place = self.place(global)?;
        let mut checkpoint = Checkpoint::open(&place)
            .with_context(|| format!("cannot open the checkpoint {}", place.display()))?;
        checkpoint.weights.precision = match self.machine.dtype {
            Dtype::F32 => Precision::F32,
            Dtype::Bf16 => Precision::Bf16,
            Dtype::F16 => Precision::F16,
        };
        if let Some(card) = card {
            self.by_library
                .store(device::has_library(&card), Ordering::Relaxed);
            checkpoint.device = card;
            device::check(&checkpoint)?;
        }
        Ok(checkpoint)
    }

    /// Where the checkpoint is on this disk, fetched if it is a name on the Hub and not here yet.
    #[cfg(feature = "hub")]
    fn place(&self, global: &Global) -> Result<PathBuf> {
        let above = self.model.parent().filter(|above| *above != Path::new(""));
        let is_local = self.model.exists() || above.is_some_and(Path::exists);
        let Some(wanted) = self.model.to_str().filter(|_| !is_local).and_then(Wanted::parse) else {
            return Ok(self.model.clone());
        };
        let variable = |name: &str| std::env::var(name).ok();
        let Some(cache) = settings::cache(variable) else {
            bail!("no folder to keep checkpoints of the Hub in: set HF_HOME");
        };
        if let Some(place) = checkpoint::cached(&cache, &wanted) {
            return Ok(place);
        }
        let name = self.model.display();
        if settings::is_offline(variable) {
            bail!(
                "`{name}` was found neither locally nor in the cache {}; HF_HUB_OFFLINE is set, so it was not downloaded",
                cache.display()
            );
        }
        let client = Client::new(CrawlSettings::from_environment(variable, 4)?)?;
        let bar = progress::bar(global.quiet, 0, "MiB");
        let fetched = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(checkpoint::fetch(&client, &cache, &wanted, &|done, all| {
                bar.set_length(all >> 20);
                bar.set_position(done >> 20);
            }));
        bar.finish_and_clear();
        fetched.with_context(|| format!("cannot download `{name}` from the Hub"))
    }

    /// Where the checkpoint is on this disk; one that is not here cannot be fetched.
    #[cfg(not(feature = "hub"))]
    fn place(&self, _: &Global) -> Result<PathBuf> {
        let above = self.model.parent().filter(|above| *above != Path::new(""));
        let is_local = self.model.exists() || above.is_some_and(Path::exists);
        let is_name = self.model.is_relative() && self.model.components().count() == 2;
        if !is_local && is_name {
            let what = format!("fetching {} from the Hub", self.model.display());
            return Err(crate::explain::not_built_in(&what, "hub"));
        }
        Ok(self.model.clone())
    }

    pub(super) fn settings(&self) -> RunSettings {
        RunSettings {
            spill: self.spill.clone(),
            ..RunSettings::in_memory()
        }
    }
}

/// A bar that follows a run's progress; a line for each tenth where standard error is no terminal.
pub(super) struct Follow {
    bar: ProgressBar,
    /// Whether lines are written.
    lines: bool,
    begun: Instant,
    /// Tenths told of a stage.
    told: Cell<(&'static str, usize)>,
}

impl Follow {
    pub(super) fn new(global: &Global, what: &str) -> Self {
        Self {
            bar: progress::bar(global.quiet, 0, what),
            lines: !global.quiet && !std::io::stderr().is_terminal(),
            begun: Instant::now(),
            told: Cell::new(("", 0)),
        }
    }

    pub(super) fn hear(&self, progress: &Progress) {
        self.bar.set_message(progress.stage);
        self.bar.set_length(progress.total as u64);
        self.bar.set_position(progress.done as u64);
        let (stage, told) = self.told.get();
        let told = if stage == progress.stage { told } else { 0 };
        let tenth = 10 * progress.done / progress.total.max(1);
        // What is over within seconds needs no words.
        let seconds = self.begun.elapsed().as_secs();
        if self.lines && tenth > told && seconds >= 5 {
            self.told.set((progress.stage, tenth));
            output::say(
                false,
                &format!("{} {tenth}0 %, {seconds} s so far", progress.stage),
            );
        }
    }

    pub(super) fn done(self) {
        self.bar.finish_and_clear();
    }
}

/// The lines of a file, line ends stripped.
pub(super) fn lines(path: &Path) -> Result<Vec<String>> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let lines: Vec<String> = BufReader::new(file)
        .lines()
        .enumerate()
        .map(|(number, line)| line.with_context(|| format!("{}, line {}", path.display(), number + 1)))
        .collect::<Result<_>>()?;
    if lines.is_empty() {
        bail!("{} is empty", path.display());
    }
    Ok(lines)
}

/// One input: its result as it is. Several: an object by name.
pub(super) fn side_by_side<T: Serialize>(results: &[(String, T)]) -> Result<String> {
    let text = if let [(_, only)] = results {
        serde_json::to_string_pretty(only)?
    } else {
        let all: serde_json::Map<String, serde_json::Value> = results
            .iter()
            .map(|(name, result)| Ok((name.clone(), serde_json::to_value(result)?)))
            .collect::<Result<_>>()?;
        serde_json::to_string_pretty(&all)?
    };
    Ok(text + "\n")
}

/// One value a line of JSON; empty lines are passed over. `fields` are named where a line lacks them.
pub(super) fn json_lines<T: DeserializeOwned>(path: &Path, fields: &str) -> Result<Vec<T>> {
    let all = lines(path)?;
    let filled = all.iter().enumerate().filter(|(_, line)| !line.trim().is_empty());
    filled
        .map(|(number, line)| {
            serde_json::from_str(line)
                .with_context(|| format!("{}, line {}: no object with {fields}", path.display(), number + 1))
        })
        .collect()
}
