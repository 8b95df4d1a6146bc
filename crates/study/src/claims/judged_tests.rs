//! For each rule, constructed claims that must hold, that must fail, and that must remain open.

use super::*;
use crate::claims::tests::finding;

fn stated(rule: StatedRule, ids: &[&str]) -> Stated {
    Stated {
        id: "a".into(),
        statement: "Something holds".into(),
        work: "made up".into(),
        place: "section 1".into(),
        questions: vec![ClaimQuestion {
            reading: Reading::Controlled,
            findings: ids.iter().map(ToString::to_string).collect(),
            rule,
        }],
    }
}

fn verdict(rule: StatedRule, found: &[Finding]) -> Judgement {
    let ids: Vec<&str> = found.iter().map(|finding| finding.id.as_str()).collect();
    let claim = stated(rule, &ids);
    assert_eq!(claim.problems(), Vec::<String>::new());
    claim.judge(&Findings::new(found), 1).readings[0].verdict
}

use Judgement::{CannotTell, Contradicted, NotComparable, NotTestable, Reproduced};

#[test]
fn a_side_holds_fails_and_stays_open() {
    let right = finding("a", 1.0, Some((0.2, 1.8)));
    let wrong = finding("b", -1.0, Some((-1.8, -0.2)));
    let open = finding("c", 0.5, Some((-0.5, 1.5)));
    assert_eq!(
        verdict(StatedRule::Above(0.0), std::slice::from_ref(&right)),
        Reproduced
    );
    assert_eq!(
        verdict(StatedRule::Above(0.0), std::slice::from_ref(&wrong)),
        Contradicted
    );
    assert_eq!(
        verdict(StatedRule::Above(0.0), std::slice::from_ref(&open)),
        CannotTell
    );
    assert_eq!(
        verdict(StatedRule::Below(0.0), std::slice::from_ref(&right)),
        Contradicted
    );
    assert_eq!(
        verdict(StatedRule::Below(0.0), std::slice::from_ref(&wrong)),
        Reproduced
    );
    // One open finding among several leaves the claim open; one contradicting finding decides it.
    assert_eq!(
        verdict(StatedRule::Above(0.0), &[right.clone(), open.clone()]),
        CannotTell
    );
    assert_eq!(
        verdict(StatedRule::Above(0.0), &[right, open, wrong]),
        Contradicted
    );
    // Without an interval there is no verdict.
    assert_eq!(
        verdict(StatedRule::Above(0.0), &[finding("d", 9.0, None)]),
        CannotTell
    );
}

fn equals(value: f64) -> StatedRule {
    StatedRule::Equals {
        value,
        margin: 1.0,
        n: None,
    }
}

#[test]
fn a_number_holds_fails_and_stays_open() {
    let narrow = |value: f64| [finding("a", value, Some((value - 0.4, value + 0.4)))];
    let wide = |value: f64| [finding("a", value, Some((value - 9.0, value + 9.0)))];
    assert_eq!(verdict(equals(10.0), &narrow(10.3)), Reproduced);
    assert_eq!(verdict(equals(10.0), &narrow(12.0)), Contradicted);
    assert_eq!(verdict(equals(10.0), &narrow(11.2)), CannotTell);
    assert_eq!(verdict(equals(10.0), &wide(10.3)), CannotTell);
    assert_eq!(verdict(equals(10.0), &[finding("a", 10.0, None)]), CannotTell);
}

/// Our own number is never contradicted, and with fewer rows verdicts only change to "cannot tell".
#[test]
fn our_own_number_is_never_contradicted_and_fewer_rows_decide_less() {
    for half in [0.01, 0.5, 1.9, 3.0, 50.0] {
        let own = [finding("a", 4.0, Some((4.0 - half, 4.0 + half)))];
        assert_ne!(verdict(equals(4.0), &own), Contradicted, "{half}");
        assert_ne!(verdict(StatedRule::Above(4.0), &own), Contradicted, "{half}");
    }
    let mut decided = [true; 2];
    for half in [0.2, 0.4, 0.8, 1.6, 3.2, 6.4] {
        let of = |value: f64| [finding("a", value, Some((value - half, value + half)))];
        let now = [
            verdict(equals(10.0), &of(13.0)) == Contradicted,
            verdict(StatedRule::Above(0.0), &of(1.0)) == Reproduced,
        ];
        for (was, is) in decided.iter_mut().zip(now) {
            assert!(*was || !is, "a wider interval of ± {half} decides again");
            *was = is;
        }
    }
    assert_eq!(decided, [false; 2]);
}

/// A work with few rows is uncertain itself, so it is contradicted less often.
#[test]
fn a_work_with_few_rows_is_unsure_too() {
    let ours = [finding("a", 12.2, Some((11.4, 13.0)))];
    let of = |n: Option<f64>| StatedRule::Equals {
        value: 10.0,
        margin: 1.0,
        n,
    };
    assert_eq!(verdict(of(None), &ours), Contradicted);
    assert_eq!(verdict(of(Some(10.0)), &ours), CannotTell);
}

#[test]
fn an_order_holds_fails_and_stays_open() {
    let at = |id: &str, value: f64| finding(id, value, Some((value - 1.0, value + 1.0)));
    assert_eq!(
        verdict(StatedRule::First, &[at("a", 5.0), at("b", 1.0), at("c", 0.0)]),
        Reproduced
    );
    assert_eq!(
        verdict(StatedRule::First, &[at("a", 0.0), at("b", 5.0), at("c", 1.0)]),
        Contradicted
    );
    assert_eq!(
        verdict(StatedRule::First, &[at("a", 1.0), at("b", 1.0), at("c", 1.0)]),
        CannotTell
    );
    // Another finding leads, but it is open which, so the claim is not contradicted.
    assert_eq!(
        verdict(StatedRule::First, &[at("a", 0.0), at("b", 5.0), at("c", 5.0)]),
        CannotTell
    );
    assert_eq!(
        verdict(StatedRule::Last, &[at("a", 0.0), at("b", 5.0), at("c", 6.0)]),
        Reproduced
    );
    assert_eq!(
        verdict(StatedRule::Last, &[at("a", 5.0), at("b", 0.0), at("c", 6.0)]),
        Contradicted
    );
    assert_eq!(
        verdict(StatedRule::First, &[at("a", 5.0), finding("b", 1.0, None)]),
        CannotTell
    );
}

#[test]
fn what_cannot_be_asked_says_why() {
    assert_eq!(
        verdict(StatedRule::NotComparable("other rows".into()), &[]),
        NotComparable
    );
    assert_eq!(
        verdict(StatedRule::NotTestable("no such rows".into()), &[]),
        NotTestable
    );
    let claim = stated(StatedRule::Above(0.0), &["not.there"]);
    let told = claim.judge(&Findings::new(&[]), 1);
    assert_eq!(told.readings[0].verdict, NotTestable);
    assert!(told.readings[0].why.contains("not.there"));
}

#[test]
fn what_is_wrong_with_a_claim_is_said() {
    let mut claim = stated(StatedRule::First, &["a"]);
    claim.place = " ".into();
    claim.questions.push(ClaimQuestion {
        reading: Reading::Controlled,
        findings: vec!["b".into()],
        rule: StatedRule::Equals {
            value: 1.0,
            margin: 0.0,
            n: None,
        },
    });
    let told = claim.problems().join("\n");
    for part in [
        "`place` is empty",
        "names 1 findings, its rule needs at least 2",
        "margin is 0",
        "given 2 times",
    ] {
        assert!(told.contains(part), "{told}");
    }
    claim.questions.clear();
    assert!(
        claim.problems()[0].contains("[[claim.reading]]")
            || claim.problems()[1].contains("[[claim.reading]]")
    );
}

#[test]
fn a_claim_counts_by_its_strictest_reading() {
    let mut claim = stated(StatedRule::Above(0.0), &["a"]);
    claim.questions.push(ClaimQuestion {
        reading: Reading::Literal,
        findings: Vec::new(),
        rule: StatedRule::NotTestable("no rows".into()),
    });
    let found = [finding("a", 1.0, Some((0.5, 1.5)))];
    let judged = claim.judge(&Findings::new(&found), 1);
    let said = crate::claims::shown::counted(&[judged]);
    assert!(
        said.contains("1 agrees") && said.contains("0 untestable"),
        "{said}"
    );
}

#[test]
fn a_verdict_that_falls_with_one_shape_says_so() {
    let answer = |range: Option<(f64, f64)>, rule: StatedRule| {
        let mut found = vec![finding("controlled.a", 1.0, Some((0.2, 1.8)))];
        found.extend(range.map(|range| finding("controlled.without_one.a", 1.0, Some(range))));
        let judged = stated(rule, &["controlled.a"]).judge(&Findings::new(&found), 1);
        (judged.readings[0].verdict, judged.readings[0].rests_on_one)
    };
    // The half-width is 0.8: with a value of 0.7 the interval would include 0, with 0.9 it would not.
    assert_eq!(
        answer(Some((0.7, 1.2)), StatedRule::Above(0.0)),
        (Reproduced, true)
    );
    assert_eq!(
        answer(Some((0.9, 1.2)), StatedRule::Above(0.0)),
        (Reproduced, false)
    );
    assert_eq!(
        answer(Some((0.7, 1.2)), StatedRule::Below(0.0)),
        (Contradicted, true)
    );
    assert_eq!(answer(None, StatedRule::Above(0.0)), (Reproduced, false));
    // Open verdicts remain open.
    assert_eq!(
        answer(Some((0.7, 1.2)), StatedRule::Above(1.5)),
        (CannotTell, false)
    );
}
