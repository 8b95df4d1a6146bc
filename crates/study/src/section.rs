//! The output of one part of the study: findings, tables and figures, with explanatory text.
//!
//! A figure here is data and labels; the binary crate draws it.

use serde::{Deserialize, Serialize};

use crate::finding::Finding;

/// One part of the study.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Section {
    /// Stable name: `scale`, `merging` …
    pub id: String,
    /// Heading.
    pub title: String,
    /// Paragraphs, built from the findings.
    pub text: Vec<String>,
    /// The section's findings.
    pub findings: Vec<Finding>,
    /// The section's tables.
    pub tables: Vec<Table>,
    /// The section's figures.
    pub figures: Vec<Figure>,
}

impl Section {
    /// Signed value and interval of the finding with this id, for use in text: `+1.7 [+0.6, +2.8]`; `–` where there is
    /// no such finding or value.
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
    /// Text.
    Text(String),
    /// A number, written to CSV in full and rounded in the report.
    Number(f64),
    /// No value.
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

/// A table, written to `tables/{id}.csv`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Table {
    /// File name without extension.
    pub id: String,
    /// What the table shows, with its n and units.
    pub caption: String,
    /// Column names; units in brackets.
    pub columns: Vec<String>,
    /// `(n_rows, n_columns)`.
    pub rows: Vec<Vec<Cell>>,
    /// Whether the report shows the table; tables of raw rows are only written to files.
    pub shown: bool,
}

/// An axis of a figure.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Axis {
    /// Name and unit.
    pub label: String,
    /// Whether the scale is logarithmic.
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

/// One bar of a chart: a value and, where known, the limits of its interval.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bar {
    /// Label of the group of bars it belongs to.
    pub group: String,
    /// Name of the series within the group.
    pub series: String,
    /// Height.
    pub value: f64,
    /// Lower and upper limit of the interval.
    pub interval: Option<(f64, f64)>,
}

/// One bin of a binned curve.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bin {
    /// Centre on the x axis.
    pub x: f64,
    /// Mean of the rows in the bin.
    pub mean: f64,
    /// Lower quartile.
    pub q1: f64,
    /// Upper quartile.
    pub q3: f64,
    /// Number of rows in the bin.
    pub n: usize,
}

/// One layer of a panel. Layers are drawn in order; a series keeps its look in all panels by its name.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// One marker per point.
    Markers {
        /// Name of the series.
        name: String,
        /// x and y of each point.
        points: Vec<(f64, f64)>,
        /// Quantity that the markers' areas show, `(n_points,)`; empty for markers of one size.
        sizes: Vec<f64>,
    },
    /// A line through points.
    Line {
        /// Name of the series.
        name: String,
        /// x and y of each point, by ascending x.
        points: Vec<(f64, f64)>,
        /// Whether the line stays level until the next point, as for a record.
        step: bool,
    },
    /// The limits of an interval along x.
    Band {
        /// Name of the series it belongs to.
        name: String,
        /// x, lower limit, upper limit.
        points: Vec<(f64, f64, f64)>,
    },
    /// A horizontal line across the panel, with a label.
    Level {
        /// Position on the y axis.
        y: f64,
        /// Label of the line.
        label: String,
    },
}

/// One panel of a figure.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Panel {
    /// Heading of the panel; empty where there is one panel only.
    pub title: String,
    /// Layers, drawn in order.
    pub layers: Vec<Layer>,
}

/// Kinds of evidence shown in one cell of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// From checkpoints made by others.
    Observational,
    /// From training runs that differ in nothing else.
    Controlled,
    /// From networks that were cut and retrained.
    Surgery,
    /// From networks that were cut and not retrained.
    Cuts,
}

impl Evidence {
    /// The wording used in legends.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Observational => "observational",
            Self::Controlled => "controlled",
            Self::Surgery => "surgery",
            Self::Cuts => "cuts",
        }
    }
}

/// One mark in a cell of the matrix.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Mark {
    /// Kind of evidence behind the value.
    pub evidence: Evidence,
    /// The value.
    pub value: f64,
    /// Lower and upper limit of the interval.
    pub interval: Option<(f64, f64)>,
    /// Whether the simultaneous interval over all columns excludes zero.
    pub is_clear: bool,
    /// Smallest value that would have been detected.
    pub sees: Option<f64>,
    /// Number of rows, runs or items behind the value.
    pub n: usize,
}

/// One row of a matrix.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MatrixRow {
    /// Name of the row.
    pub name: String,
    /// Whether the row only shows what a unit is worth, and is drawn below a separating line.
    pub is_yardstick: bool,
    /// What the row shows, in one sentence.
    pub sentence: String,
    /// `(n_columns, …)`: the marks of each cell; empty where the part does not vary.
    pub cells: Vec<Vec<Mark>>,
}

/// A matrix whose cells hold marks with intervals.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Matrix {
    /// Headings above the columns, each with the number of columns it spans.
    pub groups: Vec<(String, usize)>,
    /// Column labels.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<MatrixRow>,
    /// Marks beyond plus or minus this value are drawn at the edge.
    pub clip: f64,
}

/// The content of a figure, by kind.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drawing {
    /// Panels of points, lines and bands; one series has one name, marker and colour in all of them.
    Panels(Vec<Panel>),
    /// Values with their intervals, one row each, one panel per group, with a reference value that means "no
    /// difference".
    Intervals {
        /// The rows; `series` labels a row.
        rows: Vec<Bar>,
        /// Position of the dashed reference line; NaN for no line.
        reference: f64,
    },
    /// Histograms, one panel each: label and values.
    Histograms(Vec<(String, Vec<f64>)>),
    /// Box plots, one per group: label and values.
    Boxes(Vec<(String, Vec<f64>)>),
    /// A matrix of colours with the values written in.
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
    /// Points in series, optionally with one straight line, given by its two end points.
    Points {
        /// Name and points of each series.
        series: Vec<(String, Vec<(f64, f64)>)>,
        /// Ends of a straight line.
        line: Option<[(f64, f64); 2]>,
        /// Labelled points, the most important first; labels that do not fit are left out.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        named: Vec<(String, (f64, f64))>,
    },
    /// One panel per series: bin means, with the interquartile range behind.
    Bins(Vec<(String, Vec<Bin>)>),
    /// One panel per curve, each with its own scale: a line with its interval behind, and the number of rows below.
    Curves(Vec<(String, Vec<Bin>)>),
    /// Parts against abilities: in each cell marks with intervals, one per kind of evidence.
    Matrix(Matrix),
    /// A tree from hierarchical clustering: the k-th merge makes cluster `names.len() + k`.
    Dendrogram {
        /// The leaves.
        names: Vec<String>,
        /// The two clusters of each merge, and their distance.
        merges: Vec<(usize, usize, f64)>,
    },
}

/// A figure, written to `figures/{id}.svg`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Figure {
    /// File name without extension.
    pub id: String,
    /// What is drawn, in a few words.
    pub title: String,
    /// What the figure shows: the finding, its n and protocol.
    pub caption: String,
    /// Number of rows drawn.
    pub n: usize,
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
    /// The content.
    pub drawing: Drawing,
}
