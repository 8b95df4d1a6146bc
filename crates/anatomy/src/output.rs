//! The only module that prints: results to standard output, everything else to standard error.

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

/// Writes text to standard output.
pub(crate) fn result(text: &str) -> Result<()> {
    result_bytes(text.as_bytes())
}

thread_local! {
    /// Output collected for an embedding program instead of being printed.
    static HEARD: RefCell<Option<Heard>> = const { RefCell::new(None) };
}

/// Output that would have been printed.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// Standard output.
    pub(crate) results: Vec<u8>,
    /// Messages for standard error.
    pub(crate) said: Vec<String>,
}

/// Runs `work` on this thread and returns what it would have printed.
pub(crate) fn heard<T>(work: impl FnOnce() -> T) -> (T, Heard) {
    let outer = HEARD.replace(Some(Heard::default()));
    let done = work();
    let heard = HEARD.replace(outer).unwrap_or_default();
    (done, heard)
}

/// Whether output is being collected on this thread.
fn is_heard() -> bool {
    HEARD.with_borrow(Option::is_some)
}

/// Writes bytes to standard output.
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

/// Writes an answer to standard output as JSON in the common envelope.
pub(crate) fn json(kind: &'static str, answer: &impl Serialize, provenance: Provenance) -> Result<()> {
    result(&Envelope::of(kind, answer, provenance).to_json()?)
}

/// Writes a message to standard error, unless quiet.
pub(crate) fn say(quiet: bool, text: &str) {
    let taken = HEARD.with_borrow_mut(|heard| heard.as_mut().map(|heard| heard.said.push(text.to_owned())));
    if !quiet && taken.is_none() {
        eprintln!("{text}");
    }
}

/// Writes an error message to standard error.
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

/// Sets whether tables are shown in full, regardless of the width of the terminal.
pub(crate) fn show_all_columns(wide: bool) {
    WIDE.store(wide, Ordering::Relaxed);
}

/// A table as aligned text, no wider than the terminal if there is one.
pub(crate) fn table(table: &Table) -> String {
    let terminal = console::Term::stdout();
    let is_shown = terminal.is_term() && !is_heard() && !WIDE.load(Ordering::Relaxed);
    aligned::text(table, is_shown.then(|| usize::from(terminal.size().1)))
}

/// Cuts lines to the width of the terminal; the flag says whether any was cut.
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

/// Wraps lines to the width of the terminal, if there is one; continuation lines are indented by two.
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

/// A table as text below its title, the first sentence of its caption.
pub(crate) fn titled(shown: &Table) -> String {
    let (title, _) = crate::aligned::first_sentence(&shown.caption);
    if title.is_empty() {
        table(shown)
    } else {
        format!("{title}\n{}", table(shown))
    }
}

/// A number with its noun, with a plural `s` unless the number is 1.
pub(crate) fn plural(n: usize, one: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{} {one}{s}", number(n as f64))
}

/// The table of the requested name, or the only one. Fails where the choice is ambiguous, since a CSV holds one table.
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

/// A table as CSV, with numbers in full precision.
pub(crate) fn csv(table: &Table) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&table.columns)?;
    for row in &table.rows {
        writer.write_record(row.iter().map(|cell| match cell {
            Cell::Text(text) => text.clone(),
            // Short scientific notation for tiny numbers, instead of many zeros.
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
