//! Two checkpoints on the same items.

use crate::finding::Interval;
use crate::items::answers::Answers;
use crate::items::section::{ItemStudy, table};
use crate::section::Section;
use crate::statistics::{holm, mcnemar, paired_difference};

const LEVEL: f64 = 0.95;

/// Result of two checkpoints on the items of one benchmark that both answered.
struct Paired<'a> {
    benchmark: &'a str,
    n: usize,
    difference: f64,
    interval: Option<Interval>,
    /// Number of items that only the first and only the second solves.
    only: (usize, usize),
    p: f64,
}

/// Adds one finding and one sentence per benchmark that both answered.
pub(in crate::items) fn add(study: &ItemStudy<'_>, a: &str, b: &str, section: &mut Section) {
    let found: Vec<Paired<'_>> = study
        .answers
        .iter()
        .filter_map(|answers| paired(answers, a, b))
        .collect();
    if found.is_empty() {
        section
            .text
            .push(format!("{a} and {b} have no benchmark in common."));
        return;
    }
    let mut rows = table(
        "items_pair",
        format!(
            "{b} less {a} on the items both answered, with the interval that agrees with the exact p of McNemar's test beside it, \
             and p adjusted for the number of benchmarks (Holm)."
        ),
        &[
            "benchmark",
            "metric",
            "items",
            "difference",
            "low",
            "high",
            "only a",
            "only b",
            "p",
            "p adjusted",
        ],
    );
    let adjusted = holm(&found.iter().map(|one| one.p).collect::<Vec<f64>>());
    for (one, adjusted) in found.into_iter().zip(adjusted) {
        let metric = study.metrics.get(one.benchmark).map_or("", String::as_str);
        section.text.push(sentence(&one, (a, b), metric, adjusted));
        rows.rows.push(vec![
            one.benchmark.into(),
            metric.into(),
            one.n.into(),
            one.difference.into(),
            one.interval.as_ref().map(|interval| interval.low).into(),
            one.interval.as_ref().map(|interval| interval.high).into(),
            one.only.0.into(),
            one.only.1.into(),
            one.p.into(),
            adjusted.into(),
        ]);
        section.findings.push(
            study
                .finding(
                    &format!("pair.{}", one.benchmark),
                    format!("How much more of {} does {b} solve than {a}?", one.benchmark),
                )
                .with_value(one.difference, "fraction", one.n, "paired difference")
                .with_interval(one.interval)
                .with_note(format!(
                    "{} items only {a} solves, {} only {b}; exact McNemar p {:.3e}, adjusted {adjusted:.3e}{}{metric}",
                    one.only.0,
                    one.only.1,
                    one.p,
                    if metric.is_empty() { "" } else { "; scored by " }
                )),
        );
    }
    section.tables.push(rows);
}

fn paired<'a>(answers: &'a Answers, a: &str, b: &str) -> Option<Paired<'a>> {
    let gaps = gaps(answers, answers.row_of(a)?, answers.row_of(b)?);
    let n = gaps.len();
    if n == 0 {
        return None;
    }
    let only_a = gaps.iter().filter(|&&gap| gap < 0).count();
    let only_b = gaps.iter().filter(|&&gap| gap > 0).count();
    let interval = paired_difference(only_a, only_b, n, LEVEL).map(|(low, high)| Interval {
        low,
        high,
        level: LEVEL,
        method: format!("Tango's score interval with the exact conditional one, {n} items in pairs"),
    });
    Some(Paired {
        benchmark: &answers.benchmark,
        n,
        difference: (only_b as f64 - only_a as f64) / n as f64,
        interval,
        only: (only_a, only_b),
        p: mcnemar(only_a, only_b),
    })
}

fn sentence(one: &Paired<'_>, (a, b): (&str, &str), metric: &str, adjusted: f64) -> String {
    let by = if metric.is_empty() {
        String::new()
    } else {
        format!(" by {metric}")
    };
    let ends = one.interval.as_ref().map_or(String::new(), |ends| {
        format!(" [{:+.1}, {:+.1}]", 100.0 * ends.low, 100.0 * ends.high)
    });
    let p = if adjusted < 0.001 {
        "p < 0.001".to_owned()
    } else {
        format!("p = {adjusted:.3}")
    };
    let verdict = if adjusted < 1.0 - LEVEL {
        "more than noise"
    } else {
        "within what the number of items leaves open"
    };
    format!(
        "{}{by}: {b} less {a} is {:+.1} points{ends} on {} items both answered, {p} adjusted for the number of benchmarks: \
         {verdict}.",
        one.benchmark,
        100.0 * one.difference,
        one.n
    )
}

/// Second minus first, item by item.
fn gaps(answers: &Answers, first: usize, second: usize) -> Vec<i64> {
    (0..answers.items.len())
        .filter(|&i| answers.answered.get(first, i) && answers.answered.get(second, i))
        .map(|i| i64::from(answers.correct.get(second, i)) - i64::from(answers.correct.get(first, i)))
        .collect()
}
