//! Forward in time: units known at the start of each quarter predict shapes that appeared in the 292 days after it.
//!
//! Drift and interval of each quarter are calibrated on past forecasts: the errors of the same procedure at earlier
//! quarters, as far as they were known by then ([`crate::past`]), by method. Quarters that cannot be calibrated are
//! left out.

use rayon::prelude::*;

use super::prediction::{Held, Predicted, average, both, told};
use super::{Pooled, PooledBoard, PooledRow, source_of};
use crate::finding::Finding;
use crate::past::{Errors, LEVEL, WINDOW, quarters};
use crate::statistics::{GroupBootstrap, group_bootstrap, mean};

/// The first quarter whose errors are used for calibration, as year and month.
const PAST: (i64, i64) = (2022, 9);
/// Number of bootstrap resamples of intervals over shapes.
const RESAMPLES: usize = 1_000;

/// Predictions of later rows at one quarter, each with the row's date.
struct Cut {
    day: f64,
    held: Vec<(f64, Held)>,
}

fn cut(board: &PooledBoard, day: f64) -> Option<Cut> {
    let scored = || {
        board
            .rows
            .iter()
            .filter_map(|row| Some((row, row.date?)))
            .filter(|(row, _)| average(row).is_some())
    };
    let known: Vec<&PooledRow> = scored()
        .filter(|(_, date)| *date < day)
        .map(|(row, _)| row)
        .collect();
    let shapes: std::collections::BTreeSet<u64> = known.iter().map(|row| row.shape()).collect();
    let (later, dates): (Vec<&PooledRow>, Vec<f64>) = scored()
        .filter(|(row, date)| *date >= day && *date < day + WINDOW && !shapes.contains(&row.shape()))
        .unzip();
    if later.is_empty() || shapes.len() < super::LEAST_UNITS {
        return None;
    }
    let held = told(&known, &later, &average)?;
    Some(Cut {
        day,
        held: dates.into_iter().zip(held).collect(),
    })
}

/// A forecast: score of the row, drift-corrected predictions of process and look-up, and the interval of the process.
pub(super) struct Forecast {
    pub(super) frozen: f64,
    pub(super) row: Held,
    pub(super) ends: (f64, f64),
}

/// All forecasts that earlier quarters can calibrate.
pub(super) fn forecasts(board: &PooledBoard) -> Vec<Forecast> {
    let last = board
        .rows
        .iter()
        .filter_map(|row| row.date)
        .fold(f64::NEG_INFINITY, f64::max);
    let cuts: Vec<Cut> = quarters(PAST, last)
        .into_par_iter()
        .filter_map(|day| cut(board, day))
        .collect();
    let mut all = Vec::new();
    for now in &cuts {
        let missed = |said: fn(&Held) -> f64| -> Errors {
            let mut numbers: Vec<u64> = Vec::new();
            let mut errors: Vec<(u32, f64)> = Vec::new();
            for earlier in cuts.iter().filter(|earlier| earlier.day < now.day) {
                for (_, held) in earlier.held.iter().filter(|(date, _)| *date < now.day) {
                    let place = numbers.iter().position(|shape| *shape == held.3);
                    let place = place.unwrap_or_else(|| {
                        numbers.push(held.3);
                        numbers.len() - 1
                    });
                    errors.push((place as u32, held.0 - said(held)));
                }
            }
            Errors::of(&errors)
        };
        let (process, by_size) = (missed(|held| held.1), missed(|held| held.2));
        if !process.are_enough() {
            continue;
        }
        let ((drift, low, high), (of_size, ..)) = (process.calibrated(), by_size.calibrated());
        all.extend(now.held.iter().map(|(_, (actual, said, size, shape))| Forecast {
            frozen: now.day,
            row: (*actual, said + drift, size + of_size, *shape),
            ends: (said + low, said + high),
        }));
    }
    all
}

/// Findings on one board's mean score.
pub(super) fn findings(board: &PooledBoard, study: &Pooled<'_>) -> Vec<Finding> {
    let all = forecasts(board);
    if all.is_empty() {
        return Vec::new();
    }
    let mut table = Predicted::default();
    for own in &all {
        let (actual, process, by_size, shape) = own.row;
        table.actual.push(actual);
        table.process.push(process);
        table.by_size.push(by_size);
        table.shapes.push(shape);
    }
    let mut found = both(board, study, "forward", &table);
    // Each shape has the same weight.
    let mut shapes: Vec<u64> = table.shapes.clone();
    shapes.sort_unstable();
    shapes.dedup();
    let of_shapes: Vec<f64> = shapes
        .iter()
        .map(|shape| {
            let own = all.iter().filter(|own| own.row.3 == *shape);
            let inside = own.map(|own| f64::from(u8::from((own.ends.0..=own.ends.1).contains(&own.row.0))));
            mean(&inside.collect::<Vec<f64>>())
        })
        .collect();
    let labels: Vec<u32> = (0..shapes.len() as u32).collect();
    let bootstrap = GroupBootstrap {
        resamples: RESAMPLES,
        seed: study.seed,
    };
    let width = mean(
        &all.iter()
            .map(|own| own.ends.1 - own.ends.0)
            .collect::<Vec<f64>>(),
    );
    let mut days: Vec<f64> = all.iter().map(|own| own.frozen).collect();
    days.dedup();
    found.push(
        Finding::new(
            format!("pooled.coverage.{}.forward", board.name),
            format!(
                "Which share of later shapes' rows do {:.0} % intervals hold on the mean of {}?",
                100.0 * LEVEL,
                board.name
            ),
            &source_of(board),
        )
        .with_value(
            mean(&of_shapes),
            "fraction",
            of_shapes.len(),
            "intervals of the past's own futures",
        )
        .with_interval(group_bootstrap(&labels, bootstrap, 0.95, |drawn| {
            mean(&drawn.iter().map(|&place| of_shapes[place]).collect::<Vec<f64>>())
        }))
        .with_protocol("forward", &[])
        .with_seed(study.seed)
        .with_note(format!(
            "{} forecasts at {} quarters, mean width {width:.1} points; shapes count the same",
            all.len(),
            days.len()
        )),
    );
    found
}
