//! `anatomy probe tokens`: what a text becomes.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::made_from::{Hashing, of_values, provenance};
use super::model::ModelArgs;
use crate::global::{Format, Global};
use crate::output;
use crate::provenance::Envelope;

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
    let hashing = Hashing::begin(global, &checkpoint);
    let ids = checkpoint.encode(&args.text)?;
    let words: Vec<String> = ids.iter().map(ToString::to_string).collect();
    match global.format() {
        Format::Table => output::result(&format!("{}\n", words.join(" ")))?,
        Format::Csv => output::result(&format!("id\n{}\n", words.join("\n")))?,
        Format::Json => {
            let answer = serde_json::json!({ "text": args.text, "ids": ids, "tokens": ids.len() });
            let opened = hashing.map(Hashing::end).transpose()?;
            let input = of_values("texts", "--text", std::slice::from_ref(&args.text))?;
            let made_from = provenance(global, &args.model, &[], opened, vec![input]);
            output::result(&Envelope::of("tokens", &answer, made_from).to_json()?)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
