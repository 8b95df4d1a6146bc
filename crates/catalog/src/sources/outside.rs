//! Boards of `EuroEval`: exact parameters and tokenizer sizes of checkpoints, as truth from outside.
//!
//! They resolve nothing and fill nothing: what the catalog resolves otherwise is compared with them, and where it is off
//! that is written down. Two header lines, the second with the columns; a cell is `shown@@sorted`; the name is a link with
//! the kind of run in brackets. Parameters undercount packed weights, which are left out here.

use crate::error::Error;
use crate::observed::{Out, Outside};
use crate::sources::table::{Cells, Table};
use crate::words::holds;

/// Name of this kind of source.
pub(crate) const NAME: &str = "euroeval";

/// Marks of names whose weights are packed, so that their count is too small.
const PACKED: [&str; 8] = ["fp8", "fp4", "awq", "gptq", "gguf", "4bit", "8bit", "int4"];

/// Whether a header is this board's first line.
pub(crate) fn recognises(table: &Table) -> bool {
    table
        .headers
        .first()
        .is_some_and(|first| plain(first) == "Task Type")
}

/// Reads the board into `out`.
pub(crate) fn read(table: &mut Table, out: &mut Out<'_>) -> Result<(), Error> {
    let width = table.headers.len();
    let Some(header) = table.next()? else {
        return Ok(());
    };
    let [model, parameters, vocabulary, kind] =
        ["Model", "Parameters", "Vocabulary", "Type"].map(|name| find(&header, width, name));
    out.reject_row(header.row, "Model", "", "second_header")?;
    while let Some(cells) = table.next()? {
        let name = cells.text(model)?.map(plain).unwrap_or_default();
        let id = name.split([' ', '#', '@']).next().unwrap_or_default();
        let is_encoder = cells
            .text(kind)?
            .is_some_and(|kind| kind.starts_with('\u{1f50d}'));
        let is_open = id.split('/').count() == 2 && !id.starts_with("ollama");
        let (parameters, vocabulary) = (number(&cells, parameters)?, number(&cells, vocabulary)?);
        if !is_open {
            out.reject_row(cells.row, "Model", id, "not_a_checkpoint")?;
        } else if is_encoder {
            out.reject_row(cells.row, "Type", id, "not_a_decoder")?;
        } else if holds(&id.to_ascii_lowercase(), &PACKED) {
            out.reject_row(cells.row, "Parameters", id, "packed_weights")?;
        } else {
            let outside = Outside {
                id: id.to_owned(),
                parameters,
                vocabulary,
            };
            out.outside(cells.row, outside)?;
        }
    }
    Ok(())
}

fn find(header: &Cells<'_>, width: usize, name: &str) -> Option<usize> {
    (0..width).find(|&column| matches!(header.text(Some(column)), Ok(Some(text)) if text == name))
}

/// The number of a cell before its key for sorting; `None` for `?`.
fn number(cells: &Cells<'_>, column: Option<usize>) -> Result<Option<f64>, Error> {
    let text = cells.text(column)?.unwrap_or_default();
    let shown = text.split("@@").next().unwrap_or_default();
    Ok(shown
        .parse()
        .ok()
        .filter(|&value: &f64| value.is_finite() && value > 0.0))
}

/// Text without what stands between angle brackets.
fn plain(text: &str) -> String {
    let mut inside = false;
    text.chars()
        .filter(|&letter| {
            inside = letter == '<' || inside && letter != '>';
            !inside && letter != '>'
        })
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lose_their_marks() {
        assert_eq!(plain("<a href='x'>org/name (val)</a>"), "org/name (val)");
        assert_eq!(plain("Task Type"), "Task Type");
    }
}
