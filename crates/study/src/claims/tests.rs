//! A claim's verdict follows from its rule, its number and the evidence, in both readings.

use super::*;

fn finding(id: &str, value: f64, interval: Option<(f64, f64)>) -> Finding {
    let source = SourceOf {
        work: "test".into(),
        place: "rows".into(),
    };
    let interval = interval.map(|(low, high)| Interval {
        low,
        high,
        level: 0.95,
        method: "test".into(),
    });
    Finding::new(id, "?", &source)
        .with_value(value, "fraction", 100, "test")
        .with_interval(interval)
}

fn verdict_of(section: &Section, id: &str) -> Option<Verdict> {
    let found = section.findings.iter().find(|finding| finding.id == id);
    found.expect("the claim is in the ledger").verdict
}

#[test]
fn a_number_is_judged_in_both_readings() {
    let findings = [
        finding(
            "regression.r2.structure_date.random_split.random_forest.arc",
            0.72,
            None,
        ),
        finding(
            "regression.r2.structure_date.structure_out.random_forest.arc",
            0.1,
            None,
        ),
    ];
    let section = section(&findings);
    assert_eq!(
        verdict_of(&section, "claims.r2.random_forest.arc"),
        Some(Verdict::Reproduced)
    );
    assert_eq!(
        verdict_of(&section, "claims.r2.random_forest.arc.strict"),
        Some(Verdict::Differs)
    );
    assert_eq!(
        verdict_of(&section, "claims.r2.linear.arc"),
        Some(Verdict::NotTestable)
    );
}

#[test]
fn a_correlation_holds_only_where_its_whole_interval_does() {
    let findings = [
        finding("correlation.spearman.arc.hellaswag", 0.9, Some((0.8, 0.95))),
        finding("correlation.spearman.arc.winogrande", 0.8, Some((0.6, 0.95))),
    ];
    let section = section(&findings);
    assert_eq!(
        verdict_of(&section, "claims.correlation.arc.hellaswag"),
        Some(Verdict::Reproduced)
    );
    assert_eq!(
        verdict_of(&section, "claims.correlation.arc.winogrande"),
        Some(Verdict::Differs)
    );
}

#[test]
fn what_comes_first_is_counted_over_targets() {
    let mut findings = Vec::new();
    for (target, layers, width) in [
        ("arc", 0.6, 0.4),
        ("hellaswag", 0.3, 0.7),
        ("winogrande", 0.8, 0.2),
    ] {
        findings.push(finding(
            &format!("importance.mdi.core.{target}.layers"),
            layers,
            Some((layers - 0.05, layers + 0.05)),
        ));
        findings.push(finding(
            &format!("importance.mdi.core.{target}.d_ffn"),
            width,
            Some((width - 0.05, width + 0.05)),
        ));
    }
    let section = section(&findings);
    let id = "claims.importance.layers_first.core";
    let found = section
        .findings
        .iter()
        .find(|finding| finding.id == id)
        .expect("a claim");
    assert_eq!(found.value, Some(2.0));
    assert_eq!(found.verdict, Some(Verdict::Differs));
}

#[test]
fn ids_are_unique_and_every_row_has_every_column() {
    let section = section(&[]);
    let mut ids: Vec<&str> = section
        .findings
        .iter()
        .map(|finding| finding.id.as_str())
        .collect();
    let n = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), n);
    for table in &section.tables {
        assert!(table.rows.iter().all(|row| row.len() == table.columns.len()));
    }
}
