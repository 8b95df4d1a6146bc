//! Differences, slopes and rank correlations within strata.
//!
//! The difference is that of a regression with one intercept per stratum: strata have weights n₁n₀/(n₁ + n₀), so those
//! with one side only do not contribute. Standard errors are clustered by group ([`super::clustered_ols`]).

use std::collections::BTreeMap;

use super::{Contrast, average_ranks, clustered_ols};

/// A difference between two sides within strata.
#[derive(Debug, Clone, PartialEq)]
pub struct Stratified {
    /// The difference, its interval and p value.
    pub difference: Contrast,
    /// Rows in strata that have both sides.
    pub n: usize,
    /// Of those, rows of the first side.
    pub n_first: usize,
    /// Strata that have both sides.
    pub n_strata: usize,
    /// Groups among those rows.
    pub n_groups: usize,
}

/// Mean of the rows where `first` is true minus that of the others, within strata; `None` where no stratum has both
/// sides or fewer than two groups are left.
///
/// # Shapes and units
/// All `(n_rows,)`; the difference is in the unit of `values`.
pub fn stratified_difference<S: Ord>(
    values: &[f64],
    first: &[bool],
    strata: &[S],
    groups: &[u32],
) -> Option<Stratified> {
    let (mut x, mut y, mut group) = (Vec::new(), Vec::new(), Vec::new());
    let (mut n_first, mut n_strata) = (0, 0);
    for rows in members(strata).values() {
        let ones = rows.iter().filter(|&&row| first[row]).count();
        if ones == 0 || ones == rows.len() {
            continue;
        }
        n_strata += 1;
        n_first += ones;
        let share = ones as f64 / rows.len() as f64;
        let mean = rows.iter().map(|&row| values[row]).sum::<f64>() / rows.len() as f64;
        for &row in rows {
            x.push(f64::from(u8::from(first[row])) - share);
            y.push(values[row] - mean);
            group.push(groups[row]);
        }
    }
    let n = y.len();
    let fit = clustered_ols(&[x], &y, &group).ok()?;
    Some(Stratified {
        difference: fit.coefficient(0),
        n,
        n_first,
        n_strata,
        n_groups: fit.n_groups,
    })
}

/// Slope of `y` on `x` within strata, with one intercept per stratum; strata of one row do not contribute. `None` where
/// fewer than two groups are left or x is constant within all strata.
///
/// # Shapes and units
/// All `(n_rows,)`; the slope is in units of y per unit of x.
pub fn stratified_slope<S: Ord>(x: &[f64], y: &[f64], strata: &[S], groups: &[u32]) -> Option<Contrast> {
    let (mut a, mut b, mut group) = (Vec::new(), Vec::new(), Vec::new());
    for rows in members(strata).values().filter(|rows| rows.len() > 1) {
        let mean = |of: &[f64]| rows.iter().map(|&row| of[row]).sum::<f64>() / rows.len() as f64;
        let (mean_x, mean_y) = (mean(x), mean(y));
        for &row in rows {
            a.push(x[row] - mean_x);
            b.push(y[row] - mean_y);
            group.push(groups[row]);
        }
    }
    clustered_ols(&[a], &b, &group).ok().map(|fit| fit.coefficient(0))
}

/// Row indices of each stratum.
fn members<S: Ord>(strata: &[S]) -> BTreeMap<&S, Vec<usize>> {
    let mut members: BTreeMap<&S, Vec<usize>> = BTreeMap::new();
    for (row, stratum) in strata.iter().enumerate() {
        members.entry(stratum).or_default().push(row);
    }
    members
}

/// Ranks within strata, centred and divided by the size of the stratum, for a correlation over all rows. Returns the
/// rows used and the scaled ranks of x and y; strata of one row are left out.
fn ranks_within<S: Ord>(x: &[f64], y: &[f64], strata: &[S]) -> (Vec<usize>, Vec<f64>, Vec<f64>) {
    let (mut places, mut a, mut b) = (Vec::new(), Vec::new(), Vec::new());
    for rows in members(strata).values().filter(|rows| rows.len() > 1) {
        let n = rows.len() as f64;
        let ranked = |values: &[f64]| -> Vec<f64> {
            let own: Vec<f64> = rows.iter().map(|&row| values[row]).collect();
            average_ranks(&own)
                .into_iter()
                .map(|rank| (rank - f64::midpoint(n, 1.0)) / n)
                .collect()
        };
        a.extend(ranked(x));
        b.extend(ranked(y));
        places.extend(rows);
    }
    (places, a, b)
}

/// The rank correlation of `x` and `y` within strata, the number of rows used, and its 95 % interval from resampling
/// groups (ranks are those of all rows, not of each resample).
///
/// # Shapes and units
/// All `(n_rows,)`; the interval is `None` for fewer than five groups.
pub fn correlation_within<S: Ord>(
    x: &[f64],
    y: &[f64],
    strata: &[S],
    groups: &[u32],
    settings: super::GroupBootstrap,
) -> (f64, usize, Option<crate::finding::Interval>) {
    let (rows, a, b) = ranks_within(x, y, strata);
    let dense = crate::groups::Groups::from_labels(&rows.iter().map(|&row| groups[row]).collect::<Vec<_>>());
    let mut sums = vec![[0.0; 3]; dense.n_groups()];
    for ((a, b), &group) in a.iter().zip(&b).zip(dense.ids()) {
        let sum = &mut sums[group];
        sum[0] += a * b;
        sum[1] += a * a;
        sum[2] += b * b;
    }
    let of = |counts: &[u32]| {
        let mut total = [0.0; 3];
        for (sum, &count) in sums.iter().zip(counts) {
            for (total, part) in total.iter_mut().zip(sum) {
                *total += part * f64::from(count);
            }
        }
        total[0] / (total[1] * total[2]).sqrt()
    };
    let value = of(&vec![1; sums.len()]);
    let resampled = super::resample_counts(sums.len(), settings, of);
    (
        value,
        rows.len(),
        super::bootstrap_interval(&resampled, sums.len(), 0.95),
    )
}
