//! Figure of predicted scores: one row per benchmark with its conformal interval, and measured scores below it.

use study::section::{Axis, Bar, Drawing, Figure};

use crate::answers::predict::PredictAnswer;

/// Builds the figure; benchmarks in points without a prediction are left out.
pub(crate) fn of(answer: &PredictAnswer) -> Figure {
    let mut bars = Vec::new();
    for score in answer.scores.iter().filter(|score| score.unit == "points") {
        if let Some(value) = score.value {
            bars.push(Bar {
                group: String::new(),
                series: score.benchmark.clone(),
                value,
                interval: score.interval.as_ref().map(|ends| (ends.low, ends.high)),
            });
        }
        if let Some(measured) = score.measured.first() {
            bars.push(Bar {
                group: String::new(),
                series: format!("{}, measured", score.benchmark),
                value: measured.value,
                interval: measured.interval.as_ref().map(|ends| (ends.low, ends.high)),
            });
        }
    }
    let n = answer.scores.iter().map(|score| score.n).max().unwrap_or(0);
    Figure {
        id: "prediction".into(),
        title: "Predicted scores, trained on at most the rows counted here".into(),
        caption: "Conformal intervals for one checkpoint of this structure; measured scores with what their items leave open"
            .into(),
        n,
        x: Axis::linear("score, points"),
        y: Axis::linear("benchmark"),
        drawing: Drawing::Intervals {
            rows: bars,
            reference: f64::NAN,
        },
    }
}
