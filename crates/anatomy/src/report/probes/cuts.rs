//! Converts ablations at constant size to the parts and benchmarks used by the section `answer`.

use mechanism::ablate::effects::Measure;
use mechanism::ablate::{Ablation, AtOneSize, Dimension, Effect, How};
use study::cuts::PartCut;

use super::Named;

/// Name of a part in the section `answer`; `None` for parts that it does not contain.
fn part(dimension: Dimension) -> Option<&'static str> {
    match dimension {
        Dimension::Layers => Some("layers"),
        // The model width stays constant, so halving `d_ffn` halves its ratio to the width.
        Dimension::DFfn => Some("d_ffn"),
        // Equally many query heads of every key-value head are removed.
        Dimension::Heads => Some("heads_per_kv"),
        Dimension::Experts => Some("experts"),
        Dimension::KvHeads | Dimension::DModel => None,
    }
}

/// Name of a benchmark in the section `answer`; `None` for other tasks.
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

/// Effects on scores of removal by importance; of several results on one checkpoint the last counts.
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
