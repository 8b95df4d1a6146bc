//! Evaluations with a chat template against those without: on all rows, within strata, and for checkpoints evaluated
//! both ways.

use std::collections::BTreeMap;

use super::super::{Dimensions, OUTCOMES, source};
use crate::finding::{Finding, Interval};
use crate::section::{Axis, Bar, Cell, Drawing, Figure, Section, Table};
use crate::statistics::{mean, paired, stratified_difference};

pub(super) fn add(dimensions: &Dimensions<'_>, section: &mut Section) {
    let mut table = Table {
        id: "chat-template-adjusted".into(),
        caption: "Evaluations with minus without chat template (points): all; within kind, architecture and shape; and the same \
                  checkpoint evaluated both ways. 95 % intervals clustered by shape, for pairs Student's t."
            .into(),
        columns: ["benchmark", "comparison", "n", "difference", "low", "high", "p"]
            .map(String::from)
            .to_vec(),
        shown: true,
        ..Table::default()
    };
    let mut pairs_table = Table {
        id: "chat-template-pairs".into(),
        caption: "The checkpoints evaluated both ways: mean score with and without chat template (points)."
            .into(),
        columns: std::iter::once("checkpoint".to_string())
            .chain(
                OUTCOMES
                    .iter()
                    .flat_map(|(name, _)| [format!("{name}_with"), format!("{name}_without")]),
            )
            .collect(),
        shown: false,
        ..Table::default()
    };
    let pairs = pairs(dimensions);
    for (id, sides) in &pairs {
        let mut cells: Vec<Cell> = vec![(*id).into()];
        cells.extend(
            sides
                .iter()
                .flat_map(|(with, without)| [Cell::from(*with), (*without).into()]),
        );
        pairs_table.rows.push(cells);
    }
    let mut bars = Vec::new();
    for (outcome, (name, title)) in OUTCOMES.iter().enumerate() {
        let mut add = |comparison: &str, value: f64, n: usize, p: f64, interval: Option<&Interval>| {
            let ends = interval.map(|ends| (ends.low, ends.high));
            let cells: [Cell; 7] = [
                (*title).into(),
                comparison.into(),
                n.into(),
                value.into(),
                ends.map(|ends| ends.0).into(),
                ends.map(|ends| ends.1).into(),
                p.into(),
            ];
            table.rows.push(cells.to_vec());
            bars.push(Bar {
                group: (*title).into(),
                series: comparison.into(),
                value,
                interval: ends,
            });
        };
        for (key, comparison) in [("clustered", "raw"), ("stratified", "like with like")] {
            let Some(found) = compare(dimensions, outcome, key == "stratified") else {
                continue;
            };
            let interval = found.difference.interval.as_ref();
            add(
                comparison,
                found.difference.value,
                found.n,
                found.difference.p,
                interval,
            );
            section.findings.push(
                Dimensions::estimated(
                    format!("chat_template.{key}.{name}"),
                    format!("By how much is {title} higher with a chat template, {comparison}?"),
                    Some(&found.difference),
                    "points",
                    found.n,
                    "difference within strata, clustered by shape",
                )
                .with_note(format!(
                    "{} with a template; {} strata (kind, architecture and shape where like with like) hold both",
                    found.n_first, found.n_strata
                ))
                .with_figure("chat-template-adjusted"),
            );
        }
        let differences: Vec<f64> = pairs
            .values()
            .map(|sides| sides[outcome].0 - sides[outcome].1)
            .collect();
        if differences.is_empty() {
            continue;
        }
        let found = paired(&differences);
        add(
            "same checkpoint",
            found.difference,
            found.n,
            found.p,
            found.interval.as_ref(),
        );
        section.findings.push(
            Finding::new(
                format!("chat_template.paired.{name}"),
                format!("By how much is {title} of the same checkpoint higher with a chat template?"),
                &source(),
            )
            .with_value(found.difference, "points", found.n, "mean of paired differences")
            .with_interval(found.interval.clone())
            .with_note(format!("p = {:.2e}, Cohen's d_z = {:.2}", found.p, found.effect))
            .with_note("checkpoints that someone chose to submit twice")
            .with_figure("chat-template-adjusted"),
        );
    }
    section.tables.extend([table, pairs_table]);
    words(section, pairs.len());
    let known = dimensions
        .rows
        .iter()
        .filter(|row| row.chat_template.is_some())
        .count();
    let figure = Figure {
        id: "chat-template-adjusted".into(),
        title: "With chat template minus without".into(),
        caption: format!(
            "The same checkpoint with a template instead of without: IFEval {}, MATH {}, MUSR {} points. Raw (n = {known} \
             evaluations), within kind, architecture and shape, and of the {} checkpoints evaluated both ways; 95 % intervals.",
            section.said("chat_template.paired.ifeval", 1),
            section.said("chat_template.paired.math", 1),
            section.said("chat_template.paired.musr", 1),
            pairs.len()
        ),
        n: known,
        x: Axis::linear("difference (points)"),
        y: Axis::linear(""),
        drawing: Drawing::Intervals {
            rows: bars,
            reference: 0.0,
        },
    };
    section.figures.push(figure);
}

fn compare(
    dimensions: &Dimensions<'_>,
    outcome: usize,
    alike: bool,
) -> Option<crate::statistics::Stratified> {
    let (mut values, mut with, mut strata, mut shapes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in dimensions.rows {
        if let (Some(value), Some(template)) = (row.outcome(outcome), row.chat_template) {
            values.push(value);
            with.push(template);
            shapes.push(row.shape);
            strata.push(alike.then_some((&row.kind, &row.architecture, row.shape)));
        }
    }
    stratified_difference(&values, &with, &strata, &shapes)
}

/// By outcome, the scores with and without of each checkpoint that has both; repeated evaluations are averaged.
fn pairs<'a>(dimensions: &Dimensions<'a>) -> BTreeMap<&'a str, [(f64, f64); 7]> {
    let mut sides: BTreeMap<&str, [Vec<usize>; 2]> = BTreeMap::new();
    for (place, row) in dimensions.rows.iter().enumerate() {
        let whole = row.scores.iter().all(Option::is_some);
        if let Some(template) = row.chat_template.filter(|_| whole) {
            sides.entry(&row.id).or_default()[usize::from(!template)].push(place);
        }
    }
    let average = |rows: &[usize], outcome: usize| {
        let values: Vec<f64> = rows
            .iter()
            .filter_map(|&row| dimensions.rows[row].outcome(outcome))
            .collect();
        mean(&values)
    };
    sides
        .into_iter()
        .filter(|(_, sides)| sides.iter().all(|rows| !rows.is_empty()))
        .map(|(id, [with, without])| {
            let of = std::array::from_fn(|outcome| (average(&with, outcome), average(&without, outcome)));
            (id, of)
        })
        .collect()
}

fn words(section: &mut Section, n_pairs: usize) {
    let said = |id: &str| section.said(id, 1);
    let text = format!(
        "{n_pairs} checkpoints were evaluated both ways: with the template IFEval changes by {} points, MATH by {}, MUSR by {}, \
         GPQA by {}, Average by {}. Like with like over all evaluations: IFEval {}, MATH {}.",
        said("chat_template.paired.ifeval"),
        said("chat_template.paired.math"),
        said("chat_template.paired.musr"),
        said("chat_template.paired.gpqa"),
        said("chat_template.paired.average"),
        said("chat_template.stratified.ifeval"),
        said("chat_template.stratified.math")
    );
    section.text.push(text);
    section.text.push(
        "What would change the answer: more pairs, and pairs that nobody chose. The pairs are the cleanest comparison there is \
         but few; the stratified one has many rows, and people use a template where it helps. A template is also no single \
         thing: it is what the checkpoint ships."
            .into(),
    );
}
