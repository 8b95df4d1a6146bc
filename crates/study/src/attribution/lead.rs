//! Decides which column ranks first in importance, or which comes closest where none does so reliably.

use crate::finding::Finding;

/// Share of bootstrap draws in which a column must rank first to be called first.
pub const SURE: f64 = 0.95;

/// Ranking of the columns of one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Lead<'a> {
    /// The column called first: it ranks first in at least [`SURE`] of the draws and its lower limit is above 0.
    /// Without shares of draws, its lower limit must instead be above every other column's upper limit, and above 0.
    pub first: Option<&'a str>,
    /// The column that ranks first most often, or without draws has the largest value; `None` on a tie or if none is
    /// above 0.
    pub closest: Option<&'a str>,
    /// The column with the largest value on all rows; `None` on a tie or if none is above 0.
    pub largest: Option<&'a str>,
    /// Share of draws in which `closest` ranks first; `None` where no draws are known.
    pub share: Option<f64>,
    /// Columns that, by the draws or the intervals, are not first.
    pub not_first: Vec<&'a str>,
    /// The first finding used, for its n and method.
    pub of: &'a Finding,
}

impl Lead<'_> {
    /// In words: `layers`, or `cannot tell (closest: layers, leads in 48 % of resamples of shapes)`.
    pub fn words(&self) -> String {
        let share = self.share.map_or(String::new(), |share| {
            format!("leads in {:.0} % of resamples of shapes", 100.0 * share)
        });
        match (self.first, self.closest) {
            (Some(first), _) if share.is_empty() => first.to_owned(),
            (Some(first), _) => format!("{first} ({share})"),
            (None, None) => "cannot tell (a tie, or nothing above 0)".to_owned(),
            (None, Some(closest)) if share.is_empty() => format!("cannot tell (closest: {closest})"),
            (None, Some(closest)) => {
                // Resamples and all rows may disagree on the largest.
                let rows = self.largest.filter(|largest| *largest != closest);
                let rows = rows.map_or(String::new(), |largest| {
                    format!("; on all rows {largest} has the largest value")
                });
                format!("cannot tell (closest: {closest}, {share}{rows})")
            }
        }
    }
}

/// Ranks the columns of a target by `kind` of importance; `None` where there are no findings.
pub fn lead<'a>(
    findings: impl IntoIterator<Item = &'a Finding>,
    kind: &str,
    set: &str,
    target: &str,
) -> Option<Lead<'a>> {
    lead_among(findings, kind, set, target, |_| true)
}

/// As [`lead`], restricted to the columns that `is_asked` accepts; shares of draws are used only if it accepts all.
pub fn lead_among<'a>(
    findings: impl IntoIterator<Item = &'a Finding>,
    kind: &str,
    set: &str,
    target: &str,
    is_asked: impl Fn(&str) -> bool,
) -> Option<Lead<'a>> {
    let prefix = format!("importance.{kind}.{set}.{target}.");
    let shares = format!("importance.first_share.{set}.{target}.");
    let (mut columns, mut drawn, mut are_all) = (Vec::new(), Vec::new(), true);
    for finding in findings {
        let Some(value) = finding.value else { continue };
        if let Some(name) = finding.id.strip_prefix(&prefix) {
            if is_asked(name) {
                columns.push((name, value, finding));
            } else {
                are_all = false;
            }
        } else if let Some(name) = finding.id.strip_prefix(&shares)
            && kind == "mdi"
        {
            drawn.push((name, value));
        }
    }
    if !are_all {
        drawn.clear();
    }
    let of = columns.first()?.2;
    let low = |finding: &Finding| finding.interval.as_ref().map_or(f64::NEG_INFINITY, |i| i.low);
    let high = |finding: &Finding| finding.interval.as_ref().map_or(f64::INFINITY, |i| i.high);
    let is_above_all = |name: &str, finding: &Finding| {
        let mut others = columns.iter().filter(|other| other.0 != name);
        others.all(|other| low(finding) > high(other.2))
    };
    let share_of = |name: &str| {
        drawn
            .iter()
            .find(|(other, _)| *other == name)
            .map(|found| found.1)
    };
    let is_sure = |name: &str, finding: &Finding| {
        low(finding) > 0.0
            && share_of(name).map_or_else(|| is_above_all(name, finding), |share| share >= SURE)
    };
    let first = columns.iter().find(|(name, _, finding)| is_sure(name, finding));
    let first = first.map(|column| column.0);
    let ranked: Vec<(&str, f64)> = if drawn.is_empty() {
        columns.iter().map(|column| (column.0, column.1)).collect()
    } else {
        columns
            .iter()
            .map(|column| (column.0, share_of(column.0).unwrap_or(0.0)))
            .collect()
    };
    let closest = largest(&ranked);
    let values: Vec<(&str, f64)> = columns.iter().map(|column| (column.0, column.1)).collect();
    let is_not_first = |name: &str, finding: &Finding| {
        first.is_some_and(|first| first != name)
            || share_of(name).is_some_and(|share| share <= 1.0 - SURE)
            || columns.iter().any(|other| low(other.2) > high(finding))
    };
    Some(Lead {
        first,
        closest,
        largest: largest(&values),
        share: closest.and_then(share_of),
        not_first: columns
            .iter()
            .filter(|(name, _, finding)| is_not_first(name, finding))
            .map(|column| column.0)
            .collect(),
        of,
    })
}

/// The name with the largest value; `None` on a tie or where no value is above 0.
fn largest<'a>(values: &[(&'a str, f64)]) -> Option<&'a str> {
    let most = values.iter().map(|value| value.1).fold(0.0, f64::max);
    let mut holders = values.iter().filter(|value| value.1 == most);
    match (holders.next(), holders.next()) {
        (Some(only), None) if most > 0.0 => Some(only.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Interval, SourceOf};

    fn found(kind: &str, column: &str, value: f64, ends: Option<(f64, f64)>) -> Finding {
        let source = SourceOf {
            work: "test".into(),
            place: "rows".into(),
        };
        Finding::new(format!("importance.{kind}.core.mmlu.{column}"), "?", &source)
            .with_value(value, "fraction", 50, "test")
            .with_interval(ends.map(|(low, high)| Interval {
                low,
                high,
                level: 0.95,
                method: "test".into(),
            }))
    }

    #[test]
    fn nothing_is_first_on_a_tie_at_zero() {
        let all = ["layers", "d_ffn", "heads"].map(|name| found("permutation", name, 0.0, Some((0.0, 0.0))));
        let said = lead(&all, "permutation", "core", "mmlu").expect("three");
        assert_eq!((said.first, said.closest), (None, None));
        assert_eq!(said.words(), "cannot tell (a tie, or nothing above 0)");
    }

    #[test]
    fn the_share_is_of_the_column_named() {
        let all = [
            found("mdi", "layers", 0.30, Some((0.1, 0.6))),
            found("mdi", "d_ffn", 0.35, Some((0.1, 0.6))),
            found("first_share", "layers", 0.475, None),
            found("first_share", "d_ffn", 0.35, None),
        ];
        let said = lead(&all, "mdi", "core", "mmlu").expect("two");
        assert_eq!(said.first, None);
        assert_eq!((said.closest, said.share), (Some("layers"), Some(0.475)));
        assert!(said.not_first.is_empty());
        assert_eq!(
            said.words(),
            "cannot tell (closest: layers, leads in 48 % of resamples of shapes; on all rows d_ffn has the largest value)"
        );
    }

    #[test]
    fn first_needs_the_draws_and_a_lower_end_above_zero() {
        let of = |low: f64| {
            [
                found("mdi", "layers", 0.7, Some((low, 0.9))),
                found("mdi", "d_ffn", 0.3, Some((0.1, 0.4))),
                found("first_share", "layers", 0.975, None),
                found("first_share", "d_ffn", 0.025, None),
            ]
        };
        let (sure, unsure) = (of(0.5), of(0.0));
        let said = lead(&sure, "mdi", "core", "mmlu").expect("two");
        assert_eq!((said.first, said.not_first), (Some("layers"), vec!["d_ffn"]));
        assert_eq!(lead(&unsure, "mdi", "core", "mmlu").expect("two").first, None);
    }
}
