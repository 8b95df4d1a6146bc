//! Checkpoints side by side: what differs, and whether it is more than noise.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use catalog::cost::{Device, Precision};
use serde::Serialize;
use study::finding::Interval;
use study::noise::{difference, holm, items_of};

use super::Predictor;
use super::cost::Costs;
use super::known::{Known, StructureOf};
use super::measured::{self, Measured};
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

/// One benchmark.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ComparedScore {
    pub(crate) benchmark: String,
    pub(crate) leaderboard: String,
    pub(crate) unit: String,
    /// In the checkpoints' order.
    pub(crate) values: Vec<Option<Measured>>,
}

/// A difference of two checkpoints on one benchmark.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Pair {
    pub(crate) first: String,
    pub(crate) second: String,
    pub(crate) benchmark: String,
    pub(crate) leaderboard: String,
    pub(crate) unit: String,
    /// Second less first.
    pub(crate) difference: f64,
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
    let scores: Vec<ComparedScore> = predictor
        .benchmarks
        .iter()
        .map(|benchmark| ComparedScore {
            benchmark: benchmark.name.clone(),
            leaderboard: benchmark.leaderboard.clone(),
            unit: benchmark.unit.clone(),
            values: found
                .iter()
                .map(|id| measured::best(&known, id, &benchmark.name))
                .collect(),
        })
        .filter(|score| score.values.iter().any(Option::is_some))
        .collect();
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
    let kinds = known.evaluations_of(id).filter_map(|row| row.kind.as_deref());
    shown.pretrained = kinds
        .map(|kind| kind.ends_with("pretrained"))
        .reduce(|a, b| a && b);
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
        ("pretrained", "", Box::new(|c| yes(c.structure.pretrained))),
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

fn against_first(
    predictor: &Predictor,
    known: &Known<'_>,
    scores: &[ComparedScore],
    first: &str,
    place: usize,
    second: &str,
) -> Vec<Pair> {
    let mut pairs: Vec<Pair> = scores
        .iter()
        .filter_map(|score| {
            let (a, b) = (score.values[0].as_ref()?, score.values[place].as_ref()?);
            let gap = b.value - a.value;
            let paired = measured::items_apart(known, &score.benchmark, first, second);
            let error = match (paired, items_of(&score.benchmark)) {
                (Some((_, error, n)), _) => Some((error, n, format!("paired by {n} items"))),
                (None, Some(items)) => Some((
                    items.error(a.value).hypot(items.error(b.value)),
                    items.n,
                    format!("sampling of {} items, not paired", items.n),
                )),
                (None, None) => None,
            };
            let found = error.map(|(error, n, method)| (difference(gap, error, 0.95, method), n));
            Some(Pair {
                first: first.to_owned(),
                second: second.to_owned(),
                benchmark: score.benchmark.clone(),
                leaderboard: score.leaderboard.clone(),
                unit: score.unit.clone(),
                difference: gap,
                p: found.as_ref().map(|(found, _)| found.p),
                n: found.as_ref().map(|(_, n)| *n),
                interval: found.map(|(found, _)| found.interval),
                p_adjusted: None,
                more_than_noise: None,
                within_shape_deviation: within_shape_deviation(predictor, &score.benchmark),
                sentence: String::new(),
            })
        })
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

fn sentence(pair: &Pair) -> String {
    let verdict = match pair.more_than_noise {
        Some(true) => "more than the items' noise",
        Some(false) => "within the items' noise",
        None => "the items are not known",
    };
    let beside = pair.within_shape_deviation.map_or(String::new(), |deviation| {
        format!("; checkpoints of one shape differ by a deviation of {deviation:.1}")
    });
    format!(
        "{}: {:+.1} points, {verdict}{beside}",
        pair.benchmark, pair.difference
    )
}

fn verdict(first: &str, second: &str, pairs: &[Pair]) -> String {
    let told: Vec<&Pair> = pairs
        .iter()
        .filter(|pair| pair.more_than_noise == Some(true))
        .collect();
    let names = |is: fn(&&&Pair) -> bool| {
        let found: Vec<&str> = told
            .iter()
            .filter(is)
            .map(|pair| pair.benchmark.as_str())
            .collect();
        if found.is_empty() {
            "none".to_owned()
        } else {
            found.join(", ")
        }
    };
    if pairs.is_empty() {
        return format!("{second} and {first} share no benchmark");
    }
    format!(
        "{second} against {first}, {} benchmarks: higher on {}; lower on {}; the rest within noise",
        pairs.len(),
        names(|pair| pair.difference > 0.0),
        names(|pair| pair.difference < 0.0)
    )
}

/// Pooled standard deviation between the rows of one shape; `None` where no shape has two.
fn within_shape_deviation(predictor: &Predictor, benchmark: &str) -> Option<f64> {
    let rows = &predictor.benchmark(benchmark)?.rows;
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
