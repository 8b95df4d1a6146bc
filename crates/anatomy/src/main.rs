//! `anatomy`: which part of a language model's structure buys which ability?

#![allow(
    clippy::doc_markdown,
    reason = "doc comments of arguments are the help texts, which are no Markdown"
)]

mod aligned;
mod answers;
mod cli;
#[cfg(feature = "cluster")]
mod cluster;
mod commands;
mod draw;
mod evidence;
mod explain;
mod frame;
mod global;
#[cfg(feature = "hub")]
mod hub;
mod machine;
mod narrow;
mod near;
mod output;
mod probes;
mod progress;
mod provenance;
mod report;
mod rows;
mod server;
mod signals;
mod stated;
mod units;

use std::process::ExitCode;

use clap::Parser;

/// 0 done, 1 ran and the answer is no, 2 could not run.
fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match cli::run(&cli) {
        Ok(answer) => answer,
        Err(error) if explain::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&explain::explain(&error));
            ExitCode::from(2)
        }
    }
}
