//! Coverage of the structural regression's intervals on unseen shapes, by nested cross-validation.

use rayon::prelude::*;

use super::{Coverage, calibrate, coverage};
use crate::design::{Design, check_input, pick};
use crate::error::Error;
use crate::evaluate::{Evaluation, check_folds};
use crate::groups::Groups;
use crate::protocol::Fold;
use crate::regression::Structural;

/// Result of the nested protocol.
#[derive(Debug, Clone, PartialEq)]
pub struct Nested {
    /// Coverage of the intervals of all test rows; `None` where no fold had enough shapes to calibrate.
    pub coverage: Option<Coverage>,
    /// Scores of the predictions at the centre of the intervals.
    pub evaluation: Evaluation,
}

/// Predictions and intervals of a fold's test rows.
type Tested = (Vec<f64>, Vec<Option<(f64, f64)>>);

/// Fits and calibrates on each fold's training rows only, and tests intervals and predictions on its test rows.
///
/// Within a fold the calibration errors are from leaving out each training shape in turn, so a test shape affects
/// neither prediction, deviation nor width. Predictions and intervals are clipped to `bounds`, the limits of the
/// target's scale.
///
/// # Errors
/// As [`crate::evaluate::evaluate`] and [`calibrate`].
#[expect(
    clippy::too_many_arguments,
    reason = "rows, how they are divided, and what is asked of them"
)]
pub fn nested_coverage(
    settings: &Structural,
    design: &Design,
    target: &[f64],
    groups: &Groups,
    folds: &[Fold],
    level: f64,
    bounds: (f64, f64),
    seed: u64,
) -> Result<Nested, Error> {
    check_input(design, target, None)?;
    check_folds(folds, design.n_rows())?;
    let by_fold = folds.par_iter().map(|fold| -> Result<Tested, Error> {
        let y = pick(target, &fold.train);
        let posterior = settings.posterior(&design.select(&fold.train), &y)?;
        let known = posterior.out_of_shape()?;
        let errors: Vec<f64> = y.iter().zip(&known).map(|(y, p)| y - p.value).collect();
        let deviations: Vec<f64> = known.iter().map(|p| p.deviation).collect();
        let width = calibrate(&errors, &deviations, &groups.select(&fold.train), level)?;
        let predicted = posterior.predict(&design.select(&fold.test))?;
        let ends = predicted.iter().map(|p| {
            let interval = width.as_ref()?.interval(p.value, p.deviation);
            Some((
                interval.low.clamp(bounds.0, bounds.1),
                interval.high.clamp(bounds.0, bounds.1),
            ))
        });
        let ends = ends.collect();
        let values = predicted.iter().map(|p| p.value.clamp(bounds.0, bounds.1));
        Ok((values.collect(), ends))
    });
    let by_fold: Vec<Tested> = by_fold.collect::<Result<_, Error>>()?;
    let mut intervals = vec![None; target.len()];
    for (fold, (_, ends)) in folds.iter().zip(&by_fold) {
        for (&row, &ends) in fold.test.iter().zip(ends) {
            intervals[row] = ends;
        }
    }
    let values: Vec<Vec<f64>> = by_fold.into_iter().map(|(values, _)| values).collect();
    Ok(Nested {
        coverage: coverage(target, &intervals, groups, 1000, seed)?,
        evaluation: Evaluation::from_folds(target, folds, &values),
    })
}
