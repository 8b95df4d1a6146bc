//! Compares networks of one size: the value of doubling one part while the others shrink to make room.

use super::effects::{Asked, AtOneSize, Cell, Measure, by_part, nothing_is_left, slopes};
use super::estimate::{Estimate, each_level};
use super::plan::Dimension;

/// One entry for every part that was cut but not removed entirely, compared with the mean of the other parts that were
/// cut in the same way (same choice of units, benchmark and measure). None where no network leaves a right answer.
pub(super) fn at_one_size(cells: &[Cell<'_>], asked: &[Asked]) -> Vec<AtOneSize> {
    let parts = by_part(cells);
    let mut all = Vec::new();
    for (&(part, how, task, measure), own) in &parts {
        let others: Vec<_> = parts
            .iter()
            .filter(|((other, other_how, other_task, other_measure), _)| {
                *other != part && (*other_how, *other_task, *other_measure) == (how, task, measure)
            })
            .collect();
        if nothing_is_left(others.iter().flat_map(|(_, cells)| *cells).chain(own)) {
            continue;
        }
        let others: Vec<(Dimension, Vec<Vec<f64>>)> = others
            .into_iter()
            .map(|((other, ..), cells)| (*other, slopes(cells)))
            .collect();
        let doses: Vec<(&&Cell<'_>, f64)> = own
            .iter()
            .filter_map(|cell| Some((cell, cell.planned.doublings()?)))
            .collect();
        let draws = others.iter().map(|(_, draws)| draws.len());
        let own_draws = doses.iter().map(|(cell, _)| cell.draws.len());
        let Some(draws) = own_draws.chain(draws).min().filter(|_| !others.is_empty()) else {
            continue;
        };
        let square: f64 = doses.iter().map(|(_, doublings)| doublings * doublings).sum();
        if square == 0.0 {
            continue;
        }
        let n = own.first().map_or(0, |cell| cell.before.len());
        let of = |draw: usize, item: usize| -> f64 {
            let others_change =
                others.iter().map(|(_, slopes)| slopes[draw][item]).sum::<f64>() / others.len() as f64;
            let by_dose = doses.iter().map(|(cell, doublings)| {
                // The mean change that cutting the other parts causes when the same share of the parameters is removed.
                let theirs = 10.0 * cell.planned.removed_share * others_change;
                doublings * (theirs - (cell.draws[draw][item] - cell.before[item]))
            });
            by_dose.sum::<f64>() / square
        };
        let values: Vec<Vec<f64>> = (0..draws)
            .map(|draw| (0..n).map(|item| of(draw, item)).collect())
            .collect();
        all.push((
            Estimate::of(&values),
            AtOneSize {
                part,
                against: others.iter().map(|(other, _)| *other).collect(),
                how,
                task: asked[task].name.clone(),
                measure,
                n,
                doses: doses.len(),
                per_doubling: 0.0,
                error: None,
                low: None,
                high: None,
            },
        ));
    }
    let of_measure = |measure| all.iter().filter(|(_, one)| one.measure == measure).count();
    let levels =
        [Measure::Score, Measure::LogPGold].map(|measure| (measure, each_level(of_measure(measure))));
    all.into_iter()
        .map(|(estimate, one)| {
            let level = levels.iter().find(|(measure, _)| *measure == one.measure);
            // If no answer differs, the standard error is unknown, and there is no interval.
            let spread = (estimate.variance > 0.0).then(|| estimate.variance.sqrt());
            let ends = spread.and_then(|_| estimate.interval(level?.1));
            AtOneSize {
                per_doubling: estimate.value,
                error: spread,
                low: ends.map(|ends| ends.0),
                high: ends.map(|ends| ends.1),
                ..one
            }
        })
        .collect()
}
