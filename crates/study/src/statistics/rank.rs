//! Ranks with ties averaged, and Pearson's and Spearman's correlation.
//!
//! The interval of Spearman's ρ is Fisher's z with the variance of Bonett and Wright (2000),
//! (1 + ρ²/2)/(n − 3), <https://doi.org/10.1007/BF02294183>; of Pearson's r with 1/(n − 3).

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use crate::finding::Interval;

/// A correlation with its p value (two-sided, Student's t) and interval.
#[derive(Debug, Clone, PartialEq)]
pub struct Correlation {
    /// Coefficient in `[-1, 1]`.
    pub value: f64,
    /// Number of pairs.
    pub n: usize,
    /// Two-sided p value; NaN for fewer than three pairs.
    pub p: f64,
    /// 95 % interval; `None` for fewer than four pairs.
    pub interval: Option<Interval>,
}

/// Ranks from 1, ties averaged (`scipy.stats.rankdata`).
pub fn average_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for run in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = first as f64 + f64::midpoint(run.len() as f64, 1.0);
        for &row in run {
            ranks[row] = rank;
        }
        first += run.len();
    }
    ranks
}

/// Pearson's r of two columns of equal length; NaN where one is constant.
pub fn pearson(x: &[f64], y: &[f64]) -> Correlation {
    let value = coefficient(x, y);
    with_inference(value, x.len(), 1.0, "fisher z")
}

/// Spearman's ρ of two columns of equal length; NaN where one is constant.
pub fn spearman(x: &[f64], y: &[f64]) -> Correlation {
    let value = coefficient(&average_ranks(x), &average_ranks(y));
    with_inference(
        value,
        x.len(),
        1.0 + value * value / 2.0,
        "fisher z (bonett-wright)",
    )
}

fn coefficient(x: &[f64], y: &[f64]) -> f64 {
    let (mean_x, mean_y) = (super::mean(x), super::mean(y));
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (a, b) in x.iter().zip(y) {
        let (a, b) = (a - mean_x, b - mean_y);
        xy += a * b;
        xx += a * a;
        yy += b * b;
    }
    (xy / (xx * yy).sqrt()).clamp(-1.0, 1.0)
}

fn with_inference(value: f64, n: usize, spread: f64, method: &str) -> Correlation {
    let degrees = n as f64 - 2.0;
    let p = StudentsT::new(0.0, 1.0, degrees)
        .ok()
        .filter(|_| value.is_finite())
        .map_or(f64::NAN, |law| {
            let t = value * (degrees / (1.0 - value * value)).sqrt();
            if t.is_infinite() {
                0.0
            } else {
                2.0 * law.sf(t.abs())
            }
        });
    let level = 0.95;
    let interval = (n > 3 && value.is_finite()).then(|| {
        let half = Normal::standard().inverse_cdf(0.5 + level / 2.0) * (spread / (n as f64 - 3.0)).sqrt();
        let z = value.atanh();
        Interval {
            low: (z - half).tanh(),
            high: (z + half).tanh(),
            level,
            method: method.into(),
        }
    });
    Correlation {
        value,
        n,
        p,
        interval,
    }
}
