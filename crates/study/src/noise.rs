//! Sampling error of a benchmark score from its number of items, and of a difference of two scores.
//!
//! A score is a share of items answered correctly, so other items of the same kind would give another score: the raw
//! share has variance p (1 − p) / n (Miller 2024, <https://arxiv.org/abs/2411.00640>). Leaderboard v2 rescales each
//! subtask from its chance level b … 1 to 0 … 100, which multiplies the error by 1 / (1 − b). Where a score is the mean
//! of subtasks, all are assumed equally hard, as only the mean is published. Metrics that are not shares of correct
//! answers (`TruthfulQA`'s mc2) vary less than this, and so does the difference of two checkpoints, which answer the
//! same items; without per-item answers intervals are therefore conservative.

use statrs::distribution::{ContinuousCDF, Normal};

use crate::finding::Interval;

/// One subtask: effective number of independent items, and the chance level that the leaderboard rescales to 0.
type Subtask = (f64, f64);

/// The items of a benchmark.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Items {
    /// Name of the benchmark.
    pub benchmark: &'static str,
    /// Number of distinct items.
    pub n: usize,
    subtasks: &'static [Subtask],
    /// Where the counts come from.
    pub source: &'static str,
}

/// Leaderboard v2's subtasks of BIG-Bench Hard: number of items, and one over the number of choices.
const BBH: [Subtask; 24] = [
    (250.0, 1.0 / 2.0),
    (250.0, 1.0 / 3.0),
    (250.0, 1.0 / 2.0),
    (178.0, 1.0 / 2.0),
    (250.0, 1.0 / 6.0),
    (250.0, 1.0 / 18.0),
    (250.0, 1.0 / 19.0),
    (250.0, 1.0 / 7.0),
    (250.0, 1.0 / 11.0),
    (250.0, 1.0 / 2.0),
    (250.0, 1.0 / 6.0),
    (250.0, 1.0 / 5.0),
    (250.0, 1.0 / 6.0),
    (250.0, 1.0 / 3.0),
    (250.0, 1.0 / 4.0),
    (250.0, 1.0 / 2.0),
    (250.0, 1.0 / 3.0),
    (187.0, 1.0 / 2.0),
    (250.0, 1.0 / 2.0),
    (250.0, 1.0 / 7.0),
    (250.0, 1.0 / 6.0),
    (146.0, 1.0 / 5.0),
    (250.0, 1.0 / 2.0),
    (250.0, 1.0 / 5.0),
];

/// Subtasks of `MuSR`: murder mysteries, object placements, team allocation.
const MUSR: [Subtask; 3] = [(250.0, 0.5), (256.0, 0.2), (250.0, 1.0 / 3.0)];

const fn items(
    benchmark: &'static str,
    n: usize,
    subtasks: &'static [Subtask],
    source: &'static str,
) -> Items {
    Items {
        benchmark,
        n,
        subtasks,
        source,
    }
}

const V1: &str = "test set of the benchmark";
const V2: &str = "Open LLM Leaderboard v2, its normalisation page";
const LONGBENCH: &str = "LongBench v2, table of its statistics";

/// Number of items assumed for a benchmark that does not state it: as few as most benchmarks have at least.
pub const USUAL_ITEMS: f64 = 500.0;

/// Standard error in points of a score on [`USUAL_ITEMS`] items.
pub fn usual_error(score: f64) -> f64 {
    let share = ((score / 100.0).clamp(0.0, 1.0) * USUAL_ITEMS + 1.0) / (USUAL_ITEMS + 2.0);
    100.0 * (share * (1.0 - share) / USUAL_ITEMS).sqrt()
}

/// Benchmarks whose items are a subset of another benchmark's, and that other benchmark.
const PARTS: [(&str, &str); 5] = [
    ("longbench_v2_easy", "longbench_v2"),
    ("longbench_v2_hard", "longbench_v2"),
    ("longbench_v2_short", "longbench_v2"),
    ("longbench_v2_medium", "longbench_v2"),
    ("longbench_v2_long", "longbench_v2"),
];

/// The benchmark that contains all items of this one; `None` where there is none.
pub fn part_of(benchmark: &str) -> Option<&'static str> {
    let mut parts = PARTS.iter();
    parts
        .find(|(part, _)| *part == benchmark)
        .map(|(_, whole)| *whole)
}

/// Suffixes of benchmark names that mark the same items with another prompt or way of judging.
const OTHER_WAYS: [&str; 5] = ["_cot", "_plus", "_complete", "_instruct", "_raw"];

/// The benchmark whose items this one uses, by name: `humaneval_plus` uses those of `humaneval`. Errors on the same
/// items are correlated.
pub fn asks_items_of(benchmark: &str) -> &str {
    let whole = part_of(benchmark).unwrap_or(benchmark);
    OTHER_WAYS
        .iter()
        .find_map(|end| whole.strip_suffix(end))
        .unwrap_or(whole)
}

/// Standard error of the mean of scores, from the benchmark and standard error of each: errors on the same items are
/// taken as perfectly correlated, all others as independent.
pub fn error_of_mean<'a>(errors: impl IntoIterator<Item = (&'a str, f64)>) -> f64 {
    let mut n = 0.0;
    let mut by_items: std::collections::BTreeMap<&str, f64> = std::collections::BTreeMap::new();
    for (benchmark, error) in errors {
        n += 1.0;
        *by_items.entry(asks_items_of(benchmark)).or_default() += error;
    }
    let variance: f64 = by_items.values().map(|error| error * error).sum();
    if n > 0.0 { variance.sqrt() / n } else { 0.0 }
}

/// Benchmarks whose number of items is known.
pub const ITEMS: [Items; 25] = [
    items("arc", 1172, &[(1172.0, 0.0)], V1),
    items("hellaswag", 10_042, &[(10_042.0, 0.0)], V1),
    // The mean of 57 subjects of 100 to 1,534 items has the variance of 9,528 equally weighted items.
    items("mmlu", 14_042, &[(9_528.0, 0.0)], V1),
    items("truthfulqa", 817, &[(817.0, 0.0)], V1),
    items("winogrande", 1267, &[(1267.0, 0.0)], V1),
    items("gsm8k", 1319, &[(1319.0, 0.0)], V1),
    items("ifeval", 541, &[(541.0, 0.0)], V2),
    items("bbh", 5761, &BBH, V2),
    items("math", 1324, &[(1324.0, 0.0)], V2),
    // Diamond is a subset of main, main of extended: 546 distinct questions, those of diamond counted three times.
    items("gpqa", 546, &[(493.0, 0.25)], V2),
    items("musr", 756, &MUSR, V2),
    items("mmlu_pro", 12_032, &[(12_032.0, 0.1)], V2),
    items(
        "bigcodebench_complete",
        1140,
        &[(1140.0, 0.0)],
        "BigCodeBench, full set",
    ),
    items(
        "bigcodebench_instruct",
        1140,
        &[(1140.0, 0.0)],
        "BigCodeBench, full set",
    ),
    items(
        "bigcodebench_hard_complete",
        148,
        &[(148.0, 0.0)],
        "BigCodeBench, hard set",
    ),
    items(
        "bigcodebench_hard_instruct",
        148,
        &[(148.0, 0.0)],
        "BigCodeBench, hard set",
    ),
    items("humaneval", 164, &[(164.0, 0.0)], "HumanEval"),
    items("humaneval_plus", 164, &[(164.0, 0.0)], "HumanEval"),
    items("longbench_v2", 503, &[(503.0, 0.0)], "LongBench v2"),
    items("longbench_v2_cot", 503, &[(503.0, 0.0)], "LongBench v2"),
    items("longbench_v2_easy", 192, &[(192.0, 0.0)], LONGBENCH),
    items("longbench_v2_hard", 311, &[(311.0, 0.0)], LONGBENCH),
    items("longbench_v2_short", 180, &[(180.0, 0.0)], LONGBENCH),
    items("longbench_v2_medium", 215, &[(215.0, 0.0)], LONGBENCH),
    items("longbench_v2_long", 108, &[(108.0, 0.0)], LONGBENCH),
];

/// The items of a benchmark; `None` where unknown. Proteus uses the items of leaderboard v2.
pub fn items_of(benchmark: &str) -> Option<&'static Items> {
    let test = match benchmark.strip_prefix("proteus_") {
        Some(rest) => rest.strip_suffix("_raw").unwrap_or(rest),
        None => benchmark,
    };
    ITEMS.iter().find(|items| items.benchmark == test)
}

impl Items {
    /// Standard error in points of a score (in points) that is rescaled from chance level.
    pub fn error(&self, score: f64) -> f64 {
        self.error_of(score, true)
    }

    /// Standard error in points of a score: if `stretched`, a score of 0 is the chance level, else no correct answer.
    pub fn error_of(&self, score: f64, stretched: bool) -> f64 {
        let share = (score / 100.0).clamp(0.0, 1.0);
        let count = self.subtasks.len() as f64;
        let of = |&(n, chance): &Subtask| {
            let chance = if stretched { chance } else { 0.0 };
            // Adds one right and one wrong item, so that no score has an error of zero (Agresti and Coull 1998).
            let raw = chance + (1.0 - chance) * share;
            let raw = (raw * n + 1.0) / (n + 2.0);
            raw * (1.0 - raw) / n / (1.0 - chance).powi(2)
        };
        100.0 * self.subtasks.iter().map(of).sum::<f64>().sqrt() / count
    }

    /// Interval of the score over other items of the same kind, on the scale described at [`Items::error_of`].
    pub fn interval(&self, score: f64, level: f64, stretched: bool) -> Interval {
        let half = quantile(level) * self.error_of(score, stretched);
        Interval {
            low: (score - half).max(0.0),
            high: (score + half).min(100.0),
            level,
            method: format!("sampling of {} items", self.n),
        }
    }
}

/// A difference of two scores with its interval and p value by the normal approximation.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Second minus first.
    pub value: f64,
    /// Interval of the difference.
    pub interval: Interval,
    /// Two-sided p value of the hypothesis that there is no difference.
    pub p: f64,
}

/// The difference `value` with standard error `error`; `method` describes how they were obtained.
pub fn difference(value: f64, error: f64, level: f64, method: String) -> Difference {
    let half = quantile(level) * error;
    let p = if error > 0.0 {
        2.0 * Normal::standard().sf((value / error).abs())
    } else {
        f64::from(u8::from(value == 0.0))
    };
    Difference {
        value,
        interval: Interval {
            low: value - half,
            high: value + half,
            level,
            method,
        },
        p,
    }
}

/// Mean and standard error of the paired differences `second − first` by item; `None` for fewer than two items or
/// unequal lengths.
pub fn paired(first: &[f64], second: &[f64]) -> Option<(f64, f64)> {
    if first.len() != second.len() || first.len() < 2 {
        return None;
    }
    let gaps: Vec<f64> = first.iter().zip(second).map(|(a, b)| b - a).collect();
    let mean = crate::statistics::mean(&gaps);
    let error = (crate::statistics::variance(&gaps) / gaps.len() as f64).sqrt();
    Some((mean, error))
}

fn quantile(level: f64) -> f64 {
    Normal::standard().inverse_cdf(0.5 + level / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_on_the_same_items_are_wrong_together() {
        assert_eq!(part_of("longbench_v2_easy"), Some("longbench_v2"));
        assert_eq!(part_of("longbench_v2_cot"), None);
        for (a, b) in [
            ("humaneval", "humaneval_plus"),
            ("longbench_v2_cot", "longbench_v2_hard"),
            ("bigcodebench_complete", "bigcodebench_instruct"),
        ] {
            assert_eq!(asks_items_of(a), asks_items_of(b));
        }
        assert_ne!(
            asks_items_of("bigcodebench_complete"),
            asks_items_of("bigcodebench_hard_complete")
        );
        let apart = error_of_mean([("humaneval", 3.0), ("mbpp", 4.0)]);
        assert!((apart - 2.5).abs() < 1e-12);
        let same = error_of_mean([("humaneval", 3.0), ("humaneval_plus", 4.0)]);
        assert!((same - 3.5).abs() < 1e-12);
        assert!((usual_error(50.0) - 100.0 * (0.25_f64 / 500.0).sqrt()).abs() < 1e-9);
        assert!(usual_error(0.0) > 0.0);
    }

    #[test]
    fn counts_add_up() {
        let bbh: f64 = BBH.iter().map(|(n, _)| n).sum();
        let musr: f64 = MUSR.iter().map(|(n, _)| n).sum();
        assert_eq!((bbh, musr), (5761.0, 756.0));
        // GPQA: 198 questions counted three times, 250 twice, 98 once.
        let (sum, squares): (f64, f64) = (198.0 * 3.0 + 250.0 * 2.0 + 98.0, 198.0 * 9.0 + 250.0 * 4.0 + 98.0);
        assert_eq!(sum, 1192.0);
        assert_eq!((sum * sum / squares).round(), 493.0);
    }

    #[test]
    fn error_is_the_binomials_and_stretches_with_chance() {
        let gsm8k = items_of("gsm8k").expect("known");
        let by_hand = 100.0 * (0.25_f64 / 1319.0).sqrt();
        assert!((gsm8k.error(50.0) - by_hand).abs() < 1e-9);
        // lm-evaluation-harness prints 1.3 points for the raw share, as if all 1,192 items were distinct.
        let gpqa = items_of("gpqa").expect("known");
        let raw = gpqa.error(5.0) * 0.75;
        assert!((raw - 2.0).abs() < 0.2, "{raw} on 493 effective items");
        assert!(gsm8k.error(0.0) > 0.0 && gsm8k.error(100.0) > 0.0);
        let interval = gsm8k.interval(99.9, 0.95, true);
        assert!(interval.high <= 100.0 && interval.low < 99.9);
    }

    #[test]
    fn differences_know_when_they_are_noise() {
        let small = difference(1.0, 1.0, 0.95, String::new());
        assert!(small.interval.low < 0.0 && (small.p - 0.317_310_5).abs() < 1e-6);
        let large = difference(4.0, 1.0, 0.95, String::new());
        assert!(large.interval.low > 2.0 && large.p < 1e-4);
        // Three of four items agree; the difference is a quarter.
        let found = paired(&[1.0, 0.0, 1.0, 0.0], &[1.0, 0.0, 1.0, 1.0]).expect("pairs");
        assert_eq!(found, (0.25, 0.25));
        assert_eq!(paired(&[1.0], &[1.0]), None);
    }
}
