//! Section on rank correlations of benchmarks and structure columns, their partial correlations at equal size and date,
//! and the number of dimensions that the benchmarks span.

mod dimensions;
mod matrix;
#[cfg(test)]
mod tests;

use crate::board::Board;
use crate::features::StructureColumn;
use crate::section::Section;
use crate::statistics::GroupBootstrap;

/// Input of the section.
#[derive(Debug, Clone, Copy)]
pub struct Correlations<'a> {
    /// The leaderboards.
    pub boards: &'a [Board],
    /// Number of resamples and seed of the intervals.
    pub bootstrap: GroupBootstrap,
}

/// Builds the section.
pub fn section(study: &Correlations<'_>) -> Section {
    let mut section = Section {
        id: "correlation".into(),
        title: "Correlations".into(),
        ..Section::default()
    };
    for board in study.boards {
        matrix::add(study, board, &mut section);
        dimensions::add(study, board, &mut section);
    }
    section.text.push(
        "What would change the answer: the range of the rows. Correlations over checkpoints of 0.1 to 100 billion parameters are \
         mostly size and date; given both, much is gone. Rows of one base are near-copies, so intervals resample shapes, and a \
         component that a few hundred shapes carry may be one of their training data and not of ability."
            .into(),
    );
    section
}

/// Named columns with the shape of each row; rows with a missing value are left out.
struct Columns {
    names: Vec<&'static str>,
    titles: Vec<String>,
    /// `(n_columns, n_rows)`.
    values: Vec<Vec<f64>>,
    shapes: Vec<u32>,
}

impl Columns {
    /// The benchmarks of a board (without Average), preceded by its structure columns if `with_structure`.
    fn of(board: &Board, with_structure: bool) -> Self {
        let benchmarks = &board.outcomes[..board.outcomes.len() - 1];
        let structure: Vec<StructureColumn> = StructureColumn::all().filter(|_| with_structure).collect();
        let names: Vec<&'static str> = structure
            .iter()
            .map(|column| column.name())
            .chain(benchmarks.iter().map(|(name, _)| *name))
            .collect();
        let titles = structure
            .iter()
            .map(|column| column.name().to_owned())
            .chain(benchmarks.iter().map(|(_, title)| title.clone()))
            .collect();
        let mut columns = Self {
            values: vec![Vec::new(); names.len()],
            names,
            titles,
            shapes: Vec::new(),
        };
        for row in &board.rows {
            // Size and date as the board defines them: the Hub's earliest creation date does not count as a date.
            let own = structure.iter().map(|&column| match column {
                StructureColumn::Size => row.size,
                StructureColumn::Date => row.date,
                _ => row.structure.get(column),
            });
            let scores = row.scores[..benchmarks.len()].iter().copied();
            let all: Option<Vec<f64>> = own.chain(scores).collect();
            let Some(all) = all else { continue };
            for (column, value) in columns.values.iter_mut().zip(all) {
                column.push(value);
            }
            columns.shapes.push(row.shape);
        }
        columns
    }

    fn n(&self) -> usize {
        self.shapes.len()
    }
}
