//! The matrix of parts and abilities as a table: one row per benchmark, one column per part; each cell has the
//! estimates with their intervals as a drawing, the main value, and a description in words.

use std::fmt::Write as _;

use study::section::{Evidence, Mark, Matrix};

use super::{capital, column_name, signed};

/// The matrix as a table.
pub(crate) struct MatrixView {
    pub(crate) parts: Vec<Part>,
    /// Number of columns that are yardsticks (size, date and the like), for comparison with the parts.
    pub(crate) n_yardsticks: usize,
    pub(crate) groups: Vec<MatrixGroup>,
    /// Estimates beyond plus or minus this value are drawn at the edge.
    pub(crate) clip: String,
}

/// A column.
pub(crate) struct Part {
    pub(crate) name: String,
    /// Short name for narrow windows.
    pub(crate) short: String,
    /// Whether this is the first of the yardsticks.
    pub(crate) begins_yardsticks: bool,
}

/// An ability and its benchmarks.
pub(crate) struct MatrixGroup {
    pub(crate) name: String,
    pub(crate) rows: Vec<MatrixLine>,
}

/// The row of one benchmark.
pub(crate) struct MatrixLine {
    pub(crate) name: String,
    pub(crate) cells: Vec<MatrixCell>,
}

/// The cell of one part and benchmark.
pub(crate) struct MatrixCell {
    pub(crate) is_empty: bool,
    /// `clear-controlled`, `clear-surgery`, `clear-observational`, `open`, `none`.
    pub(crate) class: &'static str,
    /// The estimates and their intervals, as SVG.
    pub(crate) glyph: String,
    /// The clear value, or else the smallest effect that would have been detected.
    pub(crate) number: String,
    /// Description in words.
    pub(crate) says: String,
    pub(crate) begins_yardsticks: bool,
}

impl MatrixView {
    pub(crate) fn of(matrix: &Matrix) -> Self {
        let first = matrix.rows.iter().position(|row| row.is_yardstick);
        let mut groups = Vec::new();
        let mut place = 0;
        for (name, n) in &matrix.groups {
            let rows = (place..place + n).map(|column| MatrixLine {
                name: column_name(&matrix.columns[column]),
                cells: matrix
                    .rows
                    .iter()
                    .enumerate()
                    .map(|(at, row)| {
                        let marks = row.cells.get(column).map_or(&[][..], Vec::as_slice);
                        let name = column_name(&matrix.columns[column]);
                        cell(
                            &row.name,
                            &name,
                            marks,
                            matrix.clip,
                            first == Some(at),
                            row.is_yardstick,
                        )
                    })
                    .collect(),
            });
            groups.push(MatrixGroup {
                name: name.clone(),
                rows: rows.collect(),
            });
            place += n;
        }
        Self {
            parts: matrix
                .rows
                .iter()
                .enumerate()
                .map(|(at, row)| Part {
                    name: row.name.clone(),
                    short: short(&row.name),
                    begins_yardsticks: first == Some(at),
                })
                .collect(),
            n_yardsticks: matrix.rows.iter().filter(|row| row.is_yardstick).count(),
            groups,
            clip: format!("{:.0}", matrix.clip),
        }
    }

    /// Number of columns that are parts and not yardsticks.
    pub(crate) fn n_parts(&self) -> usize {
        self.parts.len() - self.n_yardsticks
    }
}

/// Short name of a part.
fn short(name: &str) -> String {
    let known = [
        ("feed-forward", "FFN"),
        ("heads /", "GQA"),
        ("all / active", "MoE"),
        ("training", "tokens"),
        ("one year", "year"),
        ("vocabulary", "vocab"),
    ];
    let found = known.iter().find(|(begins, _)| name.starts_with(begins));
    found.map_or_else(
        || name.split(' ').next().unwrap_or(name).to_owned(),
        |(_, short)| (*short).to_owned(),
    )
}

/// Order in which kinds of evidence are preferred for the value of a cell, with the CSS class of each.
const ORDER: [(Evidence, &str); 4] = [
    (Evidence::Controlled, "clear-controlled"),
    (Evidence::Surgery, "clear-surgery"),
    (Evidence::Cuts, "clear-surgery"),
    (Evidence::Observational, "clear-observational"),
];

fn cell(
    part: &str,
    benchmark: &str,
    marks: &[Mark],
    clip: f64,
    begins: bool,
    is_yardstick: bool,
) -> MatrixCell {
    let clear = ORDER.iter().find_map(|(evidence, class)| {
        let mark = marks
            .iter()
            .find(|mark| mark.evidence == *evidence && mark.is_clear)?;
        Some((mark, *class))
    });
    let sees = marks.iter().filter_map(|mark| mark.sees).reduce(f64::min);
    let (class, number) = match (clear, sees) {
        (Some((mark, class)), _) => (class, signed(mark.value, 1)),
        (None, _) if marks.is_empty() => ("none", "\u{2013}".to_owned()),
        (None, Some(least)) if !is_yardstick && least < 10.0 => ("open", format!("<{least:.1}?")),
        (None, Some(least)) if !is_yardstick => ("open", format!("<{least:.0}?")),
        (None, _) => ("open", "?".to_owned()),
    };
    let said: Vec<String> = marks.iter().map(said).collect();
    MatrixCell {
        is_empty: marks.is_empty(),
        class,
        glyph: glyph(marks, clip),
        number,
        says: if marks.is_empty() {
            format!(
                "{}, {benchmark}: nothing here varies it on its own",
                capital(part)
            )
        } else {
            format!("{}, {benchmark}: {}", capital(part), said.join("; "))
        },
        begins_yardsticks: begins,
    }
}

/// Describes an estimate: `controlled +0.40 [+0.20, +0.60], n = 22: stands when all benchmarks are looked at together`.
fn said(mark: &Mark) -> String {
    let digits = if mark.evidence == Evidence::Controlled {
        2
    } else {
        1
    };
    let ends = mark.interval.map_or_else(String::new, |(low, high)| {
        format!(" [{}, {}]", signed(low, digits), signed(high, digits))
    });
    let verdict = match (mark.is_clear, mark.sees) {
        (true, _) => "stands when all benchmarks are looked at together".to_owned(),
        (false, _) if mark.interval.is_some_and(|(low, high)| low > 0.0 || high < 0.0) => {
            "leaves zero by itself, but not when all benchmarks are looked at together".to_owned()
        }
        (false, Some(least)) => {
            format!(
                "cannot be told from no effect; {least:.1} points would have been seen four times out of five"
            )
        }
        (false, None) => "cannot be told from no effect".to_owned(),
    };
    format!(
        "{} {}{ends}, n = {}: {verdict}",
        mark.evidence.words(),
        signed(mark.value, digits),
        mark.n
    )
}

const WIDE: f64 = 72.0;
const HIGH: f64 = 20.0;

/// The estimates on one axis, with one lane per kind of evidence.
fn glyph(marks: &[Mark], clip: f64) -> String {
    let mut svg = format!(
        "<svg class=\"glyph\" viewBox=\"0 0 {WIDE} {HIGH}\" aria-hidden=\"true\" focusable=\"false\"><path class=\"zero\" d=\"M{0} 0V{HIGH}\"/>",
        WIDE / 2.0
    );
    let at = |value: f64| WIDE / 2.0 + (WIDE / 2.0 - 4.0) * (value / clip).clamp(-1.0, 1.0);
    for mark in marks {
        let (lane, kind) = match mark.evidence {
            Evidence::Observational => (4.0, "observational"),
            Evidence::Controlled => (10.0, "controlled"),
            Evidence::Surgery => (16.0, "surgery"),
            Evidence::Cuts => (16.0, "surgery cuts"),
        };
        let state = if mark.is_clear { "stands" } else { "open" };
        let _ = write!(svg, "<g class=\"{kind} {state}\">");
        if let Some((low, high)) = mark.interval {
            let _ = write!(
                svg,
                "<path class=\"ends\" d=\"M{:.1} {lane}H{:.1}\"/>",
                at(low),
                at(high)
            );
        }
        let x = at(mark.value);
        let _ = match mark.evidence {
            _ if mark.value.abs() > clip => {
                let way = mark.value.signum();
                write!(
                    svg,
                    "<path class=\"dot\" d=\"M{:.1} {}L{:.1} {lane}L{:.1} {}Z\"/>",
                    x - 3.0 * way,
                    lane - 3.0,
                    x + 3.0 * way,
                    x - 3.0 * way,
                    lane + 3.0
                )
            }
            Evidence::Surgery | Evidence::Cuts => write!(
                svg,
                "<rect class=\"dot\" x=\"{:.1}\" y=\"{}\" width=\"5\" height=\"5\"/>",
                x - 2.5,
                lane - 2.5
            ),
            _ => write!(
                svg,
                "<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{lane}\" r=\"2.6\"/>"
            ),
        };
        svg.push_str("</g>");
    }
    svg.push_str("</svg>");
    svg
}
