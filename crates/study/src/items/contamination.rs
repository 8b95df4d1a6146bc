//! Tests whether a checkpoint does better on a part of a benchmark than on the rest, given the items' difficulty for
//! the others.
//!
//! Items are divided into strata of similar difficulty (share of the *other* checkpoints that solve them). Within a
//! stratum the part and the rest are exchangeable for a checkpoint that saw neither, so the number it solves of the
//! part is hypergeometric: the exact, one-sided Mantel-Haenszel test (1959) over strata, with p adjusted over
//! checkpoints (Holm). The difference is the Mantel-Haenszel risk difference, with the interval of Sato (1989,
//! <https://doi.org/10.2307/2531684>).
//!
//! # Limits
//! A checkpoint that is good at the *topic* of the part looks like one that has seen it. A part that most checkpoints
//! have seen looks easy, and none of them stands out.

use rayon::prelude::*;

use super::answers::Answers;
use crate::finding::Interval;
use crate::statistics::holm;

/// Number of difficulty strata.
const STRATA: usize = 20;

/// One checkpoint's result on the part and the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Suspicion {
    /// Row index of the checkpoint.
    pub checkpoint: usize,
    /// Answered items of the part, in strata that have items of both.
    pub n_part: usize,
    /// Answered items of the rest, in these strata.
    pub n_rest: usize,
    /// Share solved of the part minus share solved of the rest, within difficulty; NaN without such strata.
    pub difference: f64,
    /// 95 % interval of the difference.
    pub interval: Option<Interval>,
    /// One-sided p value: probability of at least as many solved if the part is like the rest.
    pub p: f64,
    /// p value adjusted over checkpoints by Holm's method.
    pub p_holm: f64,
}

/// Tests every checkpoint; `part`, `(n_items,)`, says which items belong to the part.
pub fn contamination(answers: &Answers, part: &[bool]) -> Vec<Suspicion> {
    let counts = answers.counts();
    let mut all: Vec<Suspicion> = (0..answers.checkpoints.len())
        .into_par_iter()
        .map(|c| one(answers, &counts, part, c))
        .collect();
    let p: Vec<f64> = all.iter().map(|one| one.p).collect();
    for (one, adjusted) in all.iter_mut().zip(holm(&p)) {
        one.p_holm = adjusted;
    }
    all
}

/// Answered and solved items of the part and of the rest in one stratum.
#[derive(Debug, Clone, Copy, Default)]
struct Stratum {
    part: usize,
    part_solved: usize,
    rest: usize,
    rest_solved: usize,
}

fn one(answers: &Answers, counts: &[(usize, usize)], part: &[bool], c: usize) -> Suspicion {
    // Difficulty is the share of others that solved the item; items answered by nobody else are left out.
    let mut items: Vec<(f64, usize)> = (0..answers.items.len())
        .filter(|&i| answers.answered.get(c, i) && counts[i].0 > 1)
        .map(|i| {
            let own = usize::from(answers.correct.get(c, i));
            ((counts[i].1 - own) as f64 / (counts[i].0 - 1) as f64, i)
        })
        .collect();
    items.sort_by(|x, y| x.0.total_cmp(&y.0).then(x.1.cmp(&y.1)));
    let size = items.len().div_ceil(STRATA).max(1);
    let mut strata = Vec::new();
    let mut stratum = Stratum::default();
    // Items of equal difficulty stay in one stratum.
    for run in items.chunk_by(|x, y| x.0 == y.0) {
        for &(_, i) in run {
            let solved = usize::from(answers.correct.get(c, i));
            if part[i] {
                stratum.part += 1;
                stratum.part_solved += solved;
            } else {
                stratum.rest += 1;
                stratum.rest_solved += solved;
            }
        }
        if stratum.part + stratum.rest >= size {
            strata.push(std::mem::take(&mut stratum));
        }
    }
    strata.push(stratum);
    strata.retain(|stratum| stratum.part > 0 && stratum.rest > 0);
    let (difference, error) = difference(&strata);
    let half = 1.959_963_984_540_054 * error;
    Suspicion {
        checkpoint: c,
        n_part: strata.iter().map(|stratum| stratum.part).sum(),
        n_rest: strata.iter().map(|stratum| stratum.rest).sum(),
        difference,
        interval: (error > 0.0).then(|| Interval {
            low: (difference - half).max(-1.0),
            high: (difference + half).min(1.0),
            level: 0.95,
            method: "sato 1989".into(),
        }),
        p: p_of(&strata),
        p_holm: 1.0,
    }
}

/// The weighted difference, and its standard error.
fn difference(strata: &[Stratum]) -> (f64, f64) {
    let (mut sum, mut weight, mut p, mut q) = (0.0, 0.0, 0.0, 0.0);
    for stratum in strata {
        let (n1, a) = (stratum.part as f64, stratum.part_solved as f64);
        let (n0, b) = (stratum.rest as f64, stratum.rest_solved as f64);
        let n = n1 + n0;
        sum += (a * n0 - b * n1) / n;
        weight += n1 * n0 / n;
        p += (n1 * n1 * b - n0 * n0 * a + n1 * n0 * (n0 - n1) / 2.0) / (n * n);
        q += (a * (n0 - b) + b * (n1 - a)) / (2.0 * n);
    }
    let difference = sum / weight;
    (difference, (difference * p + q).max(0.0).sqrt() / weight)
}

/// P(A ≥ a), where A is the sum over strata of hypergeometric variables.
fn p_of(strata: &[Stratum]) -> f64 {
    let observed: usize = strata.iter().map(|stratum| stratum.part_solved).sum();
    let mut sums = vec![1.0];
    for stratum in strata {
        let own = hypergeometric(
            stratum.part,
            stratum.rest,
            stratum.part_solved + stratum.rest_solved,
        );
        let mut next = vec![0.0; sums.len() + own.len() - 1];
        for (i, x) in sums.iter().enumerate() {
            for (j, y) in own.iter().enumerate() {
                next[i + j] += x * y;
            }
        }
        sums = next;
    }
    // Summed from the smallest term, so that small p values keep their precision.
    sums[observed..].iter().rev().sum::<f64>().min(1.0)
}

/// Probabilities that 0, 1, … `part` of `solved` items, drawn from `part + rest`, fall into the part.
fn hypergeometric(part: usize, rest: usize, solved: usize) -> Vec<f64> {
    let mut chances = vec![0.0; part + 1];
    let low = solved.saturating_sub(rest);
    let high = part.min(solved);
    let mode = (((part + 1) * (solved + 1)) / (part + rest + 2)).clamp(low, high);
    chances[mode] = 1.0;
    // Ratio of C(part, k + 1)·C(rest, solved − k − 1) to C(part, k)·C(rest, solved − k).
    let ratio = |k: usize| ((part - k) * (solved - k)) as f64 / ((k + 1) * (rest + k + 1 - solved)) as f64;
    for k in mode..high {
        chances[k + 1] = chances[k] * ratio(k);
    }
    for k in (low..mode).rev() {
        chances[k] = chances[k + 1] / ratio(k);
    }
    let total: f64 = chances.iter().sum();
    for chance in &mut chances {
        *chance /= total;
    }
    chances
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compared with scipy.stats.hypergeom.sf(7, 40, 15, 12); with one stratum the test is Fisher's exact test.
    #[test]
    fn one_stratum_is_fishers_test() {
        let stratum = Stratum {
            part: 12,
            part_solved: 8,
            rest: 28,
            rest_solved: 7,
        };
        let p = p_of(&[stratum]);
        assert!((p - 0.016_798_315_963_711_296).abs() < 1e-9, "{p}");
        let (value, error) = difference(&[stratum]);
        assert!((value - (8.0 / 12.0 - 7.0 / 28.0)).abs() < 1e-12);
        // For one stratum the unpooled binomial variance is close.
        let plain = (8.0 / 12.0 * 4.0 / 12.0 / 12.0 + 0.25 * 0.75 / 28.0_f64).sqrt();
        assert!((error / plain - 1.0).abs() < 0.1, "{error} {plain}");
        // No variance: all are solved.
        let sure = Stratum {
            part: 3,
            part_solved: 3,
            rest: 4,
            rest_solved: 4,
        };
        assert_eq!(p_of(&[sure]), 1.0);
        assert!((p_of(&[stratum, sure]) - p).abs() < 1e-12);
    }
}
