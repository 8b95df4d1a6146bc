//! Figures of the curve and its derivative.

use super::{Curve, ONE_POINT, Rows, ends};
use crate::section::{Axis, Drawing, Figure, Layer, Panel};

pub(super) fn figures(rows: &Rows, curve: &Curve) -> [Figure; 2] {
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
            .filter(|(x, _)| **x >= from)
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
                 shape going together; n = {n} evaluations, of \
                 which the smallest 1 % are not drawn."
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
