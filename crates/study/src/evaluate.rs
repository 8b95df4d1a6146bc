//! Out-of-fold predictions and their scores: R², MAE and RMSE, with bootstrap intervals over groups.

use rayon::prelude::*;

use crate::design::{Design, check_finite, check_input, check_length, pick};
use crate::error::Error;
use crate::finding::Interval;
use crate::groups::Groups;
use crate::protocol::Fold;
use crate::regression::Regression;
use crate::statistics::{percentile_interval, resample_groups};

/// Scores of out-of-fold predictions, that is of predictions by fits that had not seen the rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// 1 − Σ(y − ŷ)² / Σ(y − ȳ)² over all tested rows together, as a fraction; `None` where the target is constant.
    pub r2_pooled: Option<f64>,
    /// R² within each fold, against that fold's own mean; `None` where the fold's target is constant.
    pub r2_folds: Vec<Option<f64>>,
    /// Mean absolute error, in the target's unit.
    pub mae: f64,
    /// Root of the mean squared error, in the target's unit.
    pub rmse: f64,
    /// Out-of-fold prediction of each row, `(n_rows,)`; `None` for rows that are in no fold's test set. For a row
    /// tested in several folds the last fold's prediction is kept.
    pub predictions: Vec<Option<f64>>,
    /// Rows tested.
    pub n_tested: usize,
}

impl Evaluation {
    /// Mean of the folds' R², over the folds that have one.
    pub fn r2_mean_of_folds(&self) -> Option<f64> {
        let known: Vec<f64> = self.r2_folds.iter().copied().flatten().collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    }

    /// Scores of the out-of-fold predictions `by_fold`, one vector per fold with the predictions of its test rows.
    pub(crate) fn from_folds(target: &[f64], folds: &[Fold], by_fold: &[Vec<f64>]) -> Self {
        let mut predictions = vec![None; target.len()];
        for (fold, predicted) in folds.iter().zip(by_fold) {
            for (&row, &value) in fold.test.iter().zip(predicted) {
                predictions[row] = Some(value);
            }
        }
        let tested = |r: usize| predictions[r].map(|p: f64| (target[r], p));
        let pairs: Vec<(f64, f64)> = (0..target.len()).filter_map(tested).collect();
        let n = pairs.len() as f64;
        let of_fold = |(fold, predicted): (&Fold, &Vec<f64>)| {
            let truth = fold.test.iter().map(|&r| target[r]);
            let pairs: Vec<(f64, f64)> = truth.zip(predicted.iter().copied()).collect();
            r2_of_pairs(&pairs)
        };
        Self {
            r2_pooled: r2_of_pairs(&pairs),
            r2_folds: folds.iter().zip(by_fold).map(of_fold).collect(),
            mae: pairs.iter().map(|(y, p)| (y - p).abs()).sum::<f64>() / n,
            rmse: (pairs.iter().map(|(y, p)| (y - p).powi(2)).sum::<f64>() / n).sqrt(),
            n_tested: pairs.len(),
            predictions,
        }
    }
}

/// Fits on each fold's training rows and predicts its test rows.
///
/// # Shapes and units
/// - `target`: `(n_rows,)`, any unit; predictions are in the same.
/// - `weights`: `(n_rows,)`, used in fitting only, never in scoring.
///
/// # Errors
/// - [`Error::LengthMismatch`], [`Error::NotFinite`] for unusable input.
/// - [`Error::BadFold`] if a fold has row indices out of range, is empty, or has a row in both training and test.
/// - Whatever the regression returns.
pub fn evaluate(
    regression: &dyn Regression,
    design: &Design,
    target: &[f64],
    weights: Option<&[f64]>,
    folds: &[Fold],
    seed: u64,
) -> Result<Evaluation, Error> {
    check_input(design, target, weights)?;
    check_folds(folds, design.n_rows())?;
    let by_fold = folds.par_iter().map(|fold| {
        let train_weights = weights.map(|w| pick(w, &fold.train));
        let train = design.select(&fold.train);
        let y = pick(target, &fold.train);
        let fit = regression.fit(&train, &y, train_weights.as_deref(), seed)?;
        fit.predict(&design.select(&fold.test))
    });
    let by_fold: Vec<Vec<f64>> = by_fold.collect::<Result<_, Error>>()?;
    Ok(Evaluation::from_folds(target, folds, &by_fold))
}

/// R² = 1 − Σ(y − ŷ)² / Σ(y − ȳ)², as a fraction; `None` where the target is constant.
///
/// # Errors
/// [`Error::LengthMismatch`] if the slices differ in length.
pub fn r2(target: &[f64], predictions: &[f64]) -> Result<Option<f64>, Error> {
    check_length("predictions", target.len(), predictions.len())?;
    let pairs = target.iter().copied().zip(predictions.iter().copied());
    Ok(r2_of_pairs(&pairs.collect::<Vec<_>>()))
}

/// Percentile interval of R² from resampling whole groups with replacement.
///
/// Rows of one shape are near-copies of each other, so not rows but groups are treated as independent.
/// Rows without a prediction are left out. `None` if fewer than five groups are left, or the target is constant.
///
/// # Errors
/// - [`Error::LengthMismatch`] if the slices differ in length, [`Error::NotFinite`] if a target is not finite.
/// - [`Error::BadSetting`] if `resamples` is 0 or `level` outside (0, 1).
///
/// # Limits
/// With few groups (5 to 30) such intervals come out too narrow.
///
/// # Source
/// Cameron, Gelbach and Miller (2008), <https://doi.org/10.1162/rest.90.3.414>.
pub fn bootstrap_r2_over_groups(
    target: &[f64],
    predictions: &[Option<f64>],
    groups: &Groups,
    resamples: usize,
    level: f64,
    seed: u64,
) -> Result<Option<Interval>, Error> {
    check_finite("target", target)?;
    check_resampling(resamples, level)?;
    let mut sums = group_sums(target, predictions, groups)?;
    sums.retain(|sum| sum[0] > 0.0);
    Ok(interval_of_sums(&sums, resamples, level, seed))
}

/// Per group, over the rows that have a prediction: count, Σy, Σy², Σ(y − ŷ)², with y centred on the overall mean.
/// These sums suffice to compute R² of any resample of groups.
pub(crate) fn group_sums(
    target: &[f64],
    predictions: &[Option<f64>],
    groups: &Groups,
) -> Result<Vec<[f64; 4]>, Error> {
    check_length("predictions", target.len(), predictions.len())?;
    check_length("groups", target.len(), groups.n_rows())?;
    let center = target.iter().sum::<f64>() / target.len().max(1) as f64;
    let mut sums = vec![[0.0_f64; 4]; groups.n_groups()];
    for (row, prediction) in predictions.iter().enumerate() {
        if let Some(p) = prediction {
            let y = target[row] - center;
            let sum = &mut sums[groups.ids()[row]];
            let error = target[row] - p;
            for (s, add) in sum.iter_mut().zip([1.0, y, y * y, error * error]) {
                *s += add;
            }
        }
    }
    Ok(sums)
}

/// R² of the groups drawn (with repetition), from the sums of [`group_sums`]; `None` where the target is constant.
pub(crate) fn r2_of_sums(sums: &[[f64; 4]], drawn: &[usize]) -> Option<f64> {
    let mut total = [0.0; 4];
    for &g in drawn {
        total.iter_mut().zip(sums[g]).for_each(|(t, s)| *t += s);
    }
    let spread = total[2] - total[1] * total[1] / total[0];
    (spread > 0.0).then(|| 1.0 - total[3] / spread)
}

/// Fewest groups for an interval: resamples of fewer groups often have hardly any variance to explain.
const LEAST_GROUPS: usize = 5;

/// Percentile interval of R² over groups, from the sums of [`group_sums`]; `None` with fewer than [`LEAST_GROUPS`].
pub(crate) fn interval_of_sums(
    sums: &[[f64; 4]],
    resamples: usize,
    level: f64,
    seed: u64,
) -> Option<Interval> {
    if sums.len() < LEAST_GROUPS {
        return None;
    }
    let values = resample_groups(sums.len(), resamples, seed, |drawn| r2_of_sums(sums, drawn));
    let method = format!("bootstrap over {} groups ({resamples})", sums.len());
    percentile_interval(&values, level, method)
}

pub(crate) fn check_resampling(resamples: usize, level: f64) -> Result<(), Error> {
    if resamples == 0 {
        return Err(Error::BadSetting {
            name: "resamples",
            value: 0.0,
            must: "at least 1",
        });
    }
    if level > 0.0 && level < 1.0 {
        return Ok(());
    }
    Err(Error::BadSetting {
        name: "level",
        value: level,
        must: "between 0 and 1",
    })
}

pub(crate) fn check_folds(folds: &[Fold], n_rows: usize) -> Result<(), Error> {
    for (f, fold) in folds.iter().enumerate() {
        let bad = |problem: String| Err(Error::BadFold { fold: f, problem });
        if fold.train.is_empty() || fold.test.is_empty() {
            let (train, test) = (fold.train.len(), fold.test.len());
            return bad(format!("{test} test and {train} training rows"));
        }
        let mut tested = vec![false; n_rows];
        for &r in &fold.test {
            match tested.get_mut(r) {
                Some(t) => *t = true,
                None => return bad(format!("row {r} of {n_rows}")),
            }
        }
        for &r in &fold.train {
            match tested.get(r) {
                Some(false) => {}
                Some(true) => return bad(format!("row {r} is in training and test")),
                None => return bad(format!("row {r} of {n_rows}")),
            }
        }
    }
    Ok(())
}

/// R² of (truth, prediction) pairs; `None` where the truth is constant.
pub(crate) fn r2_of_pairs(pairs: &[(f64, f64)]) -> Option<f64> {
    let n = pairs.len() as f64;
    let mean = pairs.iter().map(|p| p.0).sum::<f64>() / n;
    let spread: f64 = pairs.iter().map(|(y, _)| (y - mean).powi(2)).sum();
    let error: f64 = pairs.iter().map(|(y, p)| (y - p).powi(2)).sum();
    let constant = pairs.iter().all(|(y, _)| *y == pairs[0].0);
    (!constant && spread > 0.0).then(|| 1.0 - error / spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r2_is_one_for_truth_and_zero_for_the_mean() {
        let y = [1.0, 2.0, 6.0];
        assert_eq!(r2(&y, &y), Ok(Some(1.0)));
        assert_eq!(r2(&y, &[3.0; 3]), Ok(Some(0.0)));
        assert_eq!(r2(&[2.0; 3], &[2.0; 3]), Ok(None));
        assert!(r2(&y, &[1.0]).is_err());
    }

    #[test]
    fn interval_holds_the_estimate_and_narrows_with_groups() {
        let width = |n_groups: usize| {
            let rows = n_groups * 5;
            let groups = Groups::from_labels(&(0..rows).map(|r| r % n_groups).collect::<Vec<_>>());
            let y: Vec<f64> = (0..rows).map(|r| ((r * 37) % 101) as f64).collect();
            let p: Vec<f64> = (0..rows).map(|r| y[r] + ((r * 53) % 29) as f64 - 14.0).collect();
            let some: Vec<Option<f64>> = p.iter().copied().map(Some).collect();
            let interval = bootstrap_r2_over_groups(&y, &some, &groups, 500, 0.95, 7)
                .expect("valid input")
                .expect("groups enough");
            let value = r2(&y, &p).expect("same length").expect("not constant");
            assert!(interval.low < value && value < interval.high);
            interval.high - interval.low
        };
        let (few, many) = (width(10), width(160));
        assert!(many < few / 2.0, "{few} {many}");
    }

    #[test]
    fn bad_folds_are_named() {
        let bad = Fold {
            train: vec![0, 1],
            test: vec![1],
        };
        let error = check_folds(&[bad], 3).expect_err("row 1 is in both");
        assert_eq!(error.to_string(), "fold 0: row 1 is in training and test");
    }
}
