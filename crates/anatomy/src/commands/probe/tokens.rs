//! `anatomy probe tokens`: what a text becomes.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::model::ModelArgs;
use crate::cli::{Format, Global};
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy probe tokens --model FILE.gguf --text 'The capital of France is'

Exit status: 0 done, 2 could not run")]
pub(crate) struct TokensArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// The text
    #[arg(long, value_name = "TEXT")]
    text: String,
}

pub(super) fn run(global: &Global, args: &TokensArgs) -> Result<ExitCode> {
    let checkpoint = args.model.open(global)?;
    let ids = checkpoint.encode(&args.text)?;
    let words: Vec<String> = ids.iter().map(ToString::to_string).collect();
    match global.format() {
        Format::Table => output::result(&format!("{}\n", words.join(" ")))?,
        Format::Csv => output::result(&format!("id\n{}\n", words.join("\n")))?,
        Format::Json => {
            let answer = serde_json::json!({ "text": args.text, "ids": ids, "tokens": ids.len() });
            output::result(&format!("{}\n", serde_json::to_string_pretty(&answer)?))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
