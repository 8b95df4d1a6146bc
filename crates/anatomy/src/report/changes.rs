//! Compares the findings with those of an earlier report.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use study::finding::{Finding, SourceOf, Verdict};
use study::section::{Cell, Section, Table};

use super::verdict_name;

/// Id of the section.
pub(crate) const ID: &str = "changes";

/// Relative differences below this count as rounding.
const SAME: f64 = 1e-9;

/// Maximum number of rows shown; the table's file has all.
const SHOWN: usize = 40;

/// Findings of an earlier report.
pub(crate) struct Earlier {
    by_id: BTreeMap<String, Finding>,
    /// The condition on its rows, taken from its command.
    condition: Option<String>,
}

#[derive(Deserialize)]
struct File {
    schema_version: u32,
    findings: Vec<Finding>,
    #[serde(default)]
    provenance: FileProvenance,
}

#[derive(Default, Deserialize)]
struct FileProvenance {
    #[serde(default)]
    command: String,
}

/// The argument of `--where` in a command.
fn condition_of(command: &str) -> Option<String> {
    let (_, rest) = command.split_once("--where")?;
    let rest = rest.trim_start_matches(['=', ' ']);
    let text = match rest.chars().next()? {
        quote @ ('"' | '\'') => rest[1..].split(quote).next()?,
        _ => rest.split(' ').next()?,
    };
    Some(text.to_owned())
}

/// Reads a `findings.json`.
pub(crate) fn read(path: &Path) -> Result<Earlier> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let file: File = serde_json::from_slice(&bytes)
        .with_context(|| format!("{} is not a findings.json of a report", path.display()))?;
    anyhow::ensure!(
        file.schema_version == crate::provenance::SCHEMA_VERSION,
        "{} has schema version {}, this program writes {}",
        path.display(),
        file.schema_version,
        crate::provenance::SCHEMA_VERSION
    );
    Ok(Earlier {
        condition: condition_of(&file.provenance.command),
        by_id: file
            .findings
            .into_iter()
            .map(|finding| (finding.id.clone(), finding))
            .collect(),
    })
}

/// A finding that was added, removed or changed.
struct Change<'a> {
    id: &'a str,
    was: Option<&'a Finding>,
    is: Option<&'a Finding>,
}

impl Change<'_> {
    fn values(&self) -> [Option<f64>; 2] {
        [self.was, self.is].map(|finding| finding.and_then(|finding| finding.value))
    }

    fn verdicts(&self) -> [Option<Verdict>; 2] {
        [self.was, self.is].map(|finding| finding.and_then(|finding| finding.verdict))
    }

    /// Kind of change, the most important first: 0 verdict, 1 outside the earlier interval, 2 within, 3 new, 4 gone.
    fn kind(&self) -> (u8, &'static str) {
        let (Some(was), Some(is)) = (self.was, self.is) else {
            return if self.was.is_none() {
                (3, "new")
            } else {
                (4, "gone")
            };
        };
        if was.verdict != is.verdict {
            return (0, "verdict");
        }
        let outside = match (&was.interval, is.value) {
            (Some(interval), Some(value)) => value < interval.low || value > interval.high,
            _ => true,
        };
        if outside {
            (1, "outside the earlier interval")
        } else {
            (2, "within the earlier interval")
        }
    }

    fn row(&self) -> Vec<Cell> {
        let [was, is] = self.values();
        let [verdict_was, verdict_is] = self
            .verdicts()
            .map(|verdict| verdict.map_or(Cell::Missing, |v| verdict_name(v).into()));
        vec![
            self.id.into(),
            self.kind().1.into(),
            was.into(),
            is.into(),
            was.zip(is).map(|(was, is)| is - was).into(),
            verdict_was,
            verdict_is,
        ]
    }
}

/// The section on changes: counts in words, then the most important changes.
pub(crate) fn section<'a>(
    path: &str,
    earlier: &'a Earlier,
    condition: Option<&str>,
    now: impl Iterator<Item = &'a Finding>,
) -> Section {
    let now: BTreeMap<&str, &Finding> = now.map(|finding| (finding.id.as_str(), finding)).collect();
    let mut changes: Vec<Change<'_>> = Vec::new();
    let mut same = 0;
    for (&id, &is) in &now {
        let was = earlier.by_id.get(id);
        match was {
            Some(was) if is_same(was, is) => same += 1,
            _ => changes.push(Change {
                id,
                was,
                is: Some(is),
            }),
        }
    }
    changes.extend(
        earlier
            .by_id
            .iter()
            .filter(|(id, _)| !now.contains_key(id.as_str()))
            .map(|(id, was)| Change {
                id,
                was: Some(was),
                is: None,
            }),
    );
    changes.sort_by_key(|change| (change.kind().0, change.id));
    let count = |kind: u8| changes.iter().filter(|change| change.kind().0 == kind).count();
    let source = SourceOf {
        work: path.into(),
        place: "findings".into(),
    };
    let counts = [
        ("same", same),
        ("verdict", count(0)),
        ("outside", count(1)),
        ("within", count(2)),
        ("new", count(3)),
        ("gone", count(4)),
    ];
    let findings = counts
        .iter()
        .map(|(kind, n)| {
            Finding::new(
                format!("{ID}.{kind}"),
                format!("How many findings against {path}: {kind}?"),
                &source,
            )
            .with_value(*n as f64, "findings", now.len(), "count")
        })
        .collect();
    let table = |id: &str, rows: &[Change<'_>], shown: bool| Table {
        id: id.into(),
        caption: format!(
            "The {} weightiest of {} changes since {path}.",
            rows.len(),
            changes.len()
        ),
        columns: [
            "finding",
            "change",
            "was",
            "is",
            "difference",
            "verdict was",
            "verdict is",
        ]
        .map(String::from)
        .to_vec(),
        rows: rows.iter().map(Change::row).collect(),
        shown,
    };
    let rows = |condition: Option<&str>| {
        condition.map_or("all rows".to_owned(), |text| format!("rows where {text}"))
    };
    let unlike = (earlier.condition.as_deref() != condition).then(|| {
        format!(
            "The two are of different rows: the earlier of {}, this one of {}. What changed may be that alone, and verdicts are given on \
             all rows only.",
            rows(earlier.condition.as_deref()),
            rows(condition)
        )
    });
    let mut section = Section {
        id: ID.into(),
        title: "What changed".into(),
        text: vec![format!(
            "Since {path}: {same} findings are the same; {} changed their verdict, {} left their earlier interval, {} moved \
             within it; {} are new and {} gone.",
            counts[1].1, counts[2].1, counts[3].1, counts[4].1, counts[5].1
        )],
        findings,
        tables: vec![
            table("changes", &changes[..changes.len().min(SHOWN)], true),
            table("changes-all", &changes, false),
        ],
        ..Section::default()
    };
    section.text.extend(unlike);
    section
}

fn is_same(was: &Finding, is: &Finding) -> bool {
    let near = match (was.value, is.value) {
        (Some(a), Some(b)) => (a - b).abs() <= SAME * a.abs().max(b.abs()),
        (None, None) => true,
        _ => false,
    };
    near && was.verdict == is.verdict
}
