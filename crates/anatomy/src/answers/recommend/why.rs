//! Why a checkpoint is in or out, condition by condition, and what the next steps of memory would buy.

use catalog::cost::of_checkpoint;
use serde::Serialize;

use super::Budget;
use super::ability::{Abilities, Evidence, Ranked, is_tie};
use super::candidates::{REASONS, fits, reason};
use super::copies::Copies;
use super::running::{fitting, least};
use crate::answers::Predictor;
use crate::answers::known::Known;

/// One condition, what the checkpoint has, and what was asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Condition {
    #[serde(rename = "condition")]
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) limit: String,
    /// `None` where it cannot be told.
    pub(crate) holds: Option<bool>,
}

/// Why a checkpoint is in or out.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct WhyAnswer {
    pub(crate) id: String,
    /// It is among what is ranked.
    pub(crate) is_in: bool,
    pub(crate) rank: Option<usize>,
    pub(crate) group: Option<usize>,
    /// In a sentence.
    pub(crate) words: String,
    pub(crate) conditions: Vec<Condition>,
    /// What boards measured of what is asked for.
    pub(crate) boards: Vec<Evidence>,
}

/// What one amount of memory buys.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct UpgradeStep {
    pub(crate) memory_bytes: f64,
    /// The first that fits then.
    pub(crate) id: String,
    pub(crate) quant: String,
    pub(crate) total_bytes: f64,
    /// Points that it is expected to have on the main board.
    pub(crate) ability: f64,
    /// More than the first that fits now.
    pub(crate) gain: f64,
    /// 95 % of the gain lie above 0.
    pub(crate) is_told_apart: bool,
    /// Measured ones that fit then and do not now.
    pub(crate) n_more: usize,
}

pub(super) fn why(
    predictor: &Predictor,
    known: &Known<'_>,
    (scale, ranking): (&Abilities<'_>, &[Ranked]),
    budget: &Budget,
    id: &str,
) -> WhyAnswer {
    let reason = reason(predictor, known, budget, id);
    let row = ranking.iter().find(|row| row.id == id);
    let boards = scale.evidence(id).to_vec();
    let words = match (row, reason) {
        (Some(row), _) => format!("In: rank {} of {}, {}.", row.rank, ranking.len(), row.why),
        (None, Some(reason)) => {
            let words = REASONS
                .iter()
                .find(|(name, _)| *name == reason)
                .map_or(reason, |(_, words)| words);
            format!("Out: {words}.")
        }
        (None, None) => format!(
            "Out: it fits, but no board that asks for {} measured it.",
            budget.what()
        ),
    };
    WhyAnswer {
        id: id.to_owned(),
        is_in: row.is_some(),
        rank: row.map(|row| row.rank),
        group: row.map(|row| row.group),
        words,
        conditions: conditions(known, budget, id, &boards),
        boards,
    }
}

fn conditions(known: &Known<'_>, budget: &Budget, id: &str, boards: &[Evidence]) -> Vec<Condition> {
    let checkpoint = known.checkpoints.get(id).copied();
    let structure = known.structures.get(id).copied();
    let mut all = Vec::new();
    let mut add = |condition: &str, value: String, limit: String, holds: Option<bool>| {
        all.push(Condition {
            name: condition.to_owned(),
            value,
            limit,
            holds,
        });
    };
    let no = |flag: Option<bool>| if flag == Some(true) { "yes" } else { "no" }.to_owned();
    for (name, flag) in [
        ("flagged", checkpoint.and_then(|row| row.flagged)),
        ("an adapter alone", checkpoint.and_then(|row| row.adapter)),
        ("a repacked copy", checkpoint.and_then(|row| row.quantized)),
    ] {
        add(name, no(flag), "no".into(), Some(flag != Some(true)));
    }
    let license = checkpoint.and_then(|row| row.license.as_deref());
    if !budget.licenses.is_empty() {
        let stated = license.unwrap_or("none stated").to_owned();
        add(
            "licence",
            stated,
            budget.licenses.join(" or "),
            Some(budget.allows_license(license)),
        );
    }
    if let Some(family) = &budget.family {
        let class = checkpoint
            .and_then(|row| row.architecture.clone())
            .unwrap_or_else(|| "not known".into());
        add(
            "family",
            class,
            family.clone(),
            Some(budget.allows_family(id, checkpoint)),
        );
    }
    let day = structure.and_then(|row| row.date);
    if let Some(since) = budget.since {
        let told = day.map_or_else(|| "not known".to_owned(), catalog::day_text);
        add(
            "published",
            told,
            format!("{} or later", catalog::day_text(since)),
            Some(day.is_some_and(|day| day >= since)),
        );
    }
    let cost = structure
        .and_then(|row| of_checkpoint(row, checkpoint).ok())
        .map(|(cost, _)| cost);
    let way = structure.map_or("none", |row| row.resolved_by.as_str());
    add(
        "structure known",
        way.to_owned(),
        "exact, lineage, name or size".into(),
        Some(way != "none" && cost.is_some()),
    );
    if let (Some(cost), Some(structure)) = (&cost, structure) {
        let judged = known.judged(structure, checkpoint, Some(cost.parameters_total));
        let sizes = judged
            .disagreement
            .clone()
            .unwrap_or_else(|| format!("{:.2} B", cost.parameters_total as f64 / 1e9));
        add(
            "sizes agree",
            sizes,
            "within 1.6 times".into(),
            Some(judged.disagreement.is_none()),
        );
        let running = fitting(cost, budget);
        let room = format!("{:.1} GB", budget.memory_bytes / 1e9);
        let least = least(cost, budget);
        let takes = least.map_or_else(
            || format!("{} loads none of the types asked for", budget.engine.as_str()),
            |(quant, bytes)| format!("{:.1} GB at least, as {}", bytes / 1e9, quant.name()),
        );
        add("memory", takes, room, Some(running.is_some()));
        if let Some(least) = budget.min_speed {
            let decodes = running.as_ref().and_then(super::Running::decodes);
            let told = decodes.map_or_else(|| "not known".to_owned(), |speed| format!("{speed:.1} tokens/s"));
            add(
                "speed",
                told,
                format!("{least} tokens/s"),
                Some(decodes.is_some_and(|speed| speed >= least)),
            );
        }
    }
    let measured = match boards {
        [] => "none".to_owned(),
        all => all
            .iter()
            .map(|one| one.board.clone())
            .collect::<Vec<_>>()
            .join(", "),
    };
    add(
        "measured by a board",
        measured,
        budget.what(),
        Some(!boards.is_empty()),
    );
    all
}

/// Amounts of memory that machines come with, GB.
const STEPS: [f64; 18] = [
    4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 40.0, 48.0, 64.0, 80.0, 96.0, 128.0, 141.0, 160.0, 192.0, 320.0,
    640.0,
];
/// Steps shown.
const SHOWN: usize = 3;

pub(super) fn upgrade(
    predictor: &Predictor,
    known: &Known<'_>,
    scale: &Abilities<'_>,
    copies: &Copies<'_>,
    now: &[Ranked],
    budget: &Budget,
) -> Vec<UpgradeStep> {
    let larger = STEPS
        .iter()
        .map(|gigabytes| gigabytes * 1e9)
        .filter(|bytes| *bytes > budget.memory_bytes * 1.05);
    larger
        .take(SHOWN)
        .filter_map(|memory_bytes| {
            let mut then = budget.clone();
            then.memory_bytes = memory_bytes;
            if let Some(rig) = &mut then.rig {
                rig.device.memory_bytes = Some(memory_bytes / rig.cards as f64);
            }
            let found = fits(predictor, known, &then);
            let ranking = scale.ranked(&found, copies, &[], &budget.what());
            let first = ranking.first()?;
            let current = now.first();
            Some(UpgradeStep {
                memory_bytes,
                id: first.id.clone(),
                quant: first.running.quant.name().to_owned(),
                total_bytes: first.running.memory.total_bytes,
                ability: first.ability.value,
                gain: current.map_or(first.ability.value, |row| first.ability.value - row.ability.value),
                is_told_apart: current.is_none_or(|row| !is_tie(row.posterior, first.posterior)),
                n_more: ranking.len().saturating_sub(now.len()),
            })
        })
        .collect()
}
