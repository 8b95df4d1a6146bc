//! `anatomy study prompts`: structures in words and the six scores of leaderboard v1, to tune a language model on.
//!
//! The eleventh regression of the literature (arXiv 2509.18136, section 4 and appendix B.2): the model is told a structure and
//! answers all six scores in one line. `anatomy probe tune` trains on the one file and is asked the other.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use mechanism::gradients::Sample;
use mechanism::tune::text::answer;
use study::Protocol;
use study::abilities::LISTED;
use study::features::feature_set;
use study::published::LLM_EXAMPLES;

use super::llm::prompts;
use crate::frame::{FeatureSet, divide, from_catalog, rows};
use crate::global::Global;
use crate::output;
use crate::report::write_whole;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy study prompts --out prompts/
  anatomy study prompts --out prompts/ --protocol structure_out --test-rows 200
  anatomy probe tune --model FILE.gguf --data prompts/train.jsonl --test prompts/test.jsonl --out adapter/

Writes DIR/train.jsonl and DIR/test.jsonl, the first fold of the protocol, and DIR/examples.jsonl, the two structures of figure 11
of arXiv 2509.18136 with the scores it prints. A line is {\"prompt\": \"…\", \"response\": \"…\"}; the response names ARC-C,
HellaSwag, MMLU, TruthfulQA, WinoGrande and GSM8K in points. Rows of leaderboard v1 with all six scores and a known structure and
date; those worded as the examples are in neither file.
Exit status: 0 written, 1 no row has all the values, 2 could not run")]
pub(crate) struct PromptsArgs {
    /// Folder of the three files
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How training and test rows are divided: random_split, random_folds, structure_out, lineage_out, family_out,
    /// forward_in_time
    #[arg(short, long, default_value = "random_split", value_name = "NAME")]
    protocol: String,
    /// Only this many training rows, drawn at random by the seed
    #[arg(long, value_name = "NUM", value_parser = clap::value_parser!(u32).range(1..))]
    train_rows: Option<u32>,
    /// Only this many test rows, drawn at random by the seed
    #[arg(long, value_name = "NUM", value_parser = clap::value_parser!(u32).range(1..))]
    test_rows: Option<u32>,
    /// Only rows for which this SQL condition holds over `observations` (`anatomy query --tables`)
    #[arg(long = "where", value_name = "SQL")]
    filter: Option<String>,
    /// Catalog made by `anatomy catalog build` [default: the one compiled in]
    #[arg(long, value_name = "DIR")]
    catalog: Option<PathBuf>,
}

pub(crate) fn run(global: &Global, args: &PromptsArgs) -> Result<ExitCode> {
    let Some(protocol) = Protocol::from_name(&args.protocol) else {
        let all: Vec<&str> = Protocol::ALL.iter().map(|protocol| protocol.name()).collect();
        let meant = crate::near::hint(&args.protocol, all.iter().copied());
        bail!(
            "no protocol named `{}`{meant}; there are {}",
            args.protocol,
            all.join(", ")
        );
    };
    let catalog = crate::commands::open_catalog(args.catalog.as_deref())?;
    // All six are asked for at once: one is the target, the others stand among the columns.
    let [first, others @ ..] = LISTED[0].benchmarks else {
        bail!("leaderboard v1 has no benchmarks");
    };
    let structure = feature_set("structure_date").unwrap_or_default();
    let set = FeatureSet {
        name: "prompts".into(),
        columns: structure.iter().chain(others).map(ToString::to_string).collect(),
    };
    let names: Vec<String> = std::iter::once(*first)
        .chain(others.iter().copied())
        .map(String::from)
        .collect();
    let filter = args.filter.as_deref();
    let frame = from_catalog(&catalog, args.catalog.as_deref(), &names, filter)?;
    let rows = rows(&frame, first, &set, filter)?;
    if rows.target.is_empty() {
        super::input::say_none(first, &set, &rows);
        return Ok(ExitCode::from(1));
    }
    let division = divide(protocol, &rows, global.seed)?;
    let fold = division.folds.first().context("the protocol has no fold")?;
    let scores = ORDER
        .iter()
        .map(|name| {
            if name == first {
                return Ok(rows.target.as_slice());
            }
            Ok(rows.design.column(rows.design.position(name)?))
        })
        .collect::<Result<Vec<&[f64]>>>()?;
    let samples: Vec<Sample> = prompts(&rows.design)?
        .into_iter()
        .enumerate()
        .map(|(row, prompt)| Sample {
            prompt,
            response: answer(&std::array::from_fn(|at| scores[at][row])),
        })
        .collect();
    let examples: Vec<Sample> = LLM_EXAMPLES
        .iter()
        .map(|example| Sample {
            prompt: example.prompt.into(),
            response: answer(&example.truth),
        })
        .collect();
    let kept_out: BTreeSet<&str> = examples.iter().map(|sample| words(&sample.prompt)).collect();
    let pick = |places: &[usize], n: Option<u32>| -> Vec<&Sample> {
        let mut places: Vec<usize> = places
            .iter()
            .copied()
            .filter(|&place| !kept_out.contains(words(&samples[place].prompt)))
            .collect();
        if let Some(n) = n {
            study::random::Random::new(global.seed, 0).shuffle(&mut places);
            places.truncate(n as usize);
            places.sort_unstable();
        }
        places.into_iter().map(|place| &samples[place]).collect()
    };
    let (train, test) = (
        pick(&fold.train, args.train_rows),
        pick(&fold.test, args.test_rows),
    );
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("cannot make the folder {}", args.out.display()))?;
    write(&args.out.join("train.jsonl"), &train)?;
    write(&args.out.join("test.jsonl"), &test)?;
    write(
        &args.out.join("examples.jsonl"),
        &examples.iter().collect::<Vec<_>>(),
    )?;
    output::say(
        global.quiet,
        &format!(
            "{} of {} rows have all values; {} in train.jsonl, {} in test.jsonl ({}), seed {}; in {}",
            rows.target.len(),
            rows.n_table,
            train.len(),
            test.len(),
            division.name,
            global.seed,
            args.out.display()
        ),
    );
    Ok(ExitCode::SUCCESS)
}

/// The benchmarks by the names of the catalog, in the order of [`mechanism::tune::text::BENCHMARKS`].
const ORDER: [&str; 6] = ["arc", "hellaswag", "mmlu", "truthfulqa", "winogrande", "gsm8k"];

/// What a prompt says of the structure: the instruction before it is worded in two ways.
fn words(prompt: &str) -> &str {
    prompt
        .split_once("Model Architecture:")
        .map_or(prompt, |(_, structure)| structure)
}

fn write(path: &Path, samples: &[&Sample]) -> Result<()> {
    let mut text = String::new();
    for sample in samples {
        text += &serde_json::to_string(sample)?;
        text.push('\n');
    }
    write_whole(path, text.as_bytes())
}
