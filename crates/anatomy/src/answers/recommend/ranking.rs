//! Order, ties and the front of what fits.

use std::collections::BTreeMap;

use super::scored::error;
use super::{Budget, Choice, ParetoPoint};
use crate::answers::known::Known;
use crate::answers::measured::items_apart;
use crate::answers::score::floor;

/// Marks the choices that none of the others beats in score at no more memory, and lists them by rising memory.
pub(super) fn front(choices: &mut [Choice]) -> Vec<ParetoPoint> {
    let mut order: Vec<usize> = (0..choices.len()).collect();
    order.sort_by(|&a, &b| {
        let (a, b) = (&choices[a], &choices[b]);
        a.running
            .memory
            .total_bytes
            .total_cmp(&b.running.memory.total_bytes)
            .then(b.score.total_cmp(&a.score))
            .then(a.id.cmp(&b.id))
    });
    let mut best = f64::NEG_INFINITY;
    let mut points = Vec::new();
    for place in order {
        let choice = &mut choices[place];
        if choice.score > best {
            best = choice.score;
            choice.on_pareto_front = true;
            points.push(ParetoPoint {
                id: choice.id.clone(),
                memory_bytes: choice.running.memory.total_bytes,
                score: choice.score,
            });
        }
    }
    points
}

/// Of choices predicted the same at the same cost the one that comes first, and how many others there are.
pub(super) fn one_of_each(choices: Vec<Choice>) -> Vec<Choice> {
    let mut kept: BTreeMap<(u64, u64), Choice> = BTreeMap::new();
    for choice in choices {
        let key = (
            choice.score.to_bits(),
            choice.running.memory.total_bytes.to_bits(),
        );
        match kept.get_mut(&key) {
            Some(first) => first.n_alike += 1,
            None => {
                kept.insert(key, choice);
            }
        }
    }
    kept.into_values().collect()
}

/// The best `limit` with their ranks, groups of ties and reasons.
pub(super) fn ranked(known: &Known<'_>, mut choices: Vec<Choice>, budget: &Budget) -> Vec<Choice> {
    choices.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
    choices.truncate(budget.limit);
    let mut first = 0;
    let mut group = 0;
    for place in 0..choices.len() {
        let apart = if place == 0 {
            None
        } else {
            apart(known, &choices[first], &choices[place])
        };
        let ties = apart.is_some_and(|(low, high)| low <= 0.0 && high >= 0.0);
        if !ties {
            first = place;
            group += 1;
        }
        choices[place].rank = place + 1;
        choices[place].group = group;
        choices[place].why = why(&choices[place], &choices[first], apart.filter(|_| ties), budget);
    }
    choices
}

/// The 95 % interval of the difference of two means over the same benchmarks, second less first: item by item where the
/// catalog has items of both, else by their numbers.
fn apart(known: &Known<'_>, first: &Choice, second: &Choice) -> Option<(f64, f64)> {
    let mut variance = 0.0;
    for (a, b) in first.scores.iter().zip(&second.scores) {
        let both_measured = !a.is_predicted && !b.is_predicted;
        let paired = both_measured
            .then(|| items_apart(known, &a.benchmark, &first.id, &second.id))
            .flatten();
        variance += match paired {
            Some((_, error, _)) => error * error,
            None => error(a)?.powi(2) + error(b)?.powi(2),
        };
    }
    let error = variance.sqrt() / first.scores.len() as f64;
    let found = study::noise::difference(second.score - first.score, error, 0.95, String::new());
    Some((found.interval.low, found.interval.high))
}

/// Benchmarks on which a prediction is no better than guessing, or its interval holds what guessing gets.
pub(crate) fn floors(choice: &Choice) -> Option<String> {
    let said: Vec<String> = choice
        .scores
        .iter()
        .filter(|score| score.is_predicted)
        .filter_map(|score| {
            let words = floor(&score.benchmark, score.value, score.interval.as_ref())?;
            Some(format!("{}: {words}", score.benchmark))
        })
        .collect();
    (!said.is_empty()).then(|| said.join(", "))
}

fn why(choice: &Choice, first: &Choice, tie: Option<(f64, f64)>, budget: &Budget) -> String {
    let gigabytes = |bytes: f64| bytes / 1e9;
    let mut parts = Vec::new();
    parts.push(match tie {
        Some((low, high)) => format!(
            "ties with {} (95 % of the difference {low:+.1} to {high:+.1})",
            first.id
        ),
        None if choice.rank == 1 && choice.is_predicted => "highest prediction that fits".to_owned(),
        None if choice.rank == 1 => "highest measured mean that fits".to_owned(),
        None => "clearly below the group above".to_owned(),
    });
    if choice.is_predicted {
        let names: Vec<&str> = choice
            .scores
            .iter()
            .filter(|score| score.is_predicted)
            .map(|score| score.benchmark.as_str())
            .collect();
        parts.push(format!("predicted: {}", names.join(", ")));
        parts.extend(floors(choice));
    }
    if choice.on_pareto_front {
        parts.push("best for its memory (Pareto)".into());
    }
    if choice.n_alike > 0 {
        let n = choice.n_alike;
        let verb = if n == 1 { "other is" } else { "others are" };
        parts.push(format!("{n} {verb} predicted the same"));
    }
    parts.push(format!(
        "takes {:.1} of {:.1} GB at {} with {} tokens",
        gigabytes(choice.running.memory.total_bytes),
        gigabytes(budget.memory_bytes),
        choice.running.quant.name(),
        budget.context
    ));
    parts.join("; ")
}
