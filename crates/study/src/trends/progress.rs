//! Scores of pretrained checkpoints over time, their records, and the smallest size that reaches a score.

mod trade;

use super::Trends;
use crate::board::{Board, ScoredCheckpoint};
use crate::calendar::{day_name, decimal_year};
use crate::finding::Finding;
use crate::section::{Axis, Cell, Drawing, Figure, Layer, Panel, Section, Table};
use crate::statistics::quantile;

/// Levels of Average for which the smallest size is tracked, by leaderboard.
const LEVELS: [(&str, [f64; 4]); 2] = [("v1", [40.0, 50.0, 60.0, 70.0]), ("v2", [5.0, 10.0, 20.0, 30.0])];

/// Levels of Average of a board: those in [`LEVELS`], or else quantiles (0.25, 0.5, 0.75, 0.9) of its scores, rounded
/// to 5 points.
fn levels(board: &Board, bases: &[Base<'_>]) -> Vec<f64> {
    if let Some((_, levels)) = LEVELS.iter().find(|(name, _)| *name == board.name) {
        return levels.to_vec();
    }
    let reached: Vec<f64> = bases
        .iter()
        .filter_map(|base| base.row.scores[board.average()])
        .collect();
    if reached.len() < 10 {
        return Vec::new();
    }
    let mut levels: Vec<f64> = [0.25, 0.5, 0.75, 0.9]
        .map(|share| (quantile(&reached, share) / 5.0).round() * 5.0)
        .to_vec();
    levels.dedup();
    levels
}

/// A pretrained checkpoint with known date and size.
struct Base<'a> {
    row: &'a ScoredCheckpoint,
    date: f64,
    size: f64,
}

pub(super) fn add(trends: &Trends<'_>, section: &mut Section) {
    for board in trends.boards {
        let mut bases: Vec<Base<'_>> = board
            .rows
            .iter()
            .filter(|row| row.pretrained == Some(true))
            .filter_map(|row| {
                Some(Base {
                    row,
                    date: row.date?,
                    size: row.size?,
                })
            })
            .collect();
        bases.sort_by(|a, b| a.date.total_cmp(&b.date).then(a.row.id.cmp(&b.row.id)));
        if bases.len() < 10 {
            continue;
        }
        frontier(board, &bases, section);
        sizes_needed(board, &bases, section);
        trade::trade(board, &bases, section);
    }
}

/// Records (values better than all before) in a sequence ordered by date.
fn records<'a>(bases: &'a [Base<'a>], better: impl Fn(&Base<'_>) -> Option<f64>) -> Vec<(&'a Base<'a>, f64)> {
    let mut best = f64::NEG_INFINITY;
    let mut found = Vec::new();
    for base in bases {
        if let Some(value) = better(base).filter(|&value| value > best) {
            best = value;
            found.push((base, value));
        }
    }
    found
}

fn frontier(board: &Board, bases: &[Base<'_>], section: &mut Section) {
    let mut table = Table {
        id: format!("progress-frontier-{}", board.name),
        caption: format!(
            "Records of pretrained checkpoints on {} by date of publication (points); n = {}.",
            board.title,
            bases.len()
        ),
        columns: ["benchmark", "date", "checkpoint", "size (B)", "score"]
            .map(String::from)
            .to_vec(),
        shown: false,
        ..Table::default()
    };
    let mut panels = Vec::new();
    for (outcome, (name, title)) in board.outcomes.iter().enumerate() {
        let found = records(bases, |base| base.row.scores[outcome]);
        for (base, score) in &found {
            let cells: [Cell; 5] = [
                title.as_str().into(),
                day_name(base.date).into(),
                base.row.id.as_str().into(),
                base.size.into(),
                (*score).into(),
            ];
            table.rows.push(cells.to_vec());
        }
        if let Some((base, score)) = found.last() {
            section.findings.push(
                Finding::new(
                    format!("progress.frontier.{}.{name}", board.name),
                    format!("What is the best {title} of a pretrained checkpoint?"),
                    &board.source(),
                )
                .with_value(*score, "points", bases.len(), "maximum")
                .with_note(format!(
                    "{} of {}, {:.1} B",
                    base.row.id,
                    day_name(base.date),
                    base.size
                ))
                .with_figure(&format!("progress-scores-{}", board.name)),
            );
        }
        panels.push(panel(bases, outcome, title, &found));
    }
    let average = panels.pop();
    let best = records(bases, |base| base.row.scores[board.average()])
        .last()
        .map_or("none".to_string(), |(base, score)| {
            format!(
                "{} ({:.1} B, {}): {score:.1} points",
                base.row.id,
                base.size,
                day_name(base.date)
            )
        });
    let figure = |id: String, title: String, panels: Vec<Panel>, y: &str| Figure {
        id,
        title,
        caption: format!(
            "Pretrained checkpoints of {} by date of publication; a marker's area is the size, the steps are the best so far; n = {}. \
             The best Average is that of {best}.",
            board.title,
            bases.len()
        ),
        n: bases.len(),
        x: Axis::linear("date of publication (year)"),
        y: Axis::linear(y),
        drawing: Drawing::Panels(panels),
    };
    if let Some(mut average) = average {
        average.title = String::new();
        section.figures.push(figure(
            format!("progress-average-{}", board.name),
            format!("Average of pretrained checkpoints over time, {}", board.title),
            vec![average],
            "Average (points)",
        ));
    }
    section.figures.push(figure(
        format!("progress-scores-{}", board.name),
        format!("Scores of pretrained checkpoints over time, {}", board.title),
        panels,
        "score (points)",
    ));
    section.tables.push(table);
}

fn panel(bases: &[Base<'_>], outcome: usize, title: &str, found: &[(&Base<'_>, f64)]) -> Panel {
    let scored: Vec<(&Base<'_>, f64)> = bases
        .iter()
        .filter_map(|base| Some((base, base.row.scores[outcome]?)))
        .collect();
    let mut steps: Vec<(f64, f64)> = found
        .iter()
        .map(|(base, score)| (decimal_year(base.date), *score))
        .collect();
    if let (Some(&(_, best)), Some(last)) = (steps.last(), bases.last()) {
        steps.push((decimal_year(last.date), best));
    }
    Panel {
        title: title.into(),
        layers: vec![
            Layer::Markers {
                name: "checkpoint (area: size)".into(),
                points: scored
                    .iter()
                    .map(|(base, score)| (decimal_year(base.date), *score))
                    .collect(),
                sizes: scored.iter().map(|(base, _)| base.size).collect(),
            },
            Layer::Line {
                name: "best so far".into(),
                points: steps,
                step: true,
            },
        ],
    }
}

fn sizes_needed(board: &Board, bases: &[Base<'_>], section: &mut Section) {
    let levels = levels(board, bases);
    if levels.is_empty() {
        return;
    }
    let mut table = Table {
        id: format!("progress-size-needed-{}", board.name),
        caption: format!(
            "The smallest pretrained checkpoint that reached an Average on {}, by date of publication: each time it became smaller.",
            board.title
        ),
        columns: ["Average of at least", "date", "checkpoint", "size (B)"]
            .map(String::from)
            .to_vec(),
        shown: true,
        ..Table::default()
    };
    let mut layers = Vec::new();
    let mut shrunk = Vec::new();
    for level in levels {
        let reaches = |base: &Base<'_>| base.row.scores[board.average()].is_some_and(|score| score >= level);
        let found = records(bases, |base| reaches(base).then_some(-base.size));
        let n = bases.iter().filter(|base| reaches(base)).count();
        for (base, _) in &found {
            table.rows.push(vec![
                level.into(),
                day_name(base.date).into(),
                base.row.id.as_str().into(),
                base.size.into(),
            ]);
        }
        let (Some((first, _)), Some((last, _))) = (found.first(), found.last()) else {
            continue;
        };
        for (what, base) in [("first", first), ("smallest", last)] {
            section.findings.push(
                Finding::new(
                    format!("progress.size_needed.{}.{level}.{what}", board.name),
                    format!(
                        "How large is the {what} pretrained checkpoint with an Average of {level} or more?"
                    ),
                    &board.source(),
                )
                .with_value(base.size, "billions of parameters", n, "record")
                .with_note(format!("{} of {}", base.row.id, day_name(base.date)))
                .with_figure(&format!("progress-size-needed-{}", board.name)),
            );
        }
        shrunk.push(format!(
            "An Average of {level} took {:.1} B first, {:.1} B at best.",
            first.size, last.size
        ));
        let mut points: Vec<(f64, f64)> = found
            .iter()
            .map(|(base, _)| (decimal_year(base.date), base.size))
            .collect();
        if let (Some(&(_, size)), Some(end)) = (points.last(), bases.last()) {
            points.push((decimal_year(end.date), size));
        }
        layers.push(Layer::Line {
            name: format!("Average ≥ {level}"),
            points,
            step: true,
        });
    }
    section.tables.push(table);
    section.figures.push(Figure {
        id: format!("progress-size-needed-{}", board.name),
        title: format!("The size an Average needs, {}", board.title),
        caption: format!(
            "Smallest pretrained checkpoint so far that reached an Average, by date of publication; n = {} pretrained checkpoints. \
             {}",
            bases.len(),
            shrunk.join(" ")
        ),
        n: bases.len(),
        x: Axis::linear("date of publication (year)"),
        y: Axis::log("smallest size (billions of parameters)"),
        drawing: Drawing::Panels(vec![Panel {
            title: String::new(),
            layers,
        }]),
    });
}
