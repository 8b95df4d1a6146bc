//! Adds figures to sections without any, drawn from their findings.

use study::finding::Finding;
use study::section::{Axis, Bar, Drawing, Figure, Section};

/// Adds the missing figures.
pub(super) fn add(sections: &mut [Section]) {
    for section in sections.iter_mut().filter(|section| section.figures.is_empty()) {
        let made = match section.id.as_str() {
            "controlled" => controlled(&section.findings),
            "pooled" => pooled(&section.findings),
            _ => None,
        };
        section.figures.extend(made);
    }
}

/// Effects of parts at fixed operations per token, with simultaneous intervals over all benchmarks.
fn controlled(findings: &[Finding]) -> Option<Figure> {
    let rows: Vec<(&Finding, Bar)> = findings
        .iter()
        .filter_map(|finding| {
            let rest = finding.id.strip_prefix("controlled.simultaneous.")?;
            let (suite, part_and_benchmark) = rest.split_once(".flops_token.")?;
            let (part, benchmark) = part_and_benchmark.split_once('.')?;
            Some((
                finding,
                bar(finding, format!("{part}, {suite}"), benchmark.to_owned())?,
            ))
        })
        .collect();
    drawn(
        "controlled-at-once",
        "What a doubling buys at fixed operations per token",
        "Points that a doubling of the part buys in runs that differ in nothing else, operations per token fixed; bars are 95 % \
         intervals that hold for all benchmarks at once.",
        "points per doubling",
        rows,
        0.0,
    )
}

/// R² of a board's mean on unseen shapes and families.
fn pooled(findings: &[Finding]) -> Option<Figure> {
    let rows: Vec<(&Finding, Bar)> = findings
        .iter()
        .filter_map(|finding| {
            let (board, protocol) = finding.id.strip_prefix("pooled.r2.shapes.")?.split_once('.')?;
            let unseen = match protocol {
                "shape_out" => "shapes never seen",
                "unit_family_out" => "families never seen",
                other => other,
            };
            Some((
                finding,
                bar(finding, format!("leaderboard {board}"), unseen.to_owned())?,
            ))
        })
        .collect();
    drawn(
        "pooled-prediction",
        "How well structure predicts a board's mean on what was never seen",
        "R\u{b2} of a board's mean, each shape counted once, by a Gaussian process over units; bars are 95 % intervals. 0 is no better \
         than the mean, 1 is perfect.",
        "R\u{b2}, each shape counted once",
        rows,
        0.0,
    )
}

fn bar(finding: &Finding, group: String, series: String) -> Option<Bar> {
    Some(Bar {
        group,
        series,
        value: finding.value?,
        interval: finding.interval.as_ref().map(|ends| (ends.low, ends.high)),
    })
}

fn drawn(
    id: &str,
    title: &str,
    caption: &str,
    axis: &str,
    rows: Vec<(&Finding, Bar)>,
    reference: f64,
) -> Option<Figure> {
    let n = rows.iter().map(|(finding, _)| finding.n).max()?;
    Some(Figure {
        id: id.into(),
        title: title.into(),
        caption: caption.into(),
        n,
        x: Axis::linear(axis),
        y: Axis::linear(""),
        drawing: Drawing::Intervals {
            rows: rows.into_iter().map(|(_, bar)| bar).collect(),
            reference,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use study::finding::{Interval, SourceOf};

    #[test]
    fn what_is_drawn_nowhere_is_drawn_from_its_findings() {
        let source = SourceOf {
            work: "made up".into(),
            place: "rows".into(),
        };
        let finding = |id: &str| {
            Finding::new(id, "?", &source)
                .with_value(0.4, "points per doubling", 22, "HC3")
                .with_interval(Some(Interval {
                    low: 0.1,
                    high: 0.7,
                    level: 0.95,
                    method: "test".into(),
                }))
        };
        let mut sections = [Section {
            id: "controlled".into(),
            findings: vec![
                finding("controlled.simultaneous.made_up.flops_token.layers.arc"),
                finding("controlled.simultaneous.made_up.parameters.layers.arc"),
            ],
            ..Section::default()
        }];
        add(&mut sections);
        let Drawing::Intervals { rows, .. } = &sections[0].figures[0].drawing else {
            panic!("no intervals");
        };
        assert_eq!((rows.len(), rows[0].series.as_str()), (1, "arc"));
        add(&mut sections);
        assert_eq!(sections[0].figures.len(), 1, "once");
    }
}
