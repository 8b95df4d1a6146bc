//! Compares checkpoints side by side and tests whether their score differences exceed sampling noise.

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
    /// Structure columns; those whose values differ are marked.
    pub(crate) structure: Vec<ComparedColumn>,
    /// Benchmarks on which at least one of the checkpoints was measured.
    pub(crate) scores: Vec<ComparedScore>,
    /// Each checkpoint against the first, benchmark by benchmark.
    pub(crate) pairs: Vec<Pair>,
    /// Each comparison with the first checkpoint, summarised in one sentence.
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
    /// Ancestors (base checkpoints), as far as the catalog knows them.
    pub(crate) lineage: Vec<String>,
    pub(crate) flagged: bool,
}

/// One column.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ComparedColumn {
    pub(crate) column: String,
    pub(crate) unit: String,
    /// Values formatted for display, one per checkpoint in their order.
    pub(crate) values: Vec<Option<String>>,
    pub(crate) differs: bool,
}

/// One benchmark of one leaderboard.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ComparedScore {
    pub(crate) benchmark: String,
    pub(crate) leaderboard: String,
    pub(crate) unit: String,
    /// One per checkpoint, in their order, with the settings of the run. Of several runs, the one most comparable with
    /// the other checkpoints' runs; `None` where not measured.
    pub(crate) values: Vec<Option<Measured>>,
}

/// The difference between two checkpoints on one benchmark.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Pair {
    pub(crate) first: String,
    pub(crate) second: String,
    pub(crate) benchmark: String,
    /// Leaderboard of the first checkpoint's run.
    pub(crate) leaderboard: String,
    pub(crate) unit: String,
    /// How the two scores were measured: the first checkpoint's run, then the second's.
    pub(crate) runs: [Run; 2],
    /// Whether both runs used the same settings, so that a difference is due to the checkpoints.
    pub(crate) comparable: bool,
    /// Settings in which the runs differ, each as `setting: first against second`.
    pub(crate) why_not: Vec<String>,
    /// Second score minus first, points; `None` where the runs are not comparable.
    pub(crate) difference: Option<f64>,
    /// 95 % confidence interval of the difference; `None` where runs are not comparable or no standard error is known.
    pub(crate) interval: Option<Interval>,
    /// Two-sided p value.
    pub(crate) p: Option<f64>,
    /// The p value adjusted for the number of benchmarks compared (Holm 1979).
    pub(crate) p_adjusted: Option<f64>,
    /// Whether `p_adjusted` is below 0.05; `None` where there is no p value.
    pub(crate) more_than_noise: Option<bool>,
    /// Number of items.
    pub(crate) n: Option<usize>,
    /// Pooled standard deviation between checkpoints of one shape on this benchmark: the effect of fine-tuning alone.
    pub(crate) within_shape_deviation: Option<f64>,
    pub(crate) sentence: String,
}

/// Compares checkpoints, each with the first.
///
/// # Errors
/// An unknown id (with similar ids as suggestions); fewer than two checkpoints.
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

/// Extracts from a checkpoint the value shown in one column.
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
    // A dated snapshot of a board repeats scores of the board itself.
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
