//! Calibrates the posterior threshold above which a name counts as an answer.
//!
//! Checkpoints with a known structure are left out one at a time and their names read. The threshold is the lowest
//! posterior at and above which nearly all answers are right; with too few answers there is no threshold, and names are
//! not used. The same idea applies to sizes in whole billions: nearly all known checkpoints must agree, and there must
//! be enough of them that an unseen structure is unlikely.

use crate::known::Known;
use crate::resolve::listed::Listed;
use crate::words::sizes;

/// Percentage of the answers that must be right.
const RIGHT: usize = 99;
/// Number of answers below which a percentage is not reliable.
const ENOUGH: usize = 50;
/// Lower limit of the threshold.
const LEAST: f64 = 0.75;

/// Probability that one more checkpoint has a structure not seen so far: the share of structures seen once
/// (Good-Turing), smoothed and at most one half.
pub(super) fn unseen(counts: impl Iterator<Item = u32>) -> f64 {
    let (mut once, mut all) = (1, 2);
    for count in counts {
        once += u32::from(count == 1);
        all += count;
    }
    (f64::from(once) / f64::from(all)).min(0.5)
}

/// Whether a board lists, or the name states, a size.
pub(super) fn is_sized(known: &Known) -> bool {
    Listed::of(known) != Listed::Unknown || !sizes(&known.id).is_empty()
}

/// The lowest posterior at and above which nearly all answers are right; infinite where there is no evidence for any.
pub(super) fn threshold(mut answers: Vec<(f64, bool)>) -> f64 {
    answers.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut right = 0;
    let mut threshold = f64::INFINITY;
    for (at, &(posterior, is_right)) in answers.iter().enumerate() {
        right += usize::from(is_right);
        let answered = at + 1;
        let ends = answers.get(answered).is_none_or(|next| next.0 < posterior);
        if ends && answered >= ENOUGH && right * 100 >= answered * RIGHT && posterior >= LEAST {
            threshold = posterior;
        }
    }
    threshold
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_posterior_from_which_nearly_all_are_right() {
        // A hundred certain and right answers, then a hundred of which every second is wrong.
        let answers = (0..200)
            .map(|at| {
                if at < 100 {
                    (0.99, true)
                } else {
                    (0.8, at % 2 == 0)
                }
            })
            .collect();
        assert_eq!(threshold(answers), 0.99);
        let all_right = (0..200).map(|_| (0.5, true)).collect();
        assert_eq!(threshold(all_right), f64::INFINITY);
        assert_eq!(threshold(vec![(1.0, true); 49]), f64::INFINITY);
        assert_eq!(threshold(vec![(1.0, true); 50]), 1.0);
    }
}
