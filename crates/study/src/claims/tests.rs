//! A claim's verdict follows from its rule, its number and the evidence, in both readings.

use super::*;

pub(super) fn finding(id: &str, value: f64, interval: Option<(f64, f64)>) -> Finding {
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
            Some((0.71, 0.73)),
        ),
        finding(
            "regression.r2.structure_date.structure_out.random_forest.arc",
            0.1,
            Some((0.0, 0.2)),
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
    // With too few shapes for an interval there is no verdict.
    let few = finding(
        "regression.r2.structure_date.random_split.random_forest.arc",
        0.72,
        None,
    );
    assert_eq!(
        verdict_of(&self::section(&[few]), "claims.r2.random_forest.arc"),
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
        Some(Verdict::CannotTell),
        "the interval covers the threshold"
    );
}

#[test]
fn a_claim_inside_the_interval_is_left_open_under_every_rule() {
    let evidence =
        |value: f64, interval: Option<(f64, f64)>| ClaimEvidence::from(&finding("a.b", value, interval));
    let made_up = |rule: Rule, value: f64, interval: Option<(f64, f64)>| {
        let claim = Claim {
            id: "made_up".into(),
            statement: "A made-up claim".into(),
            work: "made up",
            place: "Table 1",
            claimed: 0.5,
            unit: "fraction".into(),
            rule,
            literature: evidence(value, interval),
            strict: evidence(value, interval),
            why: String::new(),
        };
        let [literature, strict] = claim.findings();
        assert_eq!(literature.verdict, strict.verdict);
        let row = claim.row();
        let name = literature.verdict.map(Verdict::name).expect("a verdict");
        assert_eq!((&row[10], &row[16]), (&Cell::from(name), &Cell::from(name)));
        name
    };
    let rules = [Rule::Within(0.05), Rule::AtLeast, Rule::Below, Rule::Above];
    let open = [0.4, 0.4, 0.6, 0.4].map(|value| (value, Some((0.3, 0.7))));
    let outside = [0.4, 0.4, 0.6, 0.4].map(|value| (value, Some((value - 0.05, value + 0.05))));
    let bare = [0.4, 0.4, 0.6, 0.4].map(|value| (value, None));
    let same = [
        (0.52, Some((0.3, 0.7))),
        (0.52, Some((0.3, 0.7))),
        (0.4, Some((0.3, 0.45))),
        (0.6, Some((0.55, 0.7))),
    ];
    for (place, rule) in rules.into_iter().enumerate() {
        let of = |(value, interval): (f64, Option<(f64, f64)>)| made_up(rule, value, interval);
        assert_eq!(of(open[place]), "cannot_tell", "{rule:?}");
        assert_eq!(of(outside[place]), "differs", "{rule:?}");
        assert_eq!(of(bare[place]), "differs", "{rule:?}");
        assert_eq!(of(same[place]), "reproduced", "{rule:?}");
    }
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
fn the_counts_of_both_readings_add_up_and_printed_figures_are_none_of_them() {
    let mut findings = vec![finding(
        "regression.r2.structure_date.random_split.random_forest.arc",
        0.72,
        Some((0.71, 0.73)),
    )];
    let ledger = section(&findings);
    let n = ledger.findings.len() / 2;
    findings.extend(ledger.findings.iter().cloned());
    let printed = |value: f64| Published {
        value,
        work: "made up".into(),
        place: "Table 1".into(),
        tolerance: 0.1,
        n: None,
    };
    findings.push(finding("scale.a", 1.0, None).with_published(Some(printed(1.05))));
    findings.push(finding("scale.b", 1.0, Some((0.0, 3.0))).with_published(Some(printed(2.0))));
    let (claims, stricter) = (Tally::claims(&findings), Tally::stricter(&findings));
    assert_eq!((claims.total(), stricter.total()), (n, n));
    assert_eq!(claims.count(Verdict::Reproduced), 1);
    let [differ, open, untestable] =
        [Verdict::Differs, Verdict::CannotTell, Verdict::NotTestable].map(|verdict| claims.count(verdict));
    assert_eq!(1 + differ + open + untestable, n);
    assert!(
        untestable >= n - 2,
        "one finding decides few claims: {untestable} of {n}"
    );
    let cells = ledger
        .findings
        .iter()
        .filter(|finding| finding.id.starts_with("claims.dataset.") && !finding.id.ends_with(".strict"))
        .count();
    assert!(cells > 60, "{cells}");
    assert_eq!(
        claims.in_words(),
        Some(format!(
            "Of {n} claims, read as the works made them, 1 agree, {differ} are contradicted, {open} are not excluded (intervals or \
             resamples leave both outcomes open) and {untestable} are untestable on these data. {cells} of them are cells of \
             tables of the works' own rows, 0 of these agree: they say nothing of abilities."
        ))
    );
    assert_eq!(ledger.text[0], claims.in_words().expect("there are claims"));
    let printed = Tally::printed(&findings);
    assert_eq!((printed.total(), printed.count(Verdict::CannotTell)), (2, 1));
    assert_eq!(Tally::claims([]).in_words(), None);
    assert_eq!(Tally::printed([]).printed_in_words(), None);
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

#[test]
fn an_order_that_resamples_leave_open_is_not_called_untestable() {
    let set = ["arc", "hellaswag", "winogrande"];
    let columns = ["layers", "d_model", "d_ffn", "heads"];
    let importances = |leader: &str, ends: (f64, f64)| -> Vec<Finding> {
        set.iter()
            .flat_map(|target| {
                columns.map(|column| {
                    let (value, interval) = if column == leader {
                        (0.4, ends)
                    } else {
                        (0.2, (0.1, 0.3))
                    };
                    finding(
                        &format!("importance.mdi.core.{target}.{column}"),
                        value,
                        Some(interval),
                    )
                })
            })
            .collect()
    };
    let verdict = |findings: &[Finding]| {
        let ledger = section(findings);
        let claim = ledger
            .findings
            .iter()
            .find(|f| f.id == "claims.importance.layers_first.core");
        claim.expect("the claim").verdict
    };
    assert_eq!(
        verdict(&importances("layers", (0.05, 0.6))),
        Some(Verdict::CannotTell)
    );
    assert_eq!(
        verdict(&importances("layers", (0.35, 0.6))),
        Some(Verdict::Reproduced)
    );
    assert_eq!(
        verdict(&importances("heads", (0.35, 0.6))),
        Some(Verdict::Differs)
    );
    assert_eq!(verdict(&[]), Some(Verdict::NotTestable));
}
