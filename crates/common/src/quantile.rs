//! Quantiles by linear interpolation between order statistics, as numpy and pandas do by default (Hyndman and
//! Fan 1996, type 7).

/// The quantile at probability `fraction` (clamped to 0 to 1) of values sorted in ascending order; NaN if there are
/// none.
///
/// ```
/// assert_eq!(common::quantile::quantile_of_sorted(&[1.0, 2.0, 4.0], 0.75), 3.0);
/// ```
pub fn quantile_of_sorted(ordered: &[f64], fraction: f64) -> f64 {
    let Some(last) = ordered.len().checked_sub(1) else {
        return f64::NAN;
    };
    let place = fraction.clamp(0.0, 1.0) * last as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    let share = place - below as f64;
    ordered[below] + share * (ordered[above] - ordered[below])
}
