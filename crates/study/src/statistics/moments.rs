//! Moments: mean, standard deviation (n − 1), skewness and kurtosis as pandas corrects them for bias.
//!
//! Skewness is G₁ = √(n(n−1))/(n−2) · m₃/m₂^{3/2}; kurtosis is the excess
//! G₂ = (n−1)/((n−2)(n−3)) · ((n+1) m₄/m₂² − 3(n−1)) (Joanes and Gill 1998, <https://doi.org/10.1111/1467-9884.00122>).

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::finding::Interval;
use crate::groups::Groups;

/// Sum by Neumaier's compensated summation, accurate also for values of very different magnitude.
pub fn sum(values: &[f64]) -> f64 {
    let mut total = 0.0;
    let mut lost = 0.0;
    for &value in values {
        let next = total + value;
        lost += if f64::abs(total) >= f64::abs(value) {
            (total - next) + value
        } else {
            (value - next) + total
        };
        total = next;
    }
    total + lost
}

/// Arithmetic mean; NaN for no values.
pub fn mean(values: &[f64]) -> f64 {
    sum(values) / values.len() as f64
}

/// Mean of a column, `(n_rows,)`, in each group, in the order of the group ids.
pub(crate) fn means_of_groups(column: &[f64], groups: &Groups) -> Vec<f64> {
    let of = |rows: &Vec<usize>| mean(&rows.iter().map(|&row| column[row]).collect::<Vec<_>>());
    groups.members().iter().map(of).collect()
}

/// Variance with n − 1 in the denominator; NaN for fewer than two values.
pub fn variance(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return f64::NAN;
    }
    central_sum(values, 2) / (values.len() as f64 - 1.0)
}

/// Standard deviation with n − 1 in the denominator; NaN for fewer than two values.
pub fn standard_deviation(values: &[f64]) -> f64 {
    variance(values).sqrt()
}

/// Skewness G₁, as `pandas.Series.skew`; NaN for fewer than three values, 0 where all are equal.
pub fn skewness(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    if n < 3.0 {
        return f64::NAN;
    }
    let m2 = central_sum(values, 2);
    let m3 = central_sum(values, 3);
    if m2 == 0.0 {
        return 0.0;
    }
    (n * (n - 1.0).sqrt() / (n - 2.0)) * (m3 / m2.powf(1.5))
}

/// Excess kurtosis G₂, as `pandas.Series.kurt`; NaN for fewer than four values, 0 where all are equal.
pub fn kurtosis(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    if n < 4.0 {
        return f64::NAN;
    }
    let m2 = central_sum(values, 2);
    let m4 = central_sum(values, 4);
    if m2 == 0.0 {
        return 0.0;
    }
    let numerator = n * (n + 1.0) * (n - 1.0) * m4;
    let denominator = (n - 2.0) * (n - 3.0) * m2 * m2;
    numerator / denominator - 3.0 * (n - 1.0).powi(2) / ((n - 2.0) * (n - 3.0))
}

/// The most frequent value, the smallest of several; `None` where there are no values.
pub fn mode(values: &[f64]) -> Option<f64> {
    let ordered = super::sorted(values);
    let mut best: Option<(usize, f64)> = None;
    for run in ordered.chunk_by(|a, b| a == b) {
        if best.is_none_or(|(count, _)| run.len() > count) {
            best = Some((run.len(), run[0]));
        }
    }
    best.map(|(_, value)| value)
}

/// Student's t interval of a mean; `None` for fewer than two values.
pub fn mean_interval(values: &[f64], level: f64) -> Option<Interval> {
    let n = values.len() as f64;
    let law = StudentsT::new(0.0, 1.0, n - 1.0).ok()?;
    let half = law.inverse_cdf(0.5 + level / 2.0) * standard_deviation(values) / n.sqrt();
    let centre = mean(values);
    half.is_finite().then(|| Interval {
        low: centre - half,
        high: centre + half,
        level,
        method: "student t".into(),
    })
}

/// Σ (x − mean)^power.
fn central_sum(values: &[f64], power: i32) -> f64 {
    let centre = mean(values);
    let powers: Vec<f64> = values.iter().map(|value| (value - centre).powi(power)).collect();
    sum(&powers)
}
