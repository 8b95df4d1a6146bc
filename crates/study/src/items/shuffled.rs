//! Random tables of answers under independence: every checkpoint keeps its score, every item its difficulty.
//!
//! Two checkpoints trade the items that only one of them solved ("curveball", Strona et al. 2014,
//! <https://doi.org/10.1038/ncomms5114>); in the limit all tables with the given margins are equally likely. Tables are
//! drawn as in Besag and Clifford (1989, <https://doi.org/10.1093/biomet/76.4.633>): one chain back to a common
//! ancestor, then one forward from it for each draw. Under the null hypothesis the observed table and the draws are
//! exchangeable for chains of any length, so a rank among them is an exact p value.

use super::answers::Answers;
use super::bits::{Bits, places};
use crate::random::Random;

/// Steps of a chain per checkpoint; each is a trade of two, so a checkpoint is in twice as many on average.
const TRADES: usize = 5;

/// The common ancestor of all draws, reached from the observed table.
pub(crate) fn ancestor(answers: &Answers, seed: u64) -> Bits {
    walked(answers, answers.correct.clone(), &mut Random::new(seed, 0))
}

/// The random table `number`, reached from the ancestor.
pub(crate) fn draw(answers: &Answers, ancestor: &Bits, seed: u64, number: usize) -> Bits {
    walked(
        answers,
        ancestor.clone(),
        &mut Random::new(seed, number as u64 + 1),
    )
}

fn walked(answers: &Answers, mut table: Bits, random: &mut Random) -> Bits {
    let n = answers.checkpoints.len();
    for _ in 0..n * TRADES {
        let a = random.below(n);
        let b = (a + 1 + random.below(n - 1)) % n;
        trade(answers, &mut table, a, b, random);
    }
    table
}

/// Redistributes the items that exactly one of two solved, among those both answered; each keeps its number of items.
fn trade(answers: &Answers, table: &mut Bits, a: usize, b: usize, random: &mut Random) {
    let both = answers.answered.row(a).iter().zip(answers.answered.row(b));
    let solved = table.row(a).iter().zip(table.row(b));
    let mut pool = places(both.zip(solved).map(|((p, q), (x, y))| (x ^ y) & p & q));
    let of_a = pool.iter().filter(|&&i| table.get(a, i)).count();
    random.shuffle(&mut pool);
    for (place, i) in pool.into_iter().enumerate() {
        table.set(a, i, place < of_a);
        table.set(b, i, place >= of_a);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::items::tests::independent;

    #[test]
    fn margins_stay_and_unanswered_items_stay_so() {
        let answers = independent(12, 150, 0.9, 3);
        let start = ancestor(&answers, 7);
        assert_ne!(start, answers.correct);
        for number in 0..3 {
            let drawn = draw(&answers, &start, 7, number);
            assert_eq!(drawn, draw(&answers, &start, 7, number));
            for c in 0..12 {
                assert_eq!(drawn.ones(c), answers.correct.ones(c));
                assert!((0..150).all(|i| answers.answered.get(c, i) || !drawn.get(c, i)));
            }
            for i in 0..150 {
                let solvers = |table: &Bits| (0..12).filter(|&c| table.get(c, i)).count();
                assert_eq!(solvers(&drawn), solvers(&answers.correct));
            }
        }
    }
}
