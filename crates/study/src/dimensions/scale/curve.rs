//! Score against the logarithm of size: a smooth curve, what a doubling buys along it, and where that falls below a point.

use std::collections::BTreeMap;

use super::super::{Dimensions, source};
use crate::finding::Finding;
use crate::section::{Axis, Cell, Drawing, Figure, Layer, Panel, Section, Table};
use crate::statistics::{
    OlsFit, RestrictedSpline, bootstrap_interval, clustered_ols, mean, resample_counts, stratified_slope,
};

/// Sizes at which curve and slope are printed, billions of parameters.
const AT: [f64; 7] = [0.5, 1.0, 3.0, 7.0, 14.0, 32.0, 70.0];
/// Points per doubling below which more size is called not worth it.
const ONE_POINT: f64 = 1.0;
/// Steps of log2 size on which the threshold is looked for.
const STEP: f64 = 0.01;

/// What the curve is fitted on.
struct Rows {
    /// Ending of the ids, and words.
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
    // One set of knots for both, at quantiles over shapes: a base with 800 fine-tunes does not draw them all to itself.
    let Some(spline) = RestrictedSpline::five_knots(&shapes.log_size) else {
        return;
    };
    for data in [&rows, &shapes] {
        let Ok(curve) = fit(data, &spline) else { continue };
        for size in AT {
            table.rows.push(at(data, &curve, size, section));
        }
        section.findings.push(threshold(dimensions, data, &curve));
        if data.variant.0.is_empty() {
            section.figures.extend(figures(data, &curve));
        }
    }
    section.tables.push(table);
    slopes(dimensions, section);
    words(section);
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

/// Means of each shape.
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
    fn level(&self, x: f64) -> crate::statistics::Contrast {
        self.fit.contrast(&design(&self.spline, x))
    }

    fn slope(&self, x: f64) -> crate::statistics::Contrast {
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

/// The first size after the steepest place where a doubling buys less than a point.
fn crossing(spline: &RestrictedSpline, coefficients: &[f64], from: f64, to: f64) -> Option<f64> {
    let slope = |x: f64| -> f64 {
        spline
            .slope(x)
            .iter()
            .zip(&coefficients[1..])
            .map(|(basis, b)| basis * b)
            .sum()
    };
    let n = ((to - from) / STEP).ceil() as usize;
    let xs: Vec<f64> = (0..=n).map(|step| (from + STEP * step as f64).min(to)).collect();
    let slopes: Vec<f64> = xs.iter().map(|&x| slope(x)).collect();
    let steepest = (0..slopes.len()).max_by(|&a, &b| slopes[a].total_cmp(&slopes[b]))?;
    let first = (steepest..slopes.len()).find(|&place| slopes[place] < ONE_POINT)?;
    if first == steepest {
        return Some(xs[first]);
    }
    let (above, below) = (slopes[first - 1], slopes[first]);
    let share = (above - ONE_POINT) / (above - below);
    Some(xs[first - 1] + share * (xs[first] - xs[first - 1]))
}

fn threshold(dimensions: &Dimensions<'_>, rows: &Rows, curve: &Curve) -> Finding {
    let (ending, words) = rows.variant;
    let (from, to) = ends(&rows.log_size);
    let found = crossing(&curve.spline, &curve.fit.coefficients, from, to);
    let (sums, k) = normal_equations(rows, &curve.spline);
    let resampled: Vec<Option<f64>> = resample_counts(sums.len(), dimensions.settings(), |counts| {
        let mut total = vec![0.0; k * (k + 1)];
        for (sum, &count) in sums.iter().zip(counts).filter(|(_, count)| **count > 0) {
            for (total, part) in total.iter_mut().zip(sum) {
                *total += part * f64::from(count);
            }
        }
        solve(total, k)
            .map(|coefficients| crossing(&curve.spline, &coefficients, from, to).unwrap_or(f64::INFINITY))
    });
    let solved: Vec<f64> = resampled.into_iter().flatten().collect();
    let never = solved.iter().filter(|x| x.is_infinite()).count() as f64 / solved.len().max(1) as f64;
    // A resample that never falls below a point counts with the largest size there is.
    let sizes: Vec<f64> = solved.iter().map(|x| x.min(to).exp2()).collect();
    Finding::new(
        format!("scale.curve.one_point_size{ending}"),
        "From which size does a doubling buy less than one point of Average?",
        &source(),
    )
    .with_value(
        found.map_or(f64::NAN, f64::exp2),
        "billions of parameters",
        rows.average.len(),
        "derivative of a restricted cubic spline of log2 size, five knots",
    )
    .with_interval(bootstrap_interval(&sizes, sums.len(), 0.95))
    .with_seed(dimensions.seed)
    .with_note(words)
    .with_note(format!(
        "in {:.0} % of resamples a doubling buys more than a point up to the largest size, {:.0} billion, which then stands \
         for it; no value: so it is on the rows themselves",
        100.0 * never,
        to.exp2()
    ))
    .with_figure("scale-gain")
}

fn ends(values: &[f64]) -> (f64, f64) {
    values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| {
            (low.min(x), high.max(x))
        })
}

/// Sums of the normal equations of each shape: XᵀX row by row, then Xᵀy.
fn normal_equations(rows: &Rows, spline: &RestrictedSpline) -> (Vec<Vec<f64>>, usize) {
    let groups = crate::groups::Groups::from_labels(&rows.shape);
    let k = spline.n_columns() + 1;
    let mut sums = vec![vec![0.0; k * (k + 1)]; groups.n_groups()];
    for (row, &group) in groups.ids().iter().enumerate() {
        let basis = design(spline, rows.log_size[row]);
        let sum = &mut sums[group];
        for i in 0..k {
            for j in 0..k {
                sum[i * k + j] += basis[i] * basis[j];
            }
            sum[k * k + i] += basis[i] * rows.average[row];
        }
    }
    (sums, k)
}

/// Solves the normal equations by Cholesky's factor; `None` where they are singular.
fn solve(mut sums: Vec<f64>, k: usize) -> Option<Vec<f64>> {
    let mut right = sums.split_off(k * k);
    let mut lower = sums;
    for i in 0..k {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|m| lower[i * k + m] * lower[j * k + m]).sum();
            let left = lower[i * k + j] - dot;
            if i == j {
                if left <= 1e-12 * lower[i * k + i].abs() {
                    return None;
                }
                lower[i * k + i] = left.sqrt();
            } else {
                lower[i * k + j] = left / lower[j * k + j];
            }
        }
    }
    for i in 0..k {
        let dot: f64 = (0..i).map(|m| lower[i * k + m] * right[m]).sum();
        right[i] = (right[i] - dot) / lower[i * k + i];
    }
    for i in (0..k).rev() {
        let dot: f64 = (i + 1..k).map(|m| lower[m * k + i] * right[m]).sum();
        right[i] = (right[i] - dot) / lower[i * k + i];
    }
    Some(right)
}

/// One straight slope: raw, among pretrained only, and among checkpoints of the same month.
fn slopes(dimensions: &Dimensions<'_>, section: &mut Section) {
    let variants: [(&str, &str, fn(&super::super::LeaderboardRow) -> Option<i64>); 4] = [
        ("raw", "among all evaluations", |_| Some(0)),
        (
            "within_month",
            "among checkpoints published in the same month",
            |row| row.month(),
        ),
        ("pretrained", "among pretrained checkpoints only", |row| {
            (row.kind.as_deref() == Some("pretrained")).then_some(0)
        }),
        (
            "post_trained",
            "among checkpoints that are not pretrained only",
            |row| {
                row.kind
                    .as_deref()
                    .filter(|kind| *kind != "pretrained")
                    .map(|_| 0)
            },
        ),
    ];
    for (name, words, stratum) in variants {
        let (mut x, mut y, mut strata, mut shape) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for row in dimensions.rows {
            if let (Some(size), Some(of)) = (row.best_size(), stratum(row)) {
                x.push(size.log2());
                y.push(row.average);
                strata.push(of);
                shape.push(row.shape);
            }
        }
        let slope = stratified_slope(&x, &y, &strata, &shape);
        section.findings.push(
            Dimensions::estimated(
                format!("scale.slope.{name}"),
                format!("What does a doubling of size buy {words}, along a straight line?"),
                slope.as_ref(),
                "points per doubling",
                y.len(),
                "least squares on log2 size within strata",
            )
            .with_note("clustered by shape"),
        );
    }
}

fn words(section: &mut Section) {
    let find = |id: &str| section.findings.iter().find(|finding| finding.id == id);
    let value = |id: &str| find(id).and_then(|finding| finding.value);
    let range = |id: &str| {
        let interval = find(id).and_then(|finding| finding.interval.as_ref());
        interval.map_or(String::new(), |ends| {
            format!(" [{:.1}, {:.1}]", ends.low, ends.high)
        })
    };
    let id = "scale.curve.one_point_size";
    let mut text = match value(id) {
        Some(size) => format!(
            "Along a smooth curve a doubling buys {:.1} points at 3 and {:.1} at 32 billion parameters; it falls below one point \
             at {size:.0} billion{}.",
            value("scale.curve.slope.3b").unwrap_or(f64::NAN),
            value("scale.curve.slope.32b").unwrap_or(f64::NAN),
            range(id)
        ),
        None => format!(
            "Along a smooth curve a doubling buys {:.1} points at 3 and {:.1} at 32 billion parameters; it does not fall below one \
             point up to the largest size there is.",
            value("scale.curve.slope.3b").unwrap_or(f64::NAN),
            value("scale.curve.slope.32b").unwrap_or(f64::NAN),
        ),
    };
    text.push_str(" The interval counts a resample that never falls so low with the largest size.");
    section.text.push(text);
    section.text.push(format!(
        "What would change the answer: more shapes above 40 billion parameters, where few stand behind the curve; sizes tried \
         at equal data, since large checkpoints also saw more of it; and the choice of rows: a doubling buys {:.1}{} points \
         among all, {:.1}{} within a month of publication, {:.1}{} among pretrained checkpoints.",
        value("scale.slope.raw").unwrap_or(f64::NAN),
        range("scale.slope.raw"),
        value("scale.slope.within_month").unwrap_or(f64::NAN),
        range("scale.slope.within_month"),
        value("scale.slope.pretrained").unwrap_or(f64::NAN),
        range("scale.slope.pretrained"),
    ));
}

fn figures(rows: &Rows, curve: &Curve) -> [Figure; 2] {
    let (from, to) = ends(&rows.log_size);
    let xs: Vec<f64> = (0..=80)
        .map(|step| from + (to - from) * f64::from(step) / 80.0)
        .collect();
    let drawn = |of: &dyn Fn(f64) -> crate::statistics::Contrast, name: &str| {
        let mut line = Vec::new();
        let mut band = Vec::new();
        for &x in &xs {
            let found = of(x);
            line.push((x.exp2(), found.value));
            if let Some(interval) = found.interval {
                band.push((x.exp2(), interval.low, interval.high));
            }
        }
        [
            Layer::Band {
                name: name.into(),
                points: band,
            },
            Layer::Line {
                name: name.into(),
                points: line,
                step: false,
            },
        ]
    };
    let n = rows.average.len();
    let figure = |id: &str, title: &str, caption: String, y: &str, layers: Vec<Layer>| Figure {
        id: id.into(),
        title: title.into(),
        caption,
        n,
        x: Axis::log("size (billions of parameters)"),
        y: Axis::linear(y),
        drawing: Drawing::Panels(vec![Panel {
            title: String::new(),
            layers,
        }]),
    };
    let mut layers = vec![Layer::Markers {
        name: "evaluations".into(),
        points: rows
            .log_size
            .iter()
            .zip(&rows.average)
            .map(|(x, y)| (x.exp2(), *y))
            .collect(),
        sizes: Vec::new(),
    }];
    layers.extend(drawn(&|x| curve.level(x), "spline and 95 % interval"));
    let mut gain = drawn(&|x| curve.slope(x), "gain per doubling").to_vec();
    gain.push(Layer::Level {
        y: ONE_POINT,
        label: "one point per doubling".into(),
    });
    [
        figure(
            "scale-curve",
            "Score against size",
            format!(
                "Average rises with size and flattens; restricted cubic spline with five knots and its 95 % interval, rows of one \
                 shape going together; n = {n} evaluations."
            ),
            "Average of six benchmarks (points)",
            layers,
        ),
        figure(
            "scale-gain",
            "What a doubling of size buys",
            format!(
                "Derivative of the curve, with its 95 % interval; the dashed line is one point per doubling; n = {n} evaluations."
            ),
            "gain per doubling (points)",
            gain,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_that_bends_at_a_known_size_is_found_there() {
        // Slope of a − x²/2 is −x: with y = 6x − x²/2 it is 6 − x, one point at x = 5.
        let rows = Rows {
            variant: ("", ""),
            log_size: (0..=70).map(|x| f64::from(x) / 10.0).collect(),
            average: (0..=70)
                .map(|x| f64::from(x) / 10.0)
                .map(|x| 6.0 * x - x * x / 2.0)
                .collect(),
            shape: (0..=70).collect(),
        };
        let spline = RestrictedSpline::five_knots(&rows.log_size).expect("knots");
        let curve = fit(&rows, &spline).expect("a fit");
        let found = crossing(&curve.spline, &curve.fit.coefficients, 0.0, 7.0).expect("it falls below");
        assert!((found - 5.0).abs() < 0.2, "{found}");
        let (sums, k) = normal_equations(&rows, &spline);
        let total = (0..k * (k + 1))
            .map(|place| sums.iter().map(|sum| sum[place]).sum())
            .collect();
        let again = solve(total, k).expect("regular");
        for (a, b) in again.iter().zip(&curve.fit.coefficients) {
            assert!((a - b).abs() < 1e-6 * (1.0 + b.abs()), "{a} {b}");
        }
    }
}
