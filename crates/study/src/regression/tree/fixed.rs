//! Fixed-point sums that do not depend on the order of summation.
//!
//! Two features that split a node alike must have exactly equal gains, or rounding would decide which of them a tree
//! takes. Weights and targets are therefore integers here: multiples of a power of two chosen so that a sum over all
//! rows fits into 62 bits. Sums below 1e-285 lose precision, as no power of two is large enough.

/// Powers of two that turn weights and weighted targets into integers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FixedPoint {
    weight_scale: f64,
    target_scale: f64,
}

impl FixedPoint {
    /// For weights and targets with these sums (`Σ w`, `Σ w |y|`), with room for `times` as much.
    pub(crate) fn new(
        weights: impl Iterator<Item = f64>,
        weighted_targets: impl Iterator<Item = f64>,
        times: f64,
    ) -> Self {
        let mut whole = true;
        let total: f64 = weights.inspect(|w| whole &= w.fract() == 0.0).sum();
        let whole = whole && total * times < 2_f64.powi(52);
        Self {
            weight_scale: if whole { 1.0 } else { room(total * times) },
            target_scale: room(weighted_targets.map(f64::abs).sum::<f64>() * times),
        }
    }

    pub(crate) fn weight(self, w: f64) -> i64 {
        (w * self.weight_scale).round() as i64
    }

    pub(crate) fn target(self, wy: f64) -> i64 {
        (wy * self.target_scale).round() as i64
    }

    /// The integer that represents a weight of one.
    pub(crate) fn unit(self) -> f64 {
        self.weight_scale
    }

    pub(crate) fn weight_back(self, w: i64) -> f64 {
        w as f64 / self.weight_scale
    }

    /// Σwy / (Σw + penalty) in the target's unit.
    pub(crate) fn mean(self, s: i64, w: i64, penalty: f64) -> f64 {
        (s as f64 / self.target_scale) / (w as f64 / self.weight_scale + penalty)
    }
}

/// The power of two that scales `sum` to just below 2^61.
fn room(sum: f64) -> f64 {
    if sum == 0.0 {
        return 1.0;
    }
    let exponent = 60 - sum.log2().floor() as i32;
    2_f64.powi(exponent.clamp(-1000, 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_weights_stay_whole() {
        let fixed = FixedPoint::new([1.0, 3.0].into_iter(), [0.5, -9.0].into_iter(), 2.0);
        assert_eq!((fixed.weight(3.0), fixed.unit()), (3, 1.0));
        let mean = fixed.mean(fixed.target(-8.5), fixed.weight(4.0), 0.0);
        assert!((mean + 8.5 / 4.0).abs() < 1e-15);
    }

    #[test]
    fn any_scale_fits() {
        for size in [1e-280, 1e-12, 1.0, 1e12, 1e300] {
            let fixed = FixedPoint::new([0.3; 9].into_iter(), [size; 9].into_iter(), 1.0);
            let sum: i64 = (0..9).map(|_| fixed.target(size)).sum();
            let mean = fixed.mean(sum, fixed.weight(2.7), 0.0);
            assert!((mean * 0.3 / size - 1.0).abs() < 1e-12, "{size} {mean}");
        }
    }
}
