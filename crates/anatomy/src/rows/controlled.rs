//! Controlled runs (structure changed on purpose), and copies with inactive added layers, as rows for the study.

use std::collections::BTreeMap;

use catalog::Catalog;
use study::controlled::{ControlledRun, Placebo};

use super::V2;

/// All scores of all controlled runs.
pub(crate) fn runs(catalog: &Catalog) -> Vec<ControlledRun> {
    let count = |value: Option<i64>| value.map(|value| value as f64);
    catalog
        .interventions
        .iter()
        .filter_map(|row| {
            Some(ControlledRun {
                suite: row.suite.clone(),
                pair_or_run: row.pair_or_run.clone(),
                id: row.id.clone(),
                source: row.source.clone(),
                dimension: row.dimension.clone(),
                held_fixed: row.held_fixed.clone(),
                n_body: count(row.n_body),
                n_embedding: count(row.n_embedding),
                flops_token: row.flops_token,
                parts: [
                    row.layers,
                    row.d_model,
                    row.d_ffn,
                    row.heads,
                    row.kv_heads,
                    row.experts,
                ]
                .map(count),
                step: count(row.step),
                benchmark: row.benchmark.clone(),
                ability: row.ability.clone(),
                score: row.score?,
                stderr: row.stderr,
            })
        })
        .collect()
}

/// Endings of names whose added layers do nothing, and where these layers were added.
const IDLE: [&str; 2] = ["layers-appended", "layers-interleaved"];

/// Whether the name marks inactive layers.
pub(crate) fn has_idle_layers(id: &str) -> bool {
    let name = id.to_ascii_lowercase();
    IDLE.iter().any(|mark| name.ends_with(mark))
}

/// Compares copies with inactive layers on leaderboard v2 with the original, whose name is a prefix of theirs.
pub(crate) fn placebo(catalog: &Catalog) -> Vec<Placebo> {
    let plain = |id: &str| id.rsplit('/').next().unwrap_or(id).to_ascii_lowercase();
    let mut by_id: BTreeMap<&str, BTreeMap<&str, f64>> = BTreeMap::new();
    let mut names: BTreeMap<String, &str> = BTreeMap::new();
    for score in catalog.scores.iter().filter(|score| score.leaderboard == V2) {
        by_id
            .entry(&score.id)
            .or_default()
            .entry(&score.benchmark)
            .or_insert(score.value);
        names.entry(plain(&score.id)).or_insert(&score.id);
    }
    let mut rows = Vec::new();
    for (id, scores) in by_id.iter().filter(|(id, _)| has_idle_layers(id)) {
        let name = plain(id);
        // The longest other name that is a prefix of this one.
        let original = (1..name.len())
            .rev()
            .filter(|end| name.is_char_boundary(*end))
            .find_map(|end| names.get(&name[..end]));
        let Some(original) = original else { continue };
        for (benchmark, score) in scores {
            if let Some(before) = by_id[original].get(benchmark) {
                rows.push(Placebo {
                    id: (*id).to_owned(),
                    original: (*original).to_owned(),
                    leaderboard: V2.to_owned(),
                    benchmark: (*benchmark).to_owned(),
                    difference: score - before,
                });
            }
        }
    }
    rows
}
