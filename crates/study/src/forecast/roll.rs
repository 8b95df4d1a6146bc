//! Rolling origin: what each day's fit says of all that came later, and what the past's errors make of it.

use std::collections::{BTreeMap, BTreeSet};

use super::rules::{Rules, structural};
use super::{LEVEL, Outcome, Question, Row};
use crate::error::Error;

/// Fewer shapes are not fitted.
const FEWEST_SHAPES: usize = 12;
/// Fewer shapes of errors calibrate nothing.
const FEWEST_ERRORS: usize = 8;
/// Days after a quarter whose errors calibrate: 0.8 of a year.
const WINDOW: f64 = 292.0;
/// Ends of the scale.
const BOUNDS: (f64, f64) = (0.0, 100.0);
/// What a forecast can be made by.
const METHODS: [&str; 3] = ["structural", "size", "shape"];

/// What one day's fit says.
pub(super) struct Cut {
    day: f64,
    shapes: BTreeSet<u32>,
    families: BTreeSet<String>,
    /// By place among the board's rows, those of that day or later: what each method says.
    own: BTreeMap<usize, [f64; 3]>,
    /// The same by place among the rows tested.
    tested: BTreeMap<usize, [f64; 3]>,
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
        let all = |row: &Row, value: f64| [value, rules.by_size(row), rules.by_shape(row)];
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

/// Errors of the past with their weights, each shape counting the same.
struct Errors(Vec<(f64, f64)>, usize);

impl Errors {
    /// Of errors and their shapes.
    fn of(all: &[(u32, f64)]) -> Self {
        let mut counts: BTreeMap<u32, f64> = BTreeMap::new();
        for (shape, _) in all {
            *counts.entry(*shape).or_insert(0.0) += 1.0;
        }
        let mut errors: Vec<(f64, f64)> = all
            .iter()
            .map(|(shape, error)| (*error, 1.0 / counts[shape]))
            .collect();
        errors.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self(errors, counts.len())
    }

    fn quantile(&self, fraction: f64) -> f64 {
        let wanted = fraction * self.1 as f64;
        let mut reached = 0.0;
        let found = self.0.iter().find(|(_, weight)| {
            reached += weight;
            reached >= wanted - 1e-9
        });
        found.or(self.0.last()).map_or(f64::NAN, |(error, _)| *error)
    }

    /// Drift, and the ends around it: one more shape, infinitely far off on either side, widens them.
    fn calibrated(&self) -> (f64, f64, f64) {
        let n = self.1 as f64;
        let tail = (1.0 - LEVEL) / 2.0;
        let upper = ((1.0 - tail) * (n + 1.0) / n).min(1.0);
        (
            self.quantile(0.5),
            self.quantile(1.0 - upper),
            self.quantile(upper),
        )
    }

    /// Mean absolute error once the drift is known.
    fn spread(&self) -> f64 {
        let drift = self.quantile(0.5);
        self.0
            .iter()
            .map(|(error, weight)| (error - drift).abs() * weight)
            .sum::<f64>()
            / self.1 as f64
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
                if own.1 >= FEWEST_ERRORS {
                    own
                } else {
                    errors(cuts, &question.rows, (method, cut.day), None)
                }
            };
            let each = [of(0), of(1), of(2)];
            let spread = |method: &usize| each[*method].spread();
            let method = (0..METHODS.len())
                .min_by(|a, b| spread(a).total_cmp(&spread(b)))
                .unwrap_or_default();
            (each[method].1 >= FEWEST_ERRORS).then(|| (method, each[method].calibrated()))
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

#[cfg(test)]
mod tests {
    use super::Errors;

    #[test]
    fn each_shape_counts_the_same_and_ends_are_widened() {
        // Shape 1 has four rows off by 10, shapes 2 to 10 one each off by 1 to 9.
        let mut all = vec![(1, 10.0); 4];
        all.extend((2..=10).map(|shape| (shape, f64::from(shape) - 1.0)));
        let errors = Errors::of(&all);
        assert_eq!(errors.1, 10);
        assert_eq!(errors.quantile(0.5), 5.0);
        let (drift, low, high) = errors.calibrated();
        // 0.9 · 11 / 10 = 0.99: the last but a hundredth.
        assert_eq!((drift, low, high), (5.0, 1.0, 10.0));
    }
}
