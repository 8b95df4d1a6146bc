//! What a whole sweep does to one benchmark, and whether other shapes would say the same.

use anyhow::Result;
use study::regression::Structural;
use study::statistics::{GroupBootstrap, resample_counts};
use study::{Design, Fit, Groups};

use super::{Sweep, SweepEffect};
use crate::answers::predictor::FitRows;

/// Resamples of the shapes.
const RESAMPLES: usize = 200;

/// Prediction at `end` less that at `first`, and what it becomes when other shapes are drawn.
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

pub(super) fn sentence(effect: &SweepEffect, sweep: &Sweep) -> String {
    let verdict = if effect.low <= 0.0 && effect.high >= 0.0 {
        "not distinguishable from zero"
    } else if effect.difference > 0.0 {
        "a gain"
    } else {
        "a loss"
    };
    format!(
        "{}: {} from {} to {} changes the prediction by {:+.1} points, 95 % [{:+.1}, {:+.1}]: {verdict}",
        effect.benchmark, sweep.over, sweep.from, sweep.to, effect.difference, effect.low, effect.high
    )
}
