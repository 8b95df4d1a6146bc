//! Results of fitting laws to a set of runs.

use serde::Serialize;

use super::LawTarget;
use crate::finding::Interval;

/// One law with its errors.
#[derive(Debug, Clone, Serialize)]
pub struct Told {
    /// `size`, `shape` or `both`, with `+process` where a process is added.
    pub name: String,
    /// One entry per dimension: exponent (of loss) or slope (of log odds), with a 95 % interval.
    pub exponents: Vec<Exponent>,
    /// The irreducible loss; `None` for scores.
    pub floor: Option<f64>,
    /// Mean absolute leave-one-shape-out error, in the target's unit.
    pub left_out: f64,
    /// Mean absolute error on the runs used for fitting.
    pub fitted: f64,
}

/// Exponent of one dimension.
#[derive(Debug, Clone, Serialize)]
pub struct Exponent {
    /// Name of the dimension.
    pub dimension: &'static str,
    /// Loss: α of x^(−α). Score: change of log odds as ln x grows by one.
    pub value: f64,
    /// Interval from resampling shapes; `None` for laws with a process.
    pub interval: Option<Interval>,
}

/// Result for a set of runs.
#[derive(Debug, Clone, Serialize)]
pub struct Answer {
    /// Kind of the target.
    pub target: LawTarget,
    /// Number of runs.
    pub runs: usize,
    /// Number of distinct shapes, or sizes where shapes are not known.
    pub shapes: usize,
    /// All laws, those without a process first.
    pub laws: Vec<Told>,
    /// Name of the law with the smallest leave-one-shape-out error.
    pub chosen: String,
    /// Mean absolute error of selecting a law without each shape and predicting that shape.
    pub nested: f64,
    /// Effect on the target of doubling the layers at the same number of parameters (width divided by √2), at the
    /// median run, by the law of shape; `None` without such a law.
    pub deeper: Option<Deeper>,
    /// Seed of the bootstrap draws.
    pub seed: u64,
}

/// An effect of depth.
#[derive(Debug, Clone, Serialize)]
pub struct Deeper {
    /// Change of the target, in its unit.
    pub value: f64,
    /// Interval from resampling shapes.
    pub interval: Option<Interval>,
}
