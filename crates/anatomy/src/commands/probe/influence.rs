//! `anatomy probe influence`: Block Influence (Men et al. 2024) and angular distance (Gromov et al. 2024) by layer.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use mechanism::evaluate::tasks::{Item, TaskItems};
use mechanism::influence::{Influence, InfluenceSettings, block_influence};
use study::section::{Cell, Table};

use super::corpus::CorpusArgs;
use super::made_from::{Hashing, of_file, of_tasks, of_values, provenance};
use super::model::{Follow, ModelArgs, lines, side_by_side};
use super::tasks::TaskArgs;
use crate::global::{Format, Global};
use crate::output;
use crate::provenance::{Envelope, InputOf};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy probe influence --model FILE.gguf --texts texts.txt
  anatomy probe influence --model FOLDER --corpus plain,mathematical,archaic,code,legal,dialogue --corpus-texts 40 --format json
  anatomy probe influence --model FOLDER --tasks arc_challenge,winogrande --data DIR --limit 200     right answers as texts

Exit status: 0 done, 2 could not run")]
pub(crate) struct InfluenceArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// One text a line
    #[arg(long, value_name = "FILE", conflicts_with_all = ["corpus", "tasks"])]
    texts: Option<PathBuf>,
    #[command(flatten)]
    corpora: CorpusArgs,
    #[command(flatten)]
    items: TaskArgs,
    /// Longest block of layers for the angular distance
    #[arg(long, default_value_t = 5, value_name = "NUM")]
    max_block: usize,
    /// Resamples of texts for the intervals; 0 for none
    #[arg(long, default_value_t = 1000, value_name = "NUM")]
    resamples: usize,
}

pub(super) fn run(global: &Global, args: &InfluenceArgs) -> Result<ExitCode> {
    let of_benchmark = |(name, tasks): (String, Vec<TaskItems>)| {
        let items = tasks.iter().flat_map(|task| &task.items);
        Ok((name, items.map(Item::text).collect(), of_tasks(&tasks)?))
    };
    let of_corpus = |(name, texts): (String, Vec<String>)| {
        let input = of_values("corpus", &name, &texts)?;
        Ok((name, texts, vec![input]))
    };
    let inputs: Vec<(String, Vec<String>, Vec<InputOf>)> = match (&args.texts, args.corpora.is_named()) {
        (Some(path), _) => {
            let texts = lines(path)?;
            let input = of_file("texts", path, texts.len())?;
            vec![(path.display().to_string(), texts, vec![input])]
        }
        (None, true) => args
            .corpora
            .texts()?
            .into_iter()
            .map(of_corpus)
            .collect::<Result<_>>()?,
        (None, false) => {
            let asked = args.items.read(|_| 0)?.into_iter();
            asked.map(of_benchmark).collect::<Result<_>>()?
        }
    };
    if inputs.is_empty() {
        bail!(
            "no texts to measure on: --texts names a file of them, --corpus those that come along, --tasks benchmarks"
        );
    }
    let checkpoint = args.model.open(global)?;
    let hashing = Hashing::begin(global, &checkpoint);
    let settings = InfluenceSettings {
        run: args.model.settings(),
        max_block: args.max_block,
        resamples: args.resamples,
        level: 0.95,
        seed: global.seed,
    };
    let mut results = Vec::new();
    let mut given = Vec::new();
    for (name, texts, input) in inputs {
        let follow = Follow::new(global, &name);
        let result = block_influence(&checkpoint, &texts, &settings, &mut |progress| {
            follow.hear(&progress);
        })?;
        follow.done();
        results.push((name, result));
        given.push(input);
    }
    let opened = hashing.map(Hashing::end).transpose()?;
    match global.format() {
        Format::Json => {
            let made_from = |input| provenance(global, &args.model, &[], opened.clone(), input);
            let of = results.iter().zip(given);
            let told: Vec<_> = of
                .map(|((name, result), input)| {
                    (name.clone(), Envelope::of("influence", result, made_from(input)))
                })
                .collect();
            output::result(&side_by_side(&told)?)?;
        }
        Format::Csv => output::result_bytes(&output::csv(&table(&results))?)?,
        Format::Table => output::result(&output::table(&table(&results)))?,
    }
    for (name, result) in &results {
        output::say(
            global.quiet,
            &format!(
                "{name}: {} texts, {} tokens ({} empty texts left out); least influential layers {}; seed {}",
                result.texts,
                result.tokens,
                result.empty_texts,
                result.least_influential(5),
                global.seed
            ),
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// One row a layer.
fn table(results: &[(String, Influence)]) -> Table {
    let mut columns = vec!["layer".to_string()];
    for (name, _) in results {
        let of = if results.len() > 1 {
            format!(" {name}")
        } else {
            String::new()
        };
        columns.extend([
            format!("block influence{of}"),
            format!("low{of}"),
            format!("high{of}"),
            format!("rank{of}"),
        ]);
    }
    let n_layers = results
        .first()
        .map_or(0, |(_, result)| result.block_influence.len());
    let rows = (0..n_layers)
        .map(|layer| {
            let mut cells: Vec<Cell> = vec![layer.into()];
            for (_, result) in results {
                let interval = result.intervals.get(layer);
                let rank = result
                    .order_least_important_first
                    .iter()
                    .position(|&other| other == layer);
                cells.extend([
                    result.block_influence[layer].into(),
                    interval.map(|interval| interval.low).into(),
                    interval.map(|interval| interval.high).into(),
                    rank.map(|rank| rank as f64 + 1.0).into(),
                ]);
            }
            cells
        })
        .collect();
    Table {
        id: "influence".into(),
        columns,
        rows,
        ..Table::default()
    }
}
