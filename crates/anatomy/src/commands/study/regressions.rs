//! `anatomy study regressions`: methods side by side under one or more protocols.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use rayon::prelude::*;
use study::by_group::ByGroup;
use study::ceiling::{ceiling, lookup};
use study::finding::Finding;
use study::regression::SavedFit;
use study::scored::{Scored, readings};
use study::section::{Cell, Section, Table};
use study::{Evaluation, Groups, evaluate};

use super::answer;
use super::beside::{Beside, learning_table, pairs_table};
use super::best::{self, Tried};
use super::input::{self, Input};
use super::llm::LlmArgs;
use super::methods::{self, Methods};
use crate::frame::{Division, FeatureSet, Rows};
use crate::global::Global;
use crate::{output, progress};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy study regressions --target mmlu
  anatomy study regressions --target arc,gsm8k --features core --methods random_forest,linear
  anatomy study regressions --target decode_speed --where \"leaderboard = 'llm-perf-1xA10' and setting like '%Unquantized%'\"
  anatomy study regressions --target layers,d_model --features arc,hellaswag,mmlu,truthfulqa,winogrande,gsm8k
  anatomy study regressions --target arc --methods linear,structural --against structural --learning-curve
  anatomy study regressions --data my.csv --target score --features a,b --folds fold --predictions out.csv
  anatomy study regressions --target mmlu --rows 300 --methods llm,linear --model FILE.gguf --steps 200

Exit status: 0 fitted, 1 no row has all the values, 2 could not run")]
pub(crate) struct RegressionsArgs {
    #[command(flatten)]
    input: Input,
    /// Methods, separated by commas; beside the ten of the literature `structural`, and `llm`, which needs --model
    /// [default: all but llm]
    #[arg(short, long, value_name = "NAMES")]
    methods: Option<String>,
    /// A setting of a method, as random_forest.trees=300; may be repeated
    #[arg(long, value_name = "METHOD.NAME=VALUE")]
    set: Vec<String>,
    /// Where out-of-fold predictions go, in row order: id (or row), observed value, fold, and a column a method (one
    /// target, one
    /// protocol)
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
    /// Where a fit on all rows is kept, as JSON (one target, one method)
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Also set each method against this one, in pairs on the same folds
    #[arg(long, value_name = "METHOD")]
    against: Option<String>,
    /// Also R² by the share of training rows, and of whole training shapes (thirty times the fits)
    #[arg(long)]
    learning_curve: bool,
    #[command(flatten)]
    llm: LlmArgs,
    /// Write tables and findings to this folder too
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Resamples of each interval
    #[arg(long, default_value_t = 1000, value_name = "NUM", value_parser = clap::value_parser!(u32).range(100..=100_000))]
    resamples: u32,
}

pub(crate) fn run(global: &Global, args: &RegressionsArgs) -> Result<ExitCode> {
    let input = &args.input;
    let Methods { methods, answers } = methods::chosen(input, args.methods.as_deref(), &args.set, &args.llm)?;
    let alone = methods.len() == 1 && methods[0].name() == methods::STRUCTURAL && !input.is_own_table();
    let default = if alone {
        methods::STRUCTURAL
    } else {
        "structure_date"
    };
    let sets = input.sets_or_columns(default, global.quiet)?;
    let (targets, protocols) = (input.targets(), input.protocols()?);
    if args.predictions.is_some() && (targets.len() != 1 || protocols.len() > 1 || sets.len() > 1) {
        bail!(
            "--predictions takes one target, one protocol and one feature set, not {}, {} and {}",
            targets.len(),
            protocols.len(),
            sets.len()
        );
    }
    if args.save.is_some() && (targets.len() != 1 || methods.len() != 1 || sets.len() > 1) {
        bail!(
            "--save takes one target, one method and one feature set, not {}, {} and {}",
            targets.len(),
            methods.len(),
            sets.len()
        );
    }
    if let Some(against) = &args.against
        && !methods.iter().any(|method| method.name() == against)
    {
        bail!("--against {against}: not among the chosen methods");
    }
    let data = input.read(&sets)?;
    let (mut findings, mut text) = (Vec::new(), Vec::new());
    let (mut table, mut pairs, mut learning) = (empty_table(), pairs_table(), learning_table());
    let n_fits = targets.len() * sets.len() * protocols.len().max(1) * methods.len();
    let bar = progress::bar(global.quiet, n_fits as u64, "fitting");
    for (set, target) in sets
        .iter()
        .flat_map(|set| targets.iter().map(move |target| (set, *target)))
    {
        let rows = data.rows(target, set, global.seed)?;
        if rows.target.is_empty() {
            bar.finish_and_clear();
            input::say_none(target, set, &rows);
            return Ok(ExitCode::from(1));
        }
        bar.suspend(|| input::say_rows(global.quiet, target, &rows));
        let names: Vec<&str> = rows.design.names().iter().map(String::as_str).collect();
        let limit = ceiling(&rows.target, &Groups::from_columns(&rows.design, &names)?)?;
        let divisions = data.divisions(&rows, global.seed)?;
        let cells = divisions
            .iter()
            .flat_map(|division| methods.iter().map(move |method| (division, method)));
        // All at once: a protocol of one fold keeps one thread busy only.
        let evaluated: Vec<Evaluation> = cells
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|(division, method)| {
                bar.set_message(format!("{target} {} {}", division.name, method.name()));
                let (design, values) = (&rows.design, &rows.target);
                let result = evaluate(&**method, design, values, None, &division.folds, global.seed);
                bar.inc(1);
                result
            })
            .collect::<Result<_, _>>()?;
        let mut evaluated = evaluated.into_iter();
        for division in &divisions {
            let own_shape = lookup(&rows.target, &rows.shape, &division.folds)?;
            let (mut predicted, mut tried) = (Vec::new(), Vec::new());
            for (method, result) in methods.iter().zip(evaluated.by_ref()) {
                let question = Question {
                    args,
                    global,
                    set,
                    target,
                    division,
                    method: method.name(),
                    rows: &rows,
                };
                let (finding, by_shape) = question.answer(&result)?;
                table
                    .rows
                    .push(question.table_row(&result, &finding, &by_shape, &own_shape, limit.adjusted));
                findings.extend(readings(&finding, &by_shape));
                tried.push(Tried {
                    method: method.name(),
                    r2: finding.value,
                    interval: finding.interval.clone(),
                    by_shape: by_shape.r2,
                    mae: result.mae,
                    n: result.n_tested,
                });
                predicted.push((method.name(), result));
            }
            text.extend(best::sentence(
                target,
                &division.name,
                rows.shape.n_groups(),
                &tried,
            ));
            let beside = Beside {
                set,
                target,
                division,
                rows: &rows,
                resamples: args.resamples as usize,
                seed: global.seed,
            };
            if let Some(against) = &args.against {
                findings.extend(beside.pairs(&predicted, against, &mut pairs)?);
            }
            if args.learning_curve {
                for method in &methods {
                    bar.set_message(format!("{target} {} {} learning", division.name, method.name()));
                    findings.extend(beside.learning(&**method, &mut learning)?);
                }
            }
            if let Some(path) = &args.predictions {
                write_predictions(path, &rows, target, division, &predicted)?;
            }
        }
        if let (Some(path), Some(method)) = (&args.save, methods.first()) {
            let fit = method.fit(&rows.design, &rows.target, None, global.seed)?;
            let Some(saved) = SavedFit::new(method.name(), target, &*fit) else {
                bail!(
                    "--save: a fit of {} is an adapter, which `anatomy probe tune` writes",
                    method.name()
                );
            };
            crate::report::write_whole(path, &serde_json::to_vec(&saved)?)?;
        }
    }
    bar.finish_and_clear();
    if let Some((malformed, all)) = answers.map(|answers| answers.counts()) {
        output::say(
            global.quiet,
            &format!(
                "llm: {malformed} of {all} answers malformed; these count as the mean of the training rows"
            ),
        );
    }
    let tables = [table, pairs, learning];
    let section = Section {
        id: "regressions".into(),
        title: "From structure to score".into(),
        text,
        findings,
        tables: tables
            .into_iter()
            .filter(|table| !table.rows.is_empty())
            .collect(),
        ..Section::default()
    };
    let study = answer::study(vec![section], data.about(&sets));
    answer::give(global, &study, &data.catalog_hash, args.out.as_deref())?;
    Ok(ExitCode::SUCCESS)
}

/// One cell of the table of methods.
struct Question<'a> {
    args: &'a RegressionsArgs,
    global: &'a Global,
    set: &'a FeatureSet,
    target: &'a str,
    division: &'a Division,
    method: &'a str,
    rows: &'a Rows,
}

impl Question<'_> {
    fn scored(&self) -> Scored<'_> {
        Scored {
            set: &self.set.name,
            target: self.target,
            protocol: &self.division.name,
            design: &self.rows.design,
            values: &self.rows.target,
            shape: &self.rows.shape,
            source: &self.rows.source,
            resamples: self.args.resamples as usize,
            seed: self.global.seed,
            is_published: self.args.input.is_whole_catalog(),
        }
    }

    /// R² by rows, and with each shape counted once.
    fn answer(&self, result: &Evaluation) -> Result<(Finding, ByGroup)> {
        let scored = self.scored();
        Ok((scored.r2(self.method, result)?, scored.by_shape(result)?))
    }

    fn table_row(
        &self,
        result: &Evaluation,
        finding: &Finding,
        by_shape: &ByGroup,
        own_shape: &Evaluation,
        ceiling: Option<f64>,
    ) -> Vec<Cell> {
        let once = by_shape.interval.as_ref();
        vec![
            self.target.into(),
            self.set.name.as_str().into(),
            self.division.name.as_str().into(),
            self.method.into(),
            result.n_tested.into(),
            result.r2_pooled.into(),
            finding.interval.as_ref().map(|interval| interval.low).into(),
            finding.interval.as_ref().map(|interval| interval.high).into(),
            by_shape.r2.into(),
            once.map(|interval| interval.low).into(),
            once.map(|interval| interval.high).into(),
            by_shape.r2_without_largest.into(),
            by_shape.effective_groups.into(),
            result.r2_mean_of_folds().into(),
            result.mae.into(),
            result.rmse.into(),
            own_shape.r2_pooled.into(),
            ceiling.into(),
        ]
    }
}

fn empty_table() -> Table {
    Table {
        id: "regressions".into(),
        caption: "R² pooled over folds; by shape: the same predictions, each shape counted once; without largest: by rows, \
                  without those of the largest shape; effective shapes: (Σn)² / Σn² of the shapes tested"
            .into(),
        columns: [
            "target",
            "features",
            "protocol",
            "method",
            "n",
            "R²",
            "low",
            "high",
            "R² by shape",
            "low by shape",
            "high by shape",
            "R² without largest",
            "effective shapes",
            "R² mean of folds",
            "MAE",
            "RMSE",
            "look-up R²",
            "ceiling",
        ]
        .map(String::from)
        .to_vec(),
        shown: true,
        ..Table::default()
    }
}

/// Predictions in the order of the table's rows, each beside its id (where the table has one) or row, the observed value
/// and the
/// fold it was tested in; empty where a row was left out or never tested.
fn write_predictions(
    path: &std::path::Path,
    rows: &Rows,
    target: &str,
    division: &Division,
    predicted: &[(&str, Evaluation)],
) -> Result<()> {
    let mut fold_of = vec![None; rows.target.len()];
    for (number, fold) in division.folds.iter().enumerate() {
        for &place in &fold.test {
            fold_of[place] = Some(number as f64);
        }
    }
    let mut columns = vec![if rows.ids.is_some() { "id" } else { "row" }.to_owned()];
    columns.push(format!("observed {target}"));
    columns.push("fold".into());
    columns.extend(predicted.iter().map(|(name, _)| (*name).to_string()));
    let empty = |row: usize| -> Vec<Cell> {
        let first = match &rows.ids {
            Some(ids) => ids.get(row).map_or(Cell::Missing, |id| id.as_str().into()),
            None => row.into(),
        };
        std::iter::once(first)
            .chain(std::iter::repeat_n(Cell::Missing, 2 + predicted.len()))
            .collect()
    };
    let mut all: Vec<Vec<Cell>> = (0..rows.n_table).map(empty).collect();
    for (place, &row) in rows.numbers.iter().enumerate() {
        all[row][1] = rows.target[place].into();
        all[row][2] = fold_of[place].into();
        for (cell, (_, result)) in all[row][3..].iter_mut().zip(predicted) {
            *cell = result.predictions[place].into();
        }
    }
    let table = Table {
        columns,
        rows: all,
        ..Table::default()
    };
    crate::report::write_whole(path, &output::csv(&table)?)
}
