//! A comparison's differences as a figure: one row a benchmark whose runs are alike, a panel each checkpoint against the first.

use study::section::{Axis, Bar, Drawing, Figure};

use crate::answers::compare::CompareAnswer;

/// The figure; none where no runs are alike.
pub(crate) fn of(answer: &CompareAnswer) -> Option<Figure> {
    let several = answer.checkpoints.len() > 2;
    let pairs = answer.pairs.iter().filter(|pair| pair.unit == "points");
    let bars: Vec<Bar> = pairs
        .filter_map(|pair| {
            Some(Bar {
                group: if several {
                    format!("{} less {}", pair.second, pair.first)
                } else {
                    String::new()
                },
                series: pair.benchmark.clone(),
                value: pair.difference?,
                interval: pair.interval.as_ref().map(|ends| (ends.low, ends.high)),
            })
        })
        .collect();
    let title = match answer.pairs.first() {
        Some(pair) if !several => format!("{} less {}", pair.second, pair.first),
        _ => "Each checkpoint less the first".to_owned(),
    };
    (!bars.is_empty()).then(|| Figure {
        id: "comparison".into(),
        title: format!("{title}, benchmarks whose runs are alike"),
        caption: "Differences with 95 % intervals where the number of test items is known; the dashed line means no difference"
            .into(),
        n: bars.len(),
        x: Axis::linear("difference, points"),
        y: Axis::linear("benchmark"),
        drawing: Drawing::Intervals {
            rows: bars,
            reference: 0.0,
        },
    })
}
