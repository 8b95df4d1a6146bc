//! Accuracy with which structure, date and tokens predict units of held-out shapes and of held-out families.
//!
//! A Gaussian process over units ([`super::process`]). Its predictions are averaged over the best six of eighteen
//! settings of length scale, family variance and noise, chosen within the training units by the leave-one-shape-out
//! error. Effects of tuning and merging are estimated within training units and added for the held-out rows.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::process::{SolvedUnits, UnitCells, UnitProcess, chosen};
use super::units::{Units, units};
use super::{LEAST_UNITS, Pooled, PooledBoard, PooledRow, source_of};
use crate::by_group::by_group;
use crate::evaluate::r2;
use crate::finding::{Finding, Interval};
use crate::groups::Groups;
use crate::statistics::{GroupBootstrap, group_bootstrap, mean};

/// Number of bootstrap resamples of intervals over shapes.
const RESAMPLES: usize = 1_000;

/// How units are held out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Out {
    Shape,
    Family,
}

impl Out {
    fn name(self) -> &'static str {
        match self {
            Self::Shape => "shape_out",
            Self::Family => "unit_family_out",
        }
    }
}

/// Held-out rows with their predictions by the process, and by the mean of the units nearest in size.
#[derive(Default)]
pub(super) struct Predicted {
    pub(super) actual: Vec<f64>,
    pub(super) process: Vec<f64>,
    pub(super) by_size: Vec<f64>,
    pub(super) shapes: Vec<u64>,
}

/// A held-out row: score, prediction of the process, prediction of the look-up, shape.
pub(super) type Held = (f64, f64, f64, u64);

/// Number of units nearest in size whose mean is the look-up's prediction.
const NEAREST: usize = 5;

/// Predictions of held-out rows from the units of the training rows; `None` where nothing can be fitted.
pub(super) fn told(
    train: &[&PooledRow],
    tested: &[&PooledRow],
    score: &(dyn Fn(&PooledRow) -> Option<f64> + Sync),
) -> Option<Vec<Held>> {
    let Units {
        all: known, effects, ..
    } = units(train, score);
    let cells = UnitCells::of(&known);
    let fits = chosen(&cells);
    if fits.is_empty() {
        return None;
    }
    // The held-out units, of which all but the scores is used.
    let hidden = units(tested, score);
    let new = UnitCells::of_new(&hidden.all, &known);
    let of_units: BTreeMap<u32, (f64, f64, Option<f64>)> = hidden
        .all
        .iter()
        .enumerate()
        .map(|(place, unit)| {
            let by = |process: &UnitProcess, solved: &SolvedUnits| -> f64 {
                let at = process.scaled(&new[place]);
                let value: f64 = (0..known.len())
                    .map(|other| {
                        let train = (
                            &solved.places[other],
                            cells.families[other].as_str(),
                            cells.shapes[other],
                        );
                        process.kernel((&at, unit.family.as_str(), unit.shape()), train)
                            * solved.weights[other]
                    })
                    .sum();
                process.mean + process.scale * value
            };
            let values: Vec<f64> = fits.iter().map(|(process, solved)| by(process, solved)).collect();
            let mut near: Vec<(f64, f64)> = known
                .iter()
                .map(|other| ((other.size / unit.size).ln().abs(), other.score))
                .collect();
            near.sort_by(|a, b| a.0.total_cmp(&b.0));
            let look_up = mean(
                &near
                    .iter()
                    .take(NEAREST)
                    .map(|(_, score)| *score)
                    .collect::<Vec<f64>>(),
            );
            (unit.number, (mean(&values), look_up, unit.date))
        })
        .collect();
    tested
        .iter()
        .map(|row| {
            let (by_process, by_size, first) = of_units.get(&row.unit)?;
            let more = effects.of(row, *first);
            Some((score(row)?, by_process + more, by_size + more, row.shape()))
        })
        .collect()
}

fn predicted(
    rows: &[&PooledRow],
    score: impl Fn(&PooledRow) -> Option<f64> + Sync,
    out: Out,
) -> Option<Predicted> {
    let everything = units(rows, &score);
    if everything.all.len() < 3 * LEAST_UNITS {
        return None;
    }
    let family_of: BTreeMap<u32, String> = everything
        .all
        .iter()
        .map(|unit| (unit.number, unit.family.clone()))
        .collect();
    let key = |row: &PooledRow| match out {
        Out::Shape => row.shape().to_string(),
        Out::Family => family_of.get(&row.unit).cloned().unwrap_or_default(),
    };
    let mut members: BTreeMap<String, Vec<&PooledRow>> = BTreeMap::new();
    for row in rows.iter().filter(|row| score(row).is_some()) {
        members.entry(key(row)).or_default().push(row);
    }
    let folds: Vec<(&String, &Vec<&PooledRow>)> = members.iter().collect();
    let parts: Vec<Option<Vec<Held>>> = folds
        .par_iter()
        .map(|(held, tested)| {
            let train: Vec<&PooledRow> = rows.iter().copied().filter(|row| key(row) != **held).collect();
            told(&train, tested, &score)
        })
        .collect();
    let mut all = Predicted::default();
    for (actual, process, by_size, shape) in parts
        .into_iter()
        .collect::<Option<Vec<_>>>()?
        .into_iter()
        .flatten()
    {
        all.actual.push(actual);
        all.process.push(process);
        all.by_size.push(by_size);
        all.shapes.push(shape);
    }
    Some(all)
}

/// The mean of a row's scores; `None` where one is missing.
pub(super) fn average(row: &PooledRow) -> Option<f64> {
    let scores: Option<Vec<f64>> = row.scores.iter().copied().collect();
    scores
        .filter(|scores| !scores.is_empty())
        .map(|scores| mean(&scores))
}

/// Findings on one board's mean score.
pub(super) fn findings(board: &PooledBoard, study: &Pooled<'_>) -> Vec<Finding> {
    let rows: Vec<&PooledRow> = board.rows.iter().collect();
    let mut found = Vec::new();
    for out in [Out::Shape, Out::Family] {
        let Some(told) = predicted(&rows, average, out) else {
            continue;
        };
        found.extend(both(board, study, out.name(), &told));
    }
    found
}

/// Findings on the process and the look-up under a protocol.
pub(super) fn both(
    board: &PooledBoard,
    study: &Pooled<'_>,
    protocol: &str,
    told: &Predicted,
) -> Vec<Finding> {
    let groups = Groups::from_labels(&told.shapes);
    [
        (
            "pooled",
            &told.process,
            "gaussian process, mean of six settings chosen on training shapes",
        ),
        (
            "pooled.look_up",
            &told.by_size,
            "mean of the five units nearest in size",
        ),
    ]
    .into_iter()
    .flat_map(|(stem, predictions, method)| {
        measured(
            board,
            study,
            protocol,
            (stem, method),
            (told, predictions, &groups),
        )
    })
    .collect()
}

fn measured(
    board: &PooledBoard,
    study: &Pooled<'_>,
    protocol: &str,
    (stem, method): (&str, &str),
    (told, predictions, groups): (&Predicted, &[f64], &Groups),
) -> Vec<Finding> {
    let some: Vec<Option<f64>> = predictions.iter().copied().map(Some).collect();
    let Ok(by_shape) = by_group(&told.actual, &some, groups, RESAMPLES, 0.95, study.seed) else {
        return Vec::new();
    };
    let end = format!("{}.{}", board.name, protocol);
    let features: Vec<String> = [
        "size",
        "active",
        "heads_per_kv",
        "date",
        "tokens",
        "tokens_unknown",
    ]
    .map(String::from)
    .to_vec();
    let new = |id: String, question: String| {
        Finding::new(id, question, &source_of(board))
            .with_protocol(protocol, &features)
            .with_seed(study.seed)
    };
    let n = told.actual.len();
    let by_rows = r2(&told.actual, predictions).ok().flatten().unwrap_or(f64::NAN);
    let misses: Vec<f64> = told.actual.iter().zip(predictions).map(|(a, p)| a - p).collect();
    let members =
        |shape: u32| -> Vec<usize> { (0..n).filter(|&row| groups.ids()[row] as u32 == shape).collect() };
    let labels: Vec<u32> = (0..groups.n_groups() as u32).collect();
    let of_shapes: Vec<f64> = labels
        .iter()
        .map(|&shape| {
            mean(
                &members(shape)
                    .iter()
                    .map(|&row| misses[row])
                    .collect::<Vec<f64>>(),
            )
            .abs()
        })
        .collect();
    let bootstrap = GroupBootstrap {
        resamples: RESAMPLES,
        seed: study.seed,
    };
    let interval: Option<Interval> = group_bootstrap(&labels, bootstrap, 0.95, |rows| {
        mean(&rows.iter().map(|&row| of_shapes[row]).collect::<Vec<f64>>())
    });
    vec![
        new(
            format!("{stem}.r2.rows.{end}"),
            format!("Which R² by rows on the mean of {}, {}?", board.name, protocol),
        )
        .with_value(by_rows, "fraction", n, method)
        .with_note(by_shape.in_words()),
        new(
            format!("{stem}.r2.shapes.{end}"),
            format!(
                "Which R² with each shape counted once on the mean of {}, {}?",
                board.name, protocol
            ),
        )
        .with_value(by_shape.r2.unwrap_or(f64::NAN), "fraction", n, method)
        .with_interval(by_shape.interval.clone()),
        new(
            format!("{stem}.mae.shapes.{end}"),
            format!("How far off is a shape's mean on {}, {}?", board.name, protocol),
        )
        .with_value(mean(&of_shapes), "points", of_shapes.len(), method)
        .with_interval(interval),
    ]
}
