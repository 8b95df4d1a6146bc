//! Tables for the answer of `compare`.

use study::section::{Cell, Table};

use crate::answers::compare::CompareAnswer;
use crate::answers::folders::FolderComparison;

/// Structure and costs; columns that differ are marked.
pub(crate) fn structure(answer: &CompareAnswer) -> Table {
    let mut columns = vec!["*".to_owned(), "column".to_owned()];
    columns.extend(answer.checkpoints.iter().map(|checkpoint| checkpoint.id.clone()));
    let mut rows: Vec<Vec<Cell>> = answer
        .structure
        .iter()
        .map(|column| {
            let mut cells: Vec<Cell> = vec![
                (if column.differs { "*" } else { "" }).into(),
                column.column.as_str().into(),
            ];
            cells.extend(
                column
                    .values
                    .iter()
                    .map(|value| value.clone().map_or(Cell::Missing, Cell::from)),
            );
            cells
        })
        .collect();
    let kinds = answer
        .checkpoints
        .first()
        .map_or(&[][..], |first| &first.costs.memory_by_precision[..]);
    for (place, memory) in kinds.iter().enumerate() {
        let name = format!("GB at {}, {} tokens", memory.precision.as_str(), memory.context);
        let values: Vec<Option<String>> = answer
            .checkpoints
            .iter()
            .map(|checkpoint| {
                let memory = checkpoint.costs.memory_by_precision.get(place)?;
                Some(format!("{:.2}", memory.total_bytes / 1e9))
            })
            .collect();
        let differs = values.windows(2).any(|pair| pair[0] != pair[1]);
        let mut cells: Vec<Cell> = vec![(if differs { "*" } else { "" }).into(), name.into()];
        cells.extend(
            values
                .into_iter()
                .map(|value| value.map_or(Cell::Missing, Cell::from)),
        );
        rows.push(cells);
    }
    Table {
        id: "structure".into(),
        columns,
        rows,
        ..Table::default()
    }
}

/// Scores with their intervals.
pub(crate) fn scores(answer: &CompareAnswer) -> Table {
    let mut columns = vec!["benchmark".to_owned(), "leaderboard".to_owned()];
    columns.extend(answer.checkpoints.iter().map(|checkpoint| checkpoint.id.clone()));
    let rows = answer
        .scores
        .iter()
        .map(|score| {
            let mut cells: Vec<Cell> =
                vec![score.benchmark.as_str().into(), score.leaderboard.as_str().into()];
            cells.extend(score.values.iter().map(|value| {
                value.as_ref().map_or(Cell::Missing, |value| {
                    let ends = value.interval.as_ref().map_or(String::new(), |ends| {
                        format!(" [{:.1}, {:.1}]", ends.low, ends.high)
                    });
                    format!("{:.1}{ends}", value.value).into()
                })
            }));
            cells
        })
        .collect();
    Table {
        id: "scores".into(),
        columns,
        rows,
        ..Table::default()
    }
}

/// Settings of the runs: those common to all of a benchmark's runs, and per checkpoint those that differ.
pub(crate) fn runs(answer: &CompareAnswer) -> Table {
    let mut columns = ["benchmark", "leaderboard", "all runs"]
        .map(String::from)
        .to_vec();
    columns.extend(answer.checkpoints.iter().map(|checkpoint| checkpoint.id.clone()));
    let joined = |parts: Vec<String>| Cell::from(parts.join(", "));
    let rows = answer
        .scores
        .iter()
        .map(|score| {
            let parts: Vec<Option<[Option<String>; 8]>> = score
                .values
                .iter()
                .map(|value| value.as_ref().map(|value| value.run.parts()))
                .collect();
            let known: Vec<&[Option<String>; 8]> = parts.iter().flatten().collect();
            let is_common = |place: usize| known.windows(2).all(|pair| pair[0][place] == pair[1][place]);
            let common = known.first().into_iter().flat_map(|first| {
                let places = (0..first.len()).filter(|&place| is_common(place));
                places.filter_map(|place| first[place].clone())
            });
            let mut cells: Vec<Cell> = vec![
                score.benchmark.as_str().into(),
                score.leaderboard.as_str().into(),
                joined(common.collect()),
            ];
            cells.extend(parts.iter().map(|parts| match parts {
                None => Cell::Missing,
                Some(parts) => {
                    let places = (0..parts.len()).filter(|&place| !is_common(place));
                    let own = places.map(|place| parts[place].clone().unwrap_or_else(|| "not stated".into()));
                    joined(own.collect())
                }
            }));
            cells
        })
        .collect();
    Table {
        id: "runs".into(),
        columns,
        rows,
        ..Table::default()
    }
}

/// Each checkpoint compared with the first, one row per benchmark.
pub(crate) fn pairs(answer: &CompareAnswer) -> Table {
    let columns = [
        "checkpoint",
        "benchmark",
        "comparable",
        "difference",
        "low",
        "high",
        "p",
        "p adjusted",
        "items",
        "more than noise",
        "SD among checkpoints of one structure",
        "why not comparable",
    ];
    let rows = answer
        .pairs
        .iter()
        .map(|pair| {
            let ends = pair.interval.as_ref();
            vec![
                pair.second.as_str().into(),
                pair.benchmark.as_str().into(),
                (if pair.comparable { "yes" } else { "no" }).into(),
                pair.difference.into(),
                ends.map(|ends| ends.low).into(),
                ends.map(|ends| ends.high).into(),
                pair.p.into(),
                pair.p_adjusted.into(),
                Cell::from(pair.n.map(|n| n as f64)),
                pair.more_than_noise
                    .map_or(Cell::Missing, |more| (if more { "yes" } else { "no" }).into()),
                pair.within_shape_deviation.into(),
                pair.why_not.join("; ").into(),
            ]
        })
        .collect();
    Table {
        id: "pairs".into(),
        columns: columns.map(String::from).to_vec(),
        rows,
        ..Table::default()
    }
}

/// Two folders compared, one row per benchmark.
pub(crate) fn of_benchmarks(answer: &FolderComparison) -> Table {
    Table {
        id: "folder_comparison".into(),
        columns: [
            "benchmark",
            "metric",
            "items",
            "baseline (points)",
            "candidate (points)",
            "difference (points)",
            "low 95 %",
            "high 95 %",
            "only baseline right",
            "only candidate right",
            "p",
            "p adjusted",
            "verdict",
        ]
        .map(String::from)
        .to_vec(),
        rows: answer
            .benchmarks
            .iter()
            .map(|one| {
                let count = |n: Option<usize>| Cell::from(n.map(|n| n as f64));
                vec![
                    one.benchmark.as_str().into(),
                    one.metric.as_str().into(),
                    one.n.into(),
                    one.baseline.into(),
                    one.candidate.into(),
                    one.difference.into(),
                    one.interval.low.into(),
                    one.interval.high.into(),
                    count(one.only_baseline),
                    count(one.only_candidate),
                    one.p.into(),
                    one.p_adjusted.into(),
                    one.verdict.into(),
                ]
            })
            .collect(),
        ..Table::default()
    }
}
