//! The matrix of parts and abilities as a table: a row a benchmark, a column a part, in each cell the marks with their
//! intervals, the number that stands, and all of it in words.

use std::fmt::Write as _;

use study::section::{Evidence, Mark, Matrix};

use super::{capital, column_name, signed};

/// The table.
pub(crate) struct MatrixView {
    pub(crate) parts: Vec<Part>,
    /// How many of the parts only measure.
    pub(crate) n_yardsticks: usize,
    pub(crate) groups: Vec<MatrixGroup>,
    /// Marks beyond plus or minus this stand at the edge.
    pub(crate) clip: String,
}

/// A column.
pub(crate) struct Part {
    pub(crate) name: String,
    /// For a narrow window.
    pub(crate) short: String,
    /// The first of those that only measure.
    pub(crate) begins_yardsticks: bool,
}

/// An ability and its benchmarks.
pub(crate) struct MatrixGroup {
    pub(crate) name: String,
    pub(crate) rows: Vec<MatrixLine>,
}

/// A benchmark.
pub(crate) struct MatrixLine {
    pub(crate) name: String,
    pub(crate) cells: Vec<MatrixCell>,
}

/// A part against a benchmark.
pub(crate) struct MatrixCell {
    pub(crate) is_empty: bool,
    /// `clear-controlled`, `clear-surgery`, `clear-observational`, `open`, `none`.
    pub(crate) class: &'static str,
    /// The marks and their intervals.
    pub(crate) glyph: String,
    /// The value that stands, or the smallest that would have been seen.
    pub(crate) number: String,
    /// All of it in words.
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

    /// Columns that are parts.
    pub(crate) fn n_parts(&self) -> usize {
        self.parts.len() - self.n_yardsticks
    }
}

/// A part's name where there is no room.
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

/// In which order a cell shows what stands.
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

/// `controlled +0.4 [+0.2, +0.6], n = 22, stands`.
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

/// The marks on one axis, a lane a kind of evidence.
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
