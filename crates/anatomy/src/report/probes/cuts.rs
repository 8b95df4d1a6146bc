//! Networks cut to one size, in the terms of the answer.

use mechanism::ablate::effects::Measure;
use mechanism::ablate::{Ablation, AtOneSize, Dimension, Effect, How};
use study::cuts::PartCut;

use super::Named;

/// What the answer calls a part; none of those it has no row for.
fn part(dimension: Dimension) -> Option<&'static str> {
    match dimension {
        Dimension::Layers => Some("layers"),
        // Width stays, so what doubles is the ratio to it.
        Dimension::DFfn => Some("d_ffn"),
        // Equally many of every key-value head go.
        Dimension::Heads => Some("heads_per_kv"),
        Dimension::Experts => Some("experts"),
        Dimension::KvHeads | Dimension::DModel => None,
    }
}

/// What the answer calls a benchmark.
fn benchmark(task: &str) -> Option<&'static str> {
    match task {
        "arc_challenge" => Some("arc"),
        "hellaswag" => Some("hellaswag"),
        "winogrande" => Some("winogrande"),
        "mmlu" => Some("mmlu"),
        "gsm8k" => Some("gsm8k"),
        "truthfulqa_mc2" => Some("truthfulqa"),
        _ => None,
    }
}

/// What ablations say of scores, by importance; of a checkpoint that was cut twice the later result counts.
pub(crate) fn of(all: &[Named<Ablation>]) -> Vec<PartCut> {
    let mut cuts: Vec<PartCut> = Vec::new();
    for named in all {
        for one in &named.result.found.at_one_size {
            let Some(cut) = cut(named, one) else { continue };
            let same = |other: &&mut PartCut| {
                (&other.checkpoint, &other.part, &other.benchmark)
                    == (&cut.checkpoint, &cut.part, &cut.benchmark)
            };
            match cuts.iter_mut().find(same) {
                Some(other) => *other = cut,
                None => cuts.push(cut),
            }
        }
    }
    cuts
}

fn cut(named: &Named<Ablation>, one: &AtOneSize) -> Option<PartCut> {
    if one.measure != Measure::Score || one.how != How::Importance {
        return None;
    }
    let found = &named.result;
    let at_chance = |effect: &Effect| effect.task == one.task && effect.at_chance;
    Some(PartCut {
        checkpoint: named.name.clone(),
        sha256: named.sha256.clone(),
        part: part(one.part)?.to_owned(),
        against: one.against.iter().map(ToString::to_string).collect(),
        benchmark: benchmark(&one.task)?.to_owned(),
        value: 100.0 * one.per_doubling,
        error: one.error.map(|error| 100.0 * error),
        n: one.n,
        doses: one.doses,
        at_chance: found.found.effects.iter().any(at_chance),
    })
}
