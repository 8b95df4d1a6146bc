//! Means with their standard errors and intervals, and paired comparison of two checkpoints on the same items.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// A mean over items.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Mean {
    /// The mean.
    pub value: f64,
    /// `s/√n` with `s` over `n − 1`, as the harness has it; none of fewer than two items.
    pub standard_error: Option<f64>,
    /// Items.
    pub n: usize,
}

/// The mean of `values`; `None` of none.
pub fn mean(values: &[f64]) -> Option<Mean> {
    let n = values.len();
    if n == 0 {
        return None;
    }
    let value = values.iter().sum::<f64>() / n as f64;
    let squares: f64 = values.iter().map(|v| (v - value).powi(2)).sum();
    let standard_error = (n > 1).then(|| (squares / (n - 1) as f64).sqrt() / (n as f64).sqrt());
    Some(Mean {
        value,
        standard_error,
        n,
    })
}

/// Mean and error of several groups together, weighted by size (the harness's `pooled_sample_stderr`).
pub fn pooled(means: &[Mean]) -> Option<Mean> {
    let n: usize = means.iter().map(|mean| mean.n).sum();
    if n == 0 {
        return None;
    }
    let value = means.iter().map(|mean| mean.value * mean.n as f64).sum::<f64>() / n as f64;
    let squares = |mean: &Mean| -> Option<f64> {
        let size = mean.n as f64;
        Some((size - 1.0) * mean.standard_error?.powi(2) * size)
    };
    let sum: Option<f64> = means.iter().map(squares).sum();
    let standard_error = sum
        .filter(|_| n > means.len())
        .map(|sum| (sum / (n - means.len()) as f64 / n as f64).sqrt());
    Some(Mean {
        value,
        standard_error,
        n,
    })
}

/// Wilson's interval (1927) of a share of `successes` in `n`, at the normal quantile `z` (1.96 for 95 %).
pub fn wilson(successes: f64, n: usize, z: f64) -> Option<(f64, f64)> {
    if n == 0 {
        return None;
    }
    let n = n as f64;
    let share = successes / n;
    let centre = (share + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    Some((centre - half, centre + half))
}

/// Two checkpoints on the same items.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Mean of `b` less mean of `a`.
    pub difference: f64,
    /// Percentile interval of it over items, resampled in pairs.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// Level of the interval.
    pub level: f64,
    /// Items that `a` has and `b` has not.
    pub only_a: usize,
    /// Items that `b` has and `a` has not.
    pub only_b: usize,
    /// Exact two-sided p-value of the test of `McNemar` (1947) on those; 1 where there are none.
    pub mcnemar_p: f64,
    /// Items.
    pub n: usize,
}

/// Compares scores of the same items; `None` of none, or of lists of unequal length. For `McNemar`'s test, an item is had
/// when its score is above one half.
pub fn compare(a: &[f64], b: &[f64], resamples: usize, level: f64, seed: u64) -> Option<Comparison> {
    let n = a.len();
    if n == 0 || b.len() != n {
        return None;
    }
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| b - a).collect();
    let average = |sum: f64| sum / n as f64;
    let difference = average(differences.iter().sum());
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut drawn: Vec<f64> = (0..resamples)
        .map(|_| average((0..n).map(|_| differences[random.random_range(0..n)]).sum()))
        .collect();
    drawn.sort_by(f64::total_cmp);
    let tail = (1.0 - level) / 2.0;
    let at = |q| crate::influence::quantile_or(&drawn, q, difference);
    let has = |value: &f64| *value > 0.5;
    let count = |first: &[f64], second: &[f64]| {
        first
            .iter()
            .zip(second)
            .filter(|(x, y)| has(x) && !has(y))
            .count()
    };
    let (only_a, only_b) = (count(a, b), count(b, a));
    Some(Comparison {
        difference,
        low: at(tail),
        high: at(1.0 - tail),
        level,
        only_a,
        only_b,
        mcnemar_p: binomial_two_sided(only_a.min(only_b), only_a + only_b),
        n,
    })
}

/// `min(1, 2·P(X ≤ k))` for `X` binomial of `n` with one half.
fn binomial_two_sided(k: usize, n: usize) -> f64 {
    let log_half = -(n as f64) * std::f64::consts::LN_2;
    let mut log_choose = 0.0;
    let mut sum = 0.0;
    for i in 0..=k {
        sum += (log_choose + log_half).exp();
        log_choose += ((n - i) as f64).ln() - ((i + 1) as f64).ln();
    }
    (2.0 * sum).min(1.0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
mod tests {
    use super::{binomial_two_sided, compare, mean, pooled, wilson};

    #[test]
    fn known_values() {
        // scipy.stats.binomtest(3, 15).pvalue, statsmodels proportion_confint(22, 50, method="wilson").
        assert!((binomial_two_sided(3, 15) - 0.035_156_25).abs() < 1e-12);
        assert_eq!(binomial_two_sided(0, 0), 1.0);
        assert_eq!(binomial_two_sided(5, 10), 1.0);
        let (low, high) = wilson(22.0, 50, 1.959_963_984_540_054).unwrap();
        assert!(
            (low - 0.311_622_0).abs() < 1e-6 && (high - 0.576_939_7).abs() < 1e-6,
            "{low} {high}"
        );
        let all: Vec<f64> = (0..10).map(|i| f64::from(u8::from(i % 3 == 0))).collect();
        let whole = mean(&all).unwrap();
        assert!((whole.standard_error.unwrap() - 0.163_299_3).abs() < 1e-6);
        assert!(mean(&[]).is_none() && mean(&[1.0]).unwrap().standard_error.is_none());
        let same = pooled(&[whole]).unwrap();
        assert!((same.value - 0.4).abs() < 1e-15);
        assert!((same.standard_error.unwrap() - whole.standard_error.unwrap()).abs() < 1e-12);
    }

    #[test]
    fn a_comparison_with_itself_finds_nothing_and_a_better_one_is_better() {
        let a: Vec<f64> = (0..200).map(|i| f64::from(u8::from(i % 2 == 0))).collect();
        let none = compare(&a, &a, 200, 0.95, 1).unwrap();
        assert_eq!(
            (none.difference, none.low, none.high, none.mcnemar_p),
            (0.0, 0.0, 0.0, 1.0)
        );
        let b: Vec<f64> = (0..200).map(|i| f64::from(u8::from(i % 5 != 0))).collect();
        let more = compare(&a, &b, 500, 0.95, 1).unwrap();
        assert!((more.difference - 0.3).abs() < 1e-12 && more.low > 0.0 && more.low < 0.3 && more.high > 0.3);
        assert_eq!((more.only_a, more.only_b), (20, 80));
        assert!(more.mcnemar_p < 1e-6);
        assert_eq!(compare(&a, &b, 500, 0.95, 1), Some(more));
        assert_eq!(compare(&a, &b[1..], 10, 0.95, 1), None);
    }
}
