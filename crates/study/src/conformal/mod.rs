//! Prediction intervals with coverage on unseen shapes, by conformal calibration over shapes.
//!
//! Each known row is predicted by fits that did not see its shape; the absolute error, divided by the predictive
//! standard deviation that the regression states for the row, is its conformity score. The interval of a new row is
//! value ± q · deviation, with q a quantile of the known scores (Vovk, Gammerman and Shafer 2005; Lei et al. 2018,
//! <https://arxiv.org/abs/1604.04173>, section 5.2). Rows of one shape are not independent, so each shape has the same
//! weight, divided among its rows, and an unseen shape counts as one more with an infinite score (Lee, Barber and
//! Willett 2023, <https://arxiv.org/abs/2306.06342>). The coverage is for one row of one shape drawn from the same
//! distribution as the known shapes. It is not assumed from the theorem but measured: `nested`.

mod nested;
#[cfg(test)]
mod tests;

pub use nested::{Nested, nested_coverage};

use serde::{Deserialize, Serialize};

use crate::design::{check_finite, check_length};
use crate::error::Error;
use crate::evaluate::check_resampling;
use crate::finding::Interval;
use crate::groups::Groups;
use crate::statistics::{percentile_interval, resample_groups};

/// A calibrated interval width.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conformal {
    /// Nominal coverage of the intervals.
    pub level: f64,
    /// Half-width of an interval, in predictive standard deviations.
    pub factor: f64,
    /// Number of calibration rows.
    pub n: usize,
    /// Number of shapes among them.
    pub n_groups: usize,
}

impl Conformal {
    /// The interval around a predicted `value` with predictive standard deviation `deviation`.
    pub fn interval(&self, value: f64, deviation: f64) -> Interval {
        let half = self.factor * deviation;
        Interval {
            low: value - half,
            high: value + half,
            level: self.level,
            method: format!("conformal over {} shapes", self.n_groups),
        }
    }
}

/// Finds the width at which intervals reach coverage `level`, with equal weight for each group.
///
/// # Shapes and units
/// - `errors`: `(n_rows,)`, target minus prediction by fits without the row's group, in the target's unit.
/// - `deviations`: `(n_rows,)`, predictive standard deviations, above zero, in the target's unit.
///
/// Returns `None` with fewer than level / (1 − level) groups, as no finite width is enough then.
///
/// # Errors
/// [`Error::LengthMismatch`], [`Error::NotFinite`], [`Error::NoRows`]; [`Error::BadSetting`] for a level outside (0, 1).
pub fn calibrate(
    errors: &[f64],
    deviations: &[f64],
    groups: &Groups,
    level: f64,
) -> Result<Option<Conformal>, Error> {
    check_length("deviations", errors.len(), deviations.len())?;
    check_length("groups", errors.len(), groups.n_rows())?;
    check_finite("errors", errors)?;
    check_finite("deviations", deviations)?;
    check_resampling(1, level)?;
    if errors.is_empty() {
        return Err(Error::NoRows);
    }
    let mut rows_of = vec![0_usize; groups.n_groups()];
    groups.ids().iter().for_each(|&group| rows_of[group] += 1);
    let mut scaled: Vec<(f64, f64)> = (0..errors.len())
        .map(|r| {
            let share = 1.0 / rows_of[groups.ids()[r]] as f64;
            (errors[r].abs() / deviations[r].max(f64::MIN_POSITIVE), share)
        })
        .collect();
    scaled.sort_by(|a, b| a.0.total_cmp(&b.0));
    // One more group with an infinite score. The factor keeps rounding errors of the sum from requiring that group.
    let wanted = level * (groups.n_groups() as f64 + 1.0) * (1.0 - 1e-12);
    let mut reached = 0.0;
    let found = scaled.iter().find(|(_, share)| {
        reached += share;
        reached >= wanted
    });
    Ok(found.map(|&(factor, _)| Conformal {
        level,
        factor,
        n: errors.len(),
        n_groups: groups.n_groups(),
    }))
}

/// Empirical coverage of intervals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// Share covered, with equal weight for each group.
    pub by_group: f64,
    /// Share of rows covered.
    pub by_row: f64,
    /// Interval of `by_group`, from resampling groups; `None` with one group.
    pub interval: Option<Interval>,
    /// Mean width of the intervals, with equal weight for each group, in the target's unit.
    pub mean_width: f64,
    /// Number of rows tested.
    pub n: usize,
    /// Number of groups tested.
    pub n_groups: usize,
}

/// Empirical coverage of `target` by its intervals; rows without an interval are left out. `None` where there are none.
///
/// # Errors
/// [`Error::LengthMismatch`]; [`Error::BadSetting`] for no resamples.
pub fn coverage(
    target: &[f64],
    intervals: &[Option<(f64, f64)>],
    groups: &Groups,
    resamples: usize,
    seed: u64,
) -> Result<Option<Coverage>, Error> {
    check_length("intervals", target.len(), intervals.len())?;
    check_length("groups", target.len(), groups.n_rows())?;
    check_resampling(resamples, 0.95)?;
    // Per group: number of rows, rows covered, sum of widths.
    let mut sums = vec![[0.0_f64; 3]; groups.n_groups()];
    for (row, ends) in intervals.iter().enumerate() {
        if let Some((low, high)) = ends {
            let covered = f64::from(u8::from((*low..=*high).contains(&target[row])));
            let sum = &mut sums[groups.ids()[row]];
            for (s, add) in sum.iter_mut().zip([1.0, covered, high - low]) {
                *s += add;
            }
        }
    }
    sums.retain(|sum| sum[0] > 0.0);
    if sums.is_empty() {
        return Ok(None);
    }
    let n_groups = sums.len();
    let rows: f64 = sums.iter().map(|sum| sum[0]).sum();
    let shares: Vec<f64> = sums.iter().map(|sum| sum[1] / sum[0]).collect();
    let draws = resample_groups(n_groups, resamples, seed, |drawn| {
        Some(drawn.iter().map(|&group| shares[group]).sum::<f64>() / n_groups as f64)
    });
    let method = format!("bootstrap over {n_groups} groups ({resamples})");
    Ok(Some(Coverage {
        by_group: shares.iter().sum::<f64>() / n_groups as f64,
        by_row: sums.iter().map(|sum| sum[1]).sum::<f64>() / rows,
        interval: (n_groups > 1)
            .then(|| percentile_interval(&draws, 0.95, method))
            .flatten(),
        mean_width: sums.iter().map(|sum| sum[2] / sum[0]).sum::<f64>() / n_groups as f64,
        n: rows as usize,
        n_groups,
    }))
}
