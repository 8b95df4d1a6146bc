//! What results of probes say of the claims on weights: of those that come with the program, and of those handed over.

use anyhow::{Context, Result};
use mechanism::ablate::effects::Measure;
use mechanism::ablate::{Ablation, Dimension, How};
use mechanism::gradients::Gradients;
use mechanism::influence::Influence;
use serde::de::DeserializeOwned;
use serde_json::Value;
use study::finding::Interval;
use study::statistics::spearman;
use study::weights::Witness;

use super::Named;
use super::gradients::nuclear_norms;
use crate::probes::{Probe, Probes};

/// Results made by `benches/probe_results.py`, by name.
const SHIPPED: [(&str, &str); 10] = [
    (
        "gemma-3-270m-q4_k_m.ablate",
        include_str!("../../../probes/gemma-3-270m-q4_k_m.ablate.json"),
    ),
    (
        "gemma-3-270m-q4_k_m.gradients",
        include_str!("../../../probes/gemma-3-270m-q4_k_m.gradients.json"),
    ),
    (
        "gemma-3-270m-q4_k_m.influence",
        include_str!("../../../probes/gemma-3-270m-q4_k_m.influence.json"),
    ),
    (
        "qwen2.5-coder-0.5b-instruct.ablate",
        include_str!("../../../probes/qwen2.5-coder-0.5b-instruct.ablate.json"),
    ),
    (
        "qwen2.5-coder-0.5b-instruct.gradients",
        include_str!("../../../probes/qwen2.5-coder-0.5b-instruct.gradients.json"),
    ),
    (
        "qwen2.5-coder-0.5b-instruct.influence",
        include_str!("../../../probes/qwen2.5-coder-0.5b-instruct.influence.json"),
    ),
    (
        "smollm2-135m-instruct.q4_1.ablate",
        include_str!("../../../probes/smollm2-135m-instruct.q4_1.ablate.json"),
    ),
    (
        "smollm2-135m-instruct.q4_1.gradients",
        include_str!("../../../probes/smollm2-135m-instruct.q4_1.gradients.json"),
    ),
    (
        "smollm2-135m-instruct.q4_1.influence",
        include_str!("../../../probes/smollm2-135m-instruct.q4_1.influence.json"),
    ),
    (
        "smollm2-135m-instruct.q4_1.styles",
        include_str!("../../../probes/smollm2-135m-instruct.q4_1.styles.json"),
    ),
];

/// Rank correlation from which on influence counts as alike.
const ALIKE: f64 = 0.8;

/// What the results that come with the program say.
pub(crate) fn shipped() -> Result<Vec<Witness>> {
    let mut all = Vec::new();
    for (name, text) in SHIPPED {
        let content =
            serde_json::from_str(text).with_context(|| format!("the result {name} that comes along"))?;
        all.extend(of_probe(&Probe {
            name: name.to_owned(),
            content,
        }));
    }
    Ok(all)
}

/// What results in a folder say.
pub(crate) fn of(probes: &Probes) -> Vec<Witness> {
    probes.all.iter().flat_map(of_probe).collect()
}

/// A checkpoint that was probed.
#[derive(Clone)]
struct Model {
    name: String,
    sha256: String,
    seed: Option<u64>,
}

impl Model {
    /// From a result's `provenance`; named as its file where there is none.
    fn of(result: &Value, file: &str) -> Self {
        let provenance = &result["provenance"];
        let named = provenance["model"]["name"].as_str().unwrap_or(file);
        let last = named.trim_end_matches('/').rsplit('/').next().unwrap_or(named);
        Self {
            name: last.trim_end_matches(".gguf").to_owned(),
            sha256: provenance["model"]["sha256"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            seed: provenance["seed"].as_u64(),
        }
    }

    fn witness(
        &self,
        claim: &'static str,
        what: &'static str,
        value: f64,
        n: usize,
        method: &str,
    ) -> Witness {
        Witness {
            claim,
            what,
            checkpoint: self.name.clone(),
            sha256: self.sha256.clone(),
            value,
            above: 0.0,
            unit: "1",
            interval: None,
            n,
            method: method.to_owned(),
            seed: self.seed,
            note: String::new(),
        }
    }
}

/// The ablations that come with the program and those handed over, by checkpoint.
pub(crate) fn ablations(probes: Option<&Probes>) -> Result<Vec<Named<Ablation>>> {
    let mut all = Vec::new();
    let mut put = |name: &str, content: &Value| {
        if let Some(result) = Ablation::deserialize_from(content) {
            all.push(Named {
                name: Model::of(content, name).name,
                result,
            });
        }
    };
    for (name, text) in SHIPPED {
        put(
            name,
            &serde_json::from_str(text).with_context(|| format!("the result {name} that comes along"))?,
        );
    }
    for probe in probes.iter().flat_map(|probes| &probes.all) {
        put(&probe.name, &probe.content);
    }
    Ok(all)
}

fn of_probe(probe: &Probe) -> Vec<Witness> {
    let content = &probe.content;
    if content.get("effects").is_some() {
        let read = Ablation::deserialize_from(content);
        return read.map_or_else(Vec::new, |found| {
            of_ablation(&found, &Model::of(content, &probe.name))
        });
    }
    let parts: Vec<(&str, &Value)> = content
        .as_object()
        .map(|fields| {
            fields
                .iter()
                .map(|(name, value)| (name.as_str(), value))
                .collect()
        })
        .unwrap_or_default();
    let Some((_, first)) = parts.first() else {
        return Vec::new();
    };
    let model = Model::of(first, &probe.name);
    let mut all = of_influence(&side_by_side(&parts, "block_influence"), &model);
    all.extend(of_gradients(&side_by_side(&parts, "mean_loss"), &model));
    all
}

/// From JSON, or nothing where it is something else: what cannot be read is told by the sections of results.
trait DeserializeFrom: Sized {
    fn deserialize_from(value: &Value) -> Option<Self>;
}

impl<T: DeserializeOwned> DeserializeFrom for T {
    fn deserialize_from(value: &Value) -> Option<Self> {
        T::deserialize(value).ok()
    }
}

/// Results side by side in one file, by name, where each has the field `mark`.
fn side_by_side<T: DeserializeOwned>(parts: &[(&str, &Value)], mark: &str) -> Vec<(String, T)> {
    let marked = parts.iter().filter(|(_, value)| value.get(mark).is_some());
    marked
        .filter_map(|(name, value)| Some(((*name).to_owned(), T::deserialize_from(value)?)))
        .collect()
}

fn of_ablation(found: &Ablation, model: &Model) -> Vec<Witness> {
    let effects = &found.found.effects;
    let mut floor: Vec<&str> = effects
        .iter()
        .filter(|effect| effect.at_chance)
        .map(|effect| effect.task.as_str())
        .collect();
    floor.sort_unstable();
    floor.dedup();
    let note = if floor.is_empty() {
        String::new()
    } else {
        format!(
            "before anything is removed, {} cannot be told from guessing: its score has no room to fall",
            floor.join(", ")
        )
    };
    let mut all = Vec::new();
    for (claim, name, what) in [
        (
            "pruning.reasoning_falls",
            "layers.reasoning_minus_knowledge",
            "How many points per 10 % of parameters do layers cost reasoning more than knowledge",
        ),
        (
            "pruning.depth_against_width",
            "layers_minus_d_ffn.reasoning_minus_knowledge",
            "By how many points per 10 % of parameters is what layers cost more than feed-forward width larger on reasoning than on knowledge",
        ),
    ] {
        let wanted = found.found.contrasts.iter().find(|contrast| {
            contrast.name == name && contrast.how == How::Importance && contrast.measure == Measure::Score
        });
        let Some(contrast) = wanted else { continue };
        let interval = contrast.low.zip(contrast.high).map(|(low, high)| Interval {
            low: 100.0 * low,
            high: 100.0 * high,
            level: found.level,
            method: "Student's t over items in pairs, benchmarks equally weighted".into(),
        });
        all.push(Witness {
            unit: "points",
            interval,
            note: note.clone(),
            ..model.witness(
                claim,
                what,
                100.0 * contrast.value,
                contrast.n,
                "line through the origin over doses, by item",
            )
        });
    }
    let generated = effects.iter().filter(|effect| {
        effect.task == "gsm8k"
            && effect.part == Dimension::Layers
            && effect.how == How::Importance
            && effect.before > 0.0
    });
    if let Some(effect) = generated.max_by(|a, b| a.removed_share.total_cmp(&b.removed_share)) {
        let interval = effect
            .alone_low
            .zip(effect.alone_high)
            .map(|(low, high)| Interval {
                low: -100.0 * high,
                high: -100.0 * low,
                level: found.level,
                method: "items in pairs".into(),
            });
        all.push(Witness {
            unit: "points",
            interval,
            ..model.witness(
                "pruning.gsm8k_falls",
                "How many points of GSM8K do the least influential layers cost",
                -100.0 * effect.difference,
                effect.n,
                "mean of paired differences",
            )
        });
    }
    all
}

/// Rank agreement of influence by layer over benchmarks.
fn of_influence(found: &[(String, Influence)], model: &Model) -> Vec<Witness> {
    let mut each = Vec::new();
    for (i, (_, a)) in found.iter().enumerate() {
        for (_, b) in &found[i + 1..] {
            each.extend(
                Some(spearman(&a.block_influence, &b.block_influence).value).filter(|rho| rho.is_finite()),
            );
        }
    }
    if each.is_empty() {
        return Vec::new();
    }
    let least = each.iter().copied().fold(f64::INFINITY, f64::min);
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    vec![Witness {
        above: ALIKE,
        note: format!(
            "of {}; the least of {} pairs {least:.3}",
            names.join(", "),
            each.len()
        ),
        ..model.witness(
            "pruning.influence_is_alike",
            "How alike is Block Influence by layer over benchmarks",
            each.iter().sum::<f64>() / each.len() as f64,
            found
                .first()
                .map_or(0, |(_, influence)| influence.block_influence.len()),
            "mean rank correlation over pairs of benchmarks",
        )
    }]
}

/// Share of the deep third of layers in the sum of nuclear norms, of all matrices or those of the feed-forward part.
fn deep_share(found: &Gradients, feed_forward: bool) -> Option<f64> {
    let wanted = |name: &str| !feed_forward || !matches!(name, "q" | "k" | "v" | "o");
    let of_layer = |layer| -> f64 {
        let norms = nuclear_norms(layer).into_iter().filter(|(name, _)| wanted(name));
        norms.map(|(_, norm)| norm).sum()
    };
    let by_layer: Vec<f64> = found.layers.iter().map(of_layer).collect();
    let deep = by_layer.len() - by_layer.len() / 3;
    let all: f64 = by_layer.iter().sum();
    (by_layer.len() >= 3 && all > 0.0).then(|| by_layer[deep..].iter().sum::<f64>() / all)
}

fn of_gradients(found: &[(String, Gradients)], model: &Model) -> Vec<Witness> {
    let named = |part: &str| {
        found
            .iter()
            .find(|(name, _)| name.to_lowercase().contains(part))
            .map(|(_, found)| found)
    };
    let mut all = Vec::new();
    if let (Some(arc), Some(truthful)) = (named("arc"), named("truthful"))
        && let (Some(first), Some(second)) = (deep_share(arc, false), deep_share(truthful, false))
    {
        all.push(Witness {
            unit: "points",
            note: format!(
                "deep third of the layers: {:.1} % of the norms on ARC, {:.1} % on TruthfulQA; mean losses {:.2} and {:.2} nats",
                100.0 * first, 100.0 * second, arc.mean_loss, truthful.mean_loss
            ),
            ..model.witness(
                "gradients.deep_layers_arc",
                "By how many points is the share of deep layers in the nuclear norms of gradients higher on ARC than on TruthfulQA",
                100.0 * (first - second),
                arc.samples + truthful.samples,
                "difference of shares of the deep third of layers",
            )
        });
    }
    let exactly = |part: &str| {
        found
            .iter()
            .find(|(name, _)| name == part)
            .map(|(_, found)| found)
    };
    if let (Some(archaic), Some(plain), Some(mathematical)) =
        (exactly("archaic"), exactly("plain"), exactly("mathematical"))
        && let (Some(old), Some(new), Some(maths)) = (
            deep_share(archaic, true),
            deep_share(plain, true),
            deep_share(mathematical, true),
        )
    {
        all.push(Witness {
            unit: "points",
            note: format!(
                "share of the deep third in the norms of feed-forward matrices: archaic {:.1} %, plain {:.1} %, mathematical {:.1} %",
                100.0 * old, 100.0 * new, 100.0 * maths
            ),
            ..model.witness(
                "gradients.style",
                "By how many points is the share of deep layers in feed-forward gradients higher on archaic texts than on plain and \
                 mathematical ones",
                100.0 * (old - new.max(maths)),
                archaic.samples + plain.samples + mathematical.samples,
                "difference of shares of the deep third of layers",
            )
        });
    }
    all
}

#[cfg(test)]
#[path = "witnesses_tests.rs"]
mod tests;
