//! Evidence for claims: findings by id, and counts over them.

use std::collections::BTreeMap;

use crate::attribution::{Lead, lead_among};
use crate::finding::{Finding, Interval};
use crate::protocol::Protocol;

/// An index of findings by id.
pub struct Findings<'a> {
    by_id: BTreeMap<&'a str, &'a Finding>,
}

impl<'a> Findings<'a> {
    /// Indexes the findings of all sections.
    pub fn new(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        Self {
            by_id: findings
                .into_iter()
                .map(|finding| (finding.id.as_str(), finding))
                .collect(),
        }
    }

    /// The finding of this id, if it has a value.
    pub fn get(&self, id: &str) -> Option<&'a Finding> {
        self.by_id
            .get(id)
            .copied()
            .filter(|finding| finding.value.is_some())
    }

    /// The value of the finding of this id.
    pub fn value(&self, id: &str) -> Option<f64> {
        self.get(id).and_then(|finding| finding.value)
    }

    /// Findings with a value whose id starts with `prefix`, with the rest of the id, in the order of ids.
    pub fn under(&self, prefix: &str) -> Vec<(&'a str, &'a Finding)> {
        self.by_id
            .values()
            .filter(|finding| finding.value.is_some())
            .filter_map(|finding| Some((finding.id.strip_prefix(prefix)?, *finding)))
            .collect()
    }

    /// The evidence from one finding. For R² with whole groups held out it also states the value with each shape
    /// counted once, as R² by rows may be about a single shape.
    pub fn evidence(&self, id: &str) -> ClaimEvidence {
        let mut evidence = self.get(id).map_or_else(ClaimEvidence::none, ClaimEvidence::from);
        // R² from too few groups for an interval gives no verdict.
        if id.starts_with("regression.r2.") && evidence.interval.is_none() {
            return match evidence.value.take() {
                Some(value) => evidence.saying(format!("R² {value:.3} of too few shapes for an interval")),
                None => evidence,
            };
        }
        let sibling = id.replacen("regression.r2.", "regression.r2_shapes.", 1);
        match self
            .get(&sibling)
            .and_then(|finding| Some((finding, finding.value?)))
        {
            Some((finding, value)) if sibling != id && is_grouped(&evidence.protocol) => {
                let ends = finding.interval.as_ref().map_or(String::new(), |ends| {
                    format!(" [{:.3}, {:.3}]", ends.low, ends.high)
                });
                let notes = finding.notes.join("; ");
                evidence.saying(format!(
                    "by rows; with each shape counted once {value:.3}{ends}; {notes}"
                ))
            }
            _ => evidence,
        }
    }

    /// The column that ranks first for a target by `kind` of importance, among those that `is_asked` accepts.
    pub fn lead(
        &self,
        kind: &str,
        set: &str,
        target: &str,
        is_asked: impl Fn(&str) -> bool,
    ) -> Option<Lead<'a>> {
        lead_among(self.by_id.values().copied(), kind, set, target, is_asked)
    }
}

fn is_grouped(protocol: &str) -> bool {
    Protocol::from_name(protocol).is_some_and(Protocol::is_grouped)
}

/// A value with its sample and method.
#[derive(Debug, Clone, Default)]
pub struct ClaimEvidence {
    /// The value; `None` where the data cannot decide.
    pub value: Option<f64>,
    /// Its interval.
    pub interval: Option<Interval>,
    /// Number of rows.
    pub n: usize,
    /// How rows were divided into training and test sets.
    pub protocol: String,
    /// What was computed.
    pub method: String,
    /// Seed of the random parts; `None` where nothing is random.
    pub seed: Option<u64>,
    /// Explanation, where the value alone is not enough.
    pub says: String,
    /// Whether there are data but they do not decide the claim.
    pub is_open: bool,
}

impl From<&Finding> for ClaimEvidence {
    fn from(finding: &Finding) -> Self {
        Self {
            value: finding.value,
            interval: finding.interval.clone(),
            n: finding.n,
            protocol: finding.protocol.clone(),
            method: finding.method.clone(),
            seed: finding.seed,
            says: String::new(),
            is_open: false,
        }
    }
}

impl ClaimEvidence {
    /// No data, without explanation.
    pub fn none() -> Self {
        Self::default()
    }

    /// No data, with the reason.
    pub fn cannot(why: &str) -> Self {
        Self {
            says: why.to_owned(),
            ..Self::default()
        }
    }

    /// Data that do not decide the claim, with the reason.
    pub fn open(why: &str) -> Self {
        Self {
            is_open: true,
            ..Self::cannot(why)
        }
    }

    /// Counts the `true` answers; n is the largest of the findings, protocol and seed those of the first. Without
    /// answers as [`Self::none`].
    pub fn count(answers: &[(bool, &Finding)], says: String) -> Self {
        let Some((_, of)) = answers.first() else {
            return Self::none();
        };
        Self {
            value: Some(answers.iter().filter(|(yes, _)| *yes).count() as f64),
            n: answers
                .iter()
                .map(|(_, finding)| finding.n)
                .max()
                .unwrap_or_default(),
            protocol: of.protocol.clone(),
            method: format!("count over {} of: {}", answers.len(), of.method),
            seed: of.seed,
            ..Self::default()
        }
        .saying(says)
    }

    /// Replaces the explanation.
    #[must_use]
    pub fn saying(mut self, says: impl Into<String>) -> Self {
        self.says = says.into();
        self
    }
}
