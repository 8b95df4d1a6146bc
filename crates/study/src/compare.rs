//! Compares two methods on the same folds: is their difference larger than chance in the choice of structures explains?
//!
//! Errors are correlated within a group (shape), so groups are treated as independent. Under the null hypothesis that
//! the methods are exchangeable, the sign of each group's difference of squared errors is random, and the test flips
//! these signs (Fisher's randomisation test, by group). The interval of the difference of R² resamples groups.

use rayon::prelude::*;

use crate::design::{check_finite, check_length};
use crate::error::Error;
use crate::evaluate::check_resampling;
use crate::finding::Interval;
use crate::groups::Groups;
use crate::random::Random;
use crate::statistics::{percentile_interval, resample_groups};

/// How two sets of out-of-fold predictions differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// R² of the first minus R² of the second, over the rows that both predict, as a fraction.
    pub difference: f64,
    /// Interval of the difference, from resampling groups.
    pub interval: Option<Interval>,
    /// Two-sided p of the sign-flip test over groups.
    pub p: f64,
    /// Rows both predict.
    pub n: usize,
    /// Groups of those rows.
    pub n_groups: usize,
}

/// Compares two sets of predictions of the same rows.
///
/// # Errors
/// - [`Error::LengthMismatch`], [`Error::NotFinite`] for unusable input.
/// - [`Error::BadSetting`] if `resamples` is 0 or `level` outside (0, 1).
/// - [`Error::TooFewGroups`] if fewer than two groups are predicted by both.
/// - [`Error::CannotCompute`] if the target is constant.
pub fn compare(
    target: &[f64],
    first: &[Option<f64>],
    second: &[Option<f64>],
    groups: &Groups,
    resamples: usize,
    level: f64,
    seed: u64,
) -> Result<Comparison, Error> {
    check_length("first predictions", target.len(), first.len())?;
    check_length("second predictions", target.len(), second.len())?;
    check_length("groups", target.len(), groups.n_rows())?;
    check_finite("target", target)?;
    check_resampling(resamples, level)?;
    let center = target.iter().sum::<f64>() / target.len().max(1) as f64;
    // Per group: number of rows, Σy, Σy², and the squared error of the second less that of the first.
    let mut sums = vec![[0.0_f64; 4]; groups.n_groups()];
    for (row, pair) in first.iter().zip(second).enumerate() {
        if let (Some(a), Some(b)) = pair {
            let y = target[row] - center;
            let gained = (target[row] - b).powi(2) - (target[row] - a).powi(2);
            let sum = &mut sums[groups.ids()[row]];
            for (s, add) in sum.iter_mut().zip([1.0, y, y * y, gained]) {
                *s += add;
            }
        }
    }
    sums.retain(|s| s[0] > 0.0);
    if sums.len() < 2 {
        return Err(Error::TooFewGroups {
            of: "groups",
            groups: sums.len(),
            folds: 2,
        });
    }
    let everything: Vec<usize> = (0..sums.len()).collect();
    let statistic = |drawn: &[usize]| {
        let mut total = [0.0; 4];
        for &g in drawn {
            for (t, s) in total.iter_mut().zip(sums[g]) {
                *t += s;
            }
        }
        let spread = total[2] - total[1] * total[1] / total[0];
        (spread > 0.0).then(|| total[3] / spread)
    };
    let difference = statistic(&everything).ok_or_else(|| Error::CannotCompute {
        method: "compare",
        problem: "the target is constant".to_owned(),
    })?;
    let values = resample_groups(sums.len(), resamples, seed, statistic);
    let method = format!("bootstrap over {} groups ({resamples})", sums.len());
    let seen: f64 = sums.iter().map(|s| s[3]).sum::<f64>().abs();
    let flipped = |b: usize| {
        let mut random = Random::new(seed, (resamples + b) as u64 + 1);
        let sign = |s: &[f64; 4]| if random.bits() >> 63 == 0 { s[3] } else { -s[3] };
        let sum: f64 = sums.iter().map(sign).sum();
        // Tolerance, so that rounding does not hide a tie with the observed sum.
        usize::from(sum.abs() >= seen * (1.0 - 1e-12))
    };
    let as_far: usize = (0..resamples).into_par_iter().map(flipped).sum();
    Ok(Comparison {
        difference,
        interval: percentile_interval(&values, level, method),
        p: (as_far + 1) as f64 / (resamples + 1) as f64,
        n: sums.iter().map(|s| s[0]).sum::<f64>() as usize,
        n_groups: sums.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    type Predictions = Vec<Option<f64>>;

    fn table() -> (Vec<f64>, Groups, Predictions, Predictions) {
        let mut random = Random::new(2, 2);
        let y: Vec<f64> = (0..400).map(|_| random.uniform() * 10.0).collect();
        let groups = Groups::from_labels(&(0..400).map(|r| r % 40).collect::<Vec<_>>());
        let mut near = |by: f64| -> Vec<Option<f64>> {
            y.iter()
                .map(|y| Some(y + by * (random.uniform() - 0.5)))
                .collect()
        };
        let (a, b) = (near(2.0), near(8.0));
        (y, groups, a, b)
    }

    #[test]
    fn a_better_method_is_found_and_equals_are_not() {
        let (y, groups, good, bad) = table();
        let found = compare(&y, &good, &bad, &groups, 999, 0.95, 1).expect("valid");
        let interval = found.interval.expect("groups enough");
        assert!(found.p < 0.01 && found.difference > 0.0 && interval.low > 0.0);
        let same = compare(&y, &good, &good, &groups, 999, 0.95, 1).expect("valid");
        assert_eq!((same.difference, same.p), (0.0, 1.0));
        let other = compare(&y, &bad, &good, &groups, 999, 0.95, 1).expect("valid");
        assert!((other.difference + found.difference).abs() < 1e-12);
    }

    #[test]
    fn difference_is_that_of_the_r2s() {
        let (y, groups, a, b) = table();
        let plain = |p: &[Option<f64>]| -> f64 {
            let p: Vec<f64> = p.iter().copied().flatten().collect();
            crate::evaluate::r2(&y, &p).expect("lengths").expect("varies")
        };
        let found = compare(&y, &a, &b, &groups, 10, 0.95, 1).expect("valid");
        assert!((found.difference - (plain(&a) - plain(&b))).abs() < 1e-12);
    }
}
