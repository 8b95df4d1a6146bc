//! Comparing like with like: differences and rank correlations within strata.
//!
//! The difference is that of a regression with one intercept a stratum: strata count by n₁n₀/(n₁ + n₀), those with only
//! one side count nothing. Errors allow rows of a group to go together ([`super::clustered_ols`]).

use std::collections::BTreeMap;

use super::{Contrast, average_ranks, clustered_ols};

/// A difference within strata.
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
    /// Groups of those rows.
    pub n_groups: usize,
}

/// Mean of the rows where `first` holds less that of the others, within strata; `None` where no stratum has both sides
/// or fewer than two groups are left.
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

/// Slope of `y` on `x` within strata, one intercept a stratum; strata of one row count nothing. `None` where fewer than
/// two groups are left.
///
/// # Shapes and units
/// All `(n_rows,)`; in units of y per unit of x.
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

/// Rows of each stratum.
fn members<S: Ord>(strata: &[S]) -> BTreeMap<&S, Vec<usize>> {
    let mut members: BTreeMap<&S, Vec<usize>> = BTreeMap::new();
    for (row, stratum) in strata.iter().enumerate() {
        members.entry(stratum).or_default().push(row);
    }
    members
}

/// Rank correlation within strata: ranks of each stratum, centred and divided by its rows, correlated over all rows.
/// Gives a, b and the rows used, ready for [`correlation_of`]; strata of one row are left out.
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

/// The rank correlation of `x` and `y` within strata, the rows it rests on, and its value in each of the resamples of
/// groups (ranks are those of all rows).
///
/// # Shapes and units
/// All `(n_rows,)`; the resampled values `(n_resamples,)`, empty for fewer than five groups.
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
