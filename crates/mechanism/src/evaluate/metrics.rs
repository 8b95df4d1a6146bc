//! Means with standard errors and confidence intervals, and paired comparison of two checkpoints on the same items.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use common::proportions::{mcnemar, paired_difference};

/// A mean over items.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Mean {
    /// The mean.
    pub value: f64,
    /// Standard error `s/√n`, with `s` computed with `n − 1` as in the harness; `None` for fewer than two items.
    pub standard_error: Option<f64>,
    /// Number of items.
    pub n: usize,
}

/// The mean of `values`; `None` if there are none.
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

/// Mean and standard error of groups together, weighted by size (the harness's `pooled_sample_stderr`).
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

/// How the interval of a comparison was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// For items that are right or wrong: [`paired_difference`].
    ExactAndScore,
    /// For other scores: percentile bootstrap over paired items.
    PercentileBootstrap,
}

impl Method {
    /// A description of the method.
    pub fn said(self) -> &'static str {
        match self {
            Self::ExactAndScore => "Tango's score interval with the exact conditional one, items in pairs",
            Self::PercentileBootstrap => "percentile bootstrap, items in pairs",
        }
    }
}

/// Comparison of two checkpoints on the same items.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Mean of `b` minus mean of `a`.
    pub difference: f64,
    /// Lower limit of its confidence interval over paired items, computed by `method`.
    pub low: f64,
    /// Upper limit of the interval.
    pub high: f64,
    /// Confidence level of the interval.
    pub level: f64,
    /// How the interval was computed; `None` in older results, which did not record it and used the bootstrap.
    #[serde(default)]
    pub method: Option<Method>,
    /// Number of items that only `a` has right; `None` if scores are not all 0 or 1.
    pub only_a: Option<usize>,
    /// Number of items that only `b` has right.
    pub only_b: Option<usize>,
    /// Exact two-sided p-value of the test of `McNemar` (1947) on these; 1 if there are no such items.
    pub mcnemar_p: Option<f64>,
    /// Number of items.
    pub n: usize,
}

/// Compares scores of the same items; `None` if there are none, or if the lists differ in length. Scores that are all 0
/// or 1 are compared with [`paired_difference`] and `McNemar`'s test; other scores are bootstrapped and not tested.
pub fn compare(a: &[f64], b: &[f64], resamples: usize, level: f64, seed: u64) -> Option<Comparison> {
    let n = a.len();
    if n == 0 || b.len() != n {
        return None;
    }
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| b - a).collect();
    let average = |sum: f64| sum / n as f64;
    let difference = average(differences.iter().sum());
    if a.iter().chain(b).all(|score| *score == 0.0 || *score == 1.0) {
        let count = |sign: f64| differences.iter().filter(|d| **d * sign > 0.0).count();
        let (only_a, only_b) = (count(-1.0), count(1.0));
        let (low, high) = paired_difference(only_a, only_b, n, level)?;
        return Some(Comparison {
            difference,
            low,
            high,
            level,
            method: Some(Method::ExactAndScore),
            only_a: Some(only_a),
            only_b: Some(only_b),
            mcnemar_p: Some(mcnemar(only_a, only_b)),
            n,
        });
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut drawn: Vec<f64> = (0..resamples)
        .map(|_| average((0..n).map(|_| differences[random.random_range(0..n)]).sum()))
        .collect();
    drawn.sort_by(f64::total_cmp);
    let tail = (1.0 - level) / 2.0;
    let at = |q| crate::influence::quantile_or(&drawn, q, difference);
    Some(Comparison {
        difference,
        low: at(tail),
        high: at(1.0 - tail),
        level,
        method: Some(Method::PercentileBootstrap),
        only_a: None,
        only_b: None,
        mcnemar_p: None,
        n,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
mod tests {
    use common::proportions::wilson;

    use super::{Method, compare, mean, pooled};

    #[test]
    fn known_values() {
        // statsmodels proportion_confint(22, 50, method="wilson").
        let (low, high) = wilson(22, 50, 1.959_963_984_540_054).unwrap();
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
        assert_eq!((none.difference, none.mcnemar_p), (0.0, Some(1.0)));
        assert!((none.high - 0.018_845).abs() < 1e-5 && (none.low + none.high).abs() < 1e-12);
        let b: Vec<f64> = (0..200).map(|i| f64::from(u8::from(i % 5 != 0))).collect();
        let more = compare(&a, &b, 500, 0.95, 1).unwrap();
        assert!((more.difference - 0.3).abs() < 1e-12 && more.low > 0.0 && more.low < 0.3 && more.high > 0.3);
        assert_eq!((more.only_a, more.only_b), (Some(20), Some(80)));
        assert!(more.mcnemar_p.unwrap() < 1e-6);
        // Probabilities are not right-or-wrong scores, so there are no discordant items to count.
        let shares: Vec<f64> = (0..200).map(|i| f64::from(i) / 200.0).collect();
        let of_shares = compare(&a, &shares, 500, 0.95, 1).unwrap();
        assert_eq!(of_shares.method, Some(Method::PercentileBootstrap));
        assert_eq!((of_shares.mcnemar_p, of_shares.only_a), (None, None));
        assert!(of_shares.low < of_shares.difference && of_shares.difference < of_shares.high);
        assert_eq!(compare(&a, &b, 500, 0.95, 1), Some(more));
        assert_eq!(compare(&a, &b[1..], 10, 0.95, 1), None);
    }
}
