//! Dependence of predictions on one column: partial dependence (Friedman 2001) and accumulated local effects (Apley and
//! Zhu 2020, <https://doi.org/10.1111/rssb.12377>), with the number of rows behind each point.
//!
//! Partial dependence sets the column to each value on all rows, even where no such row occurs; local effects move rows
//! only to the edges of their own bin, so with correlated columns they do not create impossible rows.

use super::Setting;
use crate::design::Design;
use crate::error::Error;
use crate::finding::Interval;
use crate::regression::Fit;
use crate::statistics::percentile_interval;

/// Kind of curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// Mean prediction with the column set to the value.
    PartialDependence,
    /// Accumulated mean differences within bins, centred to a mean of 0 over the rows.
    LocalEffects,
}

/// One point of a curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Value of the column.
    pub at: f64,
    /// Mean over folds and seeds, in the target's unit.
    pub value: f64,
    /// Central 95 % of the values over folds and seeds.
    pub interval: Option<Interval>,
    /// Support: number of rows of the table that are nearest to this point.
    pub rows: usize,
}

/// The curve of column `feature` at up to `points` of its quantiles, averaged over the fits of all folds and seeds.
/// Each fit is averaged over its own training rows.
///
/// # Errors
/// As [`crate::evaluate::evaluate`]; [`Error::BadSetting`] if `points` is below 2.
pub fn dependence(
    setting: &Setting<'_>,
    curve: Curve,
    feature: usize,
    points: usize,
) -> Result<Vec<Point>, Error> {
    if points < 2 {
        return Err(Error::BadSetting {
            name: "points",
            value: points as f64,
            must: "at least 2",
        });
    }
    let grid = quantiles(setting.design.column(feature), points);
    let draws = setting.each_fit(|fit, fold, _| {
        let rows = setting.design.select(&fold.train);
        match curve {
            Curve::PartialDependence => partial(fit, &rows, feature, &grid),
            Curve::LocalEffects => local(fit, &rows, feature, &grid),
        }
    })?;
    let mut support = vec![0; grid.len()];
    for &x in setting.design.column(feature) {
        let nearer = |a: &usize, b: &usize| (grid[*a] - x).abs().total_cmp(&(grid[*b] - x).abs());
        if let Some(nearest) = (0..grid.len()).min_by(nearer) {
            support[nearest] += 1;
        }
    }
    let point = |(k, &at): (usize, &f64)| {
        let values: Vec<f64> = draws.iter().map(|d| d[k]).collect();
        let value = values.iter().sum::<f64>() / values.len() as f64;
        let method = format!("2.5 to 97.5 % of {} folds × seeds", values.len());
        Point {
            at,
            value,
            interval: percentile_interval(&values, 0.95, method),
            rows: support[k],
        }
    };
    Ok(grid.iter().enumerate().map(point).collect())
}

/// Distinct values at evenly spaced ranks, including the first and the last.
fn quantiles(column: &[f64], points: usize) -> Vec<f64> {
    let mut sorted = column.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |k: usize| sorted[k * (sorted.len() - 1) / (points - 1)];
    let mut grid: Vec<f64> = (0..points).map(at).collect();
    grid.dedup();
    grid
}

fn partial(fit: &dyn Fit, rows: &Design, feature: usize, grid: &[f64]) -> Result<Vec<f64>, Error> {
    let mean_at = |&at: &f64| {
        let moved = rows.with_column(feature, vec![at; rows.n_rows()])?;
        let values = fit.predict(&moved)?;
        Ok(values.iter().sum::<f64>() / values.len() as f64)
    };
    grid.iter().map(mean_at).collect()
}

fn local(fit: &dyn Fit, rows: &Design, feature: usize, grid: &[f64]) -> Result<Vec<f64>, Error> {
    // Bin k is between grid values k and k + 1; its rows are moved to both edges.
    let bins = grid.len().max(2) - 1;
    let bin = |x: &f64| grid.partition_point(|g| g < x).clamp(1, bins) - 1;
    let of_row: Vec<usize> = rows.column(feature).iter().map(bin).collect();
    let edge = |k: usize| grid[k.min(grid.len() - 1)];
    let low = rows.with_column(feature, of_row.iter().map(|&b| edge(b)).collect())?;
    let high = rows.with_column(feature, of_row.iter().map(|&b| edge(b + 1)).collect())?;
    let (below, above) = (fit.predict(&low)?, fit.predict(&high)?);
    let mut sums = vec![(0.0, 0.0); bins];
    for ((&b, below), above) in of_row.iter().zip(below).zip(above) {
        sums[b] = (sums[b].0 + above - below, sums[b].1 + 1.0);
    }
    let mut values = vec![0.0];
    for (sum, n) in &sums[..grid.len() - 1] {
        let step = if *n > 0.0 { sum / n } else { 0.0 };
        values.push(values[values.len() - 1] + step);
    }
    // Centred so that the mean over rows is 0, with each row at the mean of its bin's edges.
    let total: f64 = sums.iter().map(|s| s.1).sum();
    let middle = |k: usize| f64::midpoint(values[k], values[(k + 1).min(values.len() - 1)]);
    let center: f64 = sums.iter().enumerate().map(|(k, s)| s.1 * middle(k)).sum();
    Ok(values.iter().map(|v| v - center / total).collect())
}
