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
    /// Folder to write the pages to; created if it does not exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// One page of Markdown, `commands.md`, instead
    #[arg(long)]
    markdown: bool,
}

const EXAMPLES: &str = "\
Examples:
  anatomy man --out man1 && man ./man1/anatomy-predict.1
  anatomy man --out docs --markdown      all of them as one page, commands.md";

/// Writes `anatomy.1`, `anatomy-report.1`, `anatomy-study-claims.1` and so on.
pub(crate) fn run(program: clap::Command, global: &Global, args: &ManArgs) -> Result<ExitCode> {
    let folder = &args.out;
    fs::create_dir_all(folder).with_context(|| format!("cannot create the folder {}", folder.display()))?;
    if args.markdown {
        let page = folder.join("commands.md");
        crate::report::write_whole(&page, markdown(program).as_bytes())?;
        output::say(global.quiet, &format!("Written: {}", page.display()));
        return Ok(ExitCode::SUCCESS);
    }
    clap_mangen::generate_to(program, folder)
        .with_context(|| format!("cannot write manual pages to {}", folder.display()))?;
    output::say(
        global.quiet,
        &format!("Manual pages written to {}", folder.display()),
    );
    Ok(ExitCode::SUCCESS)
}

/// Every command with its help, in the order of `anatomy --help`.
fn markdown(mut program: clap::Command) -> String {
    program.build();
    let mut text = String::from("# Commands\n\nWhat `--help` says of each command.\n");
    add(&mut program, "", &mut text);
    text
}

fn add(command: &mut clap::Command, above: &str, text: &mut String) {
    use std::fmt::Write;
    let name = format!("{above}{}", command.get_name());
    // Wide enough that no line is broken by the width of whoever's terminal this runs in.
    let help = std::mem::take(command).term_width(100);
    *command = help;
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    let _ = write!(
        text,
        "\n## `{name}`\n\n```text\n{}\n```\n",
        lines.join("\n").trim_end()
    );
    for sub in command.get_subcommands_mut() {
        if sub.get_name() != "help" && !sub.is_hide_set() {
            add(sub, &format!("{name} "), text);
        }
    }
}
