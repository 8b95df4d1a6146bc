//! What a part of the study hands out: findings, tables and figures, with the words that join them.
//!
//! A figure here is data and labels; drawing is the binary's.

use serde::{Deserialize, Serialize};

use crate::finding::Finding;

/// One part of the study.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Section {
    /// Stable name: `scale`, `merging` …
    pub id: String,
    /// Heading.
    pub title: String,
    /// Paragraphs, made from the findings.
    pub text: Vec<String>,
    /// Its numbers.
    pub findings: Vec<Finding>,
    /// Its tables.
    pub tables: Vec<Table>,
    /// Its figures.
    pub figures: Vec<Figure>,
}

impl Section {
    /// The value of one of its findings with its interval, signed, as text says it: `+1.7 [+0.6, +2.8]`; `–` where there is
    /// none.
    pub fn said(&self, id: &str, digits: usize) -> String {
        let Some(finding) = self.findings.iter().find(|finding| finding.id == id) else {
            return "–".into();
        };
        match (finding.value, &finding.interval) {
            (Some(value), Some(ends)) => {
                format!(
                    "{value:+.digits$} [{:+.digits$}, {:+.digits$}]",
                    ends.low, ends.high
                )
            }
            (Some(value), None) => format!("{value:+.digits$}"),
            (None, _) => "–".into(),
        }
    }
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A number, written in full to CSV and rounded for people.
    Number(f64),
    /// Absent.
    Missing,
}

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        if value.is_finite() {
            Self::Number(value)
        } else {
            Self::Missing
        }
    }
}

impl From<Option<f64>> for Cell {
    fn from(value: Option<f64>) -> Self {
        value.map_or(Self::Missing, Self::from)
    }
}

impl From<usize> for Cell {
    fn from(value: usize) -> Self {
        Self::Number(value as f64)
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Self {
        Self::Text(value.into())
    }
}

impl From<String> for Cell {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

/// Rows and columns, written to `tables/{id}.csv`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Table {
    /// File name without its ending.
    pub id: String,
    /// What it shows, its n and units.
    pub caption: String,
    /// Column names; units in brackets.
    pub columns: Vec<String>,
    /// `(n_rows, n_columns)`.
    pub rows: Vec<Vec<Cell>>,
    /// Shown in the report; tables of raw rows are only written.
    pub shown: bool,
}

/// One axis.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Axis {
    /// Name and unit.
    pub label: String,
    /// Logarithmic.
    pub log: bool,
}

impl Axis {
    /// A linear axis.
    pub fn linear(label: &str) -> Self {
        Self {
            label: label.into(),
            log: false,
        }
    }

    /// A logarithmic axis.
    pub fn log(label: &str) -> Self {
        Self {
            label: label.into(),
            log: true,
        }
    }
}

/// One bar of a chart: a value and, where known, the ends of its interval.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bar {
    /// Label of the group it stands in.
    pub group: String,
    /// What it is within the group.
    pub series: String,
    /// Height.
    pub value: f64,
    /// Ends of the interval.
    pub interval: Option<(f64, f64)>,
}

/// One bin of a binned curve.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bin {
    /// Centre on the x axis.
    pub x: f64,
    /// Mean of the bin.
    pub mean: f64,
    /// Lower quartile.
    pub q1: f64,
    /// Upper quartile.
    pub q3: f64,
    /// Rows.
    pub n: usize,
}

/// One layer of a panel; layers are drawn in their order, the series by their names.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// One marker a point.
    Markers {
        /// Name of the series.
        name: String,
        /// Places.
        points: Vec<(f64, f64)>,
        /// What the markers' areas stand for, `(n_points,)`; empty where all are alike.
        sizes: Vec<f64>,
    },
    /// A line through points.
    Line {
        /// Name of the series.
        name: String,
        /// Places, by ascending x.
        points: Vec<(f64, f64)>,
        /// Stays level until the next point, as a record does.
        step: bool,
    },
    /// The ends of an interval along x.
    Band {
        /// Name of the series it belongs to.
        name: String,
        /// x, lower end, upper end.
        points: Vec<(f64, f64, f64)>,
    },
    /// A level drawn across the panel, with its meaning written on it.
    Level {
        /// Place on the y axis.
        y: f64,
        /// What it means.
        label: String,
    },
}

/// One panel of a figure.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Panel {
    /// Its heading; empty where there is one panel only.
    pub title: String,
    /// What is drawn in it.
    pub layers: Vec<Layer>,
}

/// Kinds of evidence that stand in one cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Over checkpoints that others made.
    Observational,
    /// From runs that differ in nothing else.
    Controlled,
    /// From networks that were cut and trained again.
    Surgery,
    /// From networks that were cut and left so.
    Cuts,
}

impl Evidence {
    /// As a legend says it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Observational => "observational",
            Self::Controlled => "controlled",
            Self::Surgery => "surgery",
            Self::Cuts => "cuts",
        }
    }
}

/// One mark of a cell.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Mark {
    /// Where it comes from.
    pub evidence: Evidence,
    /// The value.
    pub value: f64,
    /// Ends of its interval.
    pub interval: Option<(f64, f64)>,
    /// The interval that holds for all columns at once leaves zero.
    pub is_clear: bool,
    /// The smallest value that would have been seen.
    pub sees: Option<f64>,
    /// Rows, runs or items it rests on.
    pub n: usize,
}

/// One row of a matrix.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MatrixRow {
    /// Its name.
    pub name: String,
    /// It only says how much a cell's unit is worth, and stands below a line.
    pub is_yardstick: bool,
    /// The row in words.
    pub sentence: String,
    /// `(n_columns, …)`: the marks of each cell; empty where nothing varies.
    pub cells: Vec<Vec<Mark>>,
}

/// A matrix of marks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Matrix {
    /// Headings over the columns, each with the columns it holds.
    pub groups: Vec<(String, usize)>,
    /// Column labels.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<MatrixRow>,
    /// Marks beyond plus or minus this are drawn at the edge.
    pub clip: f64,
}

/// What is drawn.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drawing {
    /// Panels of points, lines and bands; one series has one name, marker and colour in all of them.
    Panels(Vec<Panel>),
    /// Values with their intervals as rows, a panel a group, and the value that means "no difference".
    Intervals {
        /// The rows; `series` names a row.
        rows: Vec<Bar>,
        /// Where a dashed line stands; none where it is no number.
        reference: f64,
    },
    /// One histogram a panel.
    Histograms(Vec<(String, Vec<f64>)>),
    /// One box a group.
    Boxes(Vec<(String, Vec<f64>)>),
    /// A square or oblong matrix with its values written in.
    Heatmap {
        /// Row labels.
        rows: Vec<String>,
        /// Column labels.
        columns: Vec<String>,
        /// `(n_rows, n_columns)`.
        values: Vec<Vec<f64>>,
    },
    /// Grouped bars with intervals.
    Bars(Vec<Bar>),
    /// Points in series, with a line through all where given as two ends.
    Points {
        /// Name and points of each series.
        series: Vec<(String, Vec<(f64, f64)>)>,
        /// Ends of a straight line.
        line: Option<[(f64, f64); 2]>,
    },
    /// One panel a series: means of bins with the interquartile range behind.
    Bins(Vec<(String, Vec<Bin>)>),
    /// One panel a curve, on its own scale: a line with the ends of its interval behind and its support (rows) below.
    Curves(Vec<(String, Vec<Bin>)>),
    /// Parts against abilities: marks with intervals of several kinds of evidence in each cell.
    Matrix(Matrix),
    /// A tree of columns: the k-th merge makes cluster `names.len() + k`.
    Dendrogram {
        /// The leaves.
        names: Vec<String>,
        /// Clusters merged, and their distance.
        merges: Vec<(usize, usize, f64)>,
    },
}

/// One figure, written to `figures/{id}.svg`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Figure {
    /// File name without its ending.
    pub id: String,
    /// What is drawn, in a few words.
    pub title: String,
    /// What it shows: the finding, its n and protocol.
    pub caption: String,
    /// Rows drawn.
    pub n: usize,
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
    /// The marks.
    pub drawing: Drawing,
}
