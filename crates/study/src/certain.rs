//! Section that compares findings about depth, width and size on all rows with the same findings on rows whose
//! structure is known for certain (`exact` and `lineage`). A finding that holds on all rows only may be an artefact of
//! how the other structures were resolved.

use std::collections::BTreeMap;

use crate::finding::{Finding, Interval, SourceOf};
use crate::section::{Cell, Section, Table};

/// Structure columns that stand for depth, width and size.
const COLUMNS: [&str; 5] = ["layers", "d_model", "d_ffn", "heads", "size"];
/// Prefixes of the ids of findings that are always about size.
const OF_SIZE: [&str; 3] = [
    "progress.points_per_doubling.",
    "scale.slope.",
    "size_bins.step_10b",
];
/// Prefixes of the ids of findings that are about the column named in the id.
const OF_COLUMN: [&str; 3] = [
    "correlation.spearman.",
    "correlation.partial.",
    "importance.permutation.core.",
];

/// How a finding changes when only rows with certain structures are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    TurnedAround,
    OnlyOnAll,
    OnlyOnCertain,
    Holds,
    Open,
}

impl Fate {
    const ALL: [Self; 5] = [
        Self::TurnedAround,
        Self::OnlyOnAll,
        Self::OnlyOnCertain,
        Self::Holds,
        Self::Open,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::TurnedAround => "turned_around",
            Self::OnlyOnAll => "only_on_all",
            Self::OnlyOnCertain => "only_on_certain",
            Self::Holds => "holds",
            Self::Open => "open",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::TurnedAround => "sign turned around",
            Self::OnlyOnAll => "only on all rows",
            Self::OnlyOnCertain => "only on known structures",
            Self::Holds => "holds on both",
            Self::Open => "open on both",
        }
    }

    fn of(all: &Interval, certain: &Interval) -> Self {
        match (sign(all), sign(certain)) {
            (0, 0) => Self::Open,
            (_, 0) => Self::OnlyOnAll,
            (0, _) => Self::OnlyOnCertain,
            (one, other) if one == other => Self::Holds,
            _ => Self::TurnedAround,
        }
    }
}

/// The sign of all values in an interval; 0 if the interval covers 0.
fn sign(interval: &Interval) -> i8 {
    i8::from(interval.low > 0.0) - i8::from(interval.high < 0.0)
}

/// Whether a finding is about depth, width or size, and so belongs to the section.
fn is_asked(id: &str) -> bool {
    let of_column = || {
        OF_COLUMN
            .iter()
            .any(|start| id.starts_with(start) && id.split('.').any(|word| COLUMNS.contains(&word)))
    };
    OF_SIZE.iter().any(|start| id.starts_with(start)) || of_column()
}

/// Compares the findings of `all` about depth, width and size with those of `certain` that have the same ids.
/// `n_certain` and `n_all` are the numbers of evaluations on which each set rests.
pub fn section(all: &[&Finding], certain: &[&Finding], n_certain: usize, n_all: usize) -> Section {
    let by_id: BTreeMap<&str, &Finding> = certain
        .iter()
        .map(|finding| (finding.id.as_str(), *finding))
        .collect();
    let mut pairs = Vec::new();
    let mut unpaired = 0;
    for one in all.iter().filter(|one| is_asked(&one.id)) {
        let other = by_id.get(one.id.as_str());
        match other.and_then(|other| Some((*other, one.interval.as_ref()?, other.interval.as_ref()?))) {
            Some((other, whole, part)) => pairs.push((*one, other, Fate::of(whole, part))),
            None => unpaired += 1,
        }
    }
    pairs.sort_by(|a, b| (a.2, &a.0.id).cmp(&(b.2, &b.0.id)));
    let source = SourceOf {
        work: "all leaderboards".into(),
        place: "structures resolved as `exact` or `lineage`".into(),
    };
    let mut findings: Vec<Finding> = Fate::ALL
        .into_iter()
        .map(|fate| {
            let count = pairs.iter().filter(|pair| pair.2 == fate).count();
            let question = format!(
                "How many findings about depth, width and size are: {}?",
                fate.words()
            );
            Finding::new(format!("certain.count.{}", fate.name()), question, &source)
                .with_value(count as f64, "findings", pairs.len(), "count")
                .with_note(format!(
                    "{unpaired} more have no interval on one of the two sets of rows"
                ))
        })
        .collect();
    findings.extend(pairs.iter().map(|(one, other, fate)| {
        let mut finding = (*other).clone();
        finding.id = format!("certain.{}", one.id);
        finding.question = format!(
            "{}, on structures known for certain alone?",
            one.question.trim_end_matches('?')
        );
        finding.source.place = format!(
            "{}, structures resolved as `exact` or `lineage`",
            one.source.place
        );
        (finding.published, finding.verdict, finding.figure) = (None, None, None);
        finding.notes = vec![format!("{}; on all rows {}", fate.words(), said(one))];
        finding
    }));
    let rows = pairs.iter().map(|(one, other, fate)| {
        let mut row = vec![Cell::from(one.id.as_str()), Cell::from(one.unit.as_str())];
        for finding in [one, other] {
            let ends = finding.interval.as_ref();
            row.extend([
                Cell::from(finding.value),
                Cell::from(ends.map(|ends| ends.low)),
                Cell::from(ends.map(|ends| ends.high)),
                Cell::from(finding.n),
            ]);
        }
        row.push(Cell::from(fate.words()));
        row
    });
    let table = Table {
        id: "certain".into(),
        caption: format!(
            "Findings about depth, width and size on all rows, and on those whose structure is known for certain \
             (its own config or its declared base's): {n_certain} of {n_all} evaluations of the leaderboards. 95 % intervals. \
             importance.permutation is a drop in R² on unseen shapes, not the importance that is stated of a column (importance.mdi)."
        ),
        columns: [
            "finding",
            "unit",
            "all rows",
            "low",
            "high",
            "n",
            "known structures",
            "low ",
            "high ",
            "n ",
            "what becomes of it",
        ]
        .map(String::from)
        .to_vec(),
        rows: rows.collect(),
        shown: true,
    };
    let text = words(&pairs, n_certain, n_all);
    Section {
        id: "certain".into(),
        title: "Only structures known for certain".into(),
        text,
        findings,
        tables: vec![table],
        figures: Vec::new(),
    }
}

fn words(pairs: &[(&Finding, &Finding, Fate)], n_certain: usize, n_all: usize) -> Vec<String> {
    let count = |fate| pairs.iter().filter(|pair| pair.2 == fate).count();
    let clear = pairs.iter().filter(|pair| sign_of(pair.0) != 0).count();
    let mut text = vec![format!(
        "Of {n_all} evaluations, {n_certain} are of checkpoints whose structure is known by their own config or their \
         declared base; the others' was resolved from names and sizes. Of {} findings about depth, width and size, {clear} have \
         an interval that leaves 0 on all rows; of these {} hold on known structures alone, {} do not any more, and {} turn around. \
         {} are clear on known structures alone.",
        pairs.len(),
        count(Fate::Holds),
        count(Fate::OnlyOnAll),
        count(Fate::TurnedAround),
        count(Fate::OnlyOnCertain),
    )];
    let turned: Vec<&str> = pairs
        .iter()
        .filter(|pair| pair.2 == Fate::TurnedAround)
        .map(|pair| pair.0.id.as_str())
        .collect();
    if !turned.is_empty() {
        text.push(format!("Turned around: {}.", turned.join(", ")));
    }
    text.push(
        "What holds on all rows only may be of how structures were resolved, of which checkpoints people tune, or of fewer \
         rows: an interval that covers 0 is no proof of 0."
            .into(),
    );
    text
}

fn sign_of(finding: &Finding) -> i8 {
    finding.interval.as_ref().map_or(0, sign)
}

fn said(finding: &Finding) -> String {
    match (finding.value, &finding.interval) {
        (Some(value), Some(ends)) => {
            format!("{value:.3} [{:.3}, {:.3}], n {}", ends.low, ends.high, finding.n)
        }
        _ => "no value".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(id: &str, ends: Option<(f64, f64)>) -> Finding {
        let source = SourceOf {
            work: "made up".into(),
            place: "rows".into(),
        };
        let interval = ends.map(|(low, high)| Interval {
            low,
            high,
            level: 0.95,
            method: "made up".into(),
        });
        let middle = ends.map_or(f64::NAN, |(low, high)| f64::midpoint(low, high));
        Finding::new(id, "made up?", &source)
            .with_value(middle, "points", 10, "mean")
            .with_interval(interval)
    }

    #[test]
    fn each_pair_has_its_fate() {
        let all = [
            finding("correlation.spearman.layers.arc", Some((0.1, 0.3))),
            finding("correlation.partial.size.arc", Some((0.1, 0.3))),
            finding("progress.points_per_doubling.v1.arc", Some((1.0, 3.0))),
            finding("importance.permutation.core.arc.d_ffn", Some((-0.1, 0.3))),
            finding("scale.slope.raw", Some((-1.0, 3.0))),
            finding("correlation.spearman.heads.arc", None),
            // About none of them.
            finding("correlation.spearman.pos.arc", Some((0.1, 0.3))),
            finding("correlation.spearman.arc.mmlu", Some((0.1, 0.3))),
        ];
        let certain = [
            finding("correlation.spearman.layers.arc", Some((-0.1, 0.3))),
            finding("correlation.partial.size.arc", Some((-0.4, -0.2))),
            finding("progress.points_per_doubling.v1.arc", Some((2.0, 3.0))),
            finding("importance.permutation.core.arc.d_ffn", Some((0.1, 0.3))),
            finding("scale.slope.raw", Some((-2.0, 3.0))),
            finding("correlation.spearman.heads.arc", Some((0.1, 0.3))),
            finding("correlation.spearman.pos.arc", Some((0.1, 0.3))),
        ];
        let (all, certain): (Vec<_>, Vec<_>) = (all.iter().collect(), certain.iter().collect());
        let section = section(&all, &certain, 3, 9);
        let count = |name: &str| {
            let id = format!("certain.count.{name}");
            let found = section.findings.iter().find(|finding| finding.id == id);
            found.and_then(|finding| finding.value)
        };
        for fate in Fate::ALL {
            assert_eq!(count(fate.name()), Some(1.0), "{fate:?}");
        }
        assert_eq!(section.tables[0].rows.len(), 5);
        assert!(
            section.text[0].contains("3 have an interval that leaves 0"),
            "{:?}",
            section.text
        );
        let told = section
            .findings
            .iter()
            .find(|f| f.id == "certain.correlation.spearman.layers.arc");
        assert!(told.is_some_and(|told| {
            told.notes[0].starts_with("only on all rows; on all rows 0.200 [0.100, 0.300]")
        }));
    }
}
