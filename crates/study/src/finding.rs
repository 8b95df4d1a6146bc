//! A finding: the answer to one question, ready to publish.
//!
//! A number is never published without n, unit, method, protocol and seed, so none of these fields is optional where it
//! applies. The same struct feeds the report, the dashboard and `--format json`.

use serde::{Deserialize, Deserializer, Serialize};

/// An interval around a value.
///
/// A limit may be infinite: the value is unbounded on that side. JSON cannot represent infinity, so such a limit is
/// written as null, and null is read back as infinity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower limit, in the value's unit.
    #[serde(deserialize_with = "low_end")]
    pub low: f64,
    /// Upper limit, in the value's unit.
    #[serde(deserialize_with = "high_end")]
    pub high: f64,
    /// Confidence level as a fraction, for example 0.95.
    pub level: f64,
    /// How the interval was computed: `welch`, `bootstrap over shapes (1000)` …
    pub method: String,
}

impl Interval {
    /// Whether both limits are finite.
    pub fn is_bounded(&self) -> bool {
        self.low.is_finite() && self.high.is_finite()
    }

    /// Whether the number lies within the limits, limits included.
    pub fn covers(&self, number: f64) -> bool {
        self.low <= number && number <= self.high
    }
}

fn low_end<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or(f64::NEG_INFINITY))
}

fn high_end<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or(f64::INFINITY))
}

/// How our number compares with a published one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Our number agrees within the stated tolerance.
    Reproduced,
    /// Our number does not agree, and it has no interval or one that excludes the published number.
    Differs,
    /// Our number does not agree, but its interval covers the published number: the data leave both outcomes open.
    CannotTell,
    /// The data at hand do not give this number.
    NotTestable,
}

impl Verdict {
    /// The verdict on a claimed number or threshold; `holds` says whether our number agrees with the claim.
    pub fn of(holds: bool, claimed: f64, interval: Option<&Interval>) -> Self {
        match interval {
            _ if holds => Self::Reproduced,
            Some(interval) if interval.covers(claimed) => Self::CannotTell,
            _ => Self::Differs,
        }
    }

    /// The name used in tables and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reproduced => "reproduced",
            Self::Differs => "differs",
            Self::CannotTell => "cannot_tell",
            Self::NotTestable => "not_testable",
        }
    }

    /// The wording shown to readers.
    pub fn words(self) -> &'static str {
        match self {
            Self::Reproduced => "agrees",
            Self::Differs => "contradicted",
            Self::CannotTell => "not excluded",
            Self::NotTestable => "untestable",
        }
    }

    /// `n` such verdicts, as people read it: `1 agrees`, `24 agree`.
    pub fn counted(self, n: usize) -> String {
        counted(n, self.words())
    }

    /// The verdict of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.name() == name)
    }

    /// All verdicts, in the order in which they are counted.
    pub const ALL: [Self; 4] = [
        Self::Reproduced,
        Self::Differs,
        Self::CannotTell,
        Self::NotTestable,
    ];
}

/// `n` verdicts in these words, with the verb in the plural where there are several.
pub(crate) fn counted(n: usize, words: &str) -> String {
    match words {
        "agrees" if n != 1 => format!("{n} agree"),
        _ => format!("{n} {words}"),
    }
}

/// A number printed in a published work, and how close ours must be to count as the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Published {
    /// The number, in the finding's unit.
    pub value: f64,
    /// The work, for example `arXiv 2509.18136`.
    pub work: String,
    /// Table, figure or section.
    pub place: String,
    /// Largest absolute difference that counts as reproduced.
    pub tolerance: f64,
    /// Number of rows the work used, where it states it.
    pub n: Option<usize>,
}

/// Where the rows come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceOf {
    /// The work or table, for example `open-llm-leaderboard-v2`.
    pub work: String,
    /// Table, column, section.
    pub place: String,
}

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Dotted, stable, lower case: `scale.mean.small`.
    pub id: String,
    /// The question in words.
    pub question: String,
    /// The answer; `None` where the data cannot give one (say why in `notes`).
    pub value: Option<f64>,
    /// Unit of `value`: `points`, `rows`, `fraction`, `1` for a pure number …
    pub unit: String,
    /// Interval around the value, where there is one.
    pub interval: Option<Interval>,
    /// Rows the value rests on.
    pub n: usize,
    /// What was computed: `welch t`, `random_forest`, `mean` …
    pub method: String,
    /// How training and test rows were divided, or `all_rows`.
    pub protocol: String,
    /// The feature columns used, empty where none.
    pub features: Vec<String>,
    /// Seed of the random parts of the computation; `None` where nothing is random.
    pub seed: Option<u64>,
    /// Where the rows come from.
    pub source: SourceOf,
    /// The published number that this finding is compared with.
    pub published: Option<Published>,
    /// How our value compares with the published one; `None` where there is no published one.
    pub verdict: Option<Verdict>,
    /// File of the figure that shows it.
    pub figure: Option<String>,
    /// Remarks that a reader must know.
    pub notes: Vec<String>,
}

impl Finding {
    /// A finding about all rows of a source, without a value yet; complete it with the `with_` methods.
    pub fn new(id: impl Into<String>, question: impl Into<String>, source: &SourceOf) -> Self {
        Self {
            id: id.into(),
            question: question.into(),
            value: None,
            unit: "1".into(),
            interval: None,
            n: 0,
            method: String::new(),
            protocol: "all_rows".into(),
            features: Vec::new(),
            seed: None,
            source: source.clone(),
            published: None,
            verdict: None,
            figure: None,
            notes: Vec::new(),
        }
    }

    /// Sets the value, its unit, the rows it rests on and the method. A value that is not finite becomes `None`.
    #[must_use]
    pub fn with_value(mut self, value: f64, unit: &str, n: usize, method: &str) -> Self {
        self.value = value.is_finite().then_some(value);
        self.unit = unit.into();
        self.n = n;
        self.method = method.into();
        self
    }

    /// Sets the interval around the value.
    #[must_use]
    pub fn with_interval(mut self, interval: Option<Interval>) -> Self {
        self.interval = interval;
        self.judged()
    }

    /// Sets the seed of the random parts of the value or its interval.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Sets the protocol that divided training and test rows, and the features.
    #[must_use]
    pub fn with_protocol(mut self, protocol: &str, features: &[String]) -> Self {
        self.protocol = protocol.into();
        self.features = features.to_vec();
        self
    }

    /// Sets the file of the figure that shows the finding.
    #[must_use]
    pub fn with_figure(mut self, figure: &str) -> Self {
        self.figure = Some(format!("figures/{figure}.svg"));
        self
    }

    /// Adds a remark that a reader must know.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Sets the published number and the verdict on whether ours agrees with it within its tolerance.
    #[must_use]
    pub fn with_published(mut self, published: Option<Published>) -> Self {
        self.published = published;
        self.judged()
    }

    /// Recomputes the verdict from the value, the interval and the published number.
    fn judged(mut self) -> Self {
        self.verdict = self.published.as_ref().map(|theirs| match self.value {
            Some(ours) => {
                let holds = (ours - theirs.value).abs() <= theirs.tolerance;
                Verdict::of(holds, theirs.value, self.interval.as_ref())
            }
            None => Verdict::NotTestable,
        });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(value: f64, interval: Option<(f64, f64)>) -> [Option<Verdict>; 2] {
        let source = SourceOf {
            work: "made up".into(),
            place: "rows".into(),
        };
        let interval = interval.map(|(low, high)| Interval {
            low,
            high,
            level: 0.95,
            method: "test".into(),
        });
        let published = Some(Published {
            value: 10.0,
            work: "made up".into(),
            place: "Table 1".into(),
            tolerance: 0.5,
            n: None,
        });
        let bare = Finding::new("a.b", "?", &source).with_value(value, "points", 20, "mean");
        let last = bare
            .clone()
            .with_interval(interval.clone())
            .with_published(published.clone());
        let first = bare.with_published(published).with_interval(interval);
        [last.verdict, first.verdict]
    }

    #[test]
    fn a_printed_number_inside_the_interval_does_not_differ() {
        let both = |verdict| [Some(verdict); 2];
        assert_eq!(judged(12.0, Some((9.0, 15.0))), both(Verdict::CannotTell));
        assert_eq!(judged(12.0, Some((10.0, 15.0))), both(Verdict::CannotTell));
        assert_eq!(judged(12.0, Some((11.0, 13.0))), both(Verdict::Differs));
        assert_eq!(judged(10.4, Some((9.0, 15.0))), both(Verdict::Reproduced));
        assert_eq!(judged(12.0, None), both(Verdict::Differs));
        assert_eq!(judged(f64::NAN, Some((9.0, 15.0))), both(Verdict::NotTestable));
    }
}
