//! Descriptive statistics of one column, by the definitions of pandas.

use super::{kurtosis, mean, mode, quantile_of_sorted, skewness, sorted, standard_deviation};

/// Descriptive statistics of a column; NaN where there are too few values.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// Number of values present.
    pub n: usize,
    /// Missing values, as a fraction of all rows.
    pub missing: f64,
    /// Arithmetic mean.
    pub mean: f64,
    /// Standard deviation with n − 1 in the denominator.
    pub sd: f64,
    /// Most frequent value; the smallest of several.
    pub mode: f64,
    /// Smallest value.
    pub min: f64,
    /// Lower quartile.
    pub q1: f64,
    /// Median.
    pub median: f64,
    /// Upper quartile.
    pub q3: f64,
    /// Largest value.
    pub max: f64,
    /// Bias-corrected skewness.
    pub skewness: f64,
    /// Bias-corrected excess kurtosis.
    pub kurtosis: f64,
}

/// Describes a column, `(n_rows,)`, with `None` where a value is missing.
pub fn describe(column: &[Option<f64>]) -> Description {
    let values: Vec<f64> = column.iter().flatten().copied().collect();
    let ordered = sorted(&values);
    Description {
        n: values.len(),
        missing: 1.0 - values.len() as f64 / column.len() as f64,
        mean: mean(&values),
        sd: standard_deviation(&values),
        mode: mode(&values).unwrap_or(f64::NAN),
        min: ordered.first().copied().unwrap_or(f64::NAN),
        q1: quantile_of_sorted(&ordered, 0.25),
        median: quantile_of_sorted(&ordered, 0.5),
        q3: quantile_of_sorted(&ordered, 0.75),
        max: ordered.last().copied().unwrap_or(f64::NAN),
        skewness: skewness(&values),
        kurtosis: kurtosis(&values),
    }
}
