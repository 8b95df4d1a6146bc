//! Builds the first screen of report and dashboard: the answer in one sentence, the matrix of parts and abilities, and
//! up to three cards. Everything is derived from findings.

mod cards;
mod matrix;

use study::finding::Finding;
use study::section::{Drawing, Evidence, Matrix, MatrixRow, Section};

pub(crate) use cards::SummaryCard;
pub(crate) use matrix::MatrixView;

/// The first screen.
pub(crate) struct First {
    /// The answer in one sentence.
    pub(crate) answer: Option<String>,
    pub(crate) matrix: Option<MatrixView>,
    /// What holds, what does not, and what did not reproduce; empty cards are left out.
    pub(crate) cards: Vec<SummaryCard>,
}

impl First {
    /// Builds the screen from findings. `sections` is the prefix of links: `#` in the report, `/study/` on the
    /// dashboard; `has_answer` says whether the section `answer` is among those shown.
    pub(crate) fn of<'a>(
        findings: impl IntoIterator<Item = &'a Finding> + Clone,
        sections: &str,
        has_answer: bool,
    ) -> Self {
        let answer = if has_answer {
            study::answer::section(findings.clone())
        } else {
            Section::default()
        };
        let drawn = answer.figures.first().and_then(|figure| match &figure.drawing {
            Drawing::Matrix(matrix) => Some(matrix),
            _ => None,
        });
        let all: Vec<&Finding> = findings.into_iter().collect();
        Self {
            answer: drawn.map(in_one_sentence),
            cards: cards::cards(&all, drawn, sections),
            matrix: drawn.map(MatrixView::of),
        }
    }

    /// An empty screen.
    pub(crate) fn none() -> Self {
        Self {
            answer: None,
            matrix: None,
            cards: Vec::new(),
        }
    }

    /// Whether there is anything to show.
    pub(crate) fn is_empty(&self) -> bool {
        self.matrix.is_none() && self.cards.is_empty()
    }
}

/// Counts cells of parts (yardsticks excluded): those with a clear effect, and those with any mark.
pub(super) fn counted(matrix: &Matrix) -> (usize, usize) {
    let cells = || {
        let parts = matrix.rows.iter().filter(|row| !row.is_yardstick);
        parts.flat_map(|row| &row.cells).filter(|cell| !cell.is_empty())
    };
    let clear = cells()
        .filter(|cell| cell.iter().any(|mark| mark.is_clear))
        .count();
    (clear, cells().count())
}

/// Maximum number of benchmarks named per part and kind of evidence.
const NAMED: usize = 3;

/// One sentence with the clear effects, and the number of pairs of part and benchmark without one.
fn in_one_sentence(matrix: &Matrix) -> String {
    let mut said: Vec<String> = Vec::new();
    for row in matrix.rows.iter().filter(|row| !row.is_yardstick) {
        let s = if row.name.ends_with('s') { "" } else { "s" };
        let mut of_row: Vec<String> = Vec::new();
        for (evidence, does, how) in [
            (Evidence::Controlled, "buy", "in runs that differ in nothing else"),
            (Evidence::Surgery, "buy", "in a network cut two ways"),
            (Evidence::Cuts, "buy", "in networks cut and not trained again"),
            (Evidence::Observational, "go with", "over checkpoints"),
        ] {
            if let Some(named) = clear_of(row, &matrix.columns, evidence) {
                let does = match (does, s) {
                    ("buy", _) if of_row.is_empty() => format!("buy{s} "),
                    ("buy", _) => String::new(),
                    (_, "") => "go with ".to_owned(),
                    _ => "goes with ".to_owned(),
                };
                of_row.push(format!("{does}{named} {how}"));
            }
        }
        if !of_row.is_empty() {
            said.push(format!("{} {}", row.name, of_row.join(" and ")));
        }
    }
    let (clear, cells) = counted(matrix);
    let open = cells - clear;
    if said.is_empty() {
        return format!(
            "It cannot be told: in none of the {cells} pairs of part and benchmark does an effect at fixed size stand apart from zero."
        );
    }
    format!(
        "{} (points per doubling at fixed size). In the other {open} of {cells} pairs of part and benchmark nothing can be told \
         from no effect.",
        capital(&said.join("; "))
    )
}

/// Clear effects of a part by one kind of evidence, the largest first: `ARC +0.4, PIQA +0.3`.
fn clear_of(row: &MatrixRow, columns: &[String], evidence: Evidence) -> Option<String> {
    let mut clear: Vec<(&str, f64)> = row
        .cells
        .iter()
        .zip(columns)
        .filter_map(|(marks, column)| {
            let mark = marks.iter().find(|mark| mark.evidence == evidence)?;
            mark.is_clear.then_some((column.as_str(), mark.value))
        })
        .collect();
    if clear.is_empty() {
        return None;
    }
    clear.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    let rest = clear.len().saturating_sub(NAMED);
    let named: Vec<String> = clear
        .iter()
        .take(NAMED)
        .map(|(column, value)| format!("{} {}", column_name(column), signed(*value, 1)))
        .collect();
    let more = if rest > 0 {
        format!(" and {rest} more")
    } else {
        String::new()
    };
    Some(format!("{}{more}", named.join(", ")))
}

pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// Display name of a benchmark; for an unknown one its id, in capitals where it is short and lower case.
pub(super) fn column_name(id: &str) -> String {
    study::abilities::benchmark(id).map_or_else(
        || {
            if id.len() <= 5 && id.chars().all(|letter| letter.is_ascii_lowercase()) {
                id.to_uppercase()
            } else {
                id.to_owned()
            }
        },
        |known| known.title,
    )
}

/// A number with its sign, using a real minus sign.
pub(super) fn signed(value: f64, digits: usize) -> String {
    minus(format!("{value:+.digits$}"))
}

/// Replaces a leading hyphen by a minus sign.
pub(crate) fn minus(number: String) -> String {
    if number.starts_with('-') {
        number.replacen('-', "\u{2212}", 1)
    } else {
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use study::section::Mark;

    fn mark(evidence: Evidence, value: f64, is_clear: bool) -> Mark {
        Mark {
            evidence,
            value,
            interval: Some((value - 1.0, value + 1.0)),
            is_clear,
            sees: Some(2.5),
            n: 22,
        }
    }

    fn matrix(layers: Vec<Vec<Mark>>) -> Matrix {
        Matrix {
            groups: vec![("reasoning".into(), 2)],
            columns: vec!["arc".into(), "made_up".into()],
            rows: vec![
                MatrixRow {
                    name: "layers".into(),
                    is_yardstick: false,
                    sentence: String::new(),
                    cells: layers,
                },
                MatrixRow {
                    name: "size".into(),
                    is_yardstick: true,
                    sentence: String::new(),
                    cells: vec![vec![mark(Evidence::Controlled, 3.0, true)], Vec::new()],
                },
            ],
            clip: 6.0,
        }
    }

    #[test]
    fn the_sentence_says_what_stands_and_how_much_is_open() {
        let drawn = matrix(vec![
            vec![
                mark(Evidence::Observational, 4.0, false),
                mark(Evidence::Controlled, 0.4, true),
            ],
            vec![mark(Evidence::Observational, -1.0, false)],
        ]);
        assert_eq!(
            in_one_sentence(&drawn),
            "Layers buy ARC +0.4 in runs that differ in nothing else (points per doubling at fixed size). In the other 1 of 2 pairs \
             of part and benchmark nothing can be told from no effect."
        );
        let open = matrix(vec![vec![mark(Evidence::Observational, 4.0, false)], Vec::new()]);
        assert!(in_one_sentence(&open).starts_with("It cannot be told: in none of the 1 pairs"));
    }

    #[test]
    fn the_table_has_a_row_a_benchmark_and_says_each_mark() {
        let view = MatrixView::of(&matrix(vec![
            vec![mark(Evidence::Surgery, 24.4, true)],
            Vec::new(),
        ]));
        assert_eq!(view.groups.len(), 1);
        let row = &view.groups[0].rows[0];
        assert_eq!(row.name, "ARC");
        assert_eq!(row.cells[0].number, "+24.4");
        assert!(
            row.cells[0].says.contains("+24.4 [+23.4, +25.4], n = 22"),
            "{}",
            row.cells[0].says
        );
        assert!(view.groups[0].rows[1].cells[0].is_empty);
        assert!(!row.cells[0].glyph.contains("NaN"));
    }
}
