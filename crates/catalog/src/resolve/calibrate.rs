//! From which posterior on a name is an answer: measured, not set.
//!
//! Exactly known checkpoints are left out one at a time and their names read. The threshold is the least posterior from
//! which nearly all answers are right; with too few answers to say so there is none, and names are no answer at all. The
//! same is asked of sizes in whole billions: nearly all that is known must agree, and enough be known that a structure which
//! none of them has is unlikely.

use crate::known::Known;
use crate::resolve::listed::Listed;
use crate::resolve::memo::thin;
use crate::resolve::name::{Lexicon, census_key};
use crate::resolve::pool::{Pool, Shape};
use crate::words::sizes;

/// Known checkpoints left out to find the thresholds.
const LEFT_OUT: usize = 2_000;
/// Per cent of the known checkpoints of a family and size that the common structure must have, and at most one in so many
/// of all such checkpoints may have one that was never seen.
const COMMON: u32 = 98;
const UNSEEN: f64 = 0.02;
/// Per cent of the answers that must be right.
const RIGHT: usize = 99;
/// Answers below which a share says nothing.
const ENOUGH: usize = 50;
/// No answer is less likely than this, whatever was measured.
const LEAST: f64 = 0.75;

impl Lexicon {
    /// Sets the thresholds by leaving known checkpoints out.
    pub(super) fn calibrate(&mut self, pool: &Pool, known: &[Known], certain: &[(u32, Shape)]) {
        let mut answers = [Vec::new(), Vec::new()];
        for (at, shape) in thin(certain.to_vec(), LEFT_OUT) {
            let one = &known[at as usize];
            if one.shape().is_some()
                && let Some((told, _, posterior)) = self.weigh(pool, one, true)
            {
                answers[usize::from(!is_sized(one))].push((posterior, told == shape));
            }
        }
        self.sure = answers.map(threshold);
    }

    /// The structure that nearly all known checkpoints of that family and listed size have, where so many are known that
    /// another is unlikely.
    pub(crate) fn by_census(&self, known: &Known, left_out: bool) -> Option<(Shape, u32)> {
        let own = left_out.then(|| self.class_of(known)).flatten();
        let counts = self.census.get(&census_key(known)?)?;
        let count =
            |(&shape, &count): (&u32, &u32)| (shape, count - u32::from(own == Some(shape) && count > 0));
        let all: u32 = counts.iter().map(|entry| count(entry).1).sum();
        let (shape, most) = counts.iter().map(count).max_by_key(|&(_, count)| count)?;
        let unseen = unseen(counts.iter().map(|entry| count(entry).1));
        (most * 100 >= all * COMMON && unseen <= UNSEEN)
            .then(|| (self.classes[shape as usize].1, self.example[shape as usize]))
    }
}

/// How likely one more checkpoint has a structure that none of those counted has: the share of structures seen once.
pub(super) fn unseen(counts: impl Iterator<Item = u32>) -> f64 {
    let (mut once, mut all) = (1, 2);
    for count in counts {
        once += u32::from(count == 1);
        all += count;
    }
    (f64::from(once) / f64::from(all)).min(0.5)
}

/// Whether a size is listed or stated.
pub(super) fn is_sized(known: &Known) -> bool {
    Listed::of(known) != Listed::Unknown || !sizes(&known.id).is_empty()
}

/// The least posterior from which answers are right nearly always; infinite where nothing shows it.
fn threshold(mut answers: Vec<(f64, bool)>) -> f64 {
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
        // A hundred sure and right, then a hundred of which every second is wrong.
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
