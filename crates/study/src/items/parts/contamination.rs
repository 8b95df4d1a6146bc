//! Checkpoints that do better on given items than the items' difficulty and their other answers explain.

use std::collections::{BTreeMap, BTreeSet};

use crate::items::answers::columns_of;
use crate::items::contamination::contamination;
use crate::items::section::{ItemStudy, slug, table};
use crate::section::Section;

/// Adds one finding per checkpoint and benchmark, and the number that stand out.
pub(in crate::items) fn add(
    study: &ItemStudy<'_>,
    subset: &BTreeMap<String, BTreeSet<String>>,
    section: &mut Section,
) {
    let mut rows = table(
        "items_contamination",
        format!(
            "Share solved of the named items less share solved of the rest, within difficulty, with its 95 % interval; p familywise \
             over checkpoints. Below {} it is called out.",
            study.level
        ),
        &[
            "benchmark",
            "checkpoint",
            "named items",
            "other items",
            "difference",
            "low",
            "high",
            "p",
            "p familywise",
        ],
    );
    let mut called: Vec<String> = Vec::new();
    for answers in study.answers {
        let Some(named) = subset.get(&answers.benchmark) else {
            continue;
        };
        let name = answers.benchmark.as_str();
        let part = columns_of(answers, named);
        let n_part = part.iter().filter(|&&is| is).count();
        let mut found = contamination(answers, &part);
        found.sort_by(|x, y| x.p.total_cmp(&y.p).then(x.checkpoint.cmp(&y.checkpoint)));
        let mut count = 0;
        for one in &found {
            let checkpoint = &answers.checkpoints[one.checkpoint];
            let is_called = one.p_holm <= study.level;
            if is_called {
                count += 1;
                called.push(format!("{checkpoint} on {name}"));
            }
            section.findings.push(
                study
                    .finding(
                        &format!("contamination.{name}.{}", slug(checkpoint)),
                        format!("How much better does {checkpoint} do on the named items of {name} than on others as hard?"),
                    )
                    .with_value(one.difference, "fraction", one.n_part + one.n_rest, "mantel-haenszel difference")
                    .with_interval(one.interval.clone())
                    .with_note(format!(
                        "{} named items, {} others; p {:.2e}, familywise {:.2e}{}",
                        one.n_part,
                        one.n_rest,
                        one.p,
                        one.p_holm,
                        if is_called { ": called out" } else { "" }
                    )),
            );
            let interval = one.interval.as_ref();
            rows.rows.push(vec![
                name.into(),
                checkpoint.as_str().into(),
                one.n_part.into(),
                one.n_rest.into(),
                one.difference.into(),
                interval.map(|interval| interval.low).into(),
                interval.map(|interval| interval.high).into(),
                one.p.into(),
                one.p_holm.into(),
            ]);
        }
        section.findings.push(
            study
                .finding(
                    &format!("contamination.count.{name}"),
                    format!("How many checkpoints do suspiciously well on the named items of {name}?"),
                )
                .with_value(
                    f64::from(count),
                    "checkpoints",
                    found.len(),
                    "exact mantel-haenszel test over 20 strata of difficulty, one-sided, holm",
                )
                .with_note(format!(
                    "{n_part} of {} items are named; false alarms: at most {} of such lists have any checkpoint that saw neither part. \
                     Being good at what the named items are about looks the same.",
                    answers.items.len(),
                    study.level
                )),
        );
    }
    section.text.push(if called.is_empty() {
        "No checkpoint does suspiciously well on the named items.".into()
    } else {
        format!("Suspiciously well on the named items: {}.", called.join(", "))
    });
    section.tables.push(rows);
}
