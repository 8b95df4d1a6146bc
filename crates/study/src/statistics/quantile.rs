//! Quantiles by linear interpolation between order statistics, as numpy and pandas do by default (Hyndman and
//! Fan 1996, type 7).

use statrs::distribution::{Binomial, DiscreteCDF};

use crate::finding::Interval;
pub use common::quantile::quantile_of_sorted;

/// The values in ascending order.
pub fn sorted(values: &[f64]) -> Vec<f64> {
    let mut ordered = values.to_vec();
    ordered.sort_unstable_by(f64::total_cmp);
    ordered
}

/// The quantile at `fraction`; NaN where there are no values.
pub fn quantile(values: &[f64], fraction: f64) -> f64 {
    let mut found = values.to_vec();
    let Some(last) = found.len().checked_sub(1) else {
        return f64::NAN;
    };
    // Two order statistics are read: those below and above need no order.
    let below = (fraction.clamp(0.0, 1.0) * last as f64).floor() as usize;
    let (_, _, above) = found.select_nth_unstable_by(below, f64::total_cmp);
    if !above.is_empty() {
        above.select_nth_unstable_by(0, f64::total_cmp);
    }
    quantile_of_sorted(&found, fraction)
}

/// The median; NaN where there are no values.
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// Interval of the median from order statistics with a binomial coverage of at least `level`; `None` for fewer than six
/// values.
pub fn median_interval(values: &[f64], level: f64) -> Option<Interval> {
    let n = values.len();
    if n < 6 {
        return None;
    }
    let law = Binomial::new(0.5, n as u64).ok()?;
    let below = law.inverse_cdf((1.0 - level) / 2.0).max(1) as usize;
    // The k-th and (n + 1 − k)-th values have a coverage of 1 − 2 P(X ≤ k − 1).
    let rank = if law.cdf(below as u64 - 1) <= (1.0 - level) / 2.0 {
        below
    } else {
        below - 1
    };
    let rank = rank.max(1);
    let ordered = sorted(values);
    Some(Interval {
        low: ordered[rank - 1],
        high: ordered[n - rank],
        level,
        method: "order statistics".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::{quantile, quantile_of_sorted, sorted};

    #[test]
    fn a_quantile_needs_no_full_order() {
        let values: Vec<f64> = (0..57).map(|i| f64::from(i * 23 % 57) - 20.0).collect();
        for fraction in [0.0, 0.1, 0.25, 0.5, 0.503, 0.9, 1.0, 2.0] {
            let expected = quantile_of_sorted(&sorted(&values), fraction);
            assert_eq!(quantile(&values, fraction), expected, "{fraction}");
        }
        assert_eq!(quantile(&[3.0], 0.7), 3.0);
        assert!(quantile(&[], 0.5).is_nan());
    }
}
