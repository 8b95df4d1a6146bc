//! What is said of a set of runs.

use serde::Serialize;

use super::LawTarget;
use crate::finding::Interval;

/// One law and how right it is.
#[derive(Debug, Clone, Serialize)]
pub struct Told {
    /// `size`, `shape`, `both`, with `+process` where a process follows.
    pub name: String,
    /// The dimensions, each with its exponent (of loss) or slope (of log odds) and 95 % interval.
    pub exponents: Vec<Exponent>,
    /// The loss that no size takes away.
    pub floor: Option<f64>,
    /// Mean absolute error on shapes left out one at a time, in the target's unit.
    pub left_out: f64,
    /// Mean absolute error on the runs that were fitted.
    pub fitted: f64,
}

/// One dimension's exponent.
#[derive(Debug, Clone, Serialize)]
pub struct Exponent {
    /// Its name.
    pub dimension: &'static str,
    /// Loss: α of x^(−α). Score: change of log odds as ln x grows by one.
    pub value: f64,
    /// Over resamples of shapes.
    pub interval: Option<Interval>,
}

/// What is said of a set of runs.
#[derive(Debug, Clone, Serialize)]
pub struct Answer {
    /// What the target is.
    pub target: LawTarget,
    /// Runs.
    pub runs: usize,
    /// Distinct shapes, or sizes where shapes are not known.
    pub shapes: usize,
    /// Every law, the plain ones first.
    pub laws: Vec<Told>,
    /// The law of least error on shapes left out.
    pub chosen: String,
    /// Error on shapes left out when the choice is made without them each time.
    pub nested: f64,
    /// What doubling the layers at the same number of parameters (the width falls by √2) does to the target at the middle
    /// run, by the law of shape.
    pub deeper: Option<Deeper>,
    /// Seed of the resamples.
    pub seed: u64,
}

/// An effect of depth.
#[derive(Debug, Clone, Serialize)]
pub struct Deeper {
    /// Change of the target.
    pub value: f64,
    /// Over resamples of shapes.
    pub interval: Option<Interval>,
}
