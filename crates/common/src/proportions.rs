//! Confidence intervals for proportions and for differences of paired proportions. The interval of a paired difference
//! agrees with the exact `McNemar` test, which is here too.

/// The z for which a two-sided normal interval has confidence level `level` (1.96 for 0.95), by bisection.
pub fn normal_quantile(level: f64) -> f64 {
    bisect(0.0, 40.0, |z| within(z) < level)
}

/// Probability that a standard normal variable lies between −z and z, by the series √(2/π) e^(−z²/2) Σ z^(2k+1) /
/// (2k+1)!!, all of whose terms are positive.
fn within(z: f64) -> f64 {
    if z > 9.0 {
        return 1.0;
    }
    let (mut term, mut sum, mut odd) = (z, 0.0, 1.0);
    while term > sum * 1e-17 {
        sum += term;
        odd += 2.0;
        term *= z * z / odd;
    }
    (2.0 / std::f64::consts::PI).sqrt() * (-z * z / 2.0).exp() * sum
}

/// Confidence interval, at confidence level `level`, of the second proportion minus the first over `n` paired items,
/// `only_a` of which are successes of the first only and `only_b` of the second only. It is the smallest interval that
/// contains both Tango's score interval (1998, Statistics in Medicine 17, 891–908) and the exact conditional one
/// (Clopper and Pearson 1934, for `only_b` among the discordant pairs, scaled by the discordant share).
///
/// The conditional interval contains 0 exactly where `McNemar`'s exact p is at least `1 − level`, and Tango's never
/// contains 0 where p is smaller; so the union contains 0 exactly then. Tango's has positive width even without
/// discordant pairs. `None` where `n` is 0 or smaller than `only_a + only_b`.
pub fn paired_difference(only_a: usize, only_b: usize, n: usize, level: f64) -> Option<(f64, f64)> {
    if n == 0 || only_a + only_b > n {
        return None;
    }
    let (tango_low, tango_high) = tango(only_a, only_b, n, normal_quantile(level));
    let discordant = only_a + only_b;
    if discordant == 0 {
        return Some((tango_low, tango_high));
    }
    let (low, high) = clopper_pearson(only_b, discordant, level);
    let share = discordant as f64 / n as f64;
    let scaled = |p: f64| share * (2.0 * p - 1.0);
    Some((tango_low.min(scaled(low)), tango_high.max(scaled(high))))
}

/// Tango's score interval: the two δ at which the score statistic of `only_b − only_a − n·δ` equals z and −z.
fn tango(only_a: usize, only_b: usize, n: usize, z: f64) -> (f64, f64) {
    let (b, c, n) = (only_b as f64, only_a as f64, n as f64);
    let statistic = |delta: f64| {
        let linear = (2.0 * n - b + c) * delta - b - c;
        let constant = -c * delta * (1.0 - delta);
        let root = (linear * linear - 8.0 * n * constant).max(0.0).sqrt();
        let q = (root - linear) / (4.0 * n);
        let variance = n * (2.0 * q + delta * (1.0 - delta));
        let gap = b - c - n * delta;
        if gap == 0.0 {
            0.0
        } else {
            gap / variance.max(0.0).sqrt()
        }
    };
    let difference = (b - c) / n;
    (
        bisect(-1.0, difference, |delta| statistic(delta) > z),
        bisect(difference, 1.0, |delta| statistic(delta) > -z),
    )
}

/// The exact confidence interval of Clopper and Pearson (1934) for a binomial proportion, `k` successes in `n` trials.
fn clopper_pearson(k: usize, n: usize, level: f64) -> (f64, f64) {
    let tail = (1.0 - level) / 2.0;
    let low = if k == 0 {
        0.0
    } else {
        bisect(0.0, 1.0, |p| at_most(n - k, n, 1.0 - p) < tail)
    };
    let high = if k == n {
        1.0
    } else {
        bisect(0.0, 1.0, |p| at_most(k, n, p) > tail)
    };
    (low, high)
}

/// `P(X ≤ k)` for `X` binomial with `n` trials and success probability `p`.
fn at_most(k: usize, n: usize, p: f64) -> f64 {
    if p <= 0.0 || k >= n {
        1.0
    } else if p >= 1.0 {
        0.0
    } else if k as f64 > n as f64 * p {
        1.0 - tail(n - k - 1, n, 1.0 - p)
    } else {
        tail(k, n, p)
    }
}

/// As [`at_most`], for `k` no greater than the mean: sums from the greatest term downwards until the terms are
/// negligible.
fn tail(k: usize, n: usize, p: f64) -> f64 {
    let odds = (1.0 - p) / p;
    let (mut sum, mut term, mut i) = (0.0, 1.0, k);
    while term > sum * 1e-17 {
        sum += term;
        if i == 0 {
            break;
        }
        term *= i as f64 / (n - i + 1) as f64 * odds;
        i -= 1;
    }
    let logarithm = log_choose(n, k) + k as f64 * p.ln() + (n - k) as f64 * (-p).ln_1p() + sum.ln();
    logarithm.exp().min(1.0)
}

/// Logarithm of the binomial coefficient n over k, summed from its factors.
fn log_choose(n: usize, k: usize) -> f64 {
    let mut logarithm = 0.0;
    let mut product = 1.0_f64;
    for i in 0..k.min(n - k) {
        product *= (n - i) as f64 / (i + 1) as f64;
        if product > 1e250 {
            logarithm += product.ln();
            product = 1.0;
        }
    }
    logarithm + product.ln()
}

/// Exact two-sided p-value of the test of `McNemar` (1947): `min(1, 2·P(X ≤ k))` for `X` binomial with probability one
/// half, where `k` is the smaller of the two discordant counts.
pub fn mcnemar(only_a: usize, only_b: usize) -> f64 {
    if only_a == only_b {
        return 1.0;
    }
    (2.0 * tail(only_a.min(only_b), only_a + only_b, 0.5)).min(1.0)
}

/// Wilson's interval (1927) of a proportion, `successes` out of `n`, at normal quantile `z` (1.96 for 95 %); `None`
/// where `n` is 0.
///
/// ```
/// let (low, high) = common::proportions::wilson(22, 50, 1.959_964).expect("some");
/// assert!((low - 0.3116).abs() < 1e-4 && (high - 0.5769).abs() < 1e-4);
/// assert_eq!(common::proportions::wilson(0, 50, 1.96).map(|ends| ends.0), Some(0.0));
/// ```
pub fn wilson(successes: usize, n: usize, z: f64) -> Option<(f64, f64)> {
    let (k, size) = (successes as f64, n as f64);
    let share = k / size;
    let scale = 1.0 + z * z / size;
    let centre = (share + z * z / (2.0 * size)) / scale;
    let half = z * (share * (1.0 - share) / size + z * z / (4.0 * size * size)).sqrt() / scale;
    let low = if successes == 0 { 0.0 } else { centre - half };
    let high = if successes == n { 1.0 } else { centre + half };
    (n > 0).then_some((low, high))
}

/// Confidence interval of a mean of scores between 0 and 1 from its standard error, computed on the log-odds scale
/// (delta method) so that it stays within 0 and 1; `None` unless the error is positive and the mean between 0 and 1.
pub fn on_log_odds(mean: f64, standard_error: f64, z: f64) -> Option<(f64, f64)> {
    let spread = mean * (1.0 - mean);
    if !(spread > 0.0 && standard_error > 0.0) {
        return None;
    }
    let at = |x: f64| 1.0 / (1.0 + (-x).exp());
    let (centre, half) = ((mean / (1.0 - mean)).ln(), z * standard_error / spread);
    Some((at(centre - half), at(centre + half)))
}

/// The point of the range at which `before` turns from true to false, by bisection; `before` must hold below it and not
/// above.
fn bisect(mut low: f64, mut high: f64, before: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if before(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn an_interval_holds_0_exactly_where_the_exact_test_does_not_reject() {
        for n in [1, 5, 20, 60] {
            for only_a in 0..=n {
                for only_b in 0..=n - only_a {
                    let (low, high) = paired_difference(only_a, only_b, n, 0.95).unwrap();
                    let (p, of) = (mcnemar(only_a, only_b), format!("{only_a}:{only_b} of {n}"));
                    assert_eq!(low <= 0.0 && high >= 0.0, p >= 0.05, "{of}: {low} {high} {p}");
                    assert!(
                        high - low > 0.01 && low >= -1.0 && high <= 1.0,
                        "{of}: {low} {high}"
                    );
                    let difference = (only_b as f64 - only_a as f64) / n as f64;
                    assert!(low <= difference && difference <= high, "{of}");
                }
            }
        }
    }

    /// scipy.stats.binomtest(k, n).pvalue, scipy.stats.norm.ppf.
    #[test]
    fn the_exact_test_and_the_normal_quantile_are_those_of_scipy() {
        for (only_a, only_b, p) in [
            (3, 12, 0.035_156_25),
            (0, 20, 1.907_348_632_812_5e-6),
            (4_800, 5_200, 6.593_515_598_672_343e-5),
            (100, 300, 2.591_886_906_972_111e-24),
        ] {
            let found = mcnemar(only_a, only_b);
            assert!((found - p).abs() <= 1e-9 * p, "{only_a}:{only_b}: {found}");
        }
        for (level, z) in [
            (0.5, 0.674_489_750_196_081_7),
            (0.95, 1.959_963_984_540_054),
            (0.999, 3.290_526_731_491_9),
        ] {
            assert!((normal_quantile(level) - z).abs() < 1e-9, "{level}");
        }
    }

    #[test]
    fn known_values() {
        // Clopper and Pearson for 0 of 4: the upper limit is 1 − 0.025^(1/4).
        let (low, high) = clopper_pearson(0, 4, 0.95);
        assert!(low == 0.0 && (high - 0.602_364_6).abs() < 1e-6, "{high}");
        // No discordant item: ± z²/(n + z²).
        let (low, high) = paired_difference(0, 0, 20, 0.95).unwrap();
        assert!(
            (low + 0.161_125).abs() < 1e-5 && (high - 0.161_125).abs() < 1e-5,
            "{low} {high}"
        );
        let (low, high) = paired_difference(4, 0, 20, 0.95).unwrap();
        assert!(low < -0.4 && (high - 0.040_946).abs() < 1e-5, "{low} {high}");
        assert_eq!((mcnemar(4, 0), mcnemar(5, 5), mcnemar(0, 0)), (0.125, 1.0, 1.0));
        assert!((mcnemar(3, 12) - 0.035_156_25).abs() < 1e-12);
        assert_eq!(mcnemar(300, 300), 1.0);
        let (low, high) = on_log_odds(0.95, 0.1, 1.96).unwrap();
        assert!(
            low > 0.0 && low < 0.95 && high > 0.95 && high < 1.0,
            "{low} {high}"
        );
        assert_eq!(on_log_odds(0.0, 0.0, 1.96), None);
    }
}
