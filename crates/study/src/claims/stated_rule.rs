//! The rule of a claim in a file: which findings agree with it.

use serde::Deserialize;

/// What makes findings agree with a claim.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub enum StatedRule {
    /// All values above this number.
    Above(f64),
    /// All values below this number.
    Below(f64),
    /// The number itself, give or take the margin.
    Equals {
        /// The number.
        value: f64,
        /// How far off still means the same.
        margin: f64,
        /// Rows that the work counted, where it says so.
        n: Option<f64>,
    },
    /// The first of the findings is the largest.
    First,
    /// The first of the findings is the smallest.
    Last,
    /// It cannot be compared, and why.
    NotComparable(String),
    /// It cannot be tested, and why.
    NotTestable(String),
}

/// A rule as a file has it: one of these.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    above: Option<f64>,
    below: Option<f64>,
    equals: Option<Equals>,
    first: Option<bool>,
    last: Option<bool>,
    not_comparable: Option<String>,
    not_testable: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Equals {
    value: f64,
    margin: f64,
    n: Option<f64>,
}

impl TryFrom<Written> for StatedRule {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let equals = written.equals.map(|equals| Self::Equals {
            value: equals.value,
            margin: equals.margin,
            n: equals.n,
        });
        let all: Vec<Self> = [
            written.above.map(Self::Above),
            written.below.map(Self::Below),
            equals,
            written.first.filter(|first| *first).map(|_| Self::First),
            written.last.filter(|last| *last).map(|_| Self::Last),
            written.not_comparable.map(Self::NotComparable),
            written.not_testable.map(Self::NotTestable),
        ]
        .into_iter()
        .flatten()
        .collect();
        match <[Self; 1]>::try_from(all) {
            Ok([rule]) => Ok(rule),
            Err(other) => Err(format!(
                "a rule names {} of above, below, equals, first = true, last = true, not_comparable, not_testable; wanted one",
                other.len()
            )),
        }
    }
}
