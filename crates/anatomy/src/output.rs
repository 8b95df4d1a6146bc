//! The one place that prints: results to standard output, all else to standard error.

#![allow(clippy::print_stderr, reason = "this module is where the program speaks")]

use std::io::{IsTerminal, Write};

use anyhow::Result;
use serde::Serialize;
use study::section::{Cell, Table};

use crate::provenance::{Envelope, Provenance};

/// Writes results to standard output.
pub(crate) fn result(text: &str) -> Result<()> {
    result_bytes(text.as_bytes())
}

/// Writes results that are text already.
pub(crate) fn result_bytes(bytes: &[u8]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()?;
    Ok(())
}

/// An answer as JSON in the one form that all have, to standard output.
pub(crate) fn json(kind: &'static str, answer: &impl Serialize, provenance: Provenance) -> Result<()> {
    result(&Envelope::of(kind, answer, provenance).to_json()?)
}

/// Says something to the person at the terminal.
pub(crate) fn say(quiet: bool, text: &str) {
    if !quiet {
        eprintln!("{text}");
    }
}

/// Says what went wrong.
pub(crate) fn complain(text: &str) {
    let red =
        std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let head = if red {
        "\u{1b}[1;31merror\u{1b}[0m"
    } else {
        "error"
    };
    eprintln!("{head}: {text}");
}

/// A number for people: whole numbers in full, others with four significant digits.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".into();
    }
    let size = value.abs();
    if value == value.trunc() && size < 1e15 {
        return grouped(value);
    }
    if size >= 1000.0 {
        return grouped(value.round());
    }
    if size < 1e-4 {
        return format!("{value:.2e}");
    }
    let digits = (3 - size.log10().floor() as i32).clamp(0, 6) as usize;
    format!("{value:.digits$}")
}

/// Thousands apart by a thin space, from five digits on.
fn grouped(value: f64) -> String {
    let plain = format!("{value:.0}");
    let (sign, digits) = plain
        .strip_prefix('-')
        .map_or(("", plain.as_str()), |digits| ("−", digits));
    if digits.len() < 5 {
        return format!("{sign}{digits}");
    }
    let mut text = String::from(sign);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A cell for people.
pub(crate) fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        Cell::Number(value) => number(*value),
        Cell::Missing => "–".into(),
    }
}

/// A table for people, columns aligned.
pub(crate) fn table(table: &Table) -> String {
    let mut rows: Vec<Vec<String>> = vec![table.columns.clone()];
    rows.extend(table.rows.iter().map(|row| row.iter().map(cell).collect()));
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|text| text.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..table.columns.len()).map(width).collect();
    let numeric: Vec<bool> = (0..table.columns.len())
        .map(|column| {
            table
                .rows
                .iter()
                .all(|row| !matches!(row.get(column), Some(Cell::Text(_))))
        })
        .collect();
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<String> = row
            .iter()
            .enumerate()
            .map(|(column, value)| {
                let gap = " ".repeat(widths[column].saturating_sub(value.chars().count()));
                if numeric[column] {
                    format!("{gap}{value}")
                } else {
                    format!("{value}{gap}")
                }
            })
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// A table as CSV, numbers in full.
pub(crate) fn csv(table: &Table) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&table.columns)?;
    for row in &table.rows {
        writer.write_record(row.iter().map(|cell| match cell {
            Cell::Text(text) => text.clone(),
            Cell::Number(value) => value.to_string(),
            Cell::Missing => String::new(),
        }))?;
    }
    Ok(writer.into_inner()?)
}
