//! What every probe takes: a checkpoint, and how it is run.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use indicatif::ProgressBar;
use mechanism::Checkpoint;
use mechanism::run::{Progress, RunSettings};

use crate::cli::Global;
use crate::progress;

#[derive(Debug, Args)]
pub(super) struct ModelArgs {
    /// A GGUF file, a safetensors file, or a folder with config.json, tokenizer.json and safetensors
    #[arg(long, value_name = "PATH")]
    pub(super) model: PathBuf,
    /// Keep the residual stream of all texts in a file in this folder instead of memory
    #[arg(long, value_name = "DIR")]
    spill: Option<PathBuf>,
}

impl ModelArgs {
    /// One checkpoint of several.
    pub(super) fn of(model: PathBuf, spill: Option<PathBuf>) -> Self {
        Self { model, spill }
    }

    pub(super) fn open(&self) -> Result<Checkpoint> {
        Checkpoint::open(&self.model)
            .with_context(|| format!("cannot open the checkpoint {}", self.model.display()))
    }

    pub(super) fn settings(&self) -> RunSettings {
        RunSettings {
            spill: self.spill.clone(),
            ..RunSettings::in_memory()
        }
    }
}

/// A bar that follows a run's progress.
pub(super) struct Follow(ProgressBar);

impl Follow {
    pub(super) fn new(global: &Global, what: &str) -> Self {
        Self(progress::bar(global.quiet, 0, what))
    }

    pub(super) fn hear(&self, progress: &Progress) {
        self.0.set_message(progress.stage);
        self.0.set_length(progress.total as u64);
        self.0.set_position(progress.done as u64);
    }

    pub(super) fn done(self) {
        self.0.finish_and_clear();
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
