//! Compares two checkpoints on one benchmark: selects their most comparable runs, checks whether these used the same
//! settings, and tests whether the difference exceeds sampling noise.

use std::collections::{BTreeMap, BTreeSet};

use study::noise::difference;
use study::statistics::holm;

use super::{ComparedScore, Pair};
use crate::answers::Predictor;
use crate::answers::known::Known;
use crate::answers::measured::{self, Measured};

/// Selects one run per checkpoint: for the first, the run with which most other checkpoints have a comparable run; for
/// each other, its run comparable with that one, or its first run where there is none.
pub(super) fn most_alike(mut runs: Vec<Vec<Measured>>) -> Vec<Option<Measured>> {
    let like =
        |one: &Measured, runs: &[Measured]| runs.iter().position(|run| one.run.unlike(&run.run).is_empty());
    let Some((first, others)) = runs.split_first() else {
        return Vec::new();
    };
    let alike = |one: &Measured| others.iter().filter(|runs| like(one, runs).is_some()).count();
    let mut place = 0;
    for (at, run) in first.iter().enumerate() {
        if alike(run) > alike(&first[place]) {
            place = at;
        }
    }
    let first = first.get(place).cloned();
    let places: Vec<usize> = others
        .iter()
        .map(|runs| first.as_ref().and_then(|first| like(first, runs)).unwrap_or(0))
        .collect();
    let others = runs.drain(1..).zip(places);
    let others: Vec<Option<Measured>> = others.map(|(runs, place)| runs.into_iter().nth(place)).collect();
    std::iter::once(first).chain(others).collect()
}

/// Compares the first checkpoint with the one at index `place`, on every benchmark that both were measured on.
pub(super) fn against_first(
    predictor: &Predictor,
    known: &Known<'_>,
    scores: &[ComparedScore],
    first: &str,
    place: usize,
    second: &str,
) -> Vec<Pair> {
    let of_both = scores
        .iter()
        .filter_map(|score| Some((score.values[0].as_ref()?, score.values[place].as_ref()?)));
    let mut both: Vec<(&Measured, &Measured)> = of_both.collect();
    // Benchmarks on which different leaderboards measured the two are listed, but not compared.
    let mut apart: BTreeSet<&str> = scores.iter().map(|score| score.benchmark.as_str()).collect();
    for (measured, _) in &both {
        apart.remove(measured.benchmark.as_str());
    }
    let of = |benchmark: &str, place: usize| {
        scores
            .iter()
            .filter(|score| score.benchmark == benchmark)
            .find_map(|score| score.values[place].as_ref())
    };
    both.extend(
        apart
            .into_iter()
            .filter_map(|benchmark| Some((of(benchmark, 0)?, of(benchmark, place)?))),
    );
    // A raw score is dropped where the same score rescaled to 0 at chance is present: one measurement, one verdict.
    let names: BTreeSet<String> = both.iter().map(|(a, _)| a.benchmark.clone()).collect();
    both.retain(|(a, _)| {
        let stretched = a.benchmark.strip_suffix("_raw");
        stretched.is_none_or(|stretched| !names.contains(stretched))
    });
    let mut pairs: Vec<Pair> = both
        .into_iter()
        .map(|(a, b)| pair(predictor, known, (first, a), (second, b)))
        .collect();
    let known_p: Vec<f64> = pairs.iter().filter_map(|pair| pair.p).collect();
    let mut adjusted = holm(&known_p).into_iter();
    for pair in &mut pairs {
        if pair.p.is_some() {
            pair.p_adjusted = adjusted.next();
            pair.more_than_noise = pair.p_adjusted.map(|p| p < 0.05);
        }
        pair.sentence = sentence(pair);
    }
    pairs
}

/// Largest deviation, in points, of the mean difference over common items from that of the scores: allows for rounding.
const SAME_RUN: f64 = 0.1;

fn pair(
    predictor: &Predictor,
    known: &Known<'_>,
    (first, a): (&str, &Measured),
    (second, b): (&str, &Measured),
) -> Pair {
    let why_not = a.run.unlike(&b.run);
    let comparable = why_not.is_empty();
    let gap = b.value - a.value;
    // Item scores belong to these runs only if they give the same difference.
    let paired = measured::items_apart(known, &a.benchmark, first, second)
        .filter(|(mean, ..)| (mean - gap).abs() <= SAME_RUN);
    let error = match (paired, a.error(), b.error()) {
        (Some((_, error, n)), ..) => Some((error, n, format!("paired by {n} items"))),
        (None, Some((one, n)), Some((two, _))) => {
            Some((one.hypot(two), n, format!("sampling of {n} items, not paired")))
        }
        // Where the items are not known, the board's published errors are used.
        _ => a.standard_error().zip(b.standard_error()).map(|(one, two)| {
            (
                one.hypot(two),
                a.n.zip(b.n).map_or(0, |(one, two)| one.min(two)),
                "intervals as the board published them, not paired".to_owned(),
            )
        }),
    };
    let found = error
        .filter(|_| comparable)
        .map(|(error, n, method)| (difference(gap, error, 0.95, method), n));
    Pair {
        first: first.to_owned(),
        second: second.to_owned(),
        benchmark: a.benchmark.clone(),
        leaderboard: a.run.leaderboard.clone(),
        unit: a.unit.clone(),
        runs: [a.run.clone(), b.run.clone()],
        comparable,
        why_not,
        difference: comparable.then_some(gap),
        p: found.as_ref().map(|(found, _)| found.p),
        n: found.as_ref().map(|(_, n)| *n).filter(|n| *n > 0),
        interval: found.map(|(found, _)| found.interval),
        p_adjusted: None,
        more_than_noise: None,
        within_shape_deviation: within_shape_deviation(predictor, &a.benchmark, &a.run.leaderboard),
        sentence: String::new(),
    }
}

fn sentence(pair: &Pair) -> String {
    let Some(difference) = pair.difference else {
        return format!("{}: not comparable ({})", pair.benchmark, pair.why_not.join("; "));
    };
    let verdict = match pair.more_than_noise {
        Some(true) => "more than the items' noise",
        Some(false) => "within the items' noise",
        None => "not tested, the number of items is not known",
    };
    let beside = pair.within_shape_deviation.map_or(String::new(), |deviation| {
        format!("; checkpoints of one shape differ by a deviation of {deviation:.1}")
    });
    format!("{}: {difference:+.1} points, {verdict}{beside}", pair.benchmark)
}

/// Summarises one checkpoint's comparison with the first in one sentence.
pub(super) fn verdict(first: &str, second: &str, pairs: &[Pair]) -> String {
    if pairs.is_empty() {
        return format!("{second} and {first} share no benchmark");
    }
    let (alike, unlike): (Vec<&Pair>, Vec<&Pair>) = pairs.iter().partition(|pair| pair.comparable);
    let apart = {
        let reasons: BTreeSet<&str> = unlike
            .iter()
            .flat_map(|pair| &pair.why_not)
            .map(|reason| reason.split(": ").next().unwrap_or(reason))
            .collect();
        let reasons: Vec<&str> = reasons.into_iter().collect();
        match unlike.len() {
            0 => String::new(),
            n => format!(
                "{n} {} not comparable, the runs differ in {}",
                if n == 1 { "benchmark is" } else { "benchmarks are" },
                reasons.join(", ")
            ),
        }
    };
    if alike.is_empty() {
        return format!("{second} against {first}: nothing to compare; {apart}");
    }
    let told = |is: fn(f64) -> bool| {
        let found: Vec<&str> = alike
            .iter()
            .filter(|pair| pair.more_than_noise == Some(true) && pair.difference.is_some_and(is))
            .map(|pair| pair.benchmark.as_str())
            .collect();
        if found.is_empty() {
            "none".to_owned()
        } else {
            found.join(", ")
        }
    };
    let n = alike.len();
    let untested = alike.iter().filter(|pair| pair.more_than_noise.is_none()).count();
    let untested = match untested {
        0 => String::new(),
        untested => format!("; {untested} not tested, the number of their items is not known"),
    };
    let beside = if apart.is_empty() {
        apart
    } else {
        format!("; {apart}")
    };
    let rest = alike
        .iter()
        .filter(|pair| pair.more_than_noise == Some(false))
        .count();
    let rest = match (rest, rest == n) {
        (0, _) => String::new(),
        (_, true) => "; all within noise".to_owned(),
        _ => "; the rest within noise".to_owned(),
    };
    format!(
        "{second} against {first}, {n} {}: higher on {}; lower on {}{rest}{untested}{beside}",
        if n == 1 { "benchmark" } else { "benchmarks" },
        told(|difference| difference > 0.0),
        told(|difference| difference < 0.0)
    )
}

/// Pooled standard deviation between rows of the same shape on that leaderboard; `None` where no shape has two rows.
fn within_shape_deviation(predictor: &Predictor, benchmark: &str, leaderboard: &str) -> Option<f64> {
    let found = predictor.benchmark(benchmark);
    let rows = &found.filter(|found| found.leaderboard == leaderboard)?.rows;
    let mut of: BTreeMap<&[u64; 4], Vec<f64>> = BTreeMap::new();
    for (shape, value) in rows.shapes.iter().zip(&rows.target) {
        of.entry(shape).or_default().push(*value);
    }
    let (mut squares, mut freedom) = (0.0, 0.0);
    for values in of.values().filter(|values| values.len() > 1) {
        let mean = study::statistics::mean(values);
        squares += values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        freedom += values.len() as f64 - 1.0;
    }
    (freedom > 0.0).then(|| (squares / freedom).sqrt())
}
