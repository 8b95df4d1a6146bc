//! Prediction intervals calibrated on past forecast errors: how far later outcomes lay from earlier predictions.

use std::collections::BTreeMap;

/// Nominal coverage of the intervals.
pub(crate) const LEVEL: f64 = 0.8;
/// Length in days (0.8 of a year) of the period after the start of a quarter whose errors are used for calibration.
pub(crate) const WINDOW: f64 = 292.0;
/// Fewest shapes with errors that allow a calibration.
const FEWEST: usize = 8;

/// First days of quarters, every three months from `(year, month)` up to `last`, in days since 1970-01-01.
pub(crate) fn quarters((year, month): (i64, i64), last: f64) -> Vec<f64> {
    let starts = (0..).map_while(|quarter| {
        let months = month - 1 + 3 * quarter;
        let day = common::calendar::days(year + months / 12, months % 12 + 1, 1)? as f64;
        (day <= last).then_some(day)
    });
    starts.collect()
}

/// Past errors with weights, sorted by error, and the number of shapes; every shape has a total weight of 1.
pub(crate) struct Errors(Vec<(f64, f64)>, usize);

impl Errors {
    /// Whether there are enough shapes for a calibration.
    pub(crate) fn are_enough(&self) -> bool {
        self.1 >= FEWEST
    }

    /// Builds the weighted errors from pairs of shape and error.
    pub(crate) fn of(all: &[(u32, f64)]) -> Self {
        let mut counts: BTreeMap<u32, f64> = BTreeMap::new();
        for (shape, _) in all {
            *counts.entry(*shape).or_insert(0.0) += 1.0;
        }
        let mut errors: Vec<(f64, f64)> = all
            .iter()
            .map(|(shape, error)| (*error, 1.0 / counts[shape]))
            .collect();
        errors.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self(errors, counts.len())
    }

    fn quantile(&self, fraction: f64) -> f64 {
        let wanted = fraction * self.1 as f64;
        let mut reached = 0.0;
        let found = self.0.iter().find(|(_, weight)| {
            reached += weight;
            reached >= wanted - 1e-9
        });
        found.or(self.0.last()).map_or(f64::NAN, |(error, _)| *error)
    }

    /// Median error (drift) and the lower and upper limits around it, at quantiles widened for the finite number of
    /// shapes as in split conformal prediction: as if one more shape had an infinite error on either side.
    pub(crate) fn calibrated(&self) -> (f64, f64, f64) {
        let n = self.1 as f64;
        let tail = (1.0 - LEVEL) / 2.0;
        let upper = ((1.0 - tail) * (n + 1.0) / n).min(1.0);
        (
            self.quantile(0.5),
            self.quantile(1.0 - upper),
            self.quantile(upper),
        )
    }

    /// Weighted mean absolute deviation of the errors from their median.
    pub(crate) fn spread(&self) -> f64 {
        let drift = self.quantile(0.5);
        self.0
            .iter()
            .map(|(error, weight)| (error - drift).abs() * weight)
            .sum::<f64>()
            / self.1 as f64
    }
}

#[cfg(test)]
mod tests {
    use super::Errors;

    #[test]
    fn each_shape_counts_the_same_and_ends_are_widened() {
        // Shape 1 has four rows off by 10, shapes 2 to 10 one each off by 1 to 9.
        let mut all = vec![(1, 10.0); 4];
        all.extend((2..=10).map(|shape| (shape, f64::from(shape) - 1.0)));
        let errors = Errors::of(&all);
        assert_eq!(errors.1, 10);
        assert_eq!(errors.quantile(0.5), 5.0);
        let (drift, low, high) = errors.calibrated();
        // 0.9 · 11 / 10 = 0.99: the last but a hundredth.
        assert_eq!((drift, low, high), (5.0, 1.0, 10.0));
    }
}
