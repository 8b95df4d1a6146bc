//! Predicts with a fit that `anatomy study regressions --save` wrote.
//!
//! A saved fit has no residuals, so its interval is calibrated on out-of-shape errors of its method with default
//! settings, refitted on the rows of its benchmark.

use anyhow::{Context, Result, bail};
use serde::Serialize;
use study::conformal::calibrate;
use study::finding::Interval;
use study::regression::{SavedFit, from_name};
use study::{Design, Fit, evaluate};

use super::Predictor;
use super::predictor::{BOUNDS, FEWEST_SHAPES, LEVEL};
use super::subject::AskedStructure;

/// The prediction of a saved fit.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SavedAnswer {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) value: f64,
    pub(crate) interval: Option<Interval>,
    /// Number of rows on which the interval was calibrated.
    pub(crate) n: usize,
    pub(crate) n_shapes: usize,
    pub(crate) protocol: &'static str,
    pub(crate) features: Vec<String>,
    /// R² on unseen shapes, pooled over folds, of the method with default settings on those rows.
    pub(crate) r2_out_of_shape: Option<f64>,
    pub(crate) seed: u64,
    pub(crate) notes: Vec<String>,
}

/// Predicts with a saved fit.
///
/// # Errors
/// A fit with inconsistent parts, a feature that is not known of the structure, or a prediction that is not finite.
pub(crate) fn saved(predictor: &Predictor, asked: &AskedStructure, kept: &SavedFit) -> Result<SavedAnswer> {
    let (method, target) = (kept.method.clone(), kept.target.clone());
    let fit = kept.clone().open()?;
    let names = fit.names().to_vec();
    let rows = predictor.rows(&target, &names);
    let last = rows.as_ref().and_then(super::predictor::FitRows::last_date);
    let mut columns = Vec::new();
    for name in &names {
        let value = asked.column(name, last).with_context(|| {
            format!("the fit of {target} needs `{name}`, which is not known of this structure")
        })?;
        columns.push(vec![value]);
    }
    let design = Design::new(names.clone(), columns)?;
    let value = one(&*fit, &design)?;
    let mut answer = SavedAnswer {
        method,
        target,
        value,
        interval: None,
        n: 0,
        n_shapes: 0,
        protocol: "structure_out",
        features: names,
        r2_out_of_shape: None,
        seed: predictor.seed,
        notes: Vec::new(),
    };
    let (Some(rows), Some(regression)) = (rows, from_name(&answer.method)) else {
        answer
            .notes
            .push("no interval: the catalog has no benchmark of that name to calibrate on".into());
        return Ok(answer);
    };
    let groups = rows.groups();
    answer.n = rows.n();
    answer.n_shapes = groups.n_groups();
    if answer.n_shapes < FEWEST_SHAPES {
        answer
            .notes
            .push("no interval: too few shapes to calibrate on".into());
        return Ok(answer);
    }
    let known = evaluate(
        &*regression,
        &rows.design()?,
        &rows.target,
        None,
        &rows.folds(predictor.seed)?,
        predictor.seed,
    )?;
    let errors: Vec<f64> = rows
        .target
        .iter()
        .zip(&known.predictions)
        .map(|(y, predicted)| y - predicted.unwrap_or(*y))
        .collect();
    let width = calibrate(&errors, &vec![1.0; errors.len()], &groups, LEVEL)?;
    answer.r2_out_of_shape = known.r2_pooled;
    answer.interval = width.map(|width| {
        let interval = width.interval(value, 1.0);
        Interval {
            low: interval.low.clamp(BOUNDS.0, BOUNDS.1),
            high: interval.high.clamp(BOUNDS.0, BOUNDS.1),
            ..interval
        }
    });
    answer.notes.push(
        "a kept fit has no residuals: the interval is that of its method with default settings, out of shape"
            .into(),
    );
    Ok(answer)
}

fn one(fit: &dyn Fit, design: &Design) -> Result<f64> {
    match fit.predict(design)?.first() {
        Some(value) if value.is_finite() => Ok(*value),
        other => bail!("the fit predicts {other:?}"),
    }
}
