//! `anatomy catalog describe`: the structure columns in numbers, and every table's columns.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use catalog::describe::{Description, TableHelp, describe, describe_uncleaned, schema};
use clap::Args;
use study::section::{Cell, Table};

use crate::global::{Format, Global};
use crate::output;
use crate::provenance::Provenance;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy catalog describe
  anatomy catalog describe --format json | jq '.columns[] | {column, median}'
  anatomy catalog describe --schema
  anatomy catalog describe --of structures,scores

Each column stands twice: before impossible values were taken out (5,000 heads), and after.
Definitions are pandas': quartiles linear between neighbours, standard deviation with n − 1, skewness and excess kurtosis
unbiased, of several modes the smallest.
Exit status: 0 done, 2 could not run")]
pub(crate) struct DescribeArgs {
    /// Only the columns of the tables, with types, units and meanings
    #[arg(long)]
    schema: bool,
    /// Only the columns of these tables
    #[arg(long, value_name = "TABLE", value_delimiter = ',')]
    of: Vec<String>,
    /// Catalog made by `anatomy catalog build` [default: the one compiled in]
    #[arg(long, value_name = "DIR")]
    catalog: Option<PathBuf>,
}

pub(super) fn run(global: &Global, args: &DescribeArgs) -> Result<ExitCode> {
    let columns = if args.schema || !args.of.is_empty() {
        None
    } else {
        let catalog = crate::commands::open_catalog(args.catalog.as_deref())?;
        Some(Columns {
            before: describe_uncleaned(&catalog.structures, &catalog.rejects),
            after: describe(&catalog.structures),
        })
    };
    let tables = tables(&args.of)?;
    match global.format() {
        Format::Json => {
            let value = serde_json::json!({
                "columns_before_cleaning": columns.as_ref().map(|columns| all_json(&columns.before)),
                "columns": columns.as_ref().map(|columns| all_json(&columns.after)),
                "tables": tables.iter().map(table_json).collect::<Vec<_>>(),
            });
            output::json("description", &value, Provenance::bare())?;
        }
        Format::Csv => {
            let table = columns.as_ref().map_or_else(|| help(&tables), numbers);
            output::result_bytes(&output::csv(&table)?)?;
        }
        Format::Table => {
            if let Some(columns) = &columns {
                output::result(&format!("{}\n", output::table(&numbers(columns))))?;
            }
            output::result(&output::table(&help(&tables)))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The tables of these names; all where none is named.
fn tables(names: &[String]) -> Result<Vec<TableHelp>> {
    let all = schema();
    for name in names {
        if !all.iter().any(|table| table.name == *name) {
            let there: Vec<&str> = all.iter().map(|table| table.name).collect();
            bail!("unknown table `{name}`; expected one of {}", there.join(", "));
        }
    }
    let is_asked = |table: &TableHelp| names.is_empty() || names.iter().any(|name| table.name == *name);
    Ok(all.into_iter().filter(is_asked).collect())
}

/// The structure columns, before impossible values were taken out and after.
struct Columns {
    before: Vec<Description>,
    after: Vec<Description>,
}

fn numbers(columns: &Columns) -> Table {
    let row = |(when, d): (&str, &Description)| -> Vec<Cell> {
        let values = [
            d.mean,
            d.mode,
            d.minimum,
            d.lower_quartile,
            d.median,
            d.upper_quartile,
            d.maximum,
            d.sd,
            d.skewness,
            d.kurtosis,
        ];
        let head: [Cell; 5] = [
            d.column.into(),
            when.into(),
            d.unit.into(),
            d.n.into(),
            d.missing.into(),
        ];
        head.into_iter().chain(values.map(Cell::from)).collect()
    };
    Table {
        id: "describe".into(),
        columns: [
            "column", "cleaning", "unit", "n", "missing", "mean", "mode", "min", "25 %", "50 %", "75 %",
            "max", "sd", "skewness", "kurtosis",
        ]
        .map(String::from)
        .to_vec(),
        rows: columns
            .before
            .iter()
            .zip(&columns.after)
            .flat_map(|(before, after)| [("before", before), ("after", after)])
            .map(row)
            .collect(),
        ..Table::default()
    }
}

fn help(tables: &[TableHelp]) -> Table {
    let rows = tables.iter().flat_map(|table| {
        table.columns.iter().map(|column| -> Vec<Cell> {
            vec![
                table.name.into(),
                column.name.into(),
                column.kind.as_str().into(),
                (if column.nullable { "yes" } else { "no" }).into(),
                column.unit.into(),
                column.meaning.into(),
            ]
        })
    });
    Table {
        id: "schema".into(),
        columns: ["table", "column", "type", "may be absent", "unit", "meaning"]
            .map(String::from)
            .to_vec(),
        rows: rows.collect(),
        ..Table::default()
    }
}

fn all_json(columns: &[Description]) -> Vec<serde_json::Value> {
    columns.iter().map(json).collect()
}

fn json(d: &Description) -> serde_json::Value {
    serde_json::json!({
        "column": d.column, "unit": d.unit, "n": d.n, "missing": d.missing, "mean": d.mean, "mode": d.mode,
        "minimum": d.minimum, "lower_quartile": d.lower_quartile, "median": d.median,
        "upper_quartile": d.upper_quartile, "maximum": d.maximum, "sd": d.sd, "skewness": d.skewness,
        "kurtosis": d.kurtosis,
    })
}

fn table_json(table: &TableHelp) -> serde_json::Value {
    let columns: Vec<serde_json::Value> = table
        .columns
        .iter()
        .map(|column| {
            serde_json::json!({
                "name": column.name, "type": column.kind, "nullable": column.nullable, "unit": column.unit,
                "meaning": column.meaning,
            })
        })
        .collect();
    serde_json::json!({ "table": table.name, "columns": columns })
}
