//! Answers of two checkpoints, or of one before and after a change, to the same items: compared in pairs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::metrics::{Comparison, compare, mean};

/// Resamples of items for the intervals.
pub const RESAMPLES: usize = 2000;
/// Level of the intervals.
pub const LEVEL: f64 = 0.95;

/// One metric of one task on the items both answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Paired {
    /// Task.
    pub task: String,
    /// Metric and filter, by the harness's names.
    pub metric: String,
    /// Mean of the first.
    pub before: f64,
    /// Mean of the second.
    pub after: f64,
    /// The second less the first.
    #[serde(flatten)]
    pub comparison: Comparison,
}

/// Each task and metric of `before` on the items that both answered, in the order of tasks; metrics by name.
pub fn paired(before: &[Answer], after: &[Answer], seed: u64) -> Vec<Paired> {
    let others: BTreeMap<(&str, usize), &Answer> = after
        .iter()
        .map(|answer| ((answer.task.as_str(), answer.doc_id), answer))
        .collect();
    let mut order: Vec<&str> = Vec::new();
    // By task and metric, of both.
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
}
