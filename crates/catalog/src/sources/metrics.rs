//! Determines the scale of a score from its metric, never from the magnitude of a single value.
//!
//! Scales as in lm-evaluation-harness: its registered `bleu` and `chrf` are sacrebleu's (0 to 100), generation metrics
//! of `TruthfulQA` are multiplied by 100, metrics of `SQuAD` are percentages; accuracies, exact matches and F1 are
//! fractions.

use std::collections::BTreeSet;

/// The scale of a score as computed by its metric.
pub(crate) const RAW: &str = "raw";
/// A scale on which 0 is chance level and 100 the best possible score.
pub(crate) const NORMALISED: &str = "normalised";

/// The scale of a metric's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// 0 to 1; stored as points from 0 to 100.
    Fraction,
    /// Already 0 to 100.
    Percent,
    /// Any other scale: differences, error rates, or a metric whose scale depends on the task.
    Own,
}

impl Scale {
    /// A difference of values or a standard error, converted to the catalog's unit.
    pub(crate) fn width(self, width: f64) -> f64 {
        if self == Self::Fraction {
            width * 100.0
        } else {
            width
        }
    }

    /// A value converted to the catalog's unit, and that unit.
    pub(crate) fn read(self, value: f64) -> (f64, &'static str) {
        match self {
            Self::Fraction => (value * 100.0, "points"),
            Self::Percent if (0.0..=100.0).contains(&value) => (value, "points"),
            Self::Percent | Self::Own => (value, "as reported"),
        }
    }
}

/// The scale that the harness declares for `metric` in `task`; `None` for metrics that are not scores of a known kind.
pub(crate) fn declared(task: &str, metric: &str) -> Option<Scale> {
    let known = [
        "acc", "exact", "mc1", "mc2", "f1", "em", "pass", "match", "bleu", "rouge", "chrf",
    ];
    if metric.contains("stderr") || !known.iter().any(|kind| metric.contains(kind)) {
        return None;
    }
    let words: Vec<&str> = metric
        .split(|mark: char| !mark.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
    if has(&["diff", "delta", "ter", "wer", "perplexity", "ppl"]) {
        return Some(Scale::Own);
    }
    // `bleu_acc` is the share of questions whose true answers have the higher BLEU.
    if has(&["acc", "accuracy"]) {
        return Some(Scale::Fraction);
    }
    let starts = |start: &str| words.iter().any(|word| word.starts_with(start));
    if starts("bleu") || starts("sacrebleu") || starts("chrf") {
        return Some(Scale::Percent);
    }
    if starts("rouge") {
        // TruthfulQA multiplies by 100; summaries of other tasks are written either way.
        let scale = if has(&["max"]) { Scale::Percent } else { Scale::Own };
        return Some(scale);
    }
    let fractions = [
        "exact", "match", "mc1", "mc2", "f1", "em", "qem", "pem", "pqem", "pass", "maj",
    ];
    if has(&fractions) {
        let scale = if task.contains("squad") {
            Scale::Percent
        } else {
            Scale::Fraction
        };
        return Some(scale);
    }
    Some(Scale::Own)
}

/// Metrics that are declared to be fractions although one file has a value outside 0 to 1: then no value of such a
/// metric in that file can be assumed to be a fraction.
pub(crate) fn contradicted<'a>(values: impl Iterator<Item = (&'a str, &'a str, f64)>) -> BTreeSet<&'a str> {
    values
        .filter(|&(task, metric, value)| {
            declared(task, metric) == Some(Scale::Fraction) && !(0.0..=1.0).contains(&value)
        })
        .map(|(_, metric, _)| metric)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Scale, contradicted, declared};

    #[test]
    fn a_metric_has_the_scale_that_its_source_gives_it() {
        for (task, metric, scale) in [
            ("arc_challenge", "acc_norm", Some(Scale::Fraction)),
            ("ifeval", "prompt_level_strict_acc", Some(Scale::Fraction)),
            ("gsm8k", "exact_match", Some(Scale::Fraction)),
            ("humaneval", "pass@1", Some(Scale::Fraction)),
            ("gsm8k", "extractive_match", Some(Scale::Fraction)),
            ("drop", "f1", Some(Scale::Fraction)),
            ("squadv2", "f1", Some(Scale::Percent)),
            ("truthfulqa_gen", "bleu_acc", Some(Scale::Fraction)),
            ("truthfulqa_gen", "bleu_max", Some(Scale::Percent)),
            ("truthfulqa_gen", "rougeL_max", Some(Scale::Percent)),
            ("truthfulqa_gen", "rouge1_diff", Some(Scale::Own)),
            ("wmt14-en-fr", "bleu", Some(Scale::Percent)),
            ("cnn_dailymail", "rouge1", Some(Scale::Own)),
            ("x", "temperature", Some(Scale::Own)),
            ("wikitext", "word_perplexity", None),
            ("arc_challenge", "acc_stderr", None),
        ] {
            assert_eq!(declared(task, metric), scale, "{task} {metric}");
        }
    }

    #[test]
    fn one_value_beyond_one_ends_the_fraction_of_its_whole_column() {
        let values = [
            ("a", "acc", 0.9),
            ("b", "acc", 45.0),
            ("a", "f1", 0.5),
            ("squadv2", "f1", 84.0),
        ];
        let found = contradicted(values.into_iter());
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["acc"]);
    }
}
