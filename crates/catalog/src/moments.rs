//! Skewness and kurtosis by pandas' definitions: unbiased, from central moments accumulated in one pass (Pébay 2008,
//! SAND2008-6212, eqs. 1.1 to 1.6 for adding one value and for merging).

/// Count, mean, and sums of the second, third and fourth powers of the deviations from the mean.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Moments {
    pub(crate) n: f64,
    pub(crate) mean: f64,
    pub(crate) m2: f64,
    pub(crate) m3: f64,
    pub(crate) m4: f64,
}

impl Moments {
    /// The moments of two samples combined.
    pub(crate) fn merge(self, other: Self) -> Self {
        if self.n == 0.0 {
            return other;
        }
        if other.n == 0.0 {
            return self;
        }
        let (a, b) = (self.n, other.n);
        let n = a + b;
        let delta = other.mean - self.mean;
        let step = delta / n;
        let m2 = self.m2 + other.m2 + delta * step * a * b;
        let m3 = self.m3
            + other.m3
            + delta * step * step * a * b * (a - b)
            + 3.0 * step * (a * other.m2 - b * self.m2);
        let m4 = self.m4
            + other.m4
            + delta * step * step * step * a * b * (a * a - a * b + b * b)
            + 6.0 * step * step * (a * a * other.m2 + b * b * self.m2)
            + 4.0 * step * (a * other.m3 - b * self.m3);
        Self {
            n,
            mean: self.mean + step * b,
            m2,
            m3,
            m4,
        }
    }

    /// Skewness G1, the adjusted Fisher-Pearson coefficient; `None` below three values.
    pub(crate) fn skewness(self) -> Option<f64> {
        let n = self.n;
        if n < 3.0 {
            return None;
        }
        if self.m2 == 0.0 {
            return Some(0.0);
        }
        Some(n * (n - 1.0).sqrt() / (n - 2.0) * self.m3 / self.m2.powf(1.5))
    }

    /// Excess kurtosis G2, unbiased; `None` below four values.
    pub(crate) fn kurtosis(self) -> Option<f64> {
        let n = self.n;
        if n < 4.0 {
            return None;
        }
        if self.m2 == 0.0 {
            return Some(0.0);
        }
        let raw = n * (n + 1.0) * (n - 1.0) * self.m4 / ((n - 2.0) * (n - 3.0) * self.m2 * self.m2);
        Some(raw - 3.0 * (n - 1.0) * (n - 1.0) / ((n - 2.0) * (n - 3.0)))
    }
}

/// Skewness and kurtosis of `values`.
pub(crate) fn skewness_and_kurtosis(values: &[f64]) -> (Option<f64>, Option<f64>) {
    let moments = gather(values.iter().copied());
    (moments.skewness(), moments.kurtosis())
}

/// Accumulates the moments of `values` in one pass.
pub(crate) fn gather(values: impl Iterator<Item = f64>) -> Moments {
    values.fold(Moments::default(), |all, value| {
        all.merge(Moments {
            n: 1.0,
            mean: value,
            ..Moments::default()
        })
    })
}
