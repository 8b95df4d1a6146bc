//! The ledger on the page: claims grouped by question, each with its verdict, the claimed value, our value with its
//! interval, and the stricter reading; and printed figures compared with ours. Disagreements come first.

use std::fmt::Write as _;

use study::claims::{is_cell, is_claim};
use study::finding::{Finding, Verdict};

use crate::output::number;
use crate::report::first::minus;

/// The claims on one question.
pub(super) struct LedgerGroup {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) rows: Vec<LedgerRow>,
    /// Number of claims by verdict, in words.
    pub(super) counts: String,
}

/// A claim or a printed figure.
pub(super) struct LedgerRow {
    pub(super) id: String,
    pub(super) words: String,
    /// Place in the literature.
    pub(super) place: String,
    pub(super) verdict: &'static str,
    pub(super) says: &'static str,
    pub(super) claimed: String,
    pub(super) ours: String,
    pub(super) drawn: String,
    pub(super) strict_says: &'static str,
    pub(super) strict: String,
    pub(super) n: String,
    /// The rule, and the reason where the values alone do not explain the verdict.
    pub(super) why: String,
}

/// Questions: id, heading, and the second components of the claim ids that belong to it.
const GROUPS: [(&str, &str, &[&str]); 6] = [
    ("order", "Which column matters most", &["importance"]),
    (
        "prediction",
        "How well methods predict scores",
        &["r2", "mae", "llm"],
    ),
    (
        "dimensions",
        "Size, merging, popularity, families, templates",
        &[
            "scale",
            "efficiency",
            "merging",
            "popularity",
            "architecture",
            "chat_template",
            "correlation",
        ],
    ),
    ("trends", "Trends", &["trends", "progress"]),
    ("weights", "Inside checkpoints", &["pruning", "gradients"]),
    (
        "cells",
        "Statistics of the works' own rows, which say nothing of abilities",
        &["dataset"],
    ),
];

/// Groups the claims by question; those of unknown kind go to `dimensions`.
pub(super) fn groups(findings: &[&Finding]) -> Vec<LedgerGroup> {
    let kind = |id: &str| id.split('.').nth(1).unwrap_or_default().to_owned();
    let known = |kind: &str| {
        GROUPS
            .iter()
            .position(|(_, _, kinds)| kinds.contains(&kind))
            .unwrap_or(2)
    };
    let mut groups: Vec<LedgerGroup> = GROUPS
        .iter()
        .map(|(id, name, _)| LedgerGroup {
            id,
            name,
            rows: Vec::new(),
            counts: String::new(),
        })
        .collect();
    let claims = findings
        .iter()
        .filter(|finding| is_claim(&finding.id) && !finding.id.ends_with(".strict"));
    for finding in claims {
        let strict_id = format!("{}.strict", finding.id);
        let strict = findings.iter().copied().find(|other| other.id == strict_id);
        let at = if is_cell(&finding.id) {
            GROUPS.len() - 1
        } else {
            known(&kind(&finding.id))
        };
        if let Some(row) = row(finding, strict) {
            groups[at].rows.push(row);
        }
    }
    for group in &mut groups {
        sort(&mut group.rows);
        group.counts = counts(&group.rows);
    }
    groups.retain(|group| !group.rows.is_empty());
    groups
}

/// Printed figures compared with ours, disagreements first.
pub(super) fn printed(findings: &[&Finding]) -> Vec<LedgerRow> {
    let mut rows: Vec<LedgerRow> = findings
        .iter()
        .filter(|finding| !is_claim(&finding.id))
        .filter_map(|finding| row(finding, None))
        .collect();
    sort(&mut rows);
    rows
}

/// Verdicts in display order: contradictions first.
const READ: [Verdict; 4] = [
    Verdict::Differs,
    Verdict::CannotTell,
    Verdict::Reproduced,
    Verdict::NotTestable,
];

fn sort(rows: &mut [LedgerRow]) {
    rows.sort_by_key(|row| READ.iter().position(|verdict| verdict.name() == row.verdict));
}

fn counts(rows: &[LedgerRow]) -> String {
    let said: Vec<String> = READ
        .iter()
        .filter_map(|verdict| {
            let n = rows.iter().filter(|row| row.verdict == verdict.name()).count();
            (n > 0).then(|| verdict.counted(n))
        })
        .collect();
    said.join(", ")
}

fn row(finding: &Finding, strict: Option<&Finding>) -> Option<LedgerRow> {
    let theirs = finding.published.as_ref()?;
    let verdict = finding.verdict?;
    let is_yes_or_no = finding.unit.contains("yes");
    let said = |value: f64| match (is_yes_or_no, value) {
        (true, 1.0) => "yes".to_owned(),
        (true, 0.0) => "no".to_owned(),
        _ => minus(number(value)),
    };
    let of = |finding: &Finding| {
        let value = finding.value.map_or_else(|| "\u{2013}".to_owned(), said);
        match finding.interval.as_ref().filter(|ends| ends.is_bounded()) {
            Some(ends) if finding.value.is_some() => {
                format!(
                    "{value} [{}, {}]",
                    minus(number(ends.low)),
                    minus(number(ends.high))
                )
            }
            _ => value,
        }
    };
    let unit = match finding.unit.as_str() {
        "1" => String::new(),
        _ if is_yes_or_no => String::new(),
        unit => format!(" {unit}"),
    };
    let mut why: Vec<&str> = finding.notes.iter().map(String::as_str).collect();
    let rule = format!("agrees within {}{unit}", number(theirs.tolerance));
    if !is_claim(&finding.id) {
        why.insert(0, &rule);
    }
    Some(LedgerRow {
        id: finding.id.clone(),
        words: finding.question.clone(),
        place: format!("{}, {}", theirs.work, theirs.place),
        verdict: verdict.name(),
        says: verdict.words(),
        claimed: said(theirs.value),
        ours: of(finding),
        drawn: if is_yes_or_no {
            String::new()
        } else {
            drawn(finding, theirs.value)
        },
        strict_says: strict
            .and_then(|strict| strict.verdict)
            .map_or("", Verdict::words),
        strict: strict.map(of).unwrap_or_default(),
        n: number(finding.n as f64),
        why: why.join(". "),
    })
}

const WIDE: f64 = 110.0;

/// Our value with its interval and the claimed value as a tick, as SVG.
fn drawn(finding: &Finding, claimed: f64) -> String {
    let Some(value) = finding.value else {
        return String::new();
    };
    let (low, high) = finding
        .interval
        .as_ref()
        .filter(|ends| ends.is_bounded())
        .map_or((value, value), |ends| (ends.low, ends.high));
    let (least, most) = (low.min(claimed).min(value), high.max(claimed).max(value));
    let span = if most > least { most - least } else { 1.0 };
    let at = |number: f64| 5.0 + (WIDE - 10.0) * (number - least) / span;
    let mut svg =
        format!("<svg class=\"beside\" viewBox=\"0 0 {WIDE} 16\" aria-hidden=\"true\" focusable=\"false\">");
    if high > low {
        let _ = write!(
            svg,
            "<path class=\"ends\" d=\"M{:.1} 8H{:.1}\"/>",
            at(low),
            at(high)
        );
    }
    let _ = write!(
        svg,
        "<circle class=\"dot\" cx=\"{:.1}\" cy=\"8\" r=\"3\"/><path class=\"tick\" d=\"M{:.1} 1V15\"/></svg>",
        at(value),
        at(claimed)
    );
    svg
}

#[cfg(test)]
mod tests {
    use super::*;
    use study::finding::{Interval, Published, SourceOf};

    fn claim(id: &str, value: f64, claimed: f64) -> Finding {
        let source = SourceOf {
            work: "a work".into(),
            place: "Table 1".into(),
        };
        Finding::new(id, "Depth comes first", &source)
            .with_value(value, "points", 20, "mean")
            .with_interval(Some(Interval {
                low: value - 1.0,
                high: value + 1.0,
                level: 0.95,
                method: "test".into(),
            }))
            .with_published(Some(Published {
                value: claimed,
                work: "a work".into(),
                place: "Table 1".into(),
                tolerance: 0.1,
                n: None,
            }))
    }

    #[test]
    fn claims_stand_by_question_and_what_is_contradicted_first() {
        let all = [
            claim("claims.importance.a", 1.0, 1.0),
            claim("claims.importance.b", 1.0, 9.0),
            claim("claims.importance.b.strict", 1.0, 1.5),
            claim("claims.dataset.c", 1.0, 1.0),
            claim("scale.mean.small", 1.0, 9.0),
        ];
        let all: Vec<&Finding> = all.iter().collect();
        let told = groups(&all);
        let ids: Vec<&str> = told.iter().map(|group| group.id).collect();
        assert_eq!(ids, ["order", "cells"]);
        assert_eq!(told[0].counts, "1 contradicted, 1 agrees");
        assert_eq!(told[0].rows[0].id, "claims.importance.b");
        assert_eq!(told[0].rows[0].strict_says, "not excluded");
        assert!(told[0].rows[0].drawn.contains("class=\"tick\"") && !told[0].rows[0].drawn.contains("NaN"));
        assert_eq!(printed(&all).len(), 1);
    }
}
