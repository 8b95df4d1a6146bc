//! The section on items: findings, tables and figures of the benchmarks given.

use std::collections::{BTreeMap, BTreeSet};

use super::answers::Answers;
use super::parts;
use crate::finding::{Finding, Interval, SourceOf};
use crate::section::{Section, Table};
use crate::statistics::GroupBootstrap;

/// Input of the section.
#[derive(Debug, Clone)]
pub struct ItemStudy<'a> {
    /// Answers, one entry per benchmark.
    pub answers: &'a [Answers],
    /// By benchmark: items that checkpoints are suspected to have seen.
    pub subset: Option<&'a BTreeMap<String, BTreeSet<String>>>,
    /// By benchmark: the metric by which answers are scored, where known.
    pub metrics: &'a BTreeMap<String, String>,
    /// Two checkpoints to compare.
    pub pair: Option<(&'a str, &'a str)>,
    /// Number of random tables for the test of copies.
    pub draws: usize,
    /// Familywise error rate of each list of suspects.
    pub level: f64,
    /// Number of resamples and seed of the intervals.
    pub bootstrap: GroupBootstrap,
    /// Where the rows come from.
    pub source: SourceOf,
}

/// Builds the section.
pub fn section(study: &ItemStudy<'_>) -> Section {
    let mut section = Section {
        id: "items".into(),
        title: "Items".into(),
        ..Section::default()
    };
    if let Some((a, b)) = study.pair {
        parts::pair::add(study, a, b, &mut section);
    }
    parts::difficulty::add(study, &mut section);
    parts::scores::add(study, &mut section);
    parts::copies::add(study, &mut section);
    if let Some(subset) = study.subset {
        parts::contamination::add(study, subset, &mut section);
    } else {
        section
            .text
            .push("Contamination was not tested: pass --subset with the items that may have leaked.".into());
    }
    section
}

/// The section with the comparison of the pair only; without text where the two have no benchmark in common.
pub fn compared(study: &ItemStudy<'_>) -> Section {
    let mut section = Section {
        id: "items".into(),
        title: "Items".into(),
        ..Section::default()
    };
    if let Some((a, b)) = study.pair {
        parts::pair::add(study, a, b, &mut section);
    }
    section
}

impl ItemStudy<'_> {
    /// A new finding of this study, with id `items.{rest}`.
    pub(super) fn finding(&self, rest: &str, question: String) -> Finding {
        Finding::new(format!("items.{rest}"), question, &self.source)
    }
}

/// A checkpoint's name as part of an id.
pub(super) fn slug(name: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '_'
        }
    };
    name.chars().map(plain).collect()
}

/// An empty table with these columns.
pub(super) fn table(id: &str, caption: String, columns: &[&str]) -> Table {
    Table {
        id: id.into(),
        caption,
        columns: columns.iter().map(ToString::to_string).collect(),
        rows: Vec::new(),
        shown: true,
    }
}

/// Wilson's 95 % interval (1927) of a proportion.
pub(super) fn wilson(successes: usize, n: usize) -> Option<Interval> {
    let (low, high) = common::proportions::wilson(successes, n, 1.959_963_984_540_054)?;
    Some(Interval {
        low,
        high,
        level: 0.95,
        method: "wilson".into(),
    })
}
