//! The one place that prints: results to standard output, all else to standard error.

#![allow(clippy::print_stderr, reason = "this module is where the program speaks")]

use std::cell::RefCell;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, bail};
use serde::Serialize;
use study::section::{Cell, Table};

use crate::aligned;
pub(crate) use crate::aligned::{cell, number};
use crate::provenance::{Envelope, Provenance};

/// Writes results to standard output.
pub(crate) fn result(text: &str) -> Result<()> {
    result_bytes(text.as_bytes())
}

thread_local! {
    /// Where another program asks, what would be printed is handed to it instead.
    static HEARD: RefCell<Option<Heard>> = const { RefCell::new(None) };
}

/// What would have been printed.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// Results, in their order.
    pub(crate) results: Vec<u8>,
    /// What was said to the person at the terminal.
    pub(crate) said: Vec<String>,
}

/// Works on this thread and hands out what would have been printed.
pub(crate) fn heard<T>(work: impl FnOnce() -> T) -> (T, Heard) {
    let outer = HEARD.replace(Some(Heard::default()));
    let done = work();
    let heard = HEARD.replace(outer).unwrap_or_default();
    (done, heard)
}

/// Whether another program listens.
fn is_heard() -> bool {
    HEARD.with_borrow(Option::is_some)
}

/// Writes results that are text already.
pub(crate) fn result_bytes(bytes: &[u8]) -> Result<()> {
    let taken =
        HEARD.with_borrow_mut(|heard| heard.as_mut().map(|heard| heard.results.extend_from_slice(bytes)));
    if taken.is_some() {
        return Ok(());
    }
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
    let taken = HEARD.with_borrow_mut(|heard| heard.as_mut().map(|heard| heard.said.push(text.to_owned())));
    if !quiet && taken.is_none() {
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

/// Whether tables may be wider than the terminal.
static WIDE: AtomicBool = AtomicBool::new(false);

/// Tables are shown in full, however wide the terminal.
pub(crate) fn show_all_columns(wide: bool) {
    WIDE.store(wide, Ordering::Relaxed);
}

/// A table for people, columns aligned; on a terminal no wider than that.
pub(crate) fn table(table: &Table) -> String {
    let terminal = console::Term::stdout();
    let is_shown = terminal.is_term() && !is_heard() && !WIDE.load(Ordering::Relaxed);
    aligned::text(table, is_shown.then(|| usize::from(terminal.size().1)))
}

/// Lines no longer than the terminal, and whether any was cut.
pub(crate) fn within_terminal(text: &str) -> (String, bool) {
    clipped(text, usize::from(console::Term::stdout().size().1))
}

fn clipped(text: &str, width: usize) -> (String, bool) {
    let mut is_cut = false;
    let lines = text.lines().map(|line| {
        if line.chars().count() <= width {
            return line.to_owned();
        }
        is_cut = true;
        let kept: String = line.chars().take(width.saturating_sub(1)).collect();
        format!("{kept}…")
    });
    let mut shown: String = lines.collect::<Vec<_>>().join("\n");
    if text.ends_with('\n') {
        shown.push('\n');
    }
    (shown, is_cut)
}

/// Words in lines no longer than the terminal, where they are shown on one; later lines stand in by two.
pub(crate) fn wrapped(text: &str) -> String {
    let terminal = console::Term::stdout();
    if !terminal.is_term() || is_heard() || WIDE.load(Ordering::Relaxed) {
        return text.to_owned();
    }
    let width = usize::from(terminal.size().1).max(40);
    let mut shown = text
        .lines()
        .map(|line| folded(line, width))
        .collect::<Vec<_>>()
        .join("\n");
    if text.ends_with('\n') {
        shown.push('\n');
    }
    shown
}

fn folded(line: &str, width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in line.split(' ') {
        match lines.last_mut() {
            Some(last) if last.chars().count() + 1 + word.chars().count() <= width => {
                last.push(' ');
                last.push_str(word);
            }
            Some(_) => lines.push(format!("  {word}")),
            None => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

/// The same under a line that says what it shows.
pub(crate) fn titled(shown: &Table) -> String {
    let (title, _) = crate::aligned::first_sentence(&shown.caption);
    if title.is_empty() {
        table(shown)
    } else {
        format!("{title}\n{}", table(shown))
    }
}

/// So many of something, one without the `s`.
pub(crate) fn plural(n: usize, one: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{} {one}{s}", number(n as f64))
}

/// The table asked for, or the only one: two tables in one CSV would be read as one.
pub(crate) fn one_of<'a>(tables: &[&'a Table], asked: Option<&str>) -> Result<&'a Table> {
    let ids: Vec<&str> = tables.iter().map(|table| table.id.as_str()).collect();
    match (asked, tables) {
        (Some(name), _) => match tables.iter().find(|table| table.id == name) {
            Some(table) => Ok(table),
            None => bail!(
                "no table named `{name}` here{}; there are {}",
                crate::near::hint(name, ids.iter().copied()),
                ids.join(", ")
            ),
        },
        (None, [table]) => Ok(table),
        (None, []) => bail!("this answer has no table to print as CSV"),
        (None, _) => bail!(
            "this answer has {} tables and CSV holds one: choose with --table NAME ({}), or write all with --out DIR",
            tables.len(),
            ids.join(", ")
        ),
    }
}

/// A table as CSV, numbers in full.
pub(crate) fn csv(table: &Table) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&table.columns)?;
    for row in &table.rows {
        writer.write_record(row.iter().map(|cell| match cell {
            Cell::Text(text) => text.clone(),
            // Whole and short, also where it is tiny: 1e-184 and not 184 zeros.
            Cell::Number(value) if *value != 0.0 && value.abs() < 1e-5 => format!("{value:e}"),
            Cell::Number(value) => value.to_string(),
            Cell::Missing => String::new(),
        }))?;
    }
    Ok(writer.into_inner()?)
}

#[cfg(test)]
mod fit_tests {
    use super::{clipped, folded};

    #[test]
    fn what_is_longer_than_the_terminal_is_cut_or_folded() {
        assert_eq!(clipped("abcdef\nab\n", 4), ("abc…\nab\n".to_owned(), true));
        assert_eq!(clipped("abcd\n", 4), ("abcd\n".to_owned(), false));
        assert_eq!(folded("one two three four", 9), "one two\n  three\n  four");
        assert_eq!(folded("  a list", 20), "  a list");
    }
}
