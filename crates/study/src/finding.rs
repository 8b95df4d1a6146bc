//! A finding: one question answered, ready to publish.
//!
//! A number never leaves without n, unit, method, protocol and seed, so none of these fields is optional where
//! the number has one. The same struct feeds the report, the dashboard and `--format json`.

use serde::{Deserialize, Deserializer, Serialize};

/// An interval around a value.
///
/// An end may be infinite: nothing bounds the value on that side. JSON has no such number and shows null, which is read as
/// infinite again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end, in the value's unit.
    #[serde(deserialize_with = "low_end")]
    pub low: f64,
    /// Upper end, in the value's unit.
    #[serde(deserialize_with = "high_end")]
    pub high: f64,
    /// Confidence level as a fraction, for example 0.95.
    pub level: f64,
    /// How it was made: `welch`, `bootstrap over shapes (1000)` …
    pub method: String,
}

impl Interval {
    /// Whether it has both ends.
    pub fn is_bounded(&self) -> bool {
        self.low.is_finite() && self.high.is_finite()
    }

    /// Whether the number lies between the ends, the ends themselves included.
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

/// What our number says of a published one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Ours agrees within the stated tolerance.
    Reproduced,
    /// Ours does not, and its interval, where it has one, leaves the published number out.
    Differs,
    /// Ours does not, but its interval covers the published number: these data leave both outcomes open.
    CannotTell,
    /// The data at hand have no such number.
    NotTestable,
}

impl Verdict {
    /// What is said of a number that was claimed, or of a threshold, where `holds` is whether ours agrees with the claim.
    pub fn of(holds: bool, claimed: f64, interval: Option<&Interval>) -> Self {
        match interval {
            _ if holds => Self::Reproduced,
            Some(interval) if interval.covers(claimed) => Self::CannotTell,
            _ => Self::Differs,
        }
    }

    /// As it is written in tables and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reproduced => "reproduced",
            Self::Differs => "differs",
            Self::CannotTell => "cannot_tell",
            Self::NotTestable => "not_testable",
        }
    }

    /// As people read it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Reproduced => "agrees",
            Self::Differs => "contradicted",
            Self::CannotTell => "not excluded",
            Self::NotTestable => "untestable",
        }
    }

    /// The verdict of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.name() == name)
    }

    /// Every one, in the order in which they are counted.
    pub const ALL: [Self; 4] = [
        Self::Reproduced,
        Self::Differs,
        Self::CannotTell,
        Self::NotTestable,
    ];
}

/// The number a work printed, and how near ours must be to count as the same.
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
    /// Rows the work counted, where it says so.
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

/// One question answered.
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
    /// How sure.
    pub interval: Option<Interval>,
    /// Rows the value rests on.
    pub n: usize,
    /// What was computed: `welch t`, `random_forest`, `mean` …
    pub method: String,
    /// How training and test rows were divided, or `all_rows`.
    pub protocol: String,
    /// The feature columns used, empty where none.
    pub features: Vec<String>,
    /// Seed of what is random in it; `None` where nothing is.
    pub seed: Option<u64>,
    /// Where the rows come from.
    pub source: SourceOf,
    /// The published number it answers.
    pub published: Option<Published>,
    /// What ours says of it.
    pub verdict: Option<Verdict>,
    /// File of the figure that shows it.
    pub figure: Option<String>,
    /// What a reader must know besides.
    pub notes: Vec<String>,
}

impl Finding {
    /// A finding about all rows of a source, to be completed by the `with_` methods.
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

    /// The answer, its unit, the rows it rests on and what was computed. A value that is not finite is no answer.
    #[must_use]
    pub fn with_value(mut self, value: f64, unit: &str, n: usize, method: &str) -> Self {
        self.value = value.is_finite().then_some(value);
        self.unit = unit.into();
        self.n = n;
        self.method = method.into();
        self
    }

    /// The interval around it.
    #[must_use]
    pub fn with_interval(mut self, interval: Option<Interval>) -> Self {
        self.interval = interval;
        self.judged()
    }

    /// The seed of what is random in the value or its interval.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// How training and test rows were divided, and the features.
    #[must_use]
    pub fn with_protocol(mut self, protocol: &str, features: &[String]) -> Self {
        self.protocol = protocol.into();
        self.features = features.to_vec();
        self
    }

    /// The file of the figure that shows it.
    #[must_use]
    pub fn with_figure(mut self, figure: &str) -> Self {
        self.figure = Some(format!("figures/{figure}.svg"));
        self
    }

    /// What a reader must know besides.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Sets a published number beside ours and says whether ours agrees within its tolerance.
    #[must_use]
    pub fn with_published(mut self, published: Option<Published>) -> Self {
        self.published = published;
        self.judged()
    }

    /// With the verdict that value, interval and published number give.
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
