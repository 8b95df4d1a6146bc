//! Effect of post-training: scores of post-trained checkpoints compared with pretrained ones of the same shape.

use super::Trends;
use crate::board::Board;
use crate::finding::Finding;
use crate::section::{Axis, Bar, Drawing, Figure, Section, Table};
use crate::statistics::stratified_difference;

pub(super) fn add(trends: &Trends<'_>, section: &mut Section) {
    let mut table = Table {
        id: "progress-post-training".into(),
        caption: "Checkpoints of other kinds minus pretrained ones of the same shape (points), 95 % intervals clustered by shape."
            .into(),
        columns: ["leaderboard", "benchmark", "n", "n pretrained", "shapes", "difference", "low", "high"]
            .map(String::from)
            .to_vec(),
        shown: true,
        ..Table::default()
    };
    let mut bars = Vec::new();
    let mut most = Vec::new();
    for board in trends.boards {
        let mut best: Option<(&str, f64)> = None;
        for (outcome, (name, title)) in board.outcomes.iter().enumerate() {
            let (mut values, mut other, mut shapes) = (Vec::new(), Vec::new(), Vec::new());
            for row in &board.rows {
                if let (Some(score), Some(pretrained)) = (row.scores[outcome], row.pretrained) {
                    values.push(score);
                    other.push(!pretrained);
                    shapes.push(row.shape);
                }
            }
            section
                .findings
                .extend(raw(board, (name, title), &values, &other, &shapes));
            let Some(found) = stratified_difference(&values, &other, &shapes, &shapes) else {
                continue;
            };
            let ends = found
                .difference
                .interval
                .as_ref()
                .map(|ends| (ends.low, ends.high));
            table.rows.push(vec![
                board.title.into(),
                title.as_str().into(),
                found.n.into(),
                (found.n - found.n_first).into(),
                found.n_strata.into(),
                found.difference.value.into(),
                ends.map(|ends| ends.0).into(),
                ends.map(|ends| ends.1).into(),
            ]);
            bars.push(Bar {
                group: board.title.into(),
                series: title.clone(),
                value: found.difference.value,
                interval: ends,
            });
            if *name != "average" && best.is_none_or(|(_, value)| found.difference.value > value) {
                best = Some((title, found.difference.value));
            }
            section.findings.push(
                Finding::new(
                    format!("progress.post_training.{}.{name}", board.name),
                    format!("By how much do post-trained checkpoints score higher on {title} than pretrained ones of their shape?"),
                    &board.source(),
                )
                .with_value(
                    found.difference.value,
                    "points",
                    found.n,
                    "difference within shapes, clustered by shape",
                )
                .with_interval(found.difference.interval.clone())
                .with_note(format!("{} shapes hold both kinds", found.n_strata))
                .with_figure("progress-post-training"),
            );
        }
        if let Some((title, value)) = best {
            most.push(format!(
                "On {} post-training adds most to {title}: {value:+.1} points within one shape.",
                board.title
            ));
        }
    }
    section.tables.push(table);
    let n = trends
        .boards
        .iter()
        .map(|board| board.rows.len())
        .max()
        .unwrap_or(0);
    let figure = Figure {
        id: "progress-post-training".into(),
        title: "Post-trained minus pretrained checkpoints of one shape".into(),
        caption: format!(
            "Differences within shapes with 95 % intervals clustered by shape; n ≤ {n} checkpoints of a leaderboard. {} \
             Post-trained rows are mostly later ones.",
            most.join(" ")
        ),
        n,
        x: Axis::linear("difference (points)"),
        y: Axis::linear(""),
        drawing: Drawing::Intervals {
            rows: bars,
            reference: 0.0,
        },
    };
    section.figures.push(figure);
    section.text.extend(most);
}

/// The same difference without comparing within shapes.
fn raw(
    board: &Board,
    (name, title): (&str, &str),
    values: &[f64],
    other: &[bool],
    shapes: &[u32],
) -> Option<Finding> {
    let found = stratified_difference(values, other, &vec![0; values.len()], shapes)?;
    Some(
        Finding::new(
            format!("progress.post_training_raw.{}.{name}", board.name),
            format!("By how much do post-trained checkpoints score higher on {title} than pretrained ones, of any shape?"),
            &board.source(),
        )
        .with_value(
            found.difference.value,
            "points",
            found.n,
            "difference of means, clustered by shape",
        )
        .with_interval(found.difference.interval)
        .with_note("unadjusted: the two sides are of different sizes and dates"),
    )
}
