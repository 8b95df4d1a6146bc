//! Contrasts: how much more one part costs than another, and one ability than the other.

use super::effects::{Ability, Asked, Cell, Contrast, Measure, by_part, nothing_is_left, slopes};
use super::estimate::{Estimate, LEVEL, average, less};
use super::plan::{Dimension, How};

/// For each part, the loss in reasoning minus the loss in knowledge. Then the loss from removing layers minus the loss
/// from removing feed-forward width: for reasoning, for knowledge, and the former minus the latter. A benchmark of
/// which neither leaves a right answer does not tell the two apart.
pub(super) fn contrasts(cells: &[Cell<'_>], asked: &[Asked]) -> Vec<Contrast> {
    let parts = by_part(cells);
    let mut all = Vec::new();
    for how in How::ALL {
        for measure in [Measure::Score, Measure::LogPGold] {
            // A loss is the negative of a change.
            let loss = |part, task: usize| -> Option<Vec<Vec<f64>>> {
                let slopes = slopes(parts.get(&(part, how, task, measure))?);
                Some(
                    slopes
                        .iter()
                        .map(|draw| draw.iter().map(|change| -change).collect())
                        .collect(),
                )
            };
            let mut put = |name: &str, of: &dyn Fn(usize) -> Option<Vec<Vec<f64>>>, single: bool| {
                let by = |ability: Ability| {
                    let of_ability = |task: &usize| {
                        asked[*task]
                            .items
                            .first()
                            .is_some_and(|item| Ability::of(item.task) == ability)
                    };
                    let found = (0..asked.len())
                        .filter(of_ability)
                        .filter_map(|task| Some((task, Estimate::of(&of(task)?))));
                    let (tasks, estimates): (Vec<usize>, Vec<Estimate>) = found.unzip();
                    let names: Vec<String> = tasks.into_iter().map(|task| asked[task].name.clone()).collect();
                    average(&estimates).map(|estimate| (estimate, names))
                };
                let (reasoning, knowledge) = (by(Ability::Reasoning), by(Ability::Knowledge));
                let both =
                    reasoning
                        .as_ref()
                        .zip(knowledge.as_ref())
                        .and_then(|((a, first), (b, second))| {
                            // The variance of a difference is the sum of both: twice the mean of `a` and `-b`.
                            let half = average(&[
                                *a,
                                Estimate {
                                    value: -b.value,
                                    ..*b
                                },
                            ])?;
                            let apart = Estimate {
                                value: 2.0 * half.value,
                                variance: 4.0 * half.variance,
                                ..half
                            };
                            Some((apart, [first.clone(), second.clone()].concat()))
                        });
                let abilities = [("reasoning", reasoning), ("knowledge", knowledge)];
                let told = std::iter::once(("reasoning_minus_knowledge", both))
                    .chain(abilities.into_iter().filter(|_| !single));
                for (ability, found) in told {
                    let Some((found, tasks)) = found else { continue };
                    let ends = found.interval(LEVEL);
                    all.push(Contrast {
                        name: format!("{name}.{ability}"),
                        how,
                        measure,
                        value: found.value,
                        low: ends.map(|ends| ends.0),
                        high: ends.map(|ends| ends.1),
                        n: found.n,
                        tasks,
                    });
                }
            };
            for part in Dimension::ALL {
                put(part.name(), &|task| loss(part, task), true);
            }
            let apart = |task| {
                let of = |part| parts.get(&(part, how, task, measure)).into_iter().flatten();
                if nothing_is_left(of(Dimension::Layers).chain(of(Dimension::DFfn))) {
                    return None;
                }
                let (layers, width) = (loss(Dimension::Layers, task)?, loss(Dimension::DFfn, task)?);
                Some(
                    layers
                        .iter()
                        .zip(&width)
                        .map(|(layers, width)| less(layers, width))
                        .collect(),
                )
            };
            put("layers_minus_d_ffn", &apart, false);
        }
    }
    all
}
