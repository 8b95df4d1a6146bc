//! `anatomy compare`: checkpoints side by side.

use std::fmt::Write;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use study::section::{Cell, Table};

use super::asked::Common;
use crate::answers::compare::{CompareAnswer, compare};
use crate::cli::{Format, Global};
use crate::output;
use crate::provenance::Answered;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy compare Qwen/Qwen2.5-7B-Instruct meta-llama/Llama-3.1-8B-Instruct
  anatomy compare mistralai/Mistral-7B-v0.1 meta-llama/Llama-2-7b-hf --format json | jq '.pairs[] | .sentence'

Each is set against the first. A difference is more than noise where its p, adjusted for the number of benchmarks, is
below 0.05. Runs that differ in leaderboard, metric, scale, few-shot examples, chat template, bits of the weights or
setting are not comparable: no difference is given, and why is said. Where a checkpoint was run several times, a run like
the other's is taken.
Exit status: 0 done, 2 could not run")]
pub(crate) struct CompareArgs {
    /// Checkpoints, `org/name`, two or more
    #[arg(value_name = "ID", required = true, num_args = 2..=20)]
    ids: Vec<String>,
    /// Contexts for memory and decoding, tokens, separated by commas
    #[arg(long, value_name = "NUMS", default_value = "8192", value_delimiter = ',', value_parser = clap::value_parser!(i64).range(1..=100_000_000))]
    context: Vec<i64>,
    #[command(flatten)]
    common: Common,
}

pub(crate) fn run(global: &Global, args: &CompareArgs) -> Result<ExitCode> {
    let predictor = args.common.predictor(global)?;
    let devices: Vec<_> = args.common.device()?.into_iter().collect();
    let answer = compare(&predictor, &args.ids, &args.context, &devices)?;
    match global.format() {
        Format::Json => {
            output::result(&Answered::of(&answer, &answer.catalog_sha256, global.seed).to_json()?)?;
        }
        Format::Csv => output::result_bytes(&output::csv(&pairs(&answer))?)?,
        Format::Table => output::result(&page(&answer))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn page(answer: &CompareAnswer) -> String {
    let mut parts = vec![
        "Structure and cost (* differs):\n".to_owned() + &output::table(&structure(answer)),
        "Scores, points, with what the number of items leaves open (95 %):\n".to_owned()
            + &output::table(&scores(answer)),
        "How each run was made:\n".to_owned() + &output::table(&runs(answer)),
        "Each against the first:\n".to_owned() + &output::table(&pairs(answer)),
    ];
    let mut words = answer.verdicts.join("\n");
    for checkpoint in &answer.checkpoints {
        if !checkpoint.lineage.is_empty() {
            let _ = write!(
                words,
                "\n{} was made from {}",
                checkpoint.id,
                checkpoint.lineage.join(", from ")
            );
        }
        if checkpoint.flagged {
            let _ = write!(
                words,
                "\n{} is flagged by a leaderboard, or made from what is",
                checkpoint.id
            );
        }
    }
    for note in &answer.notes {
        let _ = write!(words, "\nnote: {note}");
    }
    parts.push(words + "\n");
    parts.join("\n")
}

pub(crate) fn structure(answer: &CompareAnswer) -> Table {
    let mut columns = vec![" ".to_owned(), "column".to_owned()];
    columns.extend(answer.checkpoints.iter().map(|checkpoint| checkpoint.id.clone()));
    let mut rows: Vec<Vec<Cell>> = answer
        .structure
        .iter()
        .map(|column| {
            let mut cells: Vec<Cell> = vec![
                (if column.differs { "*" } else { "" }).into(),
                column.column.as_str().into(),
            ];
            cells.extend(
                column
                    .values
                    .iter()
                    .map(|value| value.clone().map_or(Cell::Missing, Cell::from)),
            );
            cells
        })
        .collect();
    let kinds = answer
        .checkpoints
        .first()
        .map_or(&[][..], |first| &first.costs.memory[..]);
    for (place, memory) in kinds.iter().enumerate() {
        let name = format!("GB at {}, {} tokens", memory.precision.as_str(), memory.context);
        let mut cells: Vec<Cell> = vec!["".into(), name.into()];
        cells.extend(answer.checkpoints.iter().map(|checkpoint| {
            let memory = checkpoint.costs.memory.get(place);
            memory.map_or(Cell::Missing, |memory| {
                format!("{:.2}", memory.total_bytes / 1e9).into()
            })
        }));
        rows.push(cells);
    }
    Table {
        id: "structure".into(),
        columns,
        rows,
        ..Table::default()
    }
}

pub(crate) fn scores(answer: &CompareAnswer) -> Table {
    let mut columns = vec!["benchmark".to_owned(), "leaderboard".to_owned()];
    columns.extend(answer.checkpoints.iter().map(|checkpoint| checkpoint.id.clone()));
    let rows = answer
        .scores
        .iter()
        .map(|score| {
            let mut cells: Vec<Cell> =
                vec![score.benchmark.as_str().into(), score.leaderboard.as_str().into()];
            cells.extend(score.values.iter().map(|value| {
                value.as_ref().map_or(Cell::Missing, |value| {
                    let ends = value.interval.as_ref().map_or(String::new(), |ends| {
                        format!(" [{:.1}, {:.1}]", ends.low, ends.high)
                    });
                    format!("{:.1}{ends}", value.value).into()
                })
            }));
            cells
        })
        .collect();
    Table {
        id: "scores".into(),
        columns,
        rows,
        ..Table::default()
    }
}

/// How the runs were made: what all of a benchmark's runs have in common, and of each checkpoint what it has not.
pub(crate) fn runs(answer: &CompareAnswer) -> Table {
    let mut columns = ["benchmark", "leaderboard", "all runs"]
        .map(String::from)
        .to_vec();
    columns.extend(answer.checkpoints.iter().map(|checkpoint| checkpoint.id.clone()));
    let joined = |parts: Vec<String>| Cell::from(parts.join(", "));
    let rows = answer
        .scores
        .iter()
        .map(|score| {
            let parts: Vec<Option<[Option<String>; 6]>> = score
                .values
                .iter()
                .map(|value| value.as_ref().map(|value| value.run.parts()))
                .collect();
            let known: Vec<&[Option<String>; 6]> = parts.iter().flatten().collect();
            let is_common = |place: usize| known.windows(2).all(|pair| pair[0][place] == pair[1][place]);
            let common = known.first().into_iter().flat_map(|first| {
                let places = (0..first.len()).filter(|&place| is_common(place));
                places.filter_map(|place| first[place].clone())
            });
            let mut cells: Vec<Cell> = vec![
                score.benchmark.as_str().into(),
                score.leaderboard.as_str().into(),
                joined(common.collect()),
            ];
            cells.extend(parts.iter().map(|parts| match parts {
                None => Cell::Missing,
                Some(parts) => {
                    let places = (0..parts.len()).filter(|&place| !is_common(place));
                    let own = places.map(|place| parts[place].clone().unwrap_or_else(|| "not stated".into()));
                    joined(own.collect())
                }
            }));
            cells
        })
        .collect();
    Table {
        id: "runs".into(),
        columns,
        rows,
        ..Table::default()
    }
}

pub(crate) fn pairs(answer: &CompareAnswer) -> Table {
    let columns = [
        "checkpoint",
        "benchmark",
        "comparable",
        "difference",
        "low",
        "high",
        "p",
        "p adjusted",
        "items",
        "more than noise",
        "deviation within a shape",
        "why not comparable",
    ];
    let rows = answer
        .pairs
        .iter()
        .map(|pair| {
            let ends = pair.interval.as_ref();
            vec![
                pair.second.as_str().into(),
                pair.benchmark.as_str().into(),
                (if pair.comparable { "yes" } else { "no" }).into(),
                pair.difference.into(),
                ends.map(|ends| ends.low).into(),
                ends.map(|ends| ends.high).into(),
                pair.p.into(),
                pair.p_adjusted.into(),
                Cell::from(pair.n.map(|n| n as f64)),
                pair.more_than_noise
                    .map_or(Cell::Missing, |more| (if more { "yes" } else { "no" }).into()),
                pair.within_shape_deviation.into(),
                pair.why_not.join("; ").into(),
            ]
        })
        .collect();
    Table {
        id: "pairs".into(),
        columns: columns.map(String::from).to_vec(),
        rows,
        ..Table::default()
    }
}
