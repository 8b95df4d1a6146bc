//! Text for marks and rows.

use super::rows::KINDS;
use crate::section::{Evidence, Mark, MatrixRow};

/// `+0.37 [+0.18, +0.56]`, with a star if it is clear among all benchmarks taken together.
pub(super) fn mark(mark: &Mark) -> String {
    let star = if mark.is_clear { " *" } else { "" };
    let digits = if mark.evidence == Evidence::Controlled {
        2
    } else {
        1
    };
    match mark.interval {
        Some((low, high)) => format!(
            "{:+.digits$} [{low:+.digits$}, {high:+.digits$}]{star}",
            mark.value
        ),
        None => format!("{:+.digits$}{star}", mark.value),
    }
}

/// Text of a cell: the clear marks, else the smallest effect that would have been detected.
pub(super) fn verdict(marks: &[Mark]) -> String {
    let clear: Vec<String> = marks
        .iter()
        .filter(|mark| mark.is_clear)
        .map(|mark| {
            let way = if mark.value > 0.0 { "more" } else { "less" };
            format!("{}: {way}", mark.evidence.words())
        })
        .collect();
    if !clear.is_empty() {
        return clear.join("; ");
    }
    match sees(marks) {
        Some(least) => format!("cannot tell (sees ≥ {least:.1})"),
        None => "cannot tell".into(),
    }
}

/// The smallest effect that any of the marks would have detected.
pub(super) fn sees(marks: &[Mark]) -> Option<f64> {
    marks.iter().filter_map(|mark| mark.sees).reduce(f64::min)
}

/// The figure in three sentences: effects over checkpoints, in controlled runs and under surgery, compared with the
/// value of a doubling of size on the same benchmarks.
pub(super) fn short(rows: &[MatrixRow], columns: &[&str]) -> String {
    let clear = |kind: Evidence, row: &MatrixRow| -> Vec<(usize, f64)> {
        let cells = row.cells.iter().enumerate();
        cells
            .filter_map(|(at, marks)| {
                let mark = marks.iter().find(|mark| mark.evidence == kind)?;
                mark.is_clear.then_some((at, mark.value))
            })
            .collect()
    };
    let size = rows.iter().find(|row| row.name == "size");
    let said = |kind: Evidence| -> Option<String> {
        let asked: Vec<&MatrixRow> = rows
            .iter()
            .filter(|row| !row.is_yardstick)
            .filter(|row| row.cells.iter().flatten().any(|mark| mark.evidence == kind))
            .collect();
        if asked.is_empty() {
            return None;
        }
        let mut at: Vec<usize> = Vec::new();
        let standing: Vec<String> = asked
            .iter()
            .filter_map(|row| {
                let found = clear(kind, row);
                at.extend(found.iter().map(|(at, _)| *at));
                let each: Vec<String> = found
                    .iter()
                    .map(|(at, value)| format!("{} {value:+.1}", columns[*at]))
                    .collect();
                (!each.is_empty()).then(|| format!("{} ({})", row.name, each.join(", ")))
            })
            .collect();
        let yardstick: Vec<String> = size
            .map(|size| clear(kind, size))
            .unwrap_or_default()
            .into_iter()
            .filter(|(column, _)| at.contains(column))
            .map(|(column, value)| format!("{} {value:+.1}", columns[column]))
            .collect();
        let beside = if yardstick.is_empty() {
            String::new()
        } else {
            format!(", where a doubling of size is worth {}", yardstick.join(", "))
        };
        Some(if standing.is_empty() {
            format!("none of the parts asked ({})", asked.len())
        } else {
            format!("{}{beside}", standing.join("; "))
        })
    };
    let parts = [
        ("over checkpoints (an association)", Evidence::Observational),
        ("in runs that differ in nothing else", Evidence::Controlled),
        (
            "where one network was cut two ways and trained again",
            Evidence::Surgery,
        ),
        ("where networks were cut and left so", Evidence::Cuts),
    ];
    let all: Vec<String> = parts
        .into_iter()
        .filter_map(|(words, kind)| Some(format!("{words}: {}", said(kind)?)))
        .collect();
    format!(
        "What stands at fixed size, in points per doubling of a part, once all benchmarks are looked at together \u{2013} {}. \
         All else cannot be told apart from no effect.",
        all.join(" \u{2013} ")
    )
}

/// A row as text, one kind of evidence after the other.
pub(super) fn sentence(part: &str, is_yardstick: bool, columns: &[&str], cells: &[Vec<Mark>]) -> String {
    let of_kind = |kind: Evidence| {
        let own: Vec<(&str, &Mark)> = columns
            .iter()
            .zip(cells)
            .filter_map(|(column, marks)| Some((*column, marks.iter().find(|mark| mark.evidence == kind)?)))
            .collect();
        let what = match kind {
            Evidence::Observational => "observed",
            Evidence::Controlled => "controlled",
            Evidence::Surgery => "surgery (one pair)",
            Evidence::Cuts => "cut and left so",
        };
        if own.is_empty() {
            return None;
        }
        let clear: Vec<String> = own
            .iter()
            .filter(|(_, mark)| mark.is_clear)
            .map(|(column, mark)| format!("{column} {:+.1}", mark.value))
            .collect();
        let open = own.len() - clear.len();
        let sees: Vec<f64> = own.iter().filter_map(|(_, mark)| mark.sees).collect();
        let range = match (
            sees.iter().copied().reduce(f64::min),
            sees.iter().copied().reduce(f64::max),
        ) {
            (Some(least), Some(most)) => format!(", where {least:.1} to {most:.1} points would be seen"),
            _ => String::new(),
        };
        Some(match (clear.is_empty(), open) {
            (true, _) => format!("{what}, cannot tell on any of {} benchmarks{range}", own.len()),
            (false, 0) => format!("{what}, {}", clear.join(", ")),
            (false, _) => format!(
                "{what}, {}; cannot tell on {open} others{range}",
                clear.join(", ")
            ),
        })
    };
    let said: Vec<String> = KINDS.into_iter().filter_map(of_kind).collect();
    if said.is_empty() {
        return "nothing here varies it on its own.".into();
    }
    let unit = match (part, is_yardstick) {
        ("date", _) => "points per year",
        (_, true) => "points per doubling",
        _ => "points per doubling at fixed size",
    };
    format!("{} ({unit}).", said.join(" | "))
}
