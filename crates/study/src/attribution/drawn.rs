//! The section's words, table and figures.

use super::{Asked, lead};
use crate::finding::Finding;
use crate::importance::blocks::ALIKE;
use crate::importance::impurity::Effort;
use crate::section::{Axis, Bar, Drawing, Figure, Table};

pub(super) fn words(findings: &[Finding], asked: &[Asked<'_>]) -> Vec<String> {
    let core = asked.iter().filter(|question| question.set == "core");
    let sentences: Vec<String> = core
        .filter_map(|question| {
            let said = |kind: &str| {
                lead(findings, kind, question.set, question.target)
                    .map_or_else(|| "cannot tell (not computed)".to_owned(), |lead| lead.words())
            };
            lead(findings, "mdi", question.set, question.target)?;
            Some(format!(
                "{}: by impurity on all rows {}, by permutation on unseen shapes {}",
                question.target,
                said("mdi"),
                said("permutation")
            ))
        })
        .collect();
    let together: Vec<String> = findings
        .iter()
        .filter_map(|finding| {
            let target = finding.id.strip_prefix("importance.blocks.core.")?;
            let told = finding
                .notes
                .iter()
                .find_map(|note| note.strip_prefix("together: "))?;
            Some(format!("{told} ({target})"))
        })
        .collect();
    let blocks = if together.is_empty() {
        String::new()
    } else {
        format!(
            " Columns whose ranks over shapes correlate by {ALIKE} or more are one block, and which of a block comes first these rows \
             do not tell: {}.",
            together.join("; ")
        )
    };
    vec![format!(
        "Which of layers, d_model, d_ffn and heads is first: named only where it leads in 95 % of resamples of shapes, or its \
         interval is above all others', and its lower end is above 0. {}.{blocks}",
        sentences.join("; ")
    )]
}

pub(super) fn empty_table() -> Table {
    Table {
        id: "attribution".into(),
        caption: format!(
            "Importance of each column for each target. impurity: share of the impurity decrease, mean of {} forests \
             on all rows, 95 % interval over {} draws of shapes (neither where nearly every row is its own: one forest, no \
             interval); first: share of those draws in which the column \
             comes first; per shape: the same with each shape counted once (its mean); unseen: drop in R² when the column \
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
            "How far the order of the four depends on the shapes drawn: share of a forest's impurity decrease, all rows, \
             95 % intervals over {} draws of whole shapes; up to n = {n} rows a target.",
            Effort::MANY.draws
        ),
        n,
        x: Axis::linear("target"),
        y: Axis::linear("impurity importance (fraction)"),
        drawing: Drawing::Bars(bars),
    }
}
