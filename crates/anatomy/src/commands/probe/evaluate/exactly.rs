//! Measures the effect of `--precision fast` by answering the first items with exact products too.

use mechanism::evaluate::answer::Answer;
use serde::Serialize;

/// Number of items answered in both ways.
pub(super) const ITEMS: usize = 64;

/// Differences between answers computed with single bf16 terms and with exact products.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Apart {
    /// Number of items answered in both ways.
    items: usize,
    /// Largest absolute difference of a log-likelihood, nats; `None` where all tasks only generate text.
    largest_difference_nats: Option<f64>,
    /// Number of items whose choice or generated text differs.
    answers_that_differ: usize,
}

impl Apart {
    /// Compares the items that both lists contain.
    pub(super) fn of(fast: &[Answer], exact: &[Answer]) -> Self {
        let pairs: Vec<(&Answer, &Answer)> = exact
            .iter()
            .filter_map(|one| {
                let other = fast
                    .iter()
                    .find(|other| (&other.task, other.doc_id) == (&one.task, one.doc_id))?;
                Some((other, one))
            })
            .collect();
        let differences = pairs.iter().flat_map(|(fast, exact)| {
            let both = fast.log_likelihoods.iter().zip(&exact.log_likelihoods);
            both.map(|(fast, exact)| (fast - exact).abs())
        });
        Self {
            items: pairs.len(),
            largest_difference_nats: differences.reduce(f64::max),
            answers_that_differ: pairs
                .iter()
                .filter(|(fast, exact)| {
                    (&fast.prediction, &fast.generated) != (&exact.prediction, &exact.generated)
                })
                .count(),
        }
    }

    pub(super) fn in_words(&self) -> String {
        let nats = self.largest_difference_nats.map_or_else(String::new, |nats| {
            format!("log-likelihoods off by up to {nats:.2e} nats, ")
        });
        format!(
            "fast against exact products on the first {} items: {nats}{} of them answered differently",
            self.items, self.answers_that_differ
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(doc_id: usize, log_likelihoods: &[f64], prediction: usize) -> Answer {
        serde_json::from_value(serde_json::json!({
            "task": "winogrande", "doc_id": doc_id, "log_likelihoods": log_likelihoods, "is_greedy": [], "prediction": prediction,
            "gold": 0, "correct": prediction == 0, "metrics": {}
        }))
        .expect("an answer")
    }

    #[test]
    fn items_of_both_are_compared_and_no_others() {
        let fast = [
            answer(0, &[-1.0, -2.0], 0),
            answer(1, &[-3.0, -2.5], 1),
            answer(2, &[-1.0, -9.0], 0),
        ];
        let exact = [answer(1, &[-2.25, -2.5], 0), answer(0, &[-1.0, -2.125], 0)];
        let apart = Apart::of(&fast, &exact);
        assert_eq!(
            apart,
            Apart {
                items: 2,
                largest_difference_nats: Some(0.75),
                answers_that_differ: 1
            }
        );
        assert_eq!(
            apart.in_words(),
            "fast against exact products on the first 2 items: log-likelihoods off by up to 7.50e-1 nats, 1 of them answered differently"
        );
    }
}
