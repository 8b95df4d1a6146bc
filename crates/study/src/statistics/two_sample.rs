//! Two-sample statistics: Welch's t test (unequal variances) and Hedges' g, as pingouin computes them.
//!
//! Welch (1947), <https://doi.org/10.1093/biomet/34.1-2.28>; Hedges (1981),
//! <https://doi.org/10.3102/10769986006002107>: g = d · (1 − 3/(4(nₓ + nᵧ) − 9)), d from the pooled standard deviation.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use super::{mean, variance};
use crate::finding::Interval;

/// Result of Welch's t test of `x` against `y`.
#[derive(Debug, Clone, PartialEq)]
pub struct Welch {
    /// mean(x) − mean(y).
    pub difference: f64,
    /// t statistic.
    pub t: f64,
    /// Welch–Satterthwaite degrees of freedom.
    pub degrees_of_freedom: f64,
    /// Two-sided p value.
    pub p: f64,
    /// 95 % interval of the difference.
    pub interval: Option<Interval>,
}

/// Welch's t test; all numbers are NaN where a sample has fewer than two values or both are constant.
pub fn welch(x: &[f64], y: &[f64]) -> Welch {
    let (a, b) = (variance(x) / x.len() as f64, variance(y) / y.len() as f64);
    let difference = mean(x) - mean(y);
    let error = (a + b).sqrt();
    let t = difference / error;
    let degrees_of_freedom =
        (a + b).powi(2) / (a * a / (x.len() as f64 - 1.0) + b * b / (y.len() as f64 - 1.0));
    let law = StudentsT::new(0.0, 1.0, degrees_of_freedom)
        .ok()
        .filter(|_| t.is_finite());
    let level = 0.95;
    Welch {
        difference,
        t,
        degrees_of_freedom,
        p: law.as_ref().map_or(f64::NAN, |law| 2.0 * law.sf(t.abs())),
        interval: law.as_ref().map(|law| {
            let half = law.inverse_cdf(0.5 + level / 2.0) * error;
            Interval {
                low: difference - half,
                high: difference + half,
                level,
                method: "welch".into(),
            }
        }),
    }
}

/// Bonferroni's correction: p times the number of tests, at most 1.
pub fn bonferroni(p: f64, n_tests: usize) -> f64 {
    (p * n_tests as f64).min(1.0)
}

/// Hedges' g of `x` against `y`, standardised by the pooled standard deviation.
pub fn hedges_g(x: &[f64], y: &[f64]) -> f64 {
    let (n_x, n_y) = (x.len() as f64, y.len() as f64);
    let pooled = ((n_x - 1.0) * variance(x) + (n_y - 1.0) * variance(y)) / (n_x + n_y - 2.0);
    let d = (mean(x) - mean(y)) / pooled.sqrt();
    d * (1.0 - 3.0 / (4.0 * (n_x + n_y) - 9.0))
}

/// Normal interval of Hedges' g, variance (nₓ + nᵧ)/(nₓ nᵧ) + g²/(2(nₓ + nᵧ)).
pub fn hedges_g_interval(g: f64, n_x: usize, n_y: usize, level: f64) -> Option<Interval> {
    let (n_x, n_y) = (n_x as f64, n_y as f64);
    let error = ((n_x + n_y) / (n_x * n_y) + g * g / (2.0 * (n_x + n_y))).sqrt();
    let half = Normal::standard().inverse_cdf(0.5 + level / 2.0) * error;
    half.is_finite().then(|| Interval {
        low: g - half,
        high: g + half,
        level,
        method: "normal".into(),
    })
}
