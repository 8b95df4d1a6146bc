//! Extracts evidence for the claims on weights from probe results, both shipped and the user's own.

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
use super::probed::{DeserializeFrom, Model, deep_norm, deep_share, ffn_norms};
use super::shipped::SHIPPED;
use super::tuned::{of_steps, of_tuning};
use super::tuning::Tuning;
use crate::probes::{Probe, Probes};

/// Rank correlation above which influence counts as alike.
const ALIKE: f64 = 0.8;

/// Fraction of layers that the paper removes from Llama-2-7B: 21 to 29 of 32.
const PRUNED_SHARE: f64 = 9.0 / 32.0;

/// Evidence from the shipped results.
pub(crate) fn shipped() -> Result<Vec<Witness>> {
    let mut all = Vec::new();
    for (name, text) in SHIPPED {
        let content =
            serde_json::from_str(text).with_context(|| format!("the result {name} that comes along"))?;
        all.push(Probe {
            name: name.to_owned(),
            content,
        });
    }
    Ok(of_all(&all))
}

/// Evidence from the user's results.
pub(crate) fn of(probes: &Probes) -> Vec<Witness> {
    of_all(&probes.all)
}

/// Evidence from each result, and from pairs of results on one checkpoint.
fn of_all(probes: &[Probe]) -> Vec<Witness> {
    let mut all: Vec<Witness> = probes.iter().flat_map(of_probe).collect();
    all.extend(of_peaks(probes));
    all
}

/// Correlates the rise of gradients on archaic texts with low influence over layers, for checkpoints with results for
/// both.
fn of_peaks(probes: &[Probe]) -> Vec<Witness> {
    let influences: Vec<(Model, Vec<(String, Influence)>)> = probes
        .iter()
        .filter_map(|probe| {
            let parts = parts(&probe.content);
            let found = side_by_side(&parts, "block_influence");
            (!found.is_empty()).then(|| (Model::of(parts[0].1, &probe.name), found))
        })
        .collect();
    let mut all = Vec::new();
    for probe in probes {
        let parts = parts(&probe.content);
        let found: Vec<(String, Gradients)> = side_by_side(&parts, "mean_loss");
        let of = |style: &str| {
            let (_, found) = found.iter().find(|(name, _)| name == style)?;
            Some(ffn_norms(found))
        };
        let (Some(old), Some(new)) = (of("archaic"), of("plain")) else {
            continue;
        };
        let model = Model::of(parts[0].1, &probe.name);
        let Some((_, influence)) = influences.iter().find(|(other, _)| other.name == model.name) else {
            continue;
        };
        let n_layers = old.len();
        if new.len() != n_layers
            || influence
                .iter()
                .any(|(_, one)| one.block_influence.len() != n_layers)
        {
            continue;
        }
        let excess: Vec<f64> = old.iter().zip(&new).map(|(old, new)| old / new).collect();
        let mean_influence: Vec<f64> = (0..n_layers)
            .map(|layer| influence.iter().map(|(_, one)| one.block_influence[layer]).sum())
            .collect();
        let rho = spearman(&excess, &mean_influence).value;
        if rho.is_finite() {
            all.push(model.witness(
                "gradients.peaks_are_pruned",
                "How well does a layer's rise of feed-forward gradients from plain to archaic texts go with its being of little \
                 influence",
                -rho,
                n_layers,
                "rank correlation over layers, its sign turned",
            ));
        }
    }
    all
}

/// The top-level fields of a file, which may be several results by name.
fn parts(content: &Value) -> Vec<(&str, &Value)> {
    let fields = content.as_object().into_iter().flatten();
    fields.map(|(name, value)| (name.as_str(), value)).collect()
}

/// All ablations, shipped and the user's own, each named after its checkpoint.
pub(crate) fn ablations(probes: Option<&Probes>) -> Result<Vec<Named<Ablation>>> {
    results(probes)
}

/// All results of tuning, likewise.
pub(in crate::report) fn tunings(probes: Option<&Probes>) -> Result<Vec<Named<Tuning>>> {
    results(probes)
}

/// All results of one kind, shipped and the user's own, each named after its checkpoint.
fn results<T: DeserializeFrom>(probes: Option<&Probes>) -> Result<Vec<Named<T>>> {
    let mut all = Vec::new();
    let mut put = |name: &str, content: &Value| {
        if let Some(result) = T::deserialize_from(content) {
            let Model { name, sha256, .. } = Model::of(content, name);
            all.push(Named { name, sha256, result });
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
    if content.get("tests").is_some() {
        let read = Tuning::deserialize_from(content);
        return read.map_or_else(Vec::new, |found| {
            of_tuning(&found, &Model::of(content, &probe.name))
        });
    }
    let parts = parts(content);
    let Some((_, first)) = parts.first() else {
        return Vec::new();
    };
    let model = Model::of(first, &probe.name);
    let influence = side_by_side(&parts, "block_influence");
    // Results on text styles say nothing about benchmarks.
    let is_style = |name: &str| mechanism::corpora::corpus(name).is_some();
    let of_styles = influence.iter().any(|(name, _)| is_style(name));
    let mut all = if of_styles {
        Vec::new()
    } else {
        of_influence(&influence, &model)
    };
    all.extend(of_depth(&influence, &model));
    all.extend(of_gradients(&side_by_side(&parts, "mean_loss"), &model));
    all.extend(of_steps(&side_by_side(&parts, "tests"), &model));
    all
}

/// The results among named fields that have the field `mark` and can be read.
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
    // Of the fractions removed, the one closest to the paper's nine of 32 layers.
    let truthful = effects.iter().filter(|effect| {
        effect.task == "truthfulqa_mc2"
            && effect.part == Dimension::Layers
            && effect.how == How::Importance
            && effect.measure == Measure::Score
    });
    let off = |share: f64| (share - PRUNED_SHARE).abs();
    if let Some(effect) = truthful.min_by(|a, b| off(a.removed_share).total_cmp(&off(b.removed_share))) {
        let interval = effect
            .alone_low
            .zip(effect.alone_high)
            .map(|(low, high)| Interval {
                low: 100.0 * low,
                high: 100.0 * high,
                level: found.level,
                method: "items in pairs".into(),
            });
        all.push(Witness {
            unit: "points",
            interval,
            note: format!("{:.1} % of the parameters removed", 100.0 * effect.removed_share),
            ..model.witness(
                "pruning.truthfulqa_rises",
                "By how many points does TruthfulQA rise without the least influential layers",
                100.0 * effect.difference,
                effect.n,
                "mean of paired differences",
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

/// Mean depth of the least influential layers (0 the first layer, 1 the last), as many as the paper removes; influence
/// is averaged over the texts.
fn of_depth(found: &[(String, Influence)], model: &Model) -> Option<Witness> {
    let n_layers = found.first()?.1.block_influence.len();
    let n = (PRUNED_SHARE * n_layers as f64).round() as usize;
    if n == 0 || n_layers < 4 {
        return None;
    }
    let mean_influence: Vec<f64> = (0..n_layers)
        .map(|layer| {
            let of = found
                .iter()
                .map(|(_, influence)| influence.block_influence[layer]);
            of.sum::<f64>() / found.len() as f64
        })
        .collect();
    let mut order: Vec<usize> = (0..n_layers).collect();
    order.sort_by(|&a, &b| mean_influence[a].total_cmp(&mean_influence[b]));
    order.truncate(n);
    order.sort_unstable();
    let depth = order.iter().sum::<usize>() as f64 / (n * (n_layers - 1)) as f64;
    let names: Vec<String> = order.iter().map(ToString::to_string).collect();
    Some(Witness {
        above: 0.5,
        unit: "of the depth",
        note: format!("layers {} of {n_layers}", names.join(", ")),
        ..model.witness(
            "pruning.least_influential_lie_deep",
            "How deep do the least influential layers lie",
            depth,
            n,
            "mean place of the layers of lowest mean Block Influence over texts of benchmarks or styles",
        )
    })
}

/// Mean rank correlation of influence by layer between benchmarks.
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
    if let (Some(arc), Some(truthful)) = (named("arc"), named("truthful"))
        && let (Some(first), Some(second)) = (deep_norm(arc), deep_norm(truthful))
    {
        let by_loss = (first / arc.mean_loss) / (second / truthful.mean_loss);
        all.push(Witness {
            above: 1.0,
            note: format!(
                "each divided by its mean loss ({:.2} and {:.2} nats) {by_loss:.2}; {} and {} response tokens",
                arc.mean_loss, truthful.mean_loss, arc.response_tokens, truthful.response_tokens
            ),
            ..model.witness(
                "gradients.deep_layers_raw",
                "How many times as large are the nuclear norms of gradients of deep layers on ARC as on TruthfulQA",
                first / second,
                arc.samples + truthful.samples,
                "ratio of sums over the deep third of layers, each a sample",
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
                "share of the deep third in the norms of feed-forward matrices: {}",
                found
                    .iter()
                    .filter_map(|(name, found)| Some(format!("{name} {:.1} %", 100.0 * deep_share(found, true)?)))
                    .collect::<Vec<_>>()
                    .join(", ")
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
