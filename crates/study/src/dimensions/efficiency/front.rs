//! The Pareto front: checkpoints that no smaller (or cheaper) one beats, the sizes on it, and its stability when shapes
//! are resampled.

use super::super::{Dimensions, LeaderboardRow, source};
use crate::finding::Finding;
use crate::groups::Groups;
use crate::section::{Axis, Cell, Drawing, Figure, Layer, Panel, Section, Table};
use crate::statistics::{bootstrap_interval, resample_counts};

/// Limits of the bins in which a front is counted, in billions of parameters.
const EDGES: [f64; 8] = [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];

/// A cost against which a front is drawn.
struct Cost {
    name: &'static str,
    words: &'static str,
    axis: &'static str,
    of: fn(&LeaderboardRow) -> Option<f64>,
}

const COSTS: [Cost; 3] = [
    Cost {
        name: "size",
        words: "size",
        axis: "size (billions of parameters)",
        of: LeaderboardRow::best_size,
    },
    Cost {
        name: "active",
        words: "active parameters",
        axis: "active parameters (billions)",
        of: LeaderboardRow::best_active,
    },
    Cost {
        name: "co2",
        words: "CO₂ of the evaluation",
        axis: "CO₂ of the evaluation (kg)",
        of: |row| row.co2,
    },
];

/// One row of a front's data.
struct Point<'a> {
    row: &'a LeaderboardRow,
    cost: f64,
    bin: usize,
}

fn bin(size: f64) -> usize {
    EDGES.iter().rposition(|&edge| size >= edge).unwrap_or(0)
}

fn bin_name(bin: usize) -> (String, String) {
    match EDGES.get(bin + 1) {
        Some(to) => (
            format!("{}_{to}b", EDGES[bin]),
            format!("{} to {to} B", EDGES[bin]),
        ),
        None => (
            format!("from_{}b", EDGES[bin]),
            format!("{} B and more", EDGES[bin]),
        ),
    }
}

pub(super) fn add(dimensions: &Dimensions<'_>, section: &mut Section) {
    let mut members_table = Table {
        id: "efficiency-front".into(),
        caption: "Checkpoints on a front: no evaluation of the same or a lower cost scores higher. Last column: share of \
                  resamples of shapes that hold the checkpoint's shape in which it stays on the front."
            .into(),
        columns: ["front", "checkpoint", "cost", "size (B)", "Average (points)", "stays"]
            .map(String::from)
            .to_vec(),
        shown: true,
        ..Table::default()
    };
    let mut bins_table = Table {
        id: "efficiency-front-sizes".into(),
        caption: "Which sizes lie on a front: members, their share with its 95 % interval over shapes, and the share of resamples \
                  with at least one."
            .into(),
        columns: ["front", "size", "n", "on the front", "share", "low", "high", "resamples with one"]
            .map(String::from)
            .to_vec(),
        shown: true,
        ..Table::default()
    };
    let mut panels = Vec::new();
    let mut most = 0;
    for cost in &COSTS {
        let mut points: Vec<Point<'_>> = dimensions
            .rows
            .iter()
            .filter_map(|row| {
                let value = (cost.of)(row).filter(|&value| value > 0.0)?;
                Some(Point {
                    row,
                    cost: value,
                    bin: bin(row.best_size()?),
                })
            })
            .collect();
        if points.is_empty() {
            continue;
        }
        points.sort_by(|a, b| {
            a.cost
                .total_cmp(&b.cost)
                .then(b.row.average.total_cmp(&a.row.average))
        });
        most = most.max(points.len());
        let on_front = resampled(dimensions, cost, &points, section, &mut bins_table);
        for &(place, stays) in &on_front {
            let point = &points[place];
            let cells: [Cell; 6] = [
                cost.words.into(),
                point.row.id.as_str().into(),
                point.cost.into(),
                point.row.best_size().into(),
                point.row.average.into(),
                stays.into(),
            ];
            members_table.rows.push(cells.to_vec());
        }
        panels.push(panel(cost, &points, &on_front));
    }
    section.tables.extend([bins_table, members_table]);
    words(section);
    section.figures.push(Figure {
        id: "efficiency-front".into(),
        title: "What nothing cheaper beats".into(),
        caption: format!(
            "The Pareto front (steps) of Average over size, over active parameters and over CO₂ of the evaluation; n ≤ {most} \
             evaluations of leaderboard v2 with a known cost. The Pareto front takes maxima, so it rises with sample size."
        ),
        n: most,
        x: Axis::log("cost (unit in the heading)"),
        y: Axis::linear("Average (points)"),
        drawing: Drawing::Panels(panels),
    });
}

/// Indices of the points on the front, among those that `drawn` accepts; `points` are in order of ascending cost.
fn front<'a>(
    points: &'a [Point<'_>],
    drawn: impl Fn(usize) -> bool + 'a,
) -> impl Iterator<Item = usize> + 'a {
    let mut best = f64::NEG_INFINITY;
    (0..points.len()).filter(move |&place| {
        let record = drawn(place) && points[place].row.average > best;
        if record {
            best = points[place].row.average;
        }
        record
    })
}

/// Adds findings on the sizes of a front; returns its indices with the share of resamples in which each stays on the
/// front.
fn resampled(
    dimensions: &Dimensions<'_>,
    cost: &Cost,
    points: &[Point<'_>],
    section: &mut Section,
    table: &mut Table,
) -> Vec<(usize, f64)> {
    let shapes = Groups::from_labels(&points.iter().map(|point| point.row.shape).collect::<Vec<_>>());
    let on_front: Vec<usize> = front(points, |_| true).collect();
    let draws = resample_counts(shapes.n_groups(), dimensions.settings(), |counts| {
        let mut bins = [0.0_f64; EDGES.len()];
        let mut stays = vec![None; on_front.len()];
        let members: Vec<usize> = front(points, |place| counts[shapes.ids()[place]] > 0).collect();
        for &place in &members {
            bins[points[place].bin] += 1.0;
        }
        for (stay, place) in stays.iter_mut().zip(&on_front) {
            if counts[shapes.ids()[*place]] > 0 {
                *stay = Some(members.binary_search(place).is_ok());
            }
        }
        (bins, stays)
    });
    section.findings.push(
        Finding::new(
            format!("efficiency.front.{}.members", cost.name),
            format!(
                "How many checkpoints does nothing of the same or lower {} beat?",
                cost.words
            ),
            &source(),
        )
        .with_value(on_front.len() as f64, "checkpoints", points.len(), "pareto front")
        .with_figure("efficiency-front"),
    );
    for number in 0..EDGES.len() {
        let (name, words) = bin_name(number);
        let members = on_front
            .iter()
            .filter(|&&place| points[place].bin == number)
            .count();
        let n = points.iter().filter(|point| point.bin == number).count();
        let share = members as f64 / on_front.len() as f64;
        let shares: Vec<f64> = draws
            .iter()
            .map(|(bins, _)| bins[number] / bins.iter().sum::<f64>())
            .collect();
        let with_one = draws.iter().filter(|(bins, _)| bins[number] > 0.0).count();
        let frequency = with_one as f64 / draws.len() as f64;
        let interval = bootstrap_interval(&shares, shapes.n_groups(), 0.95);
        table.rows.push(vec![
            cost.words.into(),
            words.as_str().into(),
            n.into(),
            members.into(),
            share.into(),
            interval.as_ref().map(|interval| interval.low).into(),
            interval.as_ref().map(|interval| interval.high).into(),
            frequency.into(),
        ]);
        section.findings.extend([
            Finding::new(
                format!("efficiency.front.{}.share.{name}", cost.name),
                format!(
                    "Which share of the front over {} are checkpoints of {words}?",
                    cost.words
                ),
                &source(),
            )
            .with_value(share, "fraction", points.len(), "pareto front")
            .with_interval(interval)
            .with_seed(dimensions.seed)
            .with_figure("efficiency-front"),
            Finding::new(
                format!("efficiency.front.{}.frequency.{name}", cost.name),
                format!(
                    "In which share of resamples does a checkpoint of {words} lie on the front over {}?",
                    cost.words
                ),
                &source(),
            )
            .with_value(
                frequency,
                "fraction",
                points.len(),
                "pareto front, resampling shapes",
            )
            .with_seed(dimensions.seed)
            .with_figure("efficiency-front"),
        ]);
    }
    let stays = |number: usize| {
        let drawn: Vec<bool> = draws.iter().filter_map(|(_, stays)| stays[number]).collect();
        drawn.iter().filter(|stays| **stays).count() as f64 / drawn.len() as f64
    };
    on_front
        .iter()
        .enumerate()
        .map(|(number, &place)| (place, stays(number)))
        .collect()
}

fn panel(cost: &Cost, points: &[Point<'_>], on_front: &[(usize, f64)]) -> Panel {
    let mut steps: Vec<(f64, f64)> = on_front
        .iter()
        .map(|&(place, _)| (points[place].cost, points[place].row.average))
        .collect();
    if let (Some(&(_, best)), Some(last)) = (steps.last(), points.last()) {
        steps.push((last.cost, best));
    }
    Panel {
        title: cost.axis.into(),
        layers: vec![
            Layer::Markers {
                name: "evaluations".into(),
                points: points
                    .iter()
                    .map(|point| (point.cost, point.row.average))
                    .collect(),
                sizes: Vec::new(),
            },
            Layer::Line {
                name: "front".into(),
                points: steps,
                step: true,
            },
        ],
    }
}

fn words(section: &mut Section) {
    let find = |id: &str| section.findings.iter().find(|finding| finding.id == id);
    let (Some(members), Some(per_small), Some(per_middle)) = (
        find("efficiency.front.size.members").and_then(|found| found.value),
        find("efficiency.per_billion.mean.under_1b").and_then(|found| found.value),
        find("efficiency.per_billion.mean.7_13b").and_then(|found| found.value),
    ) else {
        return;
    };
    let mut shares: Vec<(f64, String)> = (0..EDGES.len())
        .filter_map(|number| {
            let (name, words) = bin_name(number);
            let share = find(&format!("efficiency.front.size.share.{name}"))?.value?;
            Some((share, words))
        })
        .collect();
    shares.sort_by(|a, b| b.0.total_cmp(&a.0));
    let listed: Vec<String> = shares
        .iter()
        .take(3)
        .map(|(share, words)| format!("{words} ({:.0} %)", 100.0 * share))
        .collect();
    section.text.push(format!(
        "{members:.0} checkpoints lie on the front over size, most of them of {}. Points per billion parameters fall with \
         size throughout, {per_small:.1} under 1 B against {per_middle:.1} at 7 to 13 B: no bin in the middle is the most \
         efficient by this measure.",
        listed.join(", ")
    ));
    section.text.push(
        "What would change the answer: a price of a token instead of a count of parameters (memory, speed and energy differ \
         at one size); evaluations repeated, since a front is made of maxima and takes luck for merit; listed emissions are \
         those of the leaderboard's own machines, and of runs of very different length."
            .into(),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::StructureValues;

    #[test]
    fn a_front_holds_what_nothing_cheaper_beats() {
        let rows: Vec<LeaderboardRow> = [(1.0, 10.0), (2.0, 9.0), (3.0, 10.0), (4.0, 12.0), (4.0, 11.0)]
            .map(|(size, average)| LeaderboardRow {
                structure: StructureValues {
                    size: Some(size),
                    ..StructureValues::default()
                },
                average,
                ..LeaderboardRow::default()
            })
            .to_vec();
        let points: Vec<Point<'_>> = rows
            .iter()
            .map(|row| Point {
                row,
                cost: row.structure.size.expect("given"),
                bin: 0,
            })
            .collect();
        assert_eq!(front(&points, |_| true).collect::<Vec<_>>(), [0, 3]);
        assert_eq!(front(&points, |place| place != 0).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!((bin(0.5), bin(1.0), bin(63.9), bin(400.0)), (0, 1, 6, 7));
    }
}
