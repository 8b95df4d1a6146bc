//! The largest R² that any function of structure alone can reach on given rows, and the R² of a look-up by structure.
//!
//! Rows of one structure get one prediction, so no such function explains their variance around their own mean: η² = 1
//! − Σ(y − ȳ of its group)² / Σ(y − ȳ)². In sample, a mean of few rows fits its own noise; adjusted η² = 1 − (within /
//! (n − k)) / (total / (n − 1)) corrects for this (Kelley 1935).

use crate::design::{check_finite, check_length};
use crate::error::Error;
use crate::evaluate::{Evaluation, check_folds};
use crate::groups::Groups;
use crate::protocol::Fold;

/// Share of the target's variance that lies between groups.
#[derive(Debug, Clone, PartialEq)]
pub struct Ceiling {
    /// η², as a fraction; `None` where the target is constant.
    pub eta_squared: Option<f64>,
    /// Adjusted η²; `None` where the target is constant or every group has one row.
    pub adjusted: Option<f64>,
    /// Rows.
    pub n: usize,
    /// Groups.
    pub n_groups: usize,
}

/// The share of `target`'s variance between groups.
///
/// # Errors
/// [`Error::LengthMismatch`], [`Error::NotFinite`], [`Error::NoRows`].
pub fn ceiling(target: &[f64], groups: &Groups) -> Result<Ceiling, Error> {
    check_length("groups", target.len(), groups.n_rows())?;
    check_finite("target", target)?;
    if target.is_empty() {
        return Err(Error::NoRows);
    }
    let n = target.len() as f64;
    let mean = target.iter().sum::<f64>() / n;
    let mut within = 0.0;
    for rows in groups.members() {
        let group_mean = rows.iter().map(|&r| target[r]).sum::<f64>() / rows.len() as f64;
        within += rows
            .iter()
            .map(|&r| (target[r] - group_mean).powi(2))
            .sum::<f64>();
    }
    let total: f64 = target.iter().map(|y| (y - mean).powi(2)).sum();
    let constant = target.iter().all(|&y| y == target[0]);
    let k = groups.n_groups() as f64;
    let adjusted = || 1.0 - (within / (n - k)) / (total / (n - 1.0));
    Ok(Ceiling {
        eta_squared: (!constant).then(|| 1.0 - within / total),
        adjusted: (!constant && n > k).then(adjusted),
        n: target.len(),
        n_groups: groups.n_groups(),
    })
}

/// Predicts each test row by the mean of its group's training rows, or by the mean of all training rows if there are
/// none.
///
/// # Errors
/// [`Error::LengthMismatch`], [`Error::NotFinite`], [`Error::BadFold`].
pub fn lookup(target: &[f64], groups: &Groups, folds: &[Fold]) -> Result<Evaluation, Error> {
    check_length("groups", target.len(), groups.n_rows())?;
    check_finite("target", target)?;
    check_folds(folds, target.len())?;
    let of_fold = |fold: &Fold| {
        let mut sums = vec![(0.0, 0.0); groups.n_groups()];
        for &r in &fold.train {
            let sum = &mut sums[groups.ids()[r]];
            *sum = (sum.0 + target[r], sum.1 + 1.0);
        }
        let all: f64 = fold.train.iter().map(|&r| target[r]).sum();
        let mean = all / fold.train.len() as f64;
        let predict = |&r: &usize| match sums[groups.ids()[r]] {
            (_, 0.0) => mean,
            (sum, n) => sum / n,
        };
        fold.test.iter().map(predict).collect()
    };
    let by_fold: Vec<Vec<f64>> = folds.iter().map(of_fold).collect();
    Ok(Evaluation::from_folds(target, folds, &by_fold))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eta_squared_of_a_hand_worked_table() {
        // Group means 2 and 6, overall mean 4: between-group sum of squares 2·4 + 2·4 = 16, within 2 + 2 = 4.
        let groups = Groups::from_labels(&["a", "a", "b", "b"]);
        let found = ceiling(&[1.0, 3.0, 5.0, 7.0], &groups).expect("valid");
        assert_eq!(found.eta_squared, Some(1.0 - 4.0 / 20.0));
        assert_eq!(found.adjusted, Some(1.0 - (4.0 / 2.0) / (20.0 / 3.0)));
        let single = Groups::from_labels(&[0, 1, 2, 3]);
        let found = ceiling(&[1.0, 3.0, 5.0, 7.0], &single).expect("valid");
        assert_eq!((found.eta_squared, found.adjusted), (Some(1.0), None));
    }

    #[test]
    fn lookup_knows_only_what_it_trained_on() {
        let groups = Groups::from_labels(&["a", "a", "b", "a"]);
        let fold = Fold {
            train: vec![0, 1],
            test: vec![2, 3],
        };
        let found = lookup(&[1.0, 3.0, 9.0, 2.0], &groups, &[fold]).expect("valid");
        assert_eq!(found.predictions, vec![None, None, Some(2.0), Some(2.0)]);
    }
}
