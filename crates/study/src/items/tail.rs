//! Number of identical wrong answers of two checkpoints, and its probability by chance.

use super::answers::Answers;

/// Cost, in operations, above which Chernoff's upper bound replaces an exact tail.
const COSTLY: usize = 50_000_000;

/// Per item: the probability that two checkpoints that are wrong give the same answer.
pub(crate) struct ByItem {
    same: Vec<f64>,
}

/// Items on which two checkpoints are both wrong.
pub(crate) struct SameWrong {
    pub(crate) n: usize,
    pub(crate) same: usize,
    pub(crate) expected: f64,
    /// Probability of at least as many identical answers.
    pub(crate) p: f64,
}

/// Computes the probabilities per item; `None` where no answer is known.
pub(crate) fn by_item(answers: &Answers) -> Option<ByItem> {
    if answers.chosen.is_empty() {
        return None;
    }
    let same = (0..answers.items.len())
        .map(|i| {
            let mut wrong: Vec<u32> = (0..answers.checkpoints.len())
                .filter_map(|c| wrong_choice(answers, c, i))
                .collect();
            wrong.sort_unstable();
            let pairs = |n: usize| (n * n.saturating_sub(1)) as f64;
            let alike: f64 = wrong.chunk_by(|x, y| x == y).map(|run| pairs(run.len())).sum();
            alike / pairs(wrong.len()).max(1.0)
        })
        .collect();
    Some(ByItem { same })
}

fn wrong_choice(answers: &Answers, c: usize, i: usize) -> Option<u32> {
    answers
        .choice(c, i)
        .filter(|_| answers.answered.get(c, i) && !answers.correct.get(c, i))
}

impl ByItem {
    pub(crate) fn same_wrong(&self, answers: &Answers, a: usize, b: usize) -> SameWrong {
        let mut chances = Vec::new();
        let mut same = 0;
        for (i, &chance) in self.same.iter().enumerate() {
            if let (Some(x), Some(y)) = (wrong_choice(answers, a, i), wrong_choice(answers, b, i)) {
                chances.push(chance);
                same += usize::from(x == y);
            }
        }
        SameWrong {
            n: chances.len(),
            same,
            expected: chances.iter().sum(),
            p: upper_tail(&chances, same),
        }
    }
}

/// P(S ≥ s) for a sum of independent trials with these probabilities: exact, or an upper bound where it is large or
/// costly.
pub(crate) fn upper_tail(chances: &[f64], s: usize) -> f64 {
    let mean: f64 = chances.iter().sum();
    if s == 0 || (s as f64) <= mean {
        return 1.0;
    }
    let bound = chernoff(chances, s as f64);
    // A large upper bound is good enough, as the pair is not flagged anyway.
    if bound > 0.2 || chances.len() * s > COSTLY {
        return bound;
    }
    // Probabilities of 0 to s − 1 and, as the last entry, of s or more.
    let mut sums = vec![0.0; s + 1];
    sums[0] = 1.0;
    for &chance in chances {
        sums[s] += sums[s - 1] * chance;
        for k in (1..s).rev() {
            sums[k] = sums[k] * (1.0 - chance) + sums[k - 1] * chance;
        }
        sums[0] *= 1.0 - chance;
    }
    sums[s].min(1.0)
}

/// Minimum of E(e^{tS})·e^{−ts} over t > 0 (Chernoff 1952), by bisection of its derivative.
fn chernoff(chances: &[f64], s: f64) -> f64 {
    let slope = |t: f64| -> f64 {
        let of = |p: &f64| p * t.exp() / (1.0 - p + p * t.exp());
        chances.iter().map(of).sum::<f64>() - s
    };
    let (mut low, mut high) = (0.0, 40.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if slope(middle) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    let log: f64 = chances.iter().map(|p| (1.0 - p + p * low.exp()).ln()).sum();
    (log - low * s).exp().min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compared with scipy.stats.binom.sf(s - 1, 30, 0.25), and a sum over all outcomes with unequal probabilities.
    #[test]
    fn tails_are_exact() {
        let exact = upper_tail(&[0.25; 30], 20);
        assert!(
            (exact / 1.820_643_361_830_423_5e-6 - 1.0).abs() < 1e-9,
            "{exact:e}"
        );
        let chances = [0.1, 0.5, 0.2, 0.05, 0.3, 0.15, 0.01];
        let brute: f64 = (0_u32..1 << 7)
            .filter(|set| set.count_ones() >= 5)
            .map(|set| {
                let of = |(i, p): (usize, &f64)| if set >> i & 1 == 1 { *p } else { 1.0 - p };
                chances.iter().enumerate().map(of).product::<f64>()
            })
            .sum();
        assert!((upper_tail(&chances, 5) - brute).abs() < 1e-15);
        assert!(chernoff(&chances, 5.0) > brute);
        assert_eq!(upper_tail(&chances, 0), 1.0);
    }
}
