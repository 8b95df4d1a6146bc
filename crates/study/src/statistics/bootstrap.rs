//! Bootstrap intervals that resample whole groups.
//!
//! Checkpoints of one shape share weights, data and recipe, so rows are not independent, and whole groups are resampled
//! (Cameron, Gelbach and Miller 2008, <https://doi.org/10.1162/rest.90.3.414>). Percentile intervals (Efron 1979).

use rayon::prelude::*;

use super::{quantile_of_sorted, sorted};
use crate::finding::Interval;
use crate::random::Random;

/// Number of resamples and seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupBootstrap {
    /// Number of resamples.
    pub resamples: usize,
    /// Seed; resample i uses random stream i + 1, so results do not depend on the number of threads.
    pub seed: u64,
}

/// Percentile interval of `statistic`, which is given row indices (the rows of a group drawn twice occur twice).
///
/// # Shapes and units
/// - `groups`: `(n_rows,)`, any group identifiers.
///
/// Returns `None` with fewer than five groups, or where fewer than half the resamples give a finite number.
///
/// # Limits
/// With few groups (5 to 30) the interval is too narrow.
pub fn group_bootstrap(
    groups: &[u32],
    settings: GroupBootstrap,
    level: f64,
    statistic: impl Fn(&[usize]) -> f64 + Sync,
) -> Option<Interval> {
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by_key(|&row| groups[row]);
    let members: Vec<&[usize]> = order.chunk_by(|&a, &b| groups[a] == groups[b]).collect();
    if members.len() < 5 {
        return None;
    }
    let values = resample_groups(members.len(), settings.resamples, settings.seed, |drawn| {
        let rows: Vec<usize> = drawn.iter().flat_map(|&group| members[group]).copied().collect();
        Some(statistic(&rows)).filter(|value| value.is_finite())
    });
    if values.len() * 2 < settings.resamples {
        return None;
    }
    let method = format!(
        "bootstrap over {} groups, {} resamples",
        members.len(),
        settings.resamples
    );
    percentile_interval(&values, level, method)
}

/// Values of `statistic` on `resamples` draws of `n_groups` groups with replacement; `None` values are left out.
pub(crate) fn resample_groups(
    n_groups: usize,
    resamples: usize,
    seed: u64,
    statistic: impl Fn(&[usize]) -> Option<f64> + Sync,
) -> Vec<f64> {
    let values = resample(n_groups, GroupBootstrap { resamples, seed }, |_, drawn| {
        statistic(drawn)
    });
    values.into_iter().flatten().collect()
}

/// Values of a statistic on draws of `n_groups` groups with replacement, given the number of times each group was
/// drawn; the draws are those of [`group_bootstrap`] for the same seed.
///
/// # Shapes and units
/// - argument of `statistic`: `(n_groups,)`, number of times each group was drawn.
pub fn resample_counts<T: Send>(
    n_groups: usize,
    settings: GroupBootstrap,
    statistic: impl Fn(&[u32]) -> T + Sync,
) -> Vec<T> {
    resample(n_groups, settings, |_, drawn| {
        let mut counts = vec![0_u32; n_groups];
        for &group in drawn {
            counts[group] += 1;
        }
        statistic(&counts)
    })
}

/// Values of `each` on draws of `n_groups` groups with replacement; its arguments are the index of the resample and the
/// groups in the order drawn. All bootstraps of this crate use it.
pub(crate) fn resample<T: Send>(
    n_groups: usize,
    settings: GroupBootstrap,
    each: impl Fn(usize, &[usize]) -> T + Sync,
) -> Vec<T> {
    let one = |draw: usize| {
        let mut random = Random::new(settings.seed, draw as u64 + 1);
        let drawn: Vec<usize> = (0..n_groups).map(|_| random.below(n_groups)).collect();
        each(draw, &drawn)
    };
    (0..settings.resamples).into_par_iter().map(one).collect()
}

/// Percentile interval of a resampled statistic; `None` with fewer than five groups, or where fewer than half of the
/// values are finite.
pub fn bootstrap_interval(values: &[f64], n_groups: usize, level: f64) -> Option<Interval> {
    let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    if n_groups < 5 || finite.len() * 2 < values.len() {
        return None;
    }
    let method = format!("bootstrap over {n_groups} groups, {} resamples", values.len());
    percentile_interval(&finite, level, method)
}

/// The central `level` of `values`; `None` where there are no values.
pub(crate) fn percentile_interval(values: &[f64], level: f64, method: String) -> Option<Interval> {
    let ordered = sorted(values);
    (!ordered.is_empty()).then(|| Interval {
        low: quantile_of_sorted(&ordered, 0.5 - level / 2.0),
        high: quantile_of_sorted(&ordered, 0.5 + level / 2.0),
        level,
        method,
    })
}
