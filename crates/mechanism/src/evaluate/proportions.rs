//! Intervals of a difference of paired proportions that agree with the exact test of `McNemar` beside them.

/// Normal quantile of two-sided intervals of `level`, by bisection.
pub fn normal_quantile(level: f64) -> f64 {
    bisect(0.0, 40.0, |z| libm::erf(z / std::f64::consts::SQRT_2) < level)
}

/// Interval of the second's share less the first's, of `n` paired items of which only the first has `only_a` and only the
/// second `only_b`: what Tango's score interval (1998, Statistics in Medicine 17, 891–908) and the exact conditional one
/// (Clopper and Pearson 1934, of `only_b` among the discordant, times their share) span together.
///
/// The conditional one holds 0 exactly where `McNemar`'s exact p is at least `1 − level`, and Tango's never does where it is
/// less; so both together hold 0 exactly then. Tango's has a width where no item is discordant.
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

/// Where the score statistic of `only_b − only_a − n·δ` passes ± z.
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

/// The exact interval of Clopper and Pearson (1934).
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

/// `P(X ≤ k)` for `X` binomial of `n` with `p`.
fn at_most(k: usize, n: usize, p: f64) -> f64 {
    if p <= 0.0 || k >= n {
        return 1.0;
    }
    if p >= 1.0 {
        return 0.0;
    }
    let (yes, no) = (p.ln(), (-p).ln_1p());
    let (mut log_choose, mut sum) = (0.0, 0.0);
    for i in 0..=k {
        sum += (log_choose + i as f64 * yes + (n - i) as f64 * no).exp();
        log_choose += ((n - i) as f64).ln() - ((i + 1) as f64).ln();
    }
    sum.min(1.0)
}

/// Exact two-sided p of the test of `McNemar` (1947): `min(1, 2·P(X ≤ k))` for `X` binomial with one half.
pub fn mcnemar(only_a: usize, only_b: usize) -> f64 {
    if only_a == only_b {
        return 1.0;
    }
    (2.0 * at_most(only_a.min(only_b), only_a + only_b, 0.5)).min(1.0)
}

/// Interval of a mean of scores between 0 and 1 from its standard error, on the scale of log-odds (delta method), so that it
/// stays between them; none where there is no error or the mean is at an end.
pub fn on_log_odds(mean: f64, standard_error: f64, z: f64) -> Option<(f64, f64)> {
    let spread = mean * (1.0 - mean);
    if !(spread > 0.0 && standard_error > 0.0) {
        return None;
    }
    let at = |x: f64| 1.0 / (1.0 + (-x).exp());
    let (centre, half) = ((mean / (1.0 - mean)).ln(), z * standard_error / spread);
    Some((at(centre - half), at(centre + half)))
}

/// The last point at which `before` holds, which it does below some point of the range.
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

    #[test]
    fn known_values() {
        // Clopper and Pearson of 0 of 4: the upper end is 1 − 0.025^(1/4).
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
