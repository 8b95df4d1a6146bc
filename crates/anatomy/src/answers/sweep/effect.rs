//! The effect of a whole sweep on one benchmark, with a bootstrap interval over shapes.

use anyhow::Result;
use study::regression::Structural;
use study::statistics::{GroupBootstrap, normal_quantile, resample_counts};
use study::{Design, Fit, Groups};

use super::{Sweep, SweepEffect};
use crate::answers::predictor::FitRows;

/// Number of bootstrap resamples of the shapes.
const RESAMPLES: usize = 200;

/// Prediction at `end` minus that at `first`, with a 95 % bootstrap interval from resampled shapes.
pub(super) fn effect(rows: &FitRows, first: &Design, end: &Design, seed: u64) -> Result<SweepEffect> {
    let design = rows.design()?;
    let groups = Groups::from_labels(&rows.shapes);
    let n_shapes = groups.n_groups();
    let difference = |weights: Option<&[f64]>| -> Result<f64, study::Error> {
        let fit = Structural::default().fit_structural(&design, &rows.target, weights)?;
        Ok(fit.predict(end)?[0] - fit.predict(first)?[0])
    };
    let settings = GroupBootstrap {
        resamples: RESAMPLES,
        seed,
    };
    let draws: Vec<f64> = resample_counts(n_shapes, settings, |times| {
        let weights: Vec<f64> = groups
            .ids()
            .iter()
            .map(|&shape| f64::from(times[shape]))
            .collect();
        difference(Some(&weights))
    })
    .into_iter()
    .collect::<Result<_, study::Error>>()?;
    Ok(SweepEffect {
        benchmark: String::new(),
        difference: difference(None)?,
        low: study::statistics::quantile(&draws, 0.025),
        high: study::statistics::quantile(&draws, 0.975),
        resamples: RESAMPLES,
        n: rows.n(),
        n_shapes,
        seed,
        unit: "points".into(),
        r2_with: None,
        r2_without: None,
        sentence: String::new(),
    })
}

/// Describes the effect in words; `n_effects` is the number of benchmarks tested together.
pub(super) fn sentence(effect: &SweepEffect, sweep: &Sweep, n_effects: usize) -> String {
    let verdict = match verdict(effect, n_effects) {
        Verdict::Open => "not distinguishable from zero".to_owned(),
        Verdict::Alone => {
            format!("leaves zero by itself, but not when the {n_effects} benchmarks are looked at together")
        }
        Verdict::Gain => "a gain".to_owned(),
        Verdict::Loss => "a loss".to_owned(),
    };
    format!(
        "{}: {} from {} to {} changes the prediction by {:+.1} points, 95 % [{:+.1}, {:+.1}]: {verdict}",
        effect.benchmark, sweep.over, sweep.from, sweep.to, effect.difference, effect.low, effect.high
    )
}

#[derive(Debug, PartialEq)]
enum Verdict {
    Open,
    Alone,
    Gain,
    Loss,
}

/// Significance by itself, and with both limits moved outwards for `n_effects` simultaneous intervals (Bonferroni).
fn verdict(effect: &SweepEffect, n_effects: usize) -> Verdict {
    let level = 1.0 - 0.05 / n_effects.max(1) as f64;
    let wider = normal_quantile(level) / normal_quantile(0.95);
    let is_off_zero = |factor: f64| {
        let (low, high) = (
            effect.difference - factor * (effect.difference - effect.low),
            effect.difference + factor * (effect.high - effect.difference),
        );
        low > 0.0 || high < 0.0
    };
    if !is_off_zero(1.0) {
        Verdict::Open
    } else if !is_off_zero(wider) {
        Verdict::Alone
    } else if effect.difference > 0.0 {
        Verdict::Gain
    } else {
        Verdict::Loss
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_six_effects_must_leave_zero_by_more_than_one_alone() {
        let of = |low: f64, high: f64| SweepEffect {
            benchmark: "mmlu".into(),
            difference: 10.0,
            low,
            high,
            resamples: 200,
            n: 100,
            n_shapes: 20,
            seed: 42,
            unit: "points".into(),
            r2_with: None,
            r2_without: None,
            sentence: String::new(),
        };
        assert_eq!(verdict(&of(-1.0, 21.0), 1), Verdict::Open);
        assert_eq!(verdict(&of(1.0, 19.0), 1), Verdict::Gain);
        // A simultaneous interval for six effects is 2.638 / 1.960 times as wide.
        assert_eq!(verdict(&of(1.0, 19.0), 6), Verdict::Alone);
        assert_eq!(verdict(&of(3.0, 17.0), 6), Verdict::Gain);
    }
}
