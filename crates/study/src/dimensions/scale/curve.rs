//! Score against the logarithm of size: a smooth curve, the gain per doubling along it, and where that falls below one
//! point.

mod figures;
mod slopes;
mod threshold;

use std::collections::BTreeMap;

use super::super::Dimensions;
use crate::section::{Cell, Section, Table};
use crate::statistics::{Contrast, OlsFit, RestrictedSpline, clustered_ols, mean, quantile};

/// Sizes at which curve and slope are tabulated, in billions of parameters.
const AT: [f64; 7] = [0.5, 1.0, 3.0, 7.0, 14.0, 32.0, 70.0];
/// Points per doubling below which more size is not considered worthwhile.
const ONE_POINT: f64 = 1.0;

/// Data of a fit.
struct Rows {
    /// Suffix of the ids, and description.
    variant: (&'static str, &'static str),
    log_size: Vec<f64>,
    average: Vec<f64>,
    shape: Vec<u32>,
}

/// A fitted curve.
struct Curve {
    spline: RestrictedSpline,
    fit: OlsFit,
}

pub(super) fn add(dimensions: &Dimensions<'_>, section: &mut Section) {
    let rows = evaluations(dimensions);
    let n_without = dimensions.rows.len() - rows.average.len();
    let shapes = one_a_shape(&rows);
    let mut table = Table {
        id: "scale-curve".into(),
        caption: format!(
            "Average (points) and its gain per doubling of size along a restricted cubic spline of log2 size with five \
             knots, with 95 % intervals that allow rows of one shape to go together; n = {} evaluations, {n_without} \
             without a size left out; {} shapes.",
            rows.average.len(),
            shapes.average.len()
        ),
        columns: [
            "rows",
            "size (B)",
            "Average",
            "low",
            "high",
            "points per doubling",
            "slope low",
            "slope high",
        ]
        .map(String::from)
        .to_vec(),
        shown: true,
        ..Table::default()
    };
    // The same knots for both fits, at quantiles over shapes, so that a base model with 800 fine-tunes does not attract
    // them all.
    let Some(spline) = RestrictedSpline::five_knots(&shapes.log_size) else {
        return;
    };
    for data in [&rows, &shapes] {
        let Ok(curve) = fit(data, &spline) else { continue };
        for size in AT {
            table.rows.push(at(data, &curve, size, section));
        }
        section
            .findings
            .push(threshold::threshold(dimensions, data, &curve));
        if data.variant.0.is_empty() {
            section.figures.extend(figures::figures(data, &curve));
        }
    }
    section.tables.push(table);
    slopes::slopes(dimensions, section);
    slopes::words(section);
}

fn evaluations(dimensions: &Dimensions<'_>) -> Rows {
    let mut rows = Rows {
        variant: ("", "each evaluation counts once"),
        log_size: Vec::new(),
        average: Vec::new(),
        shape: Vec::new(),
    };
    for row in dimensions.rows {
        let Some(size) = row.best_size() else { continue };
        rows.log_size.push(size.log2());
        rows.average.push(row.average);
        rows.shape.push(row.shape);
    }
    rows
}

/// Means by shape.
fn one_a_shape(rows: &Rows) -> Rows {
    let mut members: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (row, &shape) in rows.shape.iter().enumerate() {
        members.entry(shape).or_default().push(row);
    }
    let of = |values: &[f64]| {
        let pick = |rows: &Vec<usize>| mean(&rows.iter().map(|&row| values[row]).collect::<Vec<_>>());
        members.values().map(pick).collect()
    };
    Rows {
        variant: (".by_shape", "each shape counts once, by its mean"),
        log_size: of(&rows.log_size),
        average: of(&rows.average),
        shape: members.keys().copied().collect(),
    }
}

fn design(spline: &RestrictedSpline, x: f64) -> Vec<f64> {
    std::iter::once(1.0).chain(spline.basis(x)).collect()
}

fn fit(rows: &Rows, spline: &RestrictedSpline) -> Result<Curve, crate::Error> {
    let mut columns = vec![Vec::with_capacity(rows.average.len()); spline.n_columns() + 1];
    for &x in &rows.log_size {
        for (column, value) in columns.iter_mut().zip(design(spline, x)) {
            column.push(value);
        }
    }
    Ok(Curve {
        spline: spline.clone(),
        fit: clustered_ols(&columns, &rows.average, &rows.shape)?,
    })
}

impl Curve {
    fn level(&self, x: f64) -> Contrast {
        self.fit.contrast(&design(&self.spline, x))
    }

    fn slope(&self, x: f64) -> Contrast {
        let weights: Vec<f64> = std::iter::once(0.0).chain(self.spline.slope(x)).collect();
        self.fit.contrast(&weights)
    }
}

fn at(rows: &Rows, curve: &Curve, size: f64, section: &mut Section) -> Vec<Cell> {
    let (ending, words) = rows.variant;
    let mut cells: Vec<Cell> = vec![words.into(), size.into()];
    let name = format!("{size}b").replace('.', "_");
    for (what, contrast, unit) in [
        ("level", curve.level(size.log2()), "points"),
        ("slope", curve.slope(size.log2()), "points per doubling"),
    ] {
        let question = if what == "level" {
            format!("What Average does the curve give at {size} billion parameters?")
        } else {
            format!("What does a doubling of size buy at {size} billion parameters?")
        };
        let interval = contrast.interval.as_ref();
        cells.extend([
            contrast.value.into(),
            interval.map(|interval| interval.low).into(),
            interval.map(|interval| interval.high).into(),
        ]);
        section.findings.push(
            Dimensions::estimated(
                format!("scale.curve.{what}.{name}{ending}"),
                question,
                Some(&contrast),
                unit,
                rows.average.len(),
                "restricted cubic spline of log2 size, five knots",
            )
            .with_note(words)
            .with_figure(if what == "level" {
                "scale-curve"
            } else {
                "scale-gain"
            }),
        );
    }
    cells
}

/// The range of the curve, from the 1 % quantile to the maximum: below it few rows would determine a long linear tail.
fn ends(values: &[f64]) -> (f64, f64) {
    (quantile(values, 0.01), quantile(values, 1.0))
}
