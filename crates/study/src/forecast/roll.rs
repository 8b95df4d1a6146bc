//! Rolling origin: what each day's fit says of all that came later, and what the past's errors make of it.

use std::collections::{BTreeMap, BTreeSet};

use super::rules::{Rules, structural};
use super::{Outcome, Question, Row};
use crate::error::Error;
use crate::past::{Errors, WINDOW};

/// Fewer shapes are not fitted.
const FEWEST_SHAPES: usize = 12;
/// Ends of the scale.
const BOUNDS: (f64, f64) = (0.0, 100.0);
/// What a forecast can be made by.
const METHODS: [&str; 4] = ["structural", "size", "shape", "checkpoints"];

/// What one day's fit says.
pub(super) struct Cut {
    day: f64,
    shapes: BTreeSet<u32>,
    families: BTreeSet<String>,
    /// By place among the board's rows, those of that day or later: what each method says.
    own: BTreeMap<usize, [f64; 4]>,
    /// The same by place among the rows tested.
    tested: BTreeMap<usize, [f64; 4]>,
}

impl Cut {
    /// Fits what was known before `day`; none where that was too little.
    pub(super) fn at(day: f64, question: &Question, tested: &[Row]) -> Result<Option<Self>, Error> {
        let known: Vec<&Row> = question.rows.iter().filter(|row| row.day < day).collect();
        let rules = Rules::of(&known);
        if rules.n_shapes() < FEWEST_SHAPES {
            return Ok(None);
        }
        let after = |rows: &[Row]| -> Vec<usize> {
            (0..rows.len()).filter(|&place| rows[place].day >= day).collect()
        };
        let (own, others) = (after(&question.rows), after(tested));
        let asked: Vec<&Row> = own
            .iter()
            .map(|&place| &question.rows[place])
            .chain(others.iter().map(|&place| &tested[place]))
            .collect();
        let said = structural(&question.names, &known, &asked)?;
        let (first, second) = said.split_at(own.len());
        let all = |row: &Row, value: f64| {
            [
                value,
                rules.by_size(row),
                rules.by_shape(row),
                rules.by_checkpoints(row),
            ]
        };
        Ok(Some(Self {
            day,
            shapes: known.iter().map(|row| row.shape).collect(),
            families: known.iter().map(|row| row.family.clone()).collect(),
            own: own
                .iter()
                .zip(first)
                .map(|(&place, &value)| (place, all(&question.rows[place], value)))
                .collect(),
            tested: others
                .iter()
                .zip(second)
                .map(|(&place, &value)| (place, all(&tested[place], value)))
                .collect(),
        }))
    }
}

/// The errors of one method at quarters before `frozen`, by what was known of the shape.
fn errors(cuts: &[Cut], rows: &[Row], (method, frozen): (usize, f64), shape_known: Option<bool>) -> Errors {
    let mut all: Vec<(u32, f64)> = Vec::new();
    for cut in cuts.iter().filter(|cut| cut.day < frozen) {
        let until = (cut.day + WINDOW).min(frozen);
        for (&place, said) in &cut.own {
            let row = &rows[place];
            let is_known = cut.shapes.contains(&row.shape);
            if row.day < until && shape_known.is_none_or(|wanted| wanted == is_known) {
                all.push((row.shape, row.score - said[method]));
            }
        }
    }
    Errors::of(&all)
}

/// One method's errors before `frozen` on rows whose shape was known or not; on all rows where those are too few.
fn past(cuts: &[Cut], question: &Question, at: (usize, f64), shape_known: bool) -> Errors {
    let own = errors(cuts, &question.rows, at, Some(shape_known));
    if own.are_enough() {
        own
    } else {
        errors(cuts, &question.rows, at, None)
    }
}

/// Mean absolute errors of the past at one day: of each method, by whether the shape was known; none where the past is too
/// short.
pub(super) struct Record {
    pub(super) day: f64,
    pub(super) missed: [Option<[f64; METHODS.len()]>; 2],
}

/// A question's records, one for each quarter from `first` on.
pub(super) fn records(cuts: &[Cut], question: &Question, first: f64) -> Vec<Record> {
    let days = cuts.iter().map(|cut| cut.day).filter(|day| *day >= first);
    days.map(|day| Record {
        day,
        missed: [false, true].map(|shape_known| {
            let each: [Errors; METHODS.len()] =
                std::array::from_fn(|method| past(cuts, question, (method, day), shape_known));
            each.iter()
                .all(Errors::are_enough)
                .then(|| each.map(|errors| errors.spread()))
        }),
    })
    .collect()
}

/// The method that erred least over several benchmarks: by the mean logarithm of its errors, so that each counts the same
/// whatever its scale.
pub(super) fn least(all: &[[f64; METHODS.len()]]) -> Option<usize> {
    let total = |method: &usize| all.iter().map(|missed| missed[*method].ln()).sum::<f64>();
    (0..METHODS.len())
        .filter(|_| !all.is_empty())
        .min_by(|a, b| total(a).total_cmp(&total(b)))
}

/// Every forecast from the quarters of `first` on, by the method that `chosen` names for a day and whether the shape is known.
pub(super) fn outcomes(
    cuts: &[Cut],
    question: &Question,
    tested: &[Row],
    first: f64,
    chosen: impl Fn(f64, bool) -> Option<usize>,
) -> Vec<Outcome> {
    let mut all = Vec::new();
    for cut in cuts.iter().filter(|cut| cut.day >= first) {
        // By whether the shape is known: the method, and its drift and ends.
        let calibrated = [false, true].map(|shape_known| {
            let method = chosen(cut.day, shape_known)?;
            let errors = past(cuts, question, (method, cut.day), shape_known);
            errors.are_enough().then(|| (method, errors.calibrated()))
        });
        for (&place, &said) in &cut.tested {
            let row = &tested[place];
            let shape_known = cut.shapes.contains(&row.shape);
            let Some((method, (drift, low, high))) = calibrated[usize::from(shape_known)] else {
                continue;
            };
            let cut_to = |value: f64| value.clamp(BOUNDS.0, BOUNDS.1);
            all.push(Outcome {
                id: row.id.clone(),
                shape: row.shape,
                frozen: cut.day,
                horizon: row.day - cut.day,
                shape_known,
                family_known: cut.families.contains(&row.family),
                score: row.score,
                value: cut_to(said[method] + drift),
                ends: (cut_to(said[method] + low), cut_to(said[method] + high)),
                by_size: said[1],
                by_shape: said[2],
                method: METHODS[method],
            });
        }
    }
    all
}
