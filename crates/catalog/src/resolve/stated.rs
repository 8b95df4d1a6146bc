//! Whether a structure is compatible with the sizes that a name states, and how close it is.

use crate::resolve::template::Template;
use crate::words::Stated;

/// Standard deviation of the log ratio of stated to true sizes: names round (6.74 to 7, 12.9 to 13).
const SPREAD: f64 = 0.1;

/// Log-likelihood that a checkpoint with this structure states these sizes, up to a constant.
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

/// Whether a name that states `stated` billions can mean a checkpoint of `size` billions: names round, omit embeddings
/// (8.5 is called 7 where the vocabulary is large, 0.19 is called 126m), and rarely overstate.
pub(crate) fn near(stated: f64, size: f64) -> bool {
    let (below, above) = if stated < 0.2 {
        (0.86, 1.5)
    } else if stated < 1.0 {
        (0.86, 1.28)
    } else if stated.fract() == 0.0 {
        (0.9, 1.34)
    } else {
        (0.94, 1.28)
    };
    size >= stated * below && size <= stated * above
}

/// Whether a structure is compatible with the stated sizes; always true where none is stated. For a mixture, the size
/// stated may be that of one expert or of all together.
pub(crate) fn said(template: &Template, stated: &[Stated], mixture: bool) -> bool {
    let is_mixture = template.sizes.iter().all(|admitted| admitted.experts > 1);
    let is = |stated: &Stated| {
        template
            .sizes
            .iter()
            .filter(|admitted| admitted.usual)
            .any(|admitted| match *stated {
                Stated::Dense(size) => (mixture || admitted.experts == 1) && near(size, admitted.size),
                Stated::Mixture(_, one) if admitted.experts == 1 => near(one, admitted.size),
                // Where only the mixture's size is known: what the experts share counts only once.
                Stated::Mixture(experts, one) => {
                    is_mixture
                        && admitted.experts == experts
                        && near(one, admitted.size / (0.85 * experts as f64))
                }
            })
    };
    stated.is_empty() || template.sizes.is_empty() || stated.iter().any(is)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_and_leave_embeddings_out() {
        for (stated, size) in [
            (7.0, 6.738),
            (7.0, 8.538),
            (30.0, 32.529),
            (13.0, 12.9),
            (1.0, 1.236),
            (0.126, 0.186),
            (0.5, 0.494),
            (6.7, 7.111),
            (10.7, 10.732),
        ] {
            assert!(near(stated, size), "{stated} {size}");
        }
        for (stated, size) in [
            (8.0, 4.015),
            (8.0, 16.06),
            (11.0, 8.03),
            (34.0, 70.0),
            (10.7, 8.03),
            (8.0, 6.738),
        ] {
            assert!(!near(stated, size), "{stated} {size}");
        }
    }
}
