//! `anatomy study regressions`: methods side by side under one or more protocols.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use study::ceiling::{ceiling, lookup};
use study::evaluate::bootstrap_r2_over_groups;
use study::finding::{Finding, SourceOf};
use study::protocol::folds_from_numbers;
use study::regression::{all, from_name};
use study::section::{Cell, Table};
use study::{Evaluation, Fold, Groups, Protocol, Regression, RowInformation, evaluate, folds};

use super::table::{self, Rows};
use crate::cli::{Format, Global};
use crate::provenance::{FindingsFile, Provenance, SCHEMA_VERSION};
use crate::{output, progress};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy study regressions --target mmlu
  anatomy study regressions --target arc,gsm8k --features core --methods random_forest,linear
  anatomy study regressions --data my.csv --target score --features a,b --folds fold --predictions out.csv

Exit status: 0 fitted, 1 no row has all the values, 2 could not run")]
pub(crate) struct RegressionsArgs {
    /// Scores to explain, separated by commas: benchmarks of the catalog, or a column of --data
    #[arg(
        short,
        long,
        default_value = "arc,hellaswag,mmlu,truthfulqa,winogrande,gsm8k",
        value_name = "NAMES"
    )]
    target: String,
    /// Features: core, structure, structure_date, or columns separated by commas
    #[arg(short, long, default_value = "structure_date", value_name = "SET")]
    features: String,
    /// Methods, separated by commas [default: all]
    #[arg(short, long, value_name = "NAMES")]
    methods: Option<String>,
    /// How training and test rows are divided, separated by commas: random_split, random_folds, structure_out,
    /// lineage_out, family_out, forward_in_time
    #[arg(short, long, default_value = "structure_out", value_name = "NAMES")]
    protocol: String,
    /// A CSV table of your own instead of the catalog
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Fold numbers instead of a protocol: a column of --data, or FILE:COLUMN (0, 1 … test folds, -1 always training)
    #[arg(long, value_name = "COLUMN", requires = "data", conflicts_with = "protocol")]
    folds: Option<String>,
    /// Where out-of-fold predictions go, in row order, one column a method (one target, one protocol)
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
    /// Catalog made by `anatomy catalog build` [default: the one compiled in]
    #[arg(long, value_name = "DIR")]
    catalog: Option<PathBuf>,
    /// Resamples of each interval
    #[arg(long, default_value_t = 1000, value_name = "NUM", value_parser = clap::value_parser!(u32).range(100..=100_000))]
    resamples: u32,
}

/// One protocol with its folds.
struct Division {
    name: String,
    folds: Vec<Fold>,
}

pub(crate) fn run(global: &Global, args: &RegressionsArgs) -> Result<ExitCode> {
    let methods = args.methods.as_deref().map_or_else(|| Ok(all()), methods)?;
    let targets = split(&args.target);
    let protocols = if args.folds.is_some() {
        Vec::new()
    } else {
        protocols(&args.protocol)?
    };
    if args.predictions.is_some() && (targets.len() != 1 || protocols.len() > 1) {
        bail!(
            "--predictions takes one target and one protocol, not {} and {}",
            targets.len(),
            protocols.len()
        );
    }
    let catalog = match args.data {
        Some(_) => None,
        None => Some(crate::commands::open_catalog(args.catalog.as_deref())?),
    };
    let catalog_hash = catalog
        .as_ref()
        .map_or("", |catalog| catalog.manifest.catalog_sha256.as_str())
        .to_string();
    let mut findings = Vec::new();
    let mut table = empty_table(&args.features);
    let n_divisions = protocols.len().max(1);
    let bar = progress::bar(
        global.quiet,
        (targets.len() * n_divisions * methods.len()) as u64,
        "fitting",
    );
    for target in targets {
        let frame = match (&args.data, &catalog) {
            (Some(path), _) => table::read_csv(path)?,
            (None, Some(catalog)) => table::from_catalog(catalog, target)?,
            (None, None) => bail!("no data"),
        };
        let rows = table::complete_rows(&frame, &table::feature_names(&args.features), target)?;
        if rows.target.is_empty() {
            bar.finish_and_clear();
            output::say(
                false,
                &format!(
                    "no row of {} has `{target}` and all of {}",
                    rows.source, args.features
                ),
            );
            return Ok(ExitCode::from(1));
        }
        let divisions = match &args.folds {
            Some(asked) => vec![Division {
                name: "given_folds".into(),
                folds: folds_from_numbers(&table::fold_numbers(&frame, asked, &rows)?)?,
            }],
            None => protocols
                .iter()
                .map(|protocol| divide(*protocol, &rows, global.seed))
                .collect::<Result<_>>()?,
        };
        let names: Vec<&str> = rows.design.names().iter().map(String::as_str).collect();
        let limit = ceiling(&rows.target, &Groups::from_columns(&rows.design, &names)?)?;
        for division in &divisions {
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
        let (all, kept) = (rows.n_table, rows.target.len());
        bar.suspend(|| {
            output::say(
                global.quiet,
                &format!(
                    "{target}: {all} rows, {} without a value left out, {kept} used, {} shapes",
                    all - kept,
                    rows.shape.n_groups()
                ),
            );
        });
    }
    bar.finish_and_clear();
    match global.format {
        Format::Table => output::result(&output::table(&table))?,
        Format::Csv => output::result(std::str::from_utf8(&output::csv(&table)?).context("CSV is UTF-8")?)?,
        Format::Json => {
            let file = FindingsFile {
                schema_version: SCHEMA_VERSION,
                provenance: Provenance::of(&catalog_hash, global.seed),
                findings: findings.iter().collect(),
            };
            output::result(&file.to_json()?)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn split(list: &str) -> Vec<&str> {
    list.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect()
}

fn methods(list: &str) -> Result<Vec<Box<dyn Regression>>> {
    let known: Vec<&str> = all().iter().map(|method| method.name()).collect();
    let method = |name: &str| {
        from_name(name).with_context(|| format!("no method named `{name}`; there are {}", known.join(", ")))
    };
    split(list).into_iter().map(method).collect()
}

fn protocols(list: &str) -> Result<Vec<Protocol>> {
    let all: Vec<&str> = Protocol::ALL.iter().map(|protocol| protocol.name()).collect();
    split(list)
        .into_iter()
        .map(|name| {
            Protocol::from_name(name)
                .with_context(|| format!("no protocol named `{name}`; there are {}", all.join(", ")))
        })
        .collect()
}

fn divide(protocol: Protocol, rows: &Rows, seed: u64) -> Result<Division> {
    let information = RowInformation {
        n_rows: rows.target.len(),
        shape: Some(&rows.shape),
        lineage: rows.lineage.as_ref(),
        family: rows.family.as_ref(),
        date: rows.date.as_deref(),
    };
    let folds = folds(protocol, &information, seed)
        .with_context(|| format!("cannot divide the rows of {} by {}", rows.source, protocol.name()))?;
    Ok(Division {
        name: protocol.name().into(),
        folds,
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
    let set = if study::features::feature_set(&args.features).is_some() {
        &args.features
    } else {
        "own"
    };
    let id = format!("regression.r2.{set}.{}.{method}.{target}", division.name);
    let interval = bootstrap_r2_over_groups(
        &rows.target,
        &result.predictions,
        &rows.shape,
        args.resamples as usize,
        0.95,
        global.seed,
    )?;
    let published = study::published::published(&id).filter(|_| args.data.is_none());
    let source = SourceOf {
        work: rows.source.clone(),
        place: target.into(),
    };
    Ok(Finding::new(
        id,
        format!("Which share of the variance of {target} does {method} predict?"),
        &source,
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
