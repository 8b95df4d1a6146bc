//! Whether a structure can be what a name states, and how near it is.

use crate::resolve::pool::Template;
use crate::resolve::words::Stated;

/// Spread of the logarithm of stated sizes around true ones: names round (6.74 to 7, 12.9 to 13).
const SPREAD: f64 = 0.1;

/// Logarithm of how likely a checkpoint of that structure states these sizes, up to a constant.
pub(super) fn closeness(template: &Template, stated: &[Stated]) -> f64 {
    let of = |stated: &Stated| match *stated {
        Stated::Dense(size) | Stated::Mixture(_, size) => size,
    };
    let nearest = stated
        .iter()
        .flat_map(|one| {
            template
                .sizes
                .iter()
                .filter(|size| size.usual)
                .map(move |size| (of(one) / size.size).ln().abs())
        })
        .min_by(f64::total_cmp);
    nearest.map_or(0.0, |off| -0.5 * (off.min(0.35) / SPREAD).powi(2))
}

/// Whether a structure can be what the name states: within a third of a whole number, within 0.12 billion (or
/// 2.5 %) of one with decimals; anything where nothing is stated.
pub(crate) fn said(template: &Template, stated: &[Stated]) -> bool {
    let mut sizes = stated
        .iter()
        .filter_map(|stated| match stated {
            Stated::Dense(size) if *size >= 0.01 => Some(*size),
            Stated::Mixture(_, size) => Some(*size),
            Stated::Dense(_) => None,
        })
        .peekable();
    let near = |stated: f64, size: f64| {
        if stated.fract() == 0.0 || stated < 1.0 {
            size < stated * 1.34 && size > stated / 1.34
        } else {
            (size - stated).abs() <= (0.025 * stated).max(0.12)
        }
    };
    sizes.peek().is_none()
        || template.sizes.is_empty()
        || sizes.any(|stated| {
            template
                .sizes
                .iter()
                .any(|admitted| admitted.usual && near(stated, admitted.size))
        })
}
