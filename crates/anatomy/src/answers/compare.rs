//! Checkpoints side by side: what differs, and whether it is more than noise.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use catalog::cost::{Device, Precision};
use serde::Serialize;
use study::finding::Interval;
use study::noise::{difference, holm};

use super::Predictor;
use super::cost::Costs;
use super::known::{Known, StructureOf};
use super::measured::{self, Measured, Run};
use super::predictor::board_place;
use super::subject::structure_of;

/// The answer of `compare`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct CompareAnswer {
    pub(crate) checkpoints: Vec<Compared>,
    /// Structure columns, the differing ones marked.
    pub(crate) structure: Vec<ComparedColumn>,
    /// Benchmarks that one at least was measured on.
    pub(crate) scores: Vec<ComparedScore>,
    /// Each checkpoint against the first, benchmark by benchmark.
    pub(crate) pairs: Vec<Pair>,
    /// Each checkpoint against the first in one sentence.
    pub(crate) verdicts: Vec<String>,
    pub(crate) notes: Vec<String>,
    pub(crate) catalog_sha256: String,
}

/// One checkpoint.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Compared {
    pub(crate) id: String,
    pub(crate) structure: StructureOf,
    #[serde(flatten)]
    pub(crate) costs: Costs,
    pub(crate) license: Option<String>,
    /// What it was made from, as far as the catalog knows.
    pub(crate) lineage: Vec<String>,
    pub(crate) flagged: bool,
}

/// One column.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ComparedColumn {
    pub(crate) column: String,
    pub(crate) unit: String,
    /// As people read them, in the checkpoints' order.
    pub(crate) values: Vec<Option<String>>,
    pub(crate) differs: bool,
}

/// One benchmark of one leaderboard.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ComparedScore {
    pub(crate) benchmark: String,
    pub(crate) leaderboard: String,
    pub(crate) unit: String,
    /// In the checkpoints' order, each with how its run was made; of several runs the one most like the others'.
    pub(crate) values: Vec<Option<Measured>>,
}

/// A difference of two checkpoints on one benchmark.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Pair {
    pub(crate) first: String,
    pub(crate) second: String,
    pub(crate) benchmark: String,
    /// The first's.
    pub(crate) leaderboard: String,
    pub(crate) unit: String,
    /// How the two scores came about, the first's first.
    pub(crate) runs: [Run; 2],
    /// The runs are alike: a difference is one of the checkpoints.
    pub(crate) comparable: bool,
    /// What tells the runs apart, each as `what: the first's against the second's`.
    pub(crate) why_not: Vec<String>,
    /// Second less first; `None` where the runs are not comparable.
    pub(crate) difference: Option<f64>,
    /// 95 %, from the number of items.
    pub(crate) interval: Option<Interval>,
    /// Two-sided.
    pub(crate) p: Option<f64>,
    /// The same, for as many benchmarks as are compared (Holm 1979).
    pub(crate) p_adjusted: Option<f64>,
    /// `p_adjusted` is below 0.05; `None` where the items are not known.
    pub(crate) more_than_noise: Option<bool>,
    /// Items.
    pub(crate) n: Option<usize>,
    /// Standard deviation between checkpoints of one shape on this benchmark: what fine-tuning alone does.
    pub(crate) within_shape_deviation: Option<f64>,
    pub(crate) sentence: String,
}

/// Sets checkpoints side by side, each against the first.
///
/// # Errors
/// An unknown id (with near ones); fewer than two checkpoints.
pub(crate) fn compare(
    predictor: &Predictor,
    ids: &[String],
    contexts: &[i64],
    devices: &[Device],
) -> Result<CompareAnswer> {
    let known = Known::of(&predictor.catalog);
    let mut found: Vec<&str> = Vec::new();
    for id in ids {
        let id = known.id(id)?;
        if !found.contains(&id) {
            found.push(id);
        }
    }
    if found.len() < 2 {
        bail!("compare takes two checkpoints or more, not {}", found.len());
    }
    let checkpoints: Vec<Compared> = found
        .iter()
        .map(|id| compared(&known, id, contexts, devices))
        .collect();
    let scores = scores(&known, &found);
    let mut pairs = Vec::new();
    let mut verdicts = Vec::new();
    for (place, second) in found.iter().enumerate().skip(1) {
        let of_two = against_first(predictor, &known, &scores, found[0], place, second);
        verdicts.push(verdict(found[0], second, &of_two));
        pairs.extend(of_two);
    }
    let mut notes = vec![
        "items are sampled, weights are not: an interval says what other items would give, not another training run"
            .to_owned(),
    ];
    if predictor.catalog.items.is_empty() {
        notes.push(
            "the catalog holds no per-item answers: the two scores of a pair are taken as independent, which makes \
             intervals wider than paired items would"
                .into(),
        );
    }
    Ok(CompareAnswer {
        structure: columns(&checkpoints),
        checkpoints,
        scores,
        pairs,
        verdicts,
        notes,
        catalog_sha256: predictor.catalog.manifest.catalog_sha256.clone(),
    })
}

fn compared(known: &Known<'_>, id: &str, contexts: &[i64], devices: &[Device]) -> Compared {
    let checkpoint = known.checkpoints.get(id).copied();
    let structure = known.structures.get(id).copied();
    let mut shown = structure.map_or_else(
        || StructureOf {
            resolved_by: "none".into(),
            ..StructureOf::default()
        },
        |structure| structure_of(structure, checkpoint),
    );
    let mut costs = Costs::default();
    if let Some(structure) = structure {
        let costed = known.costed(structure, checkpoint);
        shown.size = costed.size;
        if let Some(cost) = &costed.arithmetic {
            costs = Costs::of(cost, &Precision::ALL, contexts, devices);
        }
        costs.cost_notes.extend(costed.note);
    }
    Compared {
        id: id.to_owned(),
        structure: shown,
        costs,
        license: checkpoint.and_then(|row| row.license.clone()),
        lineage: known.lineage(id),
        flagged: checkpoint.and_then(|row| row.flagged) == Some(true),
    }
}

/// What a column shows of a checkpoint.
type Pick = Box<dyn Fn(&Compared) -> Option<String>>;

fn columns(checkpoints: &[Compared]) -> Vec<ComparedColumn> {
    let all: Vec<(&str, &str, Pick)> = vec![
        ("family", "", Box::new(|c| c.structure.family.clone())),
        ("layers", "layers", Box::new(|c| count(c.structure.layers))),
        ("d_model", "width", Box::new(|c| count(c.structure.d_model))),
        ("d_ffn", "width", Box::new(|c| count(c.structure.d_ffn))),
        ("heads", "heads", Box::new(|c| count(c.structure.heads))),
        ("kv_heads", "heads", Box::new(|c| count(c.structure.kv_heads))),
        (
            "vocab_size",
            "tokens",
            Box::new(|c| count(c.structure.vocab_size)),
        ),
        ("pos", "tokens", Box::new(|c| count(c.structure.pos))),
        (
            "parameters_total",
            "parameters",
            Box::new(|c| count(c.costs.parameters_total)),
        ),
        (
            "parameters_active",
            "parameters",
            Box::new(|c| count(c.costs.parameters_active)),
        ),
        (
            "kv_cache_bytes_per_token",
            "bytes",
            Box::new(|c| {
                c.costs
                    .kv_cache_bytes_per_token
                    .map(|bytes| format!("{bytes:.0}"))
            }),
        ),
        ("date", "", Box::new(|c| c.structure.date.clone())),
        ("training", "", Box::new(|c| c.structure.training.clone())),
        ("merged", "", Box::new(|c| yes(c.structure.merged))),
        ("license", "", Box::new(|c| c.license.clone())),
        (
            "resolved_by",
            "",
            Box::new(|c| Some(c.structure.resolved_by.clone())),
        ),
    ];
    all.into_iter()
        .map(|(column, unit, pick)| {
            let values: Vec<Option<String>> = checkpoints.iter().map(pick).collect();
            ComparedColumn {
                column: column.into(),
                unit: unit.into(),
                differs: values.windows(2).any(|pair| pair[0] != pair[1]),
                values,
            }
        })
        .collect()
}

fn count(value: Option<i64>) -> Option<String> {
    value.map(|value| value.to_string())
}

fn yes(value: Option<bool>) -> Option<String> {
    value.map(|value| if value { "yes" } else { "no" }.to_owned())
}

/// Every benchmark of every leaderboard that one of the checkpoints was measured on.
fn scores(known: &Known<'_>, found: &[&str]) -> Vec<ComparedScore> {
    let asked: BTreeSet<(usize, &str, &str)> = found
        .iter()
        .flat_map(|id| known.scores.get(id).into_iter().flatten())
        .filter(|score| score.unit == "points")
        .map(|score| {
            let board = score.leaderboard.as_str();
            (board_place(board), board, score.benchmark.as_str())
        })
        .collect();
    asked
        .into_iter()
        .map(|(_, leaderboard, benchmark)| {
            let runs = found
                .iter()
                .map(|id| measured::on_board(known, id, benchmark, leaderboard))
                .collect();
            ComparedScore {
                benchmark: benchmark.to_owned(),
                leaderboard: leaderboard.to_owned(),
                unit: "points".into(),
                values: most_alike(runs),
            }
        })
        .collect()
}

/// Of each checkpoint's runs one: of the first's the one that most of the others have a run like, of the others' one like
/// that, where there is one.
fn most_alike(mut runs: Vec<Vec<Measured>>) -> Vec<Option<Measured>> {
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

fn against_first(
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
    // What the two were measured on by different leaderboards only: said, and not compared.
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

/// Points by which the difference over common items may be from that of the scores: what rounding leaves.
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
    // Items are of these runs only where they give the same difference.
    let paired = measured::items_apart(known, &a.benchmark, first, second)
        .filter(|(mean, ..)| (mean - gap).abs() <= SAME_RUN);
    let error = match (paired, a.error(), b.error()) {
        (Some((_, error, n)), ..) => Some((error, n, format!("paired by {n} items"))),
        (None, Some((one, n)), Some((two, _))) => {
            Some((one.hypot(two), n, format!("sampling of {n} items, not paired")))
        }
        _ => None,
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
        n: found.as_ref().map(|(_, n)| *n),
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
        None => "the items are not known",
    };
    let beside = pair.within_shape_deviation.map_or(String::new(), |deviation| {
        format!("; checkpoints of one shape differ by a deviation of {deviation:.1}")
    });
    format!("{}: {difference:+.1} points, {verdict}{beside}", pair.benchmark)
}

fn verdict(first: &str, second: &str, pairs: &[Pair]) -> String {
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
    let beside = if apart.is_empty() {
        apart
    } else {
        format!("; {apart}")
    };
    format!(
        "{second} against {first}, {n} {}: higher on {}; lower on {}; the rest within noise{beside}",
        if n == 1 { "benchmark" } else { "benchmarks" },
        told(|difference| difference > 0.0),
        told(|difference| difference < 0.0)
    )
}

/// Pooled standard deviation between the rows of one shape on that leaderboard; `None` where no shape has two.
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
