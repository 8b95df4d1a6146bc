//! Section that answers which part buys which ability: observational evidence, controlled runs and surgery side by side
//! in one unit, points per doubling of the part at fixed size.
//!
//! It computes no estimates: like the ledger of claims, it reads findings of the sections `controlled`, `pooled` and
//! `weights` by id.

mod rows;
#[cfg(test)]
mod tests;
mod words;

use crate::claims::Findings;
use crate::finding::Finding;
use crate::section::{Axis, Cell, Drawing, Figure, Matrix, MatrixRow, Section, Table};

/// Abilities with the benchmarks that measure them, in the order of the figure.
pub(crate) const ABILITIES: [(&str, &[&str]); 6] = [
    (
        "commonsense and reasoning",
        &["arc", "hellaswag", "winogrande", "piqa"],
    ),
    ("knowledge", &["mmlu", "mmlu_pro"]),
    ("maths", &["gsm8k", "math"]),
    ("truthfulness", &["truthfulqa"]),
    ("instructions", &["ifeval"]),
    ("hard reasoning", &["bbh", "gpqa", "musr"]),
];

/// Parts: name in ids, name shown to readers, and whether the row is only a yardstick; yardsticks come last.
const PARTS: [(&str, &str, bool); 8] = [
    ("layers", "layers", false),
    ("d_ffn", "feed-forward width / width", false),
    ("heads_per_kv", "heads / key and value heads", false),
    ("vocabulary", "vocabulary", false),
    ("experts", "all / active parameters", false),
    ("size", "size", true),
    ("tokens", "training tokens", true),
    ("date", "one year later", true),
];

/// Marks beyond plus or minus this many points are drawn at the edge.
const CLIP: f64 = 6.0;

/// Builds the section from the findings of all other sections; without any evidence it has no figure.
pub fn section<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Section {
    let findings = Findings::new(findings);
    let columns: Vec<&str> = ABILITIES
        .iter()
        .flat_map(|(_, names)| names.iter().copied())
        .collect();
    let mut section = Section {
        id: "answer".into(),
        title: "Which part buys which ability".into(),
        ..Section::default()
    };
    let rows: Vec<MatrixRow> = PARTS
        .iter()
        .map(|(part, name, is_yardstick)| {
            let cells: Vec<_> = columns
                .iter()
                .map(|benchmark| rows::marks(&findings, part, benchmark))
                .collect();
            MatrixRow {
                name: (*name).to_owned(),
                is_yardstick: *is_yardstick,
                sentence: words::sentence(part, *is_yardstick, &columns, &cells),
                cells,
            }
        })
        .collect();
    let n = rows.iter().flat_map(|row| &row.cells).map(Vec::len).sum();
    if n == 0 {
        section.text.push(
            "Nothing can be put side by side: these rows have no units enough for a model, and no runs whose structure was \
             changed on purpose."
                .into(),
        );
        return section;
    }
    section.text.push(words::short(&rows, &columns));
    section.text.extend(
        rows.iter()
            .filter(|row| row.cells.iter().any(|cell| !cell.is_empty()))
            .map(|row| format!("{}: {}", capital(&row.name), row.sentence)),
    );
    section.tables.push(table(&rows, &columns));
    section.figures.push(Figure {
        id: "answer".into(),
        title: "Which part buys which ability: points per doubling of the part at fixed size".into(),
        caption: "Rows: the part doubled while size stays fixed; below the line what a doubling of size, of training tokens and \
                  a year are worth, on the same axis. Hollow dot: observed over checkpoints on known structures, family effects, \
                  an association. Filled dot: controlled, runs that differ in nothing else, operations per token fixed. Square: \
                  networks cut to one size and trained again, one published pair; where there is none, a hollow square: small networks cut by us and not trained again. Bars are 95 % intervals. Colour only where an interval that \
                  holds for all benchmarks of the row at once leaves zero; else grey, with the smallest value that would have \
                  been seen. A dash: nothing that varies on its own."
            .into(),
        n,
        x: Axis::linear("points per doubling"),
        y: Axis::linear("part"),
        drawing: Drawing::Matrix(Matrix {
            groups: ABILITIES
                .iter()
                .map(|(ability, names)| ((*ability).to_owned(), names.len()))
                .collect(),
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            rows,
            clip: CLIP,
        }),
    });
    section
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// The values of the figure as a table.
fn table(rows: &[MatrixRow], columns: &[&str]) -> Table {
    let lines = rows.iter().flat_map(|row| {
        let cells = row.cells.iter().zip(columns);
        cells
            .filter(|(marks, _)| !marks.is_empty())
            .map(|(marks, column)| {
                let mut line: Vec<Cell> = vec![row.name.as_str().into(), (*column).into()];
                for evidence in rows::KINDS {
                    let mark = marks.iter().find(|mark| mark.evidence == evidence);
                    line.push(mark.map_or(Cell::Missing, |mark| words::mark(mark).into()));
                }
                line.push(words::verdict(marks).into());
                line
            })
    });
    Table {
        id: "answer".into(),
        caption: "The numbers of the figure: points per doubling of the part at fixed size (per year for the date) with 95 % \
                  intervals; * where an interval for all benchmarks of the row at once leaves zero."
            .into(),
        columns: ["part doubled", "benchmark", "observational", "controlled", "surgery", "cuts", "in words"]
            .map(String::from)
            .to_vec(),
        rows: lines.collect(),
        shown: true,
    }
}
