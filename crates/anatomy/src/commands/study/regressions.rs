//! `anatomy study regressions`: methods side by side under one or more protocols.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use study::ceiling::{ceiling, lookup};
use study::evaluate::bootstrap_r2_over_groups;
use study::finding::Finding;
use study::regression::{SavedFit, all, from_name};
use study::section::{Cell, Table};
use study::{Evaluation, Groups, Regression, evaluate};

use super::input::{Division, Input, Rows, split};
use crate::cli::{Format, Global};
use crate::provenance::{FindingsFile, Provenance, SCHEMA_VERSION};
use crate::{output, progress};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy study regressions --target mmlu
  anatomy study regressions --target arc,gsm8k --features core --methods random_forest,linear
  anatomy study regressions --target decode_speed --where \"leaderboard = 'llm-perf-1xA10' and setting like '%Unquantized%'\"
  anatomy study regressions --target layers,d_model --features arc,hellaswag,mmlu,truthfulqa,winogrande,gsm8k
  anatomy study regressions --data my.csv --target score --features a,b --folds fold --predictions out.csv

Exit status: 0 fitted, 1 no row has all the values, 2 could not run")]
pub(crate) struct RegressionsArgs {
    #[command(flatten)]
    input: Input,
    /// Methods, separated by commas; `structural` beside the ten of the literature [default: all]
    #[arg(short, long, value_name = "NAMES")]
    methods: Option<String>,
    /// Where out-of-fold predictions go, in row order, one column a method (one target, one protocol)
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
    /// Where a fit on all rows is kept, as JSON (one target, one method)
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Resamples of each interval
    #[arg(long, default_value_t = 1000, value_name = "NUM", value_parser = clap::value_parser!(u32).range(100..=100_000))]
    resamples: u32,
}

pub(crate) fn run(global: &Global, args: &RegressionsArgs) -> Result<ExitCode> {
    let input = &args.input;
    let methods = match &args.methods {
        Some(list) => methods(list)?,
        None => default_methods(input),
    };
    let (targets, protocols) = (input.targets(), input.protocols()?);
    if args.predictions.is_some() && (targets.len() != 1 || protocols.len() > 1) {
        bail!(
            "--predictions takes one target and one protocol, not {} and {}",
            targets.len(),
            protocols.len()
        );
    }
    if args.save.is_some() && (targets.len() != 1 || methods.len() != 1) {
        bail!(
            "--save takes one target and one method, not {} and {}",
            targets.len(),
            methods.len()
        );
    }
    let data = input.read()?;
    let mut findings = Vec::new();
    let mut table = empty_table(input.features());
    let n_divisions = protocols.len().max(1);
    let bar = progress::bar(
        global.quiet,
        (targets.len() * n_divisions * methods.len()) as u64,
        "fitting",
    );
    for target in targets {
        let rows = data.rows(target)?;
        if rows.target.is_empty() {
            bar.finish_and_clear();
            let text = format!(
                "no row of {} has `{target}` and all of {}",
                rows.source.work,
                input.features()
            );
            output::say(false, &text);
            return Ok(ExitCode::from(1));
        }
        bar.suspend(|| say_rows(global, target, &rows));
        let names: Vec<&str> = rows.design.names().iter().map(String::as_str).collect();
        let limit = ceiling(&rows.target, &Groups::from_columns(&rows.design, &names)?)?;
        for division in &data.divisions(&rows, global.seed)? {
            let own_shape = lookup(&rows.target, &rows.shape, &division.folds)?;
            let mut predicted = Vec::new();
            for method in &methods {
                bar.set_message(format!("{target} {} {}", division.name, method.name()));
                let result = evaluate(
                    &**method,
                    &rows.design,
                    &rows.target,
                    None,
                    &division.folds,
                    global.seed,
                )?;
                let finding = r2_finding(args, global, target, division, method.name(), &rows, &result)?;
                table.rows.push(table_row(
                    target,
                    division,
                    method.name(),
                    &result,
                    &finding,
                    &own_shape,
                    limit.adjusted,
                ));
                findings.push(finding);
                predicted.push((method.name(), result));
                bar.inc(1);
            }
            if let Some(path) = &args.predictions {
                write_predictions(path, &rows, &predicted)?;
            }
        }
        if let (Some(path), Some(method)) = (&args.save, methods.first()) {
            let fit = method.fit(&rows.design, &rows.target, None, global.seed)?;
            let saved = SavedFit::new(method.name(), target, &*fit);
            crate::report::write_whole(path, &serde_json::to_vec(&saved)?)?;
        }
    }
    bar.finish_and_clear();
    match global.format {
        Format::Table => output::result(&output::table(&table))?,
        Format::Csv => output::result(std::str::from_utf8(&output::csv(&table)?).context("CSV is UTF-8")?)?,
        Format::Json => {
            let file = FindingsFile {
                schema_version: SCHEMA_VERSION,
                provenance: Provenance::of(&data.catalog_hash, global.seed),
                findings: findings.iter().collect(),
            };
            output::result(&file.to_json()?)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// How many rows are left, and a plain warning where they can say little.
pub(super) fn say_rows(global: &Global, target: &str, rows: &Rows) {
    let (kept, shapes) = (rows.target.len(), rows.shape.n_groups());
    let text = format!(
        "{target}: {} rows, {} outside the condition, {} without a value left out, {kept} used, {shapes} shapes",
        rows.n_table,
        rows.n_table - rows.n_filtered,
        rows.n_filtered - kept,
    );
    output::say(global.quiet, &text);
    if kept < FEW_ROWS || shapes < FEW_SHAPES {
        let text = format!(
            "{target}: {kept} rows of {shapes} shapes are too few to tell methods or columns apart; read the intervals"
        );
        output::say(global.quiet, &text);
    }
}

/// Below these, R² and importances are mostly noise: a fold of ten would hold under ten rows or two shapes.
const FEW_ROWS: usize = 100;
const FEW_SHAPES: usize = 20;

/// Every method; `structural` too where the columns it needs are among the features.
fn default_methods(input: &Input) -> Vec<Box<dyn Regression>> {
    let mut methods = all();
    if input.set_name() != "own" {
        methods.extend(from_name("structural"));
    }
    methods
}

fn methods(list: &str) -> Result<Vec<Box<dyn Regression>>> {
    split(list).into_iter().map(method).collect()
}

/// The method of that name, with its defaults.
pub(super) fn method(name: &str) -> Result<Box<dyn Regression>> {
    from_name(name).with_context(|| {
        let mut known: Vec<&str> = all().iter().map(|method| method.name()).collect();
        known.push("structural");
        format!("no method named `{name}`; there are {}", known.join(", "))
    })
}

fn r2_finding(
    args: &RegressionsArgs,
    global: &Global,
    target: &str,
    division: &Division,
    method: &str,
    rows: &Rows,
    result: &Evaluation,
) -> Result<Finding> {
    let set = args.input.set_name();
    let id = format!("regression.r2.{set}.{}.{method}.{target}", division.name);
    let interval = bootstrap_r2_over_groups(
        &rows.target,
        &result.predictions,
        &rows.shape,
        args.resamples as usize,
        0.95,
        global.seed,
    )?;
    let published = study::published::published(&id).filter(|_| args.input.is_whole_catalog());
    Ok(Finding::new(
        id,
        format!("Which share of the variance of {target} does {method} predict?"),
        &rows.source,
    )
    .with_value(
        result.r2_pooled.unwrap_or(f64::NAN),
        "fraction",
        result.n_tested,
        method,
    )
    .with_interval(interval)
    .with_protocol(&division.name, rows.design.names())
    .with_seed(global.seed)
    .with_published(published)
    .with_note(format!(
        "mean absolute error {:.3}, root mean squared error {:.3}",
        result.mae, result.rmse
    )))
}

fn empty_table(features: &str) -> Table {
    Table {
        id: "regressions".into(),
        caption: format!("R² pooled over folds, features {features}"),
        columns: [
            "target",
            "protocol",
            "method",
            "n",
            "R²",
            "low",
            "high",
            "R² mean of folds",
            "MAE",
            "RMSE",
            "look-up R²",
            "ceiling",
        ]
        .map(String::from)
        .to_vec(),
        ..Table::default()
    }
}

fn table_row(
    target: &str,
    division: &Division,
    method: &str,
    result: &Evaluation,
    finding: &Finding,
    own_shape: &Evaluation,
    ceiling: Option<f64>,
) -> Vec<Cell> {
    vec![
        target.into(),
        division.name.as_str().into(),
        method.into(),
        result.n_tested.into(),
        result.r2_pooled.into(),
        finding.interval.as_ref().map(|interval| interval.low).into(),
        finding.interval.as_ref().map(|interval| interval.high).into(),
        result.r2_mean_of_folds().into(),
        result.mae.into(),
        result.rmse.into(),
        own_shape.r2_pooled.into(),
        ceiling.into(),
    ]
}

/// Predictions in the order of the table's rows; empty where a row was left out or never tested.
fn write_predictions(path: &std::path::Path, rows: &Rows, predicted: &[(&str, Evaluation)]) -> Result<()> {
    let table = Table {
        columns: predicted.iter().map(|(name, _)| (*name).to_string()).collect(),
        rows: {
            let mut all = vec![vec![Cell::Missing; predicted.len()]; rows.n_table];
            for (place, &row) in rows.numbers.iter().enumerate() {
                all[row] = predicted
                    .iter()
                    .map(|(_, result)| result.predictions[place].into())
                    .collect();
            }
            all
        },
        ..Table::default()
    };
    crate::report::write_whole(path, &output::csv(&table)?)
}
