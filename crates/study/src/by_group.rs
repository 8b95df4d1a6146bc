//! R² with each group (shape) counted once, beside R² by rows.
//!
//! Where one shape has half of the rows, R² by rows under a protocol that holds whole shapes out is mostly a statement
//! about that shape. Weighting each row of the same out-of-fold predictions by one over the number of rows of its shape
//! gives a statement about shapes. The effective number of groups, (Σn)² / Σn², is the number of equally large groups
//! that would concentrate the rows as much (Kish 1965, *Survey Sampling*, section 8.2).

use crate::design::check_finite;
use crate::error::Error;
use crate::evaluate::{check_resampling, group_sums, interval_of_sums, r2_of_pairs, r2_of_sums};
use crate::finding::Interval;
use crate::groups::Groups;
use crate::statistics::mean;

/// R² with each group counted once, and how much the largest group determines R² by rows.
#[derive(Debug, Clone, PartialEq)]
pub struct ByGroup {
    /// R² with each group counted once, as a fraction; `None` where the target is constant.
    pub r2: Option<f64>,
    /// Interval of `r2` from resampling groups; `None` with fewer than five groups or a constant target.
    pub interval: Option<Interval>,
    /// R² by rows without the largest group; `None` where no rows are left or their target is constant.
    pub r2_without_largest: Option<f64>,
    /// Share of the predicted rows that belong to the largest group.
    pub largest_share: f64,
    /// Groups among the rows that have a prediction.
    pub n_groups: usize,
    /// Effective number of groups, (Σn)² / Σn², of the predicted rows.
    pub effective_groups: f64,
}

/// R² of predictions with each group counted once: both the squared error and the total variance weight a row by one
/// over the number of predicted rows of its group.
///
/// # Shapes and units
/// - `target`, `predictions`: `(n_rows,)`; rows without a prediction are left out.
///
/// # Errors
/// - [`Error::LengthMismatch`], [`Error::NotFinite`] for unusable input.
/// - [`Error::BadSetting`] if `resamples` is 0 or `level` outside (0, 1).
pub fn by_group(
    target: &[f64],
    predictions: &[Option<f64>],
    groups: &Groups,
    resamples: usize,
    level: f64,
    seed: u64,
) -> Result<ByGroup, Error> {
    check_finite("target", target)?;
    check_resampling(resamples, level)?;
    let sums = group_sums(target, predictions, groups)?;
    let counts: Vec<f64> = sums.iter().map(|sum| sum[0]).collect();
    let n: f64 = counts.iter().sum();
    let largest = (0..counts.len()).fold(0, |best, g| if counts[g] > counts[best] { g } else { best });
    let pairs_of = |is_kept: &dyn Fn(usize) -> bool| -> Vec<(f64, f64)> {
        let kept = |&(row, _): &(usize, &Option<f64>)| is_kept(groups.ids()[row]);
        let rows = predictions.iter().enumerate().filter(kept);
        rows.filter_map(|(row, p)| p.map(|p| (target[row], p))).collect()
    };
    let varies = r2_of_pairs(&pairs_of(&|_| true)).is_some();
    let once: Vec<[f64; 4]> = sums
        .iter()
        .filter(|sum| sum[0] > 0.0)
        .map(|sum| sum.map(|s| s / sum[0]))
        .collect();
    let everything: Vec<usize> = (0..once.len()).collect();
    let interval = interval_of_sums(&once, resamples, level, seed).map(|mut interval| {
        interval.method.push_str(", each counted once");
        interval
    });
    Ok(ByGroup {
        r2: varies.then(|| r2_of_sums(&once, &everything)).flatten(),
        interval: interval.filter(|_| varies),
        r2_without_largest: r2_of_pairs(&pairs_of(&|group| group != largest)),
        largest_share: counts.get(largest).map_or(f64::NAN, |most| most / n),
        n_groups: once.len(),
        effective_groups: n * n / counts.iter().map(|count| count * count).sum::<f64>(),
    })
}

impl ByGroup {
    /// Mean over runs that differ in their splits or seeds, of the values and of the limits of the intervals. `None` if
    /// there are no runs.
    pub fn mean_of(runs: &[Self]) -> Option<Self> {
        let first = runs.first()?;
        let over = |pick: &dyn Fn(&Self) -> Option<f64>| {
            let values: Option<Vec<f64>> = runs.iter().map(pick).collect();
            values.map(|values| mean(&values))
        };
        let low = over(&|run| run.interval.as_ref().map(|ends| ends.low));
        let high = over(&|run| run.interval.as_ref().map(|ends| ends.high));
        Some(Self {
            r2: over(&|run| run.r2),
            interval: first.interval.clone().and_then(|ends| {
                Some(Interval {
                    low: low?,
                    high: high?,
                    level: ends.level,
                    method: format!("{}, mean over {} runs", ends.method, runs.len()),
                })
            }),
            r2_without_largest: over(&|run| run.r2_without_largest),
            largest_share: over(&|run| Some(run.largest_share)).unwrap_or(f64::NAN),
            n_groups: first.n_groups,
            effective_groups: over(&|run| Some(run.effective_groups)).unwrap_or(f64::NAN),
        })
    }

    /// The note that accompanies every R² by rows: `each shape counted once 0.70 [0.51, 0.83]; …`.
    pub fn in_words(&self) -> String {
        let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.3}"));
        let ends = self.interval.as_ref().map_or(String::new(), |ends| {
            format!(" [{:.3}, {:.3}]", ends.low, ends.high)
        });
        format!(
            "each shape counted once {}{ends}; by rows without the largest shape ({:.0} % of the rows) {}; effective \
             number of shapes {:.1} of {}",
            number(self.r2),
            100.0 * self.largest_share,
            number(self.r2_without_largest),
            self.effective_groups,
            self.n_groups
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::r2;

    fn some(predictions: &[f64]) -> Vec<Option<f64>> {
        predictions.iter().copied().map(Some).collect()
    }

    #[test]
    fn equal_groups_count_the_same_by_rows_and_by_group() {
        let y: Vec<f64> = (0..60).map(|r| f64::from((r * 37) % 101)).collect();
        let p: Vec<f64> = (0..60)
            .map(|r| f64::from((r * 37) % 101 + (r * 53) % 29) - 14.0)
            .collect();
        let groups = Groups::from_labels(&(0..60).map(|r| r % 12).collect::<Vec<_>>());
        let found = by_group(&y, &some(&p), &groups, 200, 0.95, 7).expect("valid");
        let rows = r2(&y, &p).expect("same length").expect("varies");
        assert!((found.r2.expect("varies") - rows).abs() < 1e-12);
        assert!((found.effective_groups - 12.0).abs() < 1e-12);
        assert!((found.largest_share - 1.0 / 12.0).abs() < 1e-12);
        let plain = crate::evaluate::bootstrap_r2_over_groups(&y, &some(&p), &groups, 200, 0.95, 7)
            .expect("valid")
            .expect("groups enough");
        let once = found.interval.expect("groups enough");
        assert!((once.low - plain.low).abs() < 1e-12 && (once.high - plain.high).abs() < 1e-12);
    }

    #[test]
    fn a_large_group_that_is_missed_counts_once() {
        // Six rows of a at 10, predicted 4; one each of b, c at 0 and 8, predicted as they are; one row never tested.
        let y = [10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 0.0, 8.0, 99.0];
        let mut p = some(&[4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 0.0, 8.0]);
        p.push(None);
        let groups = Groups::from_labels(&["a", "a", "a", "a", "a", "a", "b", "c", "d"]);
        let found = by_group(&y, &p, &groups, 100, 0.95, 1).expect("valid");
        // Means 10, 0, 8 around 6: 16 + 36 + 4 = 56; squared error 36.
        assert!((found.r2.expect("varies") - (1.0 - 36.0 / 56.0)).abs() < 1e-12);
        // By rows: mean 8.5, spread 6·2.25 + 72.25 + 0.25 = 86, error 216.
        let rows = r2(&y[..8], &[4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 0.0, 8.0]).expect("same length");
        assert!((rows.expect("varies") - (1.0 - 216.0 / 86.0)).abs() < 1e-12);
        assert_eq!(found.r2_without_largest, Some(1.0));
        assert_eq!(found.n_groups, 3);
        assert!((found.effective_groups - 64.0 / 38.0).abs() < 1e-12);
        assert!((found.largest_share - 0.75).abs() < 1e-12);
        let said = found.in_words();
        assert!(
            said.starts_with("each shape counted once 0.357; by rows"),
            "{said}"
        );
        assert!(
            said.ends_with("by rows without the largest shape (75 % of the rows) 1.000; effective number of shapes 1.7 of 3"),
            "{said}"
        );
    }

    #[test]
    fn a_constant_and_a_single_group_have_no_answer() {
        let groups = Groups::from_labels(&["a", "b", "b"]);
        let found = by_group(&[0.1; 3], &some(&[0.0, 0.1, 0.2]), &groups, 100, 0.95, 1).expect("valid");
        assert_eq!((found.r2, found.interval), (None, None));
        let one = Groups::from_labels(&["a", "a", "a"]);
        let found = by_group(&[1.0, 2.0, 3.0], &some(&[1.0, 2.0, 3.0]), &one, 100, 0.95, 1).expect("valid");
        assert_eq!((found.interval, found.r2_without_largest), (None, None));
    }
}
