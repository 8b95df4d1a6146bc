//! The least-squares regression line through points, and its R².

use super::mean;

/// y = intercept + slope · x.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Units of y per unit of x.
    pub slope: f64,
    /// Value at x = 0.
    pub intercept: f64,
    /// Share of the variance of y that the line explains; with an intercept, Pearson's r squared.
    pub r2: f64,
}

/// Fits the line; all fields are NaN where x is constant.
pub fn least_squares_line(x: &[f64], y: &[f64]) -> Line {
    let (mean_x, mean_y) = (mean(x), mean(y));
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (a, b) in x.iter().zip(y) {
        xy += (a - mean_x) * (b - mean_y);
        xx += (a - mean_x).powi(2);
        yy += (b - mean_y).powi(2);
    }
    let slope = xy / xx;
    Line {
        slope,
        intercept: mean_y - slope * mean_x,
        r2: xy * xy / (xx * yy),
    }
}
