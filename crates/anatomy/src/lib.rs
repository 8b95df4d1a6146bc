//! `anatomy`: which part of a language model's structure buys which ability?
//!
//! The program as a library: [`main`] is the command line, [`ask`] runs one of its commands inside another program, as
//! the Python module and the MCP server do. Both run the same code.

#![allow(
    clippy::doc_markdown,
    reason = "doc comments of arguments are the help texts, which are no Markdown"
)]

mod aligned;
mod answers;
mod aside;
mod cli;
#[cfg(feature = "cluster")]
mod cluster;
mod commands;
mod door;
mod draw;
mod evidence;
mod explain;
mod frame;
mod global;
#[cfg(feature = "hub")]
mod hub;
mod kept;
mod machine;
#[cfg(feature = "mcp")]
mod mcp;
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

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

pub use cli::ask;
pub use door::{Answer, Failure};
pub use progress::Watcher;

/// Tables are read into a million small texts on all threads, and the system's allocator is slower at that: `recommend` took
/// a seventh longer with glibc's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs the command line. The exit status is 0 on success, 1 where the command ran and the answer is negative, and 2
/// where it could not run.
pub fn main() -> ExitCode {
    run(&cli::Cli::parse())
}

/// Like [`main`], inside another process: `words` are the program's name and its arguments, and `program` is the
/// executable to start for commands that run in separate processes.
pub fn main_as(words: &[String], program: PathBuf) -> ExitCode {
    provenance::started_by(program);
    match cli::Cli::try_parse_from(words) {
        Ok(cli) => provenance::as_typed(words.get(1..).unwrap_or_default(), || run(&cli)),
        Err(told) => {
            // A closed pipe is not an error.
            let _ = told.print();
            ExitCode::from(u8::try_from(told.exit_code()).unwrap_or(2))
        }
    }
}

fn run(cli: &cli::Cli) -> ExitCode {
    match cli::run(cli) {
        Ok(answer) => answer,
        Err(error) if explain::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&explain::explain(&error));
            ExitCode::from(2)
        }
    }
}
