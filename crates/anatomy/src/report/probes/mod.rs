//! Builds sections from results of `anatomy probe … --format json`: findings from the weights of some checkpoints, in
//! addition to those from the tables on all checkpoints.

pub(super) mod ablation;
pub(super) mod cuts;
mod evaluation;
mod gradients;
mod influence;
mod probed;
mod pruning;
mod shipped;
mod tuned;
pub(super) mod tuning;
pub(super) mod witnesses;

use mechanism::ablate::Ablation;
use mechanism::gradients::Gradients;
use mechanism::influence::Influence;
use mechanism::prune::PruningEffect;
use serde::de::DeserializeOwned;
use serde_json::Value;
use study::finding::SourceOf;
use study::section::Section;

use crate::probes::Probes;

/// 97.5 % quantile of the normal distribution, for 95 % intervals.
const Z: f64 = 1.959_963_984_540_054;

/// A result named after its file; several results in one file also by their own name, `FILE: NAME`.
pub(super) struct Named<T> {
    pub(super) name: String,
    /// SHA-256 of the weights; empty where the result does not state it.
    pub(super) sha256: String,
    pub(super) result: T,
}

/// One section per kind of result, and one that lists the files left out with reasons.
pub(crate) fn sections(probes: &Probes) -> Vec<Section> {
    let (mut influence, mut gradients) = (Vec::new(), Vec::new());
    let (mut pruning, mut evaluation) = (Vec::new(), Vec::new());
    let (mut ablations, mut tunings) = (Vec::new(), Vec::new());
    let mut left_out = probes.left_out.clone();
    for probe in &probes.all {
        let (name, content) = (&probe.name, &probe.content);
        let read = take::<Influence>(name, content, "block_influence", &mut influence)
            .or_else(|| take::<Gradients>(name, content, "mean_loss", &mut gradients))
            .or_else(|| take::<PruningEffect>(name, content, "removed_layers", &mut pruning))
            .or_else(|| take::<Ablation>(name, content, "effects", &mut ablations))
            .or_else(|| take::<tuning::Tuning>(name, content, "tests", &mut tunings))
            .or_else(|| take::<evaluation::Results>(name, content, "results", &mut evaluation));
        match read {
            Some(Ok(())) => {}
            Some(Err(error)) => left_out.push((name.clone(), error)),
            None => left_out.push((name.clone(), "no result of a probe".to_owned())),
        }
    }
    let mut sections = Vec::new();
    if !influence.is_empty() {
        sections.push(influence::section(&influence));
    }
    if !gradients.is_empty() {
        sections.push(gradients::section(&gradients));
    }
    if !pruning.is_empty() {
        sections.push(pruning::section(&pruning));
    }
    if !ablations.is_empty() {
        sections.push(ablation::section(&ablations));
    }
    if !tunings.is_empty() {
        sections.push(tuning::section(&tunings));
    }
    if !evaluation.is_empty() {
        sections.push(evaluation::section(&evaluation));
    }
    if !left_out.is_empty() {
        sections.push(unread(&left_out));
    }
    sections
}

/// Reads `content` if it, or each of its fields, has the field `mark`; `None` otherwise.
fn take<T: DeserializeOwned>(
    name: &str,
    content: &Value,
    mark: &str,
    into: &mut Vec<Named<T>>,
) -> Option<Result<(), String>> {
    let has = |value: &Value| value.get(mark).is_some();
    let parts: Vec<(String, &Value)> = match content.as_object() {
        _ if has(content) => vec![(name.to_owned(), content)],
        Some(fields) if !fields.is_empty() && fields.values().all(has) => fields
            .iter()
            .map(|(own, value)| (format!("{name}: {own}"), value))
            .collect(),
        _ => return None,
    };
    for (name, value) in parts {
        match T::deserialize(value) {
            Ok(result) => into.push(Named {
                sha256: probed::Model::of(value, &name).sha256,
                name,
                result,
            }),
            Err(error) => return Some(Err(error.to_string())),
        }
    }
    Some(Ok(()))
}

fn unread(left_out: &[(String, String)]) -> Section {
    let each = left_out.iter().map(|(name, why)| format!("{name} ({why})"));
    Section {
        id: "probes".into(),
        title: "Results of probes that were not read".into(),
        text: vec![format!("Left out: {}.", each.collect::<Vec<_>>().join("; "))],
        ..Section::default()
    }
}

/// Converts a name to a part of an id: lower case, with `_` for other characters.
fn slug(name: &str) -> String {
    let mapped = name.chars().map(|c| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '_'
        }
    });
    let parts: String = mapped.collect();
    let parts: Vec<&str> = parts.split('_').filter(|part| !part.is_empty()).collect();
    parts.join("_")
}

fn source(name: &str, command: &str) -> SourceOf {
    SourceOf {
        work: name.to_owned(),
        place: format!("anatomy probe {command}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::probes::Probe;

    fn probe(name: &str, content: Value) -> Probe {
        Probe {
            name: name.to_owned(),
            content,
        }
    }

    fn influence(values: &[f64]) -> Value {
        let ends: Vec<Value> = values
            .iter()
            .map(|v| json!({"low": v - 0.01, "high": v + 0.01}))
            .collect();
        json!({
            "block_influence": values, "intervals": ends, "level": 0.95,
            "order_least_important_first": [1, 2, 0], "angular": {"1": [0.3, 0.1, 0.2]},
            "texts": 2, "tokens": 30, "empty_texts": 0,
        })
    }

    fn matrix(nuclear: f64) -> Value {
        json!({"nuclear_norm": nuclear, "sigma_max": 1.0, "frobenius": 1.5, "effective_rank": 2.0})
    }

    #[test]
    fn every_kind_has_its_section_and_what_is_none_is_said() {
        let dense = json!({
            "q": matrix(1.0), "k": matrix(2.0), "v": matrix(3.0), "o": matrix(4.0),
            "gate": null, "up": matrix(5.0), "down": matrix(6.0),
        });
        let expert = json!({"gate": matrix(1.0), "up": matrix(2.0), "down": matrix(3.0)});
        let mixture = json!({
            "q": matrix(1.0), "k": matrix(2.0), "v": matrix(3.0), "o": matrix(4.0),
            "router": matrix(9.0), "experts": [expert, {"gate": matrix(3.0), "up": matrix(2.0), "down": matrix(3.0)}],
        });
        let score = |sum: f64| json!({"sum": sum, "is_greedy": false, "tokens": 2});
        let probes = Probes {
            all: vec![
                probe(
                    "two",
                    json!({"plain": influence(&[0.5, 0.1, 0.2]), "code": influence(&[0.6, 0.1, 0.3])}),
                ),
                probe(
                    "slopes",
                    json!({
                        "mean_loss": 1.5, "losses": [1.5], "layers": [dense, mixture], "samples": 1,
                        "prompt_tokens": 4, "response_tokens": 3,
                    }),
                ),
                probe(
                    "cut",
                    json!({
                        "removed_layers": [1], "kept_layers": [0, 2],
                        "before": [score(-2.0), score(-3.0)], "after": [score(-3.0), score(-5.0)],
                        "benchmarks": [{"task": "winogrande", "metric": "acc,none", "before": 0.5, "after": 0.25,
                            "difference": -0.25, "low": -0.5, "high": 0.0, "level": 0.95, "only_a": 3, "only_b": 1,
                            "mcnemar_p": 0.625, "n": 8}],
                    }),
                ),
                probe(
                    "scores",
                    json!({
                        "results": {"arc_challenge": {"alias": "arc_challenge", "acc,none": 0.3, "acc_stderr,none": 0.1},
                            "winogrande": {"acc,none": 0.2, "acc_stderr,none": 0.133_333_333},
                            "hellaswag": {"acc,none": 0.0, "acc_stderr,none": 0.0},
                            "gsm8k": {"exact_match,strict-match": 0.8, "exact_match_stderr,strict-match": "N/A"},
                            "truthfulqa_mc2": {"acc,none": 0.9, "acc_stderr,none": 0.08}},
                        "n-samples": {"arc_challenge": {"original": 1172, "effective": 22}, "winogrande": {"effective": 10},
                            "hellaswag": {"effective": 10}, "gsm8k": {"effective": 10}, "truthfulqa_mc2": {"effective": 10}},
                        "n-shot": {"arc_challenge": 25}, "config": {"model_args": {"pretrained": "x"}},
                    }),
                ),
                probe("other", json!({"a": 1})),
            ],
            left_out: Vec::new(),
            asked: true,
        };
        let sections = sections(&probes);
        let ids: Vec<&str> = sections.iter().map(|section| section.id.as_str()).collect();
        assert_eq!(ids, ["influence", "gradients", "pruning", "evaluation", "probes"]);
        let value = |section: usize, id: &str| {
            let findings = &sections[section].findings;
            let found = findings.iter().find(|finding| finding.id == id);
            found
                .unwrap_or_else(|| {
                    panic!(
                        "no {id} among {:?}",
                        findings.iter().map(|f| &f.id).collect::<Vec<_>>()
                    )
                })
                .value
        };
        assert_eq!(value(0, "influence.two_plain.layer_1"), Some(0.1));
        assert_eq!(
            value(0, "influence.rank_correlation.two_plain.two_code"),
            Some(1.0)
        );
        assert_eq!(value(1, "gradients.slopes.layer_0.down.nuclear_norm"), Some(6.0));
        assert_eq!(
            value(1, "gradients.slopes.layer_1.experts_gate.nuclear_norm"),
            Some(2.0)
        );
        assert_eq!(value(2, "pruning.cut.change"), Some(-1.5));
        assert_eq!(value(2, "pruning.cut.winogrande.acc"), Some(-25.0));
        assert_eq!(value(3, "evaluation.scores.arc_challenge.acc"), Some(30.0));
        for (task, low, high) in [
            ("winogrande.acc", 5.668, 50.984),
            ("hellaswag.acc", 0.0, 27.753),
            ("gsm8k.exact_match_strict_match", 49.016, 94.332),
            ("truthfulqa_mc2.acc", 61.184, 98.091),
        ] {
            let id = format!("evaluation.scores.{task}");
            let found = sections[3].findings.iter().find(|finding| finding.id == id);
            let ends = found
                .and_then(|finding| finding.interval.as_ref())
                .expect("an interval");
            assert!(
                (ends.low - low).abs() < 0.01 && (ends.high - high).abs() < 0.01,
                "{task}: {ends:?}"
            );
        }
        assert!(
            sections[4].text[0].contains("other (no result of a probe)"),
            "{}",
            sections[4].text[0]
        );
    }
}
