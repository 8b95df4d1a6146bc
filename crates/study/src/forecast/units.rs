//! Another board's later shapes at the last day that the fitted board allows: means of shapes against means of forecasts.
//!
//! The other errors are of checkpoints, and what differs between checkpoints of one shape is among them. Here a shape's mean
//! is set against the mean of its forecasts, once, at the last quarter that has any, for shapes and families that were not
//! known then.

use std::collections::BTreeMap;

use super::{Forecasts, LEVEL, Outcome};
use crate::finding::{Finding, SourceOf};
use crate::statistics::{GroupBootstrap, group_bootstrap, mean};

/// What is measured: its name, unit, question and how.
type Measured = (&'static str, &'static str, String, fn(&Unit) -> f64);

/// Fewer shapes say nothing.
const FEWEST: usize = 5;

/// A shape: how far its mean lies from the mean of the forecasts and of the two look-ups by size, and the share of its
/// checkpoints inside their intervals.
struct Unit {
    miss: f64,
    miss_of_size: f64,
    miss_of_look_up: f64,
    inside: f64,
}

fn last(forecasts: &Forecasts) -> Option<(f64, Vec<&Outcome>)> {
    // The board that is fitted says nothing new after its last row.
    let end = forecasts
        .question
        .rows
        .iter()
        .map(|row| row.day)
        .reduce(f64::max)?;
    let days = forecasts.outcomes.iter().map(|one| one.frozen);
    let day = days.filter(|day| *day <= end).reduce(f64::max)?;
    let is_new = |one: &&Outcome| one.frozen == day && !one.shape_known && !one.family_known;
    Some((day, forecasts.outcomes.iter().filter(is_new).collect()))
}

fn units(outcomes: &[&Outcome]) -> Vec<Unit> {
    let mut members: BTreeMap<u32, Vec<&Outcome>> = BTreeMap::new();
    for one in outcomes {
        members.entry(one.shape).or_default().push(one);
    }
    let of = |own: &[&Outcome], pick: &dyn Fn(&Outcome) -> f64| {
        mean(&own.iter().map(|one| pick(one)).collect::<Vec<f64>>())
    };
    members
        .values()
        .map(|own| {
            let score = of(own, &|one| one.score);
            Unit {
                miss: (score - of(own, &|one| one.value)).abs(),
                miss_of_size: (score - of(own, &|one| one.by_size)).abs(),
                miss_of_look_up: (score - of(own, &|one| one.by_look_up)).abs(),
                inside: of(own, &|one| {
                    f64::from(u8::from((one.ends.0..=one.ends.1).contains(&one.score)))
                }),
            }
        })
        .collect()
}

pub(super) fn findings(forecasts: &Forecasts, resamples: usize, seed: u64) -> Vec<Finding> {
    let question = &forecasts.question;
    let Some((day, outcomes)) = last(forecasts) else {
        return Vec::new();
    };
    let all = units(&outcomes);
    if all.len() < FEWEST {
        return Vec::new();
    }
    let source = SourceOf {
        work: question.board.clone(),
        place: format!(
            "rows known before {}, against what came after elsewhere",
            common::calendar::text(day as i64)
        ),
    };
    let labels: Vec<u32> = (0..all.len() as u32).collect();
    let rows = mean(
        &outcomes
            .iter()
            .map(|one| (one.score - one.value).abs())
            .collect::<Vec<f64>>(),
    );
    let measured: [Measured; 4] = [
        (
            "mae_units",
            "points",
            format!(
                "By how much is the mean of a new shape of a new family missed on {}?",
                question.title
            ),
            |unit| unit.miss,
        ),
        (
            "mae_units_size",
            "points",
            format!(
                "By how much does the mean of shapes of that size miss it on {}?",
                question.title
            ),
            |unit| unit.miss_of_size,
        ),
        (
            "mae_units_look_up",
            "points",
            format!(
                "By how much does the mean of checkpoints of that size, with the drift of the past, miss it on {}?",
                question.title
            ),
            |unit| unit.miss_of_look_up,
        ),
        (
            "coverage_units",
            "fraction",
            format!(
                "Which share of its checkpoints do {:.0} % intervals hold on {}, mean over shapes?",
                100.0 * LEVEL,
                question.title
            ),
            |unit| unit.inside,
        ),
    ];
    measured
        .into_iter()
        .map(|(id, unit, asked, pick)| {
            let each: Vec<f64> = all.iter().map(pick).collect();
            let interval = group_bootstrap(&labels, GroupBootstrap { resamples, seed }, 0.95, |drawn| {
                mean(&drawn.iter().map(|&place| each[place]).collect::<Vec<f64>>())
            });
            Finding::new(format!("forecast.{id}.{}", question.benchmark), asked, &source)
                .with_value(
                    mean(&each),
                    unit,
                    all.len(),
                    "mean over shapes of means over their checkpoints",
                )
                .with_interval(interval)
                .with_protocol(
                    "forward, last origin, shapes and families not known",
                    &question.names,
                )
                .with_seed(seed)
                .with_note(format!(
                    "{} checkpoints, which are missed by {rows:.1} points each",
                    outcomes.len()
                ))
        })
        .collect()
}

/// A sentence for each benchmark that has them.
pub(super) fn words(findings: &[Finding]) -> Vec<String> {
    let number = |id: String| findings.iter().find(|own| own.id == id).and_then(|own| own.value);
    findings
        .iter()
        .filter_map(|own| {
            let name = own.id.strip_prefix("forecast.mae_units.")?;
            let size = number(format!("forecast.mae_units_size.{name}"))?;
            let look_up = number(format!("forecast.mae_units_look_up.{name}"))?;
            let inside = number(format!("forecast.coverage_units.{name}"))?;
            Some(format!(
                "{name}, frozen once at the end of the board that is fitted: the means of {} new shapes of new families are \
                 missed by {:.1} points (the mean of shapes of their size: {size:.1}; that of checkpoints of their size with the \
                 drift of the past: {look_up:.1}), and 80 % intervals hold {:.0} % of their checkpoints.",
                own.n,
                own.value?,
                100.0 * inside
            ))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Outcome, units};

    #[test]
    fn what_differs_within_a_shape_is_no_miss_of_its_mean() {
        let one = |shape: u32, score: f64, value: f64| Outcome {
            id: "a/b".into(),
            shape,
            frozen: 0.0,
            horizon: 1.0,
            shape_known: false,
            family_known: false,
            score,
            value,
            ends: (value - 5.0, value + 5.0),
            by_size: value + 1.0,
            by_shape: value,
            by_look_up: value - 2.0,
            method: "size",
        };
        let all = [one(1, 40.0, 50.0), one(1, 60.0, 50.0), one(2, 33.0, 30.0)];
        let told = units(&all.iter().collect::<Vec<_>>());
        assert_eq!(told.len(), 2);
        assert!(told[0].miss.abs() < 1e-12 && (told[1].miss - 3.0).abs() < 1e-12);
        assert!((told[0].miss_of_size - 1.0).abs() < 1e-12);
        assert!((told[0].miss_of_look_up - 2.0).abs() < 1e-12);
        assert!((told[0].inside, told[1].inside) == (0.0, 1.0));
    }
}
