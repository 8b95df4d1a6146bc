//! Paired comparison of the answers of two checkpoints, or of one before and after a change, to the same items.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::metrics::{Comparison, compare, mean};

/// Number of bootstrap resamples of items for the intervals.
pub const RESAMPLES: usize = 2000;
/// Confidence level of the intervals.
pub const LEVEL: f64 = 0.95;

/// One metric of one task, on the items that both have answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Paired {
    /// Task.
    pub task: String,
    /// Metric and filter, by the harness's names.
    pub metric: String,
    /// Mean of the first checkpoint.
    pub before: f64,
    /// Mean of the second checkpoint.
    pub after: f64,
    /// The second minus the first.
    #[serde(flatten)]
    pub comparison: Comparison,
}

/// Compares each task and metric of `before` on the items that both have answered, in order of tasks, then of metric
/// names. If there are several subjects of MMLU, `mmlu` with all their items together comes last.
pub fn paired(before: &[Answer], after: &[Answer], seed: u64) -> Vec<Paired> {
    let others: BTreeMap<(&str, usize), &Answer> = after
        .iter()
        .map(|answer| ((answer.task.as_str(), answer.doc_id), answer))
        .collect();
    let mut order: Vec<&str> = Vec::new();
    // By task and metric: the scores of both.
    let mut scores: BTreeMap<(&str, &str), [Vec<f64>; 2]> = BTreeMap::new();
    for answer in before {
        if !order.contains(&answer.task.as_str()) {
            order.push(&answer.task);
        }
        let Some(other) = others.get(&(answer.task.as_str(), answer.doc_id)) else {
            continue;
        };
        for (metric, value) in &answer.metrics {
            if let Some(other) = other.metrics.get(metric) {
                let pair = scores.entry((&answer.task, metric)).or_default();
                pair[0].push(*value);
                pair[1].push(*other);
            }
        }
    }
    // All subjects together are what MMLU usually means.
    let subjects: Vec<&str> = order
        .iter()
        .copied()
        .filter(|task| task.starts_with("mmlu_"))
        .collect();
    if subjects.len() > 1 {
        let parts: Vec<_> = scores
            .iter()
            .filter(|((task, _), _)| subjects.contains(task))
            .collect();
        let mut together: BTreeMap<&str, [Vec<f64>; 2]> = BTreeMap::new();
        for ((_, metric), [a, b]) in parts {
            let pair = together.entry(metric).or_default();
            pair[0].extend(a);
            pair[1].extend(b);
        }
        scores.extend(
            together
                .into_iter()
                .map(|(metric, pair)| (("mmlu", metric), pair)),
        );
        order.push("mmlu");
    }
    let mut all = Vec::new();
    for task in order {
        for ((_, metric), [a, b]) in scores.range((task, "")..).take_while(|((of, _), _)| *of == task) {
            let (Some(first), Some(second)) = (mean(a), mean(b)) else {
                continue;
            };
            all.extend(compare(a, b, RESAMPLES, LEVEL, seed).map(|comparison| Paired {
                task: task.to_owned(),
                metric: (*metric).to_owned(),
                before: first.value,
                after: second.value,
                comparison,
            }));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(task: &str, doc_id: usize, right: bool) -> Answer {
        Answer {
            id: String::new(),
            task: task.to_owned(),
            doc_id,
            log_likelihoods: Vec::new(),
            is_greedy: Vec::new(),
            prediction: None,
            gold: None,
            correct: Some(right),
            generated: None,
            metrics: BTreeMap::from([("acc,none".to_owned(), f64::from(u8::from(right)))]),
        }
    }

    #[test]
    fn only_items_that_both_answered_are_compared_whatever_their_order() {
        let before: Vec<Answer> = (0..6)
            .map(|i| answer("winogrande", i, i < 3))
            .chain([answer("arc_challenge", 0, true)])
            .collect();
        let after: Vec<Answer> = [5, 4, 2, 1]
            .into_iter()
            .map(|i| answer("winogrande", i, i > 3))
            .collect();
        let found = paired(&before, &after, 0);
        assert_eq!(found.len(), 1, "nobody answered arc_challenge twice");
        let Paired {
            task,
            metric,
            before,
            after,
            comparison,
        } = &found[0];
        assert_eq!((task.as_str(), metric.as_str()), ("winogrande", "acc,none"));
        assert_eq!((*before, *after, comparison.n), (0.5, 0.5, 4));
        assert_eq!(
            (comparison.difference, comparison.only_a, comparison.only_b),
            (0.0, Some(2), Some(2))
        );
        assert!(comparison.low < 0.0 && comparison.high > 0.0);
    }

    #[test]
    fn subjects_of_mmlu_are_told_together_too() {
        let of = |right: [usize; 2]| -> Vec<Answer> {
            let subject = |name: &'static str, right: usize| (0..4).map(move |i| answer(name, i, i < right));
            subject("mmlu_anatomy", right[0])
                .chain(subject("mmlu_virology", right[1]))
                .collect()
        };
        let found = paired(&of([4, 2]), &of([1, 1]), 0);
        let told: Vec<(&str, f64, usize)> = found
            .iter()
            .map(|one| (one.task.as_str(), one.comparison.difference, one.comparison.n))
            .collect();
        assert_eq!(
            told,
            [
                ("mmlu_anatomy", -0.75, 4),
                ("mmlu_virology", -0.25, 4),
                ("mmlu", -0.5, 8)
            ]
        );
        assert_eq!(
            (found[2].comparison.only_a, found[2].comparison.only_b),
            (Some(4), Some(0))
        );
        let one: Vec<Answer> = of([4, 2]).into_iter().take(4).collect();
        assert_eq!(paired(&one, &one, 0).len(), 1, "one subject is not the benchmark");
    }
}
