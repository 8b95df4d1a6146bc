//! Intervals by resampling whole groups.
//!
//! Checkpoints of one shape share weights, data and recipe, so rows are not independent: the group is what is drawn
//! (Cameron, Gelbach and Miller 2008, <https://doi.org/10.1162/rest.90.3.414>). Percentile interval (Efron 1979).

use rayon::prelude::*;

use super::{quantile_of_sorted, sorted};
use crate::finding::Interval;
use crate::random::Random;

/// How often and from which seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupBootstrap {
    /// Resamples.
    pub resamples: usize,
    /// Seed; resample i uses stream i, so the number of threads changes nothing.
    pub seed: u64,
}

/// Percentile interval of `statistic`, which gets row indices (a group drawn twice brings its rows twice).
///
/// # Shapes and units
/// - `groups`: `(n_rows,)`, any group numbers.
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
    let values: Vec<f64> = (0..settings.resamples)
        .into_par_iter()
        .map(|resample| {
            let mut random = Random::new(settings.seed, resample as u64);
            let mut rows = Vec::with_capacity(groups.len());
            for _ in 0..members.len() {
                rows.extend_from_slice(members[random.below(members.len())]);
            }
            statistic(&rows)
        })
        .filter(|value| value.is_finite())
        .collect();
    if values.len() * 2 < settings.resamples || values.is_empty() {
        return None;
    }
    let ordered = sorted(&values);
    Some(Interval {
        low: quantile_of_sorted(&ordered, 0.5 - level / 2.0),
        high: quantile_of_sorted(&ordered, 0.5 + level / 2.0),
        level,
        method: format!(
            "bootstrap over {} groups, {} resamples",
            members.len(),
            settings.resamples
        ),
    })
}
