//! Difficulty and discrimination of items.

use super::answers::Answers;

/// Statistics of one item.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ItemFacts {
    /// Number of checkpoints that answered it.
    pub n: usize,
    /// Number of these that answered it correctly.
    pub correct: usize,
    /// Corrected item-total correlation: Pearson's correlation over checkpoints of solving the item with the share of
    /// other items solved; NaN where all or none solve it.
    pub discrimination: f64,
}

impl ItemFacts {
    /// Share of checkpoints that solve it.
    pub fn share(&self) -> f64 {
        self.correct as f64 / self.n as f64
    }
}

/// Statistics of every item, in order.
pub fn items(answers: &Answers) -> Vec<ItemFacts> {
    let n_items = answers.items.len();
    let mut sums = vec![[0.0_f64; 3]; n_items];
    let mut counts = vec![(0_usize, 0_usize); n_items];
    for c in 0..answers.checkpoints.len() {
        let (answered, solved) = (answers.n_answered(c), answers.correct.ones(c));
        if answered < 2 {
            continue;
        }
        for i in (0..n_items).filter(|&i| answers.answered.get(c, i)) {
            let own = answers.correct.get(c, i);
            let rest = (solved - usize::from(own)) as f64 / (answered - 1) as f64;
            counts[i].0 += 1;
            sums[i][0] += rest;
            sums[i][1] += rest * rest;
            if own {
                counts[i].1 += 1;
                sums[i][2] += rest;
            }
        }
    }
    counts
        .into_iter()
        .zip(sums)
        .map(|((n, correct), [s, ss, sx])| {
            let (size, k) = (n as f64, correct as f64);
            let (xx, yy, xy) = (k * (size - k) / size, ss - s * s / size, sx - k / size * s);
            ItemFacts {
                n,
                correct,
                discrimination: if xx > 0.0 && yy > 1e-12 {
                    (xy / (xx * yy).sqrt()).clamp(-1.0, 1.0)
                } else {
                    f64::NAN
                },
            }
        })
        .collect()
}

/// Fleiss' kappa (1971, <https://doi.org/10.1037/h0031619>): agreement of checkpoints on right and wrong beyond chance
/// given their mean score. Items are weighted by `weights`, `(n_items,)`; items answered by fewer than two are left
/// out.
pub fn fleiss(items: &[ItemFacts], weights: &[u32]) -> f64 {
    let (mut agree, mut n_items, mut right, mut all) = (0.0, 0.0, 0.0, 0.0);
    for (item, &weight) in items.iter().zip(weights) {
        let (n, k, weight) = (item.n as f64, item.correct as f64, f64::from(weight));
        if item.n < 2 {
            continue;
        }
        agree += weight * (k * (k - 1.0) + (n - k) * (n - k - 1.0)) / (n * (n - 1.0));
        n_items += weight;
        right += weight * k;
        all += weight * n;
    }
    let share = right / all;
    let chance = share * share + (1.0 - share) * (1.0 - share);
    (agree / n_items - chance) / (1.0 - chance)
}
