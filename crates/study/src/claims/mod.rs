//! The ledger of claims in the two works: what was printed, what these data give, and a verdict in two readings.
//!
//! A claim is judged as the work tested it, and in a stricter reading, in which test shapes are never in training or
//! each shape counts once. Claims are judged by the findings of other sections; only counts of findings are computed
//! here.

mod attribution;
mod dataset;
mod dimensions;
mod evidence;
mod examples;
mod groups;
pub mod judged;
mod mechanism;
mod methods;
mod scores;
pub mod shown;
mod stated_rule;
mod tally;
mod trends;

use crate::finding::{Finding, Interval, Published, SourceOf, Verdict};
use crate::section::{Cell, Section, Table};

pub use evidence::{ClaimEvidence, Findings};
use judged::{Answered, Judged, Judgement, Reading};
pub use tally::{Tally, is_cell, is_claim};

/// When a number agrees with a claim.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// At most this far from the printed number.
    Within(f64),
    /// At least the claimed number.
    AtLeast,
    /// Below the claimed number, with the whole interval where there is one.
    Below,
    /// Above the claimed number, with the whole interval where there is one.
    Above,
}

/// A claim with the evidence found.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Last parts of the finding id: `r2.random_forest.mmlu`.
    pub id: String,
    /// The claim, in one sentence.
    pub statement: String,
    /// The work that makes the claim.
    pub work: &'static str,
    /// Where in the work it is made.
    pub place: &'static str,
    /// The printed number, or the number to which a verbal claim amounts.
    pub claimed: f64,
    /// Unit of the number.
    pub unit: String,
    /// When the evidence agrees with the claim.
    pub rule: Rule,
    /// Evidence in the work's own reading.
    pub literature: ClaimEvidence,
    /// Evidence in the stricter reading.
    pub strict: ClaimEvidence,
    /// Explanation, where a number alone is not enough.
    pub why: String,
}

impl Claim {
    /// The verdict on the claim by the evidence of one reading.
    fn verdict(&self, evidence: &ClaimEvidence) -> Verdict {
        if evidence.is_open {
            return Verdict::CannotTell;
        }
        let Some(value) = evidence.value else {
            return Verdict::NotTestable;
        };
        let holds = match self.rule {
            Rule::Within(tolerance) => (value - self.claimed).abs() <= tolerance,
            Rule::AtLeast => value >= self.claimed,
            Rule::Below => evidence.interval.as_ref().map_or(value, |interval| interval.high) < self.claimed,
            Rule::Above => evidence.interval.as_ref().map_or(value, |interval| interval.low) > self.claimed,
        };
        Verdict::of(holds, self.claimed, evidence.interval.as_ref())
    }

    fn judged(&self) -> Judged {
        let answered = |reading: Reading, evidence: &ClaimEvidence| Answered {
            reading: reading.name(),
            verdict: match self.verdict(evidence) {
                Verdict::Reproduced => Judgement::Reproduced,
                Verdict::Differs => Judgement::Contradicted,
                Verdict::CannotTell => Judgement::CannotTell,
                Verdict::NotTestable => Judgement::NotTestable,
            },
            value: evidence.value.filter(|value| value.is_finite()),
            interval: evidence.interval.clone(),
            why: [self.rule_in_words(), self.why.clone(), evidence.says.clone()]
                .into_iter()
                .filter(|words| !words.is_empty())
                .collect::<Vec<String>>()
                .join("; "),
            rests_on_one: false,
        };
        Judged {
            id: self.id.clone(),
            statement: self.statement.clone(),
            work: self.work.into(),
            place: self.place.into(),
            readings: vec![
                answered(Reading::Literal, &self.literature),
                answered(Reading::Robust, &self.strict),
            ],
        }
    }

    fn tolerance(&self) -> f64 {
        match self.rule {
            Rule::Within(tolerance) => tolerance,
            _ => 0.0,
        }
    }

    /// The two findings: `claims.{id}` and `claims.{id}.strict`.
    fn findings(&self) -> [Finding; 2] {
        let source = SourceOf {
            work: self.work.into(),
            place: self.place.into(),
        };
        let of = |id: String, evidence: &ClaimEvidence| {
            let mut finding = Finding::new(id, self.statement.clone(), &source)
                .with_interval(evidence.interval.clone())
                .with_protocol(or_none(&evidence.protocol), &[]);
            finding.value = evidence.value.filter(|value| value.is_finite());
            finding.unit.clone_from(&self.unit);
            finding.n = evidence.n;
            or_none(&evidence.method).clone_into(&mut finding.method);
            finding.seed = evidence.seed;
            finding.published = Some(Published {
                value: self.claimed,
                work: self.work.into(),
                place: self.place.into(),
                tolerance: self.tolerance(),
                n: None,
            });
            finding.verdict = Some(self.verdict(evidence));
            finding.notes = [self.rule_in_words(), self.why.clone(), evidence.says.clone()]
                .into_iter()
                .filter(|note| !note.is_empty())
                .collect();
            finding
        };
        [
            of(format!("claims.{}", self.id), &self.literature),
            of(format!("claims.{}.strict", self.id), &self.strict),
        ]
    }

    fn rule_in_words(&self) -> String {
        let number = self.claimed;
        match self.rule {
            Rule::Within(tolerance) => format!("agrees within {tolerance} {} of {number}", self.unit),
            Rule::AtLeast if self.unit == "1 yes, 0 no" => "holds where it is so".to_owned(),
            Rule::AtLeast => format!("holds from {number} {} on", self.unit),
            Rule::Below => format!(
                "holds where the upper end of the interval, or the value without one, is below {number} {}",
                self.unit
            ),
            Rule::Above => format!(
                "holds where the lower end of the interval is above {number} {}",
                self.unit
            ),
        }
    }

    fn row(&self) -> Vec<Cell> {
        let ends = |interval: &Option<Interval>| {
            let of = |pick: fn(&Interval) -> f64| Cell::from(interval.as_ref().map(pick));
            [of(|interval| interval.low), of(|interval| interval.high)]
        };
        let [low, high] = ends(&self.literature.interval);
        let [strict_low, strict_high] = ends(&self.strict.interval);
        let words: Vec<&str> = [&self.why, &self.literature.says, &self.strict.says]
            .into_iter()
            .map(String::as_str)
            .filter(|text| !text.is_empty())
            .collect();
        vec![
            self.id.as_str().into(),
            self.statement.as_str().into(),
            format!("{}, {}", self.work, self.place).into(),
            self.claimed.into(),
            self.unit.as_str().into(),
            self.literature.value.into(),
            low,
            high,
            self.literature.n.into(),
            self.literature.protocol.as_str().into(),
            verdict_name(self.verdict(&self.literature)).into(),
            self.strict.value.into(),
            strict_low,
            strict_high,
            self.strict.n.into(),
            self.strict.protocol.as_str().into(),
            verdict_name(self.verdict(&self.strict)).into(),
            words.join(". ").into(),
        ]
    }
}

/// The name; `none` where it is empty, as for evidence without protocol or method.
fn or_none(name: &str) -> &str {
    if name.is_empty() { "none" } else { name }
}

/// The name of a verdict as used in files.
pub fn verdict_name(verdict: Verdict) -> &'static str {
    verdict.name()
}

/// All claims, judged by the findings of the other sections.
pub fn claims(findings: &Findings<'_>) -> Vec<Claim> {
    let mut all = [
        scores::claims(findings),
        attribution::claims(findings),
        trends::claims(findings),
        dimensions::claims(findings),
        methods::claims(findings),
        dataset::claims(findings),
        examples::claims(findings),
        mechanism::claims(findings),
    ]
    .concat();
    groups::correct(&mut all);
    all
}

/// The ledger as judged claims: the work's own reading is the literal one, the stricter reading the robust one.
pub fn ledger(findings: &Findings<'_>) -> Vec<Judged> {
    claims(findings).iter().map(Claim::judged).collect()
}

/// The ledger as a section.
pub fn section<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Section {
    let claims = claims(&Findings::new(findings));
    let both = claims
        .iter()
        .filter(|claim| {
            claim.verdict(&claim.literature) == Verdict::Reproduced
                && claim.verdict(&claim.strict) == Verdict::Reproduced
        })
        .count();
    let findings: Vec<Finding> = claims.iter().flat_map(Claim::findings).collect();
    Section {
        id: "claims".into(),
        title: "Claims of the literature".into(),
        text: vec![
            Tally::claims(&findings).in_words().unwrap_or_default(),
            format!(
                "Under the stricter reading (no shape both trained on and tested, or each shape counted once), of the same {}, \
                 {}. {both} agree in both readings.",
                claims.len(),
                Tally::stricter(&findings).counts()
            ),
        ],
        findings,
        tables: vec![groups::table(&claims), short_table(&claims), table(&claims)],
        ..Section::default()
    }
}

fn table(claims: &[Claim]) -> Table {
    Table {
        id: "claims".into(),
        caption: "Each claim of the two works: the number printed (or what the words come to), ours as the work did it, and \
                  ours under the stricter reading, each with its 95 % interval, n, protocol and verdict."
            .into(),
        columns: [
            "claim",
            "in words",
            "where",
            "claimed",
            "unit",
            "ours",
            "low",
            "high",
            "n",
            "protocol",
            "verdict",
            "strict",
            "strict low",
            "strict high",
            "strict n",
            "strict protocol",
            "strict verdict",
            "why",
        ]
        .map(String::from)
        .to_vec(),
        rows: claims.iter().map(Claim::row).collect(),
        shown: false,
    }
}

/// The most important columns only; the full table is [`table`].
fn short_table(claims: &[Claim]) -> Table {
    let reading = |evidence: &ClaimEvidence| -> Cell {
        let Some(value) = evidence.value.filter(|value| value.is_finite()) else {
            return Cell::Missing;
        };
        match &evidence.interval {
            Some(ends) => format!("{value:.3} [{:.3}, {:.3}]", ends.low, ends.high).into(),
            None => value.into(),
        }
    };
    let row = |claim: &Claim| -> Vec<Cell> {
        vec![
            claim.statement.as_str().into(),
            claim.claimed.into(),
            reading(&claim.literature),
            claim.verdict(&claim.literature).words().into(),
            reading(&claim.strict),
            claim.verdict(&claim.strict).words().into(),
        ]
    };
    Table {
        id: "claims-in-short".into(),
        caption: "Each claim, its number, ours as the work did it, and ours under the stricter reading, with 95 % intervals; not \
                  excluded: ours does not agree, but its interval holds the claimed number; units, n, protocols and reasons in claims.csv."
            .into(),
        columns: ["claim", "claimed", "ours", "verdict", "stricter", "stricter verdict"]
            .map(String::from)
            .to_vec(),
        rows: claims.iter().map(row).collect(),
        shown: true,
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
