//! Compare checkpoints side by side, and tell differences from noise.

mod pairs;

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use catalog::cost::{Device, Precision};
use serde::Serialize;
use study::finding::Interval;

use super::Predictor;
use super::cost::{Costs, Setup};
use super::known::Known;
use super::measured::{self, Measured, Run};
use super::predictor::{board_place, is_superseded};
use super::structure::{StructureOf, structure_of};
use pairs::{against_first, most_alike, verdict};

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
        bail!(
            "compare takes two different checkpoints or more; {} named here",
            match found.first() {
                Some(only) => format!("only `{only}` is"),
                None => "none is".to_owned(),
            }
        );
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
    let is_unpaired = |pair: &Pair| {
        let method = pair.interval.as_ref().map(|ends| ends.method.as_str());
        method.is_some_and(|method| !method.starts_with("paired"))
    };
    if pairs.iter().any(is_unpaired) {
        notes.push(
            "the two scores of a pair are taken as independent where answers to items are not in the catalog, which makes \
             intervals wider than paired items would; of runs of your own `anatomy compare A B --items DIR` pairs them"
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
            costs = Costs::of(cost, &Precision::ALL, contexts, devices, Setup::default());
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
    // An older state of a board says again what the board says.
    let boards: BTreeSet<&str> = asked.iter().map(|(_, board, _)| *board).collect();
    asked
        .iter()
        .filter(|(_, board, _)| !is_superseded(board, &boards))
        .map(|(_, leaderboard, benchmark)| {
            let runs = found
                .iter()
                .map(|id| measured::on_board(known, id, benchmark, leaderboard))
                .collect();
            ComparedScore {
                benchmark: (*benchmark).to_owned(),
                leaderboard: (*leaderboard).to_owned(),
                unit: "points".into(),
                values: most_alike(runs),
            }
        })
        .collect()
}
