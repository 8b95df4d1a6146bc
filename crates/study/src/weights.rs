//! Section that tests claims of the literature about weights on the checkpoints that were probed.
//!
//! The paper measured Llama-2-7B. Any other checkpoint is a stand-in with a number of its own, and the ledger of claims
//! counts for how many checkpoints the number agrees with the claim.

use crate::finding::{Finding, Interval, SourceOf};
use crate::section::{Cell, Section, Table};

/// One claim tested on one checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Witness {
    /// The claim, by the last parts of its id in the ledger.
    pub claim: &'static str,
    /// What was measured, in words.
    pub what: &'static str,
    /// The checkpoint's name.
    pub checkpoint: String,
    /// SHA-256 of the weights; empty where the result does not record it.
    pub sha256: String,
    /// The measured number.
    pub value: f64,
    /// Threshold: the claim holds for numbers above it.
    pub above: f64,
    /// Unit of the number.
    pub unit: &'static str,
    /// Its interval, where there is one.
    pub interval: Option<Interval>,
    /// Number of items, texts or pairs behind the number.
    pub n: usize,
    /// How the number was computed.
    pub method: String,
    /// Seed of the random parts; `None` where nothing is random.
    pub seed: Option<u64>,
    /// A remark that a reader must know; may be empty.
    pub note: String,
}

impl Witness {
    /// Whether the number is above the threshold, as claimed.
    pub fn holds(&self) -> bool {
        self.value > self.above
    }
}

/// Prefix of the ids of a claim's findings; the checkpoint's name follows.
pub fn prefix(claim: &str) -> String {
    format!("weights.{claim}.")
}

/// The note that records the threshold for the ledger.
pub fn above_in_words(above: f64) -> String {
    format!("as claimed above {above}")
}

/// The threshold in the note of [`above_in_words`]; `None` where the finding has no such note.
pub fn above_of(finding: &Finding) -> Option<f64> {
    finding
        .notes
        .iter()
        .find_map(|note| note.strip_prefix("as claimed above ")?.parse().ok())
}

/// A name as part of an id.
pub(crate) fn slug(name: &str) -> String {
    let letters = name.chars().map(|c| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '_'
        }
    });
    let all: String = letters.collect();
    all.split('_')
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("_")
}

fn finding(witness: &Witness) -> Finding {
    let source = SourceOf {
        work: witness.checkpoint.clone(),
        place: if witness.sha256.is_empty() {
            "weights".into()
        } else {
            format!("weights, SHA-256 {}", witness.sha256)
        },
    };
    let id = format!("{}{}", prefix(witness.claim), slug(&witness.checkpoint));
    let mut finding = Finding::new(
        id,
        format!("{}, of {}?", witness.what, witness.checkpoint),
        &source,
    )
    .with_value(witness.value, witness.unit, witness.n, &witness.method)
    .with_interval(witness.interval.clone())
    .with_note(above_in_words(witness.above));
    finding.seed = witness.seed;
    if !witness.note.is_empty() {
        finding = finding.with_note(witness.note.clone());
    }
    finding
}

/// Builds the section; where a claim was tested twice on one checkpoint, the later result counts.
pub fn section(witnesses: &[Witness]) -> Section {
    let mut last: Vec<&Witness> = Vec::new();
    for witness in witnesses {
        let same = |other: &&mut &Witness| {
            other.claim == witness.claim && slug(&other.checkpoint) == slug(&witness.checkpoint)
        };
        match last.iter_mut().find(same) {
            Some(other) => *other = witness,
            None => last.push(witness),
        }
    }
    let mut checkpoints: Vec<&str> = last.iter().map(|witness| witness.checkpoint.as_str()).collect();
    checkpoints.sort_unstable();
    checkpoints.dedup();
    let row = |witness: &&Witness| -> Vec<Cell> {
        vec![
            witness.claim.into(),
            witness.checkpoint.as_str().into(),
            witness.what.into(),
            witness.value.into(),
            witness.interval.as_ref().map(|ends| ends.low).into(),
            witness.interval.as_ref().map(|ends| ends.high).into(),
            witness.unit.into(),
            witness.n.into(),
            (if witness.holds() {
                "as claimed"
            } else {
                "not as claimed"
            })
            .into(),
            witness.note.as_str().into(),
        ]
    };
    Section {
        id: "weights".into(),
        title: "Inside checkpoints: what the literature claims of weights".into(),
        text: vec![if last.is_empty() {
            "No checkpoint was probed.".into()
        } else {
            format!(
                "Probed on {}: stand-ins, for the paper measured Llama-2-7B. A claim in words comes to a number that points one way \
                 or the other; the ledger counts on how many checkpoints it points as claimed.",
                checkpoints.join(", ")
            )
        }],
        findings: last.iter().map(|witness| finding(witness)).collect(),
        tables: vec![Table {
            id: "weights".into(),
            caption: "Each claim on weights, asked of each checkpoint that was probed; intervals where the probe gives them."
                .into(),
            columns: ["claim", "checkpoint", "what", "value", "low", "high", "unit", "n", "points", "note"]
                .map(String::from)
                .to_vec(),
            rows: last.iter().map(row).collect(),
            shown: !last.is_empty(),
        }],
        ..Section::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_answer_counts_and_says_from_where_on_it_holds() {
        let of = |checkpoint: &str, value: f64| Witness {
            claim: "pruning.reasoning_falls",
            what: "What does it lose",
            checkpoint: checkpoint.into(),
            sha256: "ab".into(),
            value,
            above: 0.8,
            unit: "points",
            interval: None,
            n: 7,
            method: "test".into(),
            seed: Some(1),
            note: String::new(),
        };
        let found = section(&[of("Big-Model 1", 0.5), of("Other", 0.9), of("big_model-1", 1.5)]);
        let values: Vec<(&str, Option<f64>)> = found
            .findings
            .iter()
            .map(|finding| (finding.id.as_str(), finding.value))
            .collect();
        assert_eq!(
            values,
            [
                ("weights.pruning.reasoning_falls.big_model_1", Some(1.5)),
                ("weights.pruning.reasoning_falls.other", Some(0.9)),
            ]
        );
        assert_eq!(above_of(&found.findings[0]), Some(0.8));
        assert!(found.tables[0].shown && !section(&[]).tables[0].shown);
    }
}
