//! The exact distribution of a sum of independent steps with values −1, 0 or 1, and its quantiles.
//!
//! The bootstrap of a mean of zeros and ones, or of differences of these, needs no resampling: the resampled sum is a
//! sum of n independent steps whose probabilities are the observed shares. Its probabilities are the coefficients of
//! P(x) = (a + b·x + c·x²)ⁿ, which follow one after the other from P′·(a + b·x + c·x²) = n·(b + 2c·x)·P. Computed from
//! each end towards the middle, all terms are positive, so there is no cancellation.

/// Number of steps above which the normal approximation is used; there its quantiles are off by less than one step in a
/// thousand.
const MANY: u64 = 200_000;

/// The smallest sums at which the cumulative probability reaches `low` and `high`, for `n` steps that are −1 with
/// probability `down / n` and 1 with probability `up / n`; `down + up ≤ n`. `low` and `high` are pairs of a probability
/// and its normal quantile.
pub(crate) fn quantiles(n: u64, down: u64, up: u64, [low, high]: [(f64, f64); 2]) -> (f64, f64) {
    if n > MANY {
        let (size, mean) = (n as f64, up as f64 - down as f64);
        let spread = ((up + down) as f64 - mean * mean / size).max(0.0).sqrt();
        let at = |z: f64| (mean + z * spread).clamp(-size, size);
        return (at(low.1), at(high.1));
    }
    let masses = masses(n as usize, down as f64, up as f64);
    let total: f64 = masses.iter().sum();
    let at = |q: f64| {
        let mut sum = 0.0;
        let reached = masses.iter().position(|mass| {
            sum += mass;
            sum >= q * total * (1.0 - 1e-13)
        });
        reached.unwrap_or(masses.len() - 1) as f64 - n as f64
    };
    (at(low.0), at(high.0))
}

/// Probabilities of the sums −n to n, not normalised.
fn masses(n: usize, down: f64, up: f64) -> Vec<f64> {
    let still = n as f64 - down - up;
    let mut all = vec![0.0; 2 * n + 1];
    if down == 0.0 && up == 0.0 {
        all[n] = 1.0;
    } else if down == 0.0 {
        all[n..].copy_from_slice(&binomial(n, still, up));
    } else if up == 0.0 {
        all[..=n].copy_from_slice(&binomial(n, down, still));
    } else {
        let lower = half(n, down, still, up);
        let upper = half(n, up, still, down);
        // Both halves contain the three sums around the middle; the half that contains the mean has its maximum there
        // or before.
        let about = |half: &[f64]| half[n - 1..].iter().sum::<f64>();
        let (scale_lower, scale_upper) = if down >= up {
            (1.0, about(&lower) / about(&upper))
        } else {
            (about(&upper) / about(&lower), 1.0)
        };
        for (place, mass) in lower[..n].iter().enumerate() {
            all[place] = mass * scale_lower;
        }
        for (place, mass) in upper[..=n].iter().enumerate() {
            all[2 * n - place] = mass * scale_upper;
        }
    }
    all
}

/// Coefficients 0 to n + 1 of (a + b·x + c·x²)ⁿ, up to a common factor; a > 0.
fn half(n: usize, a: f64, b: f64, c: f64) -> Vec<f64> {
    let size = n as f64;
    let mut terms = Scaled::new(n + 2);
    let mut before = 0.0;
    for k in 0..=n {
        let (at, k) = (terms.last(), k as f64);
        let next = ((size - k) * b * at + (2.0 * size - k + 1.0) * c * before) / ((k + 1.0) * a);
        before = at;
        if terms.push(next) {
            before *= Scaled::STEP;
        }
    }
    terms.all
}

/// Coefficients 0 to n of (a + b·x)ⁿ, up to a common factor; b > 0.
fn binomial(n: usize, a: f64, b: f64) -> Vec<f64> {
    if a == 0.0 {
        let mut sure = vec![0.0; n + 1];
        sure[n] = 1.0;
        return sure;
    }
    let mut terms = Scaled::new(n + 1);
    for k in 0..n {
        let next = terms.last() * (n - k) as f64 / (k + 1) as f64 * b / a;
        terms.push(next);
    }
    terms.all
}

/// Terms that may exceed the range of a float: all are scaled down together as they grow.
struct Scaled {
    all: Vec<f64>,
    first: usize,
}

impl Scaled {
    const STEP: f64 = 1e-200;

    fn new(capacity: usize) -> Self {
        let mut all = Vec::with_capacity(capacity);
        all.push(1.0);
        Self { all, first: 0 }
    }

    fn last(&self) -> f64 {
        self.all.last().copied().unwrap_or(0.0)
    }

    /// Adds a term; returns whether all terms were scaled down.
    fn push(&mut self, term: f64) -> bool {
        self.all.push(term);
        if term < 1e200 {
            return false;
        }
        for term in &mut self.all[self.first..] {
            *term *= Self::STEP;
        }
        while self.all[self.first] == 0.0 && self.first + 1 < self.all.len() {
            self.first += 1;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDS: [(f64, f64); 2] = [(0.025, -1.959_963_984_540_054), (0.975, 1.959_963_984_540_054)];

    /// scipy.stats.binom(50, 0.44).ppf([0.025, 0.975]) is (15, 29).
    #[test]
    fn zeros_and_ones_are_binomial() {
        assert_eq!(quantiles(50, 0, 22, ENDS), (15.0, 29.0));
        assert_eq!(quantiles(50, 22, 0, ENDS), (-29.0, -15.0));
        assert_eq!(quantiles(7, 0, 7, ENDS), (7.0, 7.0));
        assert_eq!(quantiles(7, 0, 0, ENDS), (0.0, 0.0));
        assert_eq!(quantiles(7, 7, 0, ENDS), (-7.0, -7.0));
    }

    /// Compared with the distribution built by adding one step at a time.
    #[test]
    fn masses_are_those_of_repeated_steps() {
        for (n, down, up) in [
            (1, 1.0, 0.0),
            (5, 2.0, 3.0),
            (9, 3.0, 3.0),
            (40, 1.0, 30.0),
            (40, 30.0, 1.0),
            (40, 12.0, 13.0),
            (301, 2.0, 290.0),
        ] {
            let (a, c) = (down / n as f64, up / n as f64);
            let b = 1.0 - a - c;
            let mut slow = vec![1.0];
            for _ in 0..n {
                let mut next = vec![0.0; slow.len() + 2];
                for (place, mass) in slow.iter().enumerate() {
                    next[place] += a * mass;
                    next[place + 1] += b * mass;
                    next[place + 2] += c * mass;
                }
                slow = next;
            }
            let fast = masses(n, down, up);
            let total: f64 = fast.iter().sum();
            for (fast, slow) in fast.iter().zip(&slow) {
                assert!((fast / total - slow).abs() < 1e-12, "{n} {down} {up}");
            }
        }
    }

    #[test]
    fn long_sums_keep_their_middle() {
        for (n, down, up) in [
            (20_000, 900, 1_100),
            (20_000, 19_000, 5),
            (20_000, 0, 100),
            (20_000, 100, 19_000),
        ] {
            let exact = quantiles(n, down, up, ENDS);
            let mean = up as f64 - down as f64;
            let spread = ((up + down) as f64 - mean * mean / n as f64).sqrt();
            assert!((exact.0 - (mean - 1.96 * spread)).abs() < 2.5, "{exact:?}");
            assert!((exact.1 - (mean + 1.96 * spread)).abs() < 2.5, "{exact:?}");
        }
        let exact = quantiles(MANY, 900, 1_100, ENDS);
        let normal = quantiles(MANY + 1, 900, 1_100, ENDS);
        assert!((exact.0 - normal.0).abs() < 1.5 && (exact.1 - normal.1).abs() < 1.5);
    }
}
