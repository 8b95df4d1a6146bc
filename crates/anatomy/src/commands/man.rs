//! `anatomy man`: manual pages, one per command.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;

use crate::global::Global;
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ManArgs {
    /// Folder that the pages are written to; it is created when absent
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  anatomy man --out man1 && man ./man1/anatomy-predict.1";

/// Writes `anatomy.1`, `anatomy-report.1`, `anatomy-study-claims.1` and so on.
pub(crate) fn run(program: clap::Command, global: &Global, args: &ManArgs) -> Result<ExitCode> {
    let folder = &args.out;
    fs::create_dir_all(folder).with_context(|| format!("cannot create the folder {}", folder.display()))?;
    clap_mangen::generate_to(program, folder)
        .with_context(|| format!("cannot write manual pages to {}", folder.display()))?;
    output::say(
        global.quiet,
        &format!("Manual pages written to {}", folder.display()),
    );
    Ok(ExitCode::SUCCESS)
}
