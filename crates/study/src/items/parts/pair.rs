//! Two checkpoints on the same items.

use crate::finding::Interval;
use crate::items::answers::Answers;
use crate::items::section::{ItemStudy, table};
use crate::section::Section;
use crate::statistics::{mcnemar, paired_difference};

const LEVEL: f64 = 0.95;

/// One finding a benchmark that both answered.
pub(in crate::items) fn add(study: &ItemStudy<'_>, a: &str, b: &str, section: &mut Section) {
    let mut rows = table(
        "items_pair",
        format!(
            "{b} less {a} on the items both answered, with the interval that agrees with the exact p of McNemar's test beside it."
        ),
        &[
            "benchmark",
            "items",
            "difference",
            "low",
            "high",
            "only a",
            "only b",
            "p",
        ],
    );
    for answers in study.answers {
        let (Some(first), Some(second)) = (answers.row_of(a), answers.row_of(b)) else {
            continue;
        };
        let gaps = gaps(answers, first, second);
        let n = gaps.len();
        if n == 0 {
            continue;
        }
        let only_a = gaps.iter().filter(|&&gap| gap < 0).count();
        let only_b = gaps.iter().filter(|&&gap| gap > 0).count();
        let difference = (only_b as f64 - only_a as f64) / n as f64;
        let interval = paired_difference(only_a, only_b, n, LEVEL).map(|(low, high)| Interval {
            low,
            high,
            level: LEVEL,
            method: format!("Tango's score interval with the exact conditional one, {n} items in pairs"),
        });
        let p = mcnemar(only_a, only_b);
        rows.rows.push(vec![
            answers.benchmark.as_str().into(),
            n.into(),
            difference.into(),
            interval.as_ref().map(|interval| interval.low).into(),
            interval.as_ref().map(|interval| interval.high).into(),
            only_a.into(),
            only_b.into(),
            p.into(),
        ]);
        section.findings.push(
            study
                .finding(
                    &format!("pair.{}", answers.benchmark),
                    format!("How much more of {} does {b} solve than {a}?", answers.benchmark),
                )
                .with_value(difference, "fraction", n, "paired difference")
                .with_interval(interval)
                .with_note(format!(
                    "{only_a} items only {a} solves, {only_b} only {b}; exact McNemar p {p:.3e}"
                )),
        );
    }
    if rows.rows.is_empty() {
        section
            .text
            .push(format!("{a} and {b} have no benchmark in common."));
    } else {
        section.tables.push(rows);
    }
}

/// Second less first, item by item.
fn gaps(answers: &Answers, first: usize, second: usize) -> Vec<i64> {
    (0..answers.items.len())
        .filter(|&i| answers.answered.get(first, i) && answers.answered.get(second, i))
        .map(|i| i64::from(answers.correct.get(second, i)) - i64::from(answers.correct.get(first, i)))
        .collect()
}
