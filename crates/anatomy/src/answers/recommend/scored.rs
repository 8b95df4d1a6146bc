//! One choice's scores and what they leave open together.

use study::finding::Interval;

use super::ChoiceScore;
use crate::answers::measured::{Measured, Run};
use crate::answers::predictor::LEVEL;

/// A score that was measured.
pub(super) fn as_measured(found: Measured) -> ChoiceScore {
    let error = found.standard_error();
    ChoiceScore {
        benchmark: found.benchmark,
        value: found.value,
        interval: found.interval,
        is_predicted: false,
        source: source(&found.run),
        error,
        run: Some(found.run),
    }
}

/// Where a score comes from: the board, its state, and the way of thinking where one was set.
fn source(run: &Run) -> String {
    let mode = run
        .mode
        .as_ref()
        .map_or_else(String::new, |mode| format!(", {mode}"));
    format!("{} {}{mode}", run.leaderboard, run.version)
}

/// The interval of the mean: errors of benchmarks of different items as independent and normal. 95 % of what was measured, 80 % where
/// anything is predicted.
pub(super) fn together(mean: f64, scores: &[ChoiceScore], is_predicted: bool) -> Option<Interval> {
    let errors: Option<Vec<(&str, f64)>> = scores
        .iter()
        .map(|score| Some((score.benchmark.as_str(), error(score)?)))
        .collect();
    let error = study::noise::error_of_mean(errors?);
    let (level, method) = if is_predicted {
        (LEVEL, "conformal and sampling of items, as if independent")
    } else {
        (0.95, "sampling of items")
    };
    let found = study::noise::difference(mean, error, level, method.to_owned());
    Some(Interval {
        low: found.interval.low.max(0.0),
        high: found.interval.high.min(100.0),
        ..found.interval
    })
}

/// Standard error of one score; of a prediction what its interval makes of one.
pub(super) fn error(score: &ChoiceScore) -> Option<f64> {
    if score.is_predicted {
        let interval = score.interval.as_ref()?;
        let whole = study::noise::difference(0.0, 1.0, interval.level, String::new());
        return Some((interval.high - interval.low) / (whole.interval.high - whole.interval.low));
    }
    score.error
}
