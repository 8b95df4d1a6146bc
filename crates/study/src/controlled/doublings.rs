//! Effects of doubling a part on the mean of some benchmarks in a suite: the evidence used for planning.

use super::suite::{FIRST_PART, SIZE, Suite};
use super::{ControlledRun, Fixed};
use crate::statistics::mean;

/// An effect on the mean of benchmarks, with the context needed for planning.
#[derive(Debug, Clone, PartialEq)]
pub struct Doubling {
    /// The suite.
    pub suite: String,
    /// The part: `layers`.
    pub part: &'static str,
    /// Benchmarks whose mean is the target.
    pub benchmarks: Vec<String>,
    /// Effect in points per doubling at fixed size.
    pub value: f64,
    /// HC3 standard error of the effect.
    pub error: f64,
    /// Residual degrees of freedom: rows minus columns.
    pub df: f64,
    /// Effect in points per doubling of size.
    pub size: f64,
    /// Residual standard deviation of a shape's score, in points.
    pub residual: f64,
    /// Number of shapes.
    pub shapes: usize,
    /// Smallest and largest ratio of width to layers.
    pub widths_per_layer: (f64, f64),
    /// Smallest and largest number of layers.
    pub layers: (f64, f64),
    /// Smallest and largest number of parameters.
    pub parameters: (f64, f64),
}

/// Effects of every part that varies independently in a suite, on the mean of the benchmarks that `asks` accepts, given
/// their name and ability.
pub fn doublings(runs: &[ControlledRun], fixed: Fixed, asks: impl Fn(&str, &str) -> bool) -> Vec<Doubling> {
    let mut all = Vec::new();
    for suite in Suite::all(runs) {
        let own: Vec<&str> = suite
            .benchmarks
            .iter()
            .filter(|(name, ability)| *name != super::suite::AVERAGE && asks(name, ability))
            .map(|(name, _)| *name)
            .collect();
        let Some(design) = suite.design(fixed).filter(|_| !own.is_empty()) else {
            continue;
        };
        let scores: Vec<Vec<f64>> = own.iter().map(|name| suite.scores(name)).collect();
        let target: Vec<f64> = (0..suite.shapes.len())
            .map(|shape| mean(&scores.iter().map(|score| score[shape]).collect::<Vec<f64>>()))
            .collect();
        let fit = design.linear.fit(&target);
        let squares: f64 = fit.residuals.iter().map(|e| e * e).sum();
        let ends = |of: &dyn Fn(&ControlledRun) -> Option<f64>| -> (f64, f64) {
            let values = suite.shapes.iter().filter_map(|shape| of(shape.run));
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| {
                (low.min(x), high.max(x))
            })
        };
        for (place, part) in design.parts.iter().enumerate() {
            all.push(Doubling {
                suite: suite.name.to_owned(),
                part,
                benchmarks: own.iter().map(ToString::to_string).collect(),
                value: fit.coefficients[FIRST_PART + place],
                error: fit.error(FIRST_PART + place),
                df: fit.df,
                size: fit.coefficients[SIZE],
                residual: (squares / fit.df).sqrt(),
                shapes: suite.shapes.len(),
                widths_per_layer: ends(&|run| Some(run.parts[1]? / run.parts[0]?)),
                layers: ends(&|run| run.parts[0]),
                parameters: ends(&|run| Fixed::Parameters.of(run)),
            });
        }
    }
    all
}
