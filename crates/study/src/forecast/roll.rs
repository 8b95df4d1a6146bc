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

/// Index of `checkpoints` in [`METHODS`].
const CHECKPOINTS: usize = 3;

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

/// Every forecast from the quarters of `first` on.
pub(super) fn outcomes(cuts: &[Cut], question: &Question, tested: &[Row], first: f64) -> Vec<Outcome> {
    let mut all = Vec::new();
    for cut in cuts.iter().filter(|cut| cut.day >= first) {
        // By whether the shape is known: the method, and its drift and ends.
        let calibrated = [false, true].map(|shape_known| {
            let of = |method| {
                let own = errors(cuts, &question.rows, (method, cut.day), Some(shape_known));
                if own.are_enough() {
                    own
                } else {
                    errors(cuts, &question.rows, (method, cut.day), None)
                }
            };
            let each = [of(0), of(1), of(2), of(3)];
            let spread = |method: &usize| each[*method].spread();
            let method = (0..METHODS.len())
                .min_by(|a, b| spread(a).total_cmp(&spread(b)))
                .unwrap_or_default();
            let (look_up_drift, _, _) = each[CHECKPOINTS].calibrated();
            each[method]
                .are_enough()
                .then(|| (method, each[method].calibrated(), look_up_drift))
        });
        for (&place, &said) in &cut.tested {
            let row = &tested[place];
            let shape_known = cut.shapes.contains(&row.shape);
            let Some((method, (drift, low, high), look_up_drift)) = calibrated[usize::from(shape_known)]
            else {
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
                by_look_up: cut_to(said[CHECKPOINTS] + look_up_drift),
                method: METHODS[method],
            });
        }
    }
    all
}
