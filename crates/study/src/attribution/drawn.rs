//! The section's words, table and figures.

use super::{Asked, Effort, first_column};
use crate::finding::Finding;
use crate::section::{Axis, Bar, Drawing, Figure, Table};

pub(super) fn words(findings: &[Finding], asked: &[Asked<'_>]) -> Vec<String> {
    let core = asked.iter().filter(|question| question.set == "core");
    let sentences: Vec<String> = core
        .filter_map(|question| {
            let first = |kind: &str| first_column(findings, kind, question.set, question.target);
            let (mdi, _) = first("mdi")?;
            let share = findings.iter().find(|finding| {
                finding.id == format!("importance.first_share.core.{}.{mdi}", question.target)
            })?;
            let unseen = first("permutation").map_or("none can be said", |(name, _)| name);
            Some(format!(
                "{}: {mdi} by impurity on all rows (first in {:.0} % of draws of shapes), {unseen} by permutation on \
                 unseen shapes",
                question.target,
                100.0 * share.value?
            ))
        })
        .collect();
    vec![format!(
        "What comes first among layers, d_model, d_ffn and heads. {}.",
        sentences.join("; ")
    )]
}

pub(super) fn empty_table() -> Table {
    Table {
        id: "attribution".into(),
        caption: format!(
            "Importance of each column for each target. impurity: share of the fall of impurity, mean of {} forests \
             on all rows, 95 % interval over {} draws of shapes (neither where nearly every row is its own: one forest, no \
             interval); first: share of those draws in which the column \
             comes first; per shape: the same with each shape counted once (its mean); unseen: fall of R² when the column \
             is shuffled in shapes not trained on (structure_out), with the central 95 % over folds.",
            Effort::MANY.forests,
            Effort::MANY.draws
        ),
        columns: [
            "target",
            "features",
            "n",
            "shapes",
            "column",
            "impurity",
            "low",
            "high",
            "first",
            "per shape",
            "unseen",
            "unseen low",
            "unseen high",
        ]
        .map(String::from)
        .to_vec(),
        shown: true,
        ..Table::default()
    }
}

pub(super) fn figure(id: &str, targets: &str, bars: Vec<Bar>, n: usize) -> Figure {
    Figure {
        id: id.into(),
        title: format!("Importance of layers, d_model, d_ffn, heads: {targets}"),
        caption: format!(
            "Which of the four comes first changes with the shapes drawn: share of a forest's fall of impurity, all rows, \
             95 % intervals over {} draws of whole shapes; up to n = {n} rows a target.",
            Effort::MANY.draws
        ),
        n,
        x: Axis::linear("target"),
        y: Axis::linear("impurity importance (fraction)"),
        drawing: Drawing::Bars(bars),
    }
}
