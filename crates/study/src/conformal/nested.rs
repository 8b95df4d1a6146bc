//! What the structural regression's intervals cover on shapes never seen, calibrated without them.

use rayon::prelude::*;

use super::{Coverage, calibrate, coverage};
use crate::design::{Design, check_input, pick};
use crate::error::Error;
use crate::evaluate::{Evaluation, check_folds};
use crate::groups::Groups;
use crate::protocol::Fold;
use crate::regression::Structural;

/// The outcome of the nested protocol.
#[derive(Debug, Clone, PartialEq)]
pub struct Nested {
    /// Of the intervals of all test rows together; `None` where no fold had shapes enough to calibrate.
    pub coverage: Option<Coverage>,
    /// Of the predictions that the intervals stand around.
    pub evaluation: Evaluation,
}

/// Fits and calibrates on each fold's training rows alone, and tests intervals and predictions on its test rows.
///
/// Within a fold the errors are those of each training shape left out in turn, so nothing of a test shape enters
/// prediction, deviation or width. `bounds` are the ends of the target's scale: intervals are cut there.
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
    type Tested = (Vec<f64>, Vec<Option<(f64, f64)>>);
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
