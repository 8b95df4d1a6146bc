//! The size at which the gain per doubling falls below one point, with its distribution over resamples of shapes.

use super::super::super::{Dimensions, source};
use super::{Curve, ONE_POINT, Rows, design, ends};
use crate::finding::Finding;
use crate::statistics::{RestrictedSpline, bootstrap_interval, resample_counts};

/// Grid step of log2 size for the search of the threshold.
const STEP: f64 = 0.01;

/// The first log2 size, from the steepest point on, at which a doubling gains less than a point; `None` if there is
/// none.
fn crossing(spline: &RestrictedSpline, coefficients: &[f64], from: f64, to: f64) -> Option<f64> {
    let slope = |x: f64| -> f64 {
        spline
            .slope(x)
            .iter()
            .zip(&coefficients[1..])
            .map(|(basis, b)| basis * b)
            .sum()
    };
    let n = ((to - from) / STEP).ceil() as usize;
    let xs: Vec<f64> = (0..=n).map(|step| (from + STEP * step as f64).min(to)).collect();
    let slopes: Vec<f64> = xs.iter().map(|&x| slope(x)).collect();
    let steepest = (0..slopes.len()).max_by(|&a, &b| slopes[a].total_cmp(&slopes[b]))?;
    let first = (steepest..slopes.len()).find(|&place| slopes[place] < ONE_POINT)?;
    if first == steepest {
        return Some(xs[first]);
    }
    let (above, below) = (slopes[first - 1], slopes[first]);
    let share = (above - ONE_POINT) / (above - below);
    Some(xs[first - 1] + share * (xs[first] - xs[first - 1]))
}

pub(super) fn threshold(dimensions: &Dimensions<'_>, rows: &Rows, curve: &Curve) -> Finding {
    let (ending, words) = rows.variant;
    let (from, to) = ends(&rows.log_size);
    let found = crossing(&curve.spline, &curve.fit.coefficients, from, to);
    let (sums, factor, k) = normal_equations(rows, &curve.spline).unwrap_or_default();
    let resampled: Vec<Option<f64>> = resample_counts(sums.len(), dimensions.settings(), |counts| {
        if k == 0 {
            return None;
        }
        let mut total = vec![0.0; k * (k + 1)];
        for (sum, &count) in sums.iter().zip(counts).filter(|(_, count)| **count > 0) {
            for (total, part) in total.iter_mut().zip(sum) {
                *total += part * f64::from(count);
            }
        }
        solve(total, &factor, k)
            .map(|coefficients| crossing(&curve.spline, &coefficients, from, to).unwrap_or(f64::INFINITY))
    });
    let solved: Vec<f64> = resampled.into_iter().flatten().collect();
    let never = solved.iter().filter(|x| x.is_infinite()).count() as f64 / solved.len().max(1) as f64;
    // A resample that never falls below one point counts with the largest size.
    let sizes: Vec<f64> = solved.iter().map(|x| x.min(to).exp2()).collect();
    Finding::new(
        format!("scale.curve.one_point_size{ending}"),
        "From which size does a doubling buy less than one point of Average?",
        &source(),
    )
    .with_value(
        found.map_or(f64::NAN, f64::exp2),
        "billions of parameters",
        rows.average.len(),
        "derivative of a restricted cubic spline of log2 size, five knots",
    )
    .with_interval(bootstrap_interval(&sizes, sums.len(), 0.95))
    .with_seed(dimensions.seed)
    .with_note(words)
    .with_note(format!(
        "in {:.0} % of resamples a doubling buys more than a point up to the largest size, {:.0} billion, which then stands \
         for it; no value: so it is on the rows themselves",
        100.0 * never,
        to.exp2()
    ))
    .with_figure("scale-gain")
}

/// Normal equations summed by shape: `XᵀX` row-major, then `Xᵀy`.
///
/// The columns are first orthonormalised over all rows (by the factor that is returned): powers of a logarithm are so
/// collinear that solving a resample's equations would otherwise lose half of the digits.
fn normal_equations(rows: &Rows, spline: &RestrictedSpline) -> Option<(Vec<Vec<f64>>, Vec<f64>, usize)> {
    let groups = crate::groups::Groups::from_labels(&rows.shape);
    let k = spline.n_columns() + 1;
    let bases: Vec<Vec<f64>> = rows.log_size.iter().map(|&x| design(spline, x)).collect();
    let mut all = vec![0.0; k * k];
    for basis in &bases {
        for i in 0..k {
            for j in 0..k {
                all[i * k + j] += basis[i] * basis[j];
            }
        }
    }
    let factor = cholesky(all, k)?;
    let mut sums = vec![vec![0.0; k * (k + 1)]; groups.n_groups()];
    for ((basis, &group), y) in bases.into_iter().zip(groups.ids()).zip(&rows.average) {
        let basis = forward(&factor, basis, k);
        let sum = &mut sums[group];
        for i in 0..k {
            for j in 0..k {
                sum[i * k + j] += basis[i] * basis[j];
            }
            sum[k * k + i] += basis[i] * y;
        }
    }
    Some((sums, factor, k))
}

/// Solves the normal equations and transforms the solution back to the original columns; `None` where they are
/// singular.
fn solve(mut sums: Vec<f64>, factor: &[f64], k: usize) -> Option<Vec<f64>> {
    let right = sums.split_off(k * k);
    let own = cholesky(sums, k)?;
    let inner = backward(&own, forward(&own, right, k), k);
    Some(backward(factor, inner, k))
}

/// The Cholesky factor L of A = L Lᵀ, row-major; `None` where A is singular.
fn cholesky(mut lower: Vec<f64>, k: usize) -> Option<Vec<f64>> {
    for i in 0..k {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|m| lower[i * k + m] * lower[j * k + m]).sum();
            let left = lower[i * k + j] - dot;
            if i == j {
                if left <= 1e-12 * lower[i * k + i].abs() {
                    return None;
                }
                lower[i * k + i] = left.sqrt();
            } else {
                lower[i * k + j] = left / lower[j * k + j];
            }
        }
    }
    Some(lower)
}

/// Solves L x = b.
fn forward(lower: &[f64], mut right: Vec<f64>, k: usize) -> Vec<f64> {
    for i in 0..k {
        let dot: f64 = (0..i).map(|m| lower[i * k + m] * right[m]).sum();
        right[i] = (right[i] - dot) / lower[i * k + i];
    }
    right
}

/// Solves Lᵀ x = b.
fn backward(lower: &[f64], mut right: Vec<f64>, k: usize) -> Vec<f64> {
    for i in (0..k).rev() {
        let dot: f64 = (i + 1..k).map(|m| lower[m * k + i] * right[m]).sum();
        right[i] = (right[i] - dot) / lower[i * k + i];
    }
    right
}

#[cfg(test)]
mod tests {
    use super::super::fit;
    use super::*;

    #[test]
    fn a_curve_that_bends_at_a_known_size_is_found_there() {
        // With y = 6x − x²/2 the slope is 6 − x, which is one point at x = 5.
        let rows = Rows {
            variant: ("", ""),
            log_size: (0..=70).map(|x| f64::from(x) / 10.0).collect(),
            average: (0..=70)
                .map(|x| f64::from(x) / 10.0)
                .map(|x| 6.0 * x - x * x / 2.0)
                .collect(),
            shape: (0..=70).collect(),
        };
        let spline = RestrictedSpline::five_knots(&rows.log_size).expect("knots");
        let curve = fit(&rows, &spline).expect("a fit");
        let found = crossing(&curve.spline, &curve.fit.coefficients, 0.0, 7.0).expect("it falls below");
        assert!((found - 5.0).abs() < 0.2, "{found}");
        let (sums, factor, k) = normal_equations(&rows, &spline).expect("regular");
        let total = (0..k * (k + 1))
            .map(|place| sums.iter().map(|sum| sum[place]).sum())
            .collect();
        let again = solve(total, &factor, k).expect("regular");
        for (a, b) in again.iter().zip(&curve.fit.coefficients) {
            assert!((a - b).abs() < 1e-6 * (1.0 + b.abs()), "{a} {b}");
        }
    }
}
