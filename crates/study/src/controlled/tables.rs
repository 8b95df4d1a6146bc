//! Tables and text of the section: effects for three definitions of size side by side, pairs, and conclusions.

use super::Fixed;
use super::suite::Suite;
use crate::finding::Finding;
use crate::section::{Cell, Section, Table};

pub(super) fn tables(section: &mut Section, suites: &[Suite<'_>]) {
    let find = |id: &str| section.findings.iter().find(|finding| finding.id == id);
    let shown = |finding: Option<&Finding>, digits: usize| -> Cell {
        let Some(value) = finding.and_then(|finding| finding.value) else {
            return Cell::Missing;
        };
        match finding.and_then(|finding| finding.interval.as_ref()) {
            Some(ends) => format!(
                "{value:+.digits$} [{:+.digits$}, {:+.digits$}]",
                ends.low, ends.high
            )
            .into(),
            None => format!("{value:+.digits$}").into(),
        }
    };
    let mut tables = Vec::new();
    let mut text = Vec::new();
    for suite in suites {
        let designs: Vec<_> = Fixed::ALL
            .into_iter()
            .filter_map(|fixed| suite.design(fixed))
            .collect();
        let mut parts: Vec<&str> = designs
            .iter()
            .flat_map(|design| design.parts.iter().copied())
            .collect();
        parts.sort_unstable();
        parts.dedup();
        for part in parts {
            let rows = suite.benchmarks.iter().map(|(benchmark, ability)| {
                let end = |fixed: Fixed| format!("{}.{}.{part}.{benchmark}", suite.name, fixed.name());
                let first = Fixed::ALL[0];
                let value = |stem: &str| {
                    find(&format!("controlled.{stem}.{}", end(first))).and_then(|found| found.value)
                };
                let mut row: Vec<Cell> = vec![(*benchmark).into(), (*ability).into()];
                row.extend(Fixed::ALL.map(|fixed| shown(find(&format!("controlled.{}", end(fixed))), 2)));
                row.push(value("mde").into());
                row.push(value("permutation").into());
                row.push(shown(find(&format!("controlled.doublings.{}", end(first))), 2));
                row.push(shown(
                    find(&format!(
                        "controlled.size.{}.{}.{benchmark}",
                        suite.name,
                        first.name()
                    )),
                    1,
                ));
                row
            });
            tables.push(Table {
                id: format!("controlled-{}-{part}", suite.name),
                caption: format!(
                    "Points that a doubling of {part} buys at fixed size in {} ({} shapes, mean of the last {} checkpoints of \
                     each), in three readings of size, with 95 % intervals (HC3, t); smallest effect seen four times out of \
                     five, permutation p, effect in doublings of size (Fieller), and what a doubling of size buys, all with \
                     operations per token fixed.",
                    suite.name,
                    suite.shapes.len(),
                    suite.checkpoints
                ),
                columns: [
                    "benchmark",
                    "ability",
                    "operations per token fixed",
                    "all parameters fixed",
                    "parameters without embeddings fixed",
                    "smallest seen",
                    "permutation p",
                    "in doublings of size",
                    "a doubling of size",
                ]
                .map(String::from)
                .to_vec(),
                rows: rows.collect(),
                shown: true,
            });
            text.push(sentence(suite, part, &find));
        }
        let open: Vec<String> = designs
            .iter()
            .take(1)
            .flat_map(|design| &design.not_identified)
            .map(|(part, spread)| format!("{part} ({})", spread.in_words()))
            .collect();
        if !open.is_empty() {
            text.push(format!(
                "Parts of {} that do not vary on their own, so that no number is given: {}.",
                suite.name,
                open.join(", ")
            ));
        }
    }
    let pairs: Vec<Vec<Cell>> = section
        .findings
        .iter()
        .filter(|finding| finding.protocol == "published_pair")
        .map(|finding| {
            vec![
                finding.id.as_str().into(),
                shown(Some(finding), 1),
                finding.source.place.as_str().into(),
                finding.notes.join("; ").into(),
            ]
        })
        .collect();
    if !pairs.is_empty() {
        tables.push(Table {
            id: "controlled-pairs".into(),
            caption: "Published surgery as points per doubling of the part; intervals from sampling of items alone; several pairs of one suite also pooled; \
                      `parent`: the cut network against the one it was cut from, size falling with it."
                .into(),
            columns: ["finding", "points per doubling", "where", "what"].map(String::from).to_vec(),
            rows: pairs,
            shown: true,
        });
    }
    let contrasts: Vec<Vec<Cell>> = section
        .findings
        .iter()
        .filter(|finding| finding.id.starts_with("controlled.contrast"))
        .map(|finding| {
            vec![
                finding.question.as_str().into(),
                shown(Some(finding), 2),
                finding.notes.join("; ").into(),
            ]
        })
        .collect();
    if !contrasts.is_empty() {
        tables.push(Table {
            id: "controlled-contrasts".into(),
            caption: "Whether a part matters more for one ability than for another: difference of mean effects, with 95 % \
                      intervals from errors that go together over benchmarks."
                .into(),
            columns: ["question", "answer", "benchmarks"].map(String::from).to_vec(),
            rows: contrasts,
            shown: true,
        });
    }
    let placebo: Vec<String> = section
        .findings
        .iter()
        .filter_map(|finding| {
            let benchmark = finding.id.strip_prefix("controlled.placebo.")?;
            let ends = finding.interval.as_ref()?;
            Some(format!("{benchmark} {:+.2} to {:+.2}", ends.low, ends.high))
        })
        .collect();
    if !placebo.is_empty() {
        text.push(format!(
            "Placebo: copies with layers that do nothing change the scores by {} points. Such rows stand in no analysis of depth.",
            placebo.join(", ")
        ));
    }
    section.tables = tables;
    section.text = text;
}

/// Which effects differ from zero simultaneously over all benchmarks, for each definition of size.
fn sentence<'a>(suite: &Suite<'_>, part: &str, find: &impl Fn(&str) -> Option<&'a Finding>) -> String {
    let said: Vec<String> = Fixed::ALL
        .iter()
        .map(|fixed| {
            let clear: Vec<String> = suite
                .benchmarks
                .iter()
                .filter_map(|(benchmark, _)| {
                    let id = format!(
                        "controlled.simultaneous.{}.{}.{part}.{benchmark}",
                        suite.name,
                        fixed.name()
                    );
                    let found = find(&id)?;
                    let value = found.value?;
                    (!found.interval.as_ref()?.covers(0.0)).then(|| format!("{benchmark} {value:+.2}"))
                })
                .collect();
            let words = if clear.is_empty() {
                "none".to_owned()
            } else {
                clear.join(", ")
            };
            format!("with {} fixed {words}", fixed.words())
        })
        .collect();
    format!(
        "In {} a doubling of {part} at fixed size has an effect that stands for all benchmarks at once: {}.",
        suite.name,
        said.join("; ")
    )
}
