//! Intervals that hold on shapes never seen, by conformal calibration over shapes.
//!
//! Each known row is predicted by fits that have not seen its shape; how far it lies off, in deviations that the
//! regression itself states for that place, is its error. The interval of a new row is value ± q · deviation, with q the
//! quantile of known errors (Vovk, Gammerman and Shafer 2005; Lei et al. 2018, <https://arxiv.org/abs/1604.04173>,
//! section 5.2). Rows of one shape are no independent draws, so each shape counts the same, its rows sharing its
//! weight, and a shape never seen counts as one more, infinitely far off (Lee, Barber and Willett 2023,
//! <https://arxiv.org/abs/2306.06342>). What the interval covers is one row of one shape drawn from where the known
//! ones come from. That it does is not taken from the theorem but measured: `nested`.

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

/// A calibrated width.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conformal {
    /// Share of new rows that intervals shall cover.
    pub level: f64,
    /// Half an interval's width, in deviations.
    pub factor: f64,
    /// Rows calibrated on.
    pub n: usize,
    /// Shapes among them.
    pub n_groups: usize,
}

impl Conformal {
    /// The interval of a new row.
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

/// Finds the width at which intervals cover `level`, each group counting the same.
///
/// # Shapes and units
/// - `errors`: `(n_rows,)`, target less prediction out of group, in the target's unit.
/// - `deviations`: `(n_rows,)`, above zero, in the target's unit.
///
/// Returns `None` with so few groups that no finite width will do: below level / (1 − level).
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
    // One more group, infinitely far off. Rounding of the sum must not ask for it where the known ones suffice.
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

/// How often intervals held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// Share covered, each group counting the same.
    pub by_group: f64,
    /// Share of rows covered.
    pub by_row: f64,
    /// Of `by_group`, resampling groups.
    pub interval: Option<Interval>,
    /// Mean width of the intervals, each group counting the same, in the target's unit.
    pub mean_width: f64,
    /// Rows tested.
    pub n: usize,
    /// Groups tested.
    pub n_groups: usize,
}

/// Counts how often `target` lies inside its interval; rows without one are left out. `None` where none has one.
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
    // Per group: rows, rows covered, widths.
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
