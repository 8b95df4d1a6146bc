//! Parts against abilities: each cell shows the estimates of several kinds of evidence, one above the other on one
//! axis.

use std::fmt::Write as _;

use study::section::{Evidence, Figure, Mark, Matrix, MatrixRow};

use super::{FONT, colour};

const LABEL: f64 = 150.0;
const CELL: f64 = 88.0;
const LANE: f64 = 13.0;
const HEAD: f64 = 116.0;
const SENTENCE: f64 = 12.0;
const GREY: &str = "#8a8f94";
const INK: &str = "#1b1f24";

/// The figure as SVG.
pub(super) fn matrix(figure: &Figure, drawn: &Matrix) -> String {
    let width = LABEL + CELL * drawn.columns.len() as f64 + 16.0;
    let letters = ((width - 24.0) / 5.1) as usize;
    let sentences: Vec<Vec<String>> = drawn
        .rows
        .iter()
        .map(|row| wrapped(&row.sentence, letters))
        .collect();
    let tops = tops(drawn, &sentences);
    let height = tops.last().copied().unwrap_or(HEAD) + 26.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"{FONT}\"><rect \
         width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>"
    );
    text(&mut svg, width / 2.0, 22.0, 15.0, "middle", INK, &figure.title);
    legend(&mut svg, 12.0, 44.0);
    let mut left = LABEL;
    for (place, (name, columns)) in drawn.groups.iter().enumerate() {
        let wide = CELL * *columns as f64;
        if place % 2 == 0 {
            let _ = write!(
                svg,
                "<rect x=\"{left}\" y=\"62\" width=\"{wide}\" height=\"{}\" fill=\"#f4f6f8\"/>",
                height - 82.0
            );
        }
        let lines = wrapped(name, (wide / 6.0) as usize);
        for (line, words) in lines.iter().enumerate() {
            text(
                &mut svg,
                left + wide / 2.0,
                76.0 + 12.0 * line as f64,
                11.0,
                "middle",
                INK,
                words,
            );
        }
        left += wide;
    }
    for (place, name) in drawn.columns.iter().enumerate() {
        let middle = LABEL + CELL * (place as f64 + 0.5);
        text(&mut svg, middle, HEAD - 8.0, 10.0, "middle", "#59636e", name);
    }
    let mut was_yardstick = false;
    for ((row, lines), top) in drawn.rows.iter().zip(&sentences).zip(&tops) {
        let is_first_yardstick = row.is_yardstick && !was_yardstick;
        was_yardstick = row.is_yardstick;
        let (colour_of_line, thick) = if is_first_yardstick {
            (INK, 1.6)
        } else {
            ("#d1d9e0", 1.0)
        };
        let _ = write!(
            svg,
            "<line x1=\"8\" y1=\"{top}\" x2=\"{}\" y2=\"{top}\" stroke=\"{colour_of_line}\" stroke-width=\"{thick}\"/>",
            width - 8.0
        );
        one_row(&mut svg, drawn, row, *top);
        let below = top + cell_height();
        for (line, words) in lines.iter().enumerate() {
            text(
                &mut svg,
                12.0,
                below + 9.0 + SENTENCE * line as f64,
                9.5,
                "start",
                "#59636e",
                words,
            );
        }
    }
    axis(&mut svg, drawn, height - 22.0);
    svg.push_str("</svg>");
    svg
}

/// Height for marks of three kinds of evidence and a line of text.
fn cell_height() -> f64 {
    8.0 + 3.0 * LANE + 16.0
}

/// Vertical position at which each row begins, and finally that at which the last one ends.
fn tops(drawn: &Matrix, sentences: &[Vec<String>]) -> Vec<f64> {
    let mut top = HEAD;
    let mut all = Vec::with_capacity(drawn.rows.len() + 1);
    for lines in sentences {
        all.push(top);
        top += cell_height() + SENTENCE * lines.len() as f64 + 6.0;
    }
    all.push(top);
    all
}

fn lane(evidence: Evidence) -> usize {
    match evidence {
        Evidence::Observational => 0,
        Evidence::Controlled => 1,
        // A cell has at most one of the two.
        Evidence::Surgery | Evidence::Cuts => 2,
    }
}

/// Half the length of a cell's axis in drawing units.
const HALF: f64 = CELL / 2.0 - 10.0;

fn one_row(svg: &mut String, drawn: &Matrix, row: &MatrixRow, top: f64) {
    for (line, words) in wrapped(&row.name, 22).iter().enumerate() {
        text(
            svg,
            12.0,
            top + 18.0 + 13.0 * line as f64,
            11.5,
            "start",
            INK,
            words,
        );
    }
    for (place, marks) in row.cells.iter().enumerate() {
        let middle = LABEL + CELL * (place as f64 + 0.5);
        if marks.is_empty() {
            text(
                svg,
                middle,
                top + 8.0 + 1.5 * LANE + 4.0,
                12.0,
                "middle",
                GREY,
                "–",
            );
            continue;
        }
        let (above, below) = (top + 5.0, top + 8.0 + 3.0 * LANE);
        let _ = write!(
            svg,
            "<line x1=\"{middle}\" y1=\"{above}\" x2=\"{middle}\" y2=\"{below}\" stroke=\"#b0b6bc\" stroke-width=\"0.8\"/>"
        );
        for mark in marks {
            let y = top + 8.0 + LANE * (lane(mark.evidence) as f64 + 0.5);
            one_mark(svg, mark, drawn.clip, middle, y);
        }
        if !row.is_yardstick && marks.iter().all(|mark| !mark.is_clear) {
            let sees = marks.iter().filter_map(|mark| mark.sees).reduce(f64::min);
            let words = sees.map_or("cannot tell".to_owned(), |least| {
                format!("cannot tell (≥ {least:.1})")
            });
            text(svg, middle, below + 9.0, 8.5, "middle", GREY, &words);
        }
    }
}

fn one_mark(svg: &mut String, mark: &Mark, clip: f64, middle: f64, y: f64) {
    let at = |value: f64| middle + HALF * (value / clip).clamp(-1.0, 1.0);
    let ink = if mark.is_clear {
        colour(match mark.evidence {
            Evidence::Observational => 0,
            Evidence::Controlled => 5,
            Evidence::Surgery | Evidence::Cuts => 2,
        })
    } else {
        GREY
    };
    if let (Some(least), false) = (mark.sees, mark.is_clear) {
        let (from, to) = (at(-least), at(least));
        let _ = write!(
            svg,
            "<rect x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"#e3e7ea\"/>",
            y - LANE / 2.0 + 1.5,
            to - from,
            LANE - 3.0
        );
    }
    if let Some((low, high)) = mark.interval {
        let _ = write!(
            svg,
            "<line x1=\"{:.1}\" y1=\"{y:.1}\" x2=\"{:.1}\" y2=\"{y:.1}\" stroke=\"{ink}\" stroke-width=\"1.6\"/>",
            at(low),
            at(high)
        );
    }
    let x = at(mark.value);
    let _ = if mark.value.abs() > clip {
        // An arrow at the edge with the value beside it.
        let way = mark.value.signum();
        let _ = write!(
            svg,
            "<path d=\"M{:.1} {:.1} L{:.1} {y:.1} L{:.1} {:.1} Z\" fill=\"{ink}\"/>",
            x - 4.0 * way,
            y - 4.0,
            x + 3.0 * way,
            x - 4.0 * way,
            y + 4.0
        );
        let anchor = if way > 0.0 { "end" } else { "start" };
        // Placed beside the interval, on the side towards zero.
        let end = mark
            .interval
            .map_or(x, |(low, high)| at(if way > 0.0 { low } else { high }));
        let beside = if way > 0.0 {
            end.min(x - 4.0) - 3.0
        } else {
            end.max(x + 4.0) + 3.0
        };
        let words = format!("{:+.1}", mark.value);
        text(svg, beside, y + 3.0, 8.5, anchor, ink, &words);
        Ok(())
    } else {
        match mark.evidence {
            Evidence::Observational => write!(
                svg,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.4\" fill=\"#ffffff\" stroke=\"{ink}\" stroke-width=\"1.6\"/>"
            ),
            Evidence::Controlled => write!(
                svg,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.4\" fill=\"{ink}\"/>"
            ),
            Evidence::Surgery => write!(
                svg,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"6.4\" height=\"6.4\" fill=\"{ink}\"/>",
                x - 3.2,
                y - 3.2
            ),
            Evidence::Cuts => write!(
                svg,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"5.6\" height=\"5.6\" fill=\"#ffffff\" stroke=\"{ink}\" stroke-width=\"1.6\"/>",
                x - 2.8,
                y - 2.8
            ),
        }
    };
}

fn legend(svg: &mut String, left: f64, y: f64) {
    let mark = |evidence| Mark {
        evidence,
        value: 0.0,
        interval: Some((-2.0, 2.0)),
        is_clear: true,
        sees: None,
        n: 0,
    };
    let mut x = left + 14.0;
    for (evidence, words) in [
        (
            Evidence::Observational,
            "observed: known structures, family effects",
        ),
        (Evidence::Controlled, "controlled: operations per token fixed"),
        (Evidence::Surgery, "cut to one size, trained again"),
        (Evidence::Cuts, "cut, left so"),
    ] {
        one_mark(svg, &mark(evidence), 6.0, x, y);
        text(svg, x + 18.0, y + 4.0, 10.5, "start", INK, words);
        x += 40.0 + 5.9 * words.chars().count() as f64;
    }
    let _ = write!(
        svg,
        "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"24\" height=\"10\" fill=\"#e3e7ea\"/>",
        x - 12.0,
        y - 5.0
    );
    text(
        svg,
        x + 18.0,
        y + 4.0,
        10.5,
        "start",
        INK,
        "grey: cannot tell; the band would not have been seen",
    );
}

/// Ticks of the axis that the cells of a column share, drawn once per column at the bottom.
fn axis(svg: &mut String, drawn: &Matrix, y: f64) {
    for place in 0..drawn.columns.len() {
        let middle = LABEL + CELL * (place as f64 + 0.5);
        for (value, words) in [
            (-drawn.clip, format!("−{:.0}", drawn.clip)),
            (0.0, "0".to_owned()),
            (drawn.clip, format!("+{:.0}", drawn.clip)),
        ] {
            let x = middle + HALF * value / drawn.clip;
            let _ = write!(
                svg,
                "<line x1=\"{x:.1}\" y1=\"{:.1}\" x2=\"{x:.1}\" y2=\"{:.1}\" stroke=\"{GREY}\"/>",
                y - 4.0,
                y
            );
            text(svg, x, y + 11.0, 8.5, "middle", GREY, &words);
        }
    }
    text(svg, 12.0, y + 8.0, 10.0, "start", GREY, "points per doubling");
}

fn text(svg: &mut String, x: f64, y: f64, size: f64, anchor: &str, ink: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    let _ = write!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" text-anchor=\"{anchor}\" fill=\"{ink}\">{words}</text>"
    );
}

/// Wraps words into lines of at most `letters` characters.
fn wrapped(words: &str, letters: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= letters => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use study::section::{Axis, Drawing};

    use super::*;

    fn drawn(is_clear: bool, value: f64) -> String {
        let mark = Mark {
            evidence: Evidence::Surgery,
            value,
            interval: Some((value - 1.0, value + 1.0)),
            is_clear,
            sees: Some(2.5),
            n: 12,
        };
        let matrix = Matrix {
            groups: vec![("maths & more".into(), 2)],
            columns: vec!["gsm8k".into(), "math".into()],
            rows: vec![MatrixRow {
                name: "layers".into(),
                is_yardstick: false,
                sentence: "in words".into(),
                cells: vec![vec![mark], Vec::new()],
            }],
            clip: 6.0,
        };
        super::super::svg(&Figure {
            id: "m".into(),
            title: "A matrix".into(),
            caption: String::new(),
            n: 1,
            x: Axis::linear("x"),
            y: Axis::linear("y"),
            drawing: Drawing::Matrix(matrix),
        })
    }

    #[test]
    fn colour_is_for_what_is_clear_and_the_rest_says_what_it_would_have_seen() {
        let clear = drawn(true, 3.0);
        // Marks of cut networks have that colour in the legend and in the cell, each with bar and square.
        assert_eq!(clear.matches(colour(2)).count(), 6, "{clear}");
        assert!(!clear.contains("cannot tell (≥"));
        let open = drawn(false, 3.0);
        assert_eq!(open.matches(colour(2)).count(), 4);
        assert!(open.contains("cannot tell (≥ 2.5)") && open.contains(">–<"));
        assert!(
            open.contains("maths &amp; more") || open.contains("maths &amp;"),
            "{open}"
        );
    }

    #[test]
    fn what_is_off_the_axis_stands_at_its_edge_with_its_number() {
        let far = drawn(true, 24.4);
        assert!(far.contains("+24.4"));
        assert!(!far.contains("NaN"), "a place that is not a number: {far}");
    }

    #[test]
    fn words_break_into_lines() {
        assert_eq!(wrapped("a bb ccc dd", 5), ["a bb", "ccc", "dd"]);
    }
}
