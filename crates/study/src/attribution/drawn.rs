//! Text, table and figures of the attribution section.

use super::{Asked, lead};
use crate::finding::Finding;
use crate::importance::blocks::ALIKE;
use crate::importance::impurity::Effort;
use crate::importance::reading;
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
    let mut words = stated(findings);
    words.push(format!(
        "Which of layers, d_model, d_ffn and heads is first: named only where it leads in 95 % of resamples of shapes, or its \
         interval is above all others', and its lower end is above 0. {}.{blocks}",
        sentences.join("; ")
    ));
    words
}

/// The importances of the first target, and an explanation of the other numbers; empty where there are none.
fn stated(findings: &[Finding]) -> Vec<String> {
    let prefix = format!("importance.{}.{}.", reading::KIND, reading::SET);
    let mut target = None;
    let said: Vec<String> = findings
        .iter()
        .filter_map(|finding| {
            let (of, column) = finding.id.strip_prefix(&prefix)?.split_once('.')?;
            let ends = finding.interval.as_ref()?;
            (*target.get_or_insert(of) == of).then(|| {
                format!(
                    "{column} {:.2} [{:.2}, {:.2}]",
                    finding.value.unwrap_or(f64::NAN),
                    ends.low,
                    ends.high
                )
            })
        })
        .collect();
    target.map_or_else(Vec::new, |target| {
        vec![format!(
            "{}. Of {target}: {}. What a part buys at fixed size, in points, is the first section's.",
            reading::RULE,
            said.join(", ")
        )]
    })
}

pub(super) fn empty_table() -> Table {
    Table {
        id: "attribution".into(),
        caption: format!(
            "Importance of each column for each target. impurity, of the features `core`: the importance as this study states it, the \
             share of the split gain, mean of {} forests on all rows, 95 % interval over {} draws of shapes (neither where nearly \
             every row is its own: one forest, no interval). The other columns answer other questions. first: in which share of those \
             draws does the column lead? per shape: what is its share with each shape counted once (its mean)? unseen: how far does \
             R² drop when the column is shuffled in shapes not trained on (structure_out), with the central 95 % over folds? Other \
             features: the share among other columns, or on other rows.",
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
            "The importance of a column as this study states it, and how far it depends on the shapes drawn: share of a forest's split \
             gain, all rows, 95 % intervals over {} draws of whole shapes; up to n = {n} rows a target.",
            Effort::MANY.draws
        ),
        n,
        x: Axis::linear("target"),
        y: Axis::linear("importance: share of split gain (fraction)"),
        drawing: Drawing::Bars(bars),
    }
}
