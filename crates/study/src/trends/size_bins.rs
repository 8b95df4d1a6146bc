//! Scores by size in bins of equal frequency, for pretrained and post-trained checkpoints separately.

use super::Trends;
use crate::board::Board;
use crate::finding::Finding;
use crate::leaderboard_v1::equal_frequency;
use crate::section::{Axis, Drawing, Figure, Layer, Panel, Section, Table};
use crate::statistics::{group_bootstrap, mean, quantile};

/// Name in ids, label, and the value of [`crate::board::ScoredCheckpoint::pretrained`].
const KINDS: [(&str, &str, bool); 2] = [
    ("base", "pretrained", true),
    ("post_trained", "post-trained", false),
];

/// One checkpoint: size, score, shape.
type Point = (f64, f64, u32);

pub(super) fn add(trends: &Trends<'_>, section: &mut Section) {
    for board in trends.boards {
        let mut table = Table {
            id: format!("progress-size-bins-{}", board.name),
            caption: format!(
                "Equal-frequency bins of size on {} (points): mean with its 95 % interval over shapes, and quartiles, for pretrained \
                 and post-trained checkpoints. Checkpoints of one size stay in one bin.",
                board.title
            ),
            columns: [
                "benchmark",
                "kind",
                "bin",
                "from (B)",
                "to (B)",
                "n",
                "mean",
                "low",
                "high",
                "q1",
                "median",
                "q3",
            ]
            .map(String::from)
            .to_vec(),
            shown: true,
            ..Table::default()
        };
        let mut panels = Vec::new();
        let mut n = [0; 2];
        for outcome in 0..board.outcomes.len() - 1 {
            let mut layers = Vec::new();
            for (place, (name, words, pretrained)) in KINDS.iter().enumerate() {
                let points = points(board, outcome, *pretrained);
                n[place] = n[place].max(points.len());
                let kind = (*name, *words);
                layers.extend(binned(trends, board, outcome, kind, &points, section, &mut table));
            }
            panels.push(Panel {
                title: board.outcomes[outcome].1.clone(),
                layers,
            });
        }
        section.tables.push(table);
        section.figures.push(Figure {
            id: format!("progress-size-bins-{}", board.name),
            title: format!("Scores by size on {}", board.title),
            caption: format!(
                "Mean (line) and interquartile range (band) in equal-frequency bins of size; n = {} pretrained and {} post-trained \
                 checkpoints with a known size.",
                n[0], n[1]
            ),
            n: n[0] + n[1],
            x: Axis::log("size (billions of parameters)"),
            y: Axis::linear("score (points)"),
            drawing: Drawing::Panels(panels),
        });
    }
}

fn points(board: &Board, outcome: usize, pretrained: bool) -> Vec<Point> {
    let mut points: Vec<Point> = board
        .rows
        .iter()
        .filter(|row| row.pretrained == Some(pretrained))
        .filter_map(|row| Some((row.size?, row.scores[outcome]?, row.shape)))
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
    points
}

fn binned(
    trends: &Trends<'_>,
    board: &Board,
    outcome: usize,
    (name, words): (&str, &str),
    points: &[Point],
    section: &mut Section,
    table: &mut Table,
) -> [Layer; 2] {
    let (benchmark, title) = &board.outcomes[outcome];
    let (mut line, mut band) = (Vec::new(), Vec::new());
    for (number, bin) in equal_frequency(points, |point| point.0).into_iter().enumerate() {
        let scores: Vec<f64> = bin.iter().map(|point| point.1).collect();
        let sizes: Vec<f64> = bin.iter().map(|point| point.0).collect();
        let shapes: Vec<u32> = bin.iter().map(|point| point.2).collect();
        let (from, to) = (sizes[0], sizes[sizes.len() - 1]);
        let [q1, middle, q3] = [0.25, 0.5, 0.75].map(|fraction| quantile(&scores, fraction));
        let average = mean(&scores);
        let interval = group_bootstrap(&shapes, trends.bootstrap, 0.95, |rows| {
            mean(&rows.iter().map(|&row| scores[row]).collect::<Vec<_>>())
        });
        table.rows.push(vec![
            title.as_str().into(),
            words.into(),
            (number + 1).into(),
            from.into(),
            to.into(),
            scores.len().into(),
            average.into(),
            interval.as_ref().map(|ends| ends.low).into(),
            interval.as_ref().map(|ends| ends.high).into(),
            q1.into(),
            middle.into(),
            q3.into(),
        ]);
        let x = quantile(&sizes, 0.5);
        line.push((x, average));
        band.push((x, q1, q3));
        section.findings.push(
            Finding::new(
                format!("progress.size_bins.{name}.mean.{benchmark}.{}", number + 1),
                format!("What is the mean {title} of {words} checkpoints of {from:.2} to {to:.2} billion parameters?"),
                &board.source(),
            )
            .with_value(average, "points", scores.len(), "mean")
            .with_interval(interval)
            .with_seed(trends.bootstrap.seed)
            .with_note(format!("interquartile range {q1:.1} to {q3:.1}"))
            .with_figure(&format!("progress-size-bins-{}", board.name)),
        );
    }
    [
        Layer::Band {
            name: words.into(),
            points: band,
        },
        Layer::Line {
            name: words.into(),
            points: line,
            step: false,
        },
    ]
}
