//! Rank correlation matrices with intervals over shapes: benchmarks alone, with the structure columns, and partial
//! correlations given size and date.

use super::{Columns, Correlations};
use crate::board::Board;
use crate::features::StructureColumn;
use crate::finding::{Finding, Interval};
use crate::importance::clusters::{leaf_order, merges};
use crate::section::{Axis, Cell, Drawing, Figure, Section, Table};
use crate::statistics::{RankedColumns, bootstrap_interval, given, resample_counts};

/// A correlation matrix with the interval of each entry.
struct Matrix {
    value: Vec<Vec<f64>>,
    interval: Vec<Vec<Option<Interval>>>,
}

pub(super) fn add(study: &Correlations<'_>, board: &Board, section: &mut Section) {
    let benchmarks = Columns::of(board, false);
    let all = Columns::of(board, true);
    if benchmarks.n() < 4 || all.n() < 4 {
        return;
    }
    let n_structure = all.names.len() - benchmarks.names.len();
    let controls: Vec<usize> = [StructureColumn::Size, StructureColumn::Date]
        .iter()
        .filter_map(|column| all.names.iter().position(|name| *name == column.name()))
        .collect();
    let plain = matrix(study, &benchmarks, &[]);
    let with_structure = matrix(study, &all, &[]);
    let partial = matrix(study, &all, &controls);

    pairs(
        study,
        board,
        &benchmarks,
        &plain,
        ("spearman", "spearman"),
        |_, _| true,
        section,
    );
    pairs(
        study,
        board,
        &all,
        &with_structure,
        ("spearman", "spearman"),
        |first, second| first < n_structure && second >= n_structure,
        section,
    );
    pairs(
        study,
        board,
        &all,
        &partial,
        ("partial", "partial spearman given size and date"),
        |first, second| !controls.contains(&first) && second >= n_structure,
        section,
    );
    let name = |what: &str| {
        if board.name == "v1" {
            what.to_string()
        } else {
            format!("{what}-{}", board.name)
        }
    };
    let title = board.title;
    let n = benchmarks.n();
    section.tables.push(table(
        &name("correlation-spearman"),
        &benchmarks,
        &plain,
        format!("Spearman's rank correlation between the benchmarks of {title}; n = {n} checkpoints."),
    ));
    section.tables.push(table(&name("correlation-structure"), &all, &with_structure, format!(
        "Spearman's rank correlation of structure columns and benchmarks of {title}; n = {} checkpoints that have all.",
        all.n()
    )));
    section.tables.push(table(
        &name("correlation-partial"),
        &all,
        &partial,
        format!(
            "Partial rank correlation given size and date, {title}; n = {} checkpoints.",
            all.n()
        ),
    ));
    section.figures.push(heatmap(&name("correlation"), &benchmarks, &plain, &[], format!(
        "Rank correlation between the benchmarks of {title}, ordered by average linkage so that those that go together stand \
         together; n = {n} checkpoints."
    ), format!("Spearman correlation of the benchmarks, {title}")));
    section.figures.push(heatmap(&name("correlation-structure"), &all, &with_structure, &[], format!(
        "Rank correlation of structure columns and benchmarks of {title}, ordered by average linkage; n = {} checkpoints that have \
             all.",
        all.n()
    ), format!("Spearman correlation of structure and scores, {title}")));
    section.figures.push(heatmap(
        &name("correlation-partial"),
        &all,
        &partial,
        &controls,
        format!(
            "What is left of the same correlations given size and date; n = {} checkpoints of {title}.",
            all.n()
        ),
        format!("Partial rank correlation given size and date, {title}"),
    ));
    words(board, &benchmarks, &plain, &all, &partial, n_structure, section);
}

fn matrix(study: &Correlations<'_>, columns: &Columns, controls: &[usize]) -> Matrix {
    let ranked = RankedColumns::new(&columns.values, &columns.shapes);
    let of = |counts: &[u32]| given(&ranked.correlations(counts), controls);
    let n_groups = ranked.n_groups();
    let resampled = resample_counts(n_groups, study.bootstrap, of);
    let p = columns.names.len();
    let interval = |i: usize, j: usize| {
        if i == j {
            return None;
        }
        let values: Vec<f64> = resampled.iter().map(|matrix| matrix[i][j]).collect();
        bootstrap_interval(&values, n_groups, 0.95)
    };
    Matrix {
        value: of(&vec![1; n_groups]),
        interval: (0..p).map(|i| (0..p).map(|j| interval(i, j)).collect()).collect(),
    }
}

fn pairs(
    study: &Correlations<'_>,
    board: &Board,
    columns: &Columns,
    matrix: &Matrix,
    (kind, method): (&str, &str),
    keep: impl Fn(usize, usize) -> bool,
    section: &mut Section,
) {
    let p = columns.names.len();
    for first in 0..p {
        for second in first + 1..p {
            if !keep(first, second) {
                continue;
            }
            let (a, b) = (&columns.titles[first], &columns.titles[second]);
            let given = if kind == "partial" {
                ", given size and date"
            } else {
                ""
            };
            let figure = if kind == "partial" {
                "correlation-partial"
            } else if columns.names[first] == "size" {
                "correlation-structure"
            } else {
                "correlation"
            };
            let figure = if board.name == "v1" {
                figure.to_string()
            } else {
                format!("{figure}-{}", board.name)
            };
            section.findings.push(
                Finding::new(
                    format!(
                        "correlation.{kind}.{}.{}",
                        columns.names[first], columns.names[second]
                    ),
                    format!("Do checkpoints that rank high on {a} rank high on {b}{given}?"),
                    &board.source(),
                )
                .with_value(matrix.value[first][second], "1", columns.n(), method)
                .with_interval(matrix.interval[first][second].clone())
                .with_seed(study.bootstrap.seed)
                .with_figure(&figure),
            );
        }
    }
}

fn table(id: &str, columns: &Columns, matrix: &Matrix, caption: String) -> Table {
    let rows = (0..columns.names.len())
        .map(|i| {
            let mut cells: Vec<Cell> = vec![columns.titles[i].as_str().into()];
            cells.extend(matrix.value[i].iter().map(|value| Cell::from(*value)));
            cells
        })
        .collect();
    Table {
        id: id.into(),
        caption,
        columns: std::iter::once("column")
            .map(String::from)
            .chain(columns.titles.iter().cloned())
            .collect(),
        rows,
        shown: columns.names.len() <= 6,
    }
}

/// The heat map, with rows and columns in the order of average-linkage clustering; controls are left out.
fn heatmap(
    id: &str,
    columns: &Columns,
    matrix: &Matrix,
    controls: &[usize],
    caption: String,
    title: String,
) -> Figure {
    let kept: Vec<usize> = (0..columns.names.len())
        .filter(|place| !controls.contains(place))
        .collect();
    let inner: Vec<Vec<f64>> = kept
        .iter()
        .map(|&i| kept.iter().map(|&j| matrix.value[i][j]).collect())
        .collect();
    let order: Vec<usize> = leaf_order(kept.len(), &merges(&inner))
        .into_iter()
        .map(|place| kept[place])
        .collect();
    let labels: Vec<String> = order.iter().map(|&place| columns.titles[place].clone()).collect();
    Figure {
        id: id.into(),
        title,
        caption,
        n: columns.n(),
        x: Axis::linear(""),
        y: Axis::linear(""),
        drawing: Drawing::Heatmap {
            rows: labels.clone(),
            columns: labels,
            values: order
                .iter()
                .map(|&i| order.iter().map(|&j| matrix.value[i][j]).collect())
                .collect(),
        },
    }
}

fn words(
    board: &Board,
    benchmarks: &Columns,
    plain: &Matrix,
    all: &Columns,
    partial: &Matrix,
    n_structure: usize,
    section: &mut Section,
) {
    let p = benchmarks.names.len();
    let mut found: Vec<(f64, usize, usize)> = (0..p)
        .flat_map(|i| (i + 1..p).map(move |j| (i, j)))
        .map(|(i, j)| (plain.value[i][j], i, j))
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (Some(most), Some(least)) = (found.first(), found.last()) else {
        return;
    };
    let middle = |values: Vec<f64>| crate::statistics::median(&values);
    let before = middle(found.iter().map(|pair| pair.0).collect());
    let after = middle(
        (0..p)
            .flat_map(|i| (i + 1..p).map(move |j| (n_structure + i, n_structure + j)))
            .map(|(i, j)| partial.value[i][j])
            .collect(),
    );
    let title = |place: usize| benchmarks.titles[place].as_str();
    section.text.push(format!(
        "On {} benchmarks rank checkpoints alike: the median correlation of two is {before:.2} (n = {}), from {:.2} ({} and {}) to {:.2} \
         ({} and {}). Given size and date the median is {after:.2} (n = {}).",
        board.title,
        benchmarks.n(),
        least.0,
        title(least.1),
        title(least.2),
        most.0,
        title(most.1),
        title(most.2),
        all.n()
    ));
}
