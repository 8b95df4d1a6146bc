//! `anatomy probe tokens`: what texts become.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{ArgGroup, Args};
use mechanism::Checkpoint;
use serde::Serialize;
use study::section::{Cell, Table};

use super::made_from::{Hashing, of_file, of_values, provenance};
use super::model::{ModelArgs, lines};
use crate::global::{Format, Global};
use crate::output;
use crate::provenance::Envelope;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy probe tokens --model FILE.gguf --text 'The capital of France is'
  anatomy probe tokens --model FILE.gguf --texts texts.txt --format csv
  printf '%s\\n' 'one text' '- another' | anatomy probe tokens --model FILE.gguf --texts -

Ids, one line a text. With --format csv one line a token: number of the text, place in it, id, and the characters it stands for
(those of a part of a character are shown as U+FFFD); JSON has both.
Exit status: 0 done, 2 could not run")]
#[command(group = ArgGroup::new("given").required(true).args(["text", "texts"]))]
pub(crate) struct TokensArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// The text
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    text: Option<String>,
    /// One text a line; - for standard input
    #[arg(long, value_name = "FILE")]
    texts: Option<PathBuf>,
}

/// What one text becomes.
#[derive(Serialize)]
struct Tokenized {
    text: String,
    ids: Vec<u32>,
    /// The characters each id stands for.
    pieces: Vec<String>,
    tokens: usize,
}

/// What several become.
#[derive(Serialize)]
struct All {
    texts: Vec<Tokenized>,
    tokens: usize,
}

pub(super) fn run(global: &Global, args: &TokensArgs) -> Result<ExitCode> {
    let (texts, input) = match (&args.text, &args.texts) {
        (_, Some(path)) if path.as_path() == Path::new("-") => {
            let texts: Vec<String> = std::io::stdin()
                .lines()
                .collect::<std::io::Result<_>>()
                .context("cannot read texts from standard input")?;
            if texts.is_empty() {
                bail!("standard input is empty: --texts - takes one text a line from it");
            }
            let input = of_values("texts", "standard input", &texts)?;
            (texts, input)
        }
        (_, Some(path)) => {
            let texts = lines(path)?;
            let input = of_file("texts", path, texts.len())?;
            (texts, input)
        }
        (text, None) => {
            let texts: Vec<String> = text.iter().cloned().collect();
            let input = of_values("texts", "--text", &texts)?;
            (texts, input)
        }
    };
    let checkpoint = args.model.open(global)?;
    let hashing = Hashing::begin(global, &checkpoint);
    let all: Vec<Tokenized> = texts
        .into_iter()
        .map(|text| tokenized(&checkpoint, text))
        .collect::<Result<_>>()?;
    match global.format() {
        Format::Table => {
            for one in &all {
                let words: Vec<String> = one.ids.iter().map(ToString::to_string).collect();
                output::result(&format!("{}\n", words.join(" ")))?;
            }
        }
        Format::Csv => output::result_bytes(&output::csv(&table(&all))?)?,
        Format::Json => {
            let opened = hashing.map(Hashing::end).transpose()?;
            let made_from = provenance(global, &args.model, &[], opened, vec![input]);
            let told = if let (Some(_), [only]) = (&args.text, all.as_slice()) {
                Envelope::of("tokens", only, made_from).to_json()?
            } else {
                let tokens = all.iter().map(|one| one.tokens).sum();
                Envelope::of("tokens", &All { texts: all, tokens }, made_from).to_json()?
            };
            output::result(&told)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn tokenized(checkpoint: &Checkpoint, text: String) -> Result<Tokenized> {
    let ids = checkpoint.encode(&text)?;
    let tokenizer = checkpoint.tokenizer()?;
    let pieces = ids
        .iter()
        .map(|id| tokenizer.decode(std::slice::from_ref(id)))
        .collect::<mechanism::Result<_>>()?;
    Ok(Tokenized {
        tokens: ids.len(),
        text,
        ids,
        pieces,
    })
}

/// One row a token.
fn table(all: &[Tokenized]) -> Table {
    let rows = all.iter().enumerate().flat_map(|(number, one)| {
        let tokens = one.ids.iter().zip(&one.pieces).enumerate();
        tokens.map(move |(place, (id, piece))| -> Vec<Cell> {
            vec![
                number.into(),
                place.into(),
                (*id as usize).into(),
                piece.as_str().into(),
            ]
        })
    });
    Table {
        id: "tokens".into(),
        columns: ["text", "place", "id", "piece"].map(String::from).to_vec(),
        rows: rows.collect(),
        ..Table::default()
    }
}
