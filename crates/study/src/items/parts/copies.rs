//! Pairs of checkpoints that answer alike more than independent ones would.

use std::collections::BTreeMap;

use crate::items::copies::{Copies, FEWEST, Pair, copies};
use crate::items::section::{ItemStudy, slug, table, wilson};
use crate::section::{Axis, Cell, Drawing, Figure, Layer, Panel, Section};

/// Number of rows in the table shown, ordered by agreement.
const SHOWN: usize = 40;
/// Maximum number of panels in the figure.
const PANELS: usize = 12;

/// Adds findings, table and figure.
pub(in crate::items) fn add(study: &ItemStudy<'_>, section: &mut Section) {
    let mut rows = table(
        "items_copies",
        format!(
            "Pairs that answer alike, the most alike first; among all pairs of a benchmark's independent checkpoints none is called \
             out with probability {}. z and p of the pattern of right and wrong, p of choosing the same wrong answer.",
            1.0 - study.level
        ),
        &[
            "benchmark",
            "a",
            "b",
            "items",
            "agree",
            "expected",
            "z",
            "p pattern",
            "both wrong",
            "same wrong answer",
            "expected same",
            "p choices",
        ],
    );
    let mut panels = Vec::new();
    let mut called = 0;
    for answers in study.answers {
        let name = answers.benchmark.as_str();
        let question =
            format!("How many pairs of checkpoints answer {name} alike beyond score and difficulty?");
        let finding = study.finding(&format!("copies.count.{name}"), question);
        let Some(found) = copies(answers, study.draws, study.level, study.bootstrap.seed) else {
            section.findings.push(finding.with_note(format!(
                "not testable: {} checkpoints, and difficulty is taken from at least {FEWEST}",
                answers.checkpoints.len()
            )));
            continue;
        };
        let mut flagged: Vec<&Pair> = found
            .pairs
            .iter()
            .filter(|pair| pair.is_flagged(study.level))
            .collect();
        flagged.sort_by(|x, y| alike(y).total_cmp(&alike(x)).then((x.a, x.b).cmp(&(y.a, y.b))));
        called += flagged.len();
        section.findings.push(
            finding
                .with_value(flagged.len() as f64, "pairs", found.pairs.len(), &method(&found))
                .with_interval(None)
                .with_seed(study.bootstrap.seed)
                .with_note(format!(
                    "false alarms: at most {} of tables of independent checkpoints have any such pair; z above {:.2} is called out. \
                     Checkpoints of one base or one training set are not independent.",
                    study.level, found.critical
                )),
        );
        for pair in &flagged {
            let (a, b) = (&answers.checkpoints[pair.a], &answers.checkpoints[pair.b]);
            section.findings.push(
                study
                    .finding(
                        &format!("copies.{name}.{}.{}", slug(a), slug(b)),
                        format!("On what share of {name} are {a} and {b} both right or both wrong?"),
                    )
                    .with_value(
                        pair.agree as f64 / pair.n as f64,
                        "fraction",
                        pair.n,
                        &method(&found),
                    )
                    .with_interval(wilson(pair.agree, pair.n))
                    .with_seed(study.bootstrap.seed)
                    .with_note(said(pair)),
            );
            rows.rows.push(cells(name, a, b, pair));
        }
        panels.push((
            name.to_owned(),
            found.pairs.iter().map(|pair| pair.z).collect::<Vec<f64>>(),
        ));
    }
    let answer = match called {
        0 => "No pair of checkpoints answers".to_owned(),
        1 => "1 pair of checkpoints answers".to_owned(),
        called => format!("{called} pairs of checkpoints answer"),
    };
    section.text.push(format!(
        "{answer} alike beyond score and difficulty (false alarms: in {} of tables of independent checkpoints).",
        study.level
    ));
    if rows.rows.len() > SHOWN {
        let mut all = rows.clone();
        all.id = "items_copies_all".into();
        all.shown = false;
        section.tables.push(all);
        rows.rows.truncate(SHOWN);
    }
    rows.shown = !rows.rows.is_empty();
    section.tables.push(rows);
    panels.sort_by_key(|(_, z)| std::cmp::Reverse(z.len()));
    panels.truncate(PANELS);
    let n = panels.iter().map(|(_, z)| z.len()).sum();
    if n > 0 {
        let panel = |(title, z): (String, Vec<f64>)| Panel {
            title,
            layers: vec![Layer::Line {
                name: "pairs".into(),
                points: steps(&z),
                step: true,
            }],
        };
        section.figures.push(Figure {
            id: "items-copies".into(),
            title: "How much alike pairs of checkpoints answer".into(),
            caption: format!(
                "Standardised excess of agreement over independent checkpoints of the same scores, {n} pairs, in steps of a half."
            ),
            n,
            x: Axis::linear("z"),
            y: Axis::linear("pairs"),
            drawing: Drawing::Panels(panels.into_iter().map(panel).collect()),
        });
    }
}

/// Histogram of z in bins of width 0.5: left edge and number of pairs, with an empty bin at either end.
fn steps(z: &[f64]) -> Vec<(f64, f64)> {
    let place = |z: f64| (2.0 * z).floor() as i64;
    let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
    for &z in z {
        *counts.entry(place(z)).or_insert(0) += 1;
    }
    let (Some(first), Some(last)) = (counts.keys().next(), counts.keys().next_back()) else {
        return Vec::new();
    };
    let of = |place: i64| counts.get(&place).copied().unwrap_or(0) as f64;
    (first - 1..=last + 1)
        .map(|place| (place as f64 / 2.0, of(place)))
        .collect()
}

fn method(found: &Copies) -> String {
    format!(
        "agreement against {} tables with the same scores and difficulties (curveball), and same wrong answers against dealing them \
         out by item (exact); half of the false alarms each",
        found.draws
    )
}

/// Sort key of pairs: the share of items on which both are right or both wrong.
fn alike(pair: &Pair) -> f64 {
    pair.agree as f64 / pair.n as f64
}

fn said(pair: &Pair) -> String {
    let pattern = format!(
        "{} of {} items alike, {:.1} expected; z {:.2}, familywise p {:.4}",
        pair.agree, pair.n, pair.agree_expected, pair.z, pair.p_pattern
    );
    match pair.p_choices {
        None => pattern,
        Some(p) => format!(
            "{pattern}; {} of {} times the same wrong answer, {:.1} expected, familywise p {p:.2e}",
            pair.same_wrong, pair.both_wrong, pair.same_wrong_expected
        ),
    }
}

fn cells(name: &str, a: &str, b: &str, pair: &Pair) -> Vec<Cell> {
    vec![
        name.into(),
        a.into(),
        b.into(),
        pair.n.into(),
        (pair.agree as f64 / pair.n as f64).into(),
        (pair.agree_expected / pair.n as f64).into(),
        pair.z.into(),
        pair.p_pattern.into(),
        pair.both_wrong.into(),
        pair.same_wrong.into(),
        pair.same_wrong_expected.into(),
        pair.p_choices.into(),
    ]
}
