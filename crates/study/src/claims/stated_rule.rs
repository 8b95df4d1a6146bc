//! Rules by which findings are compared with a claim, as read from a file.

use serde::Deserialize;

/// When findings agree with a claim.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub enum StatedRule {
    /// All values above this number.
    Above(f64),
    /// All values below this number.
    Below(f64),
    /// Equal to the number, within the margin.
    Equals {
        /// The claimed number.
        value: f64,
        /// Largest difference that counts as equal.
        margin: f64,
        /// Number of rows of the work, where stated.
        n: Option<f64>,
    },
    /// The first of the findings is the largest.
    First,
    /// The first of the findings is the smallest.
    Last,
    /// Not comparable, with the reason.
    NotComparable(String),
    /// Not testable, with the reason.
    NotTestable(String),
}

/// A rule as written in a file; exactly one field must be present.
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
