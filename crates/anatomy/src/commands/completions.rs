//! `anatomy completions`: a script that completes commands and options in a shell.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use clap_complete::Shell;

use crate::output;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CompletionsArgs {
    /// Shell to complete in
    #[arg(value_enum)]
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  anatomy completions bash > ~/.local/share/bash-completion/completions/anatomy
  anatomy completions zsh > ~/.zfunc/_anatomy       with ~/.zfunc in fpath
  anatomy completions fish > ~/.config/fish/completions/anatomy.fish";

/// Prints the script to standard output.
pub(crate) fn run(program: &mut clap::Command, args: &CompletionsArgs) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, program, "anatomy", &mut script);
    output::result_bytes(&script)?;
    Ok(ExitCode::SUCCESS)
}
