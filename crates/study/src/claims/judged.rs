//! Claims as data: what a work states, which findings test it, and by which rule.
//!
//! A claim is tested in up to three readings: as in the work (`literal`), the same question with each unit counted once
//! and clean labels (`robust`), and in runs that differ in nothing else (`controlled`). A verdict needs an interval: a
//! sign holds where the whole interval is on the claimed side, a number by an equivalence test (two one-sided tests),
//! an order by its share of simulated draws. If both outcomes remain possible the verdict is `cannot_tell`.

use serde::{Deserialize, Serialize};

use super::Findings;
pub use super::stated_rule::StatedRule;
use crate::finding::{Finding, Interval};
use crate::random::{Random, gauss};
use crate::statistics::normal_quantile;

/// How a claim is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// As the work tested it.
    Literal,
    /// The same question, with each unit counted once and clean labels.
    Robust,
    /// In runs that differ in nothing else.
    Controlled,
}

impl Reading {
    /// The name used in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Literal => "literal",
            Self::Robust => "robust",
            Self::Controlled => "controlled",
        }
    }
}

/// The verdict on a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// The claim holds here too.
    Reproduced,
    /// The opposite of the claim holds here.
    Contradicted,
    /// Both outcomes remain possible.
    CannotTell,
    /// Our data are on other rows or another population.
    NotComparable,
    /// No analysis here tests the claim.
    NotTestable,
}

impl Judgement {
    /// All verdicts, in the order in which they are counted.
    pub const ALL: [Self; 5] = [
        Self::Reproduced,
        Self::Contradicted,
        Self::CannotTell,
        Self::NotComparable,
        Self::NotTestable,
    ];

    /// The name used in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reproduced => "reproduced",
            Self::Contradicted => "contradicted",
            Self::CannotTell => "cannot_tell",
            Self::NotComparable => "not_comparable",
            Self::NotTestable => "not_testable",
        }
    }

    /// The wording shown to readers, as in the ledger.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Reproduced => "agrees",
            Self::Contradicted => "contradicted",
            Self::CannotTell => "not excluded",
            Self::NotComparable => "not comparable",
            Self::NotTestable => "untestable",
        }
    }

    /// `n` such verdicts, as people read it: `1 agrees`, `24 agree`.
    pub fn counted(self, n: usize) -> String {
        crate::finding::counted(n, self.words())
    }
}

/// One reading of a claim.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimQuestion {
    /// Kind of reading.
    pub reading: Reading,
    /// Ids of the findings that test it.
    #[serde(default)]
    pub findings: Vec<String>,
    /// When the findings agree with the claim.
    pub rule: StatedRule,
}

/// A claim, as read from a file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stated {
    /// Short name, unique within the file.
    pub id: String,
    /// The claim, in one sentence.
    pub statement: String,
    /// The work that makes the claim.
    pub work: String,
    /// Where in the work it is made.
    pub place: String,
    /// The readings in which it is tested.
    #[serde(rename = "reading")]
    pub questions: Vec<ClaimQuestion>,
}

/// The result of one reading.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answered {
    /// Kind of reading.
    pub reading: &'static str,
    /// The verdict.
    pub verdict: Judgement,
    /// The deciding value: of several findings the one least favourable to the claim.
    pub value: Option<f64>,
    /// Interval of the value.
    pub interval: Option<Interval>,
    /// Explanation of the verdict.
    pub why: String,
    /// Whether the verdict depends on one shape: without it, and with an interval of the same width, both outcomes are
    /// possible.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub rests_on_one: bool,
}

/// A claim with the verdict of each reading.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judged {
    /// Short name.
    pub id: String,
    /// The claim, in one sentence.
    pub statement: String,
    /// The work that makes the claim.
    pub work: String,
    /// Where in the work it is made.
    pub place: String,
    /// One entry per reading.
    pub readings: Vec<Answered>,
}

/// Number of simulated draws for an order.
const DRAWS: u64 = 2_000;
/// Share of draws from which an order counts as true (or, for another finding, as contradicted).
const SURE: f64 = 0.9;

impl Stated {
    /// Problems of the claim's definition, in words; empty where it can be judged.
    pub fn problems(&self) -> Vec<String> {
        let mut all = Vec::new();
        let mut say = |problem: String| all.push(format!("claim `{}`: {problem}", self.id));
        for (name, text) in [
            ("statement", &self.statement),
            ("work", &self.work),
            ("place", &self.place),
        ] {
            if text.trim().is_empty() {
                say(format!(
                    "`{name}` is empty; say what the work states, which work, and where in it"
                ));
            }
        }
        if self.questions.is_empty() {
            say("has no [[claim.reading]]; give at least one of literal, robust, controlled".into());
        }
        for question in &self.questions {
            let name = question.reading.name();
            let needs = match &question.rule {
                StatedRule::First | StatedRule::Last => 2,
                StatedRule::NotComparable(_) | StatedRule::NotTestable(_) => 0,
                _ => 1,
            };
            if question.findings.len() < needs {
                say(format!(
                    "reading `{name}` names {} findings, its rule needs at least {needs}",
                    question.findings.len()
                ));
            }
            if let StatedRule::Equals { margin, .. } = question.rule
                && (margin.is_nan() || margin <= 0.0)
            {
                say(format!(
                    "reading `{name}`: margin is {margin}, wanted a number above 0"
                ));
            }
            let twice = self
                .questions
                .iter()
                .filter(|other| other.reading == question.reading)
                .count();
            if twice > 1 {
                say(format!("reading `{name}` is given {twice} times, wanted once"));
            }
        }
        all.sort();
        all.dedup();
        all
    }

    /// Judges every reading by the findings; the seed is for simulated draws.
    pub fn judge(&self, findings: &Findings<'_>, seed: u64) -> Judged {
        Judged {
            id: self.id.clone(),
            statement: self.statement.clone(),
            work: self.work.clone(),
            place: self.place.clone(),
            readings: self
                .questions
                .iter()
                .map(|question| question.answer(findings, seed))
                .collect(),
        }
    }
}

impl ClaimQuestion {
    fn answer(&self, findings: &Findings<'_>, seed: u64) -> Answered {
        let plain = |verdict: Judgement, why: String| Answered {
            reading: self.reading.name(),
            verdict,
            value: None,
            interval: None,
            why,
            rests_on_one: false,
        };
        match &self.rule {
            StatedRule::NotComparable(why) => return plain(Judgement::NotComparable, why.clone()),
            StatedRule::NotTestable(why) => return plain(Judgement::NotTestable, why.clone()),
            _ => {}
        }
        let missing: Vec<&str> = self
            .findings
            .iter()
            .map(String::as_str)
            .filter(|id| findings.get(id).is_none())
            .collect();
        if !missing.is_empty() {
            return plain(
                Judgement::NotTestable,
                format!("these rows give no number for {}", missing.join(", ")),
            );
        }
        let found: Vec<&Finding> = self.findings.iter().filter_map(|id| findings.get(id)).collect();
        let (verdict, decides, mut why) = match &self.rule {
            StatedRule::Above(least) => side(&found, *least, 1.0),
            StatedRule::Below(most) => side(&found, *most, -1.0),
            StatedRule::Equals { value, margin, n } => equal(found[0], *value, *margin, *n),
            StatedRule::Last => leads(&found, -1.0, seed),
            _ => leads(&found, 1.0, seed),
        };
        let rests_on_one = match (&self.rule, verdict) {
            (StatedRule::Above(number) | StatedRule::Below(number), Judgement::Reproduced) => {
                found.iter().any(|own| falls_with_one(own, findings, *number))
            }
            (StatedRule::Above(number) | StatedRule::Below(number), Judgement::Contradicted) => {
                falls_with_one(decides, findings, *number)
            }
            _ => false,
        };
        if rests_on_one {
            why.push_str("; it rests on one shape: without it both are still possible");
        }
        Answered {
            reading: self.reading.name(),
            verdict,
            value: decides.value,
            interval: decides.interval.clone(),
            why,
            rests_on_one,
        }
    }
}

/// Whether an interval that excludes a number would include it with some shape left out, at the same width; false
/// without a finding on the range (`controlled.without_one.…`).
fn falls_with_one(finding: &Finding, findings: &Findings<'_>, number: f64) -> bool {
    let sibling = finding
        .id
        .strip_prefix("controlled.")
        .and_then(|end| findings.get(&format!("controlled.without_one.{end}")));
    let (Some(value), Some(ends), Some(range)) = (
        finding.value,
        finding.interval.as_ref(),
        sibling.and_then(|sibling| sibling.interval.as_ref()),
    ) else {
        return false;
    };
    let (below, above) = (value - ends.low, ends.high - value);
    !ends.covers(number) && range.low - below <= number && number <= range.high + above
}

/// Tests whether all findings are on one side of a number: `way` is 1 for above, −1 for below.
fn side<'a>(found: &[&'a Finding], number: f64, way: f64) -> (Judgement, &'a Finding, String) {
    // The least favourable margin: that of the deciding limit of the interval, or of the value where there is none.
    let margin = |finding: &Finding| {
        let value = finding.value.unwrap_or(f64::NAN);
        let end = finding
            .interval
            .as_ref()
            .map(|ends| if way > 0.0 { ends.low } else { ends.high });
        way * (end.unwrap_or(value) - number)
    };
    let worst = found
        .iter()
        .copied()
        .min_by(|a, b| margin(a).total_cmp(&margin(b)))
        .unwrap_or(found[0]);
    let is_right = |finding: &Finding| finding.interval.is_some() && margin(finding) > 0.0;
    let is_wrong = |finding: &Finding| {
        finding.interval.as_ref().is_some_and(|ends| {
            let end = if way > 0.0 { ends.high } else { ends.low };
            way * (end - number) < 0.0
        })
    };
    let word = if way > 0.0 { "above" } else { "below" };
    let right = found.iter().filter(|finding| is_right(finding)).count();
    if right == found.len() {
        let why = format!("{right} of {} intervals lie {word} {number}", found.len());
        return (Judgement::Reproduced, worst, why);
    }
    if let Some(wrong) = found.iter().copied().find(|finding| is_wrong(finding)) {
        let why = format!(
            "the whole interval of {} lies on the other side of {number}",
            wrong.id
        );
        return (Judgement::Contradicted, wrong, why);
    }
    let bare = found.iter().filter(|finding| finding.interval.is_none()).count();
    let agree = found
        .iter()
        .filter(|finding| way * (finding.value.unwrap_or(f64::NAN) - number) > 0.0)
        .count();
    let why = if bare > 0 {
        format!(
            "{bare} of {} numbers have no interval; {agree} lie {word} {number}",
            found.len()
        )
    } else {
        format!(
            "{right} of {} intervals lie {word} {number}, {agree} of the values do, the other intervals hold it",
            found.len()
        )
    };
    (Judgement::CannotTell, worst, why)
}

/// Equivalence by two one-sided tests on d = ours − theirs, with the standard errors of both.
fn equal(finding: &Finding, number: f64, margin: f64, n: Option<f64>) -> (Judgement, &Finding, String) {
    let value = finding.value.unwrap_or(f64::NAN);
    let Some(ends) = finding.interval.as_ref().filter(|ends| ends.is_bounded()) else {
        let why = format!("ours is {value:.3} without an interval, which decides nothing");
        return (Judgement::CannotTell, finding, why);
    };
    let quantile = normal_quantile(ends.level);
    let own = (ends.high - ends.low) / (2.0 * quantile);
    // The work's unpublished standard error is taken as ours, scaled to its number of rows.
    let theirs = n.map_or(0.0, |n| own * (finding.n as f64 / n).sqrt());
    let error = own.hypot(theirs);
    let d = value - number;
    let within = |half: f64| d - half >= -margin && d + half <= margin;
    let apart = |half: f64| d - half > margin || d + half < -margin;
    let (half_90, half_95) = (normal_quantile(0.9) * error, normal_quantile(0.95) * error);
    let said = format!("ours {value:.3}, claimed {number}, the same within {margin}");
    if within(half_90) || d.abs() <= margin && ends.high - ends.low < 4.0 * margin {
        (Judgement::Reproduced, finding, said)
    } else if apart(half_95) {
        (Judgement::Contradicted, finding, said)
    } else {
        (
            Judgement::CannotTell,
            finding,
            format!("{said}; the difference may be smaller or larger"),
        )
    }
}

/// Whether the first finding is the largest (smallest if `way` is −1), by independent draws from the intervals as
/// normal.
fn leads<'a>(found: &[&'a Finding], way: f64, seed: u64) -> (Judgement, &'a Finding, String) {
    let mut parts = Vec::new();
    for finding in found {
        let value = finding.value.unwrap_or(f64::NAN);
        let Some(ends) = finding.interval.as_ref().filter(|ends| ends.is_bounded()) else {
            let why = format!("{} has no interval, so no order can be drawn", finding.id);
            return (Judgement::CannotTell, found[0], why);
        };
        parts.push((
            value,
            (ends.high - ends.low) / (2.0 * normal_quantile(ends.level)),
        ));
    }
    let mut leads = vec![0_usize; parts.len()];
    for draw in 0..DRAWS {
        let mut random = Random::new(seed, draw + 1);
        let drawn: Vec<f64> = parts
            .iter()
            .map(|(value, error)| way * (value + error * gauss(&mut random)))
            .collect();
        let best = (0..drawn.len()).fold(0, |best, k| if drawn[k] > drawn[best] { k } else { best });
        leads[best] += 1;
    }
    let share = |place: usize| leads[place] as f64 / DRAWS as f64;
    let other = (1..parts.len())
        .max_by(|&a, &b| leads[a].cmp(&leads[b]))
        .unwrap_or(0);
    let why = format!(
        "{} is {} in {:.0} % of draws, {} in {:.0} %; by chance alone each would in {:.0} %",
        found[0].id,
        if way > 0.0 { "the largest" } else { "the smallest" },
        100.0 * share(0),
        found[other].id,
        100.0 * share(other),
        100.0 / parts.len() as f64
    );
    if share(0) >= SURE {
        (Judgement::Reproduced, found[0], why)
    } else if share(0) <= 1.0 - SURE && share(other) >= SURE {
        (Judgement::Contradicted, found[other], why)
    } else {
        (Judgement::CannotTell, found[0], why)
    }
}

#[cfg(test)]
#[path = "judged_tests.rs"]
mod tests;
