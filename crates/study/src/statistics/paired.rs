//! Paired differences: mean, Student's t interval and p value, and Cohen's d of the differences.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::{mean, mean_interval, standard_deviation};
use crate::finding::Interval;

/// Result of a paired t test.
#[derive(Debug, Clone, PartialEq)]
pub struct Paired {
    /// Number of pairs.
    pub n: usize,
    /// Mean difference.
    pub difference: f64,
    /// 95 % interval; `None` for fewer than two pairs or where all differences are equal.
    pub interval: Option<Interval>,
    /// Two-sided p value; NaN for fewer than two pairs or where all differences are equal.
    pub p: f64,
    /// Mean difference divided by the standard deviation of the differences (Cohen's `d_z`).
    pub effect: f64,
}

/// Tests whether the mean of paired differences is zero (`scipy.stats.ttest_1samp`).
pub fn paired(differences: &[f64]) -> Paired {
    let n = differences.len();
    let difference = mean(differences);
    let effect = difference / standard_deviation(differences);
    let t = effect * (n as f64).sqrt();
    let p = StudentsT::new(0.0, 1.0, n as f64 - 1.0)
        .ok()
        .filter(|_| t.is_finite())
        .map_or(f64::NAN, |law| 2.0 * law.sf(t.abs()));
    Paired {
        n,
        difference,
        interval: mean_interval(differences, 0.95).filter(|interval| interval.low < interval.high),
        p,
        effect,
    }
}
