//! Learning curves: how R² grows with more training rows, and with more training structures.
//!
//! A share of each fold's training rows is kept, chosen by row or by whole group; the test rows stay the same. Where
//! more rows of known structures no longer help but more structures do, the data lack structures.

use crate::design::{Design, check_length};
use crate::error::Error;
use crate::evaluate::evaluate;
use crate::groups::Groups;
use crate::protocol::Fold;
use crate::random::Random;
use crate::regression::Regression;

/// One point of a learning curve.
#[derive(Debug, Clone, PartialEq)]
pub struct LearningPoint {
    /// Share of the training rows or groups kept.
    pub share: f64,
    /// Number of training rows, mean over folds and repeats.
    pub rows: f64,
    /// Number of groups among the training rows, mean over folds and repeats.
    pub groups: f64,
    /// Pooled R² of each repeat; `None` where the target is constant.
    pub r2: Vec<Option<f64>>,
}

/// What is subsampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thinned {
    /// Single rows.
    Rows,
    /// Whole groups (structures).
    Groups,
}

/// R² as a function of the share of training rows or groups.
///
/// # Errors
/// - [`Error::BadSetting`] if a share is outside (0, 1] or `repeats` is 0.
/// - As [`evaluate`].
#[allow(
    clippy::too_many_arguments,
    reason = "what an evaluation needs, and four settings of the curve"
)]
pub fn learning_curve(
    regression: &dyn Regression,
    design: &Design,
    target: &[f64],
    folds: &[Fold],
    groups: &Groups,
    thinned: Thinned,
    shares: &[f64],
    repeats: u64,
    seed: u64,
) -> Result<Vec<LearningPoint>, Error> {
    check_length("groups", design.n_rows(), groups.n_rows())?;
    let bad = |name, value, must| Error::BadSetting { name, value, must };
    if repeats == 0 {
        return Err(bad("repeats", 0.0, "at least 1"));
    }
    let point = |&share: &f64| {
        if !(share > 0.0 && share <= 1.0) {
            return Err(bad("share", share, "above 0 and at most 1"));
        }
        let mut point = LearningPoint {
            share,
            rows: 0.0,
            groups: 0.0,
            r2: Vec::new(),
        };
        for repeat in 0..repeats {
            let mut random = Random::new(seed, repeat);
            let thin = |fold: &Fold| Fold {
                train: keep(&fold.train, groups, thinned, share, &mut random),
                test: fold.test.clone(),
            };
            let fewer: Vec<Fold> = folds.iter().map(thin).collect();
            let times = (repeats as usize * fewer.len()) as f64;
            for fold in &fewer {
                point.rows += fold.train.len() as f64 / times;
                point.groups += groups.select(&fold.train).n_groups() as f64 / times;
            }
            let found = evaluate(regression, design, target, None, &fewer, seed)?;
            point.r2.push(found.r2_pooled);
        }
        Ok(point)
    };
    shares.iter().map(point).collect()
}

/// A random `share` of the training rows or groups, at least one, as ascending row indices.
fn keep(train: &[usize], groups: &Groups, thinned: Thinned, share: f64, random: &mut Random) -> Vec<usize> {
    let count = |n: usize| ((n as f64 * share).round() as usize).max(1);
    let mut kept = match thinned {
        Thinned::Rows => {
            let mut rows = train.to_vec();
            random.shuffle(&mut rows);
            rows.truncate(count(train.len()));
            rows
        }
        Thinned::Groups => {
            let mut ids: Vec<usize> = train.iter().map(|&r| groups.ids()[r]).collect();
            ids.sort_unstable();
            ids.dedup();
            random.shuffle(&mut ids);
            ids.truncate(count(ids.len()));
            ids.sort_unstable();
            let stays = |r: &&usize| ids.binary_search(&groups.ids()[**r]).is_ok();
            train.iter().filter(stays).copied().collect()
        }
    };
    kept.sort_unstable();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Protocol, RowInformation, k_folds};
    use crate::regression::NearestNeighbours;

    #[test]
    fn more_structures_help_where_structure_tells() {
        let x: Vec<f64> = (0..600).map(|r| f64::from(r % 60)).collect();
        let y: Vec<f64> = x.iter().map(|x| (x / 6.0).sin() * 10.0).collect();
        let groups = Groups::from_labels(&(0..600).map(|r| r % 60).collect::<Vec<_>>());
        let design = Design::new(vec!["x".to_owned()], vec![x]).expect("valid");
        let rows = RowInformation {
            n_rows: 600,
            shape: Some(&groups),
            ..RowInformation::default()
        };
        let folds = k_folds(Protocol::StructureOut, 5, &rows, 0).expect("60 groups");
        let knn = NearestNeighbours::default();
        let curve = |thinned| {
            learning_curve(&knn, &design, &y, &folds, &groups, thinned, &[0.2, 1.0], 3, 0).expect("valid")
        };
        let mean = |p: &LearningPoint| p.r2.iter().flatten().sum::<f64>() / 3.0;
        let by_groups = curve(Thinned::Groups);
        assert!(mean(&by_groups[1]) > mean(&by_groups[0]) + 0.1);
        assert!((by_groups[0].groups - 9.6).abs() < 0.5 && by_groups[1].rows == 480.0);
        let by_rows = curve(Thinned::Rows);
        assert!(by_rows[0].groups > 35.0 && (by_rows[0].rows - 96.0).abs() < 1.0);
    }
}
