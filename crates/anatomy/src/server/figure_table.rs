//! Converts figures to tables; samples are summarised by five numbers.

use study::section::{Bar, Cell, Drawing, Figure, Layer, Matrix, MatrixRow, Table};
use study::statistics::{quantile_of_sorted, sorted};

/// The content of a figure as rows; samples as five-number summaries.
pub(crate) fn of(figure: &Figure) -> Table {
    let (columns, rows): (Vec<&str>, Vec<Vec<Cell>>) = match &figure.drawing {
        Drawing::Histograms(groups) | Drawing::Boxes(groups) => (
            vec![
                "group",
                "n",
                "least",
                "lower quartile",
                "median",
                "upper quartile",
                "most",
            ],
            groups
                .iter()
                .map(|(name, values)| {
                    let ordered = sorted(values);
                    let at = |share: f64| Cell::from(quantile_of_sorted(&ordered, share));
                    vec![
                        name.as_str().into(),
                        values.len().into(),
                        at(0.0),
                        at(0.25),
                        at(0.5),
                        at(0.75),
                        at(1.0),
                    ]
                })
                .collect(),
        ),
        Drawing::Heatmap {
            rows,
            columns,
            values,
        } => {
            let mut names = vec![""];
            names.extend(columns.iter().map(String::as_str));
            let lines = rows.iter().zip(values).map(|(name, line)| {
                let mut cells: Vec<Cell> = vec![name.as_str().into()];
                cells.extend(line.iter().map(|value| Cell::from(*value)));
                cells
            });
            (names, lines.collect())
        }
        Drawing::Panels(panels) => (
            vec!["panel", "series", "x", "y", "low", "high"],
            panels
                .iter()
                .flat_map(|panel| {
                    panel
                        .layers
                        .iter()
                        .flat_map(|layer| layer_rows(&panel.title, layer))
                })
                .collect(),
        ),
        Drawing::Intervals { rows: bars, .. } | Drawing::Bars(bars) => (
            vec!["group", "series", "value", "low", "high"],
            bars.iter().map(bar_row).collect(),
        ),
        Drawing::Points { series, named, .. } => (
            vec!["series", "x", "y"],
            series
                .iter()
                .flat_map(|(name, points)| points.iter().map(move |point| (name, point)))
                .chain(named.iter().map(|(name, point)| (name, point)))
                .map(|(name, (x, y))| vec![name.as_str().into(), (*x).into(), (*y).into()])
                .collect(),
        ),
        Drawing::Bins(panels) | Drawing::Curves(panels) => (
            vec!["panel", "x", "mean", "low", "high", "n"],
            panels
                .iter()
                .flat_map(|(name, bins)| {
                    bins.iter().map(move |bin| {
                        vec![
                            name.as_str().into(),
                            bin.x.into(),
                            bin.mean.into(),
                            bin.q1.into(),
                            bin.q3.into(),
                            bin.n.into(),
                        ]
                    })
                })
                .collect(),
        ),
        Drawing::Matrix(matrix) => (
            vec![
                "part", "column", "evidence", "value", "low", "high", "clear", "sees",
            ],
            matrix_rows(matrix),
        ),
        Drawing::Dendrogram { names, merges } => (
            vec!["one", "other", "distance"],
            merges
                .iter()
                .map(|&(left, right, distance)| {
                    let name = |place: usize| {
                        names
                            .get(place)
                            .cloned()
                            .unwrap_or_else(|| format!("cluster {}", place - names.len() + 1))
                    };
                    vec![name(left).into(), name(right).into(), distance.into()]
                })
                .collect(),
        ),
    };
    Table {
        id: figure.id.clone(),
        caption: figure.caption.clone(),
        columns: columns.into_iter().map(str::to_owned).collect(),
        rows,
        shown: true,
    }
}

fn matrix_rows(matrix: &Matrix) -> Vec<Vec<Cell>> {
    let of_row = |row: &MatrixRow| {
        let cells = row.cells.iter().zip(&matrix.columns);
        let marks = cells.flat_map(|(marks, column)| marks.iter().map(move |mark| (mark, column)));
        marks
            .map(|(mark, column)| {
                vec![
                    row.name.as_str().into(),
                    column.as_str().into(),
                    mark.evidence.words().into(),
                    mark.value.into(),
                    mark.interval.map(|ends| ends.0).into(),
                    mark.interval.map(|ends| ends.1).into(),
                    if mark.is_clear { "yes" } else { "no" }.into(),
                    mark.sees.into(),
                ]
            })
            .collect::<Vec<Vec<Cell>>>()
    };
    matrix.rows.iter().flat_map(of_row).collect()
}

fn bar_row(bar: &Bar) -> Vec<Cell> {
    vec![
        bar.group.as_str().into(),
        bar.series.as_str().into(),
        bar.value.into(),
        bar.interval.map(|ends| ends.0).into(),
        bar.interval.map(|ends| ends.1).into(),
    ]
}

fn layer_rows(panel: &str, layer: &Layer) -> Vec<Vec<Cell>> {
    let row = |name: &str, x: Cell, y: Cell, low: Cell, high: Cell| {
        vec![panel.into(), name.into(), x, y, low, high]
    };
    match layer {
        Layer::Markers { name, points, .. } | Layer::Line { name, points, .. } => points
            .iter()
            .map(|&(x, y)| row(name, x.into(), y.into(), Cell::Missing, Cell::Missing))
            .collect(),
        Layer::Band { name, points } => points
            .iter()
            .map(|&(x, low, high)| row(name, x.into(), Cell::Missing, low.into(), high.into()))
            .collect(),
        Layer::Level { y, label } => {
            vec![row(
                label,
                Cell::Missing,
                (*y).into(),
                Cell::Missing,
                Cell::Missing,
            )]
        }
    }
}
