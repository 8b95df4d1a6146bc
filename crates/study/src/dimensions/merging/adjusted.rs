//! Merged against other checkpoints within shapes, months and base models, and how the labels of merging disagree.

use super::super::{Dimensions, LeaderboardRow, OUTCOMES, source};
use crate::finding::Finding;
use crate::section::{Axis, Bar, Cell, Drawing, Figure, Section, Table};
use crate::statistics::{Stratified, holm, stratified_difference};

/// Definitions of a merged checkpoint: name in ids, description, function.
const DEFINITIONS: [(&str, &str, Definition); 3] = [
    ("flag", "the flag `Merged`", |row| row.merged),
    (
        "kind",
        "the type `base merges and moerges`",
        LeaderboardRow::merge_kind,
    ),
    ("either", "flag or type", |row| {
        match (row.merged, row.merge_kind()) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), _) | (_, Some(false)) => Some(false),
            (None, None) => None,
        }
    }),
];
type Definition = fn(&LeaderboardRow) -> Option<bool>;

/// Strata within which checkpoints are compared.
const STRATA: [(&str, &str, Stratum); 5] = [
    ("raw", "nothing held equal", |_| Some(String::new())),
    ("structure", "same shape", |row| Some(row.shape.to_string())),
    ("date", "same month", |row| {
        row.month().map(|month| month.to_string())
    }),
    ("structure_date", "same shape and month", |row| {
        row.month().map(|month| format!("{} {month}", row.shape))
    }),
    ("base", "same root of lineage", |row| Some(row.root.clone())),
];
type Stratum = fn(&LeaderboardRow) -> Option<String>;

/// Selects what to count, given flag, type and name.
type Keep = fn(bool, bool, bool) -> bool;

/// Words in a name that indicate a merge.
const NAMES: [&str; 10] = [
    "merge",
    "slerp",
    "dare",
    "ties",
    "della",
    "breadcrumbs",
    "model_stock",
    "model-stock",
    "frankenm",
    "moerge",
];

pub(super) fn add(dimensions: &Dimensions<'_>, section: &mut Section) {
    labels(dimensions, section);
    let mut table = Table {
        id: "merging-adjusted".into(),
        caption: "Average of merged minus other checkpoints (points) by what counts as merged and what is held equal; 95 % \
                  intervals and p allow rows of one shape to go together; Holm over the five comparisons of one definition. n \
                  counts rows of strata that hold both."
            .into(),
        columns: [
            "merged by",
            "held equal",
            "n",
            "n merged",
            "strata",
            "difference",
            "low",
            "high",
            "p",
            "p (Holm)",
        ]
        .map(String::from)
        .to_vec(),
        shown: true,
        ..Table::default()
    };
    let mut bars = Vec::new();
    for (name, words, definition) in DEFINITIONS {
        let found: Vec<Option<Stratified>> = STRATA
            .iter()
            .map(|(_, _, stratum)| compare(dimensions, definition, *stratum, OUTCOMES.len() - 1))
            .collect();
        let p: Vec<f64> = found
            .iter()
            .map(|found| found.as_ref().map_or(f64::NAN, |found| found.difference.p))
            .collect();
        let corrected = holm(&p);
        for ((found, (key, held, _)), corrected) in found.iter().zip(STRATA).zip(corrected) {
            let Some(found) = found else { continue };
            section.findings.push(
                finding(name, words, key, held, "average", "Average", found).with_note(format!(
                    "p = {:.2e}, corrected for five comparisons {corrected:.2e}",
                    found.difference.p
                )),
            );
            let ends = found.difference.interval.as_ref();
            let cells: [Cell; 10] = [
                words.into(),
                held.into(),
                found.n.into(),
                found.n_first.into(),
                found.n_strata.into(),
                found.difference.value.into(),
                ends.map(|ends| ends.low).into(),
                ends.map(|ends| ends.high).into(),
                found.difference.p.into(),
                corrected.into(),
            ];
            table.rows.push(cells.to_vec());
            bars.push(Bar {
                group: words.into(),
                series: held.into(),
                value: found.difference.value,
                interval: ends.map(|ends| (ends.low, ends.high)),
            });
        }
    }
    benchmarks(dimensions, section);
    section.tables.push(table);
    let figure = Figure {
        id: "merging-adjusted".into(),
        title: "Merged minus other checkpoints".into(),
        caption: format!(
            "By flag or type merged checkpoints score {} points higher, of one shape and month {}; difference of Average with 95 % \
             intervals clustered by shape, by what counts as merged; n = {} evaluations with a label.",
            section.said("merging.effect.either.raw.average", 1),
            section.said("merging.effect.either.structure_date.average", 1),
            dimensions.rows.iter().filter(|row| row.merged.is_some()).count()
        ),
        n: dimensions.rows.iter().filter(|row| row.merged.is_some()).count(),
        x: Axis::linear("difference (points)"),
        y: Axis::linear(""),
        drawing: Drawing::Intervals {
            rows: bars,
            reference: 0.0,
        },
    };
    section.figures.push(figure);
    words(section);
}

fn compare(
    dimensions: &Dimensions<'_>,
    merged: Definition,
    stratum: Stratum,
    outcome: usize,
) -> Option<Stratified> {
    let (mut values, mut first, mut strata, mut shapes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in dimensions.rows {
        if let (Some(value), Some(merged), Some(stratum)) = (row.outcome(outcome), merged(row), stratum(row))
        {
            values.push(value);
            first.push(merged);
            strata.push(stratum);
            shapes.push(row.shape);
        }
    }
    stratified_difference(&values, &first, &strata, &shapes)
}

fn finding(
    definition: &str,
    words: &str,
    key: &str,
    held: &str,
    outcome: &str,
    title: &str,
    found: &Stratified,
) -> Finding {
    Dimensions::estimated(
        format!("merging.effect.{definition}.{key}.{outcome}"),
        format!("By how much do merged checkpoints (by {words}) score higher on {title}, {held}?"),
        Some(&found.difference),
        "points",
        found.n,
        "difference within strata, clustered by shape",
    )
    .with_note(format!(
        "{} merged in {} strata that hold both, {} shapes",
        found.n_first, found.n_strata, found.n_groups
    ))
    .with_figure("merging-adjusted")
}

/// Differences on each benchmark, within strata.
fn benchmarks(dimensions: &Dimensions<'_>, section: &mut Section) {
    let (name, words, definition) = DEFINITIONS[2];
    let (key, held, stratum) = STRATA[3];
    let mut table = Table {
        id: "merging-benchmarks".into(),
        caption: format!(
            "Merged ({words}) minus other checkpoints of the same shape and month, by benchmark (points); 95 % intervals \
             clustered by shape."
        ),
        columns: ["benchmark", "n", "n merged", "difference", "low", "high", "p"]
            .map(String::from)
            .to_vec(),
        shown: true,
        ..Table::default()
    };
    for (outcome, (id, title)) in OUTCOMES.iter().enumerate().take(OUTCOMES.len() - 1) {
        let Some(found) = compare(dimensions, definition, stratum, outcome) else {
            continue;
        };
        section
            .findings
            .push(finding(name, words, key, held, id, title, &found));
        let ends = found.difference.interval.as_ref();
        table.rows.push(vec![
            (*title).into(),
            found.n.into(),
            found.n_first.into(),
            found.difference.value.into(),
            ends.map(|ends| ends.low).into(),
            ends.map(|ends| ends.high).into(),
            found.difference.p.into(),
        ]);
    }
    section.tables.push(table);
}

/// Disagreement of flag, type and name.
fn labels(dimensions: &Dimensions<'_>, section: &mut Section) {
    let known: Vec<(&LeaderboardRow, bool, bool)> = dimensions
        .rows
        .iter()
        .filter_map(|row| Some((row, row.merged?, row.merge_kind()?)))
        .collect();
    let named = |row: &LeaderboardRow| {
        let name = row.id.to_lowercase();
        NAMES.iter().any(|word| name.contains(word))
    };
    let mut table = Table {
        id: "merging-labels".into(),
        caption: format!(
            "How the leaderboard's two labels of merging, and the checkpoint's name, disagree; n = {} evaluations with both labels.",
            known.len()
        ),
        columns: ["label", "evaluations"].map(String::from).to_vec(),
        shown: true,
        ..Table::default()
    };
    let counts: [(&str, &str, Keep); 4] = [
        ("both", "flag and type", |flag, kind, _| flag && kind),
        ("kind_only", "type but not flag", |flag, kind, _| kind && !flag),
        ("flag_only", "flag but not type", |flag, kind, _| flag && !kind),
        (
            "name_only",
            "name says merge, neither flag nor type does",
            |flag, kind, name| name && !flag && !kind,
        ),
    ];
    for (id, words, keep) in counts {
        let count = known
            .iter()
            .filter(|(row, flag, kind)| keep(*flag, *kind, named(row)))
            .count();
        table.rows.push(vec![words.into(), count.into()]);
        section.findings.push(
            Finding::new(
                format!("merging.labels.{id}"),
                format!("How many evaluations are called merged by: {words}?"),
                &source(),
            )
            .with_value(count as f64, "rows", known.len(), "count"),
        );
    }
    section.tables.push(table);
}

fn words(section: &mut Section) {
    let find = |id: &str| section.findings.iter().find(|finding| finding.id == id);
    let said = |id: &str| section.said(id, 1);
    let count = |id: &str| find(id).and_then(|found| found.value).unwrap_or(0.0);
    let text = format!(
        "By flag or type, merged checkpoints score {} points higher with nothing held equal, {} within one shape, {} within \
         one shape and month, {} among descendants of one base. The labels disagree: {:.0} rows have the type but not the \
         flag, {:.0} the flag but not the type, and {:.0} more say it in their name alone.",
        said("merging.effect.either.raw.average"),
        said("merging.effect.either.structure.average"),
        said("merging.effect.either.structure_date.average"),
        said("merging.effect.either.base.average"),
        count("merging.labels.kind_only"),
        count("merging.labels.flag_only"),
        count("merging.labels.name_only")
    );
    section.text.push(text);
    section.text.push(
        "What would change the answer: who submits. A merge is cheap, so many are made and the best of them entered; a \
         difference like this is as much selection as effect. Merges made without looking at a leaderboard, with their \
         ingredients evaluated beside them, would tell the two apart."
            .into(),
    );
}
