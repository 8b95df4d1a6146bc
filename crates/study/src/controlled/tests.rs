//! Simulated effects are recovered, parts that do not vary are not reported, and definitions of depth agree.

use super::suite::{FIRST_PART, Suite};
use super::*;
use crate::finding::Finding;
use crate::random::{Random, gauss};
use crate::statistics::LinearDesign;

/// Shapes of a suite in which size, depth and, by `ratio`, the feed-forward width vary.
fn runs(slope: f64, seed: u64, ratio: fn(usize) -> f64) -> Vec<ControlledRun> {
    let mut random = Random::new(seed, 1);
    let mut all = Vec::new();
    for (place, (size, depth)) in
        (0..24).map(|k| (k, (26.0 + (k % 4) as f64, 3.0 + ((k * 7) % 12) as f64 * 0.3)))
    {
        let layers = 2_f64.powf(depth);
        let body = 2_f64.powf(size);
        let width = (body / (12.0 * layers)).sqrt();
        for (benchmark, ability, effect) in [("arc", "reasoning", slope), ("mmlu", "knowledge", 0.0)] {
            for step in [100.0, 700.0, 1_000.0] {
                all.push(ControlledRun {
                    suite: "made_up".into(),
                    pair_or_run: format!("run {place}"),
                    held_fixed: "tokens".into(),
                    n_body: Some(body),
                    n_embedding: Some(body * 0.1),
                    flops_token: Some(2.0 * body),
                    parts: [
                        Some(layers),
                        Some(width),
                        Some(width * ratio(place)),
                        Some(16.0),
                        Some(8.0),
                        None,
                    ],
                    step: Some(step),
                    benchmark: benchmark.into(),
                    ability: ability.into(),
                    // Early checkpoints have extreme scores and must not count.
                    score: if step < 600.0 {
                        0.0
                    } else {
                        30.0 + 3.0 * (size - 27.5) + effect * depth + 0.3 * gauss(&mut random)
                    },
                    ..ControlledRun::default()
                });
            }
        }
    }
    all
}

fn ask(runs: &[ControlledRun]) -> Section {
    section(&Controlled {
        runs,
        placebo: &[],
        shuffles: 99,
        seed: 1,
    })
}

fn find<'a>(section: &'a Section, id: &str) -> &'a Finding {
    let found = section.findings.iter().find(|finding| finding.id == id);
    found.unwrap_or_else(|| panic!("no finding {id}"))
}

#[test]
fn a_planted_effect_is_found_and_one_that_is_not_there_is_not() {
    let told = ask(&runs(0.8, 5, |_| 4.0));
    for fixed in Fixed::ALL {
        let arc = find(&told, &format!("controlled.made_up.{}.layers.arc", fixed.name()));
        assert!((arc.value.expect("a value") - 0.8).abs() < 0.3, "{arc:?}");
        assert!(!arc.interval.as_ref().expect("an interval").covers(0.0));
    }
    let p = find(&told, "controlled.permutation.made_up.flops_token.layers.arc");
    assert!(p.value.expect("a p") <= 0.02);
    let mmlu = find(&told, "controlled.simultaneous.made_up.flops_token.layers.mmlu");
    assert!(
        mmlu.interval.as_ref().expect("an interval").covers(0.0),
        "{mmlu:?}"
    );
    let apart = find(
        &told,
        "controlled.contrast.reasoning.knowledge.made_up.flops_token.layers",
    );
    assert!(
        apart.interval.as_ref().expect("an interval").low > 0.0,
        "{apart:?}"
    );
    let size = find(&told, "controlled.size.made_up.flops_token.arc");
    assert!((size.value.expect("a value") - 3.0).abs() < 0.4, "{size:?}");
    let doublings = find(&told, "controlled.doublings.made_up.flops_token.layers.arc");
    assert!((doublings.value.expect("a ratio") - 0.8 / 3.0).abs() < 0.1);
    let without = find(&told, "controlled.without_one.made_up.flops_token.layers.arc");
    let ends = without.interval.as_ref().expect("a range");
    assert!(ends.low < 0.8 + 0.3 && ends.high > ends.low);
}

#[test]
fn what_does_not_vary_on_its_own_gets_no_number() {
    let told = ask(&runs(0.5, 6, |_| 4.0));
    for part in ["d_ffn", "heads_per_kv"] {
        let found = find(&told, &format!("controlled.made_up.flops_token.{part}.arc"));
        assert_eq!(found.value, None);
        assert!(
            found.notes.iter().any(|note| note.starts_with("not identified")),
            "{found:?}"
        );
    }
    assert!(!told.findings.iter().any(|finding| finding.id.contains("experts")));
    let told = ask(&runs(0.5, 6, |place| if place % 3 == 0 { 2.0 } else { 5.0 }));
    let found = find(&told, "controlled.made_up.flops_token.d_ffn.arc");
    assert!(found.value.is_some() && found.interval.as_ref().is_some_and(|ends| ends.covers(0.0)));
}

/// With N = c L d², the effect of log₂ L given log₂ N is 1.5 times that of log₂(L/d).
#[test]
fn bases_of_depth_agree() {
    let all = runs(0.8, 9, |_| 4.0);
    let suites = Suite::all(&all);
    let design = suites[0].design(Fixed::ParametersBody).expect("a design");
    let score = suites[0].scores("arc");
    let by_depth = design.linear.fit(&score).coefficients[FIRST_PART];
    let ratio: Vec<f64> = suites[0]
        .shapes
        .iter()
        .map(|shape| (shape.run.parts[0].expect("layers") / shape.run.parts[1].expect("width")).log2())
        .collect();
    let mut columns = design.columns.clone();
    columns[FIRST_PART] = ratio;
    let by_ratio = LinearDesign::new(&columns)
        .expect("full rank")
        .fit(&score)
        .coefficients[FIRST_PART];
    assert!(
        (by_depth - 1.5 * by_ratio).abs() < 1e-9,
        "{by_depth} is not 1.5 × {by_ratio}"
    );
}

/// Over 500 simulated suites intervals have their nominal coverage of a simulated effect.
#[test]
fn intervals_hold_a_planted_effect_as_often_as_they_say() {
    let held = (0..500)
        .filter(|seed| {
            let all = runs(0.5, 1_000 + seed, |_| 4.0);
            let suites = Suite::all(&all);
            let design = suites[0].design(Fixed::ParametersBody).expect("a design");
            let fit = design.linear.fit(&suites[0].scores("arc"));
            fit.interval(FIRST_PART, 0.95).expect("an interval").covers(0.5)
        })
        .count();
    assert!((465..=485).contains(&held), "{held} of 500");
}

#[test]
fn a_pair_is_points_per_doubling_of_what_differs() {
    let side = |id: &str, layers: f64, score: f64| ControlledRun {
        suite: "cut".into(),
        pair_or_run: "pair".into(),
        id: id.into(),
        dimension: "layers".into(),
        held_fixed: "params_total".into(),
        parts: [Some(layers), None, None, None, None, None],
        benchmark: "gsm8k".into(),
        score,
        ..ControlledRun::default()
    };
    let told = ask(&[side("deep", 32.0, 41.2), side("flat", 8.0, 16.8)]);
    let found = find(&told, "controlled.cut.parameters.layers.gsm8k");
    assert!(
        (found.value.expect("a value") - 12.2).abs() < 1e-12,
        "two doublings buy 24.4 points"
    );
    let ends = found.interval.as_ref().expect("items are known");
    // √(0.412·0.588 + 0.168·0.832)/√1319 · 100 / 2 doublings · 1.96.
    assert!((ends.high - 12.2 - 1.667).abs() < 0.01, "{ends:?}");
    let same = ask(&[side("a", 32.0, 41.2), side("b", 32.0, 16.8)]);
    assert!(same.findings.is_empty());
}

#[test]
fn several_pairs_of_a_suite_have_a_name_each_and_are_pooled() {
    let side = |pair: &str, id: &str, layers: f64, score: f64| ControlledRun {
        suite: "cut".into(),
        pair_or_run: pair.into(),
        id: id.into(),
        dimension: "layers".into(),
        held_fixed: "parent".into(),
        parts: [Some(layers), None, None, None, None, None],
        benchmark: "gsm8k".into(),
        score,
        ..ControlledRun::default()
    };
    let whole = |pair| side(pair, "whole", 32.0, 60.0);
    let told = ask(&[
        side("to half", "half", 16.0, 40.0),
        whole("to half"),
        side("to a quarter", "quarter", 8.0, 20.0),
        whole("to a quarter"),
    ]);
    let value = |id: &str| find(&told, id).value.expect("a value");
    assert!((value("controlled.cut.parent.layers.gsm8k.to_half") - 20.0).abs() < 1e-12);
    assert!((value("controlled.cut.parent.layers.gsm8k.to_a_quarter") - 20.0).abs() < 1e-12);
    let pooled = find(&told, "controlled.cut.parent.layers.gsm8k");
    assert!((pooled.value.expect("a mean") - 20.0).abs() < 1e-12);
    assert_eq!(pooled.n, 3, "the whole network is one");
    assert!(
        pooled.notes.iter().any(|note| note.contains("share a side")),
        "{:?}",
        pooled.notes
    );
    assert_eq!(told.findings.len(), 3);
}

#[test]
fn two_suites_are_pooled() {
    let mut all = runs(0.8, 5, |_| 4.0);
    all.extend(runs(0.6, 15, |_| 4.0).into_iter().map(|run| ControlledRun {
        suite: "other".into(),
        ..run
    }));
    let told = ask(&all);
    let pooled = find(&told, "controlled.all.flops_token.layers.arc");
    assert!((pooled.value.expect("a mean") - 0.7).abs() < 0.3);
    let one = ask(&runs(0.8, 5, |_| 4.0));
    assert!(
        !one.findings
            .iter()
            .any(|finding| finding.id.starts_with("controlled.all."))
    );
}

#[test]
fn no_runs_say_nothing() {
    let told = ask(&[]);
    assert!(told.findings.is_empty() && told.tables.is_empty());
}

/// A contrast of regressions on the same columns equals the regression of the difference of their targets, standard
/// errors included.
#[test]
fn a_contrast_is_the_regression_of_the_difference() {
    let all = runs(0.5, 11, |_| 4.0);
    let suite = Suite::all(&all).into_iter().next().expect("a suite");
    let design = suite.design(Fixed::FlopsToken).expect("a design");
    let study = Controlled {
        runs: &all,
        placebo: &[],
        shuffles: 9,
        seed: 1,
    };
    let found = effects::effects(&suite, &design, &study);
    let place = |name: &str| {
        suite
            .benchmarks
            .iter()
            .position(|(own, _)| *own == name)
            .expect("there")
    };
    let told = contrasts::contrast(&design, &found, 0, &[place("arc")], &[place("mmlu")]);
    let difference: Vec<f64> = suite
        .scores("arc")
        .iter()
        .zip(suite.scores("mmlu"))
        .map(|(a, b)| a - b)
        .collect();
    let fit = design.linear.fit(&difference);
    assert!((told.points.0 - fit.coefficients[FIRST_PART]).abs() < 1e-9);
    assert!((told.points.1 - fit.classical[FIRST_PART][FIRST_PART].sqrt()).abs() < 1e-9);
}

/// F and p of one column for three targets, from statsmodels' `_MultivariateOLS(Y, X).fit().mv_test`.
#[test]
fn a_question_of_all_benchmarks_is_that_of_statsmodels() {
    let rows = 0..12_i32;
    let of = |f: &dyn Fn(i32) -> f64| -> Vec<f64> { rows.clone().map(f).collect() };
    let x = |i: i32| (f64::from(i) - 5.5) / 4.0;
    let z = |i: i32| f64::from(i * 5 % 7) / 3.0;
    let columns = [of(&|_| 1.0), of(&x), of(&|i| x(i) * x(i)), of(&z)];
    let design = LinearDesign::new(&columns).expect("a design");
    let targets = [
        of(&|i| 1.0 + 2.0 * x(i) + 0.5 * z(i) + f64::from(i * i % 5) / 10.0),
        of(&|i| 3.0 + 1.5 * x(i) + 0.3 * z(i) + f64::from(i * 7 % 4) / 10.0),
        of(&|i| 0.5 + x(i) - 0.1 * z(i) + f64::from((i * 3 + 1) % 5) / 8.0),
    ];
    let fits: Vec<_> = targets.iter().map(|target| design.fit(target)).collect();
    let all: Vec<&_> = fits.iter().collect();
    let zero: Vec<Vec<f64>> = (0..3)
        .map(|i| (0..3).map(|j| f64::from(u8::from(i == j))).collect())
        .collect();
    let equal = together::differences(&[1.0; 3]);
    for (contrasts, f, df, p) in [
        (zero, 25.971_860_412_8, (3.0, 6.0), 0.000_777_846_672_061),
        (equal, 8.013_800_012_32, (2.0, 7.0), 0.015_487_195_088_3),
    ] {
        let told = together::together(&all, design.bread[3][3], 3, &contrasts).expect("a test");
        assert!(
            (told.f - f).abs() < 1e-8 * f && told.df == df && (told.p - p).abs() < 1e-8,
            "{told:?}"
        );
    }
}
